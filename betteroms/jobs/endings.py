"""Which of our orders end because their market, or its game, did: they are gone before a book is met."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from betteroms.domain.ids import MarketId
from betteroms.domain.intent import Cancel
from betteroms.domain.market import Market
from betteroms.domain.order import Order, OrderStatus

GAME_STARTED: Final = "GAME_STARTED"


def endings(orders: Iterable[Order], markets: Mapping[MarketId, Market], now: datetime) -> Iterator[Cancel]:
    """The orders that their market's end takes with it; one that was never sent is nobody's to cancel."""
    for order in orders:
        if order.status is OrderStatus.NEW:
            continue
        market = markets.get(order.intent.market_id)
        reason = None if market is None else _reason(order, market, now)
        if reason is not None:
            yield Cancel(order_id=order.order_id, reason=reason)


def _reason(order: Order, market: Market, now: datetime) -> str | None:
    if market.resolved:
        return "MARKET_RESOLVED"
    if market.closed:
        return "MARKET_CLOSED"
    start = market.game_starts_at
    # The venue clears the book once, when the game begins; recorded markets of other kinds carry starts that
    # are long past, and what was placed since then rests on.
    placed = order.placed_at or order.created_at
    if start is not None and placed < start <= now:
        return GAME_STARTED
    return None
