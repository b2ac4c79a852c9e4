"""What is special to paper: what its events carry, and when a resting order is met."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book, mirror
from betteroms.domain.ids import TokenId
from betteroms.domain.liquidity import LiquidityMemory, Taken
from betteroms.domain.market import Market
from betteroms.domain.money import Price
from betteroms.domain.order import (
    Accepted,
    Canceled,
    Denial,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    TakenLevel,
)
from betteroms.domain.terms import Liquidity, Side, TimeInForce
from betteroms.executors.paper import BATCH_ORDERS, PaperExecutor, PaperSettings
from betteroms.pipeline import see
from tests.domain.examples import (
    BOOK_MS,
    CRYPTO_FEES,
    MARKET_ID,
    NO,
    NOW,
    YES,
    a_book,
    a_market,
    an_execution,
    an_intent,
    an_order,
    dollars,
    price,
    shares,
    size,
    usdc,
)

BOOK = a_book(bids="0.48x100", asks="0.50x100 0.52x50")
MINUTE = timedelta(minutes=1)


def paper(
    books: Mapping[TokenId, Book] | None = None,
    *,
    memory: LiquidityMemory | None = None,
    settings: PaperSettings | None = None,
    now: datetime = NOW,
    market: Market | None = None,
) -> PaperExecutor:
    shown = {YES: BOOK, NO: mirror(BOOK, NO)} if books is None else books
    world = see([a_market(fees=CRYPTO_FEES) if market is None else market], shown)
    return PaperExecutor(
        markets=world.markets,
        books=world.books,
        rules={token: rules for token, rules in world.rules.items() if not isinstance(rules, Denial)},
        memory=LiquidityMemory() if memory is None else memory,
        settings=PaperSettings() if settings is None else settings,
        now=now,
    )


def submitted(executor: PaperExecutor, *orders: Order) -> Sequence[OrderEvent]:
    (events,) = executor.submit(orders)
    return events


def polled(executor: PaperExecutor, *orders: Order) -> Sequence[OrderEvent]:
    (events,) = executor.poll(orders)
    return events


def new(**wish: Any) -> Order:
    return an_order(an_intent(**wish), status=OrderStatus.NEW)


def resting(*, at: str = "0.40", line: int = 0, placed: timedelta = -MINUTE, **wish: Any) -> Order:
    return an_order(an_intent(at=at, line=line, **wish), placed_at=NOW + placed)


def test_nothing_leaves_the_process_and_no_other_name_is_needed() -> None:
    executor = paper()
    orders = [new()]
    assert executor.sends_out is False
    assert executor.prepare(orders) is orders


def test_a_fill_tells_what_it_took_and_from_which_book() -> None:
    accepted, filled = submitted(paper(), new(at="0.52", amount=shares("120")))
    assert isinstance(accepted, Accepted)
    assert isinstance(filled, Filled)
    assert filled.market_id == MARKET_ID
    assert filled.book_id == BOOK.book_id
    assert filled.complete
    assert filled.taken == (
        TakenLevel(price=price("0.50"), size=size("100")),
        TakenLevel(price=price("0.52"), size=size("20")),
    )
    assert [(f.number, f.price, f.size, f.cash, f.fee, f.liquidity) for f in filled.executions] == [
        (1, price("0.50"), size("100"), usdc("-50"), usdc("1.75"), Liquidity.TAKER),
        (2, price("0.52"), size("20"), usdc("-10.4"), usdc("0.34944"), Liquidity.TAKER),
    ]
    assert filled.executions[0].external_execution_id is None


def test_what_is_taken_of_the_second_outcome_is_told_as_the_first_one_sees_it() -> None:
    _, filled = submitted(paper(), new(outcome_index=1, at="0.52", amount=shares("30")))
    assert isinstance(filled, Filled)
    assert filled.taken == (TakenLevel(price=price("0.48"), size=size("30")),)
    assert [(f.token_id, f.price) for f in filled.executions] == [(NO, price("0.52"))]


def test_levels_are_told_as_displayed_whatever_the_slippage() -> None:
    settings = PaperSettings(slippage_ticks=1)
    _, filled = submitted(paper(settings=settings), new(at="0.60", amount=shares("10")))
    assert isinstance(filled, Filled)
    assert filled.taken == (TakenLevel(price=price("0.50"), size=size("10")),)
    assert filled.executions[0].price == price("0.51")


def test_executions_go_on_counting_where_the_order_left_off() -> None:
    order = replace(resting(at="0.50"), filled_size=size("40"), fills=3)
    (filled,) = polled(paper(), order)
    assert isinstance(filled, Filled)
    assert [(f.number, f.size) for f in filled.executions] == [(4, size("60"))]
    assert filled.complete


def test_several_levels_met_at_rest_are_one_execution_without_a_fee() -> None:
    (filled,) = polled(paper(), resting(at="0.55", amount=shares("500")))
    assert isinstance(filled, Filled)
    assert not filled.complete
    (execution,) = filled.executions
    assert (execution.price, execution.size) == (price("0.55"), size("150"))
    assert (execution.cash, execution.fee) == (usdc("-82.5"), 0)
    assert execution.liquidity is Liquidity.MAKER
    assert [level.price for level in filled.taken] == [price("0.50"), price("0.52")]


def test_the_memory_that_was_handed_over_is_counted_up() -> None:
    memory = LiquidityMemory(
        [Taken(market_id=MARKET_ID, price=price("0.50"), size=size("30"), changed_at_ms=BOOK_MS)]
    )
    _, filled = submitted(paper(memory=memory), new(amount=shares("100")))
    assert isinstance(filled, Filled)
    assert filled.executions[0].size == size("70")
    assert memory.of(MARKET_ID) == {price("0.50"): size("100")}


@pytest.mark.parametrize(
    ("tif", "ended"),
    [
        (TimeInForce.GTC, Canceled(order_id=resting().order_id, at=NOW, code="CANCEL_AFTER")),
        (TimeInForce.GTD, Expired(order_id=resting().order_id, at=NOW)),
    ],
)
def test_an_order_whose_time_is_over_ends_though_it_would_be_met(tif: TimeInForce, ended: OrderEvent) -> None:
    order = replace(resting(at="0.55", tif=tif), expires_at=NOW)
    assert polled(paper(), order) == [ended]


def test_endings_come_before_fills() -> None:
    met = resting(at="0.50", line=0)
    over = replace(resting(at="0.55", line=1), expires_at=NOW - MINUTE)
    assert [type(event) for event in polled(paper(), met, over)] == [Canceled, Filled]


@pytest.mark.parametrize(("after_ms", "met"), [(-1, True), (0, False), (1, False)])
def test_a_book_stamped_at_or_after_the_end_of_an_order_cannot_fill_it(after_ms: int, met: bool) -> None:
    ends = NOW + MINUTE
    stamp = int(ends.timestamp()) * 1000 + after_ms
    book = replace(BOOK, changed_at_ms=stamp)
    order = replace(resting(at="0.55"), expires_at=ends)
    assert bool(polled(paper({YES: book}), order)) is met


@pytest.mark.parametrize(
    "order",
    [
        resting(at="0.49"),
        replace(resting(at="0.55"), limit_price=None),
        replace(resting(at="0.55"), filled_size=size("100")),
        resting(at="0.55", outcome_index=1),
    ],
    ids=["not crossed", "no price", "nothing left", "no book"],
)
def test_an_order_that_cannot_be_met_is_left_alone(order: Order) -> None:
    assert polled(paper({YES: BOOK}), order) == []


def test_a_crossed_book_and_a_closed_market_meet_no_one() -> None:
    crossed = a_book(bids="0.60x9", asks="0.50x9")
    assert polled(paper({YES: crossed}), resting(at="0.55")) == []
    assert polled(paper(market=a_market(closed=True)), resting(at="0.55")) == []


def served(events: Sequence[OrderEvent]) -> list[str]:
    return [event.order_id for event in events]


def test_the_better_price_is_served_first_and_then_the_older_order_and_then_the_line() -> None:
    book = a_book(asks="0.30x1000")
    orders = [
        resting(at="0.40", line=0, placed=-MINUTE),
        resting(at="0.41", line=1, placed=-MINUTE),
        resting(at="0.40", line=2, placed=-2 * MINUTE),
        resting(at="0.40", line=3, placed=-2 * MINUTE),
    ]
    expected = [orders[1], orders[2], orders[3], orders[0]]
    assert served(polled(paper({YES: book}), *orders)) == [order.order_id for order in expected]


def test_sellers_are_served_from_the_cheapest() -> None:
    book = a_book(bids="0.60x1000")
    orders = [resting(side=Side.SELL, at=at, line=line) for line, at in enumerate(["0.55", "0.54", "0.56"])]
    assert served(polled(paper({YES: book}), *orders)) == [orders[i].order_id for i in (1, 0, 2)]


def test_an_order_that_was_never_placed_counts_from_when_it_was_made() -> None:
    book = a_book(asks="0.30x1000")
    unplaced = replace(resting(line=0), placed_at=None, created_at=NOW - 9 * MINUTE)
    placed = resting(line=1, placed=-2 * MINUTE)
    assert served(polled(paper({YES: book}), placed, unplaced)) == [unplaced.order_id, placed.order_id]


@given(st.permutations(range(6)))
def test_whoever_asks_in_whatever_order_the_same_orders_are_served(shuffled: list[int]) -> None:
    book = a_book(bids="0.20x10", asks="0.30x55")
    orders = [
        resting(at="0.40", line=0),
        resting(at="0.40", line=1),
        resting(at="0.35", line=2),
        resting(at="0.60", line=3, side=Side.SELL, outcome_index=1),
        resting(at="0.65", line=4, side=Side.SELL, outcome_index=1),
        resting(at="0.41", line=5, placed=MINUTE),
    ]
    books = {YES: book, NO: mirror(book, NO)}
    usual = polled(paper(books), *orders)
    assert polled(paper(books), *(orders[index] for index in shuffled)) == usual


def test_dollars_are_spent_level_by_level() -> None:
    order = new(at="0.52", amount=dollars("60"), tif=TimeInForce.FAK)
    _, filled = submitted(paper(), order)
    assert isinstance(filled, Filled)
    assert [(f.price, f.size, f.cash) for f in filled.executions] == [
        (price("0.50"), size("100"), usdc("-50")),
        (price("0.52"), size("19.230769"), usdc("-10")),
    ]
    assert filled.complete


def test_the_examples_count_their_cash_as_paper_does() -> None:
    _, filled = submitted(paper(), new(amount=shares("33")))
    assert isinstance(filled, Filled)
    (execution,) = filled.executions
    example = an_execution(at="0.50", filled="33", fee="0.5775", order=execution.order_id)
    assert execution == example
    assert Price(execution.price) == price("0.50")


def test_many_orders_that_meet_their_books_are_told_in_batches() -> None:
    ended = [replace(resting(line=line), expires_at=NOW) for line in range(BATCH_ORDERS)]
    first, rest = paper().poll([*ended, resting(line=BATCH_ORDERS)])
    assert (len(first), list(rest)) == (BATCH_ORDERS, [])
