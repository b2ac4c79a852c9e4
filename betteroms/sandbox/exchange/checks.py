"""What must be true inside the engine at every moment, each sum made anew; a complaint says what is not."""

from collections import defaultdict
from collections.abc import Iterator

from betteroms.sandbox.exchange.book import Ladder, remaining, seen_first
from betteroms.sandbox.exchange.exchange import Exchange
from betteroms.sandbox.exchange.holds import Key, given, outgoing
from betteroms.sandbox.model import OrderStatus, TradeStatus


def promises_add_up(exchange: Exchange) -> Iterator[str]:
    """What is held for open orders and for trades before the chain is what those are for."""
    promised: dict[Key, int] = defaultdict(int)
    for order in exchange.open_orders():
        promised[given(order)] += order.maker_amount - order.used
    owed: dict[Key, int] = defaultdict(int)
    for trade in exchange.trades:
        if trade.status in (TradeStatus.MATCHED, TradeStatus.RETRYING):
            for key, amount in outgoing(trade).items():
                owed[key] += amount
    for name, sums, held in (
        ("open orders", promised, exchange.holds.open),
        ("trades", owed, exchange.holds.unsettled),
    ):
        for key in sums.keys() | held.keys():
            if sums.get(key, 0) != held.get(key, 0):
                yield f"{name} are for {sums.get(key, 0)} of {key}, {held.get(key, 0)} are held"


def books_add_up(exchange: Exchange) -> Iterator[str]:
    """Each level's size is what its orders have left, each of them is live and at its own price."""
    resting = 0
    for market in exchange.markets.values():
        book = exchange.book(market)
        for ladder in (book.buying, book.selling):
            resting += len(ladder.orders())
            yield from _level_complaints(ladder)
    live = sum(order.status is OrderStatus.LIVE for order in exchange.open_orders())
    if live != resting:
        yield f"{live} orders are live, {resting} are in books"


def _level_complaints(ladder: Ladder) -> Iterator[str]:
    for price, level in ladder.levels.items():
        size = sum(remaining(order) for order in level.orders.values())
        if size != level.size:
            yield f"{ladder.side} {price} says {level.size}, its orders have {size}"
        for order in level.orders.values():
            if order.status is not OrderStatus.LIVE or seen_first(order.price, order.outcome) != price:
                yield f"{order.id} is {order.status} for {order.price} and rests at {price}"
