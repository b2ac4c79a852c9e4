"""`runs`, `orders`, `explain` and `positions`: what is read back of what was done."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.test_trade import LINES, masked
from tests.cli.worlds import RAIN, SNOW, book, instruction, write_books, write_plan

EXPLAINED = """\
order      f925abe0-2bdc-5165-bd74-89935fb7edd0
what       BUY Yes for $200.12 @ 0.44, LIMIT FAK
market     will-it-rain-in-bregenz
condition  0xcf08405cf37ee45e7841469104585a704c92e58a29914e17029a13df9dfc6bcf
token      68762903969807495241165229681631608809373223393595427676348502219439521533526
plan       june, line 4
mode       paper
status     filled
filled     457.88409 shares for $200.12, 0.437054 each
placed     <the time in UTC  >

As written
  marketId: will-it-rain-in-bregenz
  outcome: YES
  side: BUY
  price: 0.4477
  size: 200.129
  timeInForce: FAK

Rounded and assumed
  PRICE_ROUNDED: from=0.4477 to=0.44
  AMOUNT_ROUNDED: from=200.129 to=200.12

The book it saw, read <the time in UTC  > (hash verified, recorded)

  bid size   bid   ask  ask size
  ──────────────────────────────
       200  0.40  0.42       300
       500  0.38  0.44     1,000
  2 bids, 2 asks in all; mid 0.41; kept as d5b6648f77f0

Risk
  allowed
  at its worst it costs $200.12 and $5.80348 of fees; $205.92348 were free

What happened
  <the time in UTC  >  placed
  <the time in UTC  >  filled 67.45 @ 0.42; 390.43409 @ 0.44, from book
      d5b6648f77f0

Fills

  #  at                   price       size      cash      fee  liquidity
  ──────────────────────────────────────────────────────────────────────
  1  <the time in UTC  >   0.42      67.45   -28.329  0.82154  taker
  2  <the time in UTC  >   0.44  390.43409  -171.791  4.81014  taker

Fees: shares x rate x (price x (1 - price))
  1  67.45 x 0.05 x (0.42 x (1 - 0.42)) = 0.821541, floored at five decimals
  2  390.43409 x 0.05 x (0.44 x (1 - 0.44)) = 4.8101479888, floored at five
      decimals
