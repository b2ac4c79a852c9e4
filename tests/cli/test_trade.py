"""`trade` and `validate`: whole runs with their whole output."""

import json
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.worlds import GONE, RAIN, SNOW, book, instruction, write_plan
from tests.venue_server import VenueServer

LINES = (
    instruction(notes="two levels would be there"),
    instruction(SNOW, price=0.39, timeInForce="GTD", cancelAfterSec=600),
    instruction(GONE),
    instruction(side="SELL", price=0.5, size=10),
    instruction(price=0.4477, size=200.129, timeInForce="FAK"),
    instruction(SNOW, outcome="NO", price=0.6, size=20, sizeUnit="SHARES", postOnly=True),
)
SCREEN = """\
june · paper · completed

#  order     side      limit     size     filled  average      fee  status
────────────────────────────────────────────────────────────────────────────
will-it-rain-in-bregenz
0  a6ee2a41  BUY Yes    0.43   232.55     232.55     0.42  2.83245  filled
will-it-snow-in-bregenz
1  5f8a227a  BUY Yes    0.39   256.41          0        –        –  open
did-it-hail-in-bregenz
2  13636894  BUY Yes       –        –          0        –        –  denied
will-it-rain-in-bregenz
3  72dd25e3  SELL Yes   0.50       10          0        –        –  denied
4  f925abe0  BUY Yes    0.44  $200.12  457.88409   0.4371  5.63168  filled
will-it-snow-in-bregenz
5  680bcc63  BUY No     0.60       20          0        –        –  rejected

Not carried out as wished
  2  MARKET_CLOSED: market=did-it-hail-in-bregenz closed=true
      acceptingOrders=false
  3  INSUFFICIENT_SHARES: need=10 shares=0
  5  POST_ONLY_WOULD_CROSS

Positions in these markets (dollars; realised is net of fees)

  position                          size    cost  unrealised  realised  fees
  ──────────────────────────────────────────────────────────────────────────
  will-it-rain-in-bregenz Yes  690.43409  297.79      -14.71     -8.46  8.46
  ──────────────────────────────────────────────────────────────────────────
  total                                   297.79      -14.71     -8.46  8.46

Totals
  6 instructions: 2 filled, 1 resting, 1 rejected, 2 denied
  3 fills for $297.791, fees $8.46413, slippage against mid $14.713023
  refused: INSUFFICIENT_SHARES 1, MARKET_CLOSED 1, POST_ONLY_WOULD_CROSS 1

Remarks
  AMOUNT_ROUNDED on 1 instruction: from=200.129 to=200.12
  PRICE_ROUNDED on 1 instruction: from=0.4477 to=0.44
  recorded books stood in for the venue's: 3 of 3

run cb1aa245 · <span>
"""


def masked(text: str) -> str:
    """The text without what differs from run to run, and without blanks at the ends of lines."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<the time in UTC  >", text)
    text = re.sub(r"· \d+\.\d\d s$", "· <span>", text, flags=re.MULTILINE)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


def counts(sql: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows every table has."""
    tables = ("runs", "orders", "executions", "positions", "ledger_entries", "audit_logs", "book_snapshots")
    found = {}
    for table in tables:
        row = sql.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def test_the_whole_screen(traded: Callable[..., Ran]) -> None:
    ran = traded(*LINES)
    assert (ran.code, ran.err) == (5, "")
    assert masked(ran.out) == SCREEN


def test_the_same_screen_from_a_process_of_its_own(
    command: Callable[..., Ran], tmp_path: Path, books: Path
) -> None:
    plan = write_plan(tmp_path / "plan.json", *LINES)
    ran = command("trade", str(plan), "--books", str(books))
    assert (ran.code, ran.err) == (5, "")
    assert masked(ran.out) == SCREEN


def test_a_run_without_a_refusal_ends_with_zero(traded: Callable[..., Ran]) -> None:
    assert traded(instruction()).code == 0


def test_a_rejection_by_the_venue_is_no_refusal_of_ours(traded: Callable[..., Ran]) -> None:
    assert traded(instruction(postOnly=True)).code == 0


def test_the_json_has_the_shape_that_later_versions_only_add_to(traded: Callable[..., Ran]) -> None:
    ran = traded(instruction(ref="first"), words=("--json",))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    told = ran.document
    assert (told["schemaVersion"], told["command"]) == (1, "trade")
    result = told["result"]
    assert (result["planId"], result["mode"], result["status"]) == ("june", "paper", "completed")
    order = result["instructions"][0]
    expected = {
        "line": 0,
        "ref": "first",
        "marketId": RAIN.slug,
        "tokenId": RAIN.token_id(0),
        "side": "BUY",
        "status": "FILLED",
        "code": None,
        "limitPrice": "0.43",
        "size": "232.55",
        "filledSize": "232.55",
        "executions": [{"price": "0.42", "size": "232.55", "fee": "2.83245", "liquidity": "TAKER"}],
    }
    assert {name: order[name] for name in expected} == expected
    totals = result["totals"]
    assert (totals["placed"], totals["filled"], totals["notional"]) == (1, 1, "97.671")
    assert set(told["timing"]) >= {"startedAt", "durationMs", "runId"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["timing"]["startedAt"])


