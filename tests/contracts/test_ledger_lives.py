"""Random lives of a ledger: runs that close, fail, die and are given up, and facts told in any order.

A life is its seed: a red one is lived again by `LedgerLife(installation, seed)`. It stops at the first
difference, so that the last lines of its story are the cause.
"""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final

import pytest

from betteroms.domain.book import Book
from betteroms.domain.errors import PlanAlreadyRun
from betteroms.domain.ids import MarketId, OrderId, RunId
from betteroms.domain.money import MICROS, to_text
from betteroms.domain.order import ALIVE, OrderEvent, OrderStatus
from betteroms.domain.risk.history import NOTHING, RiskState
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Run
from tests.contracts.builders import (
    MARKETS,
    NOON,
    a_deposit,
    a_run,
    begin,
    finish,
    give_up,
    inputs,
    payload,
    whole_snapshot,
)
from tests.contracts.ledger_model import Model
from tests.contracts.ledgers import Installation, Kind, MakeLedger, MemoryInstallation
from tests.contracts.postgres_installation import PostgresInstallation
from tests.contracts.random_news import News
from tests.contracts.side_by_side import SideBySide

RUNS_PER_LIFE: Final = 10
MODES: Final = (Mode.PAPER, Mode.LIVE)
S = OrderStatus


