"""What is read back from the ledger for people and for checks: its rows, and the promise to fetch them.

Nothing here can write. Amounts are whole millionths, times aware UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import ChainState, Order, OrderEvent, OrderStatus
from betteroms.domain.position import Position
from betteroms.domain.risk import History
from betteroms.domain.rule import RuleSet
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Run, Snapshot
from betteroms.reckoning import Reckoning

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
class KeptBook:
    """A book as a run read it: what is kept of it, and how it was read."""

    payload_id: BookId
    received_at: datetime
    recorded: bool
    mirrored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a run kept so that it can be recomputed; `run.plan` with the file's bytes.

    `result` is its summary's, byte for byte; None until it is completed. `rows` name the payloads of its
    markets, `rowless` are those that had none, `names` what else a market was called. `recorded` says that
    the markets came from files.
    """

    run: Run
    error: str | None
    result: str | None
    books: Mapping[TokenId, KeptBook]
    rows: Mapping[MarketId, BookId]
    rowless: Mapping[MarketId, Market]
    names: Mapping[str, MarketId]
    recorded: bool


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

    `minimum_size` is the market's smallest order, None where nobody stated it. `external` says that some of
    it was traded by orders that are not ours.
    """

    position: Position
    market_name: str
    outcome: str
    minimum_size: Size | None
    best_bid: Price | None
    best_ask: Price | None
    marked_at: datetime | None
    external: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecord:
    """A set of exit rules with what it is about: its market's name, the shares held, the exit under way."""

    rules: RuleSet
    market_name: str
    size: Size
    exit_order: OrderId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRecord:
    """A market that some run has read: enough to name what is traded there."""

    market_id: MarketId
    name: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How far a fill has come on the chain, and by which transaction as far as one is known."""

    state: ChainState
    transaction_hash: str | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRun:
    """A plan's run as far as it matters to the next one; `plan_id` has its braces filled in."""

    mode: Mode
    plan_id: str
    status: RunStatus
    content_hash: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedTrade:
    """A trade run that was begun and not completed; `plan` is the file it kept, None where it kept none."""

    run_id: RunId
    plan_id: str
    status: RunStatus
    scheduled_at: datetime
    plan: bytes | None


class PlanHistory(Protocol):
    """What became of plans, asked by planId."""

    def runs(self, names: Collection[tuple[Mode, str]]) -> Mapping[tuple[Mode, str], PlanRun]:
        """The trade runs of these planIds, braces filled in, that there are."""
        ...

    def latest(self, templates: Collection[tuple[Mode, str]]) -> Mapping[tuple[Mode, str], PlanRun]:
        """Of each of these planIds as written the run that was started last, if there was one."""
        ...

    def unfinished(self, mode: Mode) -> Sequence[UnfinishedTrade]:
        """The trade runs that failed or were interrupted and can be taken up again, the oldest first."""
        ...


class ExportKind(StrEnum):
    """What can be written to a file, row by row."""

    EXECUTIONS = "executions"
    ORDERS = "orders"
    POSITIONS = "positions"
    ENTRIES = "entries"
    SNAPSHOTS = "snapshots"


class Cell(StrEnum):
    """What a column holds, and so how it is to be written. Any of them may be None."""

    WORD = "WORD"
    """Text that repeats: a side, a status, a market's name."""
    TEXT = "TEXT"
    """Text that seldom repeats: an id, a note."""
    PRICE = "PRICE"
    """Dollars per share, in millionths."""
    AMOUNT = "AMOUNT"
    """Dollars or shares, in millionths."""
    WHOLE = "WHOLE"
    FLAG = "FLAG"
    TIME = "TIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportColumn:
    """A column of an export, by the name that JSON has for it."""

    name: str
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Rows to be written, in blocks that are fetched as they are asked for; each row as its columns are."""

    columns: Sequence[ExportColumn]
    blocks: Iterable[Sequence[Sequence[Any]]]


class Records(Reckoning, Protocol):
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

    def reconciliation(self) -> Mapping[str, Any] | None:
        """What the last live poll that could compare books found; see `jobs.live.reconcile`. None before."""
        ...

    def recording(self, run_id: RunId) -> Recording:
        """What the run kept so that it can be recomputed."""
        ...

    def touched_before(self, run_id: RunId, *, settled_since: datetime) -> Sequence[MarketId]:
        """See `ports.Ledger.touched`: what that would have said when this run began."""
        ...

    def snapshot_before(
        self, run_id: RunId, *, markets: Collection[MarketId], orders: Collection[OrderId]
    ) -> Snapshot:
        """See `ports.Ledger.snapshot`: what that would have said when this run began.

        Folded from the facts up to the run's sequence; what moves on without a trace is as the run kept it.
        """
        ...

    def told_in(self, run_id: RunId) -> Sequence[OrderEvent]:
        """What happened to orders in this run's last attempt, in the ledger's sequence."""
        ...

    def settled(self, order_id: OrderId) -> Mapping[str, Settled]:
        """How far the order's fills have settled, by the venue's names of them."""
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

    def run_of(self, mode: Mode, event: EventRecord) -> RunId | None:
        """The run in which something happened to an order, be it its own or a later one."""
        ...

    def rule_events(self, mode: Mode, token_id: TokenId) -> Sequence[EventRecord]:
        """What happened to the exit rules of a token, in the ledger's sequence."""
        ...

    def bounds(self, order_id: OrderId) -> FillBounds | None:
        """How the order might have filled at worst and at best; None for one that never rested."""
        ...

    def executions(self, order_id: OrderId) -> Sequence[Execution]:
        """The order's fills, by number."""
        ...

    def payload(self, payload_id: BookId) -> bytes | None:
        """What was read, as it was received; None where it was not kept."""
        ...

    def payloads(self, payload_ids: Collection[BookId]) -> Mapping[BookId, bytes]:
        """What was read, as it was received; what was not kept is absent."""
        ...

    def positions(self, mode: Mode) -> Sequence[PositionRecord]:
        """Every token ever traded in the mode, by market name and outcome."""
        ...

    def rule_sets(self, mode: Mode) -> Sequence[RuleRecord]:
        """The exit rules in force, by market name and outcome."""
        ...

    def markets_named(self, name: str) -> Sequence[MarketRecord]:
        """The markets of this slug, condition id, Gamma id or outcome token id; at most ten."""
        ...

    def alive_orders(self, mode: Mode) -> Iterable[Order]:
        """The orders that still reserve cash or shares."""
        ...

    def history(self, mode: Mode, *, at: datetime) -> History:
        """What the account's past means for the caps, of every market."""
        ...

    def market_names(self, markets: Collection[MarketId]) -> Mapping[MarketId, str]:
        """What people call these markets, where a slug is known."""
        ...

    def deposited(self, mode: Mode) -> Usdc:
        """The cash that ledger entries brought in, less what they took out."""
        ...

    def all_positions(self) -> Sequence[Position]:
        """The projection as it is stored, every mode."""
        ...

    def order_mismatches(self) -> Sequence[OrderMismatch]:
        """Orders whose sums are not those of their executions; empty when all is well."""
        ...

    def order_count(self) -> int:
        """How many orders there are."""
        ...

    def exported(
        self, kind: ExportKind, *, mode: Mode | None, since: datetime | None, until: datetime | None
    ) -> Exported:
        """All rows of a kind in an order that stays, from `since` on and before `until`; None is no bound.

        Positions have no time: what bounds them is ignored.
        """
        ...
