"""Die before and after every single message that a run sends to the server; then run again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from betteroms.domain.errors import DatabaseUnavailable, PlanAlreadyRun
from betteroms.jobs.desk import Desk
from betteroms.ports import Clock
from tests.simulation import worlds
from tests.simulation.conftest import MakeDatabase
from tests.simulation.killing import find
from tests.simulation.pgproxy import At, Message, Proxy
from tests.simulation.stage import Rewindable, StoppedClock, carry_out, inspect
from tests.simulation.worlds import Act

SOAK_SEEDS = range(40)
SOAK_ACTS = 25
SOAK_CHANCE = 0.9
SLICES = 4
"""The moments are dealt out to so many tests, so that they run beside each other."""


def rehearsed(database: Rewindable, act: Act) -> tuple[list[Message], set[int]]:
    """What an undisturbed run says to the server, and which of it is answered."""
    database.rewind()
    with Proxy(database.url) as proxy:
        carry_out(act, proxy.url)
    return list(proxy.log), set(proxy.answers)


def moments(log: list[Message], answered: set[int]) -> list[tuple[int, bool]]:
    """Before each message, and after each one that the server answers."""
    return [(message.number, False) for message in log] + [(number, True) for number in sorted(answered)]


def cut_at(url: str, act: Act, number: int, *, after: bool, clock: Clock | None = None) -> bool:
    """Lose the server at one moment, as it would see its client die; whether the run came that far."""
    struck: list[int] = []
    with Proxy(url) as proxy:
        proxy.fault = At(number, after, lambda: struck.append(number))
        with suppress(DatabaseUnavailable, PlanAlreadyRun):
            carry_out(act, proxy.url, change=at(clock))
    return bool(struck)


def again(url: str, act: Act, *, clock: Clock | None = None) -> bool:
    """Run once more without faults; whether there was anything left to do."""
    try:
        carry_out(act, url, change=at(clock))
    except PlanAlreadyRun:
        return False
    return True


@pytest.mark.parametrize("part", range(SLICES))
def test_a_run_cut_at_any_message_is_found_whole_or_made_whole_by_the_next(
    rewindable: Rewindable, evening: Act, undisturbed: str, part: int
) -> None:
    log, answered = rehearsed(rewindable, evening)
    last_commit = find(log, "COMMIT", nth=-1)
    every = moments(log, answered)
    for number, after in every[part::SLICES]:
        rewindable.rewind()
        assert cut_at(rewindable.url, evening, number, after=after), f"there was no message {number}"
        committed = number > last_commit or (number == last_commit and after)
        was = rewindable.statuses().get("evening")
        assert was in (("completed",) if committed else (None, "running")), (number, after, was)
        assert again(rewindable.url, evening) is not committed, (number, after)
        complaints, digest = rewindable.inspect()
        assert complaints == [], (number, after)
        assert digest == undisturbed, (number, after)


def test_the_moments_are_all_there_are(rewindable: Rewindable, evening: Act) -> None:
    log, answered = rehearsed(rewindable, evening)
    assert [message.number for message in log] == list(range(1, len(log) + 1))
    # What has no answer of its own is a part of what is answered later, or the farewell.
    assert {message.kind for message in log if message.number not in answered} == set("PBDEdX")
    assert {message.kind for message in log if message.number in answered} == {*"QSc", "startup"}
    assert len(moments(log, answered)) > 150
    for table in ("orders", "executions", "audit_logs", "liquidity_taken", "seen"):
        assert find(log, f"COPY {table}", kind="d")


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_thousands_of_cuts_in_random_worlds(make_database: MakeDatabase, tmp_path: Path, seed: int) -> None:
    chance = Random(f"cuts {seed}")
    here, there = make_database(), make_database()
    print(f"seed {seed}")
    cuts = 0
    for hour in range(SOAK_ACTS):
        stamp = worlds.EVENING_MS + hour * 3_600_000
        act = worlds.by_chance(tmp_path, chance, plan_id=f"soak-{hour}", stamp=stamp)
        # Both ledgers live through the same hours, in which orders run out.
        clock = StoppedClock(datetime.now(UTC).replace(minute=0) + timedelta(hours=hour))
        with Proxy(there) as proxy:
            carry_out(act, proxy.url, change=at(clock))
        every = moments(list(proxy.log), set(proxy.answers))
        while chance.random() < SOAK_CHANCE:
            number, after = chance.choice(every)
            cuts += cut_at(here, act, number, after=after, clock=clock)
        again(here, act, clock=clock)
        assert inspect(here) == inspect(there), (seed, hour)
    assert inspect(here)[0] == [], seed
    print(f"{cuts} cuts")


def at(clock: Clock | None) -> Callable[[Desk], Desk]:
    """Set the desk's clock."""
    return lambda desk: desk if clock is None else replace(desk, clock=clock)
