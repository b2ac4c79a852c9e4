"""What is to be different in a run that is computed again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from betteroms.domain.errors import InexactAmount
from betteroms.domain.fees import ASSUMED, FREE, FeeSchedule
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, to_micros
from betteroms.executors.paper import FillModel, PaperSettings

SLIPPAGE_TICKS_MAX: Final = 10_000


class ChangeUnknown(ValueError):
    """A change that cannot be read; the message says what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """None for what stays. `written` repeats what was asked for, for people and machines.

    `fees` takes the place of every market's schedule, `liquidity_fraction` is in millionths.
    """

    fees: FeeSchedule | None = None
    liquidity_fraction: int | None = None
    slippage_ticks: int | None = None
    fill: FillModel | None = None
    written: Mapping[str, str] | None = None

    def applied(self, paper: PaperSettings) -> PaperSettings:
        """How paper fills with these changes."""
        given = {
            "liquidity_fraction": self.liquidity_fraction,
            "slippage_ticks": self.slippage_ticks,
            "fill": self.fill,
        }
        changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return replace(paper, **changed)

    def charged(self, market: Market) -> Market:
        """The market with the fees that are asked for, under its own exponent where it has one."""
        if self.fees is None:
            return market
        own = market.fees
        exponent = own.exponent if own.rate and own.known else self.fees.exponent
        return replace(market, fees=replace(self.fees, exponent=exponent))


NONE: Final = Changes()


def read_changes(written: Iterable[str]) -> Changes:
    """Read `fees=0.05,fill=pessimistic` and the like; each name once.

    Raises:
        ChangeUnknown: a name or a value that means nothing; the names there are, are told.
    """
    found: dict[str, str] = {}
    values: dict[str, Any] = {}
    for part in (part.strip() for text in written for part in text.split(",")):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or name not in _READ:
            what = f"{part!r} is no change" if not sign else f"there is no {name!r} to change"
            raise ChangeUnknown(f"{what}; what can be changed: {', '.join(_EXAMPLES)}")
        if name in found:
            raise ChangeUnknown(f"{name} is given twice")
        field, read = _READ[name]
        try:
            values[field] = read(value)
        except ValueError as wrong:
            raise ChangeUnknown(f"{name}: {wrong}") from None
        found[name] = value
    return Changes(**values, written=found)


def _fees(text: str) -> FeeSchedule:
    if text == "free":
        return FREE
    if text == "assumed":
        return ASSUMED
    rate = _micros(text)
    if not 0 <= rate <= MICROS:
        raise ValueError(f"{text!r} is neither a rate from 0 to 1, nor free, nor assumed")
    return FeeSchedule(rate=rate)


def _fraction(text: str) -> int:
    fraction = _micros(text)
    if not 0 < fraction <= MICROS:
        raise ValueError(f"{text!r} is not above 0 and at most 1")
    return fraction


def _ticks(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or int(text) > SLIPPAGE_TICKS_MAX:
        raise ValueError(f"{text!r} is not a whole number from 0 to {SLIPPAGE_TICKS_MAX}")
    return int(text)


def _fill(text: str) -> FillModel:
    if text not in list(FillModel):
        raise ValueError(f"{text!r} is none of {', '.join(FillModel)}")
    return FillModel(text)


def _micros(text: str) -> int:
    try:
        return to_micros(text)
    except InexactAmount as wrong:
        raise ValueError(str(wrong)) from None


_READ: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "fees": ("fees", _fees),
    "liquidityFraction": ("liquidity_fraction", _fraction),
    "fill": ("fill", _fill),
    "slippageTicks": ("slippage_ticks", _ticks),
}
_EXAMPLES: Final = (
    "fees=0.05|free|assumed",
    "liquidityFraction=0.5",
    f"fill={'|'.join(FillModel)}",
    "slippageTicks=1",
)
