"""What the core needs of the outside world: small promises, named by the need.

Every adapter that keeps one of these is run through the same contract suite in `tests/contracts`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId
from betteroms.domain.intent import Cancel
from betteroms.domain.liquidity import Taken
from betteroms.domain.market import Market
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order, OrderEvent
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.risk import Account
from betteroms.domain.run import EarlierRun, RunStatus
from betteroms.domain.terms import Mode


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Catalog(Protocol):
    def markets(self, names: Collection[str]) -> Mapping[str, Market]:
        """Find markets by slug, condition id, numeric id or outcome token id.

        Names that no market has are absent from the answer.

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...


class MarketData(Protocol):
    def books(self, token_ids: Collection[TokenId]) -> Mapping[TokenId, Book]:
        """The books of these outcome tokens; a token without one is absent from the answer.

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...


class PayloadKind(StrEnum):
    """What a kept payload is."""

    BOOK = "book"
    MARKET = "market"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Something a run read, as it was received; named by its content."""

    payload_id: BookId
    kind: PayloadKind
    subject: str
    body: bytes


class Archive(Protocol):
    def payloads(self) -> Iterable[Payload]:
        """Everything read since the last call, for the ledger to keep."""
        ...


class Executor(Protocol):
    """Something that carries orders out. It turns orders into events and never writes."""

    @property
    def sends_out(self) -> bool:
        """Whether orders leave the process, so that they must be written down before."""
        ...

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Give each order the name the venue will know it by."""
        ...

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """Carry the orders out, in their order; yield what happened in batches."""
        ...

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """What became of orders that were left alive."""
        ...

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        """End these orders."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One invocation: what was asked, when, and what is needed to recompute it.

    `now` is the only time its events carry. `plan` is the file as it was read, kept when
    the run opens. `settings` is JSON-ready and holds no secret.
    """

    run_id: RunId
    kind: str
    mode: Mode
    plan_id: str | None
    plan_file: str | None
    content_hash: str | None
    now: datetime
    scheduled_at: datetime
    started_at: datetime
    engine_version: str
    settings: Mapping[str, Any]
    plan: Payload | None = None
    attempt: int = 1
    status: RunStatus = RunStatus.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The ledger's state as far as a run needs it, at one moment.

    `known` holds orders that already exist under the ids asked for, `executions` their fills;
    `open_orders` those resting in the markets asked for, in time order; `sequence` the ledger's position;
    `opening_cash` is what the mode's wallet started with, None before its first use.
    """

    mode: Mode
    account: Account
    positions: Mapping[TokenId, Position]
    open_orders: Sequence[Order]
    taken: Sequence[Taken]
    known: Mapping[OrderId, Order]
    executions: Mapping[OrderId, Sequence[Execution]]
    sequence: int = 0
    opening_cash: Usdc | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """What a run read: for each token and market the kept payload, and when it came."""

    books: Mapping[TokenId, Book] = field(default_factory=dict)
    markets: Mapping[MarketId, Market] = field(default_factory=dict)


class Ledger(Protocol):
    """The only writer. Where orders leave the process each call commits; else the run is one transaction."""

    def find_run(self, mode: Mode, plan_id: str) -> EarlierRun | None:
        """The trade run that this planId already has in this mode, if it has one."""
        ...

    def open_run(self, run: Run, entries: Sequence[LedgerEntry] = ()) -> Run:
        """Write the run down (commits) with the entries that are not in the ledger yet.

        A failed or interrupted run of the same plan is taken up again, as its next attempt.

        Raises:
            PlanAlreadyRun: it was completed.
            PlanChanged: it was started with another content hash.
        """
        ...

    def snapshot(self, mode: Mode, *, markets: Collection[MarketId], orders: Collection[OrderId]) -> Snapshot:
        """The state that matters to a run over these markets: what is committed, taken once, at its start."""
        ...

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        """Keep what the run read, and let the liquidity memory see the books."""
        ...

    def record(self, orders: Sequence[Order], denied: Sequence[Order], *, sends_out: bool) -> None:
        """Write orders down: taken on, or refused."""
        ...

    def apply(self, events: Sequence[OrderEvent]) -> Sequence[Order]:
        """Move orders, append executions, fold positions; the orders that moved.

        The same execution told twice counts once.
        """
        ...

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        """Complete the run with its summary, and commit what is still pending."""
        ...

    def fail_run(self, run: Run, error: str, *, completed_at: datetime) -> None:
        """Drop what is pending and write down that the run failed; one that was completed stays so."""
        ...