class LedgerLife:
    """One installation beside a model of it: `kept` is what is committed, `work` what the open run sees."""

    def __init__(self, at: Installation, seed: int) -> None:
        self.at = at
        self.chance = Random(seed)
        self.news = News(self.chance)
        self.kept = Model()
        self.runs: dict[RunId, tuple[RunStatus, int]] = {}
        self.read: list[Book] = []
        self.story: list[object] = []
        self.hours = 0

    @property
    def work(self) -> Model:
        return self.news.work

    @work.setter
    def work(self, model: Model) -> None:
        self.news.work = model

    def live(self) -> None:
        """Several runs, each compared with the model at every step at which that can be seen."""
        for _ in range(RUNS_PER_LIFE):
            run = self.opened()
            if run is not None:
                self.reads_books(run)
                for _ in range(self.chance.randint(0, 1)):
                    self.is_told(run)
                self.takes_on_orders(run)
                for _ in range(self.chance.randint(0, 4)):
                    self.is_told(run)
                    self.compare_committed()
                self.ends(run)
            self.compare_committed()
            self.compare_snapshots()
            self.clears_up()

    def opened(self) -> Run | None:
        """A run of one of a few plans, or of none; None where the plan needs no run any more."""
        self.hours += 1
        mode = self.chance.choice(MODES)
        plan = self.chance.choice((None, *"012345"))
        run = a_run(plan, mode=mode, at=NOON + timedelta(hours=self.hours))
        self.story.append(run)
        status, attempt = self.runs.get(run.run_id, (None, 0))
        if status is RunStatus.COMPLETED:
            with pytest.raises(PlanAlreadyRun):
                self.at.ledger.open_run(run)
        if status in (RunStatus.COMPLETED, RunStatus.ABANDONED):
            return None
        number = self.chance.randint(0, 5)
        entry = a_deposit(to_text(self.chance.randint(1, MICROS)), mode=mode, key=str(number))
        run = begin(self.at.ledger, run, entry)
        assert run.attempt == attempt + 1
        self.kept.note(entry)
        self.runs[run.run_id] = (RunStatus.RUNNING, attempt + 1)
        self.work = self.kept.copy()
        self.work.run_id = run.run_id
        return run

    def reads_books(self, run: Run) -> None:
        seen = (self.news.book(run, self.hours) for _ in range(self.chance.randint(0, 4)))
        shown = {book.token_id: book for book in seen}
        self.read = list(shown.values())
        self.story.append(shown)
        body = payload(str(self.hours).encode())
        self.at.ledger.observe(inputs(*self.read), [body])
        for one in sorted(self.read, key=lambda one: (one.changed_at_ms, one.token_id)):
            self.work.see(run.mode, one)

    def takes_on_orders(self, run: Run) -> None:
        orders = [self.news.order(run) for _ in range(self.chance.randint(0, 5))]
        self.story.append(orders)
        denied = [order for order in orders if order.status is S.DENIED]
        sends_out = run.mode is Mode.LIVE
        self.at.ledger.record([o for o in orders if o.status is S.NEW], denied, sends_out=sends_out)
        self.work.orders.update((order.order_id, order) for order in orders)
        self.work.events.extend((order.order_id, "Denied") for order in denied)
        if sends_out:
            self.kept = self.work

    def is_told(self, run: Run) -> None:
        """A batch of news and a few facts, repetitions among them."""
        facts_first = self.chance.random() < 0.5
        if facts_first:
            self.is_told_facts(run)
        self.is_told_events(run)
        if not facts_first:
            self.is_told_facts(run)

    def is_told_facts(self, run: Run) -> None:
        facts = self.news.facts(run)
        self.story.append(facts)
        self.at.ledger.note(facts)

    def is_told_events(self, run: Run) -> None:
        events: list[OrderEvent] = []
        moved: dict[OrderId, None] = {}
        for _ in range(self.chance.randint(0, 12)):
            repeated, mine = self.news.repeatable(run.mode), self.news.movable(run.mode)
            if repeated and self.chance.random() < 0.15:
                events.append(self.chance.choice(repeated))
            elif mine:
                event = self.news.event(run, self.chance.choice(mine))
                self.work.tell(event)
                events.append(event)
                moved.setdefault(event.order_id)
        self.story.append(events)
        assert list(self.at.ledger.apply(events)) == [self.work.orders[name] for name in moved]

    def ends(self, run: Run) -> None:
        """Closed, failed, or dead: then its row goes on saying that it is running."""
        end = self.chance.choice((*[RunStatus.COMPLETED] * 4, RunStatus.FAILED, RunStatus.RUNNING))
        self.story.append(end)
        if end is RunStatus.COMPLETED:
            finish(self.at.ledger, run)
            self.work.price(run.mode, self.read)
            self.kept = self.work
        elif end is RunStatus.FAILED:
            give_up(self.at.ledger, run)
        else:
            self.at.die()
        self.runs[run.run_id] = (end, run.attempt)
        self.work = self.kept

    def clears_up(self) -> None:
        """Now and then somebody ends what was interrupted, or gives a run up, whatever became of it."""
        at = NOON + timedelta(hours=self.hours, minutes=30)
        if self.chance.random() < 0.2:
            running = [name for name, (status, _) in self.runs.items() if status is RunStatus.RUNNING]
            self.story.append("interrupted")
            assert sorted(self.at.ledger.end_interrupted(at)) == sorted(running)
            self.runs.update((name, (RunStatus.FAILED, self.runs[name][1])) for name in running)
        if self.runs and self.chance.random() < 0.2:
            name = self.chance.choice(sorted(self.runs))
            self.story.append(f"abandon {name}")
            self.at.ledger.abandon_run(name, at=at)
            status, attempt = self.runs[name]
            if status is RunStatus.FAILED:
                self.runs[name] = (RunStatus.ABANDONED, attempt)

    def compare_committed(self) -> None:
        reader, kept = self.at.reader, self.kept
        assert {order.order_id: order for order in reader.orders()} == kept.orders
        assert list(reader.executions()) == kept.executions
        assert list(reader.positions()) == kept.positions()
        assert list(reader.events()) == kept.events
        assert list(reader.entries()) == list(kept.entries.values())
        assert list(reader.facts()) == kept.standing()
        assert {seen.run_id: (seen.status, seen.attempt) for seen in reader.runs()} == self.runs
        for mode in MODES:
            rows = [(t.market_id, t.price, t.size, t.changed_at_ms) for t in reader.taken()[mode]]
            assert rows == kept.levels(mode)

    def compare_snapshots(self) -> None:
        for mode in MODES:
            kept, snapshot = self.kept, whole_snapshot(self.at.ledger, mode, orders=list(self.kept.orders))
            account, positions = snapshot.account, [p for p in kept.positions() if p.mode is mode]
            assert account.cash == kept.deposited(mode) + kept.cash_moved(mode)
            assert account.reserved_cash == kept.reserved_cash(mode)
            assert {t: s for t, s in account.reserved_shares.items() if s} == kept.reserved_shares(mode)
            assert account.held == {p.token_id: kept.held(mode, p.token_id) for p in positions if p.size}
            assert snapshot.positions == {position.token_id: position for position in positions}
            assert sum(p.realised - p.cost_basis for p in positions) == kept.cash_moved(mode)
            placed = kept.placed(mode)
            assert list(snapshot.open_orders[: len(placed)]) == placed
            assert {o.order_id: o for o in snapshot.open_orders} == {o.order_id: o for o in kept.alive(mode)}
            assert snapshot.known == kept.orders
            names = [order.external_order_id for order in kept.orders.values() if order.external_order_id]
            assert self.at.ledger.known_as([*names, "0xnobody"]) == {
                order.external_order_id: order for order in kept.orders.values() if order.external_order_id
            }
            for name, order in kept.orders.items():
                numbers = [execution.number for execution in snapshot.executions.get(name, ())]
                assert numbers == list(range(1, order.fills + 1))
            self.compare_facts(mode)

    def compare_facts(self, mode: Mode) -> None:
        """What a snapshot tells besides orders, of one market or of both, with the account's past."""
        chosen = self.chance.choice((MARKETS, MARKETS[:1], MARKETS[1:], ()))
        names = [market.market_id for market in chosen]
        at = NOON + timedelta(hours=self.hours + self.chance.choice((0, 1, 13)))
        kept = self.kept
        snapshot = self.at.ledger.snapshot(mode, markets=names, orders=[], at=at)
        entries = [e for e in kept.entries.values() if e.mode is mode and e.market_id in names]
        told = [entry for found in snapshot.settlements.values() for entry in found]
        assert sorted(told, key=lambda entry: entry.key) == sorted(entries, key=lambda entry: entry.key)
        for token, found in snapshot.settlements.items():
            assert list(found) == [entry for entry in entries if entry.token_id == token]
        assert snapshot.rules == {
            token: rules
            for (of, token), rules in kept.rules.items()
            if of is mode and rules.market_id in names
        }
        alive = {o.order_id for o in kept.alive(mode) if o.intent.market_id in names}
        assert snapshot.bounds == {name: b.bounds for name, b in kept.bounds.items() if name in alive}
        tokens = {o.token_id for market in chosen for o in market.outcomes}
        assert snapshot.quotes == {t: q for (of, t), q in kept.quotes.items() if of is mode and t in tokens}
        assert snapshot.deposited == kept.deposited(mode)
        assert snapshot.fees == sum(e.fee for e in kept.executions if e.mode is mode)
        self.compare_settling(mode, names)
        assert snapshot.history.state == kept.switches.get(mode, RiskState())
        assert whole_snapshot(self.at.ledger, mode).history == NOTHING
        since = NOON + timedelta(hours=self.hours - self.chance.randint(0, 5))
        assert list(self.at.ledger.touched(mode, settled_since=since)) == kept.touched(mode, since)

    def compare_settling(self, mode: Mode, markets: Sequence[MarketId]) -> None:
        """What is not final at the venue, and what was proven of it."""
        kept = self.kept
        settling = self.at.ledger.snapshot(mode, markets=markets, orders=[]).settling
        here = [order for order in kept.settling(mode) if order.intent.market_id in markets]
        ended = {order.order_id: order for order in here if order.status not in ALIVE}
        assert {order.order_id: order for order in settling.orders} == ended
        alive = [o for o in kept.alive(mode) if o.intent.market_id in markets and o.external_order_id]
        booked = {order.order_id: kept.named_fills(order) for order in (*alive, *ended.values())}
        assert settling.booked == {name: fills for name, fills in booked.items() if fills}
        for wallet in ("0xa", "0xb"):
            assert self.at.ledger.proven(wallet) == kept.proven.get(wallet, frozenset())


