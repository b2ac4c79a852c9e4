"""`plans`: put on the shelf, switched, listed with what is due next, and shown."""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from betteroms.cli.plans import STATES
from tests.cli.conftest import Ran
from tests.cli.worlds import instruction, write_plan
from tests.docs_blocks import blocks, new_user, page

Cli = Callable[..., Ran]
Trade = Callable[..., Ran]
Sql = psycopg.Connection[Any]
PAGE = "docs/scheduled-runs.md"


def audit(sql: Sql) -> list[tuple[Any, ...]]:
    rows = sql.execute(
        "SELECT event_type, mode, entity_id, event_data, actor FROM audit_logs "
        "WHERE entity_type = 'plan' ORDER BY sequence"
    )
    return rows.fetchall()


def ended(sql: Sql, status: str) -> None:
    """Let every run have ended so, and not as it did."""
    sql.execute("UPDATE runs SET status = %s, summary_json = NULL", (status,))


@pytest.fixture
def june(tmp_path: Path) -> Path:
    return write_plan(tmp_path / "june.json", instruction(), planId="june-{date}", priority=5)


def test_a_plan_is_stored_with_its_bytes_and_an_audit_row(cli: Cli, sql: Sql, june: Path) -> None:
    ran = cli("plans", "add", "june.json")
    assert ran == Ran(
        code=0, out="june.json: added; planId june-{date}, mode paper, priority 5, active\n", err=""
    )
    (row,) = sql.execute("SELECT plan_id, mode, priority, active, file, body FROM plans").fetchall()
    assert row == ("june-{date}", "paper", 5, True, "june.json", june.read_bytes())
    ((kind, mode, entity, data, actor),) = audit(sql)
    assert (kind, mode, entity, actor) == ("plan_added", "paper", "june-{date}", "operator")
    assert (data["file"], data["priority"], data["active"]) == ("june.json", 5, True)


def test_the_same_plan_again_is_nothing_to_do(cli: Cli, sql: Sql, june: Path) -> None:
    cli("plans", "add", "june.json")
    ran = cli("plans", "add", "june.json", "--replace")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("june.json: nothing to do, it is stored;")
    assert len(audit(sql)) == 1


def test_other_content_is_refused_with_the_differences_named(cli: Cli, sql: Sql, june: Path) -> None:
    cli("plans", "add", "june.json")
    before = june.read_bytes()
    write_plan(june, instruction(price=0.5), instruction(ref="x"), planId="june-{date}")
    ran = cli("plans", "add", "june.json")
    assert (ran.code, ran.out) == (8, "")
    assert ran.err == (
        "error: planId already exists: june-{date} is stored in mode paper (from june.json) with other "
        "content: it differs at tradeInstructions[0].price, tradeInstructions[1]; --replace puts this one "
        "in its place\n"
    )
    (refused,) = cli("plans", "add", "june.json", "--json").rows
    assert (refused["outcome"], len(refused["problems"])) == ("refused", 1)
    assert sql.execute("SELECT body FROM plans").fetchall() == [(before,)]


def test_replace_puts_the_new_plan_in_its_place_and_leaves_the_switch(cli: Cli, sql: Sql, june: Path) -> None:
    cli("plans", "add", "june.json", "--inactive")
    write_plan(june, instruction(price=0.5), planId="june-{date}", priority=9)
    (told,) = cli("plans", "add", "june.json", "--replace", "--json").rows
    assert (told["outcome"], told["active"], told["priority"]) == ("replaced", False, 9)
    assert sql.execute("SELECT priority, active, body FROM plans").fetchall() == [
        (9, False, june.read_bytes())
    ]
    kind, _, _, data, _ = audit(sql)[-1]
    assert (kind, data["before"]["priority"], data["priority"]) == ("plan_replaced", 5, 9)
    assert data["before"]["contentHash"] != data["contentHash"]


