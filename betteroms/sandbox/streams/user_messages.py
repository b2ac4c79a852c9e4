"""What the user channel says of an order or a trade: what the CLOB answers, and why it is told now.

Source: VENUE 6.
"""

from typing import Any

from betteroms.sandbox.events import OrderCanceled, OrderMatched, OrderPlaced
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.http import answers
from betteroms.sandbox.model import Order, OrderStatus, Trade

Document = dict[str, Any]
OrderEvent = OrderPlaced | OrderMatched | OrderCanceled


def order_event(event: OrderEvent, exchange: Exchange) -> Document:
    order = event.order
    match event:
        case OrderPlaced():
            kind = "PLACEMENT"
        case OrderMatched():
            kind = "UPDATE"
        case OrderCanceled():
            kind = "CANCELLATION"
    told = answers.order(order, exchange)
    told |= {
        "status": _status(order),
        "associate_trades": told["associate_trades"] or None,
        "created_at": str(told["created_at"]),
        "order_owner": order.owner,
        "type": kind,
        "timestamp": str(event.at_ms),
        "event_type": "order",
    }
    return told | _killed() if _was_killed(order) else told


def _status(order: Order) -> str:
    """A canceled order's has the reason behind it, where there is one."""
    if order.status is OrderStatus.CANCELED and order.reason:
        return f"{order.status.value}_{order.reason}"
    return order.status.value


def _was_killed(order: Order) -> bool:
    """Whether it died without ever being on the book, or matched."""
    return order.status is OrderStatus.CANCELED and not order.time_in_force.rests and order.matched == 0


def _killed() -> Document:
    """Such an order has no matched size, no time and no outcome: all empty texts."""
    return {"size_matched": "", "associate_trades": [], "created_at": "", "outcome": ""}


def trade_event(trade: Trade, exchange: Exchange, *, owner: str, at_ms: int) -> Document:
    """The trade as the taker made it, told to one of those concerned; `trader_side` says which it was."""
    return answers.trade(trade, exchange, seen_by=frozenset((owner,))) | {
        "status": trade.status.value,
        "trade_owner": trade.taker.owner,
        "timestamp": str(at_ms),
        "type": "TRADE",
        "event_type": "trade",
    }
