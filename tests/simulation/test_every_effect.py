"""Die before and after every effect that a run has on the world outside; then run again.

The ports of a desk are where a run touches anything. Each call of one is a moment to die at.
"""

import pytest

from betteroms.domain.errors import PlanAlreadyRun
from tests.simulation.mortal import Death, Fate, mortal
from tests.simulation.stage import Rewindable, carry_out
from tests.simulation.worlds import Act

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
    "ledger.note",
    "clock.now",
    "ledger.close_run",
]
"""What a paper run does to the world, in its order. A new effect belongs here, and is then died at."""


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
