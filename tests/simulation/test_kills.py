"""SIGKILL for the real command at the moments that matter, and at many that chance chooses."""

import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from tests.simulation import worlds
from tests.simulation.conftest import Copies, MakeDatabase
from tests.simulation.killing import (
    ALREADY_RUN,
    CARRIED_OUT,
    DATABASE,
    DONE,
    Victim,
    find,
    harmed,
    killed_at,
    traded,
)
from tests.simulation.pgproxy import At, Fault, Message
from tests.simulation.stage import inspect
from tests.simulation.worlds import Act

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is for unix")

BEFORE, AFTER = False, True
FAREWELL = "saying goodbye"
"""Nobody waits for an answer to this, so that a process may be gone by itself before it can be killed."""
MOMENTS = {
    "on connecting": ("startup", "", 1, BEFORE),
    "connected, and not told": ("startup", "", 1, AFTER),
    "asking for the lock": ("P", "SELECT pg_try_advisory_lock", 1, BEFORE),
    "opening the run": ("P", "INSERT INTO runs", 1, BEFORE),
    "about to commit the opening": ("Q", "COMMIT", 1, BEFORE),
    "opened, and not told": ("Q", "COMMIT", 1, AFTER),
    "beginning the last transaction": ("Q", "BEGIN", -1, AFTER),
    "asking to copy orders": ("Q", "COPY orders", 1, BEFORE),
    "while copying orders": ("d", "COPY orders", 1, BEFORE),
    "orders not ended": ("c", "COPY orders", 1, BEFORE),
    "orders copied": ("c", "COPY orders", 1, AFTER),
    "while copying executions": ("d", "COPY executions", 1, BEFORE),
    "executions copied": ("c", "COPY executions", 1, AFTER),
    "while copying events": ("d", "COPY audit_logs", -1, BEFORE),
    "while copying the liquidity memory": ("d", "COPY liquidity_taken", 1, BEFORE),
    "completing the run": ("P", "UPDATE runs", 1, BEFORE),
    "about to commit": ("Q", "COMMIT", -1, BEFORE),
    "committed, and not told": ("Q", "COMMIT", -1, AFTER),
    FAREWELL: ("X", "", 1, BEFORE),
}
LAST_WORD = "committed, and not told"
CHANCES = 6
KILLS_IN_A_ROW = 3
SOAK_SEEDS = range(40)
SOAK_ACTS = 15
SOAK_CHANCE = 0.9
LARGE = 2_200
"""Instructions: so many that a run writes in batches while it decides, and each COPY takes many messages."""
PARTS = 3


@pytest.fixture(scope="session")
def said(copies: Copies, evening: Act, tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    """What the undisturbed command says to the server."""
    home = tmp_path_factory.mktemp("said") / "home"
    with copies() as url:
        harm = harmed(evening, url, home, lambda _: Fault())
    assert harm.told.code in CARRIED_OUT, harm.told.err
    return harm.log


def finish(act: Act, url: str, home: Path) -> int:
    """Run without faults; how it ended: carried out now, or before."""
    done = traded(act, url, home)
    assert done.code in (*CARRIED_OUT, ALREADY_RUN), done.err
    if done.code == ALREADY_RUN:
        assert "planId already exists" in done.err
    return done.code if done.code == ALREADY_RUN else DONE


@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != FAREWELL])
def test_a_killed_run_is_made_whole_by_the_next(
    after_morning: str, evening: Act, undisturbed: str, said: list[Message], home_directory: Path, moment: str
) -> None:
    kind, text, nth, after = MOMENTS[moment]
    number = find(said, text, kind=kind, nth=nth)
    killed_at(evening, after_morning, home_directory, number=number, after=after)
    assert inspect(after_morning)[0] == [], "what a dead process leaves behind can be explained too"
    code = finish(evening, after_morning, home_directory)
    assert code == (ALREADY_RUN if moment == LAST_WORD else DONE)
    assert inspect(after_morning) == ([], undisturbed)


