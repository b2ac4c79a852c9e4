"""What reports of profit and loss read back: sums by group, and every movement in the ledger's sequence.

Nothing here can write. Amounts are whole millionths, times aware UTC.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from betteroms.domain.bounds_value import Tilt
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import Size, Usdc
from betteroms.domain.period import Period
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry
from betteroms.domain.terms import Mode


class By(StrEnum):
    """What figures are grouped by; a strategy is where an order's wish came from (`orders.source`)."""

    MARKET = "market"
    PLAN = "plan"
    STRATEGY = "strategy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What one group did in a period: its orders by when they were taken on, its fills by when they happened.

    `group` is a condition id, a planId or a source; None where an order has none. `notional` is dollars that
    changed hands, fee apart; what a reversal takes back counts against it. `partly` orders were filled in
    part and are not filled.
    """

    group: str | None
    orders: int = 0
    filled: int = 0
    partly: int = 0
    resting: int = 0
    canceled: int = 0
    denied: int = 0
    rejected: int = 0
    executions: int = 0
    bought: Usdc = Usdc(0)
    sold: Usdc = Usdc(0)
    fees: Usdc = Usdc(0)

    @property
    def notional(self) -> Usdc:
        return Usdc(self.bought + self.sold)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSum:
    """A token that moved in a period: its fees, and whether any of it was parted with."""

    token_id: TokenId
    market_id: MarketId
    fees: Usdc
    parted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slipped:
    """What the runs of one kind and plan (maintenance has none) told of slippage, and how many did."""

    kind: str
    plan_id: str | None
    runs: int
    slippage: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundsMismatch:
    """An order whose fill bounds do not lie around what it filled in the base."""

    order_id: OrderId
    pessimistic: Size
    filled: Size
    optimistic: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltMismatch:
    """Sums over the fill bounds of one token that are not those of its orders."""

    mode: Mode
    stored: Tilt
    summed: Tilt


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementMismatch:
    """A fill whose settlement is not what was told of it; `taken_back` says that a reversal is booked.

    None where there is no such row, or nothing was told.
    """

    order_id: OrderId
    external_execution_id: str
    stored: str | None
    told: str | None
    taken_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMismatch:
    """An order that has ended and whose signed bytes are kept, or one that is alive and whose are not."""

    order_id: OrderId
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What an order, or its twin, came to as it was submitted; `cash` is dollars that changed hands."""

    status: str
    code: str | None
    size: Size
    cash: Usdc
    fee: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinRecord:
    """A live order beside its twin on paper.

    `live` holds what it took at once, `later` the shares it was filled with while it rested. `sent_at` is
    when it was about to leave, `filled_at` when the last of what it took at once was matched.
    """

    order_id: OrderId
    plan_id: str | None
    market_id: MarketId
    market_name: str
    outcome: str
    side: str
    live: Filled
    later: Size
    twin: Filled
    sent_at: datetime | None
    filled_at: datetime | None


class Follower(Protocol):
    """Something that is told the movements of one token, in the ledger's sequence, by their bare numbers.

    `owner` is the group of the order, where that was asked for. A reversal has its signs turned round.
    """

    def buy(self, size: int, cash: int, fee: int, at: datetime, owner: str | None) -> None:
        """A fill of a BUY: `cash` is below zero."""
        ...

    def sell(self, size: int, cash: int, fee: int, at: datetime, owner: str | None) -> None:
        """A fill of a SELL."""
        ...

    def leave(self, size: int, cash: int, at: datetime) -> None:
        """A ledger entry: so many shares left, and cash came."""
        ...


Following = Callable[[Mode, MarketId, TokenId], Follower]
"""Who follows a token; asked once for each, or once more where one token was booked under two markets."""


class Reckoning(Protocol):
    """Reads of one moment. Every method raises DatabaseUnavailable where the database does not answer."""

    def follow(
        self,
        following: Following,
        *,
        mode: Mode | None = None,
        owners: By | None = None,
        tokens: Collection[TokenId] | None = None,
    ) -> None:
        """Tell every execution, and every entry of a token, in the ledger's sequence; None is no bound."""
        ...

    def half_told(self, mode: Mode, period: Period) -> Sequence[TokenId]:
        """The tokens that were parted with in the period, and moved outside of it, too.

        Only of these the profit of a period does not follow from sums.
        """
        ...

    def activity(self, mode: Mode, by: By, period: Period) -> Sequence[Activity]:
        """What each group did; those that did nothing are absent."""
        ...

    def token_sums(self, mode: Mode, period: Period) -> Sequence[TokenSum]:
        """Each token that moved in the period."""
        ...

    def entries(self, mode: Mode, period: Period) -> Sequence[LedgerEntry]:
        """The ledger entries of the period, in the ledger's sequence."""
        ...

    def slipped(self, mode: Mode, period: Period) -> Sequence[Slipped]:
        """What the runs of the period told of slippage."""
        ...

    def slippages(self, mode: Mode, period: Period) -> Sequence[int]:
        """By how much each order that the period's runs filled did worse than the mid, on average.

        In millionths of a dollar per share; below zero it did better.
        """
        ...

    def twins(self, period: Period) -> Sequence[TwinRecord]:
        """The live orders of the period that have a twin, in the order they were taken on."""
        ...

    def snapshots(
        self, mode: Mode, period: Period, *, limit: int | None = None
    ) -> Sequence[PortfolioSnapshot]:
        """Snapshots by time; with a limit the latest so many."""
        ...

    def tilts(self, mode: Mode, period: Period) -> Sequence[Tilt]:
        """The sums over fill bounds of orders taken on in the period, by token."""
        ...

    def tokens_of(self, mode: Mode, source: str) -> Collection[TokenId]:
        """The tokens for which there are orders of this source."""
        ...

    def payouts(self, mode: Mode) -> Sequence[tuple[TokenId, int]]:
        """What each settled token paid last: dollars per share, in millionths."""
        ...

    def bounds_mismatches(self) -> Sequence[BoundsMismatch]:
        """Orders whose fill bounds do not lie around what they filled; empty when all is well."""
        ...

    def tilt_mismatches(self) -> Sequence[TiltMismatch]:
        """Sums over fill bounds that differ from those drawn anew; empty when all is well."""
        ...

    def settlement_mismatches(self) -> Sequence[SettlementMismatch]:
        """Fills whose settlement is not what was told of it; empty when all is well."""
        ...

    def signed_mismatches(self) -> Sequence[SignedMismatch]:
        """Orders whose signed bytes are kept and should not be, or the other way; empty when all is well."""
        ...

    def snapshot_mismatches(self) -> Sequence[PortfolioSnapshot]:
        """Snapshots whose cash is not what was deposited and realised, less the cost of what was held."""
        ...
