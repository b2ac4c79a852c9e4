"""The auditor names every kind of damage to what time makes of a ledger: payouts, exits, snapshots."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import TEMPLATE, named
from tests.simulation.damage_over_time import DAMAGE
from tests.simulation.lived import live
from tests.simulation.month import CALM, Script
from tests.simulation.stage import Rewindable
from tests.simulation.test_auditor import break_

NAME = "few_days"
FEW_DAYS = Script(seed=1, days=4, crontab=CALM)


@pytest.fixture(scope="module")
def few_days(
    administrator: psycopg.Connection[Any], server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rewindable]:
    """A database after a month in a few days, in which all is well."""
    administrator.execute(f"CREATE DATABASE {NAME} TEMPLATE {TEMPLATE}")
    url = named(server_url, NAME)
    live(FEW_DAYS, url, tmp_path_factory.mktemp("nothing"))
    database = Rewindable(url)
    yield database
    database.close()
    administrator.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_days_in_which_all_was_well_are_met_with_silence(few_days: Rewindable) -> None:
    few_days.rewind()
    complaints, _ = few_days.inspect()
    assert complaints == []


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_kind_of_damage_is_named(few_days: Rewindable, kind: str) -> None:
    statement, pattern = DAMAGE[kind]
    few_days.rewind()
    break_(few_days.url, statement)
    complaints, _ = few_days.inspect()
    assert any(re.search(pattern, complaint) for complaint in complaints), complaints


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE execution_rules SET attempts = attempts + 1",
        "UPDATE execution_rules SET high = 0.01",
        "UPDATE fill_bounds SET ahead = ahead + 1",
        "UPDATE portfolio_snapshots SET fees = fees + 0.000001",
        "UPDATE ledger_entries SET paid_for = paid_for + 1",
        "DELETE FROM audit_logs WHERE event_type = 'rule_triggered'",
    ],
)
def test_the_digest_moves_with_what_time_makes(few_days: Rewindable, statement: str) -> None:
    few_days.rewind()
    _, before = few_days.inspect()
    break_(few_days.url, statement)
    _, after = few_days.inspect()
    assert after != before
