"""`runs replay`: a past run computed again, to the byte; and what would have been different."""

import json
import shlex
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import ROOT, Ran
from tests.cli.lives import lived
from tests.cli.test_docs import commands, masked, sessions
from tests.cli.worlds import RAIN, SNOW, instruction, write_plan
from tests.simulation.worlds import MORNING_MS

Cli = Callable[..., Ran]
Sql = psycopg.Connection[Any]
NOBODY = "http://127.0.0.1:9"


def replayed(cli: Cli, run: str, *words: str) -> Any:
    """What the command says, as a document; it must not have failed otherwise than by differing."""
    ran = cli("runs", "replay", run, *words, "--json")
    assert ran.err == "", ran.err
    return ran.document["result"]


def altered(sql: Sql, payload_id: str, old: str, new: str) -> None:
    """Change what was kept, under the name that it has: nothing that the program could do."""
    row = sql.execute("SELECT body FROM book_snapshots WHERE payload_id = %s", (payload_id,)).fetchone()
    assert row is not None
    body = zlib.decompress(row[0])
    assert body.count(old.encode()) == 1
    forced(
        sql,
        "UPDATE book_snapshots SET body = %s WHERE payload_id = %s",
        zlib.compress(body.replace(old.encode(), new.encode())),
        payload_id,
    )


def forced(sql: Sql, statement: str, *values: object) -> None:
    """Change a row that is never to be changed: only a session that plays the replica gets past that."""
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        assert sql.execute(statement, values).rowcount == 1


def read_by(sql: Sql, kind: str, name: str) -> str:
    """The payload that the one run read of this token or market."""
    row = sql.execute("SELECT inputs->%s->%s FROM runs WHERE kind = 'trade'", (kind, name)).fetchone()
    assert row is not None
    return str(row[0]["id"] if kind == "books" else row[0])


def paths(result: Any) -> list[str]:
    return [difference["path"] for difference in result["differences"]]


def test_every_run_of_a_life_has_the_same_bytes_again(cli: Cli, tmp_path: Path, sql: Sql) -> None:
    lived(cli, tmp_path)
    before = sql.execute("SELECT last_value FROM ledger_sequence").fetchone()
    told: dict[str, list[str]] = {}
    for row in cli("runs", "list", "--json").rows:
        ran = cli("runs", "replay", row["runId"])
        assert (ran.code, ran.err) == (0, ""), ran.out
        assert "different" not in ran.out
        told.setdefault(row["kind"], []).append(ran.out)
        if row["kind"] in ("trade", "maintain"):
            kept = sql.execute(
                "SELECT octet_length((summary_json->'result')::text) FROM runs WHERE run_id = %s",
                (row["runId"],),
            ).fetchone()
            assert ran.out.endswith(f"identical ({(kept or (0,))[0]:,} bytes)\n")
    assert {kind: len(runs) for kind, runs in told.items()} == {
        "trade": 5,
        "maintain": 6,
        "run": 1,
        "rules": 1,
    }
    assert "holds nothing to compute" in told["rules"][0]
    assert told["run"][0].count("identical") == 4
    attempts = sql.execute("SELECT attempt FROM runs WHERE plan_id = 'evening'").fetchone()
    assert attempts == (2,)
    assert sql.execute("SELECT last_value FROM ledger_sequence").fetchone() == before


