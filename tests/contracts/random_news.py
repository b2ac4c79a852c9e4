"""Random news for a ledger: books, orders and what becomes of them, payouts, rules, snapshots.

Everything is possible by what the ledger's model knows so far; some of it is told twice.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from betteroms.domain.book import Book
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import MICROS, Price, Size, Usdc, to_micros, to_text
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    ChainState,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Progressed,
    Rejected,
    Reversed,
    Sending,
    Unconfirmed,
)
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.risk.history import RiskState
from betteroms.domain.rule import Cause, RuleRemoved, RuleSet, Trigger
from betteroms.domain.secret import Secret
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Amount, Mode, Side
from betteroms.ports import Fact, RiskChanged, Run
from tests.contracts.builders import (
    MARKETS,
    a_deposit,
    accepted,
    book,
    fill,
    filled,
    opposite,
    order_of,
    token,
)
from tests.contracts.fact_builders import (
    external_fill,
    order_bounds,
    portfolio,
    rule_set,
    settlement,
    taken_back,
)
from tests.contracts.ledger_model import Model
from tests.domain.examples import dollars, shares

PRICES: Final = ("0.25", "0.4", "0.5", "0.6", "0.75")
S = OrderStatus
POSSIBLE: Final[dict[OrderStatus, tuple[type, ...]]] = {
    S.NEW: (Accepted, Accepted, Accepted, Accepted, Rejected, Unconfirmed, Sending),
    S.UNCONFIRMED: (Accepted, Rejected, CancelRequested, Unconfirmed, Sending),
    S.OPEN: (*[Filled] * 8, CancelRequested, Canceled, Expired, Reversed, *[Progressed] * 4),
    S.FILLED: (Filled, CancelRequested, Reversed, *[Progressed] * 2),
    S.CANCELED: (Filled, CancelRequested, Reversed, *[Progressed] * 2),
    S.EXPIRED: (Filled, CancelRequested, Reversed, *[Progressed] * 2),
    S.REJECTED: (),
    S.DENIED: (),
}


class News:
    """What may be told next; `work` is what the open run knows."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.work = Model()
        self.fills: list[Filled] = []
        self.lines = self.payments = 0

    def size(self) -> str:
        return to_text(self.chance.choice((1, 5 * MICROS, self.chance.randint(1, 60 * MICROS))))

    def book(self, run: Run, hours: int) -> Book:
        """One outcome's book, with levels on both sides of the middle; most are newer than the last."""
        shown = [f"{at}x{self.size()}" for at in PRICES if self.chance.random() < 0.8]
        found = book(
            self.chance.choice(MARKETS),
            outcome_index=self.chance.randint(0, 1),
            bids=" ".join(reversed([level for level in shown if level < "0.5"])),
            asks=" ".join(level for level in shown if level >= "0.5"),
            changed_at_ms=self.chance.randint(1, 3) + 2 * hours,
        )
        return replace(found, received_at=run.now)

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
        if run.mode is Mode.LIVE:
            sending = self.chance.choice((None, run.now))
            signed, name = Secret(f"signed {self.lines}"), f"0x{self.lines:064x}"
            order = replace(order, external_order_id=name, signed=signed, sending_at=sending)
        denied = self.chance.random() < 0.1
        if denied:
            return replace(order, status=S.DENIED, code="NO_BOOK", amount=None, signed=None)
        return order

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
        if kind is Progressed:
            return self.progress(run, order) or asked
        if kind is Sending:
            return Sending(order_id=name, at=at)
        if kind is Accepted:
            return accepted(order, at)
        if kind is Rejected:
            return Rejected(order_id=name, at=at, code="MIN_SIZE", reason="too small")
        if kind is Unconfirmed:
            return Unconfirmed(order_id=name, at=at, reason="no answer")
        if kind is Canceled:
            return Canceled(order_id=name, at=at, code="BY_HAND")
        return Expired(order_id=name, at=at) if kind is Expired else asked

    def progress(self, run: Run, order: Order) -> Progressed | None:
        """Some fill's settlement went on, or back; None where the order has none that the venue named."""
        fills = sorted(name for known, name in self.work.chain if known == order.order_id)
        if not fills:
            return None
        return Progressed(
            order_id=order.order_id,
            at=run.now,
            external_execution_id=self.chance.choice(fills),
            state=self.chance.choice((*ChainState, *[ChainState.CONFIRMED] * 4)),
            transaction_hash=self.chance.choice((None, "0xabc")),
        )

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

    def facts(self, run: Run) -> list[Fact]:
        """A few facts besides orders, each possible after the one before it, which the model is told."""
        told: list[Fact] = []
        for _ in range(self.chance.randint(0, 3)):
            makers: tuple[Callable[[Run], Fact | None], ...]
            makers = (self.payment, self.payment, self.rule, self.bounds, self.snapshot, self.switch)
            if run.mode is Mode.LIVE:
                makers = (*makers, self.external, self.proof)
            fact = self.chance.choice(makers)(run)
            if fact is not None:
                self.work.note(fact)
                told.append(fact)
        return told

    def external(self, run: Run) -> Fact | None:
        """A fill that nobody here asked for, of one of a few orders, each of one token; some are repeated."""
        number, side = self.chance.randint(1, 4), self.chance.choice((Side.BUY, Side.BUY, Side.SELL))
        on, outcome = MARKETS[number % 2], number // 2 % 2
        wanted, name = self.size(), f"0xe{number}{side}"
        if side is Side.SELL:
            held = self.work.held(run.mode, token(on, outcome))
            if held == 0:
                return None
            wanted = to_text(min(held, to_micros(wanted)))
        return external_fill(
            wanted,
            self.chance.choice(PRICES),
            on=on,
            outcome_index=outcome,
            side=side,
            order=name,
            fill=f"{name}/{self.chance.randint(1, 6)}",
            state=self.chance.choice(list(ChainState)),
            executed_at=run.now - timedelta(minutes=1),
        )

    def proof(self, run: Run) -> Fact:
        wallet, domain = self.chance.choice(("0xa", "0xb")), self.chance.choice(("ctf", "negrisk", "v3"))
        return Proven(wallet=wallet, domain=domain, at=run.now)

    def payment(self, run: Run) -> Fact | None:
        """A payout of shares that are held, one taken back, one paid anew, a deposit; or one told again."""
        self.payments += 1
        mine = [entry for entry in self.work.entries.values() if entry.mode is run.mode]
        paid = [entry for entry in mine if entry.kind is EntryKind.SETTLEMENT]
        act = self.chance.randint(0, 5)
        if act == 0 and mine:
            again = self.chance.choice(mine)
            return replace(again, cash=Usdc(again.cash + self.chance.choice((0, 1))))
        if act == 1 and paid:
            return taken_back(self.chance.choice(paid))
        if act == 2:
            return a_deposit(self.size(), mode=run.mode, key=f"more {self.payments}")
        return self.payout(run, nothing_left=act == 3)

    def payout(self, run: Run, *, nothing_left: bool) -> LedgerEntry | None:
        on, outcome = self.chance.choice(MARKETS), self.chance.randint(0, 1)
        held = self.work.held(run.mode, token(on, outcome))
        if not held:
            return None
        leave = held if nothing_left else self.chance.choice((0, held, self.chance.randint(1, held)))
        payout = self.chance.choice(("0", "0.000001", "0.5", "1"))
        return settlement(
            to_text(leave or held),
            payout,
            on=on,
            outcome_index=outcome,
            mode=run.mode,
            at=run.now - timedelta(hours=self.chance.randint(0, 3)),
            key=str(self.payments),
            size=Size(-leave),
        )

    def rule(self, run: Run) -> Fact:
        """Rules set, changed in one thing, or taken away."""
        on, outcome = self.chance.choice(MARKETS), self.chance.randint(0, 1)
        standing = self.work.rules.get((run.mode, token(on, outcome)))
        act = self.chance.randint(0, 5)
        if act == 0:
            return RuleRemoved(mode=run.mode, token_id=token(on, outcome), at=run.now)
        if standing is not None and act < 4:
            trigger = Trigger(cause=self.chance.choice(list(Cause)), at=run.now, detail="bid=0.30")
            changed: tuple[RuleSet, ...] = (
                replace(standing, high=Price(self.chance.randint(1, MICROS - 1)), opened_at=run.now),
                replace(standing, trigger=trigger, stopped_at=run.now),
                replace(standing, attempts=standing.attempts + 1),
            )
            return self.chance.choice(changed)
        rules = ExitRules(
            stop_loss_pct=self.chance.choice((None, 10 * MICROS)),
            cool_down_minutes=self.chance.choice((None, 30)),
            daily_trades_max=self.chance.choice((None, 3)),
        )
        return rule_set(
            on=on,
            outcome_index=outcome,
            mode=run.mode,
            name=f"{run.run_id} {self.lines} {self.payments}",
            rules=rules,
            set_at=run.now,
        )

    def bounds(self, run: Run) -> Fact | None:
        """Bounds around what an order filled, at which it began to rest."""
        mine = [o for o in self.work.orders.values() if o.mode is run.mode and o.status is not S.DENIED]
        if not mine:
            return None
        order = self.chance.choice(mine)
        known = self.work.bounds.get(order.order_id)
        if known is None:
            ahead, once = self.size(), to_text(self.chance.randint(0, order.filled_size))
            return order_bounds(order, at_once=once, ahead=ahead, pessimistic=once, optimistic=once)
        worst = self.chance.randint(known.bounds.pessimistic, known.bounds.optimistic)
        best = known.bounds.optimistic + self.chance.randint(0, MICROS)
        moved = replace(known.bounds, pessimistic=Size(worst), optimistic=Size(best))
        return replace(known, bounds=moved)

    def snapshot(self, run: Run) -> Fact:
        at = run.now - timedelta(minutes=self.chance.choice((0, 0, 60, 120)))
        gain = to_text(self.chance.randint(-9 * MICROS, 9 * MICROS))
        return portfolio(run, at=at, gain=gain)

    def switch(self, run: Run) -> Fact:
        tripped = RiskState(tripped_at=run.now, detail="drawdown=1.00")
        equity = Usdc(self.chance.randint(-5 * MICROS, 5 * MICROS))
        state = self.chance.choice((tripped, RiskState(reset_at=run.now, reset_equity=equity)))
        return RiskChanged(mode=run.mode, state=state, at=run.now)
