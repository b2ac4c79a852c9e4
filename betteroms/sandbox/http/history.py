"""What each market traded at, minute by minute."""

from collections import defaultdict
from typing import Final

from betteroms.sandbox.events import Event, TradeMoved
from betteroms.sandbox.model import MICROS, Market, Trade, TradeStatus
from betteroms.sandbox.world import World

MINUTE_S: Final = 60
POINTS_MAX: Final = 100_000
"""Per market: two months of minutes; the oldest half is dropped beyond."""

Point = tuple[int, int]
"""Seconds, and the price of the first outcome in millionths."""


class History:
    """The last price of each minute, of every market's first outcome."""

    def __init__(self, world: World) -> None:
        self._points: dict[str, list[Point]] = defaultdict(list)
        self.rebuild(world)
        world.listen(self._hear)

    def rebuild(self, world: World) -> None:
        """Read it all from the trades that there are."""
        self._points.clear()
        for trade in world.exchange.trades:
            self._add(trade)

    def points(self, market: Market, outcome: int, *, since_s: int, until_s: int, step_s: int) -> list[Point]:
        """The last point of each step of time between the two moments, both included, oldest first."""
        found: list[Point] = []
        for second, price in self._points.get(market.condition_id, ()):
            if not since_s <= second <= until_s:
                continue
            point = (second, price if outcome == 0 else MICROS - price)
            if found and found[-1][0] // step_s == second // step_s:
                found[-1] = point
            else:
                found.append(point)
        return found

    def _hear(self, event: Event) -> None:
        if isinstance(event, TradeMoved) and event.trade.status is TradeStatus.MATCHED:
            self._add(event.trade)

    def _add(self, trade: Trade) -> None:
        taker = trade.taker
        price = round_half_up(trade.dollars * MICROS, trade.shares)
        points = self._points[taker.market.condition_id]
        point = (trade.matched_ms // 1000, price if taker.outcome == 0 else MICROS - price)
        if points and points[-1][0] // MINUTE_S == point[0] // MINUTE_S:
            points[-1] = point
        else:
            points.append(point)
        if len(points) > POINTS_MAX:
            del points[: POINTS_MAX // 2]


def round_half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
