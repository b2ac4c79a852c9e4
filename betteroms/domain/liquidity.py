"""Liquidity memory: what we took from a level stays taken until a newer book shows it again.

The rule is DECISIONS 4.1. A level is named by its market and its price *as seen from the first outcome*,
so that a level of the complement's book is the same level. Keyed on the displayed price, before slippage.
"""

from collections.abc import Iterable, Mapping

from betteroms.domain.book import Book
from betteroms.domain.fact import fact
from betteroms.domain.ids import MarketId
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Price, Size


@fact
class Taken:
    """One remembered level: shares we took from it, and the venue stamp of the book it was seen in."""

    market_id: MarketId
    price: Price
    size: Size
    changed_at_ms: int


def level_key(price: Price, outcome_index: int) -> Price:
    """The level's name: its price as the first outcome would see it."""
    return price if outcome_index == 0 else Price(MICROS - price)


class LiquidityMemory:
    """What is taken, by market and level: a working copy that moves with each fill."""

    __slots__ = ("_stamps", "_taken", "touched")

    def __init__(self, rows: Iterable[Taken] = ()) -> None:
        self._taken: dict[MarketId, dict[int, int]] = {}
        self._stamps: dict[MarketId, int] = {}
        self.touched: set[MarketId] = set()
        for row in rows:
            self._taken.setdefault(row.market_id, {})[row.price] = row.size
            self._stamps[row.market_id] = max(self._stamps.get(row.market_id, 0), row.changed_at_ms)

    def observe(self, book: Book, outcome_index: int) -> None:
        """Let a book be seen: a newer one replenishes what it shows and forgets what it does not."""
        remembered = self._taken.get(book.market_id)
        if remembered and book.changed_at_ms > self._stamps.get(book.market_id, 0):
            shown = {
                level_key(level.price, outcome_index): level.size
                for side in (book.bids, book.asks)
                for level in side
            }
            self._taken[book.market_id] = {
                price: min(size, shown[Price(price)])
                for price, size in remembered.items()
                if shown.get(Price(price), 0) > 0
            }
            self.touched.add(book.market_id)
        stamp = max(self._stamps.get(book.market_id, 0), book.changed_at_ms)
        self._stamps[book.market_id] = stamp

    def observe_all(self, books: Iterable[Book], markets: Mapping[MarketId, Market]) -> None:
        """Let several books be seen, each before any that changed later."""
        for book in sorted(books, key=lambda book: (book.changed_at_ms, book.token_id)):
            self.observe(book, markets[book.market_id].outcome_index(book.token_id))

    def of(self, market_id: MarketId) -> dict[int, int]:
        """The market's live levels, price to shares taken; matching counts them up as it goes."""
        return self._taken.setdefault(market_id, {})

    def take(self, market_id: MarketId, price: Price, size: Size) -> None:
        """Remember that we took `size` from the level at `price` (seen from the first outcome)."""
        levels = self.of(market_id)
        levels[price] = levels.get(price, 0) + size
        self.touched.add(market_id)

    def rows(self, markets: Iterable[MarketId] | None = None) -> list[Taken]:
        """What is remembered, ordered by market and price; of all markets unless some are named."""
        chosen: Mapping[MarketId, dict[int, int]] = (
            self._taken if markets is None else {m: self._taken.get(m, {}) for m in markets}
        )
        return [
            Taken(
                market_id=market_id,
                price=Price(price),
                size=Size(size),
                changed_at_ms=self._stamps.get(market_id, 0),
            )
            for market_id, levels in sorted(chosen.items())
            for price, size in sorted(levels.items())
            if size > 0
        ]
