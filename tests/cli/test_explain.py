"""`explain`: what became of an order in later runs, how it ended, and which exit it is."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.cli.conftest import Ran
from tests.cli.lives import lived
from tests.cli.test_trade import masked
from tests.cli.worlds import RAIN, SNOW

Cli = Callable[..., Ran]
EXIT = """\
As written
  an exit rule asked for it

The exit it is
  STOP_LOSS since <the time in UTC  >: bid=0.297142 stop=0.32771 cost=0.409638
      pct=20 shown=140 size=482.55
  rules <run>, set by order 032f696c: stopLossPct 20
  attempt 1 of 3 so far
"""
FILLED_LATER = """\
What happened
  <the time in UTC  >  placed
  <the time in UTC  >  filled 250 @ 0.4, from book 3809c08c8724, in run <run>
  <the time in UTC  >  cancel requested EXIT_STOP_LOSS, in run <run>
  <the time in UTC  >  cancelled EXIT_STOP_LOSS, in run <run>

Why it ended
  EXIT_STOP_LOSS: it made way for an exit: the stop-loss was triggered, in run
      <run>
"""
LATER_BOOK = """\
Filled by maintain <run>, read <the time in UTC  > (hash verified, recorded)

  bid size   bid   ask  ask size
  ──────────────────────────────
       500  0.37  0.39       150
                  0.40       100
                  0.45       900
  1 bid, 3 asks in all; mid 0.38; kept as 3809c08c8724

How it might have filled
  250 shares are booked, 0 of them at once
  at worst 0: only what was displayed through its limit, after the 200 ahead of
      it
  at best 500: whole at the first touch of its limit
"""


def told(cli: Cli, order: str) -> Any:
    ran = cli("explain", order, "--json")
    assert (ran.code, ran.err) == (0, "")
    return ran.document["result"]


def screen(cli: Cli, order: str) -> str:
    """The page, without times and the ids of runs, which are of this moment."""
    ran = cli("explain", order)
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 100  # ids and refusals are there to be copied
    text = masked(ran.out)
    return re.sub(r"(run\s+|maintain |rules )[0-9a-f]{8}\b", r"\1<run>", text)


def test_the_story_of_a_life(cli: Cli, tmp_path: Path, sql: psycopg.Connection[Any]) -> None:
    lived(cli, tmp_path)
    orders = list(reversed(cli("orders", "list", "--json").rows))
    by = {(row["planId"], row["line"]): row["orderId"] for row in orders}
    exits = [row["orderId"] for row in orders if row["planId"] is None]
    runs = {row["runId"]: row for row in cli("runs", "list", "--json").rows}

    # A resting order: what filled it, from which book, and why it ended.
    page = screen(cli, by["morning", 1])
    assert FILLED_LATER in page
    assert LATER_BOOK in page
    story = told(cli, by["morning", 1])
    (fill,) = story["executions"]
    assert runs[fill["runId"]]["kind"] == "maintain"
    assert [book["bookId"] for book in story["laterBooks"]] == [fill["bookId"]]
    assert story["bounds"] == {
        "atOnce": "0",
        "ahead": "200",
        "pessimistic": "0",
        "base": "250",
        "optimistic": "500",
    }
    assert story["ending"]["code"] == "EXIT_STOP_LOSS"
    assert story["exit"] is None

    # Its own run filled this one: there is no other book, and it never rested.
    first = told(cli, by["morning", 0])
    assert (first["laterBooks"], first["ending"], first["bounds"]) == ([], None, None)
    assert first["executions"][0]["runId"] == first["order"]["runId"]
    assert first["executions"][0]["bookId"] == first["book"]["bookId"]
    assert first["exitRules"] == {"stopLossPct": "20"}

    endings = {
        ("morning", 2): "its time was over",
        ("morning", 4): "its market was resolved",
    }
    for name, words in endings.items():
        ended = told(cli, by[name])["ending"]
        assert (ended["words"], ended["runId"] in runs) == (words, True)
    assert told(cli, by["too-late", 0])["ending"] is None

    # Three attempts of one rule set; what stood in the way of the first is told with it.
    assert [told(cli, name)["exit"]["attempt"] for name in exits] == [1, 2, 3]
    assert EXIT in screen(cli, exits[0])
    leaving = told(cli, exits[0])["exit"]
    assert (leaving["cause"], leaving["setBy"]) == ("STOP_LOSS", by["morning", 0])
    assert (leaving["attempts"], leaving["rules"]) == (3, {"stopLossPct": "20"})
    rule = sql.execute("SELECT run_id::text FROM audit_logs WHERE event_type = 'rule_triggered'").fetchone()
    assert rule is not None
    assert told(cli, exits[0])["order"]["runId"] == rule[0]

    (standing,) = told(cli, by["morning", 0])["standingRules"]
    assert (standing["rules"], standing["origin"]) == ({"maxHoldHours": "1"}, "operator")
    assert "Exit rules in force for this outcome\n  maxHoldHours 1; set by the operator" in screen(
        cli, by["morning", 0]
    )
    assert told(cli, by["morning", 3])["standingRules"] == []
    assert {RAIN.slug, SNOW.slug} == {row["marketId"] for row in orders}
