"""What a resolved market pays for the shares we hold, as ledger entries (DECISIONS 5.4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from betteroms.domain.ids import TokenId, key
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Size, Usdc, to_text
from betteroms.domain.position import EntryKind, LedgerEntry, Position
from betteroms.domain.terms import Mode


def payouts(
    market: Market,
    held: Mapping[TokenId, Position],
    earlier: Mapping[TokenId, Sequence[LedgerEntry]],
    *,
    mode: Mode,
    at: datetime,
) -> list[LedgerEntry]:
    """The entries that a market's final payouts make; none while they are not final, none the second time.

    Shares leave and the dollars they pay, rounded down, come. Where an earlier payout turns out to have been
    another, all that was paid is taken back by an entry of its own and paid anew: nothing is edited.
    """
    if not market.resolved or market.payouts is None:
        return []
    entries: list[LedgerEntry] = []
    for outcome, payout in zip(market.outcomes, market.payouts, strict=True):
        token = outcome.token_id
        told = earlier.get(token, ())
        paid = [entry for entry in told if entry.kind is EntryKind.SETTLEMENT]
        number = len(paid) + 1
        if paid and paid[-1].payout != payout:
            standing = Size(sum(-e.paid_for if e.kind is EntryKind.REVERSAL else e.paid_for for e in told))
            entries.append(
                _entry(
                    EntryKind.REVERSAL,
                    market,
                    token,
                    number=number,
                    mode=mode,
                    at=at,
                    cash=Usdc(-sum(entry.cash for entry in told)),
                    payout=paid[-1].payout or 0,
                    paid_for=standing,
                )
            )
            entries.append(_paid(market, token, payout, standing, Size(0), number, mode, at))
            number += 1
        position = held.get(token)
        if position is not None and position.size > 0:
            size = position.size
            entries.append(_paid(market, token, payout, size, Size(-size), number, mode, at))
    return entries


def _paid(
    market: Market,
    token: TokenId,
    payout: int,
    paid_for: Size,
    size: Size,
    number: int,
    mode: Mode,
    at: datetime,
) -> LedgerEntry:
    return _entry(
        EntryKind.SETTLEMENT,
        market,
        token,
        number=number,
        mode=mode,
        at=at,
        cash=Usdc(payout * paid_for // MICROS),
        payout=payout,
        paid_for=paid_for,
        size=size,
    )


def _entry(
    kind: EntryKind,
    market: Market,
    token: TokenId,
    *,
    number: int,
    mode: Mode,
    at: datetime,
    cash: Usdc,
    payout: int,
    paid_for: Size,
    size: Size = Size(0),
) -> LedgerEntry:
    did = "took back" if kind is EntryKind.REVERSAL else "paid"
    return LedgerEntry(
        key=key(mode.value, kind.value.lower(), market.market_id, token, number),
        mode=mode,
        kind=kind,
        cash=cash,
        at=at,
        note=f"{market.name} {did} {to_text(payout)} for each of {to_text(paid_for)} shares",
        market_id=market.market_id,
        token_id=token,
        size=size,
        payout=payout,
        paid_for=paid_for,
    )
