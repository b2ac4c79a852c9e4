"""`preview`: what a plan would change, what it saves, and what it ends with."""

import json
import shlex
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import ROOT, Ran
from tests.cli.test_trade import counts, masked
from tests.cli.worlds import GONE, RAIN, SNOW, book, instruction, write_plan
from tests.docs_blocks import blocks
from tests.simulation.worlds import MORNING_MS, Market

Cli = Callable[..., Ran]
Traded = Callable[..., Ran]
LINES = (
    instruction(),
    instruction(SNOW, price=0.39, timeInForce="GTD", cancelAfterSec=600),
    instruction(GONE),
    instruction(side="SELL", price=0.5, size=10),
    instruction(price=0.4477, size=200.129, timeInForce="FAK"),
    instruction(SNOW, outcome="NO", price=0.6, size=20, sizeUnit="SHARES", postOnly=True),
)
SCREEN = """\
june · paper · previewed

3 instructions would be placed; fills and cash with the books of now

#  side     order  limit     size      fills  average     cash  max fee
───────────────────────────────────────────────────────────────────────
will-it-rain-in-bregenz
0  BUY Yes  GTC     0.43   232.55     232.55     0.42   -97.67     2.85
will-it-snow-in-bregenz
1  BUY Yes  GTD     0.39   256.41          0        –     0.00     0.00
will-it-rain-in-bregenz
4  BUY Yes  FAK     0.44  $200.12  457.88409   0.4371  -200.12     5.80

3 instructions would be refused
  2  MARKET_CLOSED: market=did-it-hail-in-bregenz closed=true
      acceptingOrders=false
  3  INSUFFICIENT_SHARES: need=10 shares=0
  5  POST_ONLY_WOULD_CROSS

Worst case (dollars; every buy at its limit, with the highest fee)

  what may be lost at most  before   after
  ────────────────────────────────────────
  will-it-rain-in-bregenz     0.00  308.77
  will-it-snow-in-bregenz     0.00  100.00
  ────────────────────────────────────────
  whole account               0.00  408.77

Totals
  6 instructions: 3 new, 0 done, 3 refused
  new orders: cash -$297.791, fees $8.46413 now; at most they cost $400.1164,
      fees $8.65338
  cash: $10,000.00 before, $9,693.74487 after; free of it $10,000.00 before,
      $9,593.74497 after

Remarks
  AMOUNT_ROUNDED on 1 instruction: from=200.129 to=200.12
  PRICE_ROUNDED on 1 instruction: from=0.4477 to=0.44
  recorded books stood in for the venue's: 3 of 3

run cb1aa245 · <span>
"""


@pytest.fixture
def previewed(cli: Cli, tmp_path: Path, books: Path) -> Traded:
    """Previews a plan of these instructions over the books; the document it prints."""

    def preview(*instructions: dict[str, Any], words: tuple[str, ...] = ("--json",), **fields: Any) -> Ran:
        plan = write_plan(tmp_path / "plan.json", *instructions, **fields)
        return cli("preview", str(plan), "--books", str(books), *words)

    return preview


@pytest.mark.parametrize("words", [("trade", "--preview"), ("preview",)])
def test_the_whole_screen_and_nothing_is_written(
    words: tuple[str, ...], cli: Cli, tmp_path: Path, books: Path, sql: psycopg.Connection[Any]
) -> None:
    plan = write_plan(tmp_path / "plan.json", *LINES)
    before = counts(sql)
    ran = cli(*words, str(plan), "--books", str(books))
    assert (ran.code, ran.err) == (5, "")
    assert masked(ran.out) == SCREEN
    assert counts(sql) == before


def test_the_result_is_the_one_that_trade_would_have_and_more(previewed: Traded, traded: Traded) -> None:
    before = previewed(*LINES).document["result"]
    after = traded(*LINES, words=("--json",)).document["result"]
    assert set(before) - set(after) == {"diff", "worstCase", "cash"}
    assert {**after, "status": "previewed"} == {name: before[name] for name in after}


