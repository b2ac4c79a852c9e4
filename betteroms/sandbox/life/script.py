"""Reads scripts of what is to happen at a venue, and when.

A script is JSON: `{"steps": [{"at": "+5s", "do": "quote", "market": "will-it-rain", "side": "BUY",
"price": "0.52", "size": "100"}]}`. `at` counts from the script's beginning: "+250ms", "+5s", "+2m", "+1h", or
whole milliseconds. `market` is a slug or a condition id, `outcome` its name (the first where it is left out).
What each `do` takes is in `FIELDS`; money and shares are decimal texts.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, Final

from betteroms.domain.money import LOT, MICROS, to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.model import Market, TradeStatus

STEPS_MAX: Final = 100_000
NEXT_TRADES_MAX: Final = 1_000
LEVELS_MAX: Final = 50
STATUSES_MAX: Final = 20
OFFSET_MS_MAX: Final = 366 * 86_400_000
TICKS: Final = ("0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001")

_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_OFFSET: Final = re.compile(r"\+(\d{1,12})(ms|s|m|h)")


class BadLifeScript(ValueError):
    """A script that cannot be read; every complaint with the place in the JSON that it is about."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("; ".join(complaints))
        self.complaints = tuple(complaints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do, `at_ms` after the beginning. `values` are plain: amounts in millionths, markets by
    condition id, outcomes by index."""

    at_ms: int
    do: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    steps: tuple[Step, ...] = ()


class _Unfit(ValueError):
    """A value that a field cannot take, in words."""


def _price(value: Any) -> int:
    price = _amount(value)
    if not 0 < price < MICROS:
        raise _Unfit(f"{value!r} is not between 0 and 1")
    return price


def _amount(value: Any) -> int:
    if not isinstance(value, str):
        raise _Unfit(f"{value!r} is not a decimal text")
    try:
        amount = to_micros(value)
    except ValueError as error:
        raise _Unfit(str(error)) from None
    if amount <= 0:
        raise _Unfit(f"{value!r} is not above zero")
    return amount


def _size(value: Any) -> int:
    size = _amount(value)
    if size % LOT:
        raise _Unfit(f"{value!r} has more than two decimals")
    return size


def _side(value: Any) -> str:
    if value not in (Side.BUY, Side.SELL):
        raise _Unfit(f"{value!r} is neither BUY nor SELL")
    return str(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Unfit(f"{value!r} is not a name")
    return value


def _address(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"0x[0-9a-fA-F]{40}", value) is None:
        raise _Unfit(f"{value!r} is not an address")
    return value.lower()


def _tick(value: Any) -> int:
    if value not in TICKS:
        raise _Unfit(f"{value!r} is none of {', '.join(TICKS)}")
    return to_micros(str(value))


def _whole(highest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= highest:
            raise _Unfit(f"{value!r} is not a whole number within 1 and {highest}")
        return value

    return read


def _payouts(value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(part, str) for part in value):
        raise _Unfit(f"{value!r} is not a list of two decimal texts")
    try:
        payouts = [to_micros(part) for part in value]
    except ValueError as error:
        raise _Unfit(str(error)) from None
    if min(payouts) < 0 or sum(payouts) != MICROS:
        raise _Unfit(f"{value!r} do not add up to 1")
    return payouts


def _statuses(value: Any) -> list[str]:
    """What a trade goes through after MATCHED: RETRYING any number of times, then its end."""
    if not isinstance(value, list) or len(value) > STATUSES_MAX:
        raise _Unfit(f"{value!r} is not a list of up to {STATUSES_MAX} statuses")
    end = list(dropwhile(lambda status: status == TradeStatus.RETRYING, value))
    if end not in (["MINED"], ["MINED", "CONFIRMED"], ["FAILED"]):
        raise _Unfit(f"{value!r} is not RETRYING some times, then MINED, MINED and CONFIRMED, or FAILED")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """How a value is read. Without a default the field must be there."""

    read: Callable[[Any], Any]
    default: Any = None
    optional: bool = False


_MARKET: Final = Field(read=_name)
_OUTCOME: Final = Field(read=_name, optional=True)
_MAKER: Final = Field(read=_name, default="maker", optional=True)
_TAKER: Final = Field(read=_name, default="taker", optional=True)
_SIDE: Final = Field(read=_side)
_PRICE: Final = Field(read=_price)
_SIZE: Final = Field(read=_size)

FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "quote": {
        "market": _MARKET,
        "outcome": _OUTCOME,
        "side": _SIDE,
        "price": _PRICE,
        "size": _SIZE,
        "by": _MAKER,
    },
    "take": {
        "market": _MARKET,
        "outcome": _OUTCOME,
        "side": _SIDE,
        "size": _SIZE,
        "price": Field(read=_price, optional=True),
        "by": _TAKER,
    },
    "cancel": {"market": _MARKET, "by": _MAKER},
    "move": {
        "market": _MARKET,
        "price": _PRICE,
        "size": Field(read=_size, default=100 * MICROS, optional=True),
        "levels": Field(read=_whole(LEVELS_MAX), default=3, optional=True),
        "by": _MAKER,
    },
    "tick": {"market": _MARKET, "tick": Field(read=_tick)},
    "fund": {
        "wallet": Field(read=_address),
        "dollars": Field(read=_amount, optional=True),
        "market": Field(read=_name, optional=True),
        "sets": Field(read=_amount, optional=True),
    },
    "resolve": {"market": _MARKET, "outcome": _OUTCOME, "payouts": Field(read=_payouts, optional=True)},
    "close": {"market": _MARKET},
    "start_game": {"market": _MARKET},
    "settle": {
        "trade": Field(read=_name, optional=True),
        "order": Field(read=_name, optional=True),
        "next": Field(read=_whole(NEXT_TRADES_MAX), optional=True),
        "statuses": Field(read=_statuses, optional=True),
    },
}
"""quote rests an order; take trades what stands within its price and kills the rest; cancel takes `by`'s
orders away; move cancels them, trades away what stands beyond the price, and quotes `levels` on either side.
fund brings money from outside: dollars, and full sets of shares. resolve pays one outcome, or `payouts`.
settle says what becomes of one trade, of an order's trades, or that the `next` ones fail."""


def parse(text: str | bytes, markets: Mapping[str, Market]) -> Script:
    """Read a script's JSON for a venue with these markets (by condition id).

    Raises:
        BadLifeScript: with every complaint at once.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadLifeScript([f"no JSON: {error}"]) from None
    if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
        raise BadLifeScript(["a script is an object with a list of steps"])
    complaints = [f"{key}: no such field" for key in document if key != "steps"]
    rows = document["steps"]
    if len(rows) > STEPS_MAX:
        raise BadLifeScript([*complaints, f"steps: {len(rows)} are more than {STEPS_MAX}"])
    by_name = {market.slug: market for market in markets.values()} | dict(markets)
    steps = [_step(row, f"steps[{number}]", by_name, complaints) for number, row in enumerate(rows)]
    if complaints:
        raise BadLifeScript(complaints)
    return Script(steps=tuple(step for step in steps if step is not None))


def _step(row: Any, place: str, markets: Mapping[str, Market], complaints: list[str]) -> Step | None:
    if not isinstance(row, dict):
        complaints.append(f"{place}: a step is an object")
        return None
    do = row.get("do")
    if not isinstance(do, str) or do not in FIELDS:
        complaints.append(f"{place}.do: {do!r} is none of {', '.join(FIELDS)}")
        return None
    fields = FIELDS[do]
    found = [f"{place}.{name}: {do} takes no such field" for name in row if name not in ("at", "do", *fields)]
    values: dict[str, Any] = {}
    at_ms = 0
    try:
        at_ms = _offset(row.get("at"))
    except _Unfit as error:
        found.append(f"{place}.at: {error}")
    for name, field in fields.items():
        if name not in row:
            values[name] = field.default
            if not field.optional:
                found.append(f"{place}.{name}: {do} needs it")
            continue
        try:
            values[name] = field.read(row[name])
        except _Unfit as error:
            found.append(f"{place}.{name}: {error}")
    found += [] if found else [f"{place}.{words}" for words in _place(do, values, markets)]
    complaints += found
    return Step(at_ms=at_ms, do=do, values=values)


def _offset(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= OFFSET_MS_MAX:
        return value
    match = _OFFSET.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _Unfit(f"{value!r} is neither like +5s nor whole milliseconds")
    offset = int(match[1]) * _UNITS[match[2]]
    if offset > OFFSET_MS_MAX:
        raise _Unfit(f"{value!r} is more than a year")
    return offset


def _place(do: str, values: dict[str, Any], markets: Mapping[str, Market]) -> list[str]:
    """Put condition id and outcome index in place of names; says what does not fit together."""
    complaints = []
    market = None
    if values.get("market") is not None:
        market = markets.get(values["market"])
        if market is None:
            return [f"market: {values['market']!r} is not a market of this venue"]
        values["market"] = market.condition_id
    if do == "resolve" and (values["outcome"] is None) == (values["payouts"] is None):
        complaints.append("outcome: resolve needs either it or payouts")
    elif market is not None and "outcome" in values:
        complaints += _name_outcome(values, market)
    if do == "fund" and values["dollars"] is None and values["sets"] is None:
        complaints.append("dollars: fund needs them or sets")
    if do == "fund" and (values["sets"] is None) != (values["market"] is None):
        complaints.append("sets: sets and market go together")
    if do == "settle" and sum(values[name] is not None for name in ("trade", "order", "next")) != 1:
        complaints.append("trade: settle needs one of trade, order, next")
    elif do == "settle" and (values["statuses"] is None) != (values["next"] is not None):
        complaints.append("statuses: go with a trade or an order, and not with next")
    return complaints


def _name_outcome(values: dict[str, Any], market: Market) -> list[str]:
    outcome = values["outcome"]
    if outcome is None:
        if values.get("payouts") is None:
            values["outcome"] = 0
        return []
    if outcome not in market.outcomes:
        return [f"outcome: {outcome!r} is none of {', '.join(market.outcomes)}"]
    values["outcome"] = market.outcomes.index(outcome)
    return []
