"""A scripted month on paper: whatever happens on the way, it ends in the same state, and nothing is amiss.

The world is in `month_world`, what is traded in `month_plans`, what goes wrong in `troubles`.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from betteroms import wiring
from betteroms.domain.secret import Secret
from betteroms.jobs.verify import verify
from betteroms.settings import Settings
from tests.simulation.auditor import digest_of, problems_of
from tests.simulation.lived import SUITE, LivedMonth, live, looked_at
from tests.simulation.month import BUSY, Script
from tests.simulation.troubles import Troubles

KILLS = 24
SOAK_SEEDS = range(2, 12)
SOAK_KILLS = 150
HUNDREDS = 500
TROUBLES = (
    "death run",
    "death maintain",
    "cut run",
    "cut maintain",
    "SIGKILL run",
    "SIGKILL maintain",
    "outage",
    "second caller",
    "clock",
)
CAUSES = {"STOP_LOSS", "TAKE_PROFIT", "TRAILING_STOP", "HOLD_MAX", "BEFORE_CLOSE"}
REFUSALS = {
    "MARKET_CLOSED",
    "NO_BOOK",
    "BOOK_CROSSED",
    "SELF_CROSS",
    "INSUFFICIENT_SHARES",
    "COOL_DOWN",
    "SPREAD_TOO_WIDE",
    "EVENT_LOSS_EXCEEDS_LIMIT",
    "NOTIONAL_EXCEEDS_LIMIT",
    "DAILY_LOSS_EXCEEDED",
    "DRAWDOWN_TRIPPED",
}
ENDS = {"MARKET_CLOSED", "GAME_STARTED", "CANCEL_AFTER", "FAK_NO_MATCH", "FOK_NOT_FILLED", "FAK_REMAINDER"}


def differences(url: str) -> list[str]:
    """What `positions verify` finds."""
    settings = Settings(home=Path("/nonexistent"), database_url=Secret(url))
    with wiring.records(settings, name="verify") as records:
        found: list[str] = verify(records)["differences"]
    return found


def troubled(script: Script, url: str, nothing: Path, *, seed: int, kills: int) -> Troubles:
    """The month among troubles."""
    chance = Random(f"troubles {seed}")
    killed = frozenset(chance.sample(range(len(script.acts)), kills))
    troubles = Troubles(script=script, url=url, nothing=nothing, chance=chance, killed=killed)
    for act in script.acts:
        troubles.carry_out(act)
    return troubles


def test_a_month_ends_with_nothing_lost_doubled_or_unexplained(month: LivedMonth) -> None:
    assert problems_of(month.tables) == []
    assert differences(month.url) == []


def test_a_month_is_hundreds_of_runs_in_which_everything_happens(month: LivedMonth) -> None:
    tables = month.tables
    assert len(month.runs) > HUNDREDS
    assert {run["status"] for run in tables.runs} == {"completed"}
    orders = tables.orders
    assert {order["code"] for order in orders if order["status"] == "DENIED"} >= REFUSALS
    assert {order["code"] for order in orders if order["status"] == "CANCELED"} >= ENDS
    assert {order["status"] for order in orders} >= {"FILLED", "EXPIRED", "OPEN"}
    triggered = [e["event_data"]["cause"] for e in tables.rule_events if e["event_type"] == "rule_triggered"]
    assert set(triggered) == CAUSES
    assert {fill["liquidity"] for fill in tables.executions} == {"MAKER", "TAKER"}
    assert {entry["kind"] for entry in tables.entries} == {"DEPOSIT", "SETTLEMENT", "REVERSAL"}
    assert {entry["payout"] for entry in tables.entries} == {None, 0, 500_000, 1_000_000}
    assert any(row["pessimistic"] < row["optimistic"] for row in tables.bounds)


def test_exits_go_on_after_the_drawdown_switch_tripped(month: LivedMonth) -> None:
    trips = [event for event in month.tables.audit if event["event_type"] == "risk_tripped"]
    assert len(trips) == 1
    later = [order for order in month.tables.orders if order["created_at"] > trips[0]["at"]]
    assert {order["source"] for order in later if order["fills"]} == {"rule", "plan"}
    opened = [o for o in later if o["side"] == "BUY" and o["status"] != "DENIED"]
    assert opened == []


def test_a_troubled_month_ends_in_the_same_state(
    database_url: str, tmp_path: Path, month_digest: Callable[[], str]
) -> None:
    troubles = troubled(SUITE, database_url, tmp_path, seed=1, kills=KILLS)
    assert [name for name in TROUBLES if not troubles.met[name]] == []
    tables = looked_at(database_url)
    assert problems_of(tables) == []
    assert differences(database_url) == []
    assert digest_of(tables, scripted=True) == month_digest()


@pytest.mark.soak
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_a_busy_troubled_month_ends_in_the_same_state(
    database_url: str, another_database_url: str, tmp_path: Path, seed: int
) -> None:
    script = Script(seed=seed, days=28, crontab=BUSY)
    calm = live(script, another_database_url, tmp_path)
    assert problems_of(calm.tables) == []
    troubles = troubled(script, database_url, tmp_path, seed=seed, kills=SOAK_KILLS)
    print(f"seed {seed}: {dict(troubles.met)}")
    tables = looked_at(database_url)
    assert problems_of(tables) == []
    assert differences(database_url) == []
    assert digest_of(tables, scripted=True) == calm.digest
