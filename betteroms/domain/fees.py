"""The venue's taker fee."""

from dataclasses import dataclass
from typing import Final

from betteroms.domain.money import MICROS, Price, Size, Usdc
from betteroms.domain.terms import Liquidity

FEE_STEP: Final = 10
"""Fees are whole multiples of 0.00001 dollars."""
EXPONENTS_KNOWN: Final = (1, 2)
ASSUMED_RATE: Final = 70_000
"""0.07, the highest rate the venue charges: what recorded books without any market row pay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """What a market charges takers: `shares x rate x (p(1-p))^exponent`; `rate` in millionths.

    `assumed` marks a rate that nobody stated (recordings without a market row); it is reported as
    `FEES_ASSUMED` wherever the fee is.
    """

    rate: int
    exponent: int = 1
    assumed: bool = False

    @property
    def known(self) -> bool:
        """Whether this is a formula we know how to compute."""
        return self.rate == 0 or self.exponent in EXPONENTS_KNOWN


FREE: Final = FeeSchedule(rate=0)
ASSUMED: Final = FeeSchedule(rate=ASSUMED_RATE, assumed=True)


def fee(schedule: FeeSchedule, *, price: Price, size: Size, liquidity: Liquidity) -> Usdc:
    """The fee of one execution, in millionths of a dollar; makers pay none.

    Source: VENUE 4 for the formula; floored at five decimals, as all 21 recorded on-chain fees are
    (data/QUIRKS 25), and at least 0.00001 where the rate is above zero.
    """
    if schedule.rate == 0 or liquidity is Liquidity.MAKER:
        return Usdc(0)
    spread = price * (MICROS - price)
    if schedule.exponent == 1:
        charged = size * schedule.rate * spread // (MICROS**3 * FEE_STEP)
    else:
        charged = (
            size
            * schedule.rate
            * spread**schedule.exponent
            // (MICROS ** (2 * schedule.exponent + 1) * FEE_STEP)
        )
    return Usdc(max(charged, 1) * FEE_STEP)


def worst_fee_of_dollars(schedule: FeeSchedule, *, usdc: Usdc, best: Price, limit: Price) -> Usdc:
    """The most a dollar-sized BUY can be charged when it fills anywhere from `best` to `limit`.

    Per dollar the fee is `rate x (1-p)^e x p^(e-1)`: it falls with the price for exponent 1 and peaks
    at 1/3 for exponent 2, so the fee at the limit alone would be too little.
    """
    low, high = min(best, limit), max(best, limit)
    candidates = {low, high}
    third = Price(MICROS // 3)
    if schedule.exponent == 2 and low < third < high:
        candidates.add(third)
    return Usdc(
        max(
            fee(schedule, price=price, size=Size(-(-usdc * MICROS // price)), liquidity=Liquidity.TAKER)
            for price in candidates
        )
    )
