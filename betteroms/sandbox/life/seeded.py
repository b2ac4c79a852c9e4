"""A turn of a market's counterparties: the fair price walks, quotes follow it, and now and then one takes.

Chance follows from the venue's seed, the market and the number of the turn alone. So a turn needs to know
nothing but what its task carries, and goes on after a restart as if there had been none.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.life.acting import cancel_all, rest
from betteroms.sandbox.life.wallets import merge_spare, wallet
from betteroms.sandbox.model import MICROS, Market, Refused
from betteroms.sandbox.world import World

PERCENT: Final = 100
EDGE_TICKS: Final = 3
"""How near to 0 and 1 the fair price may come, in ticks."""
MERGE_EVERY: Final = 20
"""Turns between which the maker turns full sets back into dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How lively the counterparties are.

    A turn comes every `every_ms` on average, for each market. In it the fair price moves by up to
    `step_ticks` with a chance of `move_percent`. If it did, or a quote is gone, the maker renews `levels`
    quotes a side, each of up to `size_max` shares and the best `spread_ticks` from the fair price. And with a
    chance of `take_percent` somebody takes. A venue forgets no order: a market at this pace costs some MB an
    hour.
    """

    every_ms: int = 2_000
    move_percent: int = 40
    step_ticks: int = 2
    take_percent: int = 30
    levels: int = 3
    spread_ticks: int = 1
    size_max: int = 200

    def __post_init__(self) -> None:
        least = {"every_ms": 1, "step_ticks": 1, "levels": 1, "spread_ticks": 1, "size_max": 1}
        for name, value in asdict(self).items():
            if value < least.get(name, 0) or (name.endswith("_percent") and value > PERCENT):
                raise ValueError(f"{name}: {value} is out of bounds")


def maker_of(market: Market) -> str:
    return f"maker:{market.condition_id}"


def taker_of(market: Market) -> str:
    return f"taker:{market.condition_id}"


def first_fair(world: World, market: Market) -> int:
    """Where the walk begins: the middle of the book, else the last price, else a half."""
    book = world.exchange.book(market)
    if book.bids and book.asks:
        return _inside(market, (book.bids[0][0] + book.asks[0][0]) // 2)
    if market.last_price is not None:
        return _inside(market, market.last_price if market.last_outcome == 0 else MICROS - market.last_price)
    return _inside(market, MICROS // 2)


def _inside(market: Market, price: int) -> int:
    edge = EDGE_TICKS * market.tick
    return min(max(price // market.tick * market.tick, edge), MICROS - edge)


def play(world: World, values: Mapping[str, Any], now_ms: int) -> None:
    """One turn, and the next one put on the schedule. A market that trades no more has no more turns."""
    market = world.exchange.markets[values["market"]]
    if market.closed or market.payouts is not None or not market.accepting_orders:
        return
    pace, turn = Pace(**values["pace"]), values["turn"]
    draw = Random(world.name("life", market.condition_id, turn))  # noqa: S311 - chance to be repeated
    fair = _walk(market, values["fair"], pace, draw)
    standing = world.exchange.open_orders(maker=wallet(world, maker_of(market)))
    if fair != values["fair"] or len(standing) < 2 * pace.levels:
        _quote(world, market, fair, pace, draw)
    if draw.randrange(PERCENT) < pace.take_percent:
        _take(world, market, pace, draw)
    if turn % MERGE_EVERY == MERGE_EVERY - 1:
        for name in (maker_of(market), taker_of(market)):
            merge_spare(world, wallet(world, name), market)
    due_ms = now_ms + pace.every_ms // 2 + draw.randrange(pace.every_ms + 1)
    world.schedule.at(
        max(due_ms, now_ms + 1),
        TURN,
        market=market.condition_id,
        turn=turn + 1,
        fair=fair,
        pace=dict(values["pace"]),
    )


TURN: Final = "life_turn"


def _walk(market: Market, fair: int, pace: Pace, draw: Random) -> int:
    if draw.randrange(PERCENT) >= pace.move_percent:
        return _inside(market, fair)
    return _inside(market, fair + draw.choice((-1, 1)) * draw.randint(1, pace.step_ticks) * market.tick)


def _quote(world: World, market: Market, fair: int, pace: Pace, draw: Random) -> None:
    """Bids below and offers above; about half of them as their mirror, orders for the other outcome."""
    by = maker_of(market)
    cancel_all(world, market, by=by)
    for number in range(pace.levels):
        away = (pace.spread_ticks + number) * market.tick
        bid, offer = fair - away, fair + away
        for side, price in ((Side.BUY, bid), (Side.SELL, offer)):
            mirrored = draw.random() < 0.5
            size = _size(market, pace, draw)
            if not market.tick <= price <= MICROS - market.tick:
                continue
            _try(
                world,
                market,
                by=by,
                outcome=1 if mirrored else 0,
                side=_other(side) if mirrored else side,
                price=MICROS - price if mirrored else price,
                size=size,
            )


def _take(world: World, market: Market, pace: Pace, draw: Random) -> None:
    """Some of what is best on one side, of either outcome."""
    side, outcome = draw.choice((Side.BUY, Side.SELL)), draw.choice((0, 1))
    size = _size(market, pace, draw)
    book = world.exchange.book(market)
    levels = book.asks if (side is Side.BUY) == (outcome == 0) else book.bids
    if not levels:
        return
    price = levels[0][0] if outcome == 0 else MICROS - levels[0][0]
    _try(
        world,
        market,
        by=taker_of(market),
        outcome=outcome,
        side=side,
        price=price,
        size=size,
        time_in_force=TimeInForce.FAK,
    )


def _size(market: Market, pace: Pace, draw: Random) -> int:
    """Whole shares, at least what the market takes."""
    least = -(-market.minimum_size // MICROS)
    return draw.randint(least, max(least, pace.size_max)) * MICROS


def _other(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def _try(world: World, market: Market, **order: Any) -> None:
    """A counterparty that cannot pay, or comes too late, does nothing this time."""
    try:
        rest(world, market, **order)
    except Refused:
        return
