"""`run` and `maintain`: what cron calls, with its whole output."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.worlds import GONE, RAIN, SNOW, book, instruction, write_books, write_plan
from tests.simulation.worlds import MORNING_MS, Market

HOUR_MS = 3_600_000
NOON = "2026-11-20T12:00:00Z"
ONE = "2026-11-20T13:00:00Z"


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    directory = tmp_path / "plans"
    directory.mkdir()
    return directory


def later(directory: Path, *, asks: list[tuple[str, str]], rows: Mapping[str, Any] | None = None) -> Path:
    """Books of an hour later in which the rain is offered so; `rows` changes its market row."""
    write_books(directory)
    markets = [market.row() for market in (RAIN, SNOW, GONE)]
    markets[0] |= dict(rows or {})
    (directory / "markets.json").write_text(json.dumps(markets))
    stamp = MORNING_MS + HOUR_MS
    bids = [("0.30", "200"), ("0.28", "500")]
    rain = RAIN.book(0, bids=bids, asks=asks, stamp=stamp)
    others = [book(SNOW, outcome, stamp=stamp) for outcome in (0, 1)]
    (directory / "books.json").write_text(json.dumps([rain, *others]))
    return directory


def resting(market: Market = RAIN, **fields: Any) -> dict[str, Any]:
    """A BUY of 100 shares at 0.35 that finds nothing."""
    return instruction(market, **{"price": 0.35, "size": 100, "sizeUnit": "SHARES", **fields})


def test_every_plan_of_the_directory_runs_by_priority_and_then_maintenance(
    cli: Callable[..., Ran], plans: Path, books: Path
) -> None:
    write_plan(plans / "b.json", instruction(), planId="second")
    write_plan(plans / "a.json", resting(SNOW), planId="third")
    write_plan(plans / "c.json", resting(), planId="first", priority=1)
    write_plan(plans / "d.json", resting(), planId="never", active=False)
    ran = cli("run", "--plans", str(plans), "--books", str(books), "--json")
    assert ran.code == 0, ran.err
    result = ran.document["result"]
    assert [row["planId"] for row in result["plans"]] == ["first", "third", "second"]
    assert [row["status"] for row in result["plans"]] == ["completed"] * 3
    assert [off["planId"] for off in result["inactive"]] == ["never"]
    assert result["totals"] | {"plans": 3, "failed": 0, "filled": 1, "resting": 2} == result["totals"]
    assert result["maintenance"]["totals"]["stillResting"] == 2
    runs = cli("runs", "list", "--json").rows
    assert sorted(row["kind"] for row in runs) == ["maintain", "run", "trade", "trade", "trade"]
    assert {row["status"] for row in runs} == {"completed"}


def test_what_ran_in_this_period_is_nothing_to_do_and_the_next_period_runs_anew(
    cli: Callable[..., Ran], plans: Path, books: Path
) -> None:
    write_plan(plans / "hourly.json", resting(), planId="dip-{date}-{hour}")

    def run(at: str) -> list[tuple[str, str]]:
        ran = cli("run", "--plans", str(plans), "--books", str(books), "--at", at, "--json")
        assert ran.code == 0, ran.err
        return [(row["planId"], row["status"]) for row in ran.document["result"]["plans"]]

    assert run(NOON) == [("dip-2026-11-20-12", "completed")]
    assert run("2026-11-20T12:59:00Z") == [("dip-2026-11-20-12", "done before")]
    assert run(ONE) == [("dip-2026-11-20-13", "completed")]


def test_a_plan_that_fails_keeps_no_other_from_being_carried_out_and_decides_the_code(
    cli: Callable[..., Ran], plans: Path, books: Path
) -> None:
    (plans / "0-broken.json").write_text('{"planId": ')
    write_plan(plans / "1-unknown.json", instruction() | {"marketId": "no-such-market"}, planId="lost")
    write_plan(plans / "2-live.json", instruction(), planId="real", mode="live")
    write_plan(plans / "3-good.json", instruction(), planId="good")
    ran = cli("run", "--plans", str(plans), "--books", str(books), "--json")
    rows = {row["planId"] or Path(row["file"]).name: row for row in ran.document["result"]["plans"]}
    assert rows["good"]["status"] == "completed"
    assert {name: rows[name]["fault"] for name in ("0-broken.json", "lost", "real")} == {
        "0-broken.json": "PlanInvalid",
        "lost": "NotFound",
        "real": "LiveOff",
    }
    # Refused beats invalid beats not found (DECISIONS 10.1).
    assert ran.code == 5
    assert ran.document["result"]["totals"]["failed"] == 3


def test_the_budget_is_spent_in_the_order_of_priority(
    cli: Callable[..., Ran], plans: Path, books: Path
) -> None:
    for priority, name in enumerate(("a", "b", "c")):
        size = 60 + priority
        write_plan(
            plans / f"{name}.json",
            resting(size=size, sizeUnit="USDC", ref=name),
            planId=name,
            priority=priority,
        )
    words = ("run", "--plans", str(plans), "--books", str(books), "--at", NOON, "--json")
    ran = cli(*words, "--budget", "100")
    assert ran.code == 5
    result = ran.document["result"]
    assert [row["totals"]["denied"] for row in result["plans"]] == [0, 1, 1]
    assert result["plans"][1]["refused"] == {"RUN_NOTIONAL_EXCEEDS_LIMIT": 1}
    # 171.42 shares at 0.35.
    assert result["budget"] == {"given": "100", "tiedUp": "59.997", "left": "40.003"}
    again = cli(*words, "--budget", "100").document["result"]
    assert [row["status"] for row in again["plans"]] == ["done before"] * 3
    assert again["budget"]["tiedUp"] == "59.997"


def test_a_quiet_run_says_which_plan_failed_and_how(
    cli: Callable[..., Ran], plans: Path, books: Path
) -> None:
    (plans / "0-broken.json").write_text("{")
    write_plan(plans / "1-unknown.json", instruction() | {"marketId": "no-such-market"}, planId="lost")
    ran = cli("run", "--plans", str(plans), "--books", str(books), "--quiet")
    assert (ran.code, ran.out) == (2, "")
    broken, lost = ran.err.splitlines()
    assert broken.startswith(f"error: {plans}/0-broken.json: ")
    assert broken.count("0-broken.json") == 1
    assert lost.startswith("error: lost: ")
    assert "unknown market no-such-market" in lost
    nobody = {"BETTEROMS_CLOB_URL": "http://127.0.0.1:9", "BETTEROMS_GAMMA_URL": "http://127.0.0.1:9"}
    write_plan(plans / "1-unknown.json", resting(), planId="lost")
    words = ("run", "--plans", str(plans), "--quiet")
    assert (
        cli("trade", str(write_plan(plans / "2.json", resting(), planId="b")), "--books", str(books)).code
        == 0
    )
    alone = cli(*words, **nobody, BETTEROMS_HTTP_ATTEMPTS="1").err.splitlines()
    assert [line[:17] for line in alone if line.startswith("error: ")][1:] == [
        "error: lost: GET ",
        "error: maintenanc",
    ]


@pytest.mark.parametrize("budget", ["0", "-5", "much", "1.2345678"])
def test_a_budget_that_is_none_is_refused(cli: Callable[..., Ran], plans: Path, budget: str) -> None:
    assert cli("run", "--plans", str(plans), "--budget", budget).code == 2


def test_a_failed_run_whose_period_is_over_is_abandoned(
    cli: Callable[..., Ran], plans: Path, books: Path, tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    plan = write_plan(plans / "hourly.json", resting(), planId="dip-{hour}")
    nobody = {"BETTEROMS_CLOB_URL": "http://127.0.0.1:9", "BETTEROMS_GAMMA_URL": "http://127.0.0.1:9"}
    failed = cli("trade", str(plan), "--at", NOON, **nobody, BETTEROMS_HTTP_ATTEMPTS="1")
    assert failed.code == 6
    ran = cli("run", "--plans", str(plans), "--books", str(books), "--at", ONE, "--json")
    assert ran.code == 0, ran.err
    assert len(ran.document["result"]["abandoned"]) == 1
    statuses = dict(sql.execute("SELECT plan_id, status FROM runs WHERE kind = 'trade'").fetchall())
    assert statuses == {"dip-12": "abandoned", "dip-13": "completed"}


def test_a_resting_order_fills_at_its_own_limit_as_maker(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    assert traded(resting()).code == 0
    dipped = later(tmp_path / "later", asks=[("0.33", "60"), ("0.34", "10"), ("0.36", "500")])
    dry = cli("maintain", "--books", str(dipped), "--dry-run", "--json").document["result"]
    assert dry["status"] == "previewed"
    assert dry["totals"]["restingFilled"] == 1
    assert cli("orders", "list", "--json").rows[0]["status"] == "OPEN"
    ran = cli("maintain", "--books", str(dipped), "--json")
    assert ran.code == 0, ran.err
    (order,) = ran.document["result"]["settled"]
    assert order["executions"] == [{"price": "0.35", "size": "70", "fee": "0", "liquidity": "MAKER"}]
    assert dry["settled"] == ran.document["result"]["settled"]
    # The same book again has nothing more to give.
    again = cli("maintain", "--books", str(dipped), "--json").document["result"]
    assert again["settled"] == []
    assert cli("positions", "verify").code == 0


def test_an_order_past_its_time_is_ended_before_it_can_fill(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    assert (
        traded(resting(timeInForce="GTD", cancelAfterSec=600), resting(price=0.34, cancelAfterSec=600)).code
        == 0
    )
    sql.execute("UPDATE orders SET expires_at = now() - interval '1 minute'")
    dipped = later(tmp_path / "later", asks=[("0.33", "600")])
    result = cli("maintain", "--books", str(dipped), "--json").document["result"]
    assert sorted((row["status"], row["code"]) for row in result["settled"]) == [
        ("CANCELED", "CANCEL_AFTER"),
        ("EXPIRED", None),
    ]
    assert result["totals"]["restingFilled"] == 0


def test_what_rested_when_the_game_began_is_gone_before_the_next_plan_trades(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    assert traded(resting()).code == 0
    sql.execute("UPDATE orders SET placed_at = '2026-01-01T12:00:00Z'")
    began = {"gameStartTime": "2026-01-02 00:00:00+00"}
    in_play = later(tmp_path / "later", asks=[("0.33", "600")], rows=began)
    plan = write_plan(tmp_path / "next.json", instruction(price=0.1, size=10), planId="next")
    ran = cli("trade", str(plan), "--books", str(in_play), "--json")
    assert ran.code == 0, ran.err
    (order,) = ran.document["result"]["settled"]
    assert (order["status"], order["code"], order["filledSize"]) == ("CANCELED", "GAME_STARTED", "0")
    # The book is of the game: it fills the order that was gone in no other answer either.
    assert sql.execute(
        "SELECT optimistic FROM fill_bounds JOIN orders USING (order_id) WHERE plan_id = 'june'"
    ).fetchone() == (0,)


def test_a_resolved_market_pays_and_takes_our_orders_with_it(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    assert traded(instruction(size=100, sizeUnit="SHARES"), resting()).code == 0
    resolved = {
        "closed": True,
        "acceptingOrders": False,
        "umaResolutionStatus": "resolved",
        "outcomePrices": json.dumps(["1", "0"]),
    }
    ended = later(tmp_path / "later", asks=[("0.33", "600")], rows=resolved)
    ran = cli("maintain", "--books", str(ended), "--json")
    assert ran.code == 0, ran.err
    result = ran.document["result"]
    assert [(e["kind"], e["size"], e["payout"], e["cash"]) for e in result["settlements"]] == [
        ("SETTLEMENT", "100", "1", "100")
    ]
    assert [(row["status"], row["code"]) for row in result["settled"]] == [("CANCELED", "MARKET_RESOLVED")]
    # 42 dollars paid, 1.218 of fees, 100 dollars back.
    assert result["portfolio"]["netLiquidation"] == "10056.782"
    assert result["portfolio"]["positions"] == 0
    (past,) = cli("runs", "list", "--limit", "1", "--json").rows
    assert "1 ended, 1 payout booked" in cli("runs", "show", past["runId"]).out
    again = cli("maintain", "--books", str(ended), "--json").document["result"]
    assert again["settlements"] == []
    (position,) = cli("positions", "list", "--json").rows
    assert (position["status"], position["realised"]) == ("closed", "56.782")
    assert cli("positions", "verify").code == 0
    assert cli("positions", "report", "--json").document["result"]["netLiquidation"] == "10056.782"


def test_a_payout_that_was_wrong_is_taken_back(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    traded(instruction(size=100, sizeUnit="SHARES"))
    ended = {"closed": True, "acceptingOrders": False, "umaResolutionStatus": "resolved"}
    for number, prices in enumerate((["1", "0"], ["0", "1"])):
        rows = {**ended, "outcomePrices": json.dumps(prices)}
        books = later(tmp_path / f"later{number}", asks=[("0.33", "600")], rows=rows)
        result = cli("maintain", "--books", str(books), "--json").document["result"]
    assert [(e["kind"], e["cash"]) for e in result["settlements"]] == [
        ("REVERSAL", "-100"),
        ("SETTLEMENT", "0"),
    ]
    assert result["portfolio"]["netLiquidation"] == "9956.782"
    assert cli("positions", "verify").code == 0


def test_a_resolution_without_final_prices_waits_and_says_so(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    traded(instruction(size=100, sizeUnit="SHARES"))
    rows = {
        "closed": True,
        "umaResolutionStatus": "resolved",
        "outcomePrices": json.dumps(["0", "0"]),
    }
    books = later(tmp_path / "later", asks=[("0.33", "600")], rows=rows)
    result = cli("maintain", "--books", str(books), "--json").document["result"]
    assert result["settlements"] == []
    assert result["warnings"] == [
        "market will-it-rain-in-bregenz: resolved, but what it pays is not final yet"
    ]


def test_there_is_one_snapshot_for_each_hour(
    cli: Callable[..., Ran], traded: Callable[..., Ran], books: Path, sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    for _ in range(3):
        assert cli("maintain", "--books", str(books)).code == 0
    (count,) = sql.execute("SELECT count(*) FROM portfolio_snapshots").fetchone() or (0,)
    assert count in (1, 2)  # two where the hour turned meanwhile


def test_a_stop_sells_what_is_held_and_says_why(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    assert traded(instruction(size=100, sizeUnit="SHARES", stopLossPct=20)).code == 0
    fallen = later(tmp_path / "later", asks=[("0.33", "600")])
    ran = cli("maintain", "--books", str(fallen))
    assert ran.code == 0, ran.err
    assert "STOP_LOSS" in ran.out
    assert "1 exit order placed" in ran.out
    rows = cli("orders", "list", "--json").rows
    assert [(row["side"], row["status"], row["filledSize"]) for row in rows] == [
        ("SELL", "FILLED", "100"),
        ("BUY", "FILLED", "100"),
    ]
    again = cli("maintain", "--books", str(fallen), "--json").document["result"]
    assert again["instructions"] == []
    assert cli("positions", "list", "--status", "open", "--json").rows == []


def test_maintain_gives_up_at_once_while_another_writes_and_quietly_from_cron(
    cli: Callable[..., Ran], books: Path, database_url: str
) -> None:
    from betteroms.adapters.postgres.database import connect, take_writer_lock

    with connect(database_url, name="another") as other:
        take_writer_lock(other, wait_seconds=0)
        assert cli("maintain", "--books", str(books)).code == 10
        quiet = cli("maintain", "--books", str(books), "--quiet")
        assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
        assert cli("run", "--books", str(books), "--wait", "0").code == 10
    assert cli("maintain", "--books", str(books), "--quiet") == Ran(code=0, out="", err="")


def test_what_still_says_that_it_runs_is_ended_by_the_next(
    cli: Callable[..., Ran], traded: Callable[..., Ran], books: Path, sql: psycopg.Connection[Any]
) -> None:
    traded(instruction())
    sql.execute(
        "INSERT INTO runs (run_id, kind, mode, status, attempt, now, scheduled_at, started_at, "
        "engine_version, settings, ledger_sequence) SELECT gen_random_uuid(), 'maintain', mode, 'running', "
        "1, now, scheduled_at, started_at, engine_version, settings, ledger_sequence FROM runs"
    )
    assert cli("maintain", "--books", str(books)).code == 0
    found = sql.execute("SELECT status, error_message FROM runs ORDER BY error_message").fetchall()
    assert ("failed", "interrupted: the process ended before the run did") in found
    assert not [status for status, _ in found if status == "running"]


def test_the_screens_can_be_shown_again(cli: Callable[..., Ran], plans: Path, books: Path) -> None:
    write_plan(plans / "a.json", instruction())
    ran = cli("run", "--plans", str(plans), "--books", str(books))
    assert ran.code == 0, ran.err
    for row in cli("runs", "list", "--json").rows:
        shown = cli("runs", "show", row["runId"])
        assert shown.code == 0, shown.err
        if row["kind"] == "run":
            assert ran.out.splitlines()[0] in shown.out