@pytest.mark.parametrize("seed", range(CHANCES))
def test_a_run_killed_again_and_again_is_made_whole_by_the_first_that_lives(
    after_morning: str, evening: Act, undisturbed: str, said: list[Message], home_directory: Path, seed: int
) -> None:
    chance = Random(seed)
    for _ in range(chance.randint(1, KILLS_IN_A_ROW)):
        number = chance.randint(1, find(said, "COMMIT", nth=-1))
        killed_at(evening, after_morning, home_directory, number=number, after=BEFORE)
    assert finish(evening, after_morning, home_directory) == DONE
    assert inspect(after_morning) == ([], undisturbed)


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A large run that nobody disturbed: what it said, and the state it led to."""

    act: Act
    log: list[Message]
    digest: str


@pytest.fixture(scope="module")
def large(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    directory = tmp_path_factory.mktemp("large")
    act = worlds.many(directory, LARGE, plan_id="large")
    with copies() as url:
        harm = harmed(act, url, directory / "home", lambda _: Fault())
        assert harm.told.code in CARRIED_OUT, harm.told.err
        complaints, digest = inspect(url)
    assert complaints == []
    return Rehearsal(act=act, log=harm.log, digest=digest)


@pytest.mark.parametrize(
    ("part", "deed"),
    [
        (0, "kill"),
        (1, "SIGINT"),
        (2, "kill"),
        *(pytest.param(*each, marks=pytest.mark.soak) for each in [(1, "kill"), (0, "SIGTERM")]),
    ],
)
def test_a_large_run_stopped_while_it_copies_leaves_none_of_it(
    after_morning: str, large: Rehearsal, home_directory: Path, part: int, deed: str
) -> None:
    assert find(large.log, "COPY orders", nth=2), "this run was meant to be written in batches"
    first, last = find(large.log, "COPY orders", kind="d"), find(large.log, "COMMIT", nth=-1)
    number = first + (last - 1 - first) * part // (PARTS - 1)
    if deed == "kill":
        killed_at(large.act, after_morning, home_directory, number=number, after=BEFORE)
    else:
        sent = signal.Signals[deed]
        fault = partial(_signalled, number, BEFORE, sent)
        assert harmed(large.act, after_morning, home_directory, fault).told.code == 128 + sent
    with psycopg.connect(after_morning) as connection:
        rows = connection.execute("SELECT count(*) FROM orders WHERE plan_id = 'large'").fetchone()
        assert rows == (0,)
    assert finish(large.act, after_morning, home_directory) == DONE
    assert inspect(after_morning) == ([], large.digest)


@pytest.mark.parametrize(
    ("text", "after"),
    [("COMMIT", BEFORE), ("COMMIT", AFTER)],
    ids=["the commit is lost", "its answer is lost"],
)
def test_a_run_that_loses_the_server_at_its_commit_does_not_claim_to_know(
    after_morning: str,
    evening: Act,
    undisturbed: str,
    said: list[Message],
    home_directory: Path,
    text: str,
    after: bool,
) -> None:
    number = find(said, text, nth=-1)
    harm = harmed(evening, after_morning, home_directory, lambda _: At(number, after))
    assert harm.told.code == DATABASE
    assert harm.told.out == ""
    assert finish(evening, after_morning, home_directory) == (ALREADY_RUN if after else DONE)
    assert inspect(after_morning) == ([], undisturbed)


def signalled() -> Iterator[Any]:
    """A moment with a signal: every other one in the suite, and the last word; all of them with --soak."""
    signals = zip(
        [*MOMENTS, *range(6)], cycle((signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGINT))
    )
    for count, (moment, number) in enumerate(signals):
        yield pytest.param(moment, number, marks=[pytest.mark.soak] if count % 2 else [])
    yield LAST_WORD, signal.SIGTERM


@pytest.mark.parametrize(("moment", "number"), list(signalled()))
def test_a_run_that_is_told_to_stop_stops_with_nothing_half_done(
    after_morning: str,
    evening: Act,
    undisturbed: str,
    said: list[Message],
    home_directory: Path,
    moment: str | int,
    number: signal.Signals,
) -> None:
    if isinstance(moment, str):
        kind, text, nth, after = MOMENTS[moment]
        at = find(said, text, kind=kind, nth=nth)
    else:
        at, after = Random(moment).randint(1, len(said)), BEFORE

    harm = harmed(evening, after_morning, home_directory, partial(_signalled, at, after, number))
    # What is done already is not undone by a signal that comes too late to matter.
    late = at >= find(said, "COMMIT", nth=-1)
    assert harm.told.code in ((128 + number, *CARRIED_OUT) if late else (128 + number,)), harm.told
    complaints, _ = inspect(after_morning)
    assert complaints == []
    with psycopg.connect(after_morning) as connection:
        row = connection.execute("SELECT status FROM runs WHERE plan_id = 'evening'").fetchone()
    assert row in (None, ("running",), ("failed",), ("completed",))
    assert finish(evening, after_morning, home_directory) == (ALREADY_RUN if row == ("completed",) else DONE)
    assert inspect(after_morning) == ([], undisturbed)


def _signalled(at: int, after: bool, number: signal.Signals, victim: Victim) -> Fault:
    return At(at, after, lambda: victim.signal(number), cut=False)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_thousands_of_kills_in_random_worlds(
    make_database: MakeDatabase, tmp_path: Path, home_directory: Path, seed: int
) -> None:
    chance = Random(f"kills {seed}")
    here, there = make_database(), make_database()
    print(f"seed {seed}")
    kills = 0
    for number in range(SOAK_ACTS):
        stamp = worlds.EVENING_MS + number * 60_000
        act = worlds.by_chance(tmp_path, chance, plan_id=f"soak-{number}", stamp=stamp)
        rehearsal = harmed(act, there, home_directory, lambda _: Fault())
        assert rehearsal.told.code in CARRIED_OUT, rehearsal.told.err
        while chance.random() < SOAK_CHANCE:
            at, after = chance.randint(1, len(rehearsal.log)), chance.random() < 0.3
            kills += harmed(act, here, home_directory, partial(_killer, at, after)).struck
        finish(act, here, home_directory)
        assert inspect(here) == inspect(there), (seed, number)
    assert inspect(here)[0] == [], seed
    print(f"{kills} kills")


def _killer(at: int, after: bool, victim: Victim) -> Fault:
    return At(at, after, victim.kill)
