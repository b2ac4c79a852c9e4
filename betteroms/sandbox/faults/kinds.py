"""What can go wrong, by name: where each fault may strike and what it takes.

The table is the whole vocabulary of a fault script; `faults.script` reads rules by it and `docs/sandbox.md`
tells it to people. Times are whole milliseconds (`_ms`) or seconds (`_s`, as the venue's headers count).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

DURATION_MS_MAX: Final = 24 * 3_600_000


class Place(StrEnum):
    """What a rule's `on` may name for a fault: any request, posts of orders, look-ups of orders, what tells
    balances, a WebSocket channel, or a trade's settlement."""

    REQUEST = "any request"
    POSTS = "POST /order or POST /orders"
    LOOKUPS = "GET /data/order/*, GET /order/*, GET /data/orders or GET /data/trades"
    READS = "a GET request"
    STREAM = "WS /ws/market or WS /ws/user"
    TRADE = "TRADE"


class Unfit(ValueError):
    """A value that a parameter cannot take, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number within bounds."""

    default: int
    lowest: int = 0
    highest: int = DURATION_MS_MAX

    def read(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unfit(f"{value!r} is not a whole number")
        if not self.lowest <= value <= self.highest:
            raise Unfit(f"{value} is not within {self.lowest} and {self.highest}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    default: bool

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise Unfit(f"{value!r} is neither true nor false")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    default: str
    among: tuple[str, ...]

    def read(self, value: Any) -> str:
        if value not in self.among:
            raise Unfit(f"{value!r} is none of {', '.join(self.among)}")
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text."""

    default: str

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit(f"{value!r} is not a text")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Header names and their texts."""

    default: Mapping[str, str]

    def read(self, value: Any) -> Mapping[str, str]:
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise Unfit(f"{value!r} is not an object of texts")
        if not "".join([*value, *value.values()]).isprintable():
            raise Unfit("a header must be printable")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Any JSON; a text is sent as it is, anything else as JSON."""

    default: Any

    def read(self, value: Any) -> Any:
        return value


Parameter = Whole | Flag | Choice | Words | Headers | Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    place: Place
    parameters: Mapping[str, Parameter]


def _request(**parameters: Parameter) -> Kind:
    return Kind(place=Place.REQUEST, parameters=parameters)


def _posts(**parameters: Parameter) -> Kind:
    return Kind(place=Place.POSTS, parameters=parameters)


_EFFECT: Final = Flag(default=False)
_RETRY_S: Final = Whole(default=2, highest=86_400)

KINDS: Final[Mapping[str, Kind]] = {
    # The connection.
    "lost_answer": _request(),
    "cut_before": _request(),
    "latency": _request(delay_ms=Whole(default=1_000)),
    "slow_loris": _request(gap_ms=Whole(default=50, highest=60_000)),
    "truncated": _request(how=Choice(default="closed", among=("closed", "honest")), keep=Whole(default=0)),
    # Answers of the venue and of what stands before it (VENUE 7).
    "restarting": _request(retry_after_s=Whole(default=0, highest=86_400)),
    "rate_limited": _request(retry_after_s=_RETRY_S),
    "error_500": _request(text=Words(default="could not insert order"), effect=_EFFECT),
    "order_timed_out": _posts(),
    "error_502": _request(effect=_EFFECT),
    "answer": _request(
        status=Whole(default=500, lowest=200, highest=599),
        body=Document(default=""),
        headers=Headers(default={}),
        effect=_EFFECT,
    ),
    "post_only": _posts(retry_after_s=Whole(default=79, highest=86_400)),
    "cancel_only": _posts(),
    "halted": _posts(),
    # What a post says of its order.
    "unmatched": _posts(effect=Flag(default=True)),
    "delayed": _posts(delay_s=Whole(default=3, lowest=1, highest=86_400)),
    "late_landing": _posts(
        after_ms=Whole(default=40_000, lowest=1),
        answer=Choice(default="hang", among=("hang", "cut")),
        hang_ms=Whole(default=120_000, lowest=1),
    ),
    # What is told of what was done.
    "forgetful": Kind(
        place=Place.LOOKUPS,
        parameters={
            "says": Choice(default="404", among=("404", "null", "empty")),
            "of": Choice(default="dead", among=("dead", "all")),
            "for_ms": Whole(default=0),
        },
    ),
    "lagging": Kind(place=Place.READS, parameters={"lag_ms": Whole(default=30_000, lowest=1)}),
    # The venue itself.
    "restart": _request(down_ms=Whole(default=5_000), post_only_ms=Whole(default=120_000)),
    # The WebSocket channels.
    "duplicate": Kind(place=Place.STREAM, parameters={"copies": Whole(default=2, lowest=2, highest=100)}),
    "reorder": Kind(place=Place.STREAM, parameters={}),
    "drop": Kind(place=Place.STREAM, parameters={}),
    "stall": Kind(place=Place.STREAM, parameters={}),
    "cut": Kind(place=Place.STREAM, parameters={}),
    # Settlement.
    "retrying": Kind(place=Place.TRADE, parameters={"attempts": Whole(default=1, lowest=1, highest=20)}),
    "failed": Kind(place=Place.TRADE, parameters={"attempts": Whole(default=0, highest=20)}),
}
"""`effect`: whether the request is carried out all the same. Zero for `keep`: half the answer; for
`retry_after_s` of `restarting`: no such header; for `for_ms`: for ever."""
