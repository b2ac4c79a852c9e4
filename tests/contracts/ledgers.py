"""What the contract suite needs of a ledger: a place that outlives a process, and a way to read past it.

A new kind of ledger joins with one entry in `LEDGERS`, whose fixture makes installations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from betteroms.adapters.memory import MemoryLedger
from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId, RunId
from betteroms.domain.liquidity import Taken
from betteroms.domain.order import Order
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, Ledger, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """What of a run's row every ledger keeps."""

    run_id: RunId
    kind: str
    mode: Mode
    plan_id: str | None
    content_hash: str | None
    status: RunStatus
    attempt: int
    now: datetime
    completed_at: datetime | None
    error: str | None
    summary: Mapping[str, Any] | None


class Reader(Protocol):
    """What is committed, read past the ledger, as another process would see it.

    Nothing that a ledger has pending is visible here. Ids are ordered as text.
    """

    def orders(self) -> Sequence[Order]:
        """By order id."""
        ...

    def executions(self) -> Sequence[Execution]:
        """In the order in which they were booked."""
        ...

    def positions(self) -> Sequence[Position]:
        """By mode and token id; closed ones too."""
        ...

    def entries(self) -> Sequence[LedgerEntry]:
        """In the order in which they were entered."""
        ...

    def taken(self) -> Mapping[Mode, Sequence[Taken]]:
        """By market id and price, for each mode; empty where nothing is remembered."""
        ...

    def runs(self) -> Sequence[RunSeen]:
        """By run id."""
        ...

    def events(self) -> Sequence[tuple[OrderId, str]]:
        """The events of orders as told, each by the name of its class; `Denied` for what was refused."""
        ...

    def payloads(self) -> Sequence[Payload]:
        """By payload id."""
        ...

    def facts(self) -> Sequence[Fact]:
        """What stands besides: rules by mode and token, bounds by order, snapshots by mode and hour."""
        ...


class Installation(Protocol):
    """One ledger's data, empty at first, and the process that works on it."""

    @property
    def ledger(self) -> Ledger:
        """The ledger of the process that lives now."""
        ...

    @property
    def reader(self) -> Reader: ...

    def die(self) -> None:
        """Lose the process: `ledger` is from now on that of a new one on the same data."""
        ...


MakeLedger = Callable[[], Installation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of ledger: the fixture that yields its `MakeLedger`, and how many random lives it leads."""

    fixture: str
    lives: int


LEDGERS = {
    "memory": Kind(fixture="make_memory_ledger", lives=80),
    "postgres": Kind(fixture="make_postgres_ledger", lives=8),
}
"""Every kind of ledger there is: the whole suite is run on each."""


class MemoryReader:
    """Reads a memory ledger."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def orders(self) -> Sequence[Order]:
        return self._ledger.orders()

    def executions(self) -> Sequence[Execution]:
        return self._ledger.executions()

    def positions(self) -> Sequence[Position]:
        return self._ledger.positions()

    def entries(self) -> Sequence[LedgerEntry]:
        return self._ledger.entries()

    def taken(self) -> Mapping[Mode, Sequence[Taken]]:
        return self._ledger.taken()

    def runs(self) -> Sequence[RunSeen]:
        return [
            RunSeen(
                run_id=kept.run.run_id,
                kind=kept.run.kind,
                mode=kept.run.mode,
                plan_id=kept.run.plan_id,
                content_hash=kept.run.content_hash,
                status=kept.run.status,
                attempt=kept.run.attempt,
                now=kept.run.now,
                completed_at=kept.completed_at,
                error=kept.error,
                summary=kept.summary,
            )
            for kept in self._ledger.runs()
        ]

    def events(self) -> Sequence[tuple[OrderId, str]]:
        return [(event.order_id, type(event).__name__) for event in self._ledger.events()]

    def payloads(self) -> Sequence[Payload]:
        return self._ledger.payloads()

    def facts(self) -> Sequence[Fact]:
        return self._ledger.facts()


class MemoryInstallation:
    """A memory ledger survives the loss of a process only in so far as it forgets what was pending."""

    def __init__(self) -> None:
        self._ledger = MemoryLedger()
        self.reader = MemoryReader(self._ledger)

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    def die(self) -> None:
        self._ledger.lose_pending()
