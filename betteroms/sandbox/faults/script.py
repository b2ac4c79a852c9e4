"""Reads fault scripts: which fault strikes where, when and whom.

A script is JSON: `{"seed": 7, "rules": [{"on": "POST /order", "fault": "lost_answer", "nth": 3}]}`. A rule
has

* `on`: a method and a path (`*` is any one segment, `**` all the rest), `WS` and a channel, or `TRADE`;
* `fault` and its parameters, as in `faults.kinds.KINDS`;
* one of `nth` (only that one), `every` (each k-th), `first` (the first n), `probability`; none: always;
* `times`: how often it strikes at most;
* `match`: what the request, message or trade must be about; of look-ups, the orders that are forgotten.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from betteroms.sandbox.faults.kinds import KINDS, Place, Unfit

RULES_MAX: Final = 1_000
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "*")
CHANNELS: Final = ("/ws/market", "/ws/user")
TRADE: Final = "TRADE"
MATCHABLE: Final = ("order", "token", "market", "signer", "maker", "owner", "side", "event_type", "id")
"""What a rule can ask for; compared without regard to case."""
_WHEN: Final = ("nth", "every", "first", "probability")
_COMMON: Final = ("on", "fault", *_WHEN, "times", "match")
_POSTS: Final = ("POST /order", "POST /orders")
_LOOKUPS: Final = ("GET /data/order/*", "GET /order/*", "GET /data/orders", "GET /data/trades")


class BadScript(ValueError):
    """A script that cannot be read; every complaint with the place in the JSON that it is about."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__("; ".join(complaints))
        self.complaints = tuple(complaints)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a script. `row` is the rule as it was written."""

    method: str
    path: str
    fault: str
    parameters: Mapping[str, Any]
    when: str | None
    value: int | float
    times: int | None
    match: Mapping[str, str]
    row: Mapping[str, Any]
    pattern: re.Pattern[str]

    @property
    def place(self) -> Place:
        return KINDS[self.fault].place

    @property
    def one_order(self) -> bool:
        """Whether it is about requests for a single order."""
        return self.path.endswith("/order/*")

    def is_on(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and self.pattern.fullmatch(path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    seed: int = 0
    rules: tuple[Rule, ...] = ()


def parse(text: str | bytes, *, endpoints: Iterable[str] | None = None) -> Script:
    """Read a script's JSON. `endpoints` ("GET /data/order/{id}") are those a rule may be on, if known.

    Raises:
        BadScript: with every complaint at once.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadScript([f"no JSON: {error}"]) from None
    return read(document, endpoints=endpoints)


def read(document: Any, *, endpoints: Iterable[str] | None = None) -> Script:
    """Read a script; a rule by itself, or a list of rules, is a script too. As `parse`."""
    if isinstance(document, list):
        document = {"rules": document}
    elif isinstance(document, dict) and "fault" in document:
        document = {"rules": [document]}
    if not isinstance(document, dict):
        raise BadScript(["a script is an object with rules"])
    complaints = [f"{key}: no such field" for key in document if key not in ("seed", "rules")]
    seed, rows = document.get("seed", 0), document.get("rules", [])
    if not isinstance(seed, int) or isinstance(seed, bool):
        complaints.append(f"seed: {seed!r} is not a whole number")
    if not isinstance(rows, list):
        complaints.append("rules: not a list")
        rows = []
    if len(rows) > RULES_MAX:
        complaints.append(f"rules: {len(rows)} are more than {RULES_MAX}")
        rows = []
    known = None if endpoints is None else [_sample(endpoint) for endpoint in endpoints]
    readers = [_Reader(row, f"rules[{number}]", known) for number, row in enumerate(rows)]
    rules = [reader.rule() for reader in readers]
    complaints += [complaint for reader in readers for complaint in reader.complaints]
    if complaints:
        raise BadScript(complaints)
    return Script(seed=seed, rules=tuple(rule for rule in rules if rule is not None))


def _sample(endpoint: str) -> tuple[str, str]:
    """A request that the endpoint would answer."""
    method, _, path = endpoint.partition(" ")
    return method, re.sub(r"\{[^}]*\}", "1", path)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", path)
    return re.compile("".join({"**": ".*", "*": "[^/]+"}.get(part, re.escape(part)) for part in parts))


