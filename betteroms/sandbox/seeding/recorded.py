"""A venue as it was when its answers were recorded: markets by their rows, books level by level."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from betteroms.domain.money import to_micros
from betteroms.sandbox.model import MICROS, Market
from betteroms.sandbox.seeding.markets import markets_of
from betteroms.sandbox.seeding.recordings import Raw, Recordings, read, stamp
from betteroms.sandbox.seeding.resting import Level, rest_levels

if TYPE_CHECKING:
    from betteroms.sandbox.world import World

TICKS: Final = (10_000, 5_000, 2_500, 1_000, 100)
"""Coarsest first (VENUE 3.1). A book that does not say is never taken to be coarser than a cent."""


def seed_recorded(world: "World", directory: Path) -> list[str]:
    """Add every market that is recorded in the directory, and rest its book; says what was left out.

    Raises:
        OSError: there is no such directory, or it cannot be listed.
        ValueError: it holds more files than are read.
    """
    found = read(directory)
    now_ms = world.now()
    left_out: list[str] = []
    for market in markets_of(found):
        taken = _clash(world, market)
        if taken:
            left_out.append(f"market {market.slug}: {taken}")
            continue
        book = _book(found, market)
        bids: list[Level] = []
        asks: list[Level] = []
        if book is not None and not market.closed:
            bids, asks = _sides(book, market, left_out)
            market.tick = _tick(book, market, [price for price, _ in (*bids, *asks)])
            market.last_price = _price(book.get("last_trade_price")) or market.last_price
        world.exchange.add_market(market, now_ms)
        if market.accepting_orders:
            left_out += rest_levels(world, market, bids=bids, asks=asks, now_ms=now_ms)
    return found.ignored + left_out


def _clash(world: "World", market: Market) -> str | None:
    if market.condition_id in world.exchange.markets:
        return "its condition id is there already"
    if any(token in world.exchange.by_token for token in market.token_ids):
        return "one of its tokens is another market's"
    return None


def _book(found: Recordings, market: Market) -> Raw | None:
    """The later of the two tokens' books, the first outcome's if they are of one moment; one is enough."""
    books = [found.books[token] for token in market.token_ids if token in found.books]
    return max(books, key=stamp, default=None)


def _tick(book: Raw, market: Market, prices: Sequence[int]) -> int:
    """The book's tick rather than the row's, which may be older than a change; and always one that fits."""
    stated = _price(book.get("tick_size")) or market.tick
    return next((tick for tick in (stated, *TICKS) if all(price % tick == 0 for price in prices)), stated)


def _price(value: Any) -> int | None:
    try:
        price = to_micros(str(value))
    except ValueError:
        return None
    return price if 0 < price < MICROS else None


def _sides(book: Raw, market: Market, left_out: list[str]) -> tuple[list[Level], list[Level]]:
    """The book's levels as seen from the first outcome, best first, in whatever order they were recorded.

    Offers at or below the best bid are left out: they would trade with each other at once.
    """
    bids, asks = _levels(book["bids"], left_out), _levels(book["asks"], left_out)
    if str(book["asset_id"]) != market.token_ids[0]:
        bids, asks = ({MICROS - price: size for price, size in side.items()} for side in (asks, bids))
    best_bid = max(bids, default=0)
    for price in [price for price in asks if price <= best_bid]:
        left_out.append(f"market {market.slug}: an offer at {price} (millionths) crosses the book")
        del asks[price]
    return sorted(bids.items(), reverse=True), sorted(asks.items())


def _levels(levels: Iterable[Any], left_out: list[str]) -> dict[int, int]:
    """Sizes by price. A price that comes twice counts once, with the smaller size."""
    sizes: dict[int, int] = {}
    for level in levels:
        if not isinstance(level, Mapping):
            continue
        try:
            price, size = to_micros(str(level["price"])), to_micros(str(level["size"]))
        except (ValueError, KeyError) as wrong:
            left_out.append(f"level {dict(level)}: {wrong}")
            continue
        if 0 < price < MICROS and size > 0:
            sizes[price] = min(size, sizes.get(price, size))
    return sizes
