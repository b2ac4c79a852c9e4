"""Before anything new: resting orders are settled, cancels go first, and what they kept is free again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from betteroms.domain.ids import OrderId
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Unconfirmed,
)
from betteroms.domain.risk import Limits
from betteroms.domain.terms import Side, TimeInForce
from betteroms.pipeline import World
from betteroms.ports import Executor
from tests.domain.examples import (
    MARKET_ID,
    NOW,
    YES,
    a_book,
    an_execution,
    an_intent,
    dollars,
    shares,
    size,
    usdc,
)
from tests.pipeline.runs import Attempt, a_ledger, a_new_ledger, dollars_left, later_book, names

BOOK = a_book(bids="0.48x500", asks="0.50x500")
HOUR = timedelta(hours=1)
S = OrderStatus
REST = an_intent(line=0, at="0.40", amount=shares("200"))
NEXT = an_intent(line=9, at="0.50", amount=shares("40"))


class Post:
    """A venue that is far away: orders leave the process, and their news comes as it is told here.

    An executor like live ones will be: it is asked in the same way and answers in several batches.
    """

    sends_out = True

    def __init__(self, news: Sequence[Sequence[OrderEvent]]) -> None:
        self._news = news

    def __call__(self, world: World, memory: LiquidityMemory, now: datetime) -> Executor:
        return self

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        return [replace(order, external_order_id=f"0x{order.order_id}") for order in orders]

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        return self._news if orders else []

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        return self._news if orders else []

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        return []


class PowerCut(Exception):
    """The process dies here."""


class Cut(Post):
    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        raise PowerCut


def fill(wish: Intent, amount: str, *, number: int, complete: bool = False, at: str = "0.40") -> Filled:
    (name,) = names([wish])
    execution = an_execution(at=at, filled=amount, number=number, order=name)
    return Filled(order_id=name, at=NOW, market_id=MARKET_ID, executions=(execution,), complete=complete)


def test_nothing_rests_and_nothing_is_settled() -> None:
    outcome = Attempt(a_ledger(), book=BOOK).carry_out([NEXT])
    assert (list(outcome.settled), dict(outcome.settled_executions)) == ([], {})


def test_a_resting_order_that_is_met_is_told_apart_from_the_new_ones() -> None:
    ledger = a_ledger()
    Attempt(ledger, book=BOOK).carry_out([REST])
    later = Attempt(ledger, book=later_book(asks="0.40x50"), name="later", now=NOW + HOUR)
    outcome = later.carry_out([replace(NEXT, wished_price=REST.wished_price)])
    (settled,) = outcome.settled
    assert (settled.order_id, settled.status, settled.filled_size) == (names([REST])[0], S.OPEN, size("50"))
    assert [f.size for f in outcome.settled_executions[settled.order_id]] == [size("50")]
    assert settled.order_id not in outcome.executions
    assert [order.status for order in outcome.orders] == [S.OPEN]


def test_a_resting_order_that_ends_gives_back_what_it_kept() -> None:
    ledger = a_ledger(cash="100")
    Attempt(ledger, book=BOOK).carry_out([replace(REST, lifetime_seconds=600)])
    assert dollars_left(ledger) == (usdc("100"), usdc("80"))
    later = Attempt(ledger, book=later_book(asks="0.50x500"), name="later", now=NOW + HOUR)
    outcome = later.carry_out([an_intent(line=9, amount=shares("200"))])
    assert [(order.status, order.code) for order in outcome.settled] == [(S.CANCELED, "CANCEL_AFTER")]
    assert [order.status for order in outcome.orders] == [S.FILLED]
    assert dollars_left(ledger) == (0, 0)


def test_a_resting_order_that_is_filled_gives_nothing_back_in_the_same_run() -> None:
    ledger = a_ledger(cash="100")
    Attempt(ledger, book=BOOK).carry_out([REST])
    later = Attempt(ledger, book=later_book(asks="0.30x500"), name="later", now=NOW + HOUR)
    outcome = later.carry_out([an_intent(line=9, at="0.31", amount=shares("70"))])
    assert [order.status for order in outcome.settled] == [S.FILLED]
    assert [order.code for order in outcome.orders] == ["INSUFFICIENT_CASH"]


def test_shares_of_an_ended_sale_can_be_sold_again() -> None:
    ledger = a_ledger(held={YES: size("100")})
    sale = an_intent(line=0, side=Side.SELL, at="0.60", lifetime_seconds=600)
    Attempt(ledger, book=BOOK).carry_out([sale])
    later = Attempt(ledger, book=later_book(bids="0.48x500"), name="later", now=NOW + HOUR)
    outcome = later.carry_out([an_intent(line=9, side=Side.SELL, at="0.48")])
    assert [order.status for order in outcome.orders] == [S.FILLED]


def test_a_cancel_goes_first_and_frees_what_its_replacement_needs() -> None:
    ledger = a_ledger(cash="100")
    Attempt(ledger, book=BOOK).carry_out([REST])
    (name,) = names([REST])
    later = Attempt(ledger, book=later_book(asks="0.50x500"), name="later", now=NOW + HOUR)
    replacement = an_intent(line=9, amount=shares("200"), replaces=name)
    outcome = later.carry_out([replacement, Cancel(order_id=name, reason="REPLACED")])
    assert [order.status for order in outcome.orders] == [S.FILLED]
    (ended,) = (order for order in ledger.orders() if order.order_id == name)
    assert (ended.status, ended.code) == (S.CANCELED, "REPLACED")
    told = [event for event in ledger.events() if event.order_id == name]
    assert [type(event) for event in told] == [Accepted, CancelRequested, Canceled]
    assert told[1].at == told[2].at == NOW + HOUR


def test_shares_that_a_canceled_sale_kept_are_free_for_its_replacement() -> None:
    ledger = a_ledger(held={YES: size("100")})
    sale = an_intent(line=0, side=Side.SELL, at="0.60")
    Attempt(ledger, book=BOOK).carry_out([sale])
    (name,) = names([sale])
    later = Attempt(ledger, book=later_book(bids="0.48x500"), name="later", now=NOW + HOUR)
    exit_order = an_intent(line=9, side=Side.SELL, at="0.40")
    outcome = later.carry_out([Cancel(order_id=name, reason="STOP_LOSS"), exit_order])
    assert [order.status for order in outcome.orders] == [S.FILLED]


def test_an_order_that_two_rules_want_to_end_ends_once_and_for_the_first_reason() -> None:
    ledger = a_ledger(cash="100")
    Attempt(ledger, book=BOOK).carry_out([REST])
    (name,) = names([REST])
    later = Attempt(ledger, book=BOOK, name="later", now=NOW + HOUR)
    later.carry_out([Cancel(order_id=name, reason="FIRST"), Cancel(order_id=name, reason="SECOND")])
    (order,) = ledger.orders()
    assert (order.status, order.code) == (S.CANCELED, "FIRST")
    assert dollars_left(ledger) == (usdc("100"), 0)


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    ledger = a_ledger()
    Attempt(ledger, book=BOOK).carry_out([NEXT])
    (name,) = names([NEXT])
    Attempt(ledger, book=BOOK, name="later").carry_out([Cancel(order_id=name, reason="OPERATOR")])
    (order,) = ledger.orders()
    assert (order.status, order.code) == (S.FILLED, None)


def test_where_orders_leave_the_process_they_are_written_down_first() -> None:
    ledger = a_ledger()
    attempt = Attempt(ledger, book=BOOK, executor=Cut([]))
    try:
        attempt.pipeline.run([NEXT])
    except PowerCut:
        ledger.lose_pending()
    (order,) = ledger.orders()
    assert (order.status, order.external_order_id) == (S.NEW, f"0x{order.order_id}")


def test_an_order_that_provably_never_left_is_judged_again() -> None:
    ledger = a_ledger()
    attempt = Attempt(ledger, book=BOOK, executor=Cut([]))
    try:
        attempt.pipeline.run([NEXT])
    except PowerCut:
        ledger.lose_pending()
    again = Attempt(ledger, book=BOOK, asking=names([NEXT]))
    assert again.run.attempt == 2
    (order,) = again.pipeline.run([NEXT]).orders
    assert order.status is S.FILLED


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(day_notional_max=usdc("20")), Limits(market_notional_max=usdc("20"))]
)
def test_an_order_that_is_judged_again_does_not_stand_in_its_own_way(limits: Limits) -> None:
    # Cash, and every cap, is good for the order once: what it reserved as NEW must not count against it.
    ledger = a_new_ledger(cash="20.7")
    attempt = Attempt(ledger, book=BOOK, executor=Cut([]), limits=limits, past=True)
    try:
        attempt.pipeline.run([NEXT])
    except PowerCut:
        ledger.lose_pending()
    assert dollars_left(ledger) == (usdc("20.7"), usdc("20"))
    again = Attempt(ledger, book=BOOK, asking=names([NEXT]), limits=limits, past=True)
    assert again.snapshot.history.day_notional == usdc("20")
    (order,) = again.pipeline.run([NEXT]).orders
    assert (order.status, order.code) == (S.FILLED, None)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(run_notional_max=usdc("99.99")), "RUN_NOTIONAL_EXCEEDS_LIMIT"),
        (Limits(run_orders_max=1), "RUN_ORDERS_EXCEED_LIMIT"),
        (Limits(run_notional_max=usdc("100"), run_orders_max=2), None),
    ],
)
def test_what_an_earlier_attempt_took_on_counts_towards_the_caps_of_its_run(
    limits: Limits, code: str | None
) -> None:
    ledger = a_ledger()
    wishes = [REST, an_intent(line=1, amount=shares("1")), NEXT]
    (rests, _) = names(wishes[:2])
    # The process dies after 80 dollars of orders were sent, and one was refused.
    news = [Accepted(order_id=rests, at=NOW)]
    Attempt(ledger, book=BOOK, executor=Post([news])).pipeline.run(wishes[:2])
    ledger.lose_pending()
    again = Attempt(ledger, book=BOOK, asking=names(wishes), limits=limits)
    orders = again.pipeline.run(wishes).orders
    assert [order.status for order in orders] == [S.OPEN, S.DENIED, S.DENIED if code else S.FILLED]
    assert orders[-1].code == code


def test_an_order_that_may_have_left_is_not_touched_again() -> None:
    ledger = a_ledger()
    (name,) = names([NEXT])
    silence = Unconfirmed(order_id=name, at=NOW, reason="no answer in 10 s")
    Attempt(ledger, book=BOOK, executor=Post([[silence]])).carry_out([NEXT])
    assert dollars_left(ledger) == (usdc("1000"), usdc("20"))
    again = Attempt(ledger, book=BOOK, name="again", asking=[name], executor=Post([]))
    (order,) = again.carry_out([NEXT]).orders
    assert (order.status, order.reason) == (S.UNCONFIRMED, "no answer in 10 s")
    assert ledger.executions() == []


def test_fills_that_come_in_several_batches_are_all_told() -> None:
    (name,) = names([REST])
    batches: list[list[OrderEvent]] = [
        [Accepted(order_id=name, at=NOW), fill(REST, "50", number=1)],
        [fill(REST, "70", number=2), fill(REST, "80", number=3, complete=True)],
    ]
    ledger = a_ledger()
    outcome = Attempt(ledger, book=BOOK, executor=Post(batches)).carry_out([REST])
    assert [order.status for order in outcome.orders] == [S.FILLED]
    assert [f.number for f in outcome.executions[name]] == [1, 2, 3]


def test_what_an_ended_order_kept_is_given_back_once_however_often_it_is_spoken_of() -> None:
    ledger = a_ledger(cash="100")
    Attempt(ledger, book=BOOK).carry_out([REST])
    (name,) = names([REST])
    batches: list[list[OrderEvent]] = [
        [],
        [fill(REST, "50", number=1), Canceled(order_id=name, at=NOW, code="OPERATOR")],
        [fill(REST, "25", number=2)],
    ]
    later = Attempt(ledger, book=BOOK, name="later", executor=Post(batches))
    later.pipeline.settle()
    outcome = later.pipeline.run([])
    assert [f.size for f in outcome.settled_executions[name]] == [size("50"), size("25")]
    # 80 were kept; 75 shares at 0.40 took 30 of them, which this run may not spend.
    refused = later.pipeline.run([an_intent(line=8, amount=shares("140.02"))])
    assert [(o.code, o.reason) for o in refused.orders] == [("INSUFFICIENT_CASH", "need=70.01 cash=70.00")]


def test_an_unconfirmed_order_in_dollars_gives_back_what_it_did_not_spend() -> None:
    ledger = a_ledger(cash="100")
    spend = an_intent(line=0, tif=TimeInForce.FAK, amount=dollars("50"))
    (name,) = names([spend])
    silence = Unconfirmed(order_id=name, at=NOW, reason="no answer in 10 s")
    Attempt(ledger, book=BOOK, executor=Post([[silence]])).carry_out([spend])
    assert dollars_left(ledger) == (usdc("100"), usdc("50"))
    found: list[OrderEvent] = [
        Accepted(order_id=name, at=NOW),
        fill(spend, "60", number=1, at="0.50"),
        Canceled(order_id=name, at=NOW, code="FAK_REMAINDER"),
    ]
    later = Attempt(ledger, book=BOOK, name="later", executor=Post([found]))
    later.pipeline.settle()
    (refused,) = later.pipeline.run([an_intent(line=8, amount=shares("140.02"))]).orders
    assert refused.reason == "need=70.01 cash=70.00"
