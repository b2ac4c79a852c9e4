"""What we hold of one token and what it cost: the fold of its executions and ledger entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.terms import Mode, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Sums, never ratios: the average price is `cost_basis / size`, computed when printed.

    `cost_basis` excludes fees; `realised` is net of every fee, which `fees` repeats for reading.
    For any history `realised - cost_basis == sum(cash - fee)`, exactly. `opened_at` is when the fill
    happened that took it from nothing; None while nothing is held.
    """

    mode: Mode
    market_id: MarketId
    token_id: TokenId
    size: Size = Size(0)
    cost_basis: Usdc = Usdc(0)
    realised: Usdc = Usdc(0)
    fees: Usdc = Usdc(0)
    opened_at: datetime | None = None


class EntryKind(StrEnum):
    """Why cash or shares moved without an order of ours."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    SETTLEMENT = "SETTLEMENT"
    """A resolved market paid for the shares we held."""
    REVERSAL = "REVERSAL"
    """A payout that turned out to be another: what it paid is taken back."""


CAPITAL: Final = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL})
"""What moves cash in or out without being a gain or a loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A movement that no execution explains; `key` names it, so that telling it twice counts once.

    `cash` is signed dollars that entered us, `size` signed shares of `token_id` that did: a settlement takes
    the shares away and brings what they paid. `payout` is dollars per share in millionths, and `paid_for`
    the shares it was paid for, where the entry is about a payout.
    """

    key: str
    mode: Mode
    kind: EntryKind
    cash: Usdc
    at: datetime
    note: str | None = None
    market_id: MarketId | None = None
    token_id: TokenId | None = None
    size: Size = Size(0)
    payout: int | None = None
    paid_for: Size = Size(0)


def cost_removed(*, cost_basis: Usdc, held: Size, sold: Size) -> Usdc:
    """The cost that leaves with a sale, at average cost: rounded up, all of it when nothing stays."""
    return Usdc(_removed(cost_basis, held, sold))


def _removed(cost_basis: int, held: int, sold: int) -> int:
    if held <= 0 or sold >= held:
        return cost_basis
    return -(-cost_basis * sold // held)


class Holding:
    """A position being folded: plain numbers that move with each execution.

    The one place that holds the rules of the fold; used for a single execution and for a million.
    """

    __slots__ = ("cost_basis", "fees", "market_id", "mode", "opened_at", "realised", "size", "token_id")

    def __init__(self, position: Position) -> None:
        self.mode = position.mode
        self.market_id = position.market_id
        self.token_id = position.token_id
        self.size: int = position.size
        self.cost_basis: int = position.cost_basis
        self.realised: int = position.realised
        self.fees: int = position.fees
        self.opened_at = position.opened_at

    def book(self, execution: Execution) -> None:
        """Take one execution in."""
        if execution.side is Side.BUY:
            self.buy(execution.size, execution.cash, execution.fee, execution.executed_at)
        else:
            self.sell(execution.size, execution.cash, execution.fee)

    def buy(self, size: int, cash: int, fee: int, at: datetime) -> None:
        """Take a BUY in, by its bare numbers: whoever folds a million has no time for more."""
        if self.size == 0:
            self.opened_at = at
        self.size += size
        self.cost_basis -= cash
        self.realised -= fee
        self.fees += fee
        if self.size == 0:
            self._close()

    def sell(self, size: int, cash: int, fee: int) -> None:
        """Take a SELL in, by its bare numbers."""
        removed = _removed(self.cost_basis, self.size, size)
        self.size -= size
        self.cost_basis -= removed
        self.realised += cash - removed - fee
        self.fees += fee
        if self.size == 0:
            self._close()

    def enter(self, entry: LedgerEntry) -> None:
        """Take one entry of this token in."""
        self.leave(-entry.size, entry.cash)

    def leave(self, size: int, cash: int) -> None:
        """Take an entry in, by its bare numbers: shares leave with their cost, cash is realised."""
        assert size >= 0, "entries bring no shares"
        if size:
            self.sell(size, cash, 0)
            return
        self.realised += cash

    def _close(self) -> None:
        # Where nothing is held nothing has a cost: what a reversal leaves of it was a gain or a loss.
        self.realised -= self.cost_basis
        self.cost_basis = 0
        self.opened_at = None

    def position(self) -> Position:
        """What it came to."""
        return Position(
            mode=self.mode,
            market_id=self.market_id,
            token_id=self.token_id,
            size=Size(self.size),
            cost_basis=Usdc(self.cost_basis),
            realised=Usdc(self.realised),
            fees=Usdc(self.fees),
            opened_at=self.opened_at,
        )


def fold(position: Position, executions: Iterable[Execution]) -> Position:
    """The position after these executions, in their order."""
    holding = Holding(position)
    for execution in executions:
        holding.book(execution)
    return holding.position()


SPREAD_TRUSTED_MAX = Price(100_000)
"""A mid across a wider spread than 0.10 says nothing (DECISIONS 5.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a held share is worth now. `doubled` is twice the price, so that a mid stays whole."""

    doubled: int
    flag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The prices at which a token was last seen, and when its book was read."""

    best_bid: Price | None
    best_ask: Price | None
    at: datetime


def mark(*, best_bid: Price | None, best_ask: Price | None, by: str = "mid") -> Mark:
    """Mark a long position: the mid of a trusted spread, else the best bid, else nothing.

    `by` is `mid` or `bid`.
    """
    if best_bid is None:
        return Mark(doubled=0, flag="NO_BID")
    if by == "mid" and best_ask is not None and best_ask - best_bid <= SPREAD_TRUSTED_MAX:
        return Mark(doubled=best_bid + best_ask)
    return Mark(doubled=2 * best_bid)


def market_value(marked: Mark, size: Size) -> Usdc:
    """What `size` shares are worth at the mark, in millionths of a dollar, rounded down."""
    return Usdc(marked.doubled * size // 2_000_000)
