"""A local venue that speaks Polymarket's wire protocol, for rehearsals and for tests.

It is an application of its own: it takes nothing from BetterOMS but the words of the trade and exact numbers
(`domain.terms`, `domain.money`), so that agreement between the two proves something (DECISIONS 9).
"""
