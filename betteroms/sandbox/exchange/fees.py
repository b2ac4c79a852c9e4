"""What the venue charges a taker. Rates, prices, shares and fees are in millionths."""

from typing import Final

from betteroms.sandbox.model import MICROS

STEP: Final = 10
"""Fees are whole hundred-thousandths of a dollar, rounded down. Source: QUIRKS 25."""
LEAST: Final = 10
"""Source: VENUE 4, "minimum charge 0.00001"."""


def fee(*, shares: int, price: int, rate: int, exponent: int) -> int:
    """shares x rate x (p(1-p))^exponent dollars, for one maker's fill. Source: VENUE 4.

    `price` is the fill's, as seen from the taker's token.
    """
    if rate == 0 or shares == 0:
        return 0
    spread = price * (MICROS - price)
    exact: int = shares * rate * spread**exponent // MICROS ** (1 + 2 * exponent)
    return max(exact // STEP * STEP, LEAST)
