"""A ledger as a few sums: what the random lives of real ledgers are compared with.

It shares no arithmetic with the product except the fold of a position, whose own tests are elsewhere.
"""

from dataclasses import dataclass, field, replace

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import MICROS, Size, Usdc
from betteroms.domain.order import (
    Accepted,
    Canceled,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Rejected,
    Reversed,
    Unconfirmed,
)
from betteroms.domain.position import Position, fold
from betteroms.domain.terms import Dollars, Mode, Shares, Side
from tests.contracts.builders import MARKETS

FIRST_OUTCOMES = frozenset(market.outcomes[0].token_id for market in MARKETS)
ALIVE = (OrderStatus.NEW, OrderStatus.UNCONFIRMED, OrderStatus.OPEN)


@dataclass(slots=True)
class Level:
    """What of a market is remembered: shares taken by price, and the newest stamp seen."""

    taken: dict[int, int] = field(default_factory=dict)
    stamp: int = 0


@dataclass(slots=True)
class Model:
    """What one ledger holds."""

    orders: dict[OrderId, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    events: list[tuple[OrderId, str]] = field(default_factory=list)
    memory: dict[tuple[Mode, MarketId], Level] = field(default_factory=dict)

    def copy(self) -> "Model":
        """An independent model; what is not remembered as a level does not outlive a run."""
        return Model(
            orders=dict(self.orders),
            executions=list(self.executions),
            events=list(self.events),
            memory={
                key: Level(taken=dict(level.taken), stamp=level.stamp)
                for key, level in self.memory.items()
                if level.taken
            },
        )

    def see(self, mode: Mode, book: Book) -> None:
        """DECISIONS 4.1, word for word."""
        level = self.memory.setdefault((mode, book.market_id), Level())
        if book.changed_at_ms <= level.stamp:
            return
        level.stamp = book.changed_at_ms
        first = book.token_id in FIRST_OUTCOMES
        shows = {
            (shown.price if first else MICROS - shown.price): shown.size for shown in (*book.bids, *book.asks)
        }
        for price, taken in list(level.taken.items()):
            level.taken[price] = min(taken, shows.get(price, 0))
            if not level.taken[price]:
                del level.taken[price]

    def tell(self, event: OrderEvent) -> None:
        """Something new that the order's status allows."""
        order = self.orders[event.order_id]
        self.events.append((event.order_id, type(event).__name__))
        if isinstance(event, Accepted):
            order = replace(order, status=OrderStatus.OPEN, placed_at=event.at)
        elif isinstance(event, Unconfirmed):
            order = replace(order, status=OrderStatus.UNCONFIRMED, reason=event.reason)
        elif isinstance(event, Rejected):
            order = replace(order, status=OrderStatus.REJECTED, code=event.code, reason=event.reason)
        elif isinstance(event, Canceled):
            order = replace(order, status=OrderStatus.CANCELED, code=event.code)
        elif isinstance(event, Expired):
            order = replace(order, status=OrderStatus.EXPIRED)
        elif isinstance(event, Filled | Reversed):
            order = self._filled(order, event)
        self.orders[event.order_id] = order

    def _filled(self, order: Order, event: Filled | Reversed) -> Order:
        self.executions.extend(event.executions)
        mine = [execution for execution in self.executions if execution.order_id == order.order_id]
        if isinstance(event, Filled):
            for level in event.taken:
                taken = self.memory.setdefault((order.mode, event.market_id), Level()).taken
                taken[level.price] = taken.get(level.price, 0) + level.size
            if event.complete and order.status is OrderStatus.OPEN:
                order = replace(order, status=OrderStatus.FILLED)
        cash = sum(execution.cash for execution in mine)
        return replace(
            order,
            fills=len(mine),
            filled_size=Size(sum(execution.size for execution in mine)),
            filled_cash=Usdc(-cash if order.intent.side is Side.BUY else cash),
        )

    def cash_moved(self, mode: Mode) -> int:
        return sum(e.cash - e.fee for e in self.executions if e.mode is mode)

    def held(self, mode: Mode, token: TokenId) -> int:
        signs = {Side.BUY: 1, Side.SELL: -1}
        return sum(signs[e.side] * e.size for e in self.executions if (e.mode, e.token_id) == (mode, token))

    def alive(self, mode: Mode) -> list[Order]:
        return [order for order in self.orders.values() if order.mode is mode and order.status in ALIVE]

    def placed(self, mode: Mode) -> list[Order]:
        """Alive orders that were placed, in the order of time, then of lines."""
        placed = [order for order in self.alive(mode) if order.placed_at is not None]
        return sorted(placed, key=lambda order: (order.placed_at, order.intent.line, order.order_id))

    def reserved_cash(self, mode: Mode) -> int:
        return sum(_may_spend(order) for order in self.alive(mode))

    def reserved_shares(self, mode: Mode) -> dict[TokenId, int]:
        shares: dict[TokenId, int] = {}
        for order in self.alive(mode):
            if order.intent.side is Side.SELL and isinstance(order.amount, Shares):
                left = max(order.amount.size - order.filled_size, 0)
                shares[order.intent.token_id] = shares.get(order.intent.token_id, 0) + left
        return {token: size for token, size in shares.items() if size}

    def positions(self) -> list[Position]:
        """The fold of everything, from nothing; by mode and token."""
        histories: dict[tuple[Mode, TokenId], list[Execution]] = {}
        for execution in self.executions:
            histories.setdefault((execution.mode, execution.token_id), []).append(execution)
        return [
            fold(Position(mode=mode, market_id=history[0].market_id, token_id=token), history)
            for (mode, token), history in sorted(histories.items())
        ]

    def levels(self, mode: Mode) -> list[tuple[MarketId, int, int, int]]:
        """What is remembered: market, price, shares, stamp."""
        return sorted(
            (market, price, size, level.stamp)
            for (kept, market), level in self.memory.items()
            if kept is mode
            for price, size in level.taken.items()
        )


def _may_spend(order: Order) -> int:
    if order.intent.side is Side.SELL or order.limit_price is None:
        return 0
    if isinstance(order.amount, Dollars):
        return max(order.amount.usdc - order.filled_cash, 0)
    assert order.amount is not None
    left = max(order.amount.size - order.filled_size, 0)
    whole, rest = divmod(order.limit_price * left, MICROS)
    return whole + (1 if rest else 0)
