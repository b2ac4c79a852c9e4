"""What is read back from the ledger for people and for checks: its rows, and the promise to fetch them.

Nothing here can write. Amounts are whole millionths, times aware UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, OrderId, RunId
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.position import Position
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode

PREFIX_LENGTH_MIN = 8
"""Characters of an id that a person must give at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as its row stands; `totals` are its summary's, None until it is completed."""

    run_id: RunId
    short_id: str
    kind: str
    mode: Mode
    plan_id: str | None
    plan_file: str | None
    status: RunStatus
    attempt: int
    started_at: datetime
    completed_at: datetime | None
    totals: Mapping[str, Any] | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    """A run with everything kept of it. `inputs` names the payloads it read, by token and market."""

    record: RunRecord
    scheduled_at: datetime
    now: datetime
    engine_version: str
    content_hash: str | None
    plan_payload_id: BookId | None
    settings: Mapping[str, Any]
    inputs: Mapping[str, Any] | None
    summary: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order with its market's name; `short_id` is a prefix of its id that no other order has."""

    order: Order
    short_id: str
    market_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One audit row of an order."""

    sequence: int
    at: datetime
    event_type: str
    actor: str
    run_id: RunId | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRecord:
    """A position with its market and the prices it was last seen at.

    `minimum_size` is the market's smallest order, None where nobody stated it.
    """

    position: Position
    market_name: str
    outcome: str
    minimum_size: Size | None
    best_bid: Price | None
    best_ask: Price | None
    marked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMismatch:
    """An order whose own sums are not those of its executions; `highest_number` is of the latter."""

    order_id: OrderId
    filled_size: Size
    filled_cash: Usdc
    fills: int
    executed_size: Size
    executed_cash: Usdc
    executions: int
    highest_number: int


class Records(Protocol):
    """Reads of one moment: nothing written meanwhile by others is seen.

    Every method raises DatabaseUnavailable where the database does not answer.
    """

    def runs(
        self, *, status: RunStatus | None, plan_id: str | None, limit: int, offset: int
    ) -> Sequence[RunRecord]:
        """Runs, the latest first."""
        ...

    def runs_named(self, name: str) -> Sequence[RunRecord]:
        """The runs of this planId, else the run of this id, else those whose id begins so; at most ten."""
        ...

    def run(self, run_id: RunId) -> RunDetail:
        """The run with everything kept of it."""
        ...

    def orders(
        self,
        *,
        statuses: Collection[OrderStatus],
        plan_id: str | None,
        token_prefix: str | None,
        limit: int,
        offset: int,
    ) -> Sequence[OrderRecord]:
        """Orders, those of the latest run first, each run's in the plan's order; no status means any."""
        ...

    def orders_named(self, prefix: str) -> Sequence[OrderRecord]:
        """The orders whose id begins so; at most ten."""
        ...

    def events(self, order_id: OrderId) -> Sequence[EventRecord]:
        """What happened to the order, in the ledger's sequence."""
        ...

    def executions(self, order_id: OrderId) -> Sequence[Execution]:
        """The order's fills, by number."""
        ...

    def payload(self, payload_id: BookId) -> bytes | None:
        """What was read, as it was received; None where it was not kept."""
        ...

    def positions(self, mode: Mode) -> Sequence[PositionRecord]:
        """Every token ever traded in the mode, by market name and outcome."""
        ...

    def alive_orders(self, mode: Mode) -> Iterable[Order]:
        """The orders that still reserve cash or shares."""
        ...

    def deposited(self, mode: Mode) -> Usdc:
        """The cash that ledger entries brought in, less what they took out."""
        ...

    def all_positions(self) -> Sequence[Position]:
        """The projection as it is stored, every mode."""
        ...

    def all_executions(self) -> Iterable[Execution]:
        """Every execution there is, in the ledger's sequence, fetched in blocks."""
        ...

    def order_mismatches(self) -> Sequence[OrderMismatch]:
        """Orders whose sums are not those of their executions; empty when all is well."""
        ...

    def order_count(self) -> int:
        """How many orders there are."""
        ...
