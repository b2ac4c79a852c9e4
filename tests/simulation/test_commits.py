"""Commits are counted and not timed: a run of any size makes the same few."""

from pathlib import Path

import psycopg
import pytest

from tests.simulation import worlds
from tests.simulation.conftest import OwnServer
from tests.simulation.stage import carry_out

COMMITS_MAX = 3
SIZES = (1, 100, 3_000)


def transactions(connection: psycopg.Connection[tuple[int]]) -> int:
    """The number of this very transaction, which it takes by asking: only those that write have one."""
    row = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
    assert row is not None
    return row[0]


def commits_of(own_server: OwnServer, directory: Path, size: int) -> int:
    act = worlds.many(directory, size, plan_id=f"many-{size}")
    with own_server.database() as url, psycopg.connect(url, autocommit=True) as connection:
        before = transactions(connection)
        told = carry_out(act, url)
        after = transactions(connection)
        assert transactions(connection) == after + 1, "somebody else writes: nothing can be counted"
    assert len(told["result"]["instructions"]) == size
    return after - before - 1


def test_a_run_of_any_size_makes_the_same_few_commits(own_server: OwnServer, tmp_path: Path) -> None:
    counted = {size: commits_of(own_server, tmp_path, size) for size in SIZES}
    assert len(set(counted.values())) == 1, counted
    assert counted[1] <= COMMITS_MAX


@pytest.mark.parametrize("size", SIZES)
def test_a_run_that_has_been_completed_writes_nothing_when_it_is_asked_for_again(
    own_url: str, tmp_path: Path, size: int
) -> None:
    act = worlds.many(tmp_path, size, plan_id=f"again-{size}")
    carry_out(act, own_url)
    with psycopg.connect(own_url, autocommit=True) as connection:
        before = transactions(connection)
        with pytest.raises(Exception, match="planId already exists"):
            carry_out(act, own_url)
        assert transactions(connection) == before + 1