def test_priority_and_notes_may_change_without_replacing(cli: Cli, sql: Sql, june: Path) -> None:
    cli("plans", "add", "june.json")
    write_plan(june, instruction(), planId="june-{date}", priority=6, notes="later")
    assert cli("plans", "add", "june.json").out.startswith("june.json: updated; planId june-{date}")
    assert sql.execute("SELECT priority FROM plans").fetchall() == [(6,)]
    assert [row[0] for row in audit(sql)] == ["plan_added", "plan_replaced"]


def test_what_is_wrong_with_one_plan_keeps_no_other_out(
    cli: Cli, sql: Sql, june: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text("{}")
    ran = cli("plans", "add", "bad.json", "none.json", "june.json")
    assert ran.code == 2
    assert ran.out.startswith("june.json: added;")
    assert "bad.json mode: is missing" in ran.err
    assert "none.json: cannot be read" in ran.err
    rows = cli("plans", "add", "bad.json", "june.json", "--json").rows
    assert [(row["file"], row["outcome"]) for row in rows] == [
        ("bad.json", "invalid"),
        ("june.json", "unchanged"),
    ]
    assert sql.execute("SELECT count(*) FROM plans").fetchall() == [(1,)]


def test_a_file_switches_its_plan_off_only_when_it_is_first_added(cli: Cli, sql: Sql, tmp_path: Path) -> None:
    off = write_plan(tmp_path / "off.json", instruction(), active=False)
    cli("plans", "add", str(off))
    assert sql.execute("SELECT active FROM plans").fetchall() == [(False,)]
    cli("plans", "activate", "june")
    assert "nothing to do" in cli("plans", "add", str(off)).out
    assert sql.execute("SELECT active FROM plans").fetchall() == [(True,)]
    (told,) = cli("plans", "add", str(off), "--inactive", "--json").rows
    assert (told["outcome"], told["active"]) == ("updated", False)


def test_the_switch_is_turned_once_and_audited(cli: Cli, sql: Sql, june: Path) -> None:
    cli("plans", "add", "june.json")
    said = [cli("plans", verb, "june-{date}").out for verb in ("deactivate", "deactivate", "activate")]
    assert said == [
        "june-{date} (paper) is now inactive\n",
        "june-{date} (paper) was already inactive\n",
        "june-{date} (paper) is now active\n",
    ]
    assert [row[0] for row in audit(sql)] == ["plan_added", "plan_deactivated", "plan_activated"]
    assert cli("plans", "activate", "june-{date}", "--json").document["result"] == {
        "planId": "june-{date}",
        "mode": "paper",
        "active": True,
        "changed": False,
    }


def test_a_plan_that_is_not_stored_is_not_found(cli: Cli, june: Path) -> None:
    cli("plans", "add", "june.json")
    for verb in ("activate", "deactivate", "show"):
        ran = cli("plans", verb, "june-2026-11-20")
        assert ran.code == 3
        assert ran.err == (
            "error: no stored plan has the planId 'june-2026-11-20', as it is written in its file; "
            "did you mean june-{date}?\n"
        )
    assert cli("plans", "show", "june-{date}", "--mode", "live").code == 3


def test_a_plan_id_stored_in_two_modes_needs_the_mode(cli: Cli, tmp_path: Path) -> None:
    for mode in ("paper", "live"):
        write_plan(tmp_path / f"{mode}.json", instruction(), mode=mode)
    assert cli("plans", "add", "paper.json", "live.json").code == 0
    ran = cli("plans", "deactivate", "june")
    assert ran.code == 2
    assert "--mode says which is meant" in ran.err
    assert cli("plans", "deactivate", "june", "--mode", "live").out == "june (live) is now inactive\n"
    rows = {row["mode"]: row["active"] for row in cli("plans", "list", "--json").rows}
    assert rows == {"live": False, "paper": True}


def test_an_empty_shelf_lists_nothing(cli: Cli) -> None:
    assert cli("plans", "list") == Ran(code=0, out="", err="no stored plans\n")
    assert cli("plans", "list", "--json").rows == []


def test_the_list_says_what_is_due_in_the_order_of_a_run(cli: Cli, traded: Trade, tmp_path: Path) -> None:
    wishes = {"once": {}, "daily-{date}": {}, "later": {"priority": 200}, "first": {"priority": 1}}
    for plan_id, fields in wishes.items():
        write_plan(tmp_path / "plan.json", instruction(), planId=plan_id, **fields)
        assert cli("plans", "add", "plan.json").code == 0
    assert traded(instruction(), planId="once").code == 0
    assert traded(instruction(), planId="daily-{date}").code == 0
    cli("plans", "deactivate", "later")
    rows = {row["planId"]: row for row in cli("plans", "list", "--json", CRON_INTERVAL_MINUTES="1440").rows}
    assert list(rows) == ["first", "daily-{date}", "once", "later"]
    assert {name: row["period"]["state"] for name, row in rows.items()} == {
        "first": "due",
        "daily-{date}": "done",
        "once": "done",
        "later": "inactive",
    }
    assert rows["first"]["next"]["planId"] == "first"
    assert rows["first"]["lastRun"] is None
    assert rows["once"]["next"] is None
    assert rows["later"]["next"] is None
    daily = rows["daily-{date}"]
    assert daily["lastRun"]["planId"] == daily["period"]["planId"]
    assert daily["lastRun"]["status"] == "completed"
    assert daily["next"]["planId"] > daily["period"]["planId"]


@pytest.mark.parametrize(
    ("status", "state", "taken_up"),
    [("failed", "failed", True), ("running", "running", True), ("abandoned", "abandoned", False)],
)
def test_a_run_that_did_not_end_well_is_told(
    cli: Cli, traded: Trade, sql: Sql, status: str, state: str, taken_up: bool
) -> None:
    traded(instruction())
    ended(sql, status)
    cli("plans", "add", "plan.json")
    (row,) = cli("plans", "list", "--json").rows
    assert row["period"]["state"] == state
    assert (row["next"] is not None) is taken_up
    assert row["lastRun"]["status"] == status


def test_a_failed_run_of_other_content_cannot_be_taken_up(
    cli: Cli, traded: Trade, sql: Sql, tmp_path: Path
) -> None:
    traded(instruction())
    ended(sql, "failed")
    write_plan(tmp_path / "plan.json", instruction(price=0.5))
    cli("plans", "add", "plan.json")
    (row,) = cli("plans", "list", "--json").rows
    assert (row["period"]["state"], row["next"]) == ("changed", None)


def test_hours_that_have_all_run_come_back_when_one_has_not(
    cli: Cli, traded: Trade, sql: Sql, tmp_path: Path
) -> None:
    traded(instruction(), planId="x-12")
    columns = (
        "kind, mode, content_hash, status, attempt, now, scheduled_at, started_at, engine_version, settings, "
        "ledger_sequence, summary_json"
    )
    sql.execute(
        f"INSERT INTO runs (run_id, plan_id, {columns}) SELECT gen_random_uuid(), "
        f"'x-' || lpad(hour::text, 2, '0'), {columns} FROM runs, generate_series(0, 23) hour WHERE hour <> 12"
    )
    write_plan(tmp_path / "hourly.json", instruction(), planId="x-{hour}")
    cli("plans", "add", "hourly.json")
    (row,) = cli("plans", "list", "--json").rows
    assert (row["period"]["state"], row["next"]) == ("done", None)
    # Beyond the first calls that are asked about.
    later = "(now() AT TIME ZONE 'UTC') + interval '13 hours'"
    (missing,) = sql.execute(f"SELECT to_char({later}, '\"x-\"HH24')").fetchall()[0]
    sql.execute("UPDATE runs SET plan_id = 'another' WHERE plan_id = %s", (missing,))
    (row,) = cli("plans", "list", "--json").rows
    assert row["next"]["planId"] == missing


def test_the_list_fits_eighty_columns(cli: Cli, traded: Trade, tmp_path: Path) -> None:
    long = "a-plan-with-a-name-that-goes-on-and-on-and-on-until-it-is-cut-{date}"
    traded(instruction(), planId=long)
    cli("plans", "add", "plan.json")
    out = cli("plans", "list").out
    assert max(map(len, out.splitlines())) <= 80
    head, _, row = out.splitlines()
    assert head.split() == ["plan", "mode", "priority", "this", "period", "next", "last", "run"]
    assert " done " in row
    assert " completed " in row


def test_show_prints_how_the_plan_stands_and_its_file(cli: Cli, june: Path) -> None:
    cli("plans", "add", "june.json")
    out = cli("plans", "show", "june-{date}").out
    assert out.startswith("plan       june-{date} (paper)\npriority   5\nfile       june.json\nadded ")
    assert out.endswith(f"\n\n{june.read_text()}\n")
    told = cli("plans", "show", "june-{date}", "--json").document
    assert told["command"] == "plans show"
    assert told["result"]["text"] == june.read_text()
    assert told["result"]["period"]["state"] == "due"


def test_plans_can_be_changed_while_a_run_holds_the_writers_lock(cli: Cli, sql: Sql, june: Path) -> None:
    sql.execute("SELECT pg_advisory_lock(%s)", (0x6F6D7302,))
    assert cli("plans", "add", "june.json").code == 0
    assert cli("plans", "deactivate", "june-{date}").code == 0


def test_a_name_that_cannot_be_stored_as_it_is_is_stored_as_it_is_shown(
    cli: Cli, sql: Sql, tmp_path: Path
) -> None:
    odd = os.fsdecode(b"\xff.json")
    write_plan(tmp_path / odd, instruction())
    assert cli("plans", "add", odd).code == 0
    assert sql.execute("SELECT file FROM plans").fetchall() == [(r"\udcff.json",)]


def test_a_database_that_only_reads_is_told(cli: Cli, sql: Sql, june: Path, database_url: str) -> None:
    cli("plans", "list")
    name = database_url.rpartition("/test_")[2].partition("?")[0]
    sql.execute(f"ALTER DATABASE test_{name} SET default_transaction_read_only = on")
    ran = cli("plans", "add", "june.json")
    assert ran.code == 9
    assert "read-only" in ran.err
    assert sql.execute("SELECT count(*) FROM plans").fetchall() == [(0,)]


def test_ten_thousand_stored_plans_are_listed(cli: Cli, sql: Sql, june: Path) -> None:
    cli("plans", "add", "june.json")
    sql.execute(
        "INSERT INTO plans SELECT mode, 'p' || n || '-{date}', n % 7, active, file, content_hash, body, "
        "added_at, changed_at FROM plans, generate_series(1, 9999) n"
    )
    rows = cli("plans", "list", "--json").out.splitlines()
    assert len(rows) == 10_000
    assert json.loads(rows[0])["planId"] == "p1001-{date}"


def test_the_page_about_scheduled_runs_can_be_followed(
    surroundings: Mapping[str, str], tmp_path: Path
) -> None:
    (plan,) = [block for block in blocks(PAGE) if block.language == "json"]
    (tmp_path / "dip.json").write_text(plan.text)
    typed = [line for block in blocks(PAGE) if block.language == "sh" for line in block.commands]
    with new_user(DATABASE_URL=surroundings["DATABASE_URL"]) as user:
        told = {said.command: said.out for said in user.types(typed, directory=tmp_path)}
    assert told["betteroms plans add dip.json"].startswith("dip.json: added; planId dip-{date}, mode paper")
    assert " due " in told["betteroms plans list"]
    assert told[typed[-1]] == "dip-{date} (paper) is now active\n"


def test_every_state_of_a_plan_is_documented() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \|", page(PAGE).partition("| this period |")[2], re.MULTILINE)
    assert {word for row in rows for word in row.split(", ")} == set(STATES)