def test_what_is_new_is_told_with_its_terms_its_fills_and_the_most_it_costs(previewed: Traded) -> None:
    result = previewed(instruction(ref="a")).document["result"]
    diff = result["diff"]
    assert [diff[name] for name in ("new", "done", "refused")] == [1, 0, 0]
    assert diff["expected"] == {"filled": 1, "cash": "-97.671", "fees": "2.83245"}
    assert diff["atMost"] == {"cost": "99.9965", "fees": "2.8499"}
    [row] = diff["instructions"]
    assert row == {
        "line": 0,
        "ref": "a",
        "orderId": result["instructions"][0]["orderId"],
        "action": "new",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "postOnly": False,
        "limitPrice": "0.43",
        "size": "232.55",
        "dollars": None,
        "expiresAt": None,
        "expected": {
            "status": "FILLED",
            "code": None,
            "filledSize": "232.55",
            "averagePrice": "0.42",
            "cash": "-97.671",
            "fee": "2.83245",
        },
        "atMost": {"cost": "99.9965", "fee": "2.8499"},
    }
    assert result["cash"] == {
        "before": {"cash": "10000", "reserved": "0", "free": "10000"},
        "after": {"cash": "9899.49655", "reserved": "0", "free": "9899.49655"},
    }


def test_the_most_that_a_sale_is_charged_is_where_the_fee_peaks(previewed: Traded, traded: Traded) -> None:
    traded(instruction())
    sale = instruction(side="SELL", price=0.3, size=100)
    maker = instruction(side="SELL", price=0.6, size=100, postOnly=True)
    rows = previewed(sale, maker, planId="july").document["result"]["diff"]["instructions"]
    # 100 shares x 0.05 x 0.5 x 0.5, though best bid and limit are below 0.5; makers pay nothing.
    assert [row["atMost"] for row in rows] == [{"cost": None, "fee": "1.25"}, {"cost": None, "fee": "0"}]
    assert [row["expected"]["filledSize"] for row in rows] == ["100", "0"]


def test_a_completed_plan_is_done_with_its_results_and_nothing_else_happens(
    previewed: Traded, traded: Traded, books: Path, sql: psycopg.Connection[Any]
) -> None:
    lines = (instruction(), instruction(price=0.41), instruction(side="SELL", price=0.5, size=1000))
    assert traded(*lines).code == 5
    # What rests would be filled by a plan that is carried out now.
    requoted(books, asks=[("0.39", "1000")], bids=[("0.38", "10")])
    before = counts(sql)
    ran = previewed(*lines)
    assert (ran.code, ran.err) == (0, "")
    result = ran.document["result"]
    assert [result["diff"][name] for name in ("new", "done", "refused")] == [0, 3, 0]
    assert [row["result"]["status"] for row in result["diff"]["instructions"]] == ["FILLED", "OPEN", "DENIED"]
    assert result["diff"]["instructions"][0]["result"]["averagePrice"] == "0.42"
    assert result["settled"] == []
    assert result["cash"]["before"] == result["cash"]["after"]
    assert counts(sql) == before
    screen = previewed(*lines, words=("--detailed-exitcode",))
    assert screen.code == 0
    assert "3 instructions carried out already" in screen.out
    assert "would be" not in screen.out


def test_a_changed_plan_is_refused_as_its_trade_would_be(previewed: Traded, traded: Traded) -> None:
    traded(instruction())
    ran = previewed(instruction(price=0.41))
    assert (ran.code, ran.out, ran.error["code"]) == (8, "", "PLAN_CHANGED")
    assert "it differs at tradeInstructions[0].price (" in ran.error["message"]


def test_of_a_plan_that_stopped_half_way_the_rest_is_new(
    previewed: Traded, traded: Traded, sql: psycopg.Connection[Any]
) -> None:
    lines = (instruction(price=0.41), instruction(price=0.4))
    traded(*lines)
    stopped_after(sql, lines=1)
    ran = previewed(*lines, words=("--json", "--detailed-exitcode"))
    assert ran.code == 11
    assert [row["action"] for row in ran.document["result"]["diff"]["instructions"]] == ["done", "new"]
    screen = previewed(*lines, words=()).out
    assert "1 instruction would be placed" in screen
    assert "1 instruction carried out already" in screen


