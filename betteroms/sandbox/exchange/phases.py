"""What happens to a market as a whole: its tick, its game's start, its end."""

from collections.abc import Callable, Mapping
from typing import Any

from betteroms.sandbox.events import Event, MarketResolved, TickChanged
from betteroms.sandbox.exchange.floor import Floor
from betteroms.sandbox.model import MICROS, Market, OrderStatus
from betteroms.sandbox.schedule import Schedule


class Phases:
    def __init__(self, floor: Floor, schedule: Schedule, emit: Callable[[Event], None]) -> None:
        self._floor = floor
        self._schedule = schedule
        self._emit = emit
        self._markets: dict[str, Market] = {}
        schedule.handle("game_start", self._game_starts)

    def know(self, market: Market) -> None:
        """Be ready for what is on the schedule for a market."""
        self._markets[market.condition_id] = market

    def begin(self, market: Market, now_ms: int) -> None:
        self.know(market)
        if market.game_starts_ms is not None and market.game_starts_ms > now_ms:
            self._schedule.at(market.game_starts_ms, "game_start", market=market.condition_id)

    def set_tick(self, market: Market, tick: int, now_ms: int) -> None:
        """Raises:
        ValueError: a dollar is no whole number of such ticks.
        """
        if not 0 < tick < MICROS or MICROS % tick:
            raise ValueError(f"a dollar is no whole number of ticks of {tick} millionths")
        if tick == market.tick:
            return
        old, market.tick = market.tick, tick
        orders = self._floor.books[market.condition_id].orders()
        astray = [order for order in orders if order.price % tick]
        self._floor.cancel(astray, now_ms, reason="the tick size changed")
        self._emit(TickChanged(market=market, old=old, new=tick, at_ms=now_ms))

    def close(self, market: Market, now_ms: int) -> None:
        market.accepting_orders = False
        market.closed = True
        market.book_stamp_ms = now_ms

    def resolve(self, market: Market, payouts: tuple[int, int], now_ms: int) -> None:
        """Raises:
        ValueError: the payouts are no shares of a dollar.
        """
        if sum(payouts) != MICROS or min(payouts) < 0:
            raise ValueError("payouts share one dollar")
        self.close(market, now_ms)
        market.payouts = payouts
        market.resolved_ms = now_ms
        orders = self._floor.books[market.condition_id].orders()
        delayed = [order for order in self._floor.delayed.values() if order.market is market]
        self._floor.cancel(orders + delayed, now_ms, reason="", status=OrderStatus.CANCELED_MARKET_RESOLVED)
        self._emit(MarketResolved(market=market, at_ms=now_ms))

    def start_game(self, market: Market, now_ms: int) -> None:
        orders = self._floor.books[market.condition_id].orders()
        self._floor.cancel(orders, now_ms, reason="the game has started")

    def _game_starts(self, values: Mapping[str, Any], now_ms: int) -> None:
        market = self._markets[values["market"]]
        if market.payouts is None:
            self.start_game(market, now_ms)
