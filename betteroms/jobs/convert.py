"""Dollars to shares and back, rounded as an order would be."""

import re
from collections.abc import Sequence
from typing import Any, Final

from betteroms.domain.errors import InexactAmount
from betteroms.domain.money import LOT, MICROS, Price, Size, cost, floor_to, proceeds, to_micros, to_text

_WORDS: Final = re.compile(r"\s*(\S+?)\s*(USDC|USD|SHARES?)\s*@\s*(\S+)\s*", re.IGNORECASE)
FORM: Final = "write it as: 500 USDC @ 0.42, or 1190.47 SHARES @ 0.42"


def convert(words: Sequence[str]) -> dict[str, Any]:
    """What an amount is at a price; a BUY's cost is rounded up, a SELL's proceeds down.

    Dollars become as many shares as a resting BUY would ask for, floored to the lot of 0.01; shares are
    floored to the lot first.

    Raises:
        InexactAmount: not of the form, no exact numbers, or a price that is not between 0 and 1.
    """
    found = _WORDS.fullmatch(" ".join(words))
    if found is None:
        raise InexactAmount(f"{' '.join(words)!r} cannot be read; {FORM}")
    amount, price = to_micros(found[1].replace(",", "")), Price(to_micros(found[3]))
    if amount <= 0:
        raise InexactAmount(f"the amount {found[1]} is not above 0")
    if not 0 < price < MICROS:
        raise InexactAmount(f"the price {found[3]} is not between 0 and 1")
    in_dollars = not found[2].upper().startswith("SHARE")
    size = Size(floor_to(amount * MICROS // price if in_dollars else amount, LOT))
    return {
        "given": {"amount": to_text(amount), "unit": "USDC" if in_dollars else "SHARES"},
        "price": to_text(price),
        "shares": to_text(size),
        "cost": to_text(cost(price, size)),
        "proceeds": to_text(proceeds(price, size)),
        "unspent": to_text(amount - cost(price, size)) if in_dollars else None,
    }