def test_every_screen_of_the_page_is_the_one_that_comes_out(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    assert cli("trade", "plans/demo.json", "--books", "plans/books").code == 5
    page = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    told = [pair for session in sessions(page) for pair in commands(session)]
    assert len(told) == 2
    for line, screen in told:
        program, *words = shlex.split(line)
        ran = cli(*words)
        assert (program, ran.code, ran.err) == ("betteroms", 0, "")
        assert masked(ran.out) == masked(screen), line


def test_every_example_plan_has_the_same_bytes_again(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    names = sorted(path.name for path in (tmp_path / "plans").glob("*.json"))
    for name in names:
        assert cli("trade", f"plans/{name}", "--books", "plans/books").code in (0, 5)
    rows = cli("runs", "list", "--json").rows
    assert len(rows) == len(names)
    for row in rows:
        assert replayed(cli, row["planId"])["outcome"] == "identical"


@pytest.mark.parametrize(
    "name", [RAIN.condition_id.upper().replace("X", "x"), RAIN.token_id(0), RAIN.row()["id"]]
)
def test_a_market_is_found_again_by_whatever_name_the_plan_has_for_it(
    name: str, cli: Cli, traded: Cli
) -> None:
    assert traded(instruction(marketId=name)).code == 0
    assert replayed(cli, "june")["outcome"] == "identical"


def test_markets_without_a_row_and_mirrored_books_are_found_again(
    cli: Cli, tmp_path: Path, books: Path
) -> None:
    (books / "markets.json").unlink()
    wish = instruction(marketId=RAIN.token_id(1), price=0.62)
    del wish["outcome"]
    plan = write_plan(tmp_path / "plan.json", wish)
    assert cli("trade", str(plan), "--books", str(books)).code == 0
    assert replayed(cli, "june")["outcome"] == "identical"


def test_a_level_that_was_altered_is_found(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    book = read_by(sql, "books", RAIN.token_id(0))
    altered(sql, book, '"size":"300"', '"size":"120"')
    ran = cli("runs", "replay", "june")
    assert (ran.code, ran.err) == (1, "")
    assert f"inputs.books.{RAIN.token_id(0)}: {book} → " in " ".join(ran.out.split())
    result = replayed(cli, "june")
    assert "result.instructions[0].executions[0].size" in paths(result)
    found = next(d for d in result["differences"] if d["path"].endswith("executions[0].size"))
    assert (found["before"], found["after"]) == ("232.55", "120")


def test_a_fee_that_was_altered_is_found(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    row = read_by(sql, "markets", RAIN.condition_id)
    altered(sql, row, '"rate":0.05', '"rate":0.04')
    result = replayed(cli, "june")
    assert result["outcome"] == "different"
    assert "result.instructions[0].executions[0].fee" in paths(result)
    assert "result.totals.fees" in paths(result)
    assert f"inputs.markets.{RAIN.condition_id}" in paths(result)


def test_a_limit_that_was_altered_is_found(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    forced(
        sql,
        'UPDATE runs SET settings = settings || \'{"BETTEROMS_MAX_ORDER_NOTIONAL_USD": "50"}\'::jsonb',
    )
    result = replayed(cli, "june")
    assert result["outcome"] == "different"
    status = next(d for d in result["differences"] if d["path"] == "result.instructions[0].status")
    assert (status["before"], status["after"]) == ("FILLED", "DENIED")


def test_settings_that_nobody_could_have_set_are_told(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    forced(
        sql, 'UPDATE runs SET settings = settings || \'{"BETTEROMS_PAPER_LIQUIDITY_FRACTION": "7"}\'::jsonb'
    )
    (found,) = replayed(cli, "june")["differences"]
    assert "BETTEROMS_PAPER_LIQUIDITY_FRACTION, as the run kept it: '7'" in found["after"]


def test_a_fact_of_the_ledger_that_was_altered_is_found(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    traded(instruction(side="SELL", price=0.39, size=10), planId="july")
    forced(sql, "UPDATE executions SET fee = fee + 1 WHERE side = 'BUY'")
    assert replayed(cli, "june")["outcome"] == "identical"
    result = replayed(cli, "july")
    assert paths(result) == ["result.markets[0].realised", "result.markets[0].fees"]


def test_what_is_gone_or_spoilt_is_told(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    book, row = read_by(sql, "books", RAIN.token_id(0)), read_by(sql, "markets", RAIN.condition_id)
    altered(sql, row, '"conditionId"', '"conditionID"')
    (found,) = replayed(cli, "june")["differences"]
    assert "the row kept of market" in found["after"]
    altered(sql, row, '"conditionID"', '"conditionId"')
    altered(sql, book, '"asset_id"', '"asset-id"')
    (found,) = replayed(cli, "june")["differences"]
    assert "the book kept of token" in found["after"]
    forced(sql, "DELETE FROM book_snapshots WHERE payload_id = %s", book)
    (found,) = replayed(cli, "june")["differences"]
    assert "is not kept any more" in found["after"]


def test_a_run_of_another_version_is_shown_with_a_note(cli: Cli, traded: Cli, sql: Sql) -> None:
    traded(instruction())
    forced(sql, "UPDATE runs SET engine_version = '0.0.1'")
    assert cli("runs", "replay", "june").out.count("identical") == 1
    altered(sql, read_by(sql, "books", RAIN.token_id(0)), '"size":"300"', '"size":"120"')
    ran = cli("runs", "replay", "june")
    assert (ran.code, "carried out by version 0.0.1" in ran.out) == (0, True)


def test_a_run_that_failed_has_nothing_to_compare(cli: Cli, tmp_path: Path) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    away = {"BETTEROMS_CLOB_URL": NOBODY, "BETTEROMS_GAMMA_URL": NOBODY, "BETTEROMS_HTTP_ATTEMPTS": "1"}
    assert cli("trade", str(plan), **away).code == 6
    ran = cli("runs", "replay", "june")
    assert (ran.code, ran.err) == (0, "")
    assert "the run is failed (" in ran.out
    assert "it has no result to compare with" in ran.out
    assert cli("runs", "replay", "no-such-plan").code == 3


@pytest.mark.parametrize(
    ("change", "fee", "size", "average"),
    [
        ("fees=free", "0", "232.55", "0.42"),
        ("fees=assumed", "3.96544", "232.55", "0.42"),
        ("fees=0.1", "5.66491", "232.55", "0.42"),
        ("slippageTicks=1", "2.8499", "232.55", "0.43"),
        ("liquidityFraction=0.1", "0.3654", "30", "0.42"),
        ("fees=free,liquidityFraction=0.1", "0", "30", "0.42"),
    ],
)
def test_what_if(change: str, fee: str, size: str, average: str, cli: Cli, traded: Cli) -> None:
    traded(instruction())
    result = replayed(cli, "june", "--what-if", change)
    assert result["outcome"] == "whatIf"
    (order,) = result["orders"]
    assert order["before"] == {
        "status": "FILLED",
        "code": None,
        "filledSize": "232.55",
        "fillSize": "232.55",
        "averagePrice": "0.42",
        "fee": "2.83245",
    }
    after = order["after"]
    assert (after["fee"], after["filledSize"], after["averagePrice"]) == (fee, size, average)
    assert cli("runs", "replay", "june").out.count("identical") == 1


def test_what_if_on_one_page(cli: Cli, traded: Cli) -> None:
    traded(instruction(), instruction(SNOW, price=0.41))
    ran = cli("runs", "replay", "june", "--what-if", "fees=free", "--what-if", "fill=optimistic")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0].endswith("what if fees=free, fill=optimistic")
    assert "fees 2.83245 → 0" in ran.out
    assert "-$5.15795 → -$2.3255 (+$2.83245)" in ran.out
    nothing = cli("runs", "replay", "june", "--what-if", "fill=base")
    assert "nothing would have been different" in nothing.out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("fee=0.05", "there is no 'fee' to change; what can be changed: fees=0.05|free|assumed"),
        ("fees", "'fees' is no change"),
        ("fees=2", "'2' is neither a rate from 0 to 1, nor free, nor assumed"),
        ("fees=dear", "fees: "),
        ("fees=free,fees=0.1", "fees is given twice"),
        ("liquidityFraction=0", "'0' is not above 0 and at most 1"),
        ("fill=lucky", "'lucky' is none of pessimistic, base, optimistic"),
        ("slippageTicks=-1", "'-1' is not a whole number"),
    ],
)
def test_a_change_that_means_nothing_is_refused(change: str, message: str, cli: Cli) -> None:
    ran = cli("runs", "replay", "june", "--what-if", change, "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "USAGE")
    assert message in ran.error["message"]


def test_a_scheduled_run_is_computed_from_its_parts(cli: Cli, tmp_path: Path, books: Path, sql: Sql) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    write_plan(plans / "first.json", instruction(), planId="first")
    write_plan(plans / "later.json", instruction(price=0.44, size=900), planId="later", priority=200)
    run = (
        "run",
        "--plans",
        str(plans),
        "--books",
        str(books),
        "--budget",
        "500",
        "--at",
        "2026-11-20T12:00:00Z",
    )
    assert cli(*run).code == 5
    # The same hour again, after an interruption: what was carried out counts, and is not done again.
    assert cli(*run).code == 0
    kinds = [row["runId"] for row in cli("runs", "list", "--json").rows if row["kind"] == "run"]
    assert len(kinds) == 2
    for name in kinds:
        result = replayed(cli, name)
        assert (result["outcome"], {part["outcome"] for part in result["parts"]}) == (
            "identical",
            {"identical"},
        )
    altered(sql, read_by(sql, "books", RAIN.token_id(0)), '"size":"300"', '"size":"120"')
    result = replayed(cli, kinds[1])
    assert result["outcome"] == "different"
    assert "result.plans[0].totals.notional" in paths(result)
    assert [part["outcome"] for part in result["parts"]] == ["different", "different", "different"]
    assert cli("runs", "replay", kinds[1]).code == 1


def test_what_met_a_single_recorded_book_is_previewed_maintained_and_replayed(
    cli: Cli, tmp_path: Path
) -> None:
    # No market row, and the other outcome was not recorded: there is a market of one outcome.
    books = tmp_path / "one"
    books.mkdir()
    book = RAIN.book(0, bids=[("0.40", "200")], asks=[("0.42", "300")], stamp=MORNING_MS)
    (books / "book.json").write_text(json.dumps([book]))
    named = {"marketId": RAIN.token_id(0)}
    lines = [instruction(size=42) | named, instruction(price=0.35, size=42) | named]
    for line in lines:
        del line["outcome"]
    plan = write_plan(tmp_path / "june.json", *lines)
    for words in (("preview", str(plan)), ("trade", str(plan)), ("maintain", "--dry-run"), ("maintain",)):
        ran = cli(*words, "--books", str(books))
        assert ran.code == 0, (words, ran.err)
    for run in cli("runs", "list", "--json").rows:
        assert replayed(cli, run["runId"])["outcome"] == "identical"
