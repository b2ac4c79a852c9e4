"""Asking the venue live to end orders: what it confirms has ended, and nothing else has."""

from betteroms.domain.intent import Cancel
from betteroms.domain.order import Order, OrderStatus
from tests.domain.examples import an_intent, an_order, size
from tests.executors.live_stage import (
    Stage,
    a_fill,
    executor,
    live,
    name_of,
    seen_open,
    unconfirmed,
    walk,
)

S = OrderStatus


def canceled(stage: Stage, *orders: Order) -> list[Order]:
    known = {order.order_id: order for order in orders}
    wishes = [Cancel(order_id=order.order_id, reason="OPERATOR") for order in orders]
    events = executor(stage).cancel(wishes, known)
    return [walk(order, events) if events else order for order in orders]


def test_a_cancel_that_the_venue_confirms_ends_the_order_with_our_reason() -> None:
    order = live()
    (ended,) = canceled(Stage(), order)
    assert (ended.status, ended.code) == (S.CANCELED, "OPERATOR")


def test_a_cancel_keeps_our_reason_where_the_venue_says_that_it_is_canceled() -> None:
    order = live()
    stage = Stage(looked_up={name_of(order): seen_open(order, status="CANCELED")})
    (ended,) = canceled(stage, order)
    assert (ended.status, ended.code) == (S.CANCELED, "OPERATOR")


def test_an_order_that_is_canceled_there_already_when_we_ask_for_it_ended_as_we_asked() -> None:
    """As after a cancel of everything, which the venue is asked for first."""
    order = live()
    stage = Stage(
        not_canceled={name_of(order): "already canceled"},
        looked_up={name_of(order): seen_open(order, status="CANCELED")},
    )
    (ended,) = canceled(stage, order)
    assert (ended.status, ended.code) == (S.CANCELED, "OPERATOR")


def test_an_order_that_its_market_ended_says_so_whoever_asked() -> None:
    order = live()
    stage = Stage(
        not_canceled={name_of(order): "already canceled"},
        looked_up={name_of(order): seen_open(order, status="CANCELED_MARKET_RESOLVED")},
    )
    (ended,) = canceled(stage, order)
    assert ended.code == "MARKET_RESOLVED"


def test_a_fill_that_raced_the_cancel_is_told_with_it() -> None:
    order = live()
    stage = Stage(not_canceled={name_of(order): "already canceled or matched"}, trades=[a_fill(order)])
    (ended,) = canceled(stage, order)
    assert ended.status is S.FILLED


def test_a_cancel_does_not_end_an_order_whose_fills_are_still_to_be_shown() -> None:
    order = live()
    stage = Stage(looked_up={name_of(order): seen_open(order, status="CANCELED", matched="40")})
    assert canceled(stage, order)[0].status is S.OPEN
    stage.trades.append(a_fill(order, filled="40"))
    (ended,) = canceled(stage, order)
    assert (ended.status, ended.code, ended.filled_size) == (S.CANCELED, "OPERATOR", size("40"))


def test_a_cancel_that_was_not_confirmed_leaves_the_order_open() -> None:
    order = live()
    stage = Stage(not_canceled={name_of(order): "?"}, shown={name_of(order): seen_open(order)})
    assert canceled(stage, order)[0].status is S.OPEN
    assert canceled(Stage(silent=True), order)[0].status is S.OPEN


def test_what_never_left_ends_here_and_what_is_unconfirmed_or_over_stays() -> None:
    never = an_order(an_intent(line=1), status=S.NEW)
    stage = Stage()
    ended = canceled(stage, never, unconfirmed(an_intent(line=2)), live(an_intent(line=3), status=S.FILLED))
    assert [order.status for order in ended] == [S.DENIED, S.UNCONFIRMED, S.FILLED]
    assert stage.canceled == []
