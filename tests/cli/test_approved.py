"""`trade --approved`: exactly what was previewed is carried out, or nothing is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.approving import FILE, Bench, Cli, a_market_order, bench
from tests.cli.test_preview import stopped_after
from tests.cli.test_trade import counts
from tests.cli.worlds import GONE, RAIN, SNOW, instruction, write_plan

__all__ = ["bench"]


def ago(**span: int) -> str:
    """A time before now, as the file tells it."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat().replace("+00:00", "Z")


def test_exactly_the_approved_orders_are_placed(bench: Bench, sql: psycopg.Connection[Any]) -> None:
    lines = (
        instruction(),
        instruction(SNOW, price=0.39, timeInForce="GTD", cancelAfterSec=600),
        instruction(GONE),
        a_market_order(size=20),
    )
    bench.save(*lines, code=5)
    approved = json.loads(bench.file.read_text())["orders"]
    ran = bench.apply("--yes")
    assert (ran.code, ran.err) == (5, "")
    result = ran.document["result"]
    assert (ran.document["command"], result["planId"], result["status"]) == ("trade", "june", "completed")
    names = ("orderId", "status", "code", "limitPrice", "size", "dollars", "filledSize")
    assert [[told[name] for name in names] for told in result["instructions"]] == [
        [order[name] for name in names] for order in approved
    ]
    assert [told["status"] for told in result["instructions"]] == ["FILLED", "OPEN", "DENIED", "FILLED"]
    row = sql.execute("SELECT status, attempt, settings FROM runs").fetchall()
    assert row[0][:2] == ("completed", 1)
    assert row[0][2]["approved"]["worstPrices"] == {approved[3]["orderId"]: "0.44"}


def test_what_was_applied_is_not_applied_again(bench: Bench, sql: psycopg.Connection[Any]) -> None:
    bench.save(instruction())
    assert bench.apply().code == 0
    before = counts(sql)
    ran = bench.apply()
    assert (ran.code, ran.out, ran.error["code"]) == (8, "", "PLAN_ALREADY_RUN")
    assert counts(sql) == before


def test_of_two_that_apply_at_once_one_does(
    bench: Bench, start: Callable[..., Any], books: Path, sql: psycopg.Connection[Any]
) -> None:
    bench.save(instruction())
    both = [start("trade", "--approved", FILE, "--books", str(books)) for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert sorted(process.returncode for process in both) == [0, 8], told
    assert sql.execute("SELECT count(*) FROM orders").fetchall() == [(1,)]


def test_another_planid_under_the_same_name_is_refused_with_the_difference(bench: Bench) -> None:
    bench.save(instruction())
    bench.trade(instruction(price=0.42), planId="june")
    ran = bench.apply()
    assert (ran.code, ran.error["code"]) == (8, "PLAN_CHANGED")
    assert "it differs at tradeInstructions[0].price (" in ran.error["message"]


def test_the_scheduled_time_is_that_of_the_preview(bench: Bench, cli: Cli) -> None:
    plan = write_plan(bench.directory / "plan.json", instruction(), planId="dip-{date}")
    words = ("--books", str(bench.books), "--at", "2026-03-01T10:00:00Z", "--save", FILE)
    assert cli("preview", str(plan), *words).code == 0
    assert bench.apply().document["result"]["planId"] == "dip-2026-03-01"


def test_a_plan_that_was_altered_in_the_file_is_refused(bench: Bench) -> None:
    bench.save(instruction())
    document = json.loads(bench.file.read_text())
    document["plan"] = document["plan"].replace("0.43", "0.44")
    bench.file.write_text(json.dumps(document))
    [problem] = bench.refused()
    assert problem.startswith("its plan is not the one that was approved: contentHash was ")
    document["plan"] = "{"
    bench.file.write_text(json.dumps(document))
    [problem] = bench.refused()
    assert problem.startswith("its plan is none any more: ")


@pytest.mark.parametrize(
    "alter",
    [
        lambda file: file["orders"][0].update(limitPrice="0.99"),
        lambda file: file.update(savedAt="2036-01-01T00:00:00Z"),
        lambda file: file.pop("checksum"),
    ],
)
def test_anything_else_that_was_altered_is_refused(
    alter: Callable[[dict[str, Any]], object], bench: Bench
) -> None:
    bench.save(a_market_order())
    document = json.loads(bench.file.read_text())
    alter(document)
    bench.file.write_text(json.dumps(document))
    assert bench.refused() == ["its checksum is not that of what it says"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", 'there is no "kind"'),
        ('{"planId": "june", "tradeInstructions": []}', 'there is no "kind"'),
        ('{"kind": "betteroms-approval", "schemaVersion": 2}', "schemaVersion"),
    ],
)
def test_a_file_that_is_no_saved_preview_is_told(text: str | None, complaint: str, bench: Bench) -> None:
    if text is not None:
        bench.file.write_text(text)
    ran = bench.apply()
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "APPROVAL_INVALID")
    assert complaint in ran.error["message"]


