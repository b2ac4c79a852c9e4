"""The corridor: every wish becomes an order or a denial, is written down, carried out and booked.

One pass, no way back. The whole of it runs unchanged on a throw-away ledger for previews.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from betteroms.domain.book import Book, HashCheck
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId, order_id
from betteroms.domain.in_flight import InFlight
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import (
    ALIVE,
    CancelRequested,
    Denial,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Reversed,
    undelivered,
    unspent,
)
from betteroms.domain.risk import Account, Allowed, Exposure, Limits, judge
from betteroms.domain.risk.checks import admissible
from betteroms.domain.risk.past import without
from betteroms.domain.risk.permits import Permits
from betteroms.domain.rounding import Rules, rules_of, shape
from betteroms.domain.terms import SellFrom
from betteroms.ports import Executor, Ledger, Run, Snapshot

STOPPED: Final = Denial(code="STOPPED_ON_REFUSAL", detail="an earlier instruction was refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the run sees of the venue, frozen: markets, books, and the rules in force for each token."""

    markets: Mapping[MarketId, Market]
    books: Mapping[TokenId, Book]
    rules: Mapping[TokenId, Rules | Denial]


def see(markets: Iterable[Market], books: Mapping[TokenId, Book]) -> World:
    """Freeze what was read into one world."""
    known = {market.market_id: market for market in markets}
    return World(
        markets=known,
        books=books,
        rules={
            outcome.token_id: rules_of(market, books.get(outcome.token_id))
            for market in known.values()
            for outcome in market.outcomes
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the wishes: their orders, in the order of the wishes, with their fills.

    `settled` are orders of earlier runs that moved first, as they stand now. `waiting` are wishes that
    replace an order whose end is not confirmed: they are for the next pass.
    """

    orders: Sequence[Order]
    executions: Mapping[OrderId, Sequence[Execution]]
    settled: Sequence[Order] = ()
    settled_executions: Mapping[OrderId, Sequence[Execution]] = field(default_factory=dict)
    waiting: Sequence[Intent] = ()


@dataclass(slots=True)
class _TakenOn:
    orders: list[Order] = field(default_factory=list)
    accepted: list[Order] = field(default_factory=list)
    denied: list[Order] = field(default_factory=list)


class Pipeline:
    """One run's corridor over one world, one ledger and one executor.

    `approved` are worst prices of MARKET orders, for which they take the place of those of now. `sell_from`
    says how far the settlement of shares must have come before they are sold. `permits` are the venue's
    bounds where orders leave the process, where books must also be what they claim to be.
    """

    def __init__(
        self,
        *,
        run: Run,
        world: World,
        snapshot: Snapshot,
        ledger: Ledger,
        executor: Executor,
        limits: Limits,
        stop_on_refusal: bool = False,
        approved: Mapping[OrderId, Price] | None = None,
        sell_from: SellFrom = SellFrom.MINED,
        permits: Permits | None = None,
    ) -> None:
        self._run = run
        self._world = world
        self._snapshot = snapshot
        self._ledger = ledger
        self._executor = executor
        self.limits = limits
        self._stop_on_refusal = stop_on_refusal
        self._approved = approved or {}
        self._permits = permits
        self._in_flight = InFlight(snapshot.settling.booked, sell_from)
        self._account = replace(snapshot.account, in_flight=self._in_flight.shares())
        self._open = {order.order_id: order for order in snapshot.open_orders}
        self._asked: set[OrderId] = set()
        self._settled: dict[OrderId, Order] = {}
        self._settled_executions: dict[OrderId, list[Execution]] = {}

    @property
    def open_orders(self) -> Sequence[Order]:
        """The orders of earlier runs that are alive now, in time order."""
        return list(self._open.values())

    @property
    def settled(self) -> Sequence[Order]:
        """The orders of earlier runs that moved in this pass so far, as they stand now."""
        return list(self._settled.values())

    def settled_executions(self) -> Mapping[OrderId, Sequence[Execution]]:
        """What orders of earlier runs filled in this pass so far."""
        return self._settled_executions

    @property
    def in_flight(self) -> Mapping[TokenId, Size]:
        """Of the shares held at the start, those that are not to be sold yet, as far as is known by now."""
        return self._account.in_flight

    def settle(self) -> None:
        """Before anything new: what became of the orders that were left alive in these markets?"""
        moved: dict[OrderId, Order] = {}
        for events in self._executor.poll([*self.open_orders, *self._snapshot.settling.orders]):
            if events:
                moved.update((order.order_id, order) for order in self._booked(events))
        # Once all is told: a fill may come after the cancel that it raced.
        self._moved(list(moved.values()))

    def cancel(self, cancels: Iterable[Cancel]) -> None:
        """End these orders, so that what they reserved is free; each once, by the first that asks.

        An order that is not alive is left as it is, and so is one that this pass has asked before.
        """
        wanted: dict[OrderId, Cancel] = {}
        for cancel in cancels:
            if cancel.order_id in self._open and cancel.order_id not in self._asked:
                wanted.setdefault(cancel.order_id, cancel)
        if not wanted:
            return
        now = self._run.now
        asked: list[OrderEvent] = [
            CancelRequested(order_id=cancel.order_id, at=now, reason=cancel.reason)
            for cancel in wanted.values()
        ]
        before = self._ledger.apply(asked, sends_out=self._executor.sends_out)
        orders = {order.order_id: order for order in before}
        self._asked.update(wanted)
        events = self._executor.cancel(list(wanted.values()), orders)
        self._moved(self._booked(events))  # a fill may have raced the cancel

    def run(self, wishes: Iterable[Intent | Cancel]) -> Outcome:
        """Take each wish on or refuse it, write all of them down, carry them out, book what happened."""
        wished = list(wishes)
        self.cancel(wish for wish in wished if isinstance(wish, Cancel))
        intents = [wish for wish in wished if isinstance(wish, Intent)]
        ready = [wish for wish in intents if wish.replaces not in self._open]
        taken_on = self._take_on(ready)
        orders = self._executor.prepare(taken_on.accepted)
        self._ledger.record(orders, taken_on.denied, sends_out=self._executor.sends_out)
        final: dict[OrderId, Order] = {}
        executions: dict[OrderId, list[Execution]] = {}
        for events in self._executor.submit(orders):
            moved = self._ledger.apply(events, sends_out=self._executor.sends_out)
            final.update((order.order_id, order) for order in moved)
            _gather(events, executions)
        return Outcome(
            orders=[final.get(order.order_id, order) for order in taken_on.orders],
            executions={**executions, **self._snapshot.executions},
            settled=list(self._settled.values()),
            settled_executions=self._settled_executions,
            waiting=[wish for wish in intents if wish.replaces in self._open],
        )

    def _booked(self, events: Sequence[OrderEvent]) -> Sequence[Order]:
        """Book what happened to orders of earlier runs; those that moved."""
        moved = self._ledger.apply(events, sends_out=self._executor.sends_out)
        _gather(events, self._settled_executions)
        self._in_flight.tell(events)
        return moved

    def _moved(self, orders: Sequence[Order]) -> None:
        """Take note of how orders of earlier runs stand now, and of what they no longer reserve."""
        ended = [order for order in orders if order.order_id in self._open and order.status not in ALIVE]
        self._account = replace(_released(self._account, ended), in_flight=self._in_flight.shares())
        for order in orders:
            self._settled[order.order_id] = order
            if order.status in ALIVE:
                self._open[order.order_id] = order
            else:
                self._open.pop(order.order_id, None)

    def _take_on(self, intents: Sequence[Intent]) -> _TakenOn:
        taken_on = _TakenOn()
        known_before = self._snapshot.known
        done = {name: order for name, order in known_before.items() if carried_out(order)}
        exposure = self._exposed([order for name, order in known_before.items() if name not in done])
        for order in done.values():
            exposure.resume(order)
        stopped = False
        for intent in intents:
            name = order_id(intent.key)
            # The same key again, from an earlier attempt or in this pass, is the same wish.
            known = done.get(name)
            if known is not None:
                taken_on.orders.append(known)
                continue
            verdict = STOPPED if stopped else None
            order = self._judged(name, intent, exposure, verdict)
            done[name] = order
            taken_on.orders.append(order)
            if order.status is OrderStatus.DENIED:
                taken_on.denied.append(order)
                stopped = self._stop_on_refusal
            else:
                taken_on.accepted.append(order)
        return taken_on

    def _exposed(self, unsent: Sequence[Order]) -> Exposure:
        """The account to draw on; what never left and is judged anew must not stand in its own way."""
        names = {order.order_id for order in unsent}
        return Exposure(
            _released(self._account, unsent),
            history=without(self._snapshot.history, unsent, self._run.now),
            resting=[order for order in self.open_orders if order.order_id not in names],
            permits=self._permits,
        )

    def _judged(
        self,
        name: OrderId,
        intent: Intent,
        exposure: Exposure,
        verdict: Denial | None,
    ) -> Order:
        """The order as it would be sent, allowed and drawn on the account; or denied."""
        market = self._world.markets[intent.market_id]
        book = self._world.books.get(intent.token_id)
        refused = verdict or admissible(market, book) or self._unbelievable(book)
        rules = self._world.rules[intent.token_id]
        if refused or book is None:
            return self._denied(name, intent, refused or Denial(code="NO_BOOK"))
        if isinstance(rules, Denial):
            return self._denied(name, intent, rules)
        shaped = shape(intent, rules, book, approved=self._approved.get(name))
        if isinstance(shaped, Denial):
            return self._denied(name, intent, shaped)
        allowed = judge(
            intent,
            shaped,
            market=market,
            book=book,
            rules=rules,
            exposure=exposure,
            limits=self.limits,
            now=self._run.now,
        )
        denial = allowed if isinstance(allowed, Denial) else None
        if isinstance(allowed, Allowed):
            exposure.accept(name, intent, shaped, allowed)
        return Order(
            order_id=name,
            intent=intent,
            mode=self._run.mode,
            run_id=self._run.run_id,
            created_at=self._run.now,
            status=OrderStatus.DENIED if denial else OrderStatus.NEW,
            amount=shaped.amount,
            limit_price=shaped.limit_price,
            expires_at=_expiry(intent, self._run.now),
            adjustments=shaped.adjustments,
            code=denial.code if denial else None,
            reason=denial.detail if denial else None,
            exempt=isinstance(allowed, Allowed) and allowed.exempt,
        )

    def _unbelievable(self, book: Book | None) -> Denial | None:
        """A book that is not what it claims to be is good enough for paper only."""
        if self._permits is None or book is None or book.hash_check is not HashCheck.MISMATCH:
            return None
        return Denial(code="BOOK_HASH_MISMATCH", detail=f"book={book.book_id[:12]}")

    def _denied(self, name: OrderId, intent: Intent, denial: Denial) -> Order:
        return Order(
            order_id=name,
            intent=intent,
            mode=self._run.mode,
            run_id=self._run.run_id,
            created_at=self._run.now,
            status=OrderStatus.DENIED,
            amount=None,
            limit_price=None,
            expires_at=None,
            code=denial.code,
            reason=denial.detail,
        )


def carried_out(order: Order) -> bool:
    """Whether an order of an earlier attempt stays as it is; what provably never left may be judged anew."""
    return order.status is not OrderStatus.NEW or order.sending_at is not None


def _expiry(intent: Intent, now: datetime) -> datetime | None:
    if intent.lifetime_seconds is None or not intent.time_in_force.rests:
        return None
    return now + timedelta(seconds=intent.lifetime_seconds)


def _gather(events: Sequence[OrderEvent], executions: dict[OrderId, list[Execution]]) -> None:
    """Add the fills among the events, and those taken back; an order may have been filled more than once."""
    for event in events:
        if isinstance(event, Filled | Reversed):
            executions.setdefault(event.order_id, []).extend(event.executions)


def _released(account: Account, ended: Iterable[Order]) -> Account:
    """The account without what ended orders reserved; what they bought or sold is not spendable yet."""
    cash, shares = int(account.reserved_cash), dict(account.reserved_shares)
    for order in ended:
        cash -= unspent(order)
        token = order.intent.token_id
        if token in shares:
            shares[token] = Size(shares[token] - undelivered(order))
    return replace(account, reserved_cash=Usdc(cash), reserved_shares=shares)
