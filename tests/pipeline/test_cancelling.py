"""Cancels go before anything new: once for each order, and what replaces an order waits until it is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from betteroms.domain.ids import OrderId, order_id
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.order import Canceled, Order, OrderEvent, OrderStatus
from betteroms.domain.risk import History, Limits
from betteroms.domain.risk.history import RiskState
from betteroms.domain.terms import Side
from betteroms.pipeline import Pipeline
from tests.domain.examples import NOW, YES, a_book, an_intent, shares, size, usdc
from tests.pipeline.runs import Attempt, a_ledger, dollars_left, later_book, names, on_paper
from tests.pipeline.test_settling import Post, fill

BOOK = a_book(bids="0.48x500", asks="0.50x500")
HOUR = timedelta(hours=1)
S = OrderStatus
FIRST = an_intent(line=0, at="0.40", amount=shares("100"))
SECOND = an_intent(line=1, at="0.41", amount=shares("50"))
NEXT = an_intent(line=9, at="0.50", amount=shares("40"))
FIRST_ID, SECOND_ID = names([FIRST, SECOND])


class Venue(Post):
    """Far away: it confirms the end of `gone` and says nothing of the others. It keeps what it was asked."""

    def __init__(self, gone: Sequence[OrderId] = ()) -> None:
        super().__init__([])
        self.gone = gone
        self.asked: list[tuple[list[Cancel], Mapping[OrderId, Order]]] = []

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        self.asked.append((list(cancels), dict(orders)))
        return [
            Canceled(order_id=cancel.order_id, at=NOW + HOUR, code=cancel.reason)
            for cancel in cancels
            if cancel.order_id in self.gone
        ]


def resting(*, cash: str = "1000", executor: Venue | None = None) -> Attempt:
    """A second run, an hour after one whose two orders rest."""
    ledger = a_ledger(cash=cash)
    Attempt(ledger, book=BOOK).carry_out([FIRST, SECOND])
    book = later_book(bids="0.48x500", asks="0.50x500")
    return Attempt(
        ledger, book=book, name="later", now=NOW + HOUR, executor=on_paper if executor is None else executor
    )


def cancel(name: OrderId, reason: str = "OPERATOR") -> Cancel:
    return Cancel(order_id=name, reason=reason)


def told(attempt: Attempt, name: OrderId) -> list[str]:
    """The kinds of events of an order since the run began."""
    attempt.ledger.close_run(attempt.run, {}, completed_at=attempt.run.now)
    return [type(event).__name__ for event in attempt.ledger.events() if event.order_id == name][1:]


def test_what_a_cancelled_order_kept_can_be_spent_in_the_same_pass() -> None:
    attempt = resting(cash="60.50")  # all of it is kept: 40 and 20.50
    attempt.pipeline.cancel([cancel(FIRST_ID)])
    outcome = attempt.pipeline.run([replace(NEXT, wished_amount=shares("80.02")), an_intent(line=10)])
    assert [order.reason for order in outcome.orders] == [
        "need=40.01 cash=40.00",
        "need=50.00 cash=40.00",
    ]
    (fits,) = attempt.pipeline.run([an_intent(line=11, amount=shares("80"))]).orders
    assert fits.status is S.FILLED


def test_shares_that_a_cancelled_sale_kept_can_be_sold_in_the_same_pass() -> None:
    ledger = a_ledger(held={YES: size("100")})
    sale = an_intent(line=0, side=Side.SELL, at="0.60")
    Attempt(ledger, book=BOOK).carry_out([sale])
    attempt = Attempt(ledger, book=later_book(bids="0.48x500"), name="later", now=NOW + HOUR)
    attempt.pipeline.cancel([cancel(order_id(sale.key))])
    (order,) = attempt.pipeline.run([an_intent(line=9, side=Side.SELL, at="0.48")]).orders
    assert order.status is S.FILLED


def test_an_order_is_cancelled_once_and_only_while_it_is_alive() -> None:
    venue = Venue(gone=[FIRST_ID, SECOND_ID])
    attempt = resting(executor=venue)
    strange = order_id("never heard of")
    attempt.pipeline.cancel([cancel(FIRST_ID, "FIRST"), cancel(strange), cancel(FIRST_ID, "SECOND")])
    attempt.pipeline.cancel([cancel(FIRST_ID, "THIRD"), cancel(strange)])
    attempt.pipeline.cancel([])
    [(cancels, orders)] = venue.asked
    assert cancels == [cancel(FIRST_ID, "FIRST")]
    assert {name: order.status for name, order in orders.items()} == {FIRST_ID: S.OPEN}
    assert told(attempt, FIRST_ID) == ["CancelRequested", "Canceled"]
    (ended,) = [order for order in attempt.ledger.orders() if order.order_id == FIRST_ID]
    assert (ended.status, ended.code) == (S.CANCELED, "FIRST")
    (other,) = [order for order in attempt.ledger.orders() if order.order_id == SECOND_ID]
    assert other.status is S.OPEN


def test_what_ended_in_this_pass_is_not_asked_to_end() -> None:
    venue = Venue(gone=[FIRST_ID])
    attempt = resting(executor=venue)
    attempt.pipeline.cancel([cancel(FIRST_ID)])
    outcome = attempt.pipeline.run([cancel(FIRST_ID, "AGAIN"), NEXT])
    assert len(venue.asked) == 1
    assert [order.order_id for order in outcome.settled] == [FIRST_ID]


def test_an_order_that_was_filled_before_its_cancel_stays_filled() -> None:
    ledger = a_ledger()
    Attempt(ledger, book=BOOK).carry_out([FIRST, SECOND])
    attempt = Attempt(ledger, book=later_book(asks="0.40x150"), name="later", now=NOW + HOUR)
    attempt.pipeline.settle()
    assert list(attempt.pipeline.open_orders) == []
    attempt.pipeline.cancel([cancel(FIRST_ID), cancel(SECOND_ID)])
    assert [order.status for order in attempt.pipeline.settled] == [S.FILLED, S.FILLED]
    fills = attempt.pipeline.settled_executions()
    assert {name: [fill.size for fill in found] for name, found in fills.items()} == {
        FIRST_ID: [size("100")],
        SECOND_ID: [size("50")],
    }


def test_a_cancelled_order_meets_no_book() -> None:
    ledger = a_ledger()
    Attempt(ledger, book=BOOK).carry_out([FIRST, SECOND])
    attempt = Attempt(ledger, book=later_book(asks="0.40x150"), name="later", now=NOW + HOUR)
    attempt.pipeline.cancel([cancel(SECOND_ID, "MARKET_RESOLVED")])
    assert [order.order_id for order in attempt.pipeline.open_orders] == [FIRST_ID]
    attempt.pipeline.settle()
    statuses = {order.order_id: order.status for order in attempt.pipeline.settled}
    assert statuses == {SECOND_ID: S.CANCELED, FIRST_ID: S.FILLED}
    assert list(attempt.pipeline.settled_executions()) == [FIRST_ID]


def test_the_views_tell_how_orders_stand_at_each_step() -> None:
    ledger = a_ledger()
    Attempt(ledger, book=BOOK).carry_out([FIRST, SECOND])
    attempt = Attempt(ledger, book=later_book(asks="0.41x20"), name="later", now=NOW + HOUR)
    pipeline = attempt.pipeline
    assert [order.order_id for order in pipeline.open_orders] == [FIRST_ID, SECOND_ID]
    assert (list(pipeline.settled), dict(pipeline.settled_executions())) == ([], {})
    pipeline.settle()
    open_orders = {order.order_id: order.filled_size for order in pipeline.open_orders}
    assert open_orders == {FIRST_ID: 0, SECOND_ID: size("20")}
    assert [order.order_id for order in pipeline.settled] == [SECOND_ID]
    pipeline.cancel([cancel(SECOND_ID)])
    assert [order.order_id for order in pipeline.open_orders] == [FIRST_ID]
    outcome = pipeline.run([NEXT])
    assert [(o.order_id, o.status, o.filled_size) for o in outcome.settled] == [
        (SECOND_ID, S.CANCELED, size("20"))
    ]
    assert [fill.size for fill in outcome.settled_executions[SECOND_ID]] == [size("20")]
    # What this pass placed is not of an earlier run.
    assert [order.order_id for order in pipeline.open_orders] == [FIRST_ID]


def replacing(name: OrderId) -> Intent:
    return replace(NEXT, replaces=name)


def test_a_wish_that_replaces_an_order_waits_until_its_end_is_confirmed() -> None:
    venue = Venue()
    attempt = resting(executor=venue)
    outcome = attempt.pipeline.run([cancel(FIRST_ID, "STOP_LOSS"), replacing(FIRST_ID)])
    assert (list(outcome.orders), list(outcome.waiting)) == ([], [replacing(FIRST_ID)])
    assert [order.order_id for order in attempt.pipeline.open_orders] == [FIRST_ID, SECOND_ID]
    assert told(attempt, FIRST_ID) == ["CancelRequested"]
    (waiting_for,) = [order for order in attempt.ledger.orders() if order.order_id == FIRST_ID]
    assert waiting_for.status is S.OPEN
    assert len(attempt.ledger.orders()) == 2  # of the wish nothing is written down
    assert dollars_left(attempt.ledger) == (usdc("1000"), usdc("60.5"))


def test_what_had_to_wait_is_taken_on_by_the_pass_that_confirms_the_end() -> None:
    attempt = resting(executor=Venue())
    attempt.carry_out([cancel(FIRST_ID, "STOP_LOSS"), replacing(FIRST_ID)])
    again = Attempt(
        attempt.ledger,
        book=later_book(minutes=120, asks="0.50x500"),
        name="again",
        now=NOW + 2 * HOUR,
        executor=Venue(gone=[FIRST_ID]),
    )
    outcome = again.carry_out([cancel(FIRST_ID, "STOP_LOSS"), replacing(FIRST_ID)])
    assert [order.order_id for order in outcome.orders] == names([NEXT])
    assert list(outcome.waiting) == []
    assert dollars_left(again.ledger) == (usdc("1000"), usdc("20.5") + usdc("20"))


def test_only_the_wish_that_replaces_waits() -> None:
    attempt = resting(executor=Venue(gone=[SECOND_ID]))
    another, free = an_intent(line=10, at="0.30", replaces=SECOND_ID), an_intent(line=11, at="0.31")
    wishes: list[Intent | Cancel] = [replacing(FIRST_ID), another, cancel(FIRST_ID), cancel(SECOND_ID), free]
    outcome = attempt.pipeline.run(wishes)
    assert [order.order_id for order in outcome.orders] == names([another, free])
    assert list(outcome.waiting) == [replacing(FIRST_ID)]


def test_what_replaces_an_order_that_is_gone_already_does_not_wait() -> None:
    attempt = resting()
    attempt.pipeline.cancel([cancel(FIRST_ID)])
    wishes = [replacing(FIRST_ID), an_intent(line=12, amount=shares("5"), replaces=order_id("of old"))]
    outcome = attempt.pipeline.run(wishes)
    assert [order.status for order in outcome.orders] == [S.FILLED, S.FILLED]
    assert list(outcome.waiting) == []


def test_without_its_cancel_a_replacement_waits_as_well() -> None:
    attempt = resting()
    assert list(attempt.pipeline.run([replacing(FIRST_ID)]).waiting) == [replacing(FIRST_ID)]


def judged(history: History, limits: Limits, *, market: Market | None = None) -> Order:
    """What becomes of a BUY of 100 at 0.50 by an account with this past."""
    attempt = Attempt(a_ledger(), book=BOOK, market=market, limits=limits)
    pipeline = Pipeline(
        run=attempt.run,
        world=attempt.world,
        snapshot=replace(attempt.snapshot, history=history),
        ledger=attempt.ledger,
        executor=on_paper(attempt.world, LiquidityMemory(), NOW),
        limits=limits,
    )
    (order,) = pipeline.run([an_intent()]).orders
    return order


@pytest.mark.parametrize(
    ("history", "limits", "code"),
    [
        (History(day_notional=usdc("50.01")), Limits(day_notional_max=usdc("100")), "DAY_NOTIONAL"),
        (History(day_start=usdc("5")), Limits(daily_loss_max=usdc("5")), "DAILY_LOSS"),
        (History(peak=usdc("7")), Limits(drawdown_max=usdc("7")), "DRAWDOWN"),
        (History(state=RiskState(tripped_at=NOW)), Limits(drawdown_max=usdc("7")), "DRAWDOWN"),
    ],
)
def test_the_accounts_past_is_asked(history: History, limits: Limits, code: str) -> None:
    refused = judged(history, limits)
    assert refused.status is S.DENIED
    assert code in (refused.code or "")
    assert judged(History(), limits).status is S.FILLED


@pytest.mark.parametrize(("seconds", "status"), [(60, S.OPEN), (61, S.DENIED)])
def test_the_age_of_a_book_is_measured_at_the_runs_own_time(seconds: int, status: OrderStatus) -> None:
    limits = Limits(book_age_max=timedelta(seconds=60))
    now = NOW + timedelta(seconds=seconds)
    attempt = Attempt(a_ledger(), book=BOOK, now=now, limits=limits)
    (order,) = attempt.pipeline.run([an_intent(at="0.40")]).orders
    assert order.status is status
    assert order.code == (None if status is S.OPEN else "BOOK_STALE")


def test_an_order_that_rests_is_not_traded_with_until_it_is_cancelled() -> None:
    ledger = a_ledger(held={YES: size("100")})
    sale = an_intent(line=0, side=Side.SELL, at="0.60")
    Attempt(ledger, book=BOOK).carry_out([sale])
    attempt = Attempt(ledger, book=later_book(asks="0.70x9"), name="later", now=NOW + HOUR)
    buy = an_intent(line=9, at="0.65", amount=shares("10"))
    (refused,) = attempt.pipeline.run([buy]).orders
    assert (refused.code, refused.reason) == ("SELF_CROSS", f"order={order_id(sale.key)} price=0.6")
    again = an_intent(line=10, at="0.65", amount=shares("10"))
    assert [o.code for o in attempt.pipeline.run([cancel(order_id(sale.key)), again]).orders] == [None]


class Racing(Venue):
    """A venue at which a fill is faster than the cancel."""

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        return [fill(FIRST, "30", number=1), *super().cancel(cancels, orders)]


def test_a_fill_that_was_faster_than_the_cancel_is_told_with_the_others() -> None:
    later = resting(executor=Racing([FIRST_ID]))
    later.pipeline.cancel([cancel(FIRST_ID)])
    assert [each.size for each in later.pipeline.settled_executions()[FIRST_ID]] == [size("30")]
    (moved,) = later.pipeline.settled
    assert (moved.status, moved.filled_size) == (S.CANCELED, size("30"))


def test_an_order_whose_end_is_not_confirmed_is_not_asked_again_in_the_same_pass() -> None:
    venue = Venue()
    later = resting(executor=venue)
    later.pipeline.cancel([cancel(FIRST_ID)])
    later.pipeline.run([cancel(FIRST_ID, "EXIT_STOP_LOSS")])
    assert [[each.reason for each in cancels] for cancels, _ in venue.asked] == [["OPERATOR"]]
