"""Random lives of a ledger: runs that close, fail and die, and facts told in any order.

A life is its seed: a red one is lived again by `LedgerLife(installation, seed)`. It stops at the first
difference, so that the last lines of its story are the cause.
"""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

import pytest

from betteroms.domain.book import Book
from betteroms.domain.errors import PlanAlreadyRun
from betteroms.domain.ids import OrderId
from betteroms.domain.money import MICROS, to_micros, to_text
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Rejected,
    Reversed,
    Unconfirmed,
)
from betteroms.domain.position import LedgerEntry
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Amount, Mode, Side
from betteroms.ports import Run
from tests.contracts.builders import (
    MARKETS,
    NOON,
    a_deposit,
    a_run,
    accepted,
    begin,
    book,
    fill,
    filled,
    finish,
    give_up,
    inputs,
    opposite,
    order_of,
    whole_snapshot,
)
from tests.contracts.ledger_model import Model
from tests.contracts.ledgers import Installation, Kind, MakeLedger
from tests.domain.examples import dollars, shares

RUNS_PER_LIFE: Final = 10
MODES: Final = (Mode.PAPER, Mode.LIVE)
PRICES: Final = ("0.25", "0.4", "0.5", "0.6", "0.75")
S = OrderStatus
POSSIBLE: Final[dict[OrderStatus, tuple[type, ...]]] = {
    S.NEW: (Accepted, Accepted, Accepted, Accepted, Rejected, Unconfirmed),
    S.UNCONFIRMED: (Accepted, Rejected, CancelRequested, Unconfirmed),
    S.OPEN: (*[Filled] * 8, CancelRequested, Canceled, Expired, Reversed),
    S.FILLED: (Filled, CancelRequested, Reversed),
    S.CANCELED: (Filled, CancelRequested, Reversed),
    S.EXPIRED: (Filled, CancelRequested, Reversed),
    S.REJECTED: (),
    S.DENIED: (),
}


