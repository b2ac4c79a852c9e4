"""What fill bounds add up to, as a pass of maintenance needs it: from sums, however long the history."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg

from betteroms.domain.bounds_value import NOTHING_ADDED, BoundedGain, Tilt, elsewhere
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.position import mark
from betteroms.domain.terms import Mode


class Tilted(NamedTuple):
    """The fields of a `ports.Snapshot` that tell of fill bounds."""

    tilts: Mapping[TokenId, Tilt]
    worths: Mapping[TokenId, int]
    elsewhere: BoundedGain


NOTHING: Final = Tilted({}, {}, NOTHING_ADDED)
_TILT: Final = (
    "t.token_id, (t.pessimistic * 1000000)::bigint, (t.pessimistic_paid * 1000000000000)::numeric(38, 0), "
    "(t.optimistic * 1000000)::bigint, (t.optimistic_paid * 1000000000000)::numeric(38, 0)"
)


def read(connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId]) -> Tilted:
    """By how much bounds differ from what was filled, token by token in these markets, else as one sum.

    A share is worth what it was paid for last, else what the registry knows that it pays, else its mark.
    """
    rows = connection.execute(
        f"""
        SELECT {_TILT}, t.market_id, p.marked_at IS NOT NULL, (p.best_bid * 1000000)::bigint,
            (p.best_ask * 1000000)::bigint, coalesce((e.payout * 1000000)::bigint,
                CASE m.outcomes->0->>'tokenId' WHEN t.token_id THEN (m.payouts->0)::bigint
                ELSE (m.payouts->1)::bigint END)
        FROM tilts t LEFT JOIN positions p USING (mode, token_id)
            LEFT JOIN markets m ON m.market_id = t.market_id AND m.resolved AND m.payouts IS NOT NULL
            LEFT JOIN (
                SELECT DISTINCT ON (token_id) token_id, payout FROM ledger_entries
                WHERE mode = %(mode)s AND kind = 'SETTLEMENT' ORDER BY token_id, sequence DESC
            ) e ON e.token_id = t.token_id
        WHERE t.mode = %(mode)s AND (t.pessimistic <> 0 OR t.pessimistic_paid <> 0 OR t.optimistic <> 0
            OR t.optimistic_paid <> 0)
        ORDER BY t.token_id
        """,  # noqa: S608 - our own column list
        {"mode": mode},
    )
    asked = frozenset(markets)
    here: dict[TokenId, Tilt] = {}
    others: list[Tilt] = []
    worths: dict[TokenId, int] = {}
    for *sums, market, marked, bid, ask, payout in rows:
        found = _tilt_from(sums)
        token = found.token_id
        if market in asked:
            here[token] = found
        else:
            others.append(found)
        if payout is not None:
            worths[token] = 2 * payout
        elif marked:
            worths[token] = mark(best_bid=bid, best_ask=ask).doubled
    return Tilted(
        tilts=here,
        worths={token: worth for token, worth in worths.items() if token in here},
        elsewhere=elsewhere(others, worths),
    )


def stored(connection: psycopg.Connection[Any], mode: Mode) -> list[Tilt]:
    """The sums of every token."""
    rows = connection.execute(f"SELECT {_TILT} FROM tilts t WHERE mode = %s", (mode,))  # noqa: S608
    return [_tilt_from(row) for row in rows]


def _tilt_from(row: Sequence[Any]) -> Tilt:
    token, less, less_paid, more, more_paid = row
    return Tilt(
        token_id=token,
        pessimistic=less,
        pessimistic_paid=int(less_paid),
        optimistic=more,
        optimistic_paid=int(more_paid),
    )
