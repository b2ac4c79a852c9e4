"""The shelf in PostgreSQL: two changes at once, and what it tells of runs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from betteroms.adapters.postgres.database import connect
from betteroms.adapters.postgres.plans import PostgresPlans
from betteroms.adapters.postgres.writing import write_payloads
from betteroms.domain.errors import DatabaseUnavailable
from betteroms.domain.ids import content_id
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Payload, PayloadKind, StoredPlan

AT = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
PLAN = StoredPlan(
    mode=Mode.PAPER,
    plan_id="x-{date}",
    priority=100,
    active=True,
    file="x.json",
    content_hash="one",
    body=b'{"planId": "x-{date}"}\x00',
    added_at=AT,
    changed_at=AT,
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, name="test") as connection:
        yield connection


@pytest.fixture
def plans(connection: psycopg.Connection[Any]) -> PostgresPlans:
    return PostgresPlans(connection)


def run(connection: psycopg.Connection[Any], plan_id: str, status: str, **fields: Any) -> str:
    """Write a run down, as far as it matters here; its id."""
    name = str(uuid4())
    row = {
        "run_id": name,
        "kind": "trade",
        "mode": "paper",
        "plan_id": plan_id,
        "content_hash": "one",
        "status": status,
        "attempt": 1,
        "now": AT,
        "scheduled_at": AT,
        "started_at": AT,
        "engine_version": "0",
        "settings": "{}",
        "ledger_sequence": 0,
        "summary_json": "{}" if status == "completed" else None,
        **fields,
    }
    places = ", ".join(["%s"] * len(row))
    connection.execute(f"INSERT INTO runs ({', '.join(row)}) VALUES ({places})", list(row.values()))
    return name


def test_a_plan_comes_back_as_it_was_put(plans: PostgresPlans) -> None:
    live = replace(PLAN, mode=Mode.LIVE)
    assert plans.put(PLAN, replacing=None)
    assert plans.put(live, replacing=None)
    assert plans.get("x-{date}") == [live, PLAN]
    assert plans.list() == [live, PLAN]
    assert plans.get("x") == []


def test_of_two_who_add_the_same_plan_one_is_told_that_it_is_there(plans: PostgresPlans) -> None:
    assert plans.put(PLAN, replacing=None)
    assert not plans.put(replace(PLAN, body=b"other"), replacing=None)
    assert plans.list() == [PLAN]


def test_what_was_changed_meanwhile_is_not_replaced(
    plans: PostgresPlans, connection: psycopg.Connection[Any]
) -> None:
    plans.put(PLAN, replacing=None)
    mine, theirs = replace(PLAN, body=b"mine"), replace(PLAN, body=b"theirs")
    assert plans.put(theirs, replacing=PLAN)
    assert not plans.put(mine, replacing=PLAN)
    assert plans.set_active(theirs, active=False, at=AT)
    assert not plans.put(mine, replacing=theirs)
    assert plans.put(mine, replacing=replace(theirs, active=False))
    assert plans.list() == [mine]
    kinds = connection.execute("SELECT event_type FROM audit_logs ORDER BY sequence").fetchall()
    assert kinds == [("plan_added",), ("plan_replaced",), ("plan_deactivated",), ("plan_replaced",)]


def test_a_change_and_its_audit_row_are_one(
    plans: PostgresPlans, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("ALTER TABLE audit_logs ADD CHECK (entity_type <> 'plan')")
    with pytest.raises(psycopg.errors.CheckViolation):
        plans.put(PLAN, replacing=None)
    assert plans.list() == []


def test_a_database_that_is_gone_is_named(plans: PostgresPlans, connection: psycopg.Connection[Any]) -> None:
    connection.close()
    with pytest.raises(DatabaseUnavailable):
        plans.list()


def test_runs_are_found_by_their_plan_id(plans: PostgresPlans, connection: psycopg.Connection[Any]) -> None:
    run(connection, "a", "completed")
    run(connection, "b", "failed")
    run(connection, "b", "running", mode="live")
    run(connection, "c", "failed", kind="maintain")
    paper = [(Mode.PAPER, name) for name in ("a", "b", "c")]
    found = plans.runs(paper)
    assert {name: each.status for (_, name), each in found.items()} == {
        "a": RunStatus.COMPLETED,
        "b": RunStatus.FAILED,
    }
    assert plans.runs([(Mode.LIVE, "b")])[Mode.LIVE, "b"].status is RunStatus.RUNNING
    assert plans.runs([]) == {}


def test_the_latest_run_of_a_template_is_found_among_those_that_look_alike(
    plans: PostgresPlans, connection: psycopg.Connection[Any]
) -> None:
    for day, name in enumerate(("a.b-2026-11-18", "a.b-2026-11-19", "axb-2026-11-20", "a.b-2026-11-20-x")):
        run(connection, name, "completed", started_at=AT + timedelta(days=day))
    run(connection, "once", "failed")
    templates = [(Mode.PAPER, name) for name in ("a.b-{date}", "once", "never-{date}")]
    found = plans.latest(templates)
    assert {name: each.plan_id for (_, name), each in found.items()} == {
        "a.b-{date}": "a.b-2026-11-19",
        "once": "once",
    }


def test_unfinished_runs_come_with_the_file_they_kept_the_oldest_first(
    plans: PostgresPlans, connection: psycopg.Connection[Any]
) -> None:
    body = b'{"planId": "x-{date}"}'
    kept = Payload(payload_id=content_id(body), kind=PayloadKind.PLAN, subject="x", body=body)
    write_payloads(connection, [kept], AT)
    later = run(connection, "x-2026-11-20", "failed", plan_payload_id=kept.payload_id)
    earlier = run(connection, "old", "running", scheduled_at=AT - timedelta(days=1))
    run(connection, "done", "completed")
    run(connection, "gone", "abandoned")
    run(connection, "other", "failed", mode="live")
    run(connection, "no plan", "failed", kind="maintain")
    found = plans.unfinished(Mode.PAPER)
    assert [(each.run_id, each.plan_id, each.status, each.plan) for each in found] == [
        (earlier, "old", RunStatus.RUNNING, None),
        (later, "x-2026-11-20", RunStatus.FAILED, body),
    ]