class LedgerLife:
    """One installation beside a model of it: `kept` is what is committed, `work` what the open run sees."""

    def __init__(self, at: Installation, seed: int) -> None:
        self.at = at
        self.chance = Random(seed)
        self.kept = Model()
        self.work = self.kept
        self.entries: dict[str, LedgerEntry] = {}
        self.runs: dict[tuple[Mode, str], tuple[RunStatus, int]] = {}
        self.fills: list[Filled] = []
        self.story: list[object] = []
        self.hours = self.lines = 0

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

    def opened(self) -> Run | None:
        """A run of one of a few plans; None where the plan was carried out before."""
        self.hours += 1
        mode, plan = self.chance.choice(MODES), str(self.chance.randint(0, 5))
        run = a_run(plan, mode=mode, at=NOON + timedelta(hours=self.hours))
        self.story.append(run)
        status, attempt = self.runs.get((mode, plan), (None, 0))
        if status is RunStatus.COMPLETED:
            with pytest.raises(PlanAlreadyRun):
                self.at.ledger.open_run(run)
            return None
        number = self.chance.randint(0, 5)
        entry = a_deposit(to_text(self.chance.randint(1, MICROS)), mode=mode, key=str(number))
        run = begin(self.at.ledger, run, entry)
        assert run.attempt == attempt + 1
        self.entries.setdefault(entry.key, entry)
        self.runs[mode, plan] = (RunStatus.RUNNING, attempt + 1)
        self.work = self.kept.copy()
        return run

    def size(self) -> str:
        return to_text(self.chance.choice((1, 5 * MICROS, self.chance.randint(1, 60 * MICROS))))

    def reads_books(self, run: Run) -> None:
        shown = {book.token_id: book for book in (self.book() for _ in range(self.chance.randint(0, 4)))}
        self.story.append(shown)
        self.at.ledger.observe(inputs(*shown.values()), [])
        for one in sorted(shown.values(), key=lambda one: (one.changed_at_ms, one.token_id)):
            self.work.see(run.mode, one)

    def book(self) -> Book:
        """One outcome's book, with levels on both sides of the middle; most are newer than the last."""
        shown = [f"{at}x{self.size()}" for at in PRICES if self.chance.random() < 0.8]
        return book(
            self.chance.choice(MARKETS),
            outcome_index=self.chance.randint(0, 1),
            bids=" ".join(reversed([level for level in shown if level < "0.5"])),
            asks=" ".join(level for level in shown if level >= "0.5"),
            changed_at_ms=self.chance.randint(1, 3) + 2 * self.hours,
        )

    def takes_on_orders(self, run: Run) -> None:
        orders = [self.order(run) for _ in range(self.chance.randint(0, 5))]
        self.story.append(orders)
        denied = [order for order in orders if order.status is S.DENIED]
        sends_out = run.mode is Mode.LIVE
        self.at.ledger.record([o for o in orders if o.status is S.NEW], denied, sends_out=sends_out)
        self.work.orders.update((order.order_id, order) for order in orders)
        self.work.events.extend((order.order_id, "Denied") for order in denied)
        if sends_out:
            self.kept = self.work

    def order(self, run: Run) -> Order:
        self.lines += 1
        amount: Amount = shares(self.size())
        side = self.chance.choice((Side.BUY, Side.BUY, Side.SELL))
        if side is Side.BUY and self.chance.random() < 0.3:
            amount = dollars(self.size())
        order = order_of(
            run,
            line=self.lines,
            on=self.chance.choice(MARKETS),
            outcome_index=self.chance.randint(0, 1),
            side=side,
            amount=amount,
            at=self.chance.choice(PRICES),
        )
        denied = self.chance.random() < 0.1
        return replace(order, status=S.DENIED, code="NO_BOOK", amount=None) if denied else order

    def is_told(self, run: Run) -> None:
        """A batch of news, repetitions among it."""
        events: list[OrderEvent] = []
        moved: dict[OrderId, None] = {}
        for _ in range(self.chance.randint(0, 12)):
            repeated, mine = self.repeatable(run.mode), self.movable(run.mode)
            if repeated and self.chance.random() < 0.15:
                events.append(self.chance.choice(repeated))
            elif mine:
                event = self.event(run, self.chance.choice(mine))
                self.work.tell(event)
                events.append(event)
                moved.setdefault(event.order_id)
        self.story.append(events)
        assert list(self.at.ledger.apply(events)) == [self.work.orders[name] for name in moved]

    def movable(self, mode: Mode) -> list[Order]:
        """Orders that something can still happen to."""
        return [order for order in self.work.orders.values() if order.mode is mode and POSSIBLE[order.status]]

    def repeatable(self, mode: Mode) -> list[Filled]:
        """Fills that the open run knows of: what a failed one was told is news again."""
        known = {execution for execution in self.work.executions if execution.mode is mode}
        return [event for event in self.fills if known.issuperset(event.executions)]

    def event(self, run: Run, order: Order) -> OrderEvent:
        kind, name, at = self.chance.choice(POSSIBLE[order.status]), order.order_id, run.now
        asked = CancelRequested(order_id=name, at=at, reason="by hand")
        if kind is Filled:
            return self.fill(order) or asked
        if kind is Reversed:
            return self.reversal(run, order) or asked
        if kind is Accepted:
            return accepted(order, at)
        if kind is Rejected:
            return Rejected(order_id=name, at=at, code="MIN_SIZE", reason="too small")
        if kind is Unconfirmed:
            return Unconfirmed(order_id=name, at=at, reason="no answer")
        if kind is Canceled:
            return Canceled(order_id=name, at=at, code="BY_HAND")
        return Expired(order_id=name, at=at) if kind is Expired else asked

    def fill(self, order: Order) -> Filled | None:
        """Some more of the order; None where there is nothing to sell."""
        intent, wanted = order.intent, self.size()
        if intent.side is Side.SELL:
            held = self.work.held(order.mode, intent.token_id)
            if held == 0:
                return None
            wanted = to_text(min(held, to_micros(wanted)))
        at = self.chance.choice(PRICES)
        external = None if order.mode is Mode.PAPER else f"trade-{len(self.fills)}"
        one = fill(order, wanted, at, number=order.fills + 1, fee="0.01234", external_execution_id=external)
        key = one.price if intent.outcome_index == 0 else MICROS - one.price
        complete = self.chance.random() < 0.3
        event = filled(order, one, taken=f"{to_text(key)}x{wanted}", complete=complete)
        self.fills.append(event)
        return event

    def reversal(self, run: Run, order: Order) -> Reversed | None:
        """The order's last fill taken back, once, where it is a purchase whose shares are still here."""
        mine = [e for e in self.work.executions if e.order_id == order.order_id]
        held = self.work.held(order.mode, order.intent.token_id)
        if not mine or order.intent.side is Side.SELL or not 0 < mine[-1].size <= held:
            return None
        undone = opposite(mine[-1], number=order.fills + 1)
        return Reversed(order_id=order.order_id, at=run.now, executions=(undone,))

    def ends(self, run: Run) -> None:
        """Closed, failed, or dead: then its row goes on saying that it is running."""
        end = self.chance.choice((*[RunStatus.COMPLETED] * 4, RunStatus.FAILED, RunStatus.RUNNING))
        self.story.append(end)
        if end is RunStatus.COMPLETED:
            finish(self.at.ledger, run)
            self.kept = self.work
        elif end is RunStatus.FAILED:
            give_up(self.at.ledger, run)
        else:
            self.at.die()
        assert run.plan_id is not None
        self.runs[run.mode, run.plan_id] = (end, run.attempt)
        self.work = self.kept

    def compare_committed(self) -> None:
        reader, kept = self.at.reader, self.kept
        assert {order.order_id: order for order in reader.orders()} == kept.orders
        assert list(reader.executions()) == kept.executions
        assert list(reader.positions()) == kept.positions()
        assert list(reader.events()) == kept.events
        assert list(reader.entries()) == list(self.entries.values())
        runs = {(seen.mode, seen.plan_id): (seen.status, seen.attempt) for seen in reader.runs()}
        assert runs == self.runs
        for mode in MODES:
            rows = [(t.market_id, t.price, t.size, t.changed_at_ms) for t in reader.taken()[mode]]
            assert rows == kept.levels(mode)

    def compare_snapshots(self) -> None:
        for mode in MODES:
            kept, snapshot = self.kept, whole_snapshot(self.at.ledger, mode, orders=list(self.kept.orders))
            entered = sum(entry.cash for entry in self.entries.values() if entry.mode is mode)
            account, positions = snapshot.account, [p for p in kept.positions() if p.mode is mode]
            assert account.cash == entered + kept.cash_moved(mode)
            assert account.reserved_cash == kept.reserved_cash(mode)
            assert {t: s for t, s in account.reserved_shares.items() if s} == kept.reserved_shares(mode)
            assert account.held == {p.token_id: kept.held(mode, p.token_id) for p in positions if p.size}
            assert snapshot.positions == {position.token_id: position for position in positions}
            assert sum(p.realised - p.cost_basis for p in positions) == kept.cash_moved(mode)
            placed = kept.placed(mode)
            assert list(snapshot.open_orders[: len(placed)]) == placed
            assert {o.order_id: o for o in snapshot.open_orders} == {o.order_id: o for o in kept.alive(mode)}
            assert snapshot.known == kept.orders
            for name, order in kept.orders.items():
                numbers = [execution.number for execution in snapshot.executions.get(name, ())]
                assert numbers == list(range(1, order.fills + 1))


def test_any_life_of_a_ledger_agrees_with_a_few_sums(ledger_kind: Kind, make_ledger: MakeLedger) -> None:
    for seed in range(ledger_kind.lives):
        life = LedgerLife(make_ledger(), seed)
        try:
            life.live()
        except Exception as difference:
            difference.add_note(f"life {seed}, after {len(life.story)} steps; the last: {life.story[-3:]}")
            raise
