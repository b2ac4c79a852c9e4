"""`risk show` and `risk reset`, and caps as a user meets them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.worlds import SNOW, instruction, write_plan

Cli = Callable[..., Ran]


def limit(ran: Ran, name: str) -> dict[str, Any]:
    (found,) = [row for row in ran.document["result"]["limits"] if row["name"] == name]
    return {key: found[key] for key in ("value", "from", "used")}


def test_every_cap_is_shown_with_where_it_comes_from_and_what_is_used(
    cli: Cli, traded: Callable[..., Ran], tmp_path: Path
) -> None:
    assert traded(instruction()).code == 0
    (tmp_path / ".env.local").write_text("\nBETTEROMS_MAX_MARKET_NOTIONAL_USD=500\n")
    (tmp_path / ".env.local").chmod(0o600)
    plan = write_plan(
        tmp_path / "tight.json",
        instruction(),
        planId="tight",
        limits={"maxDayNotionalUSD": 120, "maxMarketNotionalUSD": 900, "maxSpread": 0.05},
    )
    words = ("risk", "show", "--plan", str(plan), "--json")
    ran = cli(*words, BETTEROMS_MAX_DAY_NOTIONAL_USD="150", BETTEROMS_MAX_OPEN_POSITIONS="3")
    assert ran.code == 0
    assert limit(ran, "maxDayNotionalUSD") == {"value": "120", "from": "plan", "used": "99.9965"}
    [market] = ran.document["result"]["markets"]
    assert market["name"] == instruction()["marketId"]
    assert limit(ran, "maxMarketNotionalUSD") == {
        "value": "500",
        "from": ".env.local line 2",
        "used": market["notional"],
    }
    assert limit(ran, "maxOpenPositions") == {"value": "3", "from": "environment", "used": "1"}
    assert limit(ran, "maxSpread") == {"value": "0.05", "from": "plan", "used": None}
    assert limit(ran, "maxBookAgeSeconds") == {"value": "60", "from": "default", "used": None}
    assert limit(ran, "maxDrawdownUSD")["value"] is None


def test_the_screen_names_every_cap_in_80_columns(cli: Cli, traded: Callable[..., Ran]) -> None:
    assert traded(instruction(), instruction(SNOW, outcome="NO", price=0.61)).code == 0
    ran = cli("risk", "show", BETTEROMS_MAX_ORDERS_PER_RUN="20")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    for row in cli("risk", "show", "--json").document["result"]["limits"]:
        assert row["name"] in ran.out
    assert "will-it-snow-in-bregenz" in ran.out
    assert "environment" in ran.out


def test_what_was_gained_since_the_day_began_is_no_loss_below_zero(
    cli: Cli, traded: Callable[..., Ran], books: Path, sql: psycopg.Connection[Any]
) -> None:
    assert traded(instruction(size=100, sizeUnit="SHARES")).code == 0
    assert cli("maintain", "--books", str(books)).code == 0
    assert "lost since then $0.00" in cli("risk", "show").out
    sql.execute("UPDATE positions SET best_bid = 0.50, best_ask = 0.52")
    assert "gained since then $10.00" in cli("risk", "show").out
    assert limit(cli("risk", "show", "--json"), "maxDailyLossUSD")["used"] == "0"


def test_a_day_that_is_full_refuses_the_next_run(cli: Cli, traded: Callable[..., Ran]) -> None:
    assert traded(instruction()).code == 0
    limits = {"maxDayNotionalUSD": 150}
    ran = traded(instruction(SNOW), words=("--json",), planId="july", limits=limits)
    assert ran.code == 5
    [told] = ran.document["result"]["instructions"]
    assert told["code"] == "DAY_NOTIONAL_EXCEEDS_LIMIT"
    smaller = instruction(SNOW, size=40)
    assert traded(smaller, planId="august", limits=limits).code == 0


def test_an_order_that_would_meet_what_rests_is_refused(traded: Callable[..., Ran]) -> None:
    assert traded(instruction(price=0.39)).code == 0
    across = instruction(outcome="NO", price=0.61)
    ran = traded(across, words=("--json",), planId="july")
    [told] = ran.document["result"]["instructions"]
    assert (ran.code, told["code"]) == (5, "SELF_CROSS")


DRAWDOWN = {"BETTEROMS_MAX_DRAWDOWN_USD": "1"}


@pytest.fixture
def fallen(cli: Cli, traded: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that fees alone have brought below its peak, and a run that has noticed."""
    assert traded(instruction()).code == 0
    assert "the next run writes it down" in " ".join(cli("risk", "show", **DRAWDOWN).out.split())
    with monkeypatch.context() as patch:
        patch.setenv("BETTEROMS_MAX_DRAWDOWN_USD", "1")
        ran = traded(instruction(SNOW), words=("--json",), planId="july")
    [told] = ran.document["result"]["instructions"]
    assert (ran.code, told["code"]) == (5, "DRAWDOWN_TRIPPED")


@pytest.mark.usefixtures("fallen")
def test_a_tripped_switch_holds_without_its_cap_until_it_is_reset(
    cli: Cli, traded: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    refused = traded(instruction(SNOW), planId="august")
    assert refused.code == 5
    assert "DRAWDOWN_TRIPPED: since" in cli("risk", "show").out
    done = cli("risk", "reset", "--yes")
    assert (done.code, done.out[:6]) == (0, "reset:")
    assert traded(instruction(SNOW), planId="september").code == 0
    told = [event for (event,) in sql.execute("SELECT event_type FROM audit_logs WHERE entity_type = 'risk'")]
    assert sorted(told) == ["risk_reset", "risk_tripped"]
    assert "was reset" in cli("risk", "show").out


@pytest.mark.usefixtures("fallen")
def test_nobody_to_ask_and_no_yes_resets_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    ran = cli("risk", "reset", "--json")
    assert (ran.code, ran.error["code"]) == (2, "USAGE")
    assert cli("risk", "show", "--json").document["result"]["switch"]["tripped"]


def test_where_nothing_tripped_there_is_nothing_to_reset(cli: Cli, sql: psycopg.Connection[Any]) -> None:
    for words in ((), ("--yes",)):
        ran = cli("risk", "reset", *words)
        assert (ran.code, ran.out) == (0, "nothing to reset: the drawdown switch has not tripped\n")
    assert json.loads(cli("risk", "reset", "--yes", "--json").out)["result"]["reset"] is False
    assert sql.execute("SELECT count(*) FROM runs").fetchone() == (0,)


@pytest.mark.usefixtures("fallen")
def test_a_drawdown_that_no_run_has_noticed_can_be_reset_too(cli: Cli) -> None:
    assert cli("risk", "reset", "--yes").code == 0
    assert cli("risk", "reset", "--yes", **DRAWDOWN).out.startswith("nothing to reset")


def test_a_plan_that_cannot_be_read_is_told(cli: Cli, tmp_path: Path) -> None:
    ran = cli("risk", "show", "--plan", str(tmp_path / "none.json"), "--json")
    assert (ran.code, ran.error["code"]) == (2, "PLAN_INVALID")
