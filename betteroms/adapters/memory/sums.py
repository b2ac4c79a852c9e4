"""What an account comes to: the sums that a memory ledger draws from its rows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order, reserved_cash, reserved_shares
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.terms import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a seeded ledger knows of an account only as sums, because the rows stayed elsewhere.

    Dollars and shares in millionths.
    """

    cash: int = 0
    reserved_cash: int = 0
    reserved_shares: Mapping[TokenId, int] = field(default_factory=dict)
    deposit: Usdc | None = None
    deposited: int = 0
    fees: int = 0


def cash_moved(positions: Iterable[Position]) -> int:
    """Dollars that executions moved, fees included: by the ledger's invariant, from the positions alone."""
    return sum(position.realised - position.cost_basis for position in positions)


def deposited(entries: Iterable[LedgerEntry], mode: Mode) -> int:
    """Dollars paid in, less what was taken out; entries of a token are in its position."""
    return sum(entry.cash for entry in entries if entry.mode is mode and entry.token_id is None)


def settlements(
    entries: Iterable[LedgerEntry], mode: Mode, markets: Collection[MarketId]
) -> dict[TokenId, Sequence[LedgerEntry]]:
    """What these markets paid so far, by token and in the order of the entries."""
    found: dict[TokenId, list[LedgerEntry]] = {}
    for entry in entries:
        if entry.mode is mode and entry.token_id is not None and entry.market_id in markets:
            found.setdefault(entry.token_id, []).append(entry)
    return dict(sorted(found.items()))


def reserved(alive: Iterable[Order]) -> tuple[int, dict[TokenId, int]]:
    """Dollars, and shares by token, that these orders may still draw."""
    cash, shares = 0, dict[TokenId, int]()
    for order in alive:
        cash += reserved_cash(order)
        token = order.intent.token_id
        shares[token] = shares.get(token, 0) + reserved_shares(order)
    return cash, shares
