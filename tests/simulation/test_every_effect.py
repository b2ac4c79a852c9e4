"""Die before and after every effect that a run has on the world outside; then run again.

The ports of a desk are where a run touches anything. Each call of one is a moment to die at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from betteroms.domain.errors import PlanAlreadyRun
from betteroms.jobs.desk import Desk
from tests.simulation.stage import Rewindable, carry_out
from tests.simulation.worlds import Act

PORTS = ("ledger", "catalog", "market_data", "archive", "clock")
EFFECTS = [
    "clock.now",
    "ledger.find_run",
    "catalog.markets",
    "ledger.open_run",
    "ledger.snapshot",
    "market_data.books",
    "archive.payloads",
    "ledger.observe",
    "executor.poll",
    "ledger.apply",
    "executor.prepare",
    "ledger.record",
    "executor.submit",
    "ledger.apply",
    "clock.now",
    "ledger.close_run",
]
"""What a paper run does to the world, in its order. A new effect belongs here, and is then died at."""


class Death(BaseException):
    """The end of a process; nobody may catch it and go on."""


@dataclass
class Fate:
    """When to die. A dead process has no more effects; an interrupted one may still tidy up."""

    moment: int | None = None
    after: bool = False
    dead_for_good: bool = True
    met: list[str] = field(default_factory=list)
    over: bool = False

    def __call__(self, name: str, effect: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.over:
            if self.dead_for_good:
                raise Death
            return effect(*args, **kwargs)
        self.met.append(name)
        if len(self.met) - 1 == self.moment and not self.after:
            self._strike()
        answer = effect(*args, **kwargs)
        if len(self.met) - 1 == self.moment and self.after:
            self._strike()
        return answer

    def _strike(self) -> None:
        self.over = True
        raise Death


class Mortal:
    """A port whose every call may be the last."""

    def __init__(self, name: str, port: Any, fate: Fate) -> None:
        self._name, self._port, self._fate = name, port, fate

    def __getattr__(self, method: str) -> Any:
        effect = getattr(self._port, method)
        if not callable(effect):
            return effect
        return lambda *args, **kwargs: self._fate(f"{self._name}.{method}", effect, *args, **kwargs)


def mortal(fate: Fate) -> Callable[[Desk], Desk]:
    """Put every port of a desk in the hands of fate."""

    def change(desk: Desk) -> Desk:
        ports: dict[str, Any] = {name: Mortal(name, getattr(desk, name), fate) for name in PORTS}
        make = desk.executor
        ports["executor"] = lambda *world: Mortal("executor", make(*world), fate)
        return replace(desk, **ports)

    return change


def is_done_by_now(database: Rewindable, act: Act) -> bool:
    """Run again without faults; whether it had been completed before."""
    try:
        carry_out(act, database.url)
    except PlanAlreadyRun:
        return True
    return False


def test_these_are_all_the_effects_of_a_run(rewindable: Rewindable, evening: Act) -> None:
    rewindable.rewind()
    fate = Fate()
    carry_out(evening, rewindable.url, change=mortal(fate))
    assert fate.met == EFFECTS


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", range(len(EFFECTS)), ids=EFFECTS)
def test_a_run_that_dies_at_any_effect_is_made_whole_by_the_next(
    rewindable: Rewindable, evening: Act, undisturbed: str, moment: int, after: bool
) -> None:
    rewindable.rewind()
    with pytest.raises(Death):
        carry_out(evening, rewindable.url, change=mortal(Fate(moment, after)))
    completed = after and EFFECTS[moment] == "ledger.close_run"
    opened = moment > EFFECTS.index("ledger.open_run") or (after and EFFECTS[moment] == "ledger.open_run")
    was = rewindable.statuses().get("evening")
    assert was == ("completed" if completed else "running" if opened else None)
    assert is_done_by_now(rewindable, evening) is completed
    assert rewindable.inspect() == ([], undisturbed)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", range(len(EFFECTS)), ids=EFFECTS)
def test_a_run_interrupted_at_any_effect_says_so_and_is_made_whole_by_the_next(
    rewindable: Rewindable, evening: Act, undisturbed: str, moment: int, after: bool
) -> None:
    rewindable.rewind()
    with pytest.raises(Death):
        carry_out(evening, rewindable.url, change=mortal(Fate(moment, after, dead_for_good=False)))
    completed = after and EFFECTS[moment] == "ledger.close_run"
    complaints, _ = rewindable.inspect()
    assert complaints == [], "what is left behind between two attempts can be explained too"
    was = rewindable.statuses().get("evening")
    opened = EFFECTS.index("ledger.open_run")
    allowed = {None} if moment < opened or (moment == opened and not after) else {"running", "failed"}
    assert was in ({"completed"} if completed else allowed)
    assert was == "failed" or completed or moment <= opened
    assert is_done_by_now(rewindable, evening) is completed
    assert rewindable.inspect() == ([], undisturbed)
