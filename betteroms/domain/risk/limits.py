"""The caps an operator sets: on one order, one run, one day, one market, one event, on losses and on books.

Each name here is the name a plan uses in `limits`, in this language's spelling; a cap that is not
listed is not enforced and so is not accepted either.
"""

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Final

from betteroms.domain.money import Price, Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None means no cap. Dollars are millionths; notional is worst price times size of opening orders.

    `market_notional_max` is on what one market costs, both outcomes: what is held, open buys, the order.
    `event_loss_max` is on the worst case of an event, `daily_loss_max` and `drawdown_max` are on dollars lost
    since the day's first snapshot and since the peak: reached, they stop opening orders. `open_positions_max`
    counts tokens held or bid for. `spread_max` is in dollars per share, `depth_min` the dollars on display
    for an order that takes, `book_age_max` how long ago a book may have been read.
    """

    order_notional_max: Usdc | None = None
    run_notional_max: Usdc | None = None
    run_orders_max: int | None = None
    day_notional_max: Usdc | None = None
    market_notional_max: Usdc | None = None
    event_loss_max: Usdc | None = None
    open_positions_max: int | None = None
    daily_loss_max: Usdc | None = None
    drawdown_max: Usdc | None = None
    spread_max: Price | None = None
    depth_min: Usdc | None = None
    book_age_max: timedelta | None = None


CAPS: Final = tuple(field.name for field in fields(Limits))
"""The name of every cap."""
LEAST: Final = frozenset({"depth_min"})
"""Caps that ask for at least so much: the greater one is the tighter."""


def tighter(one: Limits, other: Limits) -> Limits:
    """Of each cap the tighter one; a cap beats no cap."""
    return Limits(**{name: _tighter(name, getattr(one, name), getattr(other, name)) for name in CAPS})


def _tighter(name: str, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other) if name in LEAST else min(one, other)
