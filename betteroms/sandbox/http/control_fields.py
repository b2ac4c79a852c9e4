"""What `/sandbox/…` is told: JSON objects, read strictly, every complaint at once."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from betteroms.domain.money import to_micros
from betteroms.sandbox.http.refusals import ForNow
from betteroms.sandbox.model import Market
from betteroms.sandbox.world import World

_SPAN: Final = re.compile(r"(\d{1,12})(ms|s|m|h|d)")
_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
Value = TypeVar("Value")


class Complaints(ForNow):
    """The request says what cannot be: each complaint with the field that it is about."""

    def __init__(self, complaints: Sequence[str]) -> None:
        details = {"complaints": list(complaints)}
        super().__init__("; ".join(complaints), status=400, details=details)


class Fields:
    """The fields of one request. What is wrong with them is told at the end, all of it, by `done`."""

    def __init__(self, document: Any) -> None:
        self._fields: Mapping[str, Any] = document if isinstance(document, dict) else {}
        self._asked: set[str] = set()
        self._complaints = [] if isinstance(document, dict) else ["not a JSON object"]

    def done(self) -> None:
        """Raises:
        Complaints: something was wrong, missing, or not asked for.
        """
        unknown = [f"{name}: no such field" for name in self._fields if name not in self._asked]
        if self._complaints or unknown:
            raise Complaints([*self._complaints, *unknown])

    def complain(self, name: str, words: str) -> None:
        self._complaints.append(f"{name}: {words}")

    def _read(self, name: str, default: Value, read: Callable[[Any], Value]) -> Value:
        self._asked.add(name)
        if self._fields.get(name) is None:
            return default
        try:
            return read(self._fields[name])
        except (ValueError, TypeError, AttributeError) as error:
            self.complain(name, str(error))
            return default

    def has(self, name: str) -> bool:
        self._asked.add(name)
        return self._fields.get(name) is not None

    def needed(self, name: str) -> None:
        if not self.has(name):
            self.complain(name, "missing")

    def text(self, name: str, default: str = "") -> str:
        return self._read(name, default, _text)

    def choice(self, name: str, among: Mapping[str, Value], default: Value) -> Value:
        def read(value: Any) -> Value:
            if not isinstance(value, str) or value not in among:
                raise ValueError(f"{value!r} is none of {', '.join(among)}")
            return among[value]

        return self._read(name, default, read)

    def flag(self, name: str, default: bool) -> bool:
        return self._read(name, default, _flag)

    def whole(self, name: str, default: int) -> int:
        return self._read(name, default, _whole)

    def amount(self, name: str, default: int = 0) -> int:
        """Dollars or shares as a decimal text, in millionths."""
        return self._read(name, default, _amount)

    def amounts(self, name: str) -> dict[str, int]:
        """Decimal texts by a name of each."""
        return self._read(name, {}, lambda value: {each: _amount(text) for each, text in value.items()})

    def listed(self, name: str) -> list[str]:
        return self._read(name, [], lambda value: [_text(each) for each in value])

    def span_ms(self, name: str, default: int = 0) -> int:
        """A time of whole milliseconds, or as text: "250ms", "40s", "5m", "2h", "1d"."""
        return self._read(name, default, _span)

    def address(self, name: str) -> str:
        """In lower case."""
        self.needed(name)
        return self._read(name, "", _address)

    def market(self, world: World) -> Market | None:
        """By `condition_id`, or by `market`: a condition id or a slug."""
        named = self.text("condition_id") or self.text("market")
        self.has("market")
        markets = world.exchange.markets
        found = markets.get(named) or markets.get(named.lower())
        if found is None:
            found = next((market for market in markets.values() if market.slug == named), None)
        if found is None:
            self.complain("market", f"{named!r} is no condition id or slug here" if named else "missing")
        return found

    def outcome(self, market: Market | None) -> int:
        """By name, or 0 and 1; the first where it is left out."""

        def read(value: Any) -> int:
            if value in (0, 1) and not isinstance(value, bool):
                return int(value)
            if market is None or value not in market.outcomes:
                raise ValueError(f"{value!r} is no outcome of the market")
            return market.outcomes.index(value)

        return self._read("outcome", 0, read)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _amount(value: Any) -> int:
    amount = to_micros(_text(value))
    if amount < 0:
        raise ValueError(f"{value!r} is below zero")
    return amount


def _span(value: Any) -> int:
    if isinstance(value, str):
        found = _SPAN.fullmatch(value)
        if found is None:
            raise ValueError(f"{value!r} is no time: write 250ms, 40s, 5m, 2h or 1d")
        return int(found[1]) * _UNITS[found[2]]
    return _whole(value)


def _address(value: Any) -> str:
    if not _ADDRESS.fullmatch(_text(value)):
        raise ValueError(f"{value!r} is not an address")
    return str(value).lower()