def test_an_approval_that_is_too_old_is_refused(bench: Bench) -> None:
    bench.save(instruction())
    bench.resave(savedAt=ago(seconds=899))
    assert len(bench.refused("--max-age", "600")) == 1
    bench.resave(savedAt=ago(seconds=901))
    [problem] = bench.refused()
    assert problem.endswith(" s ago; --max-age is 900 s")
    assert bench.apply("--max-age", "1000").code == 0


def test_an_approval_from_the_future_is_refused(bench: Bench) -> None:
    bench.save(instruction())
    bench.resave(savedAt=ago(minutes=-5))
    [problem] = bench.refused()
    assert ", and it is only 2" in problem


def test_another_version_of_the_program_is_refused_unless_only_its_last_number_differs(bench: Bench) -> None:
    bench.save(instruction())
    bench.resave(engineVersion="9.1.0")
    [problem] = bench.refused()
    assert problem.startswith("engine version was 9.1.0, is ")
    version = problem.partition(" is ")[2].partition(":")[0]
    bench.resave(engineVersion=f"{version.rpartition('.')[0]}.999")
    assert bench.apply().code == 0


def test_shares_that_were_bought_meanwhile_are_told(bench: Bench) -> None:
    bench.save(instruction())
    bench.trade(instruction(price=0.42, size=42))
    held = f"shares held of {RAIN.slug} Yes: was 0, is 100"
    assert bench.refused() == [held]


def test_shares_of_other_tokens_are_no_difference(bench: Bench) -> None:
    bench.save(instruction())
    bench.trade(instruction(SNOW))
    assert bench.apply().code == 0


def test_orders_that_came_and_went_meanwhile_are_told(bench: Bench, sql: psycopg.Connection[Any]) -> None:
    bench.trade(instruction(price=0.41, timeInForce="GTD", cancelAfterSec=600))
    bench.save(instruction())
    bench.trade(instruction(price=0.4, size=40), planId="another")
    opened = sql.execute("SELECT order_id FROM orders WHERE plan_id = 'another'").fetchall()[0][0]
    assert bench.refused() == [f"order {opened}: was not open, is open (BUY 100 at 0.4)"]
    sql.execute("UPDATE orders SET status = 'CANCELED' WHERE limit_price = 0.41")
    gone = sql.execute("SELECT order_id FROM orders WHERE plan_id = 'other'").fetchall()[0][0]
    told = bench.refused()
    assert told[0] == f"order {gone}: was open (BUY 243.9 at 0.41), is not open"
    assert len(told) == 2


def test_cash_that_is_short_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETTEROMS_PAPER_CASH", "150")
    bench.save(instruction())
    bench.trade(instruction(SNOW, price=0.42, size=84))
    cash, order = bench.refused()
    assert cash == "free cash: was 150, is 66"
    assert order == (
        "tradeInstructions[0]: was to be placed, is refused (INSUFFICIENT_CASH: need=102.8464 cash=66.00)"
    )


