"""`positions report` and `positions list`: what is held, what it cost and what it is worth."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.test_trade import LINES, masked
from tests.cli.worlds import RAIN, SNOW, instruction, write_books, write_plan

REPORT = """\
held        size  average    cost  mark   value  unrealised  seen
─────────────────────────────────────────────────────────────────
will-it-rain-in-bregenz Yes
       690.43409   0.4313  297.79  0.41  283.08      -14.71  <age>
─────────────────────────────────────────────────────────────────
total                      297.79        283.08      -14.71

realised                     gross  fees    net
───────────────────────────────────────────────
will-it-rain-in-bregenz Yes   0.00  8.46  -8.46
───────────────────────────────────────────────
total                         0.00  8.46  -8.46

Account
  cash $9,693.74487, $99.999 of it reserved by open orders
  positions $283.077976, marked at the mid
  net liquidation $9,976.822846
"""


@pytest.fixture
def june(traded: Callable[..., Ran]) -> Ran:
    """The plan of six lines, carried out."""
    return traded(*LINES)


@pytest.mark.usefixtures("june")
def test_the_report_of_positions(cli: Callable[..., Ran]) -> None:
    ran = cli("positions", "report")
    assert (ran.code, ran.err) == (0, "")
    assert re.sub(r"\d+ (s|min)$", "<age>", masked(ran.out), flags=re.MULTILINE) == REPORT


def test_a_report_of_nothing_says_what_the_first_run_brings(cli: Callable[..., Ran]) -> None:
    ran = cli("positions", "report")
    assert ran.code == 0
    assert ran.out.startswith("nothing is held\n")
    assert "the first run brings in the starting cash" in ran.out


def test_positions_open_close_and_leave_dust(
    traded: Callable[..., Ran], cli: Callable[..., Ran], tmp_path: Path
) -> None:
    traded(instruction(size=42), instruction(SNOW, size=42))
    evening = write_books(tmp_path / "evening")
    sells = [
        instruction(market, side="SELL", price=0.39, size=size, sizeUnit="SHARES")
        for market, size in ((RAIN, 97.67), (SNOW, 94.67))
    ]
    plan = write_plan(tmp_path / "sell.json", *sells, planId="sell")
    assert cli("trade", str(plan), "--books", str(evening)).code == 0
    listed = {row["marketId"]: row for row in cli("positions", "list", "--json").rows}
    assert listed[RAIN.slug]["status"] == "closed"
    assert (listed[SNOW.slug]["status"], listed[SNOW.slug]["size"]) == ("dust", "3")
    assert listed[SNOW.slug]["flags"] == ["DUST"]
    assert [row["marketId"] for row in cli("positions", "list", "--status", "dust", "--json").rows] == [
        SNOW.slug
    ]
    assert cli("positions", "list", "--status", "open", "--json").rows == []
    told = cli("positions", "report", "--json").document["result"]
    rain = listed[RAIN.slug]
    # Bought 97.67 at 0.42 and sold at 0.40: two cents a share lost, and fees both ways.
    assert (rain["realisedGross"], rain["realised"]) == ("-1.9534", told_net("-1.9534", rain["fees"]))
    assert told["positions"][0]["size"] == "0"
    assert "DUST: less than the market's smallest order" in cli("positions", "report").out


def told_net(gross: str, fees: str) -> str:
    """Gross less fees, exactly."""
    return f"{(Decimal(gross) - Decimal(fees)).normalize():f}"


@pytest.mark.usefixtures("june")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--market", RAIN.slug), 1),
        (("--market", RAIN.condition_id), 1),
        (("--market", SNOW.slug), 0),
        (("--status", "closed"), 0),
        (("--order-by", "opened", "--mark", "bid"), 1),
        (("--offset", "1"), 0),
    ],
)
def test_positions_pass_the_filters(words: tuple[str, ...], found: int, cli: Callable[..., Ran]) -> None:
    ran = cli("positions", "list", "--json", *words)
    assert (ran.code, len(ran.rows)) == (0, found)


def test_positions_are_ordered_by_what_is_asked_for(
    traded: Callable[..., Ran], cli: Callable[..., Ran]
) -> None:
    traded(instruction(size=20), instruction(SNOW, size=40), instruction(outcome="NO", price=0.6, size=30))
    listed = [
        cli("positions", "list", "--json", "--order-by", order).rows
        for order in ("market", "size", "cost", "value", "unrealised", "realised", "opened")
    ]
    names = [[(row["marketId"].split("-")[2], row["outcome"]) for row in rows] for rows in listed]
    assert names[0] == [("rain", "No"), ("rain", "Yes"), ("snow", "Yes")]
    assert names[1] == [("snow", "Yes"), ("rain", "No"), ("rain", "Yes")]
    assert names[2] == [("snow", "Yes"), ("rain", "No"), ("rain", "Yes")]
    assert names[5][0] == ("snow", "Yes")
    assert all(len(rows) == 3 for rows in listed)


def test_a_mark_at_the_bid_is_worth_less(traded: Callable[..., Ran], cli: Callable[..., Ran]) -> None:
    traded(instruction(size=42))
    mid = cli("positions", "report", "--json").document["result"]
    bid = cli("positions", "report", "--mark", "bid", "--json").document["result"]
    assert (mid["positions"][0]["mark"], bid["positions"][0]["mark"]) == ("0.41", "0.4")
    assert (mid["marketValue"], bid["marketValue"]) == ("40.0447", "39.068")
    assert "marked at the bid" in cli("positions", "report", "--mark", "bid").out


def test_where_nobody_bids_a_position_is_worth_nothing(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path
) -> None:
    lonely = RAIN.book(0, bids=[], asks=[("0.42", "300")], stamp=1_795_176_000_000)
    (books / "books.json").write_text(json.dumps([lonely]))
    traded(instruction(size=42))
    row = cli("positions", "report", "--json").document["result"]["positions"][0]
    assert (row["flags"], row["marketValue"], row["unrealised"]) == (["NO_BID"], "0", "-41.0214")
    assert "NO_BID: nobody bids" in cli("positions", "report").out
