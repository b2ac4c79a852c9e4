"""`rules list|set|remove`, and what `maintain` makes of them."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.worlds import RAIN, SNOW, instruction, write_plan

Cli = Callable[..., Ran]
LATER_MS = 1_795_180_000_000


def write_bids(books: Path, bids: list[tuple[str, str]], *, stamp: int = LATER_MS) -> None:
    """Rain's newer book: these bids, and an ask far away."""
    (books / "books.json").write_text(
        json.dumps([RAIN.book(0, bids=bids, asks=[("0.99", "10")], stamp=stamp)])
    )


def rows(cli: Cli) -> list[dict[str, Any]]:
    return cli("rules", "list", "--json").rows


def test_where_nobody_set_rules_there_are_none(cli: Cli) -> None:
    ran = cli("rules", "list")
    assert (ran.code, ran.out, ran.err) == (0, "", "no exit rules\n")


def test_rules_are_set_listed_and_removed(traded: Cli, cli: Cli, sql: psycopg.Connection[Any]) -> None:
    traded(instruction(size=42))
    ran = cli("rules", "set", RAIN.slug, "YES", "--stop-loss", "10", "--take-profit-price", "0.80")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "will-it-rain-in-bregenz Yes: stop-loss 10%, take-profit at 0.8\n"
    (row,) = rows(cli)
    assert (row["state"], row["size"], row["origin"]) == ("watching", "97.67", "operator")
    assert row["rules"] == {"stopLossPct": "10", "takeProfitPrice": "0.8"}
    assert (row["marketId"], row["conditionId"]) == (RAIN.slug, RAIN.condition_id)
    told = cli("rules", "list").out.splitlines()
    assert told[:2] == [
        "will-it-rain-in-bregenz Yes: watching, 97.67 shares",
        "  stop-loss 10%, take-profit at 0.8",
    ]
    # Without the outcome the one that is held is meant; the new set replaces the old one.
    again = cli("rules", "set", RAIN.slug, "--max-hold-hours", "48", "--json").document["result"]
    assert (again["before"]["ruleId"], again["after"]["rules"]) == (row["ruleId"], {"maxHoldHours": "48"})
    assert len(rows(cli)) == 1
    gone = cli("rules", "remove", RAIN.slug)
    assert (gone.code, gone.out) == (0, "will-it-rain-in-bregenz Yes: no exit rules now\n")
    assert rows(cli) == []
    events = sql.execute("SELECT event_type FROM audit_logs WHERE entity_type = 'rule' ORDER BY sequence")
    assert [event for (event,) in events] == ["rule_set", "rule_set", "rule_removed"]


def test_each_change_is_a_run(traded: Cli, cli: Cli) -> None:
    traded(instruction(size=42))
    cli("rules", "set", RAIN.slug, "--stop-loss", "10")
    kinds = [(row["kind"], row["status"]) for row in cli("runs", "list", "--json").rows]
    assert kinds == [("rules", "completed"), ("trade", "completed")]
    listed = cli("runs", "list")
    assert (listed.code, "rules" in listed.out) == (0, True)
    run = cli("runs", "list", "--json").rows[0]["runId"]
    shown = cli("runs", "show", run)
    assert shown.out.startswith(f"{RAIN.slug} Yes: stop-loss 10%\n\n")
    assert (shown.code, shown.out.splitlines()[2]) == (0, "run        " + run)


@pytest.mark.parametrize(
    ("words", "code", "name", "message"),
    [
        ((), 2, "USAGE", "no rule is given"),
        (("--stop-loss", "120"), 2, "USAGE", '--stop-loss: "120" is not between 0 and 100'),
        (("--stop-price", "0.6", "--take-profit-price", "0.5"), 2, "USAGE", "--stop-price: stopPrice 0.6"),
    ],
)
def test_what_is_no_rule_is_refused(
    cli: Cli, words: tuple[str, ...], code: int, name: str, message: str
) -> None:
    ran = cli("rules", "set", RAIN.slug, "YES", *words, "--json")
    assert (ran.code, ran.error["code"], ran.out) == (code, name, "")
    assert message in ran.error["message"]


