"""`report`: its sums are those of the facts, whoever adds them up, and every period has its own."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.lives import lived
from tests.cli.test_trade import LINES
from tests.cli.worlds import RAIN, SNOW, instruction

REPORT = """\
report · paper · all · all time

market  orders  filled  refused  fills  notional  gross  fees    net
────────────────────────────────────────────────────────────────────
will-it-rain-in-bregenz
             3       2        1      3    297.79   0.00  8.46  -8.46
did-it-hail-in-bregenz
             1       0        1      0      0.00   0.00  0.00   0.00
will-it-snow-in-bregenz
             2       0        1      0      0.00   0.00  0.00   0.00
────────────────────────────────────────────────────────────────────
total        6       2        3      3    297.79   0.00  8.46  -8.46

held now, by market        cost   value  unrealised  seen
─────────────────────────────────────────────────────────
will-it-rain-in-bregenz  297.79  283.08      -14.71  <age>
─────────────────────────────────────────────────────────
total                    297.79  283.08      -14.71  <age>

Account
  from nothing to $9,976.822846 (<time>)
  deposited $10,000.00, gained of itself -$23.177154
  deepest fall $23.177154, from <time> to <time>
  slippage against mid $14.713023

How it is counted
  profit at average cost, every fee charged when it was paid
"""


def masked(screen: str) -> str:
    for pattern, instead in (
        (r"\d+ (s|min)( *)$", "<age>"),
        (r" +$", ""),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "<time>"),
    ):
        screen = re.sub(pattern, instead, screen, flags=re.MULTILINE)
    return screen


def told(cli: Callable[..., Ran], *words: str) -> dict[str, Any]:
    ran = cli("report", "--json", *words)
    assert (ran.code, ran.err) == (0, "")
    result: dict[str, Any] = ran.document["result"]
    return result


def added(rows: Iterable[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


def test_a_report_as_people_see_it(traded: Callable[..., Ran], cli: Callable[..., Ran]) -> None:
    traded(*LINES)
    ran = cli("report", "--period", "all")
    assert (ran.code, ran.err) == (0, "")
    assert masked(ran.out) == REPORT


def test_a_report_of_nothing(cli: Callable[..., Ran]) -> None:
    ran = cli("report")
    assert (ran.code, ran.err) == (0, "")
    assert "nothing was traded in this time" in ran.out
    result = told(cli, "--period", "month", "--by", "plan", "--bounds")
    assert result["groups"] == []
    assert result["bounds"] == {
        "base": "0",
        "pessimistic": "0",
        "optimistic": "0",
        "unknownTokens": [],
    }


@pytest.mark.parametrize("by", ["market", "plan", "strategy"])
def test_every_total_is_the_sum_that_the_tables_say(
    by: str, cli: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    lived(cli, tmp_path)
    result = told(cli, "--period", "all", "--by", by)
    column = {"market": "market_id", "plan": "plan_id", "strategy": "source"}[by]
    name = "conditionId" if by == "market" else "group"
    groups = {row[name]: row for row in result["groups"]}
    for group, orders, denied, fills, notional, fees in sql.execute(
        f"SELECT o.{column}, count(DISTINCT o.order_id), count(DISTINCT o.order_id) "
        "FILTER (WHERE o.status = 'DENIED'), count(e.order_id), coalesce(sum(abs(e.cash)), 0), "
        "coalesce(sum(e.fee), 0) FROM orders o LEFT JOIN executions e USING (order_id) GROUP BY 1"
    ).fetchall():
        row = groups[group]
        assert (row["orders"], row["denied"], row["executions"]) == (orders, denied, fills)
        assert (Decimal(row["notional"]), Decimal(row["fees"])) == (notional, fees)
        assert Decimal(row["realised"]) == Decimal(row["realisedGross"]) - fees
    totals = result["totals"]
    for figure in ("orders", "filled", "denied", "executions", "notional", "fees"):
        assert added(result["groups"], figure) == Decimal(totals[figure]), figure
    ((realised, cost),) = sql.execute("SELECT sum(realised), sum(cost_basis) FROM positions").fetchall()
    ((payouts, paid),) = sql.execute(
        "SELECT count(*), sum(cash) FROM ledger_entries WHERE token_id IS NOT NULL"
    ).fetchall()
    assert (Decimal(totals["realised"]), Decimal(totals["costBasis"])) == (realised, cost)
    assert (totals["settlements"], Decimal(totals["settledCash"])) == (payouts, paid)
    # By lots as at average cost, what was gained less what is tied up is the cash that moved.
    groups_moved = added(result["groups"], "realised") - added(result["groups"], "costBasis")
    assert groups_moved == realised - cost


def test_whoever_bought_gains_by_what_a_rule_sold(cli: Callable[..., Ran], tmp_path: Path) -> None:
    lived(cli, tmp_path)
    plans = {row["group"]: row for row in told(cli, "--period", "all", "--by", "plan")["groups"]}
    # Rules belong to no plan: their orders and fees are nobody's; what they and payouts brought is whose
    # shares it was.
    assert plans[None]["orders"] > 0
    assert (plans[None]["realisedGross"], plans[None]["costBasis"]) == ("0", "0")
    assert (plans["morning"]["sold"], plans["morning"]["realisedGross"]) == ("0", "64.976642")
    strategies = {row["group"]: row for row in told(cli, "--period", "all", "--by", "strategy")["groups"]}
    assert strategies.keys() == {"plan", "rule"}
    assert strategies["rule"]["orders"] == plans[None]["orders"]
    assert strategies["rule"]["slippage"] is not None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A row that moved a token, as the tables have it."""

    market: str
    token: str
    side: str
    size: Decimal
    cash: Decimal
    fee: Decimal
    at: datetime