def test_a_preview_is_judged_by_the_accounts_past(previewed: Traded, traded: Traded) -> None:
    traded(instruction())
    ran = previewed(instruction(), planId="july", limits={"maxMarketNotionalUSD": 150})
    assert ran.code == 5
    [row] = ran.document["result"]["diff"]["instructions"]
    assert (row["by"], row["code"]) == ("us", "MARKET_NOTIONAL_EXCEEDS_LIMIT")


def test_the_worst_case_of_an_event_is_that_of_its_outcomes_together(previewed: Traded, books: Path) -> None:
    group = {"negRisk": True, "negRiskMarketID": "0x" + "ab" * 32, "events": [{"slug": "weather"}]}
    rows = [{**market.row(), **group} for market in (RAIN, SNOW)]
    (books / "markets.json").write_text(json.dumps(rows))
    both = [instruction(m, outcome="NO", price=0.6, size=100, sizeUnit="SHARES") for m in (RAIN, SNOW)]
    ran = previewed(*both)
    worst = ran.document["result"]["worstCase"]
    rain, snow = (row["after"] for row in worst["markets"])
    assert (rain, snow) == ("61.2", "60")
    # It rains or it snows, never both: of the two NOs one is lost at most.
    assert worst["events"] == [{"event": "weather", "before": "0", "after": "61.2"}]
    assert worst["account"] == {"before": "0", "after": "61.2"}
    assert "event weather" in previewed(*both, words=()).out


def test_a_fill_that_is_held_pays_in_the_worst_case(previewed: Traded, traded: Traded, books: Path) -> None:
    traded(instruction(SNOW, size=42, price=0.42))
    no = instruction(SNOW, outcome="NO", price=0.6, size=50, sizeUnit="SHARES")
    [row] = previewed(no, planId="july").document["result"]["worstCase"]["markets"]
    # 100 YES for 42 are held: whoever wins, at most 42 and the 30 of the new order are lost.
    assert (row["before"], row["after"]) == ("42", "42")


@pytest.mark.parametrize(
    ("lines", "plain", "detailed"),
    [
        ((instruction(),), 0, 11),
        ((instruction(), instruction(side="SELL", price=0.5, size=10)), 5, 5),
        ((instruction(side="SELL", price=0.5, size=10),), 5, 5),
        ((instruction(postOnly=True),), 0, 0),
    ],
    ids=["new", "new and refused", "refused", "refused by the venue"],
)
def test_the_exit_code_tells_what_would_happen(
    lines: tuple[dict[str, Any], ...], plain: int, detailed: int, previewed: Traded, cli: Cli, books: Path
) -> None:
    assert previewed(*lines).code == plain
    assert previewed(*lines, words=("--detailed-exitcode",)).code == detailed
    words = ("--books", str(books), "--detailed-exitcode")
    assert cli("trade", "plan.json", "--preview", *words).code == detailed


def test_a_preview_is_saved_for_its_owner_alone(previewed: Traded, tmp_path: Path) -> None:
    ran = previewed(instruction(), words=("--json", "--save", "june.approved.json"))
    assert ran.code == 0
    file = tmp_path / "june.approved.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    saved = json.loads(file.read_text())
    told = ran.document["result"]["saved"]
    assert told == {
        "file": "june.approved.json",
        "savedAt": saved["savedAt"],
        "expiresAt": saved["expiresAt"],
    }
    assert saved["plan"] == (tmp_path / "plan.json").read_text()
    assert (saved["planId"], saved["mode"], saved["planFile"]) == (
        "june",
        "paper",
        str(tmp_path / "plan.json"),
    )
    [order] = saved["orders"]
    assert (order["action"], order["limitPrice"], order["size"]) == ("new", "0.43", "232.55")
    assert saved["account"] == {"cash": "10000", "free": "10000", "held": {}, "openOrders": []}
    assert saved["limits"]["maxBookAgeSeconds"] == "60"
    [seen] = saved["books"]
    assert (seen["bestBid"], seen["bestAsk"]) == ("0.4", "0.42")


