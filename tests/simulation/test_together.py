"""Several runs at once: they queue up, each plan is carried out once, and who must wait is told for whom."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.simulation import worlds
from tests.simulation.conftest import MakeDatabase
from tests.simulation.killing import (
    ALREADY_RUN,
    CARRIED_OUT,
    LOCKED,
    SECONDS_MAX,
    Victim,
    harmed,
    killed_at,
    start,
    told,
    traded,
)
from tests.simulation.pgproxy import Fault, Message
from tests.simulation.stage import inspect
from tests.simulation.worlds import Act

WRITERS = 6


class Gate(Fault):
    """A run stands still before it writes its orders, until the gate is opened; `then` may be its end."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.then: Callable[[], None] | None = None

    def before(self, message: Message) -> bytes | None:
        if message.kind == "Q" and message.text.startswith("COPY orders"):
            self.reached.set()
            assert self.opened.wait(SECONDS_MAX)
            if self.then is not None:
                self.then()
                return None
        return message.raw


def test_a_second_run_that_will_not_wait_is_told_who_is_writing(
    after_morning: str, evening: Act, home_directory: Path, undisturbed: str
) -> None:
    gate = Gate()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(harmed, evening, after_morning, home_directory, lambda _: gate)
        assert gate.reached.wait(SECONDS_MAX)
        second = traded(evening, after_morning, home_directory, "--wait", "0")
        gate.opened.set()
        assert first.result().told.code in CARRIED_OUT
    assert (second.code, second.out) == (LOCKED, "")
    message = json.loads(second.err)["error"]["message"]
    assert message.startswith("another run is writing: betteroms ")
    assert " trade evening, connected since 20" in message
    assert inspect(after_morning) == ([], undisturbed)


def test_a_second_run_that_waits_finds_the_plan_carried_out(
    after_morning: str, evening: Act, home_directory: Path, undisturbed: str
) -> None:
    gate = Gate()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(harmed, evening, after_morning, home_directory, lambda _: gate)
        assert gate.reached.wait(SECONDS_MAX)
        second = start(evening, after_morning, home_directory, "--wait", "60")
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=0.5)
        gate.opened.set()
        assert first.result().told.code in CARRIED_OUT
    ended = told(second)
    assert ended.code == ALREADY_RUN
    assert "planId already exists" in ended.err
    assert inspect(after_morning) == ([], undisturbed)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is for unix")
def test_a_run_that_waits_takes_up_what_a_killed_one_left(
    after_morning: str, evening: Act, home_directory: Path, undisturbed: str
) -> None:
    gate = Gate()

    def fault(victim: Victim) -> Fault:
        gate.then = victim.kill
        return gate

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(harmed, evening, after_morning, home_directory, fault)
        assert gate.reached.wait(SECONDS_MAX)
        second = start(evening, after_morning, home_directory, "--wait", "60")
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=0.5)
        gate.opened.set()
        assert first.result().struck
    assert told(second).code in CARRIED_OUT
    with psycopg.connect(after_morning) as connection:
        row = connection.execute("SELECT attempt FROM runs WHERE plan_id = 'evening'").fetchone()
    assert row == (2,)
    assert inspect(after_morning) == ([], undisturbed)


def test_a_holder_in_another_database_is_nobodys_business(
    make_database: MakeDatabase, evening: Act, home_directory: Path
) -> None:
    here, there = make_database(), make_database()
    gate = Gate()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(harmed, evening, there, home_directory, lambda _: gate)
        assert gate.reached.wait(SECONDS_MAX)
        second = traded(evening, here, home_directory, "--wait", "0")
        gate.opened.set()
        assert first.result().told.code in CARRIED_OUT
    assert second.code in CARRIED_OUT
    assert inspect(here) == inspect(there)


