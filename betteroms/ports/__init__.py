"""What the core needs of the outside world: small promises, named by the need.

Every adapter that keeps one of these is run through the same contract suite in `tests/contracts`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from betteroms.domain.book import Book
from betteroms.domain.bounds import FillBounds
from betteroms.domain.bounds_value import NOTHING_ADDED, BoundedGain, Tilt
from betteroms.domain.errors import BetterOmsError
from betteroms.domain.execution import Execution
from betteroms.domain.external import ExternalFill
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId
from betteroms.domain.intent import Cancel
from betteroms.domain.liquidity import Taken
from betteroms.domain.market import Market
from betteroms.domain.money import Usdc
from betteroms.domain.order import ChainState, Order, OrderEvent
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry, Position, Quote
from betteroms.domain.risk import Account
from betteroms.domain.risk.history import NOTHING, History, RiskState
from betteroms.domain.rule import RuleRemoved, RuleSet
from betteroms.domain.run import EarlierRun, RunStatus
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from betteroms.domain.twin import Twin


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
class Settling:
    """What is not final at the venue: orders that have ended, with fills that still settle on the chain.

    `booked` are the fills of these orders and of all that are alive, by the venue's name of each, with how
    far the settlement of each had come.
    """

    orders: Sequence[Order] = ()
    booked: Mapping[OrderId, Mapping[str, tuple[Execution, ChainState]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The ledger's state as far as a run needs it, at one moment.

    `known` holds orders that already exist under the ids asked for, `executions` their fills;
    `open_orders` those resting in the markets asked for, in time order; `sequence` the ledger's position;
    `opening_cash` is what the mode's wallet started with, None before its first use. `rules` are the exit
    rules in force for tokens of these markets, `bounds` the other two answers for the open orders, `history`
    the account's past, empty where nobody asked for it. `settlements` are what these markets paid so far, by
    token and in order. `quotes` are the prices that positions were last seen at. `tilts` tell by how much the
    bounds of all orders ever in these markets differ from what was filled, `worths` twice the dollars that a
    share of those tokens was last worth, in millionths, and `elsewhere` what the bounds of all others add to
    the gain at what shares were last worth there; empty where nobody asked for them. `deposited` is deposits
    less withdrawals, `fees` all that was ever charged. `settling` is empty where nothing leaves the process.
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
    rules: Mapping[TokenId, RuleSet] = field(default_factory=dict)
    bounds: Mapping[OrderId, FillBounds] = field(default_factory=dict)
    history: History = NOTHING
    settlements: Mapping[TokenId, Sequence[LedgerEntry]] = field(default_factory=dict)
    quotes: Mapping[TokenId, Quote] = field(default_factory=dict)
    tilts: Mapping[TokenId, Tilt] = field(default_factory=dict)
    worths: Mapping[TokenId, int] = field(default_factory=dict)
    elsewhere: BoundedGain = NOTHING_ADDED
    deposited: Usdc = Usdc(0)
    fees: Usdc = Usdc(0)
    settling: Settling = Settling()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskChanged:
    """The drawdown switch of a mode tripped or was reset."""

    mode: Mode
    state: RiskState
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBounds:
    """How an order might have filled at worst and at best, as far as that is known now."""

    mode: Mode
    bounds: FillBounds


Fact = (
    LedgerEntry
    | RuleSet
    | RuleRemoved
    | RiskChanged
    | OrderBounds
    | PortfolioSnapshot
    | Proven
    | ExternalFill
    | Twin
)
"""What the ledger keeps besides orders and their events: nothing of it is a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """What a run read: for each token and market the kept payload, and when it came.

    `names` are those it asked for that a market does not tell of itself: neither its slug nor its id.
    """

    books: Mapping[TokenId, Book] = field(default_factory=dict)
    markets: Mapping[MarketId, Market] = field(default_factory=dict)
    names: Mapping[str, MarketId] = field(default_factory=dict)