def test_a_market_or_outcome_that_is_not_meant_is_told(traded: Cli, cli: Cli, books: Path) -> None:
    traded(instruction(size=42))
    unknown = cli("rules", "set", "no-such-market", "YES", "--stop-loss", "10", "--books", str(books))
    assert (unknown.code, "unknown market no-such-market" in unknown.err) == (3, True)
    perhaps = cli("rules", "set", RAIN.slug, "PERHAPS", "--stop-loss", "10")
    assert (perhaps.code, "has Yes and No" in perhaps.err) == (3, True)
    contrary = cli("rules", "set", RAIN.token_id(0), "NO", "--stop-loss", "10")
    assert contrary.code == 3
    which = cli("rules", "remove", RAIN.slug)
    assert (which.code, "which outcome of will-it-rain-in-bregenz?" in which.err) == (2, True)
    none = cli("rules", "remove", RAIN.slug, "YES")
    assert (none.code, "Yes has no exit rules" in none.err) == (3, True)
    assert cli("rules", "remove", "no-such-market").code == 3
    assert len(cli("runs", "list", "--json").rows) == 1


def test_a_market_that_no_run_has_read_is_asked_for(cli: Cli, books: Path) -> None:
    ran = cli("rules", "set", SNOW.token_id(1), "--stop-loss", "10", "--books", str(books))
    assert (ran.code, ran.out) == (0, "will-it-snow-in-bregenz No: stop-loss 10%\n")
    assert ran.err == "note: nothing of it is held; the rules wait for a position\n"
    assert [(row["marketId"], row["outcome"], row["state"]) for row in rows(cli)] == [
        (SNOW.slug, "No", "closed")
    ]
    # From now on it is known, by any of its names.
    assert cli("rules", "remove", SNOW.condition_id).code == 0


def test_rules_of_a_plan_come_into_force_with_the_fill(traded: Cli, cli: Cli) -> None:
    traded(
        instruction(size=42, stopLossPct=10),
        instruction(SNOW, size=42, price=0.2, stopLossPct=10),
        defaults={"coolDownMinutes": 30},
    )
    (row,) = rows(cli)
    assert (row["marketId"], row["origin"], row["attempts"]) == (RAIN.slug, "order", 0)
    assert row["rules"] == {"stopLossPct": "10", "coolDownMinutes": 30}
    assert f"by order {row['orderId'][:8]}" in cli("rules", "list").out


def test_a_cool_down_is_told_by_the_name_of_what_is_not_bought(traded: Cli, cli: Cli, books: Path) -> None:
    traded(instruction(size=42, stopLossPct=10, coolDownMinutes=30))
    write_bids(books, [("0.30", "500")])
    assert cli("maintain", "--books", str(books)).code == 0
    shown = " ".join(cli("risk", "show").out.split())
    assert f"COOL_DOWN: {RAIN.slug} Yes is not bought until 20" in shown
    (row,) = cli("risk", "show", "--json").document["result"]["coolDowns"]
    assert (row["tokenId"], row["marketId"], row["outcome"]) == (RAIN.token_id(0), RAIN.slug, "Yes")


def test_a_past_change_of_rules_is_shown_as_it_was_told(cli: Cli, books: Path) -> None:
    done = cli("rules", "set", SNOW.slug, "NO", "--stop-loss", "10", "--books", str(books))
    (run,) = cli("runs", "list", "--json").rows
    assert cli("runs", "show", run["runId"]).out.startswith(done.out)


def test_a_stop_is_triggered_and_goes_on_until_the_position_is_closed(
    traded: Cli, cli: Cli, books: Path, sql: psycopg.Connection[Any]
) -> None:
    traded(instruction(size=42, stopLossPct=10))
    maintain = ("maintain", "--books", str(books), "--json")
    write_bids(books, [("0.41", "500")])
    assert cli(*maintain).code == 0
    assert rows(cli)[0]["state"] == "watching"
    # 0.378 is ten percent below 0.42; only a part finds a buyer.
    write_bids(books, [("0.37", "40"), ("0.30", "500")], stamp=LATER_MS + 1_000)
    assert cli(*maintain).code == 0
    (row,) = rows(cli)
    assert (row["state"], row["size"], row["attempts"]) == ("triggered", "57.67", 1)
    assert row["trigger"]["cause"] == "STOP_LOSS"
    assert "stop=0.378 cost=0.42 pct=10" in row["trigger"]["detail"]
    assert "STOP_LOSS since" in cli("rules", "list").out
    # The price is back above the stop: what was begun is ended all the same.
    write_bids(books, [("0.41", "500")], stamp=LATER_MS + 2_000)
    assert cli(*maintain).code == 0
    (row,) = rows(cli)
    assert (row["state"], row["size"], row["attempts"]) == ("closed", "0", 2)
    assert cli(*maintain).code == 0
    (row,) = rows(cli)
    assert (row["state"], row["attempts"]) == ("closed", 2)
    sold = sql.execute(
        "SELECT notes, filled_size, order_type, time_in_force FROM orders WHERE source = 'rule' "
        "ORDER BY created_at"
    ).fetchall()
    assert [(size, kind, time) for _, size, kind, time in sold] == [
        (Decimal("40"), "MARKET", "FAK"),
        (Decimal("57.67"), "MARKET", "FAK"),
    ]
    assert all(notes.startswith("STOP_LOSS: bid=") for notes, *_ in sold)


