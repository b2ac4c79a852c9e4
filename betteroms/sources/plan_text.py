"""From the bytes of a plan to JSON values, nothing lost: exact numbers, every key once."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from betteroms.domain.errors import InexactAmount
from betteroms.domain.money import TEXT_LENGTH_MAX, to_micros, to_text
from betteroms.sources.plan_problems import Path, Problem, cut, quoted

PLAN_BYTES_MAX: Final = 64 * 1024 * 1024
DEPTH_MAX: Final = 20
"""Objects and lists within each other; a valid plan needs three."""
KEYS_MAX: Final = 100
"""Keys of one object; no object of a plan has a third of them."""
NUMBER_PATTERN: Final = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
"""A number in quotes is written as JSON would write it without them."""

_NUMBER: Final = re.compile(NUMBER_PATTERN)
_NUMBERS_REMEMBERED_MAX: Final = 100_000
_PLAIN_LENGTH_MAX: Final = 20
_DECIMALS_MAX: Final = 6
_TOO_DEEP: Final = f"is nested deeper than {DEPTH_MAX} levels"


class Unreadable(Exception):
    """The bytes are no JSON at all, so that there is nothing else to complain about."""


class Inexact:
    """A JSON number that is not a whole number of millionths, and why not."""

    __slots__ = ("text", "why")

    def __init__(self, text: str, why: str) -> None:
        self.text = text
        self.why = why


class _Numbers(dict[str, int | Inexact]):
    """The numbers of one document, each distinct one read once: plans repeat their prices."""

    def __missing__(self, text: str) -> int | Inexact:
        number = _number(text)
        if len(self) < _NUMBERS_REMEMBERED_MAX:
            self[text] = number
        return number


class _RepeatedKey(ValueError):
    """Some object has a key twice; which one is found out by reading again."""


def exact_json(data: bytes) -> tuple[Any, list[Problem]]:
    """Read JSON: the value, and a complaint for each key that an object has more than once.

    Every number in it is an int that counts millionths, or an `Inexact` (as are NaN and Infinity).

    Raises:
        Unreadable: too large, not UTF-8, not JSON, or nested beyond what can be read.
    """
    text = _decoded(data)
    try:
        try:
            return (_loads(text, _object), []) if not _may_be_halved(text) else _careful(text)
        except _RepeatedKey:
            return _careful(text)
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"is not valid JSON at {place}: {error.msg}") from None


def micros_of(value: object) -> int:
    """The millionths of a number in JSON, or of one in quotes.

    Raises:
        ValueError: no number, or not an exact one.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = _number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Inexact):
        raise ValueError(value.why)
    raise ValueError(f"{shown(value)} is not a number")


def shown(value: object) -> str:
    """A value read by `exact_json`, as a complaint repeats it."""
    match value:
        case Inexact():
            return cut(value.text)
        case str():
            return quoted(value)
        case dict():
            return "an object"
        case list():
            return "a list"
        case bool() | None:
            return json.dumps(value)
        case _:
            assert isinstance(value, int), "there is nothing else in JSON"
            return cut(to_text(value))


def depth_problems(document: object) -> list[Problem]:
    """A complaint for each object or list that is nested too deep."""
    return [Problem(path, _TOO_DEEP) for path, _ in _containers(document) if len(path) == DEPTH_MAX]


def _decoded(data: bytes) -> str:
    if len(data) > PLAN_BYTES_MAX:
        raise Unreadable(f"has {len(data):,} bytes; the most is {PLAN_BYTES_MAX:,}")
    if data.startswith(codecs.BOM_UTF8):
        raise Unreadable("starts with a byte order mark; save it as UTF-8 without one")
    if not data.strip():
        raise Unreadable("is empty")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}") from None


def _may_be_halved(text: str) -> bool:
    """Whether some escape is one half of a surrogate pair; the other half may follow it, or not."""
    return "\\ud" in text or "\\uD" in text


def _loads(text: str, read_object: Any) -> Any:
    number = _Numbers().__getitem__
    return json.loads(
        text, object_pairs_hook=read_object, parse_float=number, parse_int=number, parse_constant=number
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > KEYS_MAX:
        raise Unreadable(f"has an object of {len(pairs):,} keys; the most is {KEYS_MAX}")
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RepeatedKey
    return value


def _careful(text: str) -> tuple[Any, list[Problem]]:
    """The slower way, for text with a repeated key or with half surrogate pairs, no use as keys."""
    # By identity, and held so that no other object can take an identity over.
    repeated: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(key for key, _ in pairs)
        unique = {key.encode("utf-8", "backslashreplace").decode(): entry for key, entry in pairs}
        value = _object(list(unique.items()))
        repeated[id(value)] = (value, [key for key, count in times.items() if count > 1])
        return value

    document = _loads(text, read_object)
    problems = [
        Problem((*path, key), "is written more than once")
        for path, container in _containers(document)
        if isinstance(container, dict)
        for key in repeated[id(container)][1]
    ]
    return document, problems


def _containers(document: object) -> Iterator[tuple[Path, object]]:
    """Every object and list with its path, down to the first level that is too deep."""
    waiting: list[tuple[Path, object]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if not isinstance(value, dict | list):
            continue
        yield path, value
        if len(path) < DEPTH_MAX:
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend(((*path, step), entry) for step, entry in entries)


def _number(text: str) -> int | Inexact:
    if len(text) <= _PLAIN_LENGTH_MAX:
        whole, _, fraction = text.partition(".")
        if len(fraction) <= _DECIMALS_MAX:
            try:
                # What `to_micros` would answer, in a sixth of its time: the scanner has seen to the rest.
                return int(whole + fraction.ljust(_DECIMALS_MAX, "0"))
            except ValueError:
                pass  # an exponent
    if len(text) > TEXT_LENGTH_MAX:
        return Inexact(text, f"{cut(text)} has more than {TEXT_LENGTH_MAX} characters")
    try:
        return to_micros(text)
    except InexactAmount as error:
        return Inexact(text, str(error))
