"""What counterparties do, as calls on the exchange; each raises `Refused` where the venue says no."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.life.wallets import have_shares, wallet
from betteroms.sandbox.model import MICROS, Market, TradeStatus
from betteroms.sandbox.world import World

Values = Mapping[str, Any]


def rest(
    world: World,
    market: Market,
    *,
    by: str,
    outcome: int,
    side: Side,
    price: int,
    size: int,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> None:
    """Post an order for a counterparty, who splits dollars first for shares it has not."""
    owner = wallet(world, by)
    if side is Side.SELL:
        have_shares(world, owner, market, outcome, size)
    world.exchange.rest(
        market,
        outcome=outcome,
        side=side,
        price=price,
        size=size,
        maker=owner,
        now_ms=world.now(),
        time_in_force=time_in_force,
    )


def cancel_all(world: World, market: Market, *, by: str) -> None:
    for order in world.exchange.open_orders(maker=wallet(world, by)):
        if order.market is market:
            world.exchange.cancel(order, world.now())


def _market(world: World, values: Values) -> Market:
    return world.exchange.markets[values["market"]]


def _quote(world: World, values: Values) -> None:
    rest(
        world,
        _market(world, values),
        by=values["by"],
        outcome=values["outcome"],
        side=Side(values["side"]),
        price=values["price"],
        size=values["size"],
    )


def _take(world: World, values: Values) -> None:
    """Without a price: whatever there is."""
    market, side = _market(world, values), Side(values["side"])
    worst = MICROS - market.tick if side is Side.BUY else market.tick
    rest(
        world,
        market,
        by=values["by"],
        outcome=values["outcome"],
        side=side,
        price=values["price"] or worst,
        size=values["size"],
        time_in_force=TimeInForce.FAK,
    )


def _cancel(world: World, values: Values) -> None:
    cancel_all(world, _market(world, values), by=values["by"])


def _move(world: World, values: Values) -> None:
    """Bids and offers of others at the price or beyond it are traded away first."""
    market, price, by = _market(world, values), values["price"], values["by"]
    cancel_all(world, market, by=by)
    sweep(world, market, by=by, price=price)
    for number in range(1, values["levels"] + 1):
        for side, at in ((Side.BUY, price - number * market.tick), (Side.SELL, price + number * market.tick)):
            if market.tick <= at <= MICROS - market.tick:
                rest(world, market, by=by, outcome=0, side=side, price=at, size=values["size"])


def sweep(world: World, market: Market, *, by: str, price: int) -> None:
    """Trade away every offer up to the price and every bid down to it, of the first outcome."""
    for side in (Side.BUY, Side.SELL):
        book = world.exchange.book(market)
        levels = book.asks if side is Side.BUY else book.bids
        size = sum(size for level, size in levels if (level <= price if side is Side.BUY else level >= price))
        if size:
            whole = -(-size // MICROS) * MICROS
            rest(
                world,
                market,
                by=by,
                outcome=0,
                side=side,
                price=price,
                size=whole,
                time_in_force=TimeInForce.FAK,
            )


def _tick(world: World, values: Values) -> None:
    world.exchange.set_tick(_market(world, values), values["tick"], world.now())


def _fund(world: World, values: Values) -> None:
    """The only step that brings money into the venue."""
    sets = values["sets"] or 0
    world.bank.move({(values["wallet"], None): (values["dollars"] or 0) + sets})
    if sets:
        market = _market(world, values)
        world.bank.split(values["wallet"], market.condition_id, market.token_ids, sets)


def _resolve(world: World, values: Values) -> None:
    first, second = values["payouts"] or [MICROS * (values["outcome"] == number) for number in (0, 1)]
    world.exchange.resolve(_market(world, values), (first, second), world.now())


def _close(world: World, values: Values) -> None:
    world.exchange.close(_market(world, values), world.now())


def _start_game(world: World, values: Values) -> None:
    world.exchange.start_game(_market(world, values), world.now())


def _settle(world: World, values: Values) -> None:
    if values["next"] is not None:
        world.exchange.fail_next(values["next"])
        return
    statuses = [TradeStatus(status) for status in values["statuses"]]
    world.exchange.script_settlement(values["trade"] or values["order"], statuses)


ACTIONS: Final[Mapping[str, Callable[[World, Values], None]]] = {
    "quote": _quote,
    "take": _take,
    "cancel": _cancel,
    "move": _move,
    "tick": _tick,
    "fund": _fund,
    "resolve": _resolve,
    "close": _close,
    "start_game": _start_game,
    "settle": _settle,
}
