"""The deepest fall of an account within a span of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from betteroms.domain.money import Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """So many dollars, in millionths, below the peak before it."""

    amount: Usdc
    peak: Usdc
    peak_at: datetime
    trough_at: datetime


def deepest(gains: Iterable[tuple[datetime, int]]) -> Drawdown | None:
    """The deepest fall from a peak to what came after it; None where there is nothing to look at.

    `gains` are what the account had gained or lost by then, net of deposits, in time order.
    """
    found: Drawdown | None = None
    peak: tuple[int, datetime] | None = None
    for at, gain in gains:
        if peak is None or gain > peak[0]:
            peak = (gain, at)
        if found is None or peak[0] - gain > found.amount:
            found = Drawdown(amount=Usdc(peak[0] - gain), peak=Usdc(peak[0]), peak_at=peak[1], trough_at=at)
    return found
