"""The machine's clock may jump; a run reads it twice, and neither reading may break anything."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from betteroms.jobs.desk import Desk
from tests.simulation.stage import carry_out, inspect
from tests.simulation.worlds import Act

JUMPS = [timedelta(seconds=-1), timedelta(hours=-3), timedelta(days=-3650), timedelta(days=3650)]


class JumpingClock:
    """Tells the time, then that time moved by a jump, for ever."""

    def __init__(self, first: datetime, jump: timedelta) -> None:
        self._next, self._jump = first, jump

    def now(self) -> datetime:
        at, self._next = self._next, self._next + self._jump
        return at


def at_desk(first: datetime, jump: timedelta) -> Callable[[Desk], Desk]:
    clock = JumpingClock(first, jump)
    return lambda desk: replace(desk, clock=clock)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_clock_that_jumps_during_a_run_makes_no_negative_duration(
    after_morning: str, evening: Act, undisturbed: str, jump: timedelta
) -> None:
    told = carry_out(evening, after_morning, change=at_desk(datetime.now(UTC), jump))
    timing = told["timing"]
    assert timing["durationMs"] >= 0
    assert timing["oldestBookAgeMs"] >= 0
    with psycopg.connect(after_morning) as connection:
        row = connection.execute(
            "SELECT completed_at >= started_at FROM runs WHERE plan_id = 'evening'"
        ).fetchone()
    assert row == (True,)
    assert inspect(after_morning) == ([], undisturbed)


@pytest.mark.parametrize("back", [timedelta(hours=30), timedelta(days=20_000)], ids=str)
def test_a_clock_set_back_before_the_last_run_changes_nothing_that_was_written(
    after_morning: str, evening: Act, back: timedelta
) -> None:
    with psycopg.connect(after_morning) as connection:
        before = connection.execute("SELECT * FROM executions ORDER BY sequence").fetchall()
    carry_out(evening, after_morning, change=at_desk(datetime.now(UTC) - back, timedelta()))
    with psycopg.connect(after_morning) as connection:
        after = connection.execute(
            "SELECT * FROM executions ORDER BY sequence LIMIT %s", (len(before),)
        ).fetchall()
    assert after == before
    assert inspect(after_morning)[0] == []
