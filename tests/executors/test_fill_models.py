"""The other two answers about resting orders, as a replay asks for them (DECISIONS 4.4)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book
from betteroms.domain.bounds import FillBounds
from betteroms.domain.ids import OrderId
from betteroms.domain.liquidity import LiquidityMemory, Taken
from betteroms.domain.money import LOT, Price, Size
from betteroms.domain.order import Filled, Order
from betteroms.domain.terms import Shares, Side
from betteroms.executors.paper import FillModel, PaperExecutor, PaperSettings
from betteroms.pipeline import see
from tests.domain.examples import (
    BOOK_MS,
    CRYPTO_FEES,
    MARKET_ID,
    NOW,
    YES,
    a_book,
    a_market,
    an_intent,
    an_order,
    price,
    shares,
    size,
)
from tests.domain.strategies import books

PLACED = NOW - timedelta(minutes=1)
WORDS = ("pessimistic", "base", "optimistic")


def resting(side: Side = Side.BUY, at: str = "0.40", amount: str = "100", **changed: object) -> Order:
    return an_order(an_intent(side=side, at=at, amount=shares(amount)), placed_at=PLACED, **changed)


def bounds_of(order: Order, *, ahead: str = "0") -> FillBounds:
    taken = order.filled_size
    return FillBounds(
        order_id=order.order_id, at_once=taken, ahead=size(ahead), pessimistic=taken, optimistic=taken
    )


def met(
    fill: str, book: Book, order: Order, *, ahead: str | None = "0", taken: Sequence[Taken] = ()
) -> Filled | None:
    """What a resting order gets of a book, if anything; `ahead` None where nobody kept its bounds."""
    world = see([a_market(fees=CRYPTO_FEES)], {YES: book})
    known: dict[OrderId, FillBounds] = {}
    if ahead is not None:
        known[order.order_id] = bounds_of(order, ahead=ahead)
    executor = PaperExecutor(
        markets=world.markets,
        books=world.books,
        rules={},
        memory=LiquidityMemory(taken),
        settings=PaperSettings(fill=FillModel(fill)),
        now=NOW,
        bounds=known,
    )
    (events,) = executor.poll([order])
    filled = [event for event in events if isinstance(event, Filled)]
    assert len(filled) == len(events) <= 1
    return filled[0] if filled else None


def size_of(filled: Filled | None) -> int:
    return 0 if filled is None else filled.executions[0].size


@pytest.mark.parametrize(
    ("asks", "ahead", "sizes"),
    [
        ("0.45x500", "0", ("0", "0", "0")),
        ("0.40x30", "0", ("0", "30", "100")),
        ("0.39x30", "0", ("30", "30", "100")),
        ("0.39x30", "20", ("10", "30", "100")),
        ("0.39x30", "50", ("0", "30", "100")),
        ("0.38x30 0.39x40 0.40x50", "20", ("50", "100", "100")),
        ("0.30x900", "20", ("100", "100", "100")),
    ],
)
def test_a_buy_under_each_model(asks: str, ahead: str, sizes: tuple[str, ...]) -> None:
    order = resting()
    for fill, expected in zip(WORDS, sizes, strict=True):
        filled = met(fill, a_book(asks=asks), order, ahead=ahead)
        assert size_of(filled) == size(expected)
        if filled is not None:
            # Whatever serves it, it is served at its own limit, as maker and without a fee.
            (execution,) = filled.executions
            assert (execution.price, execution.fee) == (price("0.40"), 0)
            assert filled.complete is (expected == "100")


def test_a_sell_meets_only_bids_above_its_limit_in_the_pessimistic_world() -> None:
    order = resting(Side.SELL, at="0.60")
    book = a_book(bids="0.65x20 0.62x30 0.60x500")
    filled = met("pessimistic", book, order, ahead="15")
    assert filled is not None
    assert (size_of(filled), filled.executions[0].price) == (size("35"), price("0.60"))
    assert [(level.price, level.size) for level in filled.taken] == [
        (price("0.65"), size("20")),
        (price("0.62"), size("15")),
    ]


def test_an_order_that_nothing_is_known_of_does_not_fill_in_the_pessimistic_world() -> None:
    assert met("pessimistic", a_book(asks="0.30x900"), resting(), ahead=None) is None


def test_what_is_taken_is_not_there_in_the_pessimistic_world_either() -> None:
    taken = [Taken(market_id=MARKET_ID, price=price("0.39"), size=size("25"), changed_at_ms=BOOK_MS)]
    filled = met("pessimistic", a_book(asks="0.39x30"), resting(), taken=taken)
    assert size_of(filled) == size("5")


def test_what_an_order_filled_before_counts() -> None:
    order = resting(filled_size=size("40"), fills=1)
    book = a_book(asks="0.39x30")
    later = replace(bounds_of(order), at_once=Size(0))
    assert size_of(met("pessimistic", book, order)) == size("30")
    assert size_of(met("optimistic", book, order)) == size("60")
    world = see([a_market()], {YES: book})
    executor = PaperExecutor(
        markets=world.markets,
        books=world.books,
        rules={},
        memory=LiquidityMemory(),
        settings=PaperSettings(fill=FillModel.PESSIMISTIC),
        now=NOW,
        bounds={order.order_id: later},
    )
    # It came to rest with nothing filled, and thirty through the limit are less than the forty it has.
    assert list(executor.poll([order])) == [[]]


@pytest.mark.parametrize(
    ("trade", "changed", "expected"), [("0.40", 1, "100"), ("0.41", 1, "0"), ("0.40", -1, "0")]
)
def test_a_trade_at_the_limit_since_it_was_placed_fills_it_whole_in_the_optimistic_world(
    trade: str, changed: int, expected: str
) -> None:
    stamp = int(PLACED.timestamp() * 1000) + changed
    book = a_book(asks="0.45x10", last_trade=price(trade), changed_at_ms=stamp)
    filled = met("optimistic", book, resting())
    assert size_of(filled) == size(expected)
    if filled is not None:
        # Nobody displays what was traded: it is taken from no level.
        assert filled.taken == ()


@given(
    book=books(),
    side=st.sampled_from(Side),
    step=st.integers(1, 99),
    lots=st.integers(1, 60_000),
    ahead=st.integers(0, 40_000),
    last=st.none() | st.integers(1, 99),
)
def test_the_base_lies_between_the_other_two(
    book: Book, side: Side, step: int, lots: int, ahead: int, last: int | None
) -> None:
    trade: dict[str, Any] = {"last_trade": None if last is None else Price(last * 10_000)}
    intent = an_intent(side=side, at="0.50", amount=Shares(size=Size(lots * LOT)))
    order = an_order(intent, placed_at=PLACED, limit_price=Price(step * 10_000))
    seen = replace(book, changed_at_ms=int(NOW.timestamp() * 1000), **trade)
    low, base, high = (size_of(met(fill, seen, order, ahead=str(ahead // 100))) for fill in WORDS)
    assert low <= base <= high <= order.remaining
