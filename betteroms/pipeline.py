"""The corridor: every wish becomes an order or a denial, is written down, carried out and booked.

One pass, no way back. The whole of it runs unchanged on a throw-away ledger for previews.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId, order_id
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Size, Usdc
from betteroms.domain.order import (
    ALIVE,
    CancelRequested,
    Denial,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    reserved_cash,
    reserved_shares,
)
from betteroms.domain.risk import Account, Allowed, Exposure, Limits, judge
from betteroms.domain.risk.checks import admissible
from betteroms.domain.rounding import Rules, rules_of, shape
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

    `settled` are orders of earlier runs that moved first.
    """

    orders: Sequence[Order]
    executions: Mapping[OrderId, Sequence[Execution]]
    settled: Sequence[Order] = ()
    settled_executions: Mapping[OrderId, Sequence[Execution]] = field(default_factory=dict)


@dataclass(slots=True)
class _TakenOn:
    orders: list[Order] = field(default_factory=list)
    accepted: list[Order] = field(default_factory=list)
    denied: list[Order] = field(default_factory=list)


class Pipeline:
    """One run's corridor over one world, one ledger and one executor."""

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
    ) -> None:
        self._run = run
        self._world = world
        self._snapshot = snapshot
        self._ledger = ledger
        self._executor = executor
        self._limits = limits
        self._stop_on_refusal = stop_on_refusal
        self._account = snapshot.account
        self._settled: list[Order] = []
        self._settled_executions: dict[OrderId, list[Execution]] = {}

    def settle(self) -> None:
        """Before anything new: what became of the orders that were left alive in these markets?"""
        for events in self._executor.poll(self._snapshot.open_orders):
            if not events:
                continue
            self._settled.extend(self._ledger.apply(events))
            _gather(events, self._settled_executions)
        self._account = _released(self._account, self._snapshot.open_orders, self._settled)

    def run(self, wishes: Iterable[Intent | Cancel]) -> Outcome:
        """Take each wish on or refuse it, write all of them down, carry them out, book what happened."""
        cancels, intents = _sorted_out(wishes)
        if cancels:
            self._cancel(cancels)
        taken_on = self._take_on(intents)
        orders = self._executor.prepare(taken_on.accepted)
        self._ledger.record(orders, taken_on.denied, sends_out=self._executor.sends_out)
        final: dict[OrderId, Order] = {}
        executions: dict[OrderId, list[Execution]] = {}
        for events in self._executor.submit(orders):
            final.update((order.order_id, order) for order in self._ledger.apply(events))
            _gather(events, executions)
        return Outcome(
            orders=[final.get(order.order_id, order) for order in taken_on.orders],
            executions={**executions, **self._snapshot.executions},
            settled=self._settled,
            settled_executions=self._settled_executions,
        )

    def _cancel(self, cancels: Sequence[Cancel]) -> None:
        """End these orders, so that the wishes that follow may use what they reserved."""
        now = self._run.now
        asked: list[OrderEvent] = [
            CancelRequested(order_id=cancel.order_id, at=now, reason=cancel.reason) for cancel in cancels
        ]
        before = self._ledger.apply(asked)
        orders = {order.order_id: order for order in before}
        ended = self._ledger.apply(self._executor.cancel(cancels, orders))
        self._account = _released(self._account, before, ended)

    def _take_on(self, intents: Sequence[Intent]) -> _TakenOn:
        taken_on = _TakenOn()
        exposure = Exposure(self._account)
        carried_out = {
            name: order
            for name, order in self._snapshot.known.items()
            if order.status is not OrderStatus.NEW or order.sending_at is not None
        }
        stopped = False
        for intent in intents:
            name = order_id(intent.key)
            # The same key again, from an earlier attempt or in this pass, is the same wish.
            known = carried_out.get(name)
            if known is not None:
                taken_on.orders.append(known)
                continue
            verdict = STOPPED if stopped else None
            order = self._judged(name, intent, exposure, verdict)
            carried_out[name] = order
            taken_on.orders.append(order)
            if order.status is OrderStatus.DENIED:
                taken_on.denied.append(order)
                stopped = self._stop_on_refusal
            else:
                taken_on.accepted.append(order)
        return taken_on

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
        refused = verdict or admissible(market, book)
        rules = self._world.rules[intent.token_id]
        if refused or book is None:
            return self._denied(name, intent, refused or Denial(code="NO_BOOK"))
        if isinstance(rules, Denial):
            return self._denied(name, intent, rules)
        shaped = shape(intent, rules, book)
        if isinstance(shaped, Denial):
            return self._denied(name, intent, shaped)
        allowed = judge(
            intent,
            shaped,
            market=market,
            book=book,
            rules=rules,
            exposure=exposure,
            limits=self._limits,
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


def _sorted_out(wishes: Iterable[Intent | Cancel]) -> tuple[list[Cancel], list[Intent]]:
    """Cancels apart from intents; an order that two rules want to end is ended once, by the first."""
    cancels: dict[OrderId, Cancel] = {}
    intents: list[Intent] = []
    for wish in wishes:
        if isinstance(wish, Cancel):
            cancels.setdefault(wish.order_id, wish)
        else:
            intents.append(wish)
    return list(cancels.values()), intents


def _expiry(intent: Intent, now: datetime) -> datetime | None:
    if intent.lifetime_seconds is None or not intent.time_in_force.rests:
        return None
    return now + timedelta(seconds=intent.lifetime_seconds)


def _gather(events: Sequence[OrderEvent], executions: dict[OrderId, list[Execution]]) -> None:
    """Add the fills among the events; an order may have been filled more than once."""
    for event in events:
        if isinstance(event, Filled):
            executions.setdefault(event.order_id, []).extend(event.executions)


def _released(account: Account, before: Sequence[Order], moved: Sequence[Order]) -> Account:
    """The account without what ended orders reserved; what they bought or sold is not spendable yet."""
    after = {order.order_id: order for order in moved}
    cash, shares = int(account.reserved_cash), dict(account.reserved_shares)
    for order in before:
        ended = after.get(order.order_id)
        if ended is None or ended.status in ALIVE:
            continue
        unfilled = replace(order, filled_size=ended.filled_size, filled_cash=ended.filled_cash)
        cash -= reserved_cash(unfilled)
        token = order.intent.token_id
        if token in shares:
            shares[token] = Size(shares[token] - reserved_shares(unfilled))
    return replace(account, reserved_cash=Usdc(cash), reserved_shares=shares)
