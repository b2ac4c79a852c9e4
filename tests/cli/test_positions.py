"""`positions report` and `positions list`: what is held, what it cost and what it is worth."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.cli.lives import lived
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
  cash $9,693.74487, $99.9999 of it reserved by open orders
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
    at_once = instruction(size=20, timeInForce="FAK")
    traded(at_once, instruction(SNOW, size=40), instruction(outcome="NO", price=0.6, size=30))
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


def test_sums_by_market_are_those_of_its_outcomes(cli: Callable[..., Ran], tmp_path: Path) -> None:
    lived(cli, tmp_path)
    told = cli("positions", "report", "--by", "market", "--json").document["result"]
    assert (told["by"], told["method"]) == ("market", "average cost")
    for figure in ("costBasis", "marketValue", "unrealised", "realisedGross", "fees", "realised"):
        summed: dict[str, Decimal] = {}
        for row in told["positions"]:
            summed[row["marketId"]] = summed.get(row["marketId"], Decimal(0)) + Decimal(row[figure])
        assert {row["group"]: Decimal(row[figure]) for row in told["groups"]} == summed
        assert told["groupTotals"][figure] == told["totals"][figure]


def test_sums_by_plan_are_those_of_its_lots(cli: Callable[..., Ran], tmp_path: Path) -> None:
    lived(cli, tmp_path).trade("after", instruction(price=0.45, size=30))
    words = ("positions", "report", "--by", "plan", "--lots", "fifo")
    told = cli(*words, "--json").document["result"]
    assert (told["by"], told["method"]) == ("plan", "first in, first out by lots")
    plans = {row["group"]: row for row in told["groups"]}
    lots = [lot for row in told["positions"] for lot in row.get("lots", ())]
    for plan, row in plans.items():
        mine = [lot for lot in lots if lot["planId"] == plan]
        assert sum(Decimal(lot["costBasis"]) for lot in mine) == Decimal(row["costBasis"])
    for row in told["positions"]:
        assert sum(Decimal(lot["size"]) for lot in row.get("lots", ())) == Decimal(row["size"])
    # By lots as at average cost, what was gained less what is tied up is the cash that moved.
    moved = [
        Decimal(sums["realised"]) - Decimal(sums["costBasis"])
        for sums in (told["groupTotals"], told["totals"])
    ]
    assert moved[0] == moved[1]
    screen = cli(*words).out
    assert "profit by plan: first in, first out by lots" in screen
    assert re.search(r"^lot of plan +bought", screen, re.MULTILINE)


@pytest.mark.usefixtures("june")
def test_a_position_is_shown_lot_by_lot(cli: Callable[..., Ran]) -> None:
    ran = cli("positions", "report", "--lots", "fifo")
    lot = next(line for line in ran.out.splitlines() if line.startswith("june "))
    assert re.fullmatch(
        r"june +\d\d-\d\d \d\d:\d\d  690\.43409   0\.4313  297\.79  283\.08      -14\.71   0\.00", lot
    )
    plain = cli("positions", "report", "--json").document["result"]
    assert "groups" not in plain
    assert all("lots" not in row for row in plain["positions"])


def test_where_lots_and_average_cost_part_the_report_says_so(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path, tmp_path: Path
) -> None:
    traded(instruction(price=0.42, size=42))
    for plan, fields in (
        ("dear", {"price": 0.44, "size": 44}),
        ("sale", {"side": "SELL", "price": 0.40, "size": 100, "sizeUnit": "SHARES"}),
    ):
        path = write_plan(tmp_path / f"{plan}.json", instruction(**fields), planId=plan)
        if plan == "dear":
            asks = [("0.44", "1000")]
            later = RAIN.book(0, bids=[("0.40", "200")], asks=asks, stamp=1_795_176_600_000)
            (books / "books.json").write_text(json.dumps([later]))
        assert cli("trade", str(path), "--books", str(books)).code == 0
    told = cli("positions", "report", "--by", "plan", "--json").document["result"]
    gross = {row["group"]: row["realisedGross"] for row in told["groups"]}
    # 100 shares for 42 sold at 0.40: the whole loss is the first plan's; at average cost they cost 43.
    assert gross == {"june": "-2", "dear": "0", "sale": "0"}
    assert told["totals"]["realisedGross"] == "-3"
    assert "differs from the total above" in " ".join(cli("positions", "report", "--by", "plan").out.split())
    # The example of docs/profit-and-loss.md: the market ends, and both come to the same.
    assert told["totals"] | {"fees": "3.65", "realised": "-6.65", "costBasis": "43"} == told["totals"]
    assert told["groupTotals"] | {"realised": "-5.65", "costBasis": "44"} == told["groupTotals"]
    ended = {"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": '["1", "0"]'}
    (books / "markets.json").write_text(json.dumps([RAIN.row() | ended]))
    assert cli("maintain", "--books", str(books)).code == 0
    told = cli("positions", "report", "--by", "plan", "--json").document["result"]
    gross = {row["group"]: row["realisedGross"] for row in told["groups"]}
    assert gross == {"june": "-2", "dear": "56", "sale": "0"}
    for sums in (told["totals"], told["groupTotals"]):
        assert (sums["realisedGross"], sums["fees"], sums["realised"]) == ("54", "3.65", "50.35")


def test_positions_are_found_by_where_their_orders_came_from(cli: Callable[..., Ran], tmp_path: Path) -> None:
    lived(cli, tmp_path)
    everything = cli("positions", "list", "--json").rows
    ruled = cli("positions", "list", "--json", "--strategy", "rule").rows
    assert [row["marketId"] for row in ruled] == [RAIN.slug]
    assert len(cli("positions", "list", "--json", "--strategy", "plan").rows) == len(everything)
    assert cli("positions", "list", "--json", "--strategy", "nobody").rows == []
