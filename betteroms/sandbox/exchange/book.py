"""One market's resting orders in price-time priority, seen from its first outcome.

A BUY of the first outcome at p is a bid at p and a SELL an ask; of the second outcome a BUY at q is an ask
at 1-q and a SELL a bid at 1-q. Both kinds wait in one line at a price: the contracts match either.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator

from betteroms.domain.terms import Side
from betteroms.sandbox.model import MICROS, Order


def rises(side: Side, outcome: int) -> bool:
    """Whether an order bids for the first outcome, seen from it."""
    return (side is Side.BUY) == (outcome == 0)


def seen_first(price: int, outcome: int) -> int:
    """A price of either outcome as one of the first."""
    return price if outcome == 0 else MICROS - price


def remaining(order: Order) -> int:
    """The shares it can still trade.

    The contract counts in makerAmount: what is left of a BUY's dollars, turned into shares and rounded down.
    """
    if order.side is Side.SELL:
        return order.maker_amount - order.used
    return (order.maker_amount - order.used) * order.taker_amount // order.maker_amount


def spent_out(order: Order) -> bool:
    """Whether what remains cannot be traded: the order, or who met it, would give nothing in return.

    Then less than a dollar millionth's worth is at stake.
    """
    shares = remaining(order)
    if order.side is Side.SELL:
        return shares * order.taker_amount // order.maker_amount == 0
    return shares <= order.maker_amount - order.used


class Level:
    """The orders at one price, first come first served, and their shares together."""

    __slots__ = ("orders", "size")

    def __init__(self) -> None:
        self.orders: OrderedDict[int, Order] = OrderedDict()
        self.size = 0


class Ladder:
    """One side of a book. Prices are kept sorted; a level is found by its price."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[int, Level] = {}
        self._prices: list[int] = []

    def best(self) -> int | None:
        if not self._prices:
            return None
        return self._prices[-1] if self.side is Side.BUY else self._prices[0]

    def add(self, price: int, order: Order) -> None:
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level()
            insort(self._prices, price)
        level.orders[order.number] = order
        level.size += remaining(order)

    def remove(self, price: int, order: Order, *, shares: int) -> None:
        """Take an order away whose remaining shares are counted in the level."""
        level = self.levels[price]
        del level.orders[order.number]
        level.size -= shares
        if not level.orders:
            del self.levels[price]
            del self._prices[bisect_left(self._prices, price)]

    def walk(self, limit: int) -> Iterator[tuple[int, Order]]:
        """The orders a taker with that limit meets, in priority. The ladder must not change meanwhile."""
        if self.side is Side.SELL:
            for price in self._prices:
                if price > limit:
                    return
                for order in self.levels[price].orders.values():
                    yield price, order
        else:
            for price in reversed(self._prices):
                if price < limit:
                    return
                for order in self.levels[price].orders.values():
                    yield price, order

    def depth(self) -> list[tuple[int, int]]:
        """(price, size), best first."""
        prices = reversed(self._prices) if self.side is Side.BUY else self._prices
        return [(price, self.levels[price].size) for price in prices]

    def orders(self) -> list[Order]:
        return [order for price in self._prices for order in self.levels[price].orders.values()]


class Book:
    """Both sides. An order's place follows from its own price, side and outcome."""

    def __init__(self) -> None:
        self.buying = Ladder(Side.BUY)
        self.selling = Ladder(Side.SELL)

    @property
    def bids(self) -> list[tuple[int, int]]:
        """(price, size) of the first outcome, best first."""
        return self.buying.depth()

    @property
    def asks(self) -> list[tuple[int, int]]:
        """(price, size) of the first outcome, best first."""
        return self.selling.depth()

    @property
    def best_bid(self) -> int | None:
        return self.buying.best()

    @property
    def best_ask(self) -> int | None:
        return self.selling.best()

    def home(self, order: Order) -> Ladder:
        """The side where the order rests."""
        return self.buying if rises(order.side, order.outcome) else self.selling

    def against(self, side: Side, outcome: int) -> Ladder:
        """The side that an order takes from."""
        return self.selling if rises(side, outcome) else self.buying

    def orders(self) -> list[Order]:
        return self.buying.orders() + self.selling.orders()