def lived(at: Installation, seed: int) -> LedgerLife:
    """A life to its end, or to the first difference."""
    life = LedgerLife(at, seed)
    try:
        life.live()
    except Exception as difference:
        difference.add_note(f"life {seed}, after {len(life.story)} steps; the last: {life.story[-3:]}")
        raise
    return life


def test_any_life_of_a_ledger_agrees_with_a_few_sums(ledger_kind: Kind, make_ledger: MakeLedger) -> None:
    for seed in range(ledger_kind.lives):
        lived(make_ledger(), seed)


def side_by_side(make_postgres_ledger: MakeLedger, seeds: range) -> None:
    """Both ledgers live one life, and agree in every answer; the database numbers what moved as told."""
    for seed in seeds:
        postgres = make_postgres_ledger()
        assert isinstance(postgres, PostgresInstallation)
        life = lived(SideBySide(MemoryInstallation(), postgres), seed)
        assert postgres.reader.movements() == life.kept.booked, f"life {seed}"


def test_both_ledgers_say_the_same_all_their_lives(make_postgres_ledger: MakeLedger) -> None:
    side_by_side(make_postgres_ledger, range(100, 108))


@pytest.mark.soak
def test_both_ledgers_say_the_same_for_a_long_time(make_postgres_ledger: MakeLedger) -> None:
    side_by_side(make_postgres_ledger, range(1_000, 1_150))