def test_the_screen_says_how_to_carry_out_what_was_saved(previewed: Traded) -> None:
    screen = masked(previewed(instruction(), words=("--save", "june.approved.json")).out)
    assert "\nSaved\n  betteroms trade --approved june.approved.json, until <the time in UTC  >\n" in screen


def test_no_file_is_replaced_unless_that_is_said(previewed: Traded, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("precious")
    ran = previewed(instruction(), words=("--json", "--save", "a.json"))
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "OUTPUT_REFUSED")
    assert file.read_text() == "precious"
    assert previewed(instruction(), words=("--save", "a.json", "--force")).code == 0
    assert json.loads(file.read_text())["planId"] == "june"


def test_a_preview_that_fails_saves_nothing(previewed: Traded, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert previewed(instruction(marketId="nope"), words=("--save", "a.json")).code == 3
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "plan.json"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("preview", "plan.json", "--force"), "--save FILE"),
        (("preview", "plan.json", "--save", "./plan.json", "--force"), "replace the plan itself"),
        (("trade", "plan.json", "--detailed-exitcode"), "needs --preview"),
    ],
)
def test_words_that_do_not_go_together_are_told(
    words: tuple[str, ...], complaint: str, cli: Cli, tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    text = plan.read_text()
    ran = cli(*words)
    assert (ran.code, ran.out) == (2, "")
    assert complaint in ran.err
    assert plan.read_text() == text


def test_of_many_instructions_the_first_of_each_kind_are_shown(previewed: Traded) -> None:
    resting = [instruction(price=f"0.{10 + n}", size=5, ref=f"rests-{n}") for n in range(30)]
    filled = [instruction(size=5, ref=f"fills-{n}") for n in range(30)]
    wrong = [instruction(side="SELL", price=0.9, size=5, ref=f"refused-{n}") for n in range(45)]
    screen = previewed(*resting, *filled, *wrong, words=()).out
    assert "60 instructions would be placed" in screen
    assert "… 20 more are not shown; --json has all of them" in screen
    assert "45 instructions would be refused" in screen
    assert "… 5 more are not shown; --json has all of them" in screen


def test_every_screen_of_the_page_is_the_one_that_comes_out(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    shown = 0
    for block in blocks("docs/preview.md"):
        line, _, screen = block.text.removeprefix("$ ").partition("\n")
        ran = cli(*shlex.split(line)[1:])
        assert ran.code in (0, 5), ran.err
        if block.language == "console":
            assert masked(f"{ran.out}{ran.err}") == masked(screen), line
            shown += 1
    assert shown == 3


def requoted(
    books: Path,
    *,
    bids: list[tuple[str, str]],
    asks: list[tuple[str, str]],
    market: Market = RAIN,
    outcome: int = 0,
) -> None:
    """Let the book of one outcome be another one, an hour later."""
    told = [book(each, side) for each in (RAIN, SNOW) for side in (0, 1)]
    fresh = market.book(outcome, bids=bids, asks=asks, stamp=MORNING_MS + 3_600_000)
    kept = [each for each in told if each["asset_id"] != fresh["asset_id"]]
    (books / "books.json").write_text(json.dumps([*kept, fresh]))


def stopped_after(sql: psycopg.Connection[Any], *, lines: int) -> None:
    """Let the run look as if it had ended behind the line: as one that sends orders out may leave it."""
    sql.execute("UPDATE runs SET status = 'failed', summary_json = NULL")
    gone = sql.execute("SELECT order_id FROM orders WHERE line >= %s", (lines,)).fetchall()
    for table in ("fill_bounds", "orders"):
        for (name,) in gone:
            sql.execute(f"DELETE FROM {table} WHERE order_id = %s", (name,))
