"""What every executor promises, whoever carries the orders out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
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
    ALIVE,
    Accepted,
    Canceled,
    Denial,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Progressed,
    Rejected,
    Unconfirmed,
    after,
)
from betteroms.domain.rounding import Shaped, shape
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Dollars, Mode, Shares, Side, TimeInForce
from betteroms.executors.paper import PaperExecutor, PaperSettings
from betteroms.executors.shadow import ShadowExecutor
from betteroms.pipeline import see
from betteroms.ports import Executor
from betteroms.ports.trading import Signed
from tests.contracts.at_the_sandbox import Stopped, member, venue_with
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


class Pen:
    """Signs by writing the order's id down."""

    def sign(self, order: Order, _: Market, *, tick: Price) -> Signed:
        return Signed(external_order_id=f"0x{order.order_id}", body=Secret(f"signed {order.order_id} {tick}"))

    def domain(self, _: Market) -> str:
        return "0xe111"


def shadow(market: Market, books: Mapping[TokenId, Book]) -> Executor:
    """The shadow executor over these books, with nothing taken yet."""
    world = see([market], books)
    return ShadowExecutor(
        paper(market, books),
        signer=Pen,
        markets=world.markets,
        rules={token: rules for token, rules in world.rules.items() if not isinstance(rules, Denial)},
    )


MAKERS: Final[list[Maker]] = [paper, shadow]
NAMES: Final = ["paper", "shadow", "live"]
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


@pytest.fixture(params=NAMES)
def make(request: pytest.FixtureRequest) -> Iterator[Maker]:
    """What makes an executor over books; in live each has a venue of its own, with those books."""
    if request.param != "live":
        yield {maker.__name__: maker for maker in MAKERS}[request.param]
        return
    with ExitStack() as stack:

        def live(market: Market, books: Mapping[TokenId, Book]) -> Executor:
            running = stack.enter_context(venue_with(market, books.get(YES)))
            return stack.enter_context(member(running)).executor(market, books, Stopped(NOW))

        yield live


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def make_on_paper(request: pytest.FixtureRequest) -> Maker:
    """What fills by paper's rules."""
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
    """What happened; how fills settle apart, and several acts of matching in a row are one."""
    found: list[type] = []
    for event in events:
        if not isinstance(event, Progressed) and type(event) not in (found[-1:] if found else ()):
            found.append(type(event))
    return found


def become(orders: Iterable[Order], events: Sequence[OrderEvent]) -> list[tuple[object, ...]]:
    """What became of the orders: how they stand, and their fills by price."""
    found: list[tuple[object, ...]] = []
    for order in orders:
        mine = told_of(order, events)
        fills = [fill for event in mine if isinstance(event, Filled) for fill in event.executions]
        by_price = sorted((fill.price, fill.size, fill.fee) for fill in fills)
        now = after(order, mine)
        found.append((now.status, now.code, now.filled_size, by_price))
    return found


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
    plain = [replace(order, external_order_id=None, sending_at=None, signed=None) for order in prepared]
    assert plain == ORDERS


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


def test_every_event_carries_the_time_of_the_run(make_on_paper: Maker) -> None:
    executor = make_on_paper(MARKET, BOOKS)
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
        orders = executor.prepare(ORDERS)
        told.append((become(orders, every(executor.submit(orders))), [o.external_order_id for o in orders]))
    assert told[0] == told[1]


@pytest.mark.parametrize("lines", [(0, 2, 3, 4, 5), (7,), (8,)])
def test_all_executors_come_to_the_same(make: Maker, lines: tuple[int, ...]) -> None:
    # No two of these meet each other: that, the corridor refuses.
    wanted = [ORDERS[line] for line in lines]
    there, here = make(MARKET, BOOKS), paper(MARKET, BOOKS)
    orders = there.prepare(wanted)
    assert become(orders, every(there.submit(orders))) == become(wanted, every(here.submit(wanted)))


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


def at_rest(executor: Executor) -> Order:
    """An order of the executor's own that rests."""
    (order,) = executor.prepare([new(an_intent(at="0.30"))])
    resting = after(order, every(executor.submit([order])))
    assert resting.status is OrderStatus.OPEN
    return resting


def test_what_rests_can_be_canceled(make: Maker) -> None:
    executor = make(MARKET, BOOKS)
    resting = at_rest(executor)
    wish = Cancel(order_id=resting.order_id, reason="OPERATOR")
    events = executor.cancel([wish], {resting.order_id: resting})
    assert list(events) == [Canceled(order_id=resting.order_id, at=NOW, code="OPERATOR")]


@pytest.mark.parametrize("status", [status for status in OrderStatus if status not in ALIVE])
def test_what_has_ended_is_not_canceled(make_on_paper: Maker, status: OrderStatus) -> None:
    order = an_order(status=status)
    wish = Cancel(order_id=order.order_id, reason="OPERATOR")
    assert list(make_on_paper(MARKET, BOOKS).cancel([wish], {order.order_id: order})) == []


def test_a_resting_order_that_nothing_happened_to_is_not_spoken_of(make: Maker) -> None:
    executor = make(MARKET, BOOKS)
    assert every(executor.poll([at_rest(executor)])) == []


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