class Ledger(Protocol):
    """The only writer. Where orders leave the process each call commits; else the run is one transaction."""

    def find_run(self, mode: Mode, plan_id: str) -> EarlierRun | None:
        """The trade run that this planId already has in this mode, if it has one."""
        ...

    def open_run(self, run: Run, entries: Sequence[LedgerEntry] = ()) -> Run:
        """Write the run down (commits) with the entries that are not in the ledger yet.

        A failed or interrupted run of the same plan is taken up again, as its next attempt.

        Raises:
            PlanAlreadyRun: it was completed, or given up.
            PlanChanged: it was started with another content hash.
        """
        ...

    def touched(self, mode: Mode, *, settled_since: datetime) -> Sequence[MarketId]:
        """The markets in which anything is held, an order is alive or a fill settles still; by id.

        And those in which a payout came since then.
        """
        ...

    def snapshot(
        self,
        mode: Mode,
        *,
        markets: Collection[MarketId],
        orders: Collection[OrderId],
        at: datetime | None = None,
        valued: bool = False,
    ) -> Snapshot:
        """The state that matters to a run over these markets: what is committed, taken once, at its start.

        `at` asks for the account's history as of that moment, which costs a look at all of today's orders;
        `valued` for what fill bounds add up to.
        """
        ...

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        """Keep what the run read, and let the liquidity memory see the books."""
        ...

    def known_as(self, names: Collection[str]) -> Mapping[str, Order]:
        """The orders that the venue knows by these names, by that name; those it alone knows are absent."""
        ...

    def proven(self, wallet: str) -> frozenset[str]:
        """The signing domains in which the venue gave an order of this wallet the name that we computed."""
        ...

    def record(self, orders: Sequence[Order], denied: Sequence[Order], *, sends_out: bool) -> None:
        """Write orders down: taken on, or refused.

        With `sends_out` this is committed before it returns, and so is each call that follows.
        """
        ...

    def apply(self, events: Sequence[OrderEvent], *, sends_out: bool = False) -> Sequence[Order]:
        """Move orders, append executions, fold positions; the orders that moved. `sends_out`: see `record`.

        The same execution told twice counts once. A fill that has a name of the venue's is MATCHED until more
        is told of it.
        """
        ...

    def note(self, facts: Sequence[Fact], /) -> None:
        """Take facts in: entries move positions and cash, the rest is kept as it stands now.

        An entry and an external fill told twice count once; the first snapshot of an hour stays. Audit rows
        tell of entries, of rules that were set, triggered or removed, of the drawdown switch, of what was
        proven, and of twins, which are nowhere else.
        """
        ...

    def end_interrupted(self, at: datetime) -> Sequence[RunId]:
        """Write down as failed what still says that it runs, though only we hold the writer's lock."""
        ...

    def abandon_run(self, run_id: RunId, *, at: datetime) -> None:
        """Write down that a failed run is never to be taken up again."""
        ...

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        """Complete the run with its summary, and commit what is still pending."""
        ...

    def fail_run(self, run: Run, error: str, *, completed_at: datetime) -> None:
        """Drop what is pending and write down that the run failed; one that was completed stays so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan kept in the database for `run`.

    `plan_id` is as it was written, with its braces; `file` the name it was added under, `body` its bytes.
    `active` is the switch in force, whatever the file says of it.
    """

    mode: Mode
    plan_id: str
    priority: int
    active: bool
    file: str
    content_hash: str
    body: bytes
    added_at: datetime
    changed_at: datetime


class PlanShelf(Protocol):
    """The plans kept in the database. A change is one small transaction, and takes no writer's lock."""

    def list(self) -> Sequence[StoredPlan]:
        """All of them, by planId and mode."""
        ...

    def get(self, plan_id: str) -> Sequence[StoredPlan]:
        """The plans of this planId as it was written: at most one for each mode."""
        ...

    def put(self, plan: StoredPlan, *, replacing: StoredPlan | None) -> bool:
        """Add the plan, or put it in the place of `replacing`; False where that is not what is there now."""
        ...

    def set_active(self, plan: StoredPlan, *, active: bool, at: datetime) -> bool:
        """Turn the switch; False where it stood so already, or the plan is gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlan:
    """A file that lies where plans are looked for: its bytes, or the fault that kept us from them.

    `name` is for people; `file` is the last part of it, by which plans of one priority are ordered.
    """

    name: str
    file: str
    body: bytes = b""
    fault: BetterOmsError | None = None


class PlanPlace(Protocol):
    """Where `run` looks for plans besides the shelf."""

    @property
    def name(self) -> str:
        """How people call it: the directory or URL they gave."""
        ...

    def plans(self) -> Iterable[FoundPlan]:
        """Every file there that should be a plan, by name.

        Raises:
            PlanInvalid: there is no such place, or it is no place for plans.
            ExtraMissing: what reads such a place is not installed.
            StorageUnreachable: the storage gave no usable answer.
        """
        ...