def test_six_plans_at_once_over_the_same_books_are_carried_out_one_after_the_other(
    after_morning: str, tmp_path: Path, home_directory: Path
) -> None:
    acts = [worlds.by_chance(tmp_path, Random("books"), plan_id="plan-0", stamp=worlds.EVENING_MS, size=40)]
    for number in range(1, WRITERS):
        wishes = worlds.wishes_by_chance(Random(number), 40)
        plan = worlds.write_plan(tmp_path / f"plan-{number}.json", f"plan-{number}", wishes)
        acts.append(Act(plan=plan, books=acts[0].books))
    running = [start(act, after_morning, home_directory) for act in acts]
    codes = [told(process).code for process in running]
    assert all(code in CARRIED_OUT for code in codes)
    assert inspect(after_morning)[0] == []
    with psycopg.connect(after_morning) as connection:
        rows = connection.execute(
            "SELECT (SELECT count(*) FROM orders WHERE plan_id LIKE 'plan-%'), (SELECT count(*) FROM runs"
            " WHERE plan_id LIKE 'plan-%' AND status = 'completed' AND attempt = 1)"
        ).fetchone()
    assert rows == (WRITERS * 40, WRITERS)


def test_one_plan_six_times_at_once_is_carried_out_once(
    after_morning: str, evening: Act, undisturbed: str, home_directory: Path
) -> None:
    running = [start(evening, after_morning, home_directory) for _ in range(WRITERS)]
    codes = [told(process).code for process in running]
    assert codes.count(ALREADY_RUN) == WRITERS - 1
    assert len([code for code in codes if code in CARRIED_OUT]) == 1
    assert inspect(after_morning) == ([], undisturbed)


def test_first_uses_at_once_make_one_schema(
    empty_database_url: str, evening: Act, home_directory: Path
) -> None:
    running = [start(evening, empty_database_url, home_directory) for _ in range(3)]
    codes = sorted(told(process).code for process in running)
    assert codes.count(ALREADY_RUN) == 2
    assert len([code for code in codes if code in CARRIED_OUT]) == 1
    assert inspect(empty_database_url)[0] == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is for unix")
@pytest.mark.parametrize(
    ("text", "after"),
    [("CREATE SEQUENCE", True), ("COMMIT", False), ("COMMIT", True)],
    ids=["in the middle", "about to commit", "committed"],
)
def test_a_run_killed_while_it_makes_the_schema_is_made_whole_by_the_next(
    empty_database_url: str, own_url: str, evening: Act, home_directory: Path, text: str, after: bool
) -> None:
    with psycopg.connect(own_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    rehearsal = harmed(evening, own_url, home_directory, lambda _: Fault())
    assert rehearsal.told.code in CARRIED_OUT, rehearsal.told.err
    number = _said(rehearsal.log, text)
    killed_at(evening, empty_database_url, home_directory, number=number, after=after)
    assert traded(evening, empty_database_url, home_directory).code in CARRIED_OUT
    assert inspect(empty_database_url) == inspect(own_url)
    assert inspect(own_url)[0] == []


def _said(log: list[Message], text: str) -> int:
    """The first message with this text after the migration began."""
    begun = next(m.number for m in log if "CREATE TABLE alembic_version" in m.text)
    return next(m.number for m in log if m.number >= begun and text in m.text and m.kind == "Q")


@pytest.mark.skipif(sys.platform == "win32", reason="rights of unix")
def test_a_home_where_nothing_can_be_made(evening: Act, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    homes = [tmp_path / "taken" / "home"]
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o555)
        homes.append(tmp_path / "locked" / "home")
    elif Path("/proc/self").exists():
        homes.append(Path("/proc/home"))  # there nothing can be made even by root
    for home in homes:
        ended = traded(evening, "", home)
        assert (ended.code, ended.out) == (9, ""), ended
        error = json.loads(ended.err)["error"]
        assert error["code"] == "DATABASE_UNAVAILABLE"
        assert str(home) in error["message"] or str(home.parent) in error["message"]