def test_an_attempt_that_failed_is_taken_up(bench: Bench, cli: Cli, sql: psycopg.Connection[Any]) -> None:
    plan = write_plan(bench.directory / "plan.json", instruction())
    away = {
        "BETTEROMS_CLOB_URL": "http://127.0.0.1:1",
        "BETTEROMS_GAMMA_URL": "http://127.0.0.1:1",
        "BETTEROMS_HTTP_ATTEMPTS": "1",
    }
    assert cli("trade", str(plan), **away).code == 6
    bench.save(instruction())
    before = counts(sql)
    assert cli("trade", "--approved", FILE, **away).code == 6
    assert counts(sql) == before
    assert bench.apply().code == 0
    assert sql.execute("SELECT status, attempt FROM runs").fetchall() == [("completed", 2)]


def test_of_a_plan_that_stopped_half_way_the_rest_is_placed(
    bench: Bench, sql: psycopg.Connection[Any]
) -> None:
    lines = (instruction(price=0.41), instruction(price=0.4))
    bench.trade(*lines, planId="june")
    [first] = sql.execute("SELECT order_id, created_at FROM orders WHERE line = 0").fetchall()
    stopped_after(sql, lines=1)
    bench.save(*lines)
    assert bench.apply().code == 0
    assert sql.execute("SELECT line, status FROM orders ORDER BY line").fetchall() == [
        (0, "OPEN"),
        (1, "OPEN"),
    ]
    assert sql.execute("SELECT order_id, created_at FROM orders WHERE line = 0").fetchall() == [first]


def test_what_another_attempt_carried_out_meanwhile_is_told(
    bench: Bench, sql: psycopg.Connection[Any]
) -> None:
    lines = (instruction(price=0.41), instruction(price=0.4))
    bench.save(*lines)
    bench.trade(*lines, planId="june")
    stopped_after(sql, lines=1)
    opened, order = bench.refused()
    assert opened.endswith(": was not open, is open (BUY 243.9 at 0.41)")
    assert order == "tradeInstructions[0]: was to be placed, is carried out already"


def test_what_was_carried_out_and_is_not_any_more_is_told(bench: Bench, sql: psycopg.Connection[Any]) -> None:
    lines = (instruction(price=0.41), instruction(price=0.4))
    bench.trade(*lines, planId="june")
    stopped_after(sql, lines=1)
    bench.save(*lines)
    stopped_after(sql, lines=0)
    opened, order = bench.refused()
    assert opened.endswith(": was open (BUY 243.9 at 0.41), is not open")
    assert order == "tradeInstructions[0]: was carried out already, is to be placed"


def test_instructions_that_the_file_and_the_plan_do_not_share_are_told(bench: Bench) -> None:
    bench.save(instruction())
    [order] = json.loads(bench.file.read_text())["orders"]
    bench.resave(orders=[{**order, "orderId": "another", "line": 7}])
    assert bench.refused() == [
        "tradeInstructions[0]: was not there",
        "tradeInstructions[7]: is not there any more",
    ]


def test_another_run_that_writes_is_waited_for(bench: Bench, sql: psycopg.Connection[Any]) -> None:
    bench.save(instruction())
    sql.execute("SELECT pg_advisory_lock(%s)", (0x6F6D7302,))
    ran = bench.apply("--wait", "0")
    assert (ran.code, ran.error["code"]) == (10, "LOCK_HELD")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("plan.json", "--approved", FILE),
        ("--approved", FILE, "--preview"),
        ("--approved", FILE, "--at", "2026-03-01T10:00:00Z"),
        ("plan.json", "--max-age", "60"),
        ("--approved", FILE, "--max-age", "0"),
    ],
)
def test_words_that_do_not_go_together_are_told(words: tuple[str, ...], bench: Bench, cli: Cli) -> None:
    bench.save(instruction())
    write_plan(bench.directory / "plan.json", instruction())
    ran = cli("trade", *words, "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "USAGE")


def test_the_log_tells_of_what_is_traded_and_not_of_previews(
    bench: Bench, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BETTEROMS_HOME", str(bench.directory / "home"))

    def logged() -> list[str]:
        return [row["event"] for row in cli("logs", "--json").rows]

    bench.save(instruction())
    assert bench.apply(BETTEROMS_MAX_ORDER_NOTIONAL_USD="50").code == 5
    assert logged() == []
    assert bench.apply().code == 0
    bench.trade(instruction(SNOW))
    one = ["run_started", "order_filled", "run_completed"]
    assert logged() == [*one, *one]