@dataclass(slots=True)
class _Reader:
    """Reads one rule and keeps what is wrong with it."""

    row: Any
    place: str
    known: list[tuple[str, str]] | None
    complaints: list[str] = field(default_factory=list)

    def rule(self) -> Rule | None:
        if not isinstance(self.row, dict):
            self.complaints.append(f"{self.place}: a rule is an object")
            return None
        fault = self._fault()
        method, path = self._on(fault)
        when, value = self._when()
        times = self._times()
        match = self._match()
        parameters = self._parameters(fault)
        if self.complaints:
            return None
        return Rule(
            method=method,
            path=path,
            fault=fault,
            parameters=parameters,
            when=when,
            value=value,
            times=times,
            match=match,
            row=self.row,
            pattern=_pattern(path),
        )

    def _complain(self, name: str, words: str) -> None:
        self.complaints.append(f"{self.place}.{name}: {words}")

    def _fault(self) -> str:
        fault = self.row.get("fault")
        if not isinstance(fault, str) or fault not in KINDS:
            self._complain("fault", f"{fault!r} is none of {', '.join(KINDS)}")
            return ""
        return fault

    def _on(self, fault: str) -> tuple[str, str]:
        on = self.row.get("on")
        if not isinstance(on, str):
            self._complain("on", "says where the fault strikes, as POST /order")
            return "", ""
        method, _, path = ("* /**" if on == "*" else on).partition(" ")
        if on == TRADE:
            path = ""
        elif method == "WS":
            if path not in CHANNELS:
                self._complain("on", f"{on!r}: the channels are {', '.join(CHANNELS)}")
        elif method not in METHODS or not path.startswith("/"):
            self._complain("on", f"{on!r} is not a method and a path, WS and a channel, or {TRADE}")
        elif self.known is not None and not self._is_known(method, path):
            self._complain("on", f"{on!r}: no endpoint of the venue is meant by it")
        if fault and not _may_be_on(KINDS[fault].place, method, path):
            self._complain("on", f"{fault} strikes only on {KINDS[fault].place}")
        return method, path

    def _is_known(self, method: str, path: str) -> bool:
        pattern = _pattern(path)
        return any(method in ("*", had) and pattern.fullmatch(sample) for had, sample in self.known or ())

    def _when(self) -> tuple[str | None, int | float]:
        given = [name for name in _WHEN if name in self.row]
        if len(given) > 1:
            self._complain(given[1], f"{' and '.join(given)} exclude each other")
        for name in given:
            value = self.row[name]
            if name == "probability":
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                    self._complain(name, f"{value!r} is not within 0 and 1")
            elif isinstance(value, bool) or not isinstance(value, int) or value < 1:
                self._complain(name, f"{value!r} is not a whole number of at least 1")
        return (given[0], self.row[given[0]]) if given else (None, 0)

    def _times(self) -> int | None:
        times = self.row.get("times")
        if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
            self._complain("times", f"{times!r} is not a whole number of at least 1")
            return None
        return times if times is None else int(times)

    def _match(self) -> Mapping[str, str]:
        match = self.row.get("match", {})
        if not isinstance(match, dict):
            self._complain("match", "not an object")
            return {}
        for name, value in match.items():
            if name not in MATCHABLE:
                self._complain(f"match.{name}", f"none of {', '.join(MATCHABLE)}")
            elif not isinstance(value, str):
                self._complain(f"match.{name}", f"{value!r} is not a text")
        return {name: str(value).lower() for name, value in match.items()}

    def _parameters(self, fault: str) -> Mapping[str, Any]:
        if not fault:
            return {}
        table = KINDS[fault].parameters
        for name in self.row:
            if name not in table and name not in _COMMON:
                self._complain(name, f"{fault} takes no such parameter")
        found: dict[str, Any] = {}
        for name, parameter in table.items():
            try:
                found[name] = parameter.read(self.row[name]) if name in self.row else parameter.default
            except Unfit as error:
                self._complain(name, str(error))
        return found


def _may_be_on(place: Place, method: str, path: str) -> bool:
    match place:
        case Place.TRADE:
            return method == TRADE
        case Place.STREAM:
            return method == "WS"
        case Place.POSTS:
            return f"{method} {path}" in _POSTS
        case Place.LOOKUPS:
            return f"{method} {path}" in _LOOKUPS
        case Place.READS:
            return method == "GET"
        case Place.REQUEST:
            return method not in ("WS", TRADE)
