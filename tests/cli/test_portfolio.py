"""`portfolio`: what the account is worth, and cash in and out of it."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from betteroms.domain.money import MICROS
from betteroms.jobs.portfolio import MOVED_MAX
from tests.cli.conftest import Ran
from tests.cli.lives import lived
from tests.cli.test_report import masked
from tests.cli.test_trade import LINES
from tests.cli.worlds import SNOW, instruction

SHOW = """\
exposure                   cost   value  unrealised    bids  seen
─────────────────────────────────────────────────────────────────
will-it-rain-in-bregenz  297.79  283.08      -14.71    0.00  <age>
will-it-snow-in-bregenz    0.00    0.00        0.00  100.00  –
─────────────────────────────────────────────────────────────────
total                    297.79  283.08      -14.71  100.00  <age>

Account
  net liquidation $9,976.822846, marked at the mid
  cash $9,693.74487, $99.9999 of it reserved by open orders
  deposited $10,000.00, gained since -$23.177154: realised -$8.46413, unrealised
      -$14.713024
  most ever gained $0.00, now $23.177154 below it
"""


def test_the_account_as_people_see_it(traded: Callable[..., Ran], cli: Callable[..., Ran]) -> None:
    traded(*LINES)
    ran = cli("portfolio", "show")
    assert (ran.code, ran.err) == (0, "")
    assert masked(ran.out) == SHOW


def test_an_account_that_was_never_used_is_worth_nothing(cli: Callable[..., Ran]) -> None:
    assert cli("portfolio", "show").out.startswith("nothing is held\n")
    assert cli("portfolio", "show", "--json").document["result"]["netLiquidation"] == "0"
    ran = cli("portfolio", "history")
    assert (ran.code, ran.out, ran.err) == (0, "", "no snapshots: run and maintain take one in each hour\n")


def test_the_figures_agree_with_each_other_and_with_the_report_of_positions(
    cli: Callable[..., Ran], tmp_path: Path
) -> None:
    lived(cli, tmp_path)
    shown = cli("portfolio", "show", "--json").document["result"]
    report = cli("positions", "report", "--json").document["result"]
    for name in ("cash", "reservedCash", "netLiquidation", "marketValue"):
        assert shown[name] == report[name], name
    figures = {name: Decimal(value) for name, value in shown.items() if name not in _WORDS}
    assert figures["netLiquidation"] == figures["cash"] + figures["marketValue"]
    assert figures["gained"] == figures["netLiquidation"] - figures["deposited"]
    assert figures["gained"] == figures["realised"] + figures["unrealised"]
    assert figures["freeCash"] == figures["cash"] - figures["reservedCash"]
    assert figures["peakGained"] - figures["drawdown"] == figures["gained"]
    for name in ("costBasis", "marketValue", "reservedCash"):
        assert sum(Decimal(row[name]) for row in shown["exposure"]) == figures[name], name
    assert Decimal(report["totals"]["realised"]) == figures["realised"]


_WORDS = {"mode", "markBy", "positions", "oldestMarkAgeSeconds", "exposure"}


def test_a_market_that_is_only_bid_for_is_exposure_too(
    traded: Callable[..., Ran], cli: Callable[..., Ran]
) -> None:
    traded(instruction(SNOW, price=0.3, size=60))
    (row,) = cli("portfolio", "show", "--json").document["result"]["exposure"]
    assert (row["marketId"], row["costBasis"], row["reservedCash"]) == (SNOW.slug, "0", "60")


def test_cash_goes_in_and_out_each_time_it_is_asked_to(
    cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    ran = cli("portfolio", "deposit", "500")
    # The wallet is opened by its first use, whatever that is.
    assert (ran.code, ran.out, ran.err) == (
        0,
        "deposited $500.00: cash $10,500.00, $10,500.00 of it free\n",
        "",
    )
    assert cli("portfolio", "deposit", "500").code == 0
    result = cli("portfolio", "withdraw", "99.50", "--json").document["result"]
    assert (result["moved"], result["cashBefore"], result["cash"]) == ("-99.5", "11000", "10900.5")
    entries = sql.execute("SELECT kind, cash, note FROM ledger_entries ORDER BY sequence").fetchall()
    assert entries == [
        ("DEPOSIT", Decimal(10_000), "opening cash"),
        ("DEPOSIT", Decimal(500), "by the operator"),
        ("DEPOSIT", Decimal(500), "by the operator"),
        ("WITHDRAWAL", Decimal("-99.5"), "by the operator"),
    ]
    shown = cli("portfolio", "show", "--json").document["result"]
    assert (shown["deposited"], shown["gained"], shown["drawdown"]) == ("10900.5", "0", "0")
    runs = cli("runs", "list", "--json").rows
    assert [row["kind"] for row in runs] == ["portfolio"] * 3
    assert cli("runs", "list").code == 0
    assert "kind       portfolio" in cli("runs", "show", runs[0]["runId"]).out
    assert cli("positions", "verify").code == 0
    told = sql.execute("SELECT count(*) FROM audit_logs WHERE event_type = 'run_completed'").fetchone()
    assert told == (3,)


def test_a_history_that_ends_before_it_begins_is_refused(cli: Callable[..., Ran]) -> None:
    ran = cli("portfolio", "history", "--since", "2026-11-21", "--until", "2026-11-20")
    assert (ran.code, ran.out) == (2, "")
    assert "--since must lie before --until" in ran.err


def test_a_past_deposit_is_shown_as_it_was_told(cli: Callable[..., Ran]) -> None:
    done = cli("portfolio", "deposit", "99.50")
    (row,) = cli("runs", "list", "--json").rows
    assert cli("runs", "show", row["runId"]).out.startswith(done.out)


def test_what_open_orders_reserve_cannot_be_taken_out(
    traded: Callable[..., Ran], cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    traded(instruction(SNOW, price=0.3, size=60))
    ran = cli("portfolio", "withdraw", "9940.000001", "--json")
    assert (ran.code, ran.out, ran.error["code"]) == (5, "", "INSUFFICIENT_CASH")
    assert ran.error["message"] == (
        "INSUFFICIENT_CASH: need=9940.000001 free=9940.00 cash=10000.00 reserved=60.00"
    )
    assert sql.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    assert cli("portfolio", "withdraw", "9940").code == 0
    assert cli("portfolio", "show", "--json").document["result"]["freeCash"] == "0"


@pytest.mark.parametrize("amount", ["0", "-5", "0.0000001", "much", str(MOVED_MAX // MICROS + 1)])
def test_an_amount_that_is_none_is_refused(amount: str, cli: Callable[..., Ran]) -> None:
    ran = cli("portfolio", "deposit", "--json", "--", amount)
    assert (ran.code, ran.out) == (2, "")


def test_another_run_is_waited_for(cli: Callable[..., Ran], sql: psycopg.Connection[Any]) -> None:
    sql.execute("SELECT pg_advisory_lock(%s)", (0x6F6D7302,))
    assert cli("portfolio", "deposit", "5", "--wait", "0").code == 10


def test_the_history_is_one_line_an_hour(
    traded: Callable[..., Ran], cli: Callable[..., Ran], books: Path, sql: psycopg.Connection[Any]
) -> None:
    traded(*LINES)
    assert cli("maintain", "--books", str(books)).code == 0
    (row,) = cli("portfolio", "history", "--json").rows
    assert (row["cash"], row["netLiquidation"], row["positions"]) == ("9693.74487", "9976.822846", 1)
    sql.execute(
        "INSERT INTO portfolio_snapshots SELECT mode, hour - n * interval '1 hour', "
        "taken_at - n * interval '1 hour', run_id, positions, cost_basis, market_value, realised, "
        "unrealised, fees, cash, deposited, net_liquidation, pessimistic, optimistic "
        "FROM portfolio_snapshots, generate_series(1, 200) n"
    )
    rows = cli("portfolio", "history", "--json").rows
    assert len(rows) == 168
    assert rows == sorted(rows, key=lambda found: found["takenAt"])
    assert rows[-1] == row
    ran = cli("portfolio", "history", "--limit", "2")
    assert re.fullmatch(r"there are older ones: --until \S+, or a greater --limit\n", ran.err)
    assert len(ran.out.splitlines()) == 4
    until = ran.err.split("--until ")[1].split(",")[0]
    assert cli("portfolio", "history", "--json", "--until", until, "--limit", "1").rows == [rows[-3]]
    assert len(cli("portfolio", "history", "--json", "--since", rows[-5]["takenAt"]).rows) == 5


def test_both_are_drawn_on_the_terminal_and_into_files(cli: Callable[..., Ran], tmp_path: Path) -> None:
    ran = cli("portfolio", "history", "--chart")
    assert (ran.code, ran.out, ran.err) == (0, "", "no snapshots: run and maintain take one in each hour\n")
    assert cli("portfolio", "show", "--chart").out == "nothing is held\n"
    life = lived(cli, tmp_path)
    life.trade("after", instruction(price=0.45, size=30))
    assert cli("portfolio", "deposit", "500").code == 0
    assert "net liquidation" in cli("portfolio", "history", "--chart").out
    assert "will-it-rain-in-bregenz" in cli("portfolio", "show", "--chart").out
    for verb in ("history", "show"):
        picture = tmp_path / f"{verb}.png"
        ran = cli("portfolio", verb, "--plot", str(picture))
        assert (ran.code, ran.err) == (0, f"{picture}: {picture.stat().st_size:,} bytes\n")
        assert picture.read_bytes().startswith(b"\x89PNG")
        again = cli("portfolio", verb, "--plot", str(picture), "--json")
        assert (again.code, again.error["code"]) == (2, "OUTPUT_REFUSED")
        assert cli("portfolio", verb, "--plot", str(picture), "--force", "--json").code == 0
        ran = cli("portfolio", verb, "--plot", str(tmp_path / "picture.jpg"))
        assert (ran.code, ran.out) == (2, "")
        assert "does not end in .png" in ran.err
        assert not (tmp_path / "picture.jpg").exists()