def moved(sql: psycopg.Connection[Any]) -> list[Moved]:
    rows = sql.execute(
        "SELECT market_id, token_id, side, size, cash, fee, executed_at FROM ("
        "SELECT sequence, market_id, token_id, side, size, cash, fee, executed_at FROM executions "
        "UNION ALL SELECT sequence, market_id, token_id, 'ENTRY', -size, cash, 0, at FROM ledger_entries "
        "WHERE token_id IS NOT NULL) m ORDER BY sequence"
    )
    return [
        Moved(market=market, token=token, side=side, size=size, cash=cash, fee=fee, at=at)
        for market, token, side, size, cash, fee, at in rows
    ]


def profits(rows: list[Moved], since: datetime, until: datetime) -> dict[str, Decimal]:
    """What each market gained in this time at average cost, reckoned slowly; no reversals."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    held: dict[str, Fraction] = defaultdict(Fraction)
    cost: dict[str, int] = defaultdict(int)
    for row in rows:
        gained = row.cash - row.fee
        if row.side == "BUY":
            held[row.token] += Fraction(row.size)
            cost[row.token] -= int(row.cash * 10**6)
            gained = -row.fee
        elif row.size:
            left = held[row.token] - Fraction(row.size)
            gone = ceil(cost[row.token] * Fraction(row.size) / held[row.token]) if left else cost[row.token]
            held[row.token], cost[row.token] = left, cost[row.token] - gone
            gained -= Decimal(gone) / 10**6
        if since <= row.at < until:
            found[row.market] += gained
    return found


def test_the_profit_of_a_period_is_that_of_what_happened_in_it(
    cli: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    lived(cli, tmp_path)
    # The life of a minute is spread over ten days, in its order.
    for table, column in (("executions", "executed_at"), ("ledger_entries", "at")):
        sql.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        sql.execute(
            f"UPDATE {table} SET {column} = '2026-11-01T00:00:00Z'::timestamptz "
            "+ sequence * interval '1 hour'"
        )
    rows = moved(sql)
    start, end = min(row.at for row in rows), max(row.at for row in rows)
    step = (end - start) / 7
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for number in range(8):
        since, until = start + number * step, start + (number + 1) * step
        result = told(cli, "--since", since.isoformat(), "--until", until.isoformat())
        expected = profits(rows, since, until)
        assert {
            row["conditionId"]: Decimal(row["realised"]) for row in result["groups"] if row["realised"] != "0"
        } == {market: gained for market, gained in expected.items() if gained}
        assert Decimal(result["totals"]["realised"]) == sum(expected.values())
        by_plan = told(cli, "--since", since.isoformat(), "--until", until.isoformat(), "--by", "plan")
        assert by_plan["totals"] == result["totals"]
        for row in by_plan["groups"]:
            if row["realised"] != "0":
                sums[row["group"]] += Decimal(row["realised"])
    whole = told(cli, "--period", "all", "--by", "plan")
    assert sums == {
        row["group"]: Decimal(row["realised"]) for row in whole["groups"] if row["realised"] != "0"
    }
    assert Decimal(whole["totals"]["realised"]) == sum(profits(rows, start, end + step).values())


def test_a_day_of_the_past_holds_what_happened_then(
    traded: Callable[..., Ran], cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(*LINES)
    ((now,),) = sql.execute("SELECT max(created_at) FROM orders").fetchall()
    for name, at, orders in (
        ("month", now - timedelta(days=62), 0),
        ("day", now - timedelta(days=2), 0),
        ("week", now, 6),
    ):
        result = told(cli, "--period", name, "--at", at.isoformat())
        assert (result["period"]["name"], result["totals"]["orders"]) == (name, orders)
    past = told(cli, "--at", (now - timedelta(days=2)).isoformat())
    assert past["equity"]["end"] is None
    sql.execute("UPDATE orders SET created_at = created_at - interval '2 days'")
    assert told(cli, "--at", f"{now - timedelta(days=2):%Y-%m-%d}")["totals"]["orders"] == 6
    assert told(cli, "--since", f"{now - timedelta(days=1):%Y-%m-%d}")["totals"]["orders"] == 0


def test_a_span_must_have_a_length(cli: Callable[..., Ran]) -> None:
    ran = cli("report", "--since", "2026-11-20", "--until", "2026-11-20", "--json")
    assert (ran.code, ran.error["message"]) == (2, "Invalid value: --since must lie before --until")


@pytest.mark.parametrize("words", [("--period", "week"), ("--at", "2026-11-20")])
def test_a_span_that_begins_somewhere_is_no_named_period(
    words: tuple[str, str], cli: Callable[..., Ran]
) -> None:
    ran = cli("report", "--since", "2026-11-01", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "--since begins a span of its own" in ran.err


def test_until_alone_means_all_that_was_before_and_with_a_period_the_one_that_ends_there(
    cli: Callable[..., Ran],
) -> None:
    def span(*words: str) -> tuple[str | None, str]:
        period = told(cli, "--until", "2026-11-20", *words)["period"]
        assert period["name"] == "span"
        return period["since"], period["until"]

    assert span() == (None, "2026-11-20T00:00:00Z")
    assert span("--period", "all") == span()
    assert span("--period", "day") == ("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z")
    assert span("--period", "month") == ("2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z")
    ran = cli("report", "--until", "2026-11-20", "--at", "2026-11-20")
    assert (ran.code, ran.out) == (2, "")


def test_another_mode_has_figures_of_its_own(traded: Callable[..., Ran], cli: Callable[..., Ran]) -> None:
    traded(*LINES)
    result = told(cli, "--mode", "live", "--period", "all")
    assert (result["groups"], result["totals"]["orders"], result["equity"]["end"]["netLiquidation"]) == (
        [],
        0,
        "0",
    )


def test_the_bounds_of_fills_are_worth_their_shares_less_their_limit(
    traded: Callable[..., Ran], cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction(size=100, sizeUnit="SHARES"), instruction(price=0.41, size=50, sizeUnit="SHARES"))
    # 42 paid for 100 shares now marked at 0.41, and a fee; what rests at 0.41 may have filled: worth as much.
    result = told(cli, "--period", "all", "--bounds")
    assert result["bounds"] | {"base": "-2.218", "pessimistic": "-2.218"} == result["bounds"]
    sql.execute("UPDATE fill_bounds SET optimistic = 50")
    sql.execute("UPDATE positions SET best_bid = 0.43, best_ask = 0.45")
    bounds = told(cli, "--period", "all", "--bounds")["bounds"]
    # 100 shares at 0.44 are 2 above their cost, less 1.218 of fees; 50 more would have gained 0.03 each.
    assert bounds == {
        "base": "0.782",
        "pessimistic": "0.782",
        "optimistic": "2.282",
        "unknownTokens": [],
    }
    assert "had they filled as early as they may: $2.282" in cli("report", "--bounds").out
    sql.execute("DELETE FROM positions")
    assert told(cli, "--period", "all", "--bounds")["bounds"]["unknownTokens"] == [RAIN.token_id(0)]
    assert "1 token never held has no price here and counts with nothing" in cli("report", "--bounds").out


def test_what_an_account_gained_leaves_deposits_out(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path, sql: psycopg.Connection[Any]
) -> None:
    traded(instruction(size=100, sizeUnit="SHARES"))
    assert cli("maintain", "--books", str(books)).code == 0
    assert cli("portfolio", "deposit", "500").code == 0
    yesterday = ("--since", (datetime.now(UTC) - timedelta(days=1)).isoformat())
    equity = told(cli, *yesterday)["equity"]
    assert (equity["start"], equity["deposited"], equity["gained"]) == (None, "10500", "-2.218")
    assert equity["drawdown"]["amount"] == "2.218"
    # Everything but the deposit was before that: the time starts from the last snapshot before it.
    sql.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_append_only")
    sql.execute("ALTER TABLE portfolio_snapshots DISABLE TRIGGER portfolio_snapshots_append_only")
    sql.execute("UPDATE ledger_entries SET at = at - interval '2 days' WHERE key LIKE '%%opening%%'")
    sql.execute("UPDATE portfolio_snapshots SET taken_at = taken_at - interval '2 days'")
    equity = told(cli, *yesterday)["equity"]
    assert equity["start"]["netLiquidation"] == "9997.782"
    assert (equity["deposited"], equity["gained"], equity["drawdown"]) == ("500", "0", None)
    # A snapshot that is missing: it starts from the first there is, which is now.
    sql.execute("DELETE FROM portfolio_snapshots")
    assert (equity := told(cli, *yesterday)["equity"])["start"]["netLiquidation"] == "10497.782"
    assert equity["gained"] == "0"


def test_the_slippage_of_orders_can_be_drawn(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    # 100 shares at 0.42 and 50 dollars up to 0.44: a cent, and a little more, above the mid of 0.41.
    assert traded(instruction(size=100, sizeUnit="SHARES"), instruction(SNOW, price=0.44)).code == 0
    shown = cli("report", "--chart")
    assert shown.code == 0, shown.err
    assert shown.out.startswith("slippage, cents per share worse than the mid  mean 1.00, worst 1.00")
    picture = tmp_path / "slippage.png"
    assert cli("report", "--plot", str(picture)).code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert cli("report", "--plot", str(picture)).code == 2
    assert cli("report", "--plot", str(picture), "--force", "--json").code == 0
