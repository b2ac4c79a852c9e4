"""What every executor promises, whoever carries the orders out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.adapters.memory import MemoryLedger
from betteroms.domain.book import Book, mirror
from betteroms.domain.ids import TokenId
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Price
from betteroms.domain.order import (
    Accepted,
    Canceled,
    Denial,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Rejected,
    Unconfirmed,
    after,
)
from betteroms.domain.rounding import Shaped, shape
from betteroms.domain.terms import Dollars, Mode, Shares, Side, TimeInForce
from betteroms.executors.paper import PaperExecutor, PaperSettings
from betteroms.pipeline import see
from betteroms.ports import Executor
from tests.domain.examples import (
    CRYPTO_FEES,
    NO,
    NOW,
    YES,
    a_book,
    a_market,
    an_intent,
    an_order,
    dollars,
    price,
    shares,
    size,
)
from tests.domain.strategies import books as random_books
from tests.pipeline.runs import a_run

Maker = Callable[[Market, Mapping[TokenId, Book]], Executor]


def paper(market: Market, books: Mapping[TokenId, Book]) -> Executor:
    """The paper executor over these books, with nothing taken yet."""
    world = see([market], books)
    return PaperExecutor(
        markets=world.markets,
        books=world.books,
        rules={token: rules for token, rules in world.rules.items() if not isinstance(rules, Denial)},
        memory=LiquidityMemory(),
        settings=PaperSettings(),
        now=NOW,
    )


MAKERS: Final[list[Maker]] = [paper]
BOOK = a_book(bids="0.48x100 0.40x500", asks="0.50x100 0.60x500")
BOOKS: Final = {YES: BOOK, NO: mirror(BOOK, NO)}
MARKET = a_market(fees=CRYPTO_FEES)
SETTLED: Final = {
    OrderStatus.UNCONFIRMED,
    OrderStatus.OPEN,
    OrderStatus.FILLED,
    OrderStatus.CANCELED,
    OrderStatus.REJECTED,
}


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Maker:
    chosen: Maker = request.param
    return chosen


def new(intent: Intent, *, book: Book = BOOK) -> Order:
    """The order of a wish as the corridor would hand it over."""
    rules = see([MARKET], {book.token_id: book}).rules[intent.token_id]
    assert not isinstance(rules, Denial)
    shaped = shape(intent, rules, book)
    assert isinstance(shaped, Shaped), shaped
    return an_order(intent, status=OrderStatus.NEW, amount=shaped.amount, limit_price=shaped.limit_price)


def every(batches: Iterable[Sequence[OrderEvent]]) -> list[OrderEvent]:
    return [event for batch in batches for event in batch]


def told_of(order: Order, events: Iterable[OrderEvent]) -> list[OrderEvent]:
    return [event for event in events if event.order_id == order.order_id]


def kinds(events: Iterable[OrderEvent]) -> list[type]:
    return [type(event) for event in events]


WISHES: Final = [
    an_intent(line=0, at="0.50", amount=shares("60")),
    an_intent(line=1, at="0.50", amount=shares("61")),
    an_intent(line=2, at="0.60", amount=dollars("20"), tif=TimeInForce.FAK),
    an_intent(line=3, at="0.60", amount=dollars("20000"), tif=TimeInForce.FOK),
    an_intent(line=4, at="0.30", amount=dollars("20"), tif=TimeInForce.FAK),
    an_intent(line=5, at="0.99", post_only=True),
    an_intent(line=6, at="0.49", post_only=True),
    an_intent(line=7, side=Side.SELL, at="0.40", amount=shares("450")),
    an_intent(line=8, side=Side.SELL, at="0.30", amount=shares("400"), tif=TimeInForce.FAK),
    an_intent(line=9, outcome_index=1, at="0.60", amount=shares("700"), tif=TimeInForce.GTD),
]
ORDERS: Final = [new(wish, book=BOOKS[wish.token_id]) for wish in WISHES]


def test_each_order_comes_to_exactly_one_state(make: Maker) -> None:
    executor = make(MARKET, BOOKS)
    orders = executor.prepare(ORDERS)
    events = every(executor.submit(orders))
    assert {event.order_id for event in events} == {order.order_id for order in orders}
    for order in orders:
        mine = told_of(order, events)
        assert isinstance(mine[0], Accepted | Rejected | Unconfirmed)
        assert sum(isinstance(event, Accepted | Rejected) for event in mine) <= 1
        assert after(order, mine).status in SETTLED


def test_orders_keep_their_place_and_their_content_when_they_are_named(make: Maker) -> None:
    prepared = make(MARKET, BOOKS).prepare(ORDERS)
    assert [replace(order, external_order_id=None, sending_at=None) for order in prepared] == ORDERS


@pytest.mark.parametrize("tif", [TimeInForce.FOK, TimeInForce.FAK])
@pytest.mark.parametrize("side", Side)
def test_an_order_at_once_that_finds_nothing_is_accepted_and_then_canceled(
    make: Maker, side: Side, tif: TimeInForce
) -> None:
    amount = dollars("10") if side is Side.BUY else shares("10")
    order = new(an_intent(side=side, at="0.49", amount=amount, tif=tif))
    executor = make(MARKET, BOOKS)
    events = every(executor.submit(executor.prepare([order])))
    assert kinds(events) == [Accepted, Canceled]
    assert isinstance(events[1], Canceled)
    assert events[1].code == {"FOK": "FOK_NOT_FILLED", "FAK": "FAK_NO_MATCH"}[tif]


def test_all_or_nothing_takes_nothing_when_it_is_not_all(make: Maker) -> None:
    wanting = new(an_intent(line=0, at="0.50", amount=dollars("51"), tif=TimeInForce.FOK))
    next_one = new(an_intent(line=1, at="0.50", amount=shares("100")))
    executor = make(MARKET, BOOKS)
    events = every(executor.submit(executor.prepare([wanting, next_one])))
    assert kinds(told_of(wanting, events)) == [Accepted, Canceled]
    assert after(next_one, told_of(next_one, events)).status is OrderStatus.FILLED


@pytest.mark.parametrize(("side", "at"), [(Side.BUY, "0.50"), (Side.SELL, "0.48")])
def test_a_post_only_order_that_would_cross_is_rejected(make: Maker, side: Side, at: str) -> None:
    order = new(an_intent(side=side, at=at, post_only=True))
    executor = make(MARKET, BOOKS)
    (event,) = every(executor.submit(executor.prepare([order])))
    assert isinstance(event, Rejected)
    assert event.code == "POST_ONLY_WOULD_CROSS"


def test_a_fill_at_once_and_a_rest_that_is_killed(make: Maker) -> None:
    order = new(an_intent(at="0.50", amount=dollars("60"), tif=TimeInForce.FAK))
    executor = make(MARKET, BOOKS)
    events = every(executor.submit(executor.prepare([order])))
    assert kinds(events) == [Accepted, Filled, Canceled]
    ended = after(order, events)
    assert (ended.status, ended.filled_size) == (OrderStatus.CANCELED, size("100"))


def test_every_event_carries_the_time_of_the_run(make: Maker) -> None:
    executor = make(MARKET, BOOKS)
    resting = replace(ORDERS[6], status=OrderStatus.OPEN, expires_at=NOW)
    events = every(executor.submit(executor.prepare(ORDERS)))
    events += every(executor.poll([resting]))
    events += executor.cancel(
        [Cancel(order_id=resting.order_id, reason="operator")], {resting.order_id: resting}
    )
    assert {event.at for event in events} == {NOW}
    fills = [fill for event in events if isinstance(event, Filled) for fill in event.executions]
    assert fills
    assert {fill.executed_at for fill in fills} == {NOW}


def test_the_same_orders_over_the_same_books_come_to_the_same(make: Maker) -> None:
    told = []
    for _ in range(2):
        executor = make(MARKET, BOOKS)
        told.append(every(executor.submit(executor.prepare(ORDERS))))
    assert told[0] == told[1]


def test_carrying_out_writes_nothing(make: Maker) -> None:
    ledger = MemoryLedger()
    run = ledger.open_run(a_run())
    executor = make(MARKET, BOOKS)
    orders = executor.prepare(ORDERS)
    ledger.record(orders, [], sends_out=True)
    before = (ledger.orders(), ledger.executions(), ledger.events(), ledger.taken(), ledger.positions())
    frozen = list(orders)
    every(executor.submit(orders))
    assert list(orders) == frozen
    assert ledger.executions() == []
    assert before == (
        ledger.orders(),
        ledger.executions(),
        ledger.events(),
        ledger.taken(),
        ledger.positions(),
    )
    assert run.status == "running"


def test_asking_about_no_orders_tells_nothing(make: Maker) -> None:
    executor = make(MARKET, BOOKS)
    assert every(executor.poll([])) == []
    assert every(executor.submit([])) == []
    assert list(executor.prepare([])) == []
    assert list(executor.cancel([], {})) == []


@pytest.mark.parametrize("status", OrderStatus)
def test_only_what_is_alive_can_be_canceled(make: Maker, status: OrderStatus) -> None:
    order = an_order(status=status)
    wish = Cancel(order_id=order.order_id, reason="OPERATOR")
    events = make(MARKET, BOOKS).cancel([wish], {order.order_id: order})
    if status is OrderStatus.OPEN:
        assert events == [Canceled(order_id=order.order_id, at=NOW, code="OPERATOR")]
    elif status not in (OrderStatus.NEW, OrderStatus.UNCONFIRMED):
        assert list(events) == []


def test_a_resting_order_that_nothing_happened_to_is_not_spoken_of(make: Maker) -> None:
    resting = an_order(an_intent(at="0.30"), placed_at=NOW - timedelta(hours=1))
    assert every(make(MARKET, BOOKS).poll([resting])) == []


@given(random_books(), st.lists(st.integers(0, 9), min_size=1, unique=True))
def test_no_order_gets_more_or_pays_worse_than_it_asked_for(book: Book, lines: list[int]) -> None:
    if book.crossed:
        return
    books = {YES: book, NO: mirror(book, NO)}
    orders = [ORDERS[line] for line in lines]
    for make in MAKERS:
        executor = make(MARKET, books)
        events = every(executor.submit(executor.prepare(orders)))
        for order in orders:
            _within_its_wish(order, told_of(order, events))


def _within_its_wish(order: Order, events: Sequence[OrderEvent]) -> None:
    fills = [fill for event in events if isinstance(event, Filled) for fill in event.executions]
    assert [fill.number for fill in fills] == list(range(1, len(fills) + 1))
    assert order.limit_price is not None
    for fill in fills:
        assert fill.mode is Mode.PAPER
        assert (fill.token_id, fill.side) == (order.intent.token_id, order.intent.side)
        assert fill.size > 0
        if fill.side is Side.BUY:
            assert fill.price <= order.limit_price
            assert -fill.cash * MICROS >= fill.price * fill.size
        else:
            assert fill.price >= order.limit_price
            assert fill.cash * MICROS <= fill.price * fill.size
    ended = after(order, events)
    if isinstance(order.amount, Dollars):
        assert ended.filled_cash <= order.amount.usdc
    else:
        assert isinstance(order.amount, Shares)
        assert ended.filled_size <= order.amount.size
        assert (ended.status is OrderStatus.FILLED) == (ended.remaining == 0)
    assert price("0") < order.limit_price < Price(MICROS)