def test_the_same_plan_twice_is_told_and_nothing_is_created(
    traded: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    before = counts(sql)
    ran = traded(instruction())
    assert (ran.code, ran.out) == (8, "")
    assert ran.err.startswith("error: planId already exists: june was completed in mode paper")
    assert counts(sql) == before


def test_another_content_under_a_known_plan_id_is_refused(
    traded: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    before = counts(sql)
    ran = traded(instruction(price=0.41), words=("--json",))
    assert (ran.code, ran.out, ran.error["code"]) == (8, "", "PLAN_CHANGED")
    assert "with other content: it differs at tradeInstructions[0].price (" in ran.error["message"]
    assert counts(sql) == before


def test_a_kept_plan_that_this_version_cannot_read_still_refuses_another_content(
    traded: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    sql.execute("UPDATE book_snapshots SET body = %s WHERE kind = 'plan'", (zlib.compress(b'{"older": 1}'),))
    ran = traded(instruction(price=0.41), words=("--json",))
    assert (ran.code, ran.out, ran.error["code"]) == (8, "", "PLAN_CHANGED")
    assert "other content: it differs (contentHash" in ran.error["message"]


def test_what_is_held_is_told_with_its_mark(traded: Callable[..., Ran]) -> None:
    [held] = traded(instruction(), words=("--json",)).document["result"]["markets"]
    cost, mark, size = (Decimal(held[name]) for name in ("costBasis", "mark", "size"))
    assert held["markFlag"] is None
    assert 0 < mark < 1
    assert Decimal(held["unrealised"]) == mark * size - cost


def test_a_starting_cash_that_changed_is_told_and_changes_nothing(
    traded: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    traded(instruction())
    monkeypatch.setenv("BETTEROMS_PAPER_CASH", "77")
    ran = traded(instruction(), planId="july", words=("--json",))
    assert ran.document["result"]["warnings"] == [
        "the paper wallet was opened with 10000; that BETTEROMS_PAPER_CASH is 77 now changes nothing"
    ]


@pytest.mark.parametrize(
    ("mode", "code", "name"), [("live", 5, "LIVE_OFF"), ("shadow", 4, "CREDENTIALS_UNUSABLE")]
)
def test_nothing_is_signed_or_sent_without_switch_and_key(
    mode: str, code: int, name: str, traded: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    ran = traded(instruction(), mode=mode, words=("--json",))
    assert (ran.code, ran.out, ran.error["code"]) == (code, "", name)
    assert counts(sql)["runs"] == 0


def test_every_unknown_market_and_outcome_is_named(
    traded: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    ran = traded(instruction(marketId="nope"), instruction(), instruction(outcome="Maybe"), words=("--json",))
    assert (ran.code, ran.out, ran.error["code"]) == (3, "", "NOT_FOUND")
    assert ["tradeInstructions[0]" in ran.error["message"], "tradeInstructions[2]" in ran.error["message"]]
    assert len(ran.error["problems"]) == 2
    assert counts(sql)["runs"] == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "is empty"),
        ("{", "JSON"),
        ('{"planId": "x", "planId": "y"}', "planId"),
        ('{"planId": "x", "mode": "paper", "tradeInstructions": [{}]}', "tradeInstructions[0]"),
    ],
)
def test_a_plan_that_is_none_is_told_with_its_place(
    text: str | None, complaint: str, cli: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    if text is not None:
        (tmp_path / "plan.json").write_text(text)
    for verb in ("trade", "preview", "validate"):
        ran = cli(verb, "plan.json")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("error: ")
        assert "plan.json" in ran.err
        assert complaint in ran.err
    assert counts(sql)["runs"] == 0


def test_books_that_are_not_there_are_told(cli: Callable[..., Ran], tmp_path: Path) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    ran = cli("trade", str(plan), "--books", "nowhere", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "RECORDING_UNREADABLE")


def test_files_that_are_no_books_are_told_of(traded: Callable[..., Ran], books: Path) -> None:
    (books / "notes.txt").write_text("hello")
    (books / "torn.json").write_text("[{")
    ran = traded(instruction())
    assert ran.code == 0
    assert ran.err.splitlines()[0].startswith("note: ignored notes.txt: ")
    assert ran.err.splitlines()[1].startswith("note: ignored torn.json: ")


def test_a_book_that_is_not_what_it_claims_is_remarked(traded: Callable[..., Ran], books: Path) -> None:
    told = json.loads((books / "books.json").read_text())
    told[0]["bids"][0]["size"] = "201"
    (books / "books.json").write_text(json.dumps(told))
    ran = traded(instruction())
    assert "HASH_MISMATCH: 1 of 1 books are not what they claim: 68762…33526" in ran.out


def test_assumptions_are_remarked(traded: Callable[..., Ran], books: Path) -> None:
    (books / "markets.json").unlink()
    ran = traded(instruction(marketId=RAIN.token_id(0)))
    assert ran.code == 0
    assert "FEES_ASSUMED on 1 instruction: rate=0.07" in ran.out


def test_another_run_that_writes_is_named(traded: Callable[..., Ran], sql: psycopg.Connection[Any]) -> None:
    sql.execute("SET application_name = 'betteroms 77 trade may'")
    sql.execute("SELECT pg_advisory_lock(%s)", (0x6F6D7302,))
    ran = traded(instruction(), words=("--wait", "0"))
    assert (ran.code, ran.out) == (10, "")
    assert ran.err.startswith("error: another run is writing: betteroms 77 trade may, connected since ")
    assert counts(sql)["runs"] == 0


def test_a_database_that_is_down_is_told(cli: Callable[..., Ran], tmp_path: Path, books: Path) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    ran = cli("trade", str(plan), "--books", str(books), DATABASE_URL="postgresql://me@127.0.0.1:1/none")
    assert (ran.code, ran.out) == (9, "")
    assert ran.err.startswith("error: cannot connect to the database: ")


def test_a_venue_that_is_down_fails_the_run(
    cli: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    down = {
        "BETTEROMS_CLOB_URL": "http://127.0.0.1:1",
        "BETTEROMS_GAMMA_URL": "http://127.0.0.1:1",
        "BETTEROMS_HTTP_ATTEMPTS": "1",
    }
    ran = cli("trade", str(plan), **down)
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith("error: GET 127.0.0.1:1/")
    assert sql.execute("SELECT status FROM runs").fetchall() == [("failed",)]
    listed = cli("runs", "list", "--status", "failed", "--json")
    assert "127.0.0.1:1" in listed.rows[0]["error"]


def test_the_venue_is_asked_where_no_books_are_given(cli: Callable[..., Ran], tmp_path: Path) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    with VenueServer(books=[book(RAIN)], markets=[RAIN.row()]) as venue:
        ran = cli("trade", str(plan), BETTEROMS_CLOB_URL=venue.url, BETTEROMS_GAMMA_URL=venue.url)
    assert (ran.code, ran.err) == (0, "")
    assert "1 instruction: 1 filled" in ran.out
    assert "recorded books" not in ran.out


def test_a_template_takes_the_scheduled_time(traded: Callable[..., Ran]) -> None:
    words = ("--at", "2026-03-01T23:30:00-02:00", "--json")
    ran = traded(instruction(), planId="x-{date}-{hour}", words=words)
    assert ran.document["result"]["planId"] == "x-2026-03-02-01"


def test_of_many_instructions_only_the_telling_ones_are_shown(traded: Callable[..., Ran]) -> None:
    resting = [instruction(price=f"0.{10 + n}", size=5, ref=f"rests-{n}") for n in range(30)]
    filled = [instruction(size=5, ref=f"fills-{n}") for n in range(30)]
    wrong = [instruction(side="SELL", price=0.9, size=5, ref=f"refused-{n}") for n in range(30)]
    ran = traded(*resting, *filled, *wrong)
    shown = [int(line.split()[0]) for line in ran.out.splitlines() if re.match(r" *\d+  [0-9a-f]{8}  ", line)]
    assert shown == [*range(30, 50), *range(60, 80)]
    assert "… 50 more instructions are not shown; betteroms orders list --plan june --limit 90" in ran.out


def test_a_valid_plan_is_told_in_a_line(cli: Callable[..., Ran], tmp_path: Path) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction(), instruction())
    ran = cli("validate", str(plan), DATABASE_URL="postgresql://me@127.0.0.1:1/none")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{plan}: valid; planId june, mode paper, 2 instructions\n"


def test_several_plans_are_each_judged(cli: Callable[..., Ran], tmp_path: Path) -> None:
    good = write_plan(tmp_path / "good.json", instruction())
    bad = write_plan(tmp_path / "bad.json", instruction(price=1.2), instruction(size=0))
    ran = cli("validate", str(bad), str(good), "--json")
    assert ran.code == 2
    first, second = ran.rows
    assert (first["schemaVersion"], first["file"], first["valid"]) == (1, str(bad), False)
    assert [problem.split(": ")[0].split(" ")[1] for problem in first["problems"]] == [
        "tradeInstructions[0].price",
        "tradeInstructions[1].size",
    ]
    assert (second["valid"], second["instructions"]) == (True, 1)


def test_every_complaint_about_a_plan_stands_on_its_line(cli: Callable[..., Ran], tmp_path: Path) -> None:
    write_plan(tmp_path / "bad.json", instruction(price=1.2), instruction(size=0))
    ran = cli("validate", "bad.json")
    assert (ran.code, ran.out) == (2, "")
    first, *rest = ran.err.splitlines()
    assert first == "error: 2 problems"
    assert [line.split(":")[0] for line in rest] == [
        "  bad.json tradeInstructions[0].price",
        "  bad.json tradeInstructions[1].size",
    ]
