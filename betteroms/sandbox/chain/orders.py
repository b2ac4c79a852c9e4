"""What the exchange contract knows of an order: how much of it has been settled.

Source: VENUE 9 (getOrderStatus). Matches still in flight do not count.
"""

from typing import Final

from betteroms.domain.terms import Side
from betteroms.sandbox.chain.abi import encode
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.model import Order, Trade, TradeStatus

SETTLED: Final = frozenset((TradeStatus.MINED, TradeStatus.CONFIRMED))


def order_status(exchange: Exchange, order_id: str) -> bytes:
    """(filled, remaining), remaining in base units of what the maker gives; (false, 0) if never filled."""
    order = exchange.orders.get(order_id)
    given = _given(exchange, order) if order is not None else 0
    if order is None or given == 0:
        return encode(["bool", "uint248"], False, 0)
    remaining = max(order.maker_amount - given, 0)
    return encode(["bool", "uint248"], remaining == 0, remaining)


def _given(exchange: Exchange, order: Order) -> int:
    """How much of makerAmount settled trades used up; a BUY that took counts at its own price, not at what it
    paid."""
    trades = [exchange.trades[number] for number in order.trades]
    return sum(_part(trade, order) for trade in trades if trade.status in SETTLED)


def _part(trade: Trade, order: Order) -> int:
    buys = order.side is Side.BUY
    if trade.taker is order:
        return -(-trade.shares * order.maker_amount // order.taker_amount) if buys else trade.shares
    fills = [fill for fill in trade.fills if fill.order is order]
    return sum(fill.dollars if buys else fill.shares for fill in fills)
