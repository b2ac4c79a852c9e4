"""A book is read best price first, and its mirror is the complement's."""

from dataclasses import replace

from hypothesis import given

from betteroms.domain.book import Book, mirror
from betteroms.domain.money import MICROS
from tests.domain.examples import NO, YES, a_book, levels, price
from tests.domain.strategies import books


@given(books())
def test_mirroring_twice_gives_the_same_book(book: Book) -> None:
    assert replace(mirror(mirror(book, NO), YES), mirrored=False) == book


@given(books())
def test_the_mirror_shows_the_same_liquidity_from_the_other_side(book: Book) -> None:
    other = mirror(book, NO)
    assert other.mirrored
    assert other.token_id == NO
    assert [(MICROS - level.price, level.size) for level in other.bids] == [
        (level.price, level.size) for level in book.asks
    ]
    assert other.best_bid == (None if book.best_ask is None else MICROS - book.best_ask)
    assert other.crossed == book.crossed
    if book.mid_doubled is not None:
        assert other.mid_doubled == 2 * MICROS - book.mid_doubled


@given(books())
def test_the_mirror_stays_best_first(book: Book) -> None:
    other = mirror(book, NO)
    assert list(other.bids) == sorted(other.bids, key=lambda level: -level.price)
    assert list(other.asks) == sorted(other.asks, key=lambda level: level.price)


def test_best_prices_and_the_mid_come_from_the_first_levels() -> None:
    book = a_book(bids="0.48x10 0.40x900", asks="0.51x20 0.99x900")
    assert book.best_bid == price("0.48")
    assert book.best_ask == price("0.51")
    assert book.mid_doubled == price("0.99")


def test_a_one_sided_book_has_no_mid() -> None:
    for book in (a_book(bids="0.48x10"), a_book(asks="0.48x10"), a_book()):
        assert book.mid_doubled is None
        assert not book.crossed
    assert a_book(asks="0.48x10").best_bid is None
    assert a_book(bids="0.48x10").best_ask is None


def test_a_locked_book_is_not_crossed() -> None:
    assert not a_book(bids="0.50x1", asks="0.50x1").crossed
    assert a_book(bids="0.51x1", asks="0.50x1").crossed


def test_mirroring_keeps_where_the_book_came_from() -> None:
    book = a_book(bids="0.48x10", asks="0.51x20", recorded=True)
    other = mirror(book, NO)
    assert other.bids == levels("0.49x20")
    assert other.asks == levels("0.52x10")
    kept = ("market_id", "changed_at_ms", "received_at", "book_id", "hash_check", "tick_size", "minimum_size")
    for name in (*kept, "recorded"):
        assert getattr(other, name) == getattr(book, name), name
