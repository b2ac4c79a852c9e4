"""How a resting order might have filled at worst and at best (DECISIONS 4.4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book
from betteroms.domain.bounds import FillBounds, at_rest, watch, watched
from betteroms.domain.money import MICROS, Price, Size
from betteroms.domain.order import Order
from betteroms.domain.terms import Shares, Side
from tests.domain.examples import NO, NOW, YES, a_book, an_intent, an_order, price, shares, size
from tests.domain.strategies import books

PLACED = NOW - timedelta(minutes=1)
PLACED_MS = int(PLACED.timestamp() * 1000)
LATER_MS = int(NOW.timestamp() * 1000)


def resting(side: Side = Side.BUY, at: str = "0.40", amount: str = "100", **changed: object) -> Order:
    intent = an_intent(side=side, at=at, amount=shares(amount))
    return an_order(intent, placed_at=PLACED, **changed)


def shown(**changed: object) -> Book:
    """A book that changed after the order was placed."""
    return replace(a_book(), changed_at_ms=LATER_MS, **changed)  # type: ignore[arg-type]


def bounded(order: Order, ahead: str = "0", *, pessimistic: str = "0") -> FillBounds:
    filled = order.filled_size
    return FillBounds(
        order_id=order.order_id,
        at_once=Size(0),
        ahead=size(ahead),
        pessimistic=size(pessimistic),
        optimistic=filled,
    )


def filled(order: Order, amount: str) -> Order:
    return replace(order, filled_size=size(amount))


@pytest.mark.parametrize(
    ("side", "at", "ahead"), [(Side.BUY, "0.40", "70"), (Side.BUY, "0.39", "0"), (Side.SELL, "0.42", "30")]
)
def test_an_order_that_comes_to_rest_stands_behind_what_is_displayed_at_its_price(
    side: Side, at: str, ahead: str
) -> None:
    order = filled(resting(side, at), "20")
    bounds = at_rest(order, a_book(bids="0.40x70 0.38x5", asks="0.42x30"))
    assert bounds == FillBounds(
        order_id=order.order_id,
        at_once=size("20"),
        ahead=size(ahead),
        pessimistic=size("20"),
        optimistic=size("20"),
    )


@pytest.mark.parametrize(
    ("asks", "base", "ahead", "pessimistic", "optimistic"),
    [
        ("0.45x500", "0", "0", "0", "0"),  # nothing near
        ("0.40x30", "30", "0", "0", "100"),  # at the limit: base takes it, the careful world does not
        ("0.39x30", "30", "0", "30", "100"),  # through the limit
        ("0.39x30", "30", "20", "10", "100"),  # those ahead are served first
        ("0.39x30", "30", "50", "0", "100"),
        ("0.38x30 0.39x40 0.40x50", "100", "20", "50", "100"),
        ("0.30x900", "100", "20", "100", "100"),  # never more than the order
        ("0.39x80", "10", "0", "10", "100"),  # never more than the base, which had less left to take
    ],
)
def test_a_buy_meets_a_book(asks: str, base: str, ahead: str, pessimistic: str, optimistic: str) -> None:
    order = resting()
    book = shown(asks=a_book(asks=asks).asks)
    now = watched(bounded(order, ahead), before=order, after=filled(order, base), book=book)
    assert (now.pessimistic, now.optimistic) == (size(pessimistic), size(optimistic))


def test_a_sell_meets_the_bids() -> None:
    order = resting(Side.SELL, at="0.60")
    book = shown(bids=a_book(bids="0.62x30 0.61x20 0.60x500").bids)
    now = watched(bounded(order, "10"), before=order, after=filled(order, "100"), book=book)
    assert (now.pessimistic, now.optimistic) == (size("40"), size("100"))


def test_the_same_depth_shown_again_counts_once() -> None:
    order = resting()
    book = shown(asks=a_book(asks="0.39x30").asks)
    once = watched(bounded(order), before=order, after=filled(order, "30"), book=book)
    again = watched(once, before=filled(order, "30"), after=filled(order, "30"), book=book)
    assert again == once


def test_what_it_took_at_once_it_took_in_every_world() -> None:
    order = filled(resting(), "20")
    bounds = at_rest(order, a_book())
    book = shown(asks=a_book(asks="0.39x30").asks)
    now = watched(bounds, before=order, after=filled(order, "50"), book=book)
    assert now.pessimistic == size("50")


@pytest.mark.parametrize(
    ("side", "traded", "stamp", "optimistic"),
    [
        (Side.BUY, "0.40", LATER_MS, "100"),
        (Side.BUY, "0.35", LATER_MS, "100"),
        (Side.BUY, "0.41", LATER_MS, "0"),
        (Side.SELL, "0.40", LATER_MS, "100"),
        (Side.SELL, "0.39", LATER_MS, "0"),
        (Side.BUY, "0.40", PLACED_MS, "0"),  # that trade may be older than the order
    ],
)
def test_a_trade_at_the_limit_may_have_been_ours(
    side: Side, traded: str, stamp: int, optimistic: str
) -> None:
    order = resting(side)
    book = a_book(bids="0.38x5", asks="0.45x5", changed_at_ms=stamp, last_trade=price(traded))
    now = watched(bounded(order), before=order, after=order, book=book)
    assert (now.pessimistic, now.optimistic) == (0, size(optimistic))


@pytest.mark.parametrize(
    "book",
    [
        None,
        shown(bids=a_book(bids="0.50x5").bids, asks=a_book(asks="0.30x500").asks),  # crossed
        shown(asks=a_book(asks="0.30x500").asks),  # from after its expiry
    ],
)
def test_a_book_that_says_nothing_of_the_order_changes_nothing(book: Book | None) -> None:
    order = replace(resting(), expires_at=NOW)
    bounds = bounded(order)
    assert watched(bounds, before=order, after=order, book=book) == bounds


def test_an_order_that_never_rested_has_no_bounds_to_move() -> None:
    without, known = resting(), replace(resting(), order_id=an_order(an_intent(line=1)).order_id)
    book = shown(asks=a_book(asks="0.39x30").asks)
    bounds = {known.order_id: bounded(known)}
    moved = {known.order_id: filled(known, "30")}
    changed = watch(bounds, before=[without, known], moved=moved, books={YES: book})
    assert [(found.order_id, found.pessimistic) for found in changed] == [(known.order_id, size("30"))]
    assert watch(bounds, before=[known], moved={}, books={NO: book}) == []


@pytest.mark.parametrize(
    ("order", "changed", "count"),
    [
        (resting(), {"asks": "0.41x30"}, 0),
        (resting(), {"asks": "0.40x30"}, 1),
        (resting(), {"last_trade": price("0.41")}, 0),
        (resting(), {"last_trade": price("0.39")}, 1),
        (resting(Side.SELL), {"bids": "0.39x30"}, 0),
        (resting(Side.SELL), {"bids": "0.40x30"}, 1),
        (resting(Side.SELL), {"last_trade": price("0.41")}, 1),
    ],
)
def test_only_bounds_that_moved_are_told(order: Order, changed: dict[str, Any], count: int) -> None:
    book = a_book(changed_at_ms=LATER_MS, **changed)
    found = watch({order.order_id: bounded(order)}, before=[order], moved={}, books={YES: book})
    assert len(found) == count
    told = {bounds.order_id: bounds for bounds in found}
    assert watch(told, before=[order], moved={}, books={YES: book}) == []


STEPS = st.lists(st.tuples(books(), st.integers(0, 120)), max_size=6)


@given(
    side=st.sampled_from(Side),
    limit=st.integers(1, 99),
    at_once=st.integers(0, 99),
    first=books(),
    steps=STEPS,
    traded=st.none() | st.integers(1, 99),
)
def test_the_bounds_enclose_the_base_and_only_grow(
    side: Side, limit: int, at_once: int, first: Book, steps: list[tuple[Book, int]], traded: int | None
) -> None:
    at = Price(limit * 10_000)
    intent = replace(an_intent(side=side, amount=Shares(size=Size(100 * MICROS))), wished_price=at)
    order = an_order(intent, placed_at=PLACED, limit_price=at, filled_size=Size(at_once * MICROS))
    bounds = at_rest(order, first)
    for book, more in steps:
        seen = replace(
            book,
            changed_at_ms=LATER_MS,
            last_trade=None if traded is None else Price(traded * 10_000),
        )
        after = replace(order, filled_size=Size(min(order.filled_size + more * MICROS, 100 * MICROS)))
        now = watched(bounds, before=order, after=after, book=seen)
        assert now.pessimistic <= after.filled_size <= now.optimistic <= 100 * MICROS
        assert bounds.at_once <= bounds.pessimistic <= now.pessimistic
        assert bounds.optimistic <= now.optimistic
        order, bounds = after, now
