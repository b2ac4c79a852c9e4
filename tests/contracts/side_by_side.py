"""Two installations that are told the same and must say the same: what one ledger hides the other tells."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, TypeVar

from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, RunId
from betteroms.domain.liquidity import Taken
from betteroms.domain.order import Order, OrderEvent
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.run import EarlierRun
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, Ledger, Payload, Run, RunInputs, Snapshot
from tests.contracts.ledgers import Installation, Reader, RunSeen

T = TypeVar("T")


def agreed(answers: Sequence[T]) -> T:
    """What all of them say."""
    first, *others = answers
    for other in others:
        assert other == first, differing(first, other)
    return first


def differing(one: object, other: object) -> object:
    """Of two snapshots the fields that differ; else both."""
    if not isinstance(one, Snapshot):
        return one, other
    names = [field.name for field in fields(one)]
    pairs = {name: (getattr(one, name), getattr(other, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def plain(snapshot: Snapshot) -> Snapshot:
    """The snapshot with lists for its sequences, so that `==` compares what is in them.

    Ledgers count differently: a place in one means nothing in another.
    """
    return replace(
        snapshot,
        sequence=0,
        open_orders=list(snapshot.open_orders),
        taken=list(snapshot.taken),
        executions={name: list(found) for name, found in snapshot.executions.items() if found},
        settlements={name: list(found) for name, found in snapshot.settlements.items()},
        settling=replace(snapshot.settling, orders=list(snapshot.settling.orders)),
    )


class TwoLedgers:
    """Keeps the promises of `ports.Ledger` as long as two ledgers agree."""

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        self._ledgers = ledgers

    def _each(self, ask: Callable[[Ledger], T]) -> list[T]:
        """What each says; or the fault of all of them."""
        said: list[T] = []
        faults: list[Exception] = []
        for ledger in self._ledgers:
            try:
                said.append(ask(ledger))
            except Exception as fault:
                faults.append(fault)
        if faults:
            assert not said, f"one of them failed: {faults}"
            agreed([(type(fault), str(fault)) for fault in faults])
            raise faults[0]
        return said

    def find_run(self, mode: Mode, plan_id: str) -> EarlierRun | None:
        return agreed(self._each(lambda ledger: ledger.find_run(mode, plan_id)))

    def open_run(self, run: Run, entries: Sequence[LedgerEntry] = ()) -> Run:
        return agreed(self._each(lambda ledger: ledger.open_run(run, entries)))

    def touched(self, mode: Mode, *, settled_since: datetime) -> Sequence[MarketId]:
        return agreed(self._each(lambda ledger: list(ledger.touched(mode, settled_since=settled_since))))

    def snapshot(
        self,
        mode: Mode,
        *,
        markets: Collection[MarketId],
        orders: Collection[OrderId],
        at: datetime | None = None,
        valued: bool = True,
    ) -> Snapshot:
        return agreed(
            self._each(
                lambda ledger: plain(
                    ledger.snapshot(mode, markets=markets, orders=orders, at=at, valued=valued)
                )
            )
        )

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        kept = list(payloads)
        self._each(lambda ledger: ledger.observe(inputs, kept))

    def record(self, orders: Sequence[Order], denied: Sequence[Order], *, sends_out: bool) -> None:
        self._each(lambda ledger: ledger.record(orders, denied, sends_out=sends_out))

    def apply(self, events: Sequence[OrderEvent], *, sends_out: bool = False) -> Sequence[Order]:
        return agreed(self._each(lambda ledger: list(ledger.apply(events, sends_out=sends_out))))

    def known_as(self, names: Collection[str]) -> Mapping[str, Order]:
        return agreed(self._each(lambda ledger: dict(ledger.known_as(names))))

    def proven(self, wallet: str) -> frozenset[str]:
        return agreed(self._each(lambda ledger: ledger.proven(wallet)))

    def note(self, facts: Sequence[Fact], /) -> None:
        self._each(lambda ledger: ledger.note(facts))

    def end_interrupted(self, at: datetime) -> Sequence[RunId]:
        return agreed(self._each(lambda ledger: sorted(ledger.end_interrupted(at))))

    def abandon_run(self, run_id: RunId, *, at: datetime) -> None:
        self._each(lambda ledger: ledger.abandon_run(run_id, at=at))

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        self._each(lambda ledger: ledger.close_run(run, summary, completed_at=completed_at))

    def fail_run(self, run: Run, error: str, *, completed_at: datetime) -> None:
        self._each(lambda ledger: ledger.fail_run(run, error, completed_at=completed_at))


class TwoReaders:
    """Shows what two ledgers have committed, as long as it is the same."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    def orders(self) -> Sequence[Order]:
        return agreed([list(reader.orders()) for reader in self._readers])

    def executions(self) -> Sequence[Execution]:
        return agreed([list(reader.executions()) for reader in self._readers])

    def positions(self) -> Sequence[Position]:
        return agreed([list(reader.positions()) for reader in self._readers])

    def entries(self) -> Sequence[LedgerEntry]:
        return agreed([list(reader.entries()) for reader in self._readers])

    def taken(self) -> Mapping[Mode, Sequence[Taken]]:
        return agreed(
            [{mode: list(rows) for mode, rows in reader.taken().items()} for reader in self._readers]
        )

    def runs(self) -> Sequence[RunSeen]:
        return agreed([list(reader.runs()) for reader in self._readers])

    def events(self) -> Sequence[tuple[OrderId, str]]:
        return agreed([list(reader.events()) for reader in self._readers])

    def payloads(self) -> Sequence[Payload]:
        return agreed([list(reader.payloads()) for reader in self._readers])

    def facts(self) -> Sequence[Fact]:
        return agreed([list(reader.facts()) for reader in self._readers])


class SideBySide:
    """Several installations as one, with one process that works on all of them."""

    def __init__(self, *installations: Installation) -> None:
        self._installations = installations

    @property
    def ledger(self) -> Ledger:
        return TwoLedgers([at.ledger for at in self._installations])

    @property
    def reader(self) -> Reader:
        return TwoReaders([at.reader for at in self._installations])

    def die(self) -> None:
        for at in self._installations:
            at.die()
