"""Resolution and closure: what ended markets pay, and which of our orders end with them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from betteroms.domain.ids import MarketId
from betteroms.domain.intent import Cancel
from betteroms.domain.market import Market
from betteroms.domain.order import Order
from betteroms.domain.position import LedgerEntry
from betteroms.domain.settlement import payouts
from betteroms.ports import Run, Snapshot


def endings(orders: Iterable[Order], markets: Mapping[MarketId, Market], now: datetime) -> Iterator[Cancel]:
    """The orders that their market's end takes with it."""
    for order in orders:
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
        return "GAME_STARTED"
    return None


def settlements(run: Run, snapshot: Snapshot, markets: Mapping[MarketId, Market]) -> list[LedgerEntry]:
    """What resolved markets pay for what we hold, and corrections of what they paid before."""
    return [
        entry
        for market in markets.values()
        for entry in payouts(market, snapshot.positions, snapshot.settlements, mode=run.mode, at=run.now)
    ]


def remarks(snapshot: Snapshot, markets: Mapping[MarketId, Market]) -> list[str]:
    """What a person should know of markets that ended, or of which the venue says nothing."""
    told: list[str] = []
    for token, position in snapshot.positions.items():
        market = markets.get(position.market_id)
        if position.size == 0:
            continue
        if market is None:
            told.append(
                f"market {position.market_id}: the venue does not know it now; {token} is left as it is"
            )
        elif market.resolved and market.payouts is None:
            told.append(f"market {market.name}: resolved, but what it pays is not final yet")
    return list(dict.fromkeys(told))
