"""The caps an operator sets: on one order and on one run.

Each name here is the name a plan uses in `limits`, in this language's spelling; a cap that is not
listed is not enforced and so is not accepted either.
"""

from dataclasses import dataclass
from typing import TypeVar

from betteroms.domain.money import Usdc

T = TypeVar("T", bound=int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None means no cap. Dollars are notional (worst price times size) of opening orders."""

    order_notional_max: Usdc | None = None
    run_notional_max: Usdc | None = None
    run_orders_max: int | None = None


def tighter(one: Limits, other: Limits) -> Limits:
    """Of each cap the smaller one; a cap beats no cap."""
    return Limits(
        order_notional_max=_least(one.order_notional_max, other.order_notional_max),
        run_notional_max=_least(one.run_notional_max, other.run_notional_max),
        run_orders_max=_least(one.run_orders_max, other.run_orders_max),
    )


def _least(one: T | None, other: T | None) -> T | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
