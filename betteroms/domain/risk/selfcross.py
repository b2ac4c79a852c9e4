"""Orders of ours that would trade with each other: the venue would match them, and we would pay for it.

A market has one book, seen from its first outcome: buying the first and selling the second are bids, the
other two are asks at one minus their price. So BUY YES at p meets SELL YES at p or below, and also BUY NO at
q where p + q >= 1. Two orders meet only if one of them rests: what is FOK or FAK is compared with what rests
but nothing is compared with it. Any GTC or GTD of the run may come to rest, whatever the book shows now, so
each counts for the lines after it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from betteroms.domain.ids import MarketId, OrderId
from betteroms.domain.intent import Intent
from betteroms.domain.money import MICROS, Price
from betteroms.domain.order import ALIVE, Order
from betteroms.domain.terms import Side


class Met(NamedTuple):
    """The order of ours that would be met, at its own price."""

    order_id: OrderId
    price: Price


def _seen(side: Side, outcome_index: int, price: Price) -> tuple[bool, int]:
    """As the first outcome's book has it: whether it is a bid, and its price there."""
    return (side is Side.BUY) == (outcome_index == 0), MICROS - price if outcome_index else int(price)


def rests(order: Order) -> bool:
    """Whether the order is on the book, or may come to rest there."""
    return (
        order.status in ALIVE
        and order.limit_price is not None
        and order.intent.time_in_force.rests
        and order.remaining > 0
    )


def crossed(
    orders: Iterable[Order], *, market_id: MarketId, side: Side, outcome_index: int, limit_price: Price
) -> list[Order]:
    """Those of our resting orders that such an order would meet: they have to go first."""
    bid, price = _seen(side, outcome_index, limit_price)
    found: list[Order] = []
    for order in orders:
        if order.intent.market_id != market_id or order.limit_price is None or not rests(order):
            continue
        other_bid, other = _seen(order.intent.side, order.intent.outcome_index, order.limit_price)
        if bid is not other_bid and (price >= other if bid else price <= other):
            found.append(order)
    return found


class Resting:
    """The best of our own bids and asks by market, as the run's orders join them."""

    __slots__ = ("_asks", "_bids")

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._bids: dict[MarketId, tuple[int, Met]] = {}
        self._asks: dict[MarketId, tuple[int, Met]] = {}
        for order in orders:
            if order.limit_price is not None and rests(order):
                self.add(order.order_id, order.intent, order.limit_price)

    def add(self, order_id: OrderId, intent: Intent, limit_price: Price) -> None:
        """An order that may rest."""
        bid, price = _seen(intent.side, intent.outcome_index, limit_price)
        best = (self._bids if bid else self._asks).get(intent.market_id)
        if best is None or (price > best[0] if bid else price < best[0]):
            (self._bids if bid else self._asks)[intent.market_id] = price, Met(order_id, limit_price)

    def met_by(self, intent: Intent, limit_price: Price) -> Met | None:
        """The best order of ours that this one would trade with."""
        bid, price = _seen(intent.side, intent.outcome_index, limit_price)
        best = (self._asks if bid else self._bids).get(intent.market_id)
        return None if best is None or (price < best[0] if bid else price > best[0]) else best[1]
