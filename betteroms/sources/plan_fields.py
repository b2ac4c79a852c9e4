"""The kinds of field a plan has: for each its type, its bounds and its JSON Schema.

Prices, amounts, percentages and hours come out in millionths; what counts something, as it is.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import PlainValidator, StringConstraints, WithJsonSchema

from betteroms.domain.money import MICROS, Price, Usdc, to_text
from betteroms.domain.terms import TimeInForce
from betteroms.sources.plan_text import NUMBER_PATTERN, micros_of, shown

NAME_LENGTH_MAX: Final = 255
"""Characters of a planId, a marketId or an outcome."""
NOTES_LENGTH_MAX: Final = 2_000
AMOUNT_MAX: Final = 1_000_000_000 * MICROS
"""Dollars or shares: more than one order can need, and far from any column's end."""
PERCENT_MAX: Final = 1_000_000 * MICROS
"""From the cheapest price, 0.0001, to the dearest is a gain of 999,800 percent."""
HOURS_MAX: Final = 10 * 365 * 24
"""Ten years; minutes and seconds are bounded by the same."""
COUNT_MAX: Final = 1_000_000
TICKS_MAX: Final = 1_000

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_WORD: Final = rf"^[^\s{_CONTROL}]+$"
_LABEL: Final = rf"^[^{_CONTROL}]+$"
_PROSE: Final = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"
_REF: Final = r"^[A-Za-z0-9_.-]{1,64}$"
TEXT_RULES: Final = {
    _WORD: "holds a space or a control character",
    _LABEL: "holds a control character",
    _PROSE: "holds a control character other than tab and line end",
    _REF: "is not 1 to 64 of the characters A-Z a-z 0-9 _ . -",
}
"""What is said of text that does not fit its pattern."""
PLAN_ID_BRACES: Final = ("{date}", "{hour}", "{minute}")
"""What a planId may hold for the time the run is scheduled for, UTC."""
_PLAN_ID_GROWTH: Final = len("2026-11-20") - len("{date}")
_TIMES: Final = {time.value: time for time in TimeInForce} | {
    "GTT": TimeInForce.GTD,
    "IOC": TimeInForce.FAK,
}


class SizeUnit(StrEnum):
    """What a size counts."""

    USDC = "USDC"
    SHARES = "SHARES"


class OnRefusal(StrEnum):
    """Whether an instruction that is refused stops those after it."""

    CONTINUE = "continue"
    STOP = "stop"


def _exact(least: int, most: int, rule: str, schema: dict[str, Any]) -> PlainValidator:
    """An exact number, in millionths, from `least` to `most`."""

    def read(value: object) -> int:
        micros = value if type(value) is int else micros_of(value)
        if least <= micros <= most:
            return micros
        raise ValueError(f"{shown(value)} {rule}")

    return _reading(read, {"type": ["number", "string"], **schema})


def _whole(least: int, most: int) -> PlainValidator:
    """A count, as it is; 2.0 is as good as 2."""

    def read(value: object) -> int:
        count, rest = divmod(micros_of(value), MICROS)
        if rest == 0 and least <= count <= most:
            return count
        raise ValueError(f"{shown(value)} is not a whole number from {least} to {most}")

    return _reading(read, {"type": ["integer", "string"], "minimum": least, "maximum": most})


def _reading(read: Any, schema: dict[str, Any]) -> PlainValidator:
    # The bounds of a JSON Schema bind numbers only and its pattern binds text only.
    schema = {**schema, "pattern": NUMBER_PATTERN}
    return PlainValidator(read, json_schema_input_type=Annotated[Any, WithJsonSchema(schema)])


def _above_zero(most: int) -> PlainValidator:
    rule = f"is not above 0 and at most {to_text(most)}"
    return _exact(1, most, rule, {"exclusiveMinimum": 0, "maximum": most // MICROS})


def _between_zero_and(end: int) -> PlainValidator:
    rule = f"is not between 0 and {end}"
    return _exact(1, end * MICROS - 1, rule, {"exclusiveMinimum": 0, "exclusiveMaximum": end})


def _time_in_force(value: object) -> TimeInForce:
    time = _TIMES.get(value) if isinstance(value, str) else None
    if time is None:
        raise ValueError(f"{shown(value)} is not GTC, GTD (or GTT), FOK or FAK (or IOC)")
    return time


def _plan_id(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text")
    rest = value
    for braces in PLAN_ID_BRACES:
        rest = rest.replace(braces, "")
    if "{" in rest or "}" in rest:
        raise ValueError(f"{shown(value)} holds other braces than {{date}}, {{hour}} and {{minute}}")
    longest = len(value) + _PLAN_ID_GROWTH * value.count("{date}")
    if not value.isprintable() or not 1 <= longest <= NAME_LENGTH_MAX:
        raise ValueError(f"{shown(value)} is not 1 to {NAME_LENGTH_MAX} printable characters")
    return value


PlanIdField = Annotated[
    str,
    PlainValidator(
        _plan_id,
        json_schema_input_type=Annotated[
            str,
            StringConstraints(
                min_length=1,
                max_length=NAME_LENGTH_MAX,
                pattern=rf"^([^{{}}{_CONTROL}]|\{{(date|hour|minute)\}})+$",
            ),
        ],
    ),
]
MarketName = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=_WORD)]
OutcomeName = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=_LABEL)]
Notes = Annotated[str, StringConstraints(max_length=NOTES_LENGTH_MAX, pattern=_PROSE)]
Ref = Annotated[str, StringConstraints(pattern=_REF)]
TimeField = Annotated[
    TimeInForce,
    PlainValidator(_time_in_force, json_schema_input_type=Literal["GTC", "GTD", "GTT", "FOK", "FAK", "IOC"]),
]
PriceField = Annotated[Price, _between_zero_and(1)]
Amount = Annotated[int, _above_zero(AMOUNT_MAX)]
Dollars = Annotated[Usdc, _above_zero(AMOUNT_MAX)]
Gain = Annotated[int, _above_zero(PERCENT_MAX)]
Loss = Annotated[int, _between_zero_and(100)]
Hours = Annotated[int, _above_zero(HOURS_MAX * MICROS)]
Minutes = Annotated[int, _whole(1, HOURS_MAX * 60)]
Seconds = Annotated[int, _whole(1, HOURS_MAX * 3600)]
Count = Annotated[int, _whole(1, COUNT_MAX)]
Priority = Annotated[int, _whole(0, COUNT_MAX)]
Ticks = Annotated[int, _whole(0, TICKS_MAX)]
