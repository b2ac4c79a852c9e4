"""The life of orders: how they end by themselves, who is told, where they are found."""

from typing import Any, Final

import pytest

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.events import (
    BookChanged,
    LevelChange,
    MarketResolved,
    OrderCanceled,
    OrderMatched,
    OrderPlaced,
    TickChanged,
    TradeMoved,
)
from betteroms.sandbox.exchange import Placement
from betteroms.sandbox.model import MICROS, Order, OrderStatus
from tests.sandbox.engine.hall import START_MS, Hall

NOW_S: Final = START_MS // 1_000


def _hall(**changes: Any) -> Hall:
    hall = Hall(**changes)
    for person in ("ann", "bob"):
        hall.fund(person)
    hall.events.clear()
    return hall


def _dated(hall: Hall, seconds: int) -> Order:
    kind = TimeInForce.GTD
    signed = hall.wish("ann", Side.BUY, "10", "0.5", time_in_force=kind, expiration=NOW_S + seconds)
    return hall.post(signed, time_in_force=kind).order


def test_a_dated_order_dies_a_minute_before_its_time() -> None:
    hall = _hall()
    order = _dated(hall, 200)
    hall.wait(139.999)
    assert order.status is OrderStatus.LIVE
    hall.wait(0.001)
    assert (order.status, order.reason) == (OrderStatus.CANCELED, "EXPIRED_ORDER")
    assert hall.exchange.book(hall.market).bids == []
    assert hall.exchange.available(hall.wallet("ann"), None) == 1_000 * MICROS


def test_a_dated_order_that_was_met_does_not_die_again() -> None:
    hall = _hall()
    order = _dated(hall, 200)
    hall.sell("bob", "10", "0.5")
    hall.wait(200)
    assert order.status is OrderStatus.MATCHED


def test_resting_orders_end_when_the_game_starts_by_itself() -> None:
    hall = _hall(game_starts_ms=START_MS + 5_000)
    order = hall.buy("ann", "10", "0.5").order
    hall.wait(4.999)
    assert order.status.value == "LIVE"
    hall.wait(0.001)
    assert order.status.value == "CANCELED"


def test_a_deferred_order_is_matched_after_the_answer() -> None:
    hall = _hall()
    hall.sell("ann", "10", "0.5")
    placement = hall.post(hall.wish("bob", Side.BUY, "10", "0.5"), defer=True)
    assert placement.status == "delayed"
    hall.wait(0)
    assert placement.order.status is OrderStatus.MATCHED


def test_a_delayed_order_needs_room_for_its_fee_when_it_is_matched() -> None:
    hall = _hall(fee_rate=70_000, seconds_delay=3)
    hall.buy("ann", "1000", "0.01", outcome=1)
    hall.sell("ann", "1000", "0.5")
    placement = hall.buy("bob", "1960", "0.5")
    assert placement.status == "delayed"
    hall.bank.move({(hall.wallet("bob"), None): -20 * MICROS})
    hall.wait(3)
    assert (placement.order.status, placement.order.reason) == (OrderStatus.CANCELED, "NOT_ENOUGH_BALANCE")
    assert not hall.exchange.trades


def test_resolution_ends_what_rests_and_what_is_delayed() -> None:
    hall = _hall(seconds_delay=3)
    resting = hall.sell("ann", "10", "0.5").order
    delayed = hall.buy("bob", "10", "0.5").order
    hall.exchange.resolve(hall.market, (MICROS, 0), hall.now_ms)
    assert {resting.status, delayed.status} == {OrderStatus.CANCELED_MARKET_RESOLVED}
    assert isinstance(hall.events[-1], MarketResolved)
    assert (hall.market.closed, hall.market.payouts) == (True, (MICROS, 0))
    hall.wait(3)
    assert not hall.exchange.trades


@pytest.mark.parametrize("payouts", [(MICROS, MICROS), (0, 0), (2 * MICROS, -MICROS)])
def test_payouts_share_a_dollar(payouts: tuple[int, int]) -> None:
    hall = _hall()
    with pytest.raises(ValueError, match="one dollar"):
        hall.exchange.resolve(hall.market, payouts, hall.now_ms)


