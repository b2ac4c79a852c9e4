"""Books as domain values, for steps that are timed without a file."""

from datetime import UTC, datetime

from betteroms.domain.book import Book, HashCheck, Level
from betteroms.domain.ids import BookId, MarketId, TokenId
from betteroms.domain.money import Price, Size
from tests.benchmarks.worlds import condition_id, token_id


def deep_book(*, levels: int) -> Book:
    """Ten shares at each of so many ticks of 0.0001 from 0.4 up."""
    return Book(
        market_id=MarketId(condition_id(0)),
        token_id=TokenId(token_id(0, 0)),
        bids=(),
        asks=tuple(Level(price=Price(400_000 + 100 * step), size=Size(10_000_000)) for step in range(levels)),
        changed_at_ms=1_795_177_659_210,
        received_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
        book_id=BookId("0" * 64),
        hash_check=HashCheck.UNVERIFIABLE,
    )
