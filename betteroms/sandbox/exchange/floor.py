"""Where orders meet: changes books, holds and orders as one, and tells of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.events import (
    BookChanged,
    Event,
    LevelChange,
    OrderCanceled,
    OrderMatched,
    OrderPlaced,
)
from betteroms.sandbox.exchange.book import Book, remaining, seen_first, spent_out
from betteroms.sandbox.exchange.holds import Holds, given
from betteroms.sandbox.exchange.matching import Plan, killed_words, plan
from betteroms.sandbox.exchange.registry import Registry
from betteroms.sandbox.exchange.settling import Settling
from betteroms.sandbox.model import MICROS, MakerFill, Market, Order, OrderStatus, Trade
from betteroms.sandbox.schedule import Schedule

MAKERS_MAX: Final = 20
"""The makers of one trade; more are split into several (`bucket`). This venue's choice."""
DIES_BEFORE_S: Final = 60
"""A dated order dies a minute before its stated time. Source: VENUE 3.2."""
EXPIRED: Final = "EXPIRED_ORDER"
SHORT: Final = "NOT_ENOUGH_BALANCE"
"""The venue's words on the user channel, after "CANCELED_". Source: VENUE 3.5."""

Touched = dict[tuple[Side, int], None]


class Floor:
    def __init__(
        self,
        holds: Holds,
        registry: Registry,
        settling: Settling,
        schedule: Schedule,
        emit: Callable[[Event], None],
    ) -> None:
        self.books: dict[str, Book] = {}
        self.delayed: dict[int, Order] = {}
        self._holds = holds
        self._registry = registry
        self._settling = settling
        self._schedule = schedule
        self._emit = emit
        schedule.handle("expire", self._expire)
        schedule.handle("delayed_match", self._match_delayed)

    def open(self, market: Market) -> None:
        self.books[market.condition_id] = Book()

    def kills(self, order: Order, planned: Plan) -> bool:
        """Whether an order that must not rest gets nothing."""
        if order.time_in_force is TimeInForce.FOK:
            return not (planned.complete and planned.fills)
        return order.time_in_force is TimeInForce.FAK and not planned.fills

    def trade(self, order: Order, planned: Plan, now_ms: int) -> tuple[Trade, ...]:
        """Carry the plan out, then rest or end what is left of the order."""
        touched: Touched = {}
        for fill in planned.fills:
            self._fill_maker(fill, touched)
        trades = tuple(
            self._record(order, planned, start, now_ms) for start in range(0, len(planned.fills), MAKERS_MAX)
        )
        if trades:
            self._account(order, planned)
        rests = order.time_in_force.rests
        if planned.complete or (rests and trades and spent_out(order)):
            order.status = OrderStatus.MATCHED
        elif rests:
            self._rest(order, touched)
        else:
            order.status = OrderStatus.CANCELED
        for trade in trades:
            self._tell(trade, now_ms)
        if order.status is OrderStatus.CANCELED:
            self._emit(OrderCanceled(order=order, at_ms=now_ms))
        self._tell_book(order.market, touched, now_ms)
        return trades

    def _fill_maker(self, fill: MakerFill, touched: Touched) -> None:
        maker = fill.order
        ladder = self.books[maker.market.condition_id].home(maker)
        price = seen_first(maker.price, maker.outcome)
        before = remaining(maker)
        gives = fill.dollars if maker.side is Side.BUY else fill.shares
        matched = maker.matched + fill.shares
        # One object where numbers are the same: there may be a million orders.
        maker.matched = maker.size if matched == maker.size else matched
        alike = maker.spent is maker.used
        used = maker.used + gives
        maker.used = maker.maker_amount if used == maker.maker_amount else used
        maker.spent = maker.used if alike else maker.spent + gives
        self._holds.release(given(maker), gives)
        touched[ladder.side, price] = None
        if spent_out(maker):
            maker.status = OrderStatus.MATCHED
            ladder.remove(price, maker, shares=before)
            self._registry.closed(maker)
            self._holds.release(given(maker), maker.maker_amount - maker.used)
        else:
            ladder.levels[price].size -= before - remaining(maker)

    def _record(self, taker: Order, planned: Plan, start: int, now_ms: int) -> Trade:
        part = slice(start, start + MAKERS_MAX)
        fills = tuple(planned.fills[part])
        trade = Trade(
            number=len(self._registry.trades),
            taker=taker,
            fills=fills,
            shares=_sum([fill.shares for fill in fills]),
            dollars=_sum(planned.dollars[part]),
            fee=_sum(planned.fees[part]),
            matched_ms=now_ms,
            bucket=start // MAKERS_MAX,
        )
        self._registry.traded(trade)
        for order in {id(order): order for order in (taker, *(fill.order for fill in fills))}.values():
            order.trades += (trade.number,)
        return trade

    def _account(self, taker: Order, planned: Plan) -> None:
        matched = taker.matched + sum(fill.shares for fill in planned.fills)
        taker.matched = taker.size if matched == taker.size else matched
        if taker.side is Side.SELL:
            taker.spent = taker.used = taker.matched
        else:
            taker.spent += sum(planned.dollars)
            at_limit = -(-taker.matched * taker.maker_amount // taker.taker_amount)
            taker.used = min(at_limit, taker.maker_amount)
        market = taker.market
        last = planned.fills[-1].order
        market.last_price = last.price if last.outcome == taker.outcome else MICROS - last.price
        market.last_side = taker.side
        market.last_outcome = taker.outcome

    def _rest(self, order: Order, touched: Touched) -> None:
        order.status = OrderStatus.LIVE
        ladder = self.books[order.market.condition_id].home(order)
        price = seen_first(order.price, order.outcome)
        ladder.add(price, order)
        touched[ladder.side, price] = None
        self._holds.hold(given(order), order.maker_amount - order.used)
        self._registry.opened(order)
        if order.time_in_force is TimeInForce.GTD:
            self._schedule.at((order.expiration - DIES_BEFORE_S) * 1_000, "expire", order=order.id)

    def _tell(self, trade: Trade, now_ms: int) -> None:
        self._emit(OrderMatched(order=trade.taker, trade=trade, at_ms=now_ms))
        for fill in trade.fills:
            self._emit(OrderMatched(order=fill.order, trade=trade, at_ms=now_ms))
        self._settling.start(trade, now_ms)

    def _tell_book(self, market: Market, touched: Touched, now_ms: int) -> None:
        if not touched:
            return
        market.book_stamp_ms = now_ms
        book = self.books[market.condition_id]
        changes = []
        for side, price in touched:
            ladder = book.buying if side is Side.BUY else book.selling
            level = ladder.levels.get(price)
            changes.append(LevelChange(price=price, size=0 if level is None else level.size, side=side))
        self._emit(BookChanged(market=market, changes=tuple(changes), at_ms=now_ms))

    def cancel(
        self,
        orders: Iterable[Order],
        now_ms: int,
        *,
        reason: str,
        status: OrderStatus = OrderStatus.CANCELED,
    ) -> None:
        """End live or delayed orders of one market."""
        touched: Touched = {}
        market = None
        for order in orders:
            market = order.market
            if order.status is OrderStatus.LIVE:
                ladder = self.books[market.condition_id].home(order)
                price = seen_first(order.price, order.outcome)
                ladder.remove(price, order, shares=remaining(order))
                touched[ladder.side, price] = None
            self.delayed.pop(order.number, None)
            self._registry.closed(order)
            self._holds.release(given(order), order.maker_amount - order.used)
            order.status = status
            order.reason = reason
            self._emit(OrderCanceled(order=order, at_ms=now_ms))
        if market is not None:
            self._tell_book(market, touched, now_ms)

    def delay(self, order: Order, *, now_ms: int, until_ms: int) -> None:
        """Take the order on and match it later; what it gives is held until then."""
        order.status = OrderStatus.DELAYED
        self._registry.count += 1
        self._registry.add(order)
        self._registry.opened(order)
        self._holds.hold(given(order), order.maker_amount)
        self.delayed[order.number] = order
        self._emit(OrderPlaced(order=order, at_ms=now_ms))
        self._schedule.at(until_ms, "delayed_match", order=order.id)

    def _match_delayed(self, values: Mapping[str, Any], now_ms: int) -> None:
        order = self._registry.orders[values["order"]]
        if order.status is not OrderStatus.DELAYED:
            return
        planned = plan(order, self.books[order.market.condition_id].against(order.side, order.outcome))
        fees = sum(planned.fees) if order.side is Side.BUY else 0
        if self._holds.available(*given(order)) < fees:
            self.cancel([order], now_ms, reason=SHORT)
        elif self.kills(order, planned):
            self.cancel([order], now_ms, reason=killed_words(order.time_in_force))
        else:
            del self.delayed[order.number]
            self._registry.closed(order)
            self._holds.release(given(order), order.maker_amount)
            self.trade(order, planned, now_ms)

    def _expire(self, values: Mapping[str, Any], now_ms: int) -> None:
        order = self._registry.orders[values["order"]]
        if order.status.alive:
            self.cancel([order], now_ms, reason=EXPIRED)


def _sum(numbers: list[int]) -> int:
    """The very number, where it is the only one: there may be a million trades."""
    return numbers[0] if len(numbers) == 1 else sum(numbers)
