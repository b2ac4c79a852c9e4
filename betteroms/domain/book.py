"""One order book at one moment, each side best price first."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from betteroms.domain.fact import fact
from betteroms.domain.ids import BookId, MarketId, TokenId
from betteroms.domain.money import MICROS, Price, Size


class HashCheck(StrEnum):
    """What the book's own hash says of it (data/QUIRKS 5)."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNVERIFIABLE = "unverifiable"


@fact
class Level:
    """A price and the shares displayed at it."""

    price: Price
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What is displayed for one outcome token.

    `bids` and `asks` are best first whatever order they arrived in. `changed_at_ms` is the venue's
    own stamp, of its last *change*, in milliseconds since 1970; 0 where it was missing.
    `received_at` is when we read it. `last_trade` is the price of the last trade, where the book tells
    it. `book_id` names the kept payload. `mirrored` marks a book read
    off the complement's.
    """

    market_id: MarketId
    token_id: TokenId
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    changed_at_ms: int
    received_at: datetime
    book_id: BookId
    hash_check: HashCheck
    tick_size: Price | None = None
    minimum_size: Size | None = None
    recorded: bool = False
    mirrored: bool = False
    last_trade: Price | None = None

    @property
    def best_bid(self) -> Price | None:
        return self.bids[0].price if self.bids else None

    @property
    def best_ask(self) -> Price | None:
        return self.asks[0].price if self.asks else None

    @property
    def mid_doubled(self) -> int | None:
        """Twice the midpoint, in millionths, so that it stays whole; None where a side is missing."""
        if not self.bids or not self.asks:
            return None
        return self.bids[0].price + self.asks[0].price

    @property
    def crossed(self) -> bool:
        """Whether the best bid is above the best ask: no state of a real book."""
        return bool(self.bids and self.asks) and self.bids[0].price > self.asks[0].price


def mirror(book: Book, token_id: TokenId) -> Book:
    """The complement token's book: the same liquidity seen from the other side (data/QUIRKS 4)."""

    def flipped(levels: tuple[Level, ...]) -> tuple[Level, ...]:
        return tuple(Level(price=Price(MICROS - level.price), size=level.size) for level in levels)

    return Book(
        market_id=book.market_id,
        token_id=token_id,
        bids=flipped(book.asks),
        asks=flipped(book.bids),
        changed_at_ms=book.changed_at_ms,
        received_at=book.received_at,
        book_id=book.book_id,
        hash_check=book.hash_check,
        tick_size=book.tick_size,
        minimum_size=book.minimum_size,
        recorded=book.recorded,
        mirrored=True,
        last_trade=None if book.last_trade is None else Price(MICROS - book.last_trade),
    )
