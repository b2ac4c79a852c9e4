"""Prices, sizes and dollars as exact whole numbers of millionths.

`Decimal` appears only where text becomes a number (`to_micros`) or a number becomes text.
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, NewType

from betteroms.domain.errors import InexactAmount

Price = NewType("Price", int)
"""Dollars per share, in millionths: 0 < price < MICROS for anything that can be ordered."""
Size = NewType("Size", int)
"""Shares, in millionths."""
Usdc = NewType("Usdc", int)
"""Dollars (pUSD, six decimals), in millionths."""

MICROS: Final = 1_000_000
CENT: Final = 10_000
LOT: Final = Size(10_000)
"""The venue's lot, 0.01 shares. Source: VENUE 3.1, "size dp 2" for every tick."""
TEXT_LENGTH_MAX: Final = 64
"""Longer numbers are refused before they are parsed."""
_DECIMALS_MAX: Final = 6
_EXPONENT_MAX: Final = 30


def to_micros(value: str | int | Decimal) -> int:
    """Read an exact number of units as millionths.

    `to_micros("0.52") == 520_000`. A seventh decimal is an error, never a rounding.

    Raises:
        InexactAmount: no finite decimal number, more than six decimals, or absurdly large.
    """
    if isinstance(value, int):
        if abs(value) >= 10**_EXPONENT_MAX:
            raise InexactAmount("the number is too large")
        return value * MICROS
    if isinstance(value, str):
        # What a book is made of, ten thousands of times a run: digits, a dot, up to six digits.
        whole, dot, decimals = value.partition(".")
        plain = value.isascii() and whole.isdigit() and (decimals.isdigit() or not dot)
        if plain and len(whole) < _EXPONENT_MAX and len(decimals) <= _DECIMALS_MAX:
            return int(whole + decimals.ljust(_DECIMALS_MAX, "0"))
    number = value if isinstance(value, Decimal) else _decimal(value)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise InexactAmount(f"{value} is not a finite number")
    if exponent > _EXPONENT_MAX or len(digits) + exponent > _EXPONENT_MAX:
        raise InexactAmount(f"{_shown(value)} is too large")
    if exponent < -_DECIMALS_MAX:
        # Zeros are cut off here and not by `normalize`, which rounds to the context's 28 digits.
        spare = -_DECIMALS_MAX - exponent
        if any(digits[-spare:]):
            raise InexactAmount(f"{_shown(value)} has more than six decimals")
        digits, exponent = digits[:-spare] or (0,), -_DECIMALS_MAX
    micros: int = int("".join(map(str, digits))) * 10 ** (exponent + _DECIMALS_MAX)
    return -micros if sign else micros


def _decimal(text: str) -> Decimal:
    stripped = text.strip()
    if not stripped or len(stripped) > TEXT_LENGTH_MAX or not stripped.isascii() or "_" in stripped:
        raise InexactAmount(f"{_shown(text)!r} is not a number")
    try:
        return Decimal(stripped)
    except InvalidOperation:
        raise InexactAmount(f"{_shown(text)!r} is not a number") from None


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


@lru_cache(maxsize=16_384)
def to_text(micros: int) -> str:
    """Print millionths as the shortest exact decimal: `to_text(420_000) == "0.42"`."""
    sign = "-" if micros < 0 else ""
    whole, rest = divmod(abs(micros), MICROS)
    return f"{sign}{whole}.{rest:06d}".rstrip("0") if rest else f"{sign}{whole}"


def dollars_to_text(micros: int) -> str:
    """Print dollars exactly, cents always shown: `dollars_to_text(52_000_000) == "52.00"`."""
    text = to_text(micros)
    whole, _, decimals = text.partition(".")
    return text if len(decimals) >= 2 else f"{whole}.{decimals:0<2}"


def half_to_text(doubled: int) -> str:
    """Print half of a number of millionths exactly: a midpoint may end between two of them."""
    if doubled % 2 == 0:
        return to_text(doubled // 2)
    whole, rest = divmod(doubled * 5, 10 * MICROS)
    return f"{whole}.{rest:07d}"


def cost(price: Price, size: Size) -> Usdc:
    """What a buyer pays, fee apart: rounded up, so paper never flatters itself."""
    return Usdc(-(-price * size // MICROS))


def proceeds(price: Price, size: Size) -> Usdc:
    """What a seller receives, fee apart: rounded down."""
    return Usdc(price * size // MICROS)


def notional(price: Price, size: Size) -> Usdc:
    """Price times size, rounded up: what caps and minimums look at."""
    return cost(price, size)


def floor_to(value: int, step: int) -> int:
    """The greatest multiple of `step` at or below `value`."""
    return value // step * step


def ceil_to(value: int, step: int) -> int:
    """The least multiple of `step` at or above `value`."""
    return -(-value // step) * step
