"""What a chart is made of before anybody draws it: points, bars with the small ones summed up, and bins.

Whole numbers only; a picture or a terminal turns them into lengths.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import gcd
from typing import Final

from betteroms.domain.money import CENT, MICROS, Usdc

BARS_MAX: Final = 12
BINS_MAX: Final = 24
CORE: Final = 20
"""One in so many values at each end does not count for how wide a bin is, so that no one squeezes all."""
TAIL: Final = 100
"""One in so many values at each end may lie outside of the bins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPoint:
    """What an account was worth at one moment, with the same under the other two bounds of fills.

    Dollars in millionths. The bounds are None where nobody worked them out.
    """

    at: datetime
    net_liquidation: Usdc
    pessimistic: Usdc | None = None
    optimistic: Usdc | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMove:
    """Dollars that the operator brought in, or took out: then `cash` is negative."""

    at: datetime
    cash: Usdc


def earned(points: Sequence[EquityPoint], moves: Iterable[CashMove]) -> Usdc:
    """By how much the account grew of itself from the first point to the last: deposits do not count."""
    first, last = points[0], points[-1]
    moved = sum(move.cash for move in moves if first.at < move.at <= last.at)
    return Usdc(last.net_liquidation - first.net_liquidation - moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is held in one market: what it cost and what it is worth, in millionths of a dollar."""

    name: str
    cost: Usdc
    value: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The largest bars, largest first, and the sum of the others; None where there are no others."""

    shown: tuple[Bar, ...]
    others: Bar | None
    others_count: int
    cost: Usdc
    value: Usdc


def ranked(bars: Iterable[Bar], *, bars_max: int = BARS_MAX) -> Ranking:
    """The `bars_max` largest, by the greater of cost and value; the sums are those of all."""
    found = sorted(bars, key=lambda bar: (-max(bar.cost, bar.value), bar.name))
    # One bar alone is never called "others": it takes the same room under its own name.
    cut = bars_max if len(found) > bars_max + 1 else len(found)
    shown, rest = found[:cut], found[cut:]
    others = _summed(rest, name=f"{len(rest):,} others") if rest else None
    total = _summed(found, name="")
    return Ranking(
        shown=tuple(shown), others=others, others_count=len(rest), cost=total.cost, value=total.value
    )


def _summed(bars: Sequence[Bar], *, name: str) -> Bar:
    return Bar(
        name=name, cost=Usdc(sum(bar.cost for bar in bars)), value=Usdc(sum(bar.value for bar in bars))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What slippage is counted in; `one` is how many of the values given make one of it."""

    name: str
    one: int


CENTS: Final = Unit(name="cents", one=CENT)
"""Values are millionths of a dollar per share."""
TICKS: Final = Unit(name="ticks", one=MICROS)
"""Values are millionths of the market's own tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many values lie at or above `low` and below `high`."""

    low: int
    high: int
    count: int

    @property
    def middle(self) -> int:
        """The value it stands around."""
        return self.low + (self.high - self.low) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Bins of one width without gaps; the first also counts the `below`, the last the `above`.

    `mean` is rounded to a whole number, halves up; `worst` is the greatest value: slippage is a cost.
    """

    bins: tuple[Bin, ...]
    below: int
    above: int
    count: int
    mean: int
    worst: int


def histogram(values: Iterable[int], *, width_min: int, bins_max: int = BINS_MAX) -> Histogram | None:
    """Sort the values into at most `bins_max` bins, 2 or more, of `width_min` or wider; None of none.

    Where all values are multiples of one step, as slippage is of half a tick, so is the width; and where it
    is that step, each value lies in the middle of its bin.
    """
    found = sorted(values)
    if not found:
        return None
    core, tail = len(found) // CORE, len(found) // TAIL
    step = gcd(*found) if found[0] != found[-1] else round_step(width_min)
    wanted = max(width_min, -(-(found[-1 - core] - found[core]) // (bins_max // 2)))
    width = step * round_step(-(-wanted // step))
    shift = width // 2 if width == step else 0

    def place(value: int) -> int:
        return (value + shift) // width

    first, last = _trimmed(
        (place(found[tail]), place(found[-1 - tail])),
        kept=(place(found[core]), place(found[-1 - core])),
        count_max=bins_max,
    )
    edges = [width * index - shift for index in range(first, last + 2)]
    places = [0, *(bisect_left(found, edge) for edge in edges[1:-1]), len(found)]
    bins = tuple(
        Bin(low=edges[index], high=edges[index + 1], count=places[index + 1] - places[index])
        for index in range(len(edges) - 1)
    )
    return Histogram(
        bins=bins,
        below=bisect_left(found, edges[0]),
        above=len(found) - bisect_left(found, edges[-1]),
        count=len(found),
        mean=(2 * sum(found) + len(found)) // (2 * len(found)),
        worst=found[-1],
    )


def _trimmed(span: tuple[int, int], *, kept: tuple[int, int], count_max: int) -> tuple[int, int]:
    """The span cut to so many places, from both ends alike, but for those that are kept."""
    left, right = kept[0] - span[0], span[1] - kept[1]
    room = count_max - (kept[1] - kept[0] + 1)
    if left + right > room:
        right = min(right, max(room // 2, room - left))
        left = room - right
    return kept[0] - left, kept[1] + right


def round_step(least: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … that is `least` or more: steps that people count in."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10
