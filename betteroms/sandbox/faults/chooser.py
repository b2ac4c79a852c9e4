"""Decides which fault strikes: by counting and by the script's seed alone, never by the machine's chance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from betteroms.sandbox.faults.kinds import Place
from betteroms.sandbox.faults.script import Rule, Script, read

_CHANCES: Final = 1 << 64


class Subject(Protocol):
    """What a request, a message or a trade is about."""

    def values(self, name: str) -> frozenset[str]:
        """All it has under one of `script.MATCHABLE`, in lower case."""
        ...


@dataclass(slots=True, kw_only=True)
class Armed:
    """A rule at work. `seen` counts what it was asked about, `hits` how often it struck."""

    rule: Rule
    number: int
    seen: int = 0
    hits: int = 0

    def strikes(self, seed: int) -> bool:
        """Whether it strikes now; counts."""
        rule = self.rule
        if rule.times is not None and self.hits >= rule.times:
            return False
        self.seen += 1
        match rule.when:
            case "nth":
                struck = self.seen == rule.value
            case "every":
                struck = self.seen % int(rule.value) == 0
            case "first":
                struck = self.seen <= rule.value
            case "probability":
                struck = _chance(seed, self.number, self.seen) < rule.value * _CHANCES
            case _:
                struck = True
        self.hits += struck
        return struck


def _chance(seed: int, number: int, seen: int) -> int:
    return int.from_bytes(sha256(f"faults:{seed}:{number}:{seen}".encode()).digest()[:8], "big")


class Faults:
    """The rules of a venue, in the order they came.

    A request is shown to the rules one after the other. `latency` adds to whatever else strikes; any other
    fault that strikes is the last one: the rules behind it do not see the request. `changed` is called when
    there are other rules than before.
    """

    def __init__(self, script: Script | None = None) -> None:
        self.seed = 0
        self.rules: list[Armed] = []
        self._next = 0
        self.changed: Callable[[], None] = lambda: None
        self._replace(script or Script())

    def _replace(self, script: Script) -> None:
        self.seed, self.rules, self._next = script.seed, [], 0
        self.add(script)

    def add(self, script: Script) -> None:
        """Put more rules behind those that are there. The seed stays the first script's that had rules."""
        if not self.rules:
            self.seed = script.seed
        for rule in script.rules:
            self.rules.append(Armed(rule=rule, number=self._next))
            self._next += 1
        self._note()

    def clear(self) -> None:
        self._replace(Script())

    def _note(self) -> None:
        """So that a venue without rules of a sort pays nothing for them."""
        places = {armed.rule.place for armed in self.rules}
        self.on_trades = Place.TRADE in places
        self.on_streams = Place.STREAM in places
        self.on_requests = bool(places - {Place.TRADE, Place.STREAM})
        self.on_reads = Place.READS in places
        self.changed()

    def struck(self, method: str, path: str, subject: Subject) -> list[Rule]:
        """The rules that strike this, in order; the counters go on."""
        found: list[Rule] = []
        for armed in self.rules:
            rule = armed.rule
            if not rule.is_on(method, path) or not _meant(_asked_for(rule), subject):
                continue
            if armed.strikes(self.seed):
                found.append(rule)
                if rule.fault != "latency":
                    break
        return found

    def shown(self) -> dict[str, Any]:
        """The rules as they were written, with how often each was asked and struck."""
        return {
            "seed": self.seed,
            "rules": [
                {"number": armed.number, "seen": armed.seen, "hits": armed.hits, "rule": dict(armed.rule.row)}
                for armed in self.rules
            ],
        }

    def state(self) -> dict[str, Any]:
        return {**self.shown(), "next": self._next}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` told, unless there are other rules already: those were given on purpose.

        Raises:
            BadScript: a rule that this version does not know.
        """
        rows = [dict(armed.rule.row) for armed in self.rules]
        if not rows or rows == [row["rule"] for row in state["rules"]]:
            self.restore(state)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what `state` told.

        Raises:
            BadScript: a rule that this version does not know.
        """
        script = read({"rules": [row["rule"] for row in state["rules"]]})
        self.seed, self._next = state["seed"], state["next"]
        self.rules = [
            Armed(rule=rule, number=row["number"], seen=row["seen"], hits=row["hits"])
            for rule, row in zip(script.rules, state["rules"], strict=True)
        ]
        self._note()


def _asked_for(rule: Rule) -> Mapping[str, str]:
    """What the request itself must be about. Look-ups match the orders in the answer instead, but for the one
    order that is asked for by its id."""
    if rule.place is not Place.LOOKUPS:
        return rule.match
    return {"order": rule.match["order"]} if rule.one_order and "order" in rule.match else {}


def _meant(match: Mapping[str, str], subject: Subject) -> bool:
    return all(value in subject.values(name) for name, value in match.items())