@pytest.mark.parametrize("tick", [0, -10_000, 30_000, MICROS])
def test_no_market_has_such_a_tick(tick: int) -> None:
    hall = _hall()
    with pytest.raises(ValueError, match="tick"):
        hall.exchange.set_tick(hall.market, tick, hall.now_ms)


def test_what_a_match_tells_and_in_which_order() -> None:
    hall = _hall()
    hall.sell("ann", "10", "0.5")
    hall.sell("ann", "10", "0.51")
    hall.events.clear()
    order = hall.buy("bob", "15", "0.51").order
    placed, *matched, moved, changed = hall.events
    assert isinstance(placed, OrderPlaced)
    assert [type(event) for event in matched] == [OrderMatched] * 3
    assert placed.order is order
    assert isinstance(moved, TradeMoved)
    assert isinstance(changed, BookChanged)
    assert set(changed.changes) == {
        LevelChange(price=500_000, size=0, side=Side.SELL),
        LevelChange(price=510_000, size=5 * MICROS, side=Side.SELL),
    }
    assert (hall.market.last_price, hall.market.last_side) == (510_000, Side.BUY)


def test_a_level_is_told_once_with_what_it_has_afterwards() -> None:
    hall = _hall()
    for _ in range(3):
        hall.buy("ann", "10", "0.5", outcome=1)
    hall.events.clear()
    hall.buy("bob", "25", "0.5")
    changes = [event.changes for event in hall.events if isinstance(event, BookChanged)]
    assert changes == [(LevelChange(price=500_000, size=5 * MICROS, side=Side.SELL),)]


def test_a_cancel_tells_of_the_order_and_of_the_book() -> None:
    hall = _hall()
    order = hall.buy("ann", "10", "0.5").order
    hall.events.clear()
    hall.exchange.cancel(order, hall.now_ms)
    canceled, changed = hall.events
    assert isinstance(canceled, OrderCanceled)
    assert isinstance(changed, BookChanged)
    assert changed.changes == (LevelChange(price=500_000, size=0, side=Side.BUY),)


def test_a_new_tick_is_told_after_the_orders_that_it_ended() -> None:
    hall = _hall(tick=1_000)
    hall.buy("ann", "10", "0.501")
    hall.events.clear()
    hall.exchange.set_tick(hall.market, 10_000, hall.now_ms)
    assert [type(event) for event in hall.events] == [OrderCanceled, BookChanged, TickChanged]


def test_orders_and_trades_are_found_by_key_and_by_wallet() -> None:
    hall = _hall()
    sold = hall.sell("ann", "20", "0.5").order
    bought = hall.buy("bob", "10", "0.5").order
    resting = hall.buy("bob", "10", "0.3").order
    exchange = hall.exchange
    ann, bob = hall.wallet("ann"), hall.wallet("bob")
    assert exchange.open_orders(owner=f"key of {bob}") == [resting]
    assert exchange.open_orders(maker=ann) == [sold]
    assert exchange.open_orders(owner=f"key of {bob}", maker=ann) == []
    assert exchange.open_orders() == [sold, resting]
    assert exchange.orders_of(owner=f"key of {bob}") == [bought, resting]
    assert exchange.orders_of(maker=ann) == [sold]
    assert exchange.orders_of() == [sold, bought, resting]
    for trades in (exchange.trades_of(maker=ann), exchange.trades_of(owner=f"key of {bob}")):
        assert trades == exchange.trades == exchange.trades_of()
    assert exchange.trades_of(maker="0x0") == []


def _rested(hall: Hall, side: Side, price: int, size: int, kind: TimeInForce) -> Placement:
    return hall.exchange.rest(
        hall.market,
        outcome=0,
        side=side,
        price=price,
        size=size,
        maker=hall.wallet("bob"),
        now_ms=hall.now_ms,
        time_in_force=kind,
    )


def test_the_venues_own_orders_meet_others_on_the_same_floor() -> None:
    hall = _hall()
    assert _rested(hall, Side.SELL, 500_000, MICROS, TimeInForce.GTC).status == "live"
    assert hall.buy("ann", "6", "0.5").making == MICROS // 2
    placement = _rested(hall, Side.SELL, 500_000, 2 * MICROS, TimeInForce.FAK)
    assert (placement.status, placement.taking) == ("matched", MICROS)
    hall.settle()
    assert hall.shares("ann") == 1_003 * MICROS