"""
ORDERS = """\
order     placed       side      limit     size     filled  status
────────────────────────────────────────────────────────────────────
will-it-rain-in-bregenz
a6ee2a41  MM-DD hh:mm  BUY Yes    0.43   232.55     232.55  filled
will-it-snow-in-bregenz
5f8a227a  MM-DD hh:mm  BUY Yes    0.39   256.41          0  open
did-it-hail-in-bregenz
13636894  MM-DD hh:mm  BUY Yes       –        –          0  denied
will-it-rain-in-bregenz
72dd25e3  MM-DD hh:mm  SELL Yes   0.50       10          0  denied
f925abe0  MM-DD hh:mm  BUY Yes    0.44  $200.12  457.88409  filled
will-it-snow-in-bregenz
680bcc63  MM-DD hh:mm  BUY No     0.60       20          0  rejected
"""


@pytest.fixture
def june(traded: Callable[..., Ran]) -> Ran:
    """The plan of six lines, carried out."""
    return traded(*LINES)


@pytest.mark.usefixtures("june")
def test_an_orders_story_on_one_page(cli: Callable[..., Ran]) -> None:
    ran = cli("explain", "f925abe0")
    assert (ran.code, ran.err) == (0, "")
    assert masked(ran.out) == EXPLAINED


@pytest.mark.usefixtures("june")
def test_the_list_of_orders(cli: Callable[..., Ran]) -> None:
    ran = cli("orders", "list")
    assert (ran.code, ran.err) == (0, "")
    assert re.sub(r"\d\d-\d\d \d\d:\d\d", "MM-DD hh:mm", masked(ran.out)) == ORDERS


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(
    "words",
    [
        ("orders", "list"),
        ("orders", "show", "f925abe0"),
        ("explain", "5f8a227a"),
        ("positions", "report"),
        ("positions", "list"),
        ("runs", "list"),
        ("runs", "show", "june"),
        ("doctor", "--offline"),
    ],
)
def test_every_table_fits_eighty_columns_and_has_no_colour_in_a_pipe(
    words: tuple[str, ...], cli: Callable[..., Ran]
) -> None:
    ran = cli(*words)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    # Whole token ids and paths are left in one piece, to be copied.
    wide = [
        line
        for line in ran.out.splitlines()
        if len(line) > 80 and not re.match(r"token|plan|\w+ +home", line)
    ]
    assert wide == []


@pytest.mark.usefixtures("june")
def test_a_refused_order_tells_why(cli: Callable[..., Ran]) -> None:
    ran = cli("explain", "72dd25e3", "--json")
    story = ran.document["result"]
    assert story["verdict"]["code"] == "INSUFFICIENT_SHARES"
    assert story["verdict"]["detail"] == "need=10 shares=0"
    assert [event["event"] for event in story["events"]] == ["order_denied"]
    assert story["executions"] == []
    told = cli("explain", "72dd25e3").out
    assert "\nRisk\n  refused, INSUFFICIENT_SHARES: need=10 shares=0\n" in told


@pytest.mark.usefixtures("june")
def test_a_resting_order_tells_what_it_holds_back_and_until_when(cli: Callable[..., Ran]) -> None:
    story = cli("explain", "5f8a227a", "--json").document["result"]
    assert story["reserves"] == {"cash": "99.9999", "shares": "0"}
    assert story["expiresAt"] > story["order"]["placedAt"]
    assert story["order"]["timeInForce"] == "GTD"
    assert "\nStill reserved\n  $99.9999 of cash\n" in cli("explain", "5f8a227a").out


def test_the_story_holds_notes_and_exit_rules(traded: Callable[..., Ran], cli: Callable[..., Ran]) -> None:
    ran = traded(instruction(notes="on a hunch", stopLossPct=30.5, maxHoldHours=72), words=("--json",))
    order = ran.document["result"]["instructions"][0]["orderId"]
    story = cli("explain", order[:8], "--json").document["result"]
    assert story["order"]["notes"] == story["asWritten"]["notes"] == "on a hunch"
    assert story["exitRules"] == {"stopLossPct": "30.5", "maxHoldHours": "72"}
    assert "\nExit rules\n  stopLossPct 30.5\n  maxHoldHours 72\n" in cli("explain", order[:8]).out


def test_the_complements_book_is_shown_from_the_orders_side(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path
) -> None:
    (books / "books.json").write_text(json.dumps([book(RAIN)]))
    ran = traded(instruction(outcome="NO", price=0.62, size=50), words=("--json",))
    order = ran.document["result"]["instructions"][0]["orderId"]
    seen = cli("explain", order, "--json").document["result"]["book"]
    assert seen["mirrored"] is True
    assert seen["asks"] == [{"price": "0.6", "size": "200"}, {"price": "0.62", "size": "500"}]
    assert seen["bids"] == [{"price": "0.58", "size": "300"}, {"price": "0.56", "size": "1000"}]


def test_a_later_fill_of_a_resting_order_is_part_of_its_story(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path
) -> None:
    ran = traded(instruction(price=0.41, size=82), words=("--json",))
    order = ran.document["result"]["instructions"][0]["orderId"]
    newer = RAIN.book(0, bids=[("0.39", "10")], asks=[("0.41", "150")], stamp=1_795_999_999_000)
    (books / "books.json").write_text(json.dumps([newer]))
    later = traded(instruction(price=0.20), planId="july")
    assert "Earlier orders that moved" in later.out
    story = cli("explain", order, "--json").document["result"]
    assert [event["event"] for event in story["events"]] == ["order_placed", "order_filled"]
    assert story["executions"][0]["liquidity"] == "MAKER"
    assert story["executions"][0]["feeRule"] == "makers pay none"
    assert story["order"]["status"] == "OPEN"
    assert "partly filled" in cli("orders", "list", "--plan", "june").out


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize("verb", [("orders", "show"), ("explain",)])
@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("f925", 2, "error: 'f925' is too short to name an order: give the first 8 characters of its id"),
        ("00000000", 3, "error: no order has an id that begins with '00000000'"),
        ("not-a-name", 3, "error: no order has an id that begins with 'not-a-name'"),
    ],
)
def test_an_order_that_cannot_be_named_so_is_told(
    verb: tuple[str, ...], name: str, code: int, complaint: str, cli: Callable[..., Ran]
) -> None:
    ran = cli(*verb, name)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(complaint)


@pytest.mark.usefixtures("june")
def test_a_prefix_of_several_orders_names_them(cli: Callable[..., Ran], sql: psycopg.Connection[Any]) -> None:
    sql.execute(
        "CREATE TEMP TABLE twin AS SELECT * FROM orders WHERE order_id::text LIKE 'f925abe0%';"
        "UPDATE twin SET order_id = 'f925abe0-0000-5165-bd74-89935fb7edd0';"
        "INSERT INTO orders SELECT * FROM twin"
    )
    ran = cli("explain", "f925abe0")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "error: 'f925abe0' is the beginning of more than one order's id",
        "  f925abe0-0000-5165-bd74-89935fb7edd0  BUY Yes, will-it-rain-in-bregenz",
        "  f925abe0-2bdc-5165-bd74-89935fb7edd0  BUY Yes, will-it-rain-in-bregenz",
    ]
    assert cli("orders", "show", "f925abe0-2b").code == 0
    # The lists cut ids only as far as they stay different.
    listed = {row["shortId"] for row in cli("orders", "list", "--json").rows}
    assert {"f925abe0-0000-5165", "f925abe0-2bdc-5165", "a6ee2a41"} <= listed


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ((), [0, 1, 2, 3, 4, 5]),
        (("--status", "denied"), [2, 3]),
        (("--status", "denied", "--status", "OPEN"), [1, 2, 3]),
        (("--plan", "june"), [0, 1, 2, 3, 4, 5]),
        (("--plan", "july"), []),
        (("--token", SNOW.token_id(0)), [1]),
        (("--token", SNOW.token_id(1)[:10]), [5]),
        (("--limit", "2", "--offset", "3"), [3, 4]),
    ],
)
def test_orders_pass_the_filters(words: tuple[str, ...], lines: list[int], cli: Callable[..., Ran]) -> None:
    ran = cli("orders", "list", "--json", *words)
    assert ran.code == 0
    assert [row["line"] for row in ran.rows] == lines


@pytest.mark.usefixtures("june")
def test_rows_that_the_limit_holds_back_are_told_of(cli: Callable[..., Ran]) -> None:
    ran = cli("orders", "list", "--limit", "2")
    assert ran.err == "there are more: --offset 2, or a greater --limit\n"
    assert cli("orders", "list", "--limit", "6").err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("orders", "list"), "no orders\n"),
        (("runs", "list"), "no runs\n"),
        (("positions", "list"), "no positions\n"),
    ],
)
def test_an_empty_list_says_so_and_is_done(
    words: tuple[str, ...], said: str, cli: Callable[..., Ran]
) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out, ran.err) == (0, "", said)
    assert (cli(*words, "--json").out, cli(*words, "--json").err) == ("", "")


def test_runs_are_listed_and_shown_as_they_were_told(
    traded: Callable[..., Ran], cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    first = traded(*LINES)
    traded(instruction(price=0.2), planId="july")
    listed = cli("runs", "list", "--json").rows
    assert [row["planId"] for row in listed] == ["july", "june"]
    assert listed[1]["totals"]["notional"] == "297.791"
    assert [row["planId"] for row in cli("runs", "list", "--plan", "june", "--json").rows] == ["june"]
    assert cli("runs", "list", "--status", "failed", "--json").rows == []
    assert cli("runs", "list").out.splitlines()[2].split()[0] == listed[0]["shortId"]
    shown = cli("runs", "show", "june")
    assert shown.code == 0
    assert masked(shown.out).startswith(masked(first.out))
    assert "status     completed, attempt 1\n" in shown.out
    by_id = cli("runs", "show", listed[1]["runId"][:8], "--json").document["result"]
    assert by_id["summary"]["result"]["totals"]["notional"] == "297.791"
    assert by_id["settings"]["BETTEROMS_PAPER_CASH"] == "10000"


@pytest.mark.parametrize("name", ["august", "1234567", "deadbeef", "%"])
def test_a_run_that_is_not_there_is_told(name: str, cli: Callable[..., Ran]) -> None:
    ran = cli("runs", "show", name)
    assert (ran.code, ran.out) == (3, "")
    short = "; of an id the first 8 characters are needed, or more"
    rest = short if len(name) < 8 else ", or an id that begins so"
    assert ran.err == f"error: no run has the planId {name!r}{rest}\n"


def test_a_plan_that_ran_in_two_modes_must_be_named_by_a_runs_id(
    traded: Callable[..., Ran], cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    sql.execute(
        "INSERT INTO runs (run_id, kind, mode, plan_id, status, attempt, now, scheduled_at, started_at, "
        "engine_version, settings, ledger_sequence) VALUES (gen_random_uuid(), 'trade', 'shadow', 'june', "
        "'running', 1, now(), now(), now(), '0', '{}', 0)"
    )
    ran = cli("runs", "show", "june", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (2, "", "AMBIGUOUS")
    assert [line.split()[1:] for line in ran.error["problems"]] == [["paper", "june"], ["shadow", "june"]]


@pytest.mark.parametrize(
    "words",
    [
        ("orders", "list"),
        ("orders", "show", "12345678"),
        ("explain", "12345678"),
        ("runs", "list"),
        ("runs", "show", "june"),
        ("positions", "report"),
        ("positions", "list"),
        ("positions", "verify"),
        ("db", "upgrade"),
        ("db", "status"),
        ("db", "backup", "x.dump"),
    ],
)
def test_a_database_that_is_down_ends_with_nine(words: tuple[str, ...], cli: Callable[..., Ran]) -> None:
    ran = cli(*words, "--json", DATABASE_URL="postgresql://me@127.0.0.1:1/none")
    assert (ran.code, ran.out, ran.error["code"]) == (9, "", "DATABASE_UNAVAILABLE")


@pytest.mark.usefixtures("june")
def test_a_sale_of_what_is_held_is_told_to_be_exempt_and_a_market_without_fees_to_be_free(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    evening = write_books(tmp_path / "evening")
    sale = instruction(side="SELL", price=0.39, size=30, sizeUnit="SHARES")
    plan = write_plan(tmp_path / "sell.json", sale, instruction(SNOW, price=0.42, size=42), planId="evening")
    ran = cli("trade", str(plan), "--books", str(evening), "--json")
    sold, bought = (order["orderId"] for order in ran.document["result"]["instructions"])
    assert "allowed, EXEMPT_REDUCING: it only reduces risk" in cli("explain", sold).out
    free = cli("explain", bought, "--json").document["result"]
    assert [fill["feeRule"] for fill in free["executions"]] == ["this market charges none"]
    assert free["verdict"]["worstFee"] == "0"


def test_the_smallest_fee_is_explained(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path
) -> None:
    crumbs = RAIN.book(0, bids=[], asks=[("0.02", "0.01"), ("0.03", "500")], stamp=1_795_176_000_000)
    (books / "books.json").write_text(json.dumps([crumbs]))
    ran = traded(instruction(price=0.03, size=3), words=("--json",))
    order = ran.document["result"]["instructions"][0]["orderId"]
    first = cli("explain", order, "--json").document["result"]["executions"][0]
    assert first["fee"] == "0.00001"
    assert first["feeRule"] == (
        "0.01 x 0.05 x (0.02 x (1 - 0.02)) = 0.0000098, floored at five decimals, at least 0.00001"
    )


def test_an_assumed_rate_is_told_with_the_fee(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path
) -> None:
    (books / "markets.json").unlink()
    ran = traded(instruction(marketId=RAIN.token_id(0)), words=("--json",))
    order = ran.document["result"]["instructions"][0]["orderId"]
    story = cli("explain", order, "--json").document["result"]
    assert "FEES_ASSUMED: rate=0.07" in story["order"]["adjustments"]
    assert [fill["feeRule"] for fill in story["executions"]] == [
        "232.55 x 0.07 x (0.42 x (1 - 0.42)) = 3.9654426, floored at five decimals; the rate was assumed"
    ]