def test_removing_the_rules_calls_an_exit_off(traded: Cli, cli: Cli, books: Path) -> None:
    traded(instruction(size=42, stopLossPct=10))
    write_bids(books, [("0.30", "40")])
    cli("maintain", "--books", str(books))
    gone = cli("rules", "remove", RAIN.slug)
    assert gone.err == "note: the exit under way (STOP_LOSS) goes no further\n"
    write_bids(books, [("0.30", "500")], stamp=LATER_MS + 1_000)
    cli("maintain", "--books", str(books))
    assert cli("positions", "list", "--json").rows[0]["size"] == "57.67"


def test_rules_that_were_removed_do_not_come_back_with_an_order_that_only_ends(
    traded: Cli, cli: Cli, books: Path, sql: psycopg.Connection[Any]
) -> None:
    # The asks are good for a part of it; the rest rests for a while.
    traded(instruction(price=0.43, size=400, sizeUnit="SHARES", cancelAfterSec=600, stopLossPct=10))
    assert cli("rules", "remove", RAIN.slug).code == 0
    sql.execute("UPDATE orders SET expires_at = now() - interval '1 minute'")
    write_bids(books, [("0.30", "500")])
    ran = cli("maintain", "--books", str(books), "--json")
    (order,) = ran.document["result"]["settled"]
    assert (order["status"], order["filledSize"]) == ("CANCELED", "300")
    assert rows(cli) == []
    assert cli("positions", "list", "--json").rows[0]["size"] == "300"


def test_a_resting_sell_makes_room_for_the_exit(
    traded: Cli, cli: Cli, books: Path, tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    traded(instruction(size=42, stopLossPct=10))
    sell = instruction(side="SELL", price=0.9, size=97.67)
    plan = write_plan(tmp_path / "sell.json", sell, planId="sell")
    assert cli("trade", str(plan), "--books", str(books)).code == 0
    write_bids(books, [("0.30", "500")])
    assert cli("maintain", "--books", str(books)).code == 0
    assert rows(cli)[0]["state"] == "closed"
    ended = sql.execute("SELECT status, code FROM orders WHERE plan_id = 'sell'").fetchall()
    assert ended == [("CANCELED", "EXIT_STOP_LOSS")]
    (replaces,) = sql.execute("SELECT replaces FROM orders WHERE source = 'rule'").fetchall()
    (resting,) = sql.execute("SELECT order_id FROM orders WHERE plan_id = 'sell'").fetchall()
    assert replaces == resting


def test_every_option_sets_its_own_rule(cli: Cli, books: Path) -> None:
    words = {
        "--stop-loss": "11",
        "--take-profit": "12",
        "--trailing-stop": "13",
        "--stop-price": "0.14",
        "--take-profit-price": "0.95",
        "--max-hold-hours": "16",
        "--exit-before-close-sec": "17",
        "--cool-down-minutes": "18",
        "--max-daily-trades": "19",
    }
    options = [word for pair in words.items() for word in pair]
    ran = cli("rules", "set", RAIN.slug, "YES", *options, "--books", str(books), "--json")
    assert ran.document["result"]["after"]["rules"] == {
        "stopLossPct": "11",
        "takeProfitPct": "12",
        "trailingStopPct": "13",
        "stopPrice": "0.14",
        "takeProfitPrice": "0.95",
        "maxHoldHours": "16",
        "exitBeforeCloseSec": 17,
        "coolDownMinutes": 18,
        "maxDailyTrades": 19,
    }


def test_the_commands_help_begins_with_an_example(cli: Cli) -> None:
    for verb in ("list", "set", "remove"):
        assert f"Example: betteroms rules {verb}" in cli("rules", verb, "--help").out
