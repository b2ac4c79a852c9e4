"""Pauses by the clock: the cool-down after a stop, and so many trades a day; to the microsecond."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from betteroms.jobs.maintain import maintain
from betteroms.jobs.trade import trade
from tests.simulation.auditor import problems_of
from tests.simulation.exits_world import (
    BEGIN,
    HELD,
    LEAVING,
    SCENES,
    act,
    at_step,
    desk_at,
    plan_of,
    tables_of,
    wish_for,
)

STOP = SCENES[0]
MARKET, OUTCOME = HELD[0]
TICK = timedelta(microseconds=1)


def test_after_a_stop_nothing_is_bought_until_the_cool_down_is_over(
    database_url: str, tmp_path: Path
) -> None:
    scene = replace(STOP, caps={})
    at_step(scene, LEAVING.stop, database_url, tmp_path)
    over = act(LEAVING.start).at + timedelta(minutes=60)
    codes = [
        bought(database_url, tmp_path, now, outcome)
        for now, outcome in (
            (act(LEAVING[-1]).at + TICK, OUTCOME),
            (over - TICK, OUTCOME),
            (over - TICK, 1 - OUTCOME),
            (over, OUTCOME),
        )
    ]
    cooling = ("DENIED", "COOL_DOWN")
    assert codes == [cooling, cooling, ("FILLED", None), ("FILLED", None)]
    with desk_at(database_url, tmp_path, now=over + TICK, told="0.45x500", asks="0.50x500") as desk:
        assert maintain(desk)["result"]["instructions"] == [], (
            "the trigger was that of a position that is over"
        )
    assert problems_of(tables_of(database_url)) == []


def bought(
    url: str, nothing: Path, now: datetime, outcome: int = OUTCOME, **more: Any
) -> tuple[str, str | None]:
    """Trade a plan that buys a little at this moment; what becomes of it."""
    plan = plan_of(f"at-{now:%dT%H%M%S%f}-{outcome}", [wish_for(MARKET, outcome, "BUY", "0.61", 10, **more)])
    with desk_at(url, nothing, now=now, told="0.40x500", asks="0.50x500") as desk:
        (done,) = trade(desk, plan)["result"]["instructions"]
    return done["status"], done["code"]


def test_no_more_is_bought_in_a_day_than_the_rules_allow_and_an_exit_goes_on_all_the_same(
    database_url: str, tmp_path: Path
) -> None:
    buy = partial(bought, database_url, tmp_path)
    midnight = BEGIN.replace(hour=0) + timedelta(days=1)
    rules: dict[str, Any] = {"maxDailyTrades": 2, "stopPrice": "0.45"}
    assert buy(now=BEGIN, **rules) == ("FILLED", None)
    assert buy(now=BEGIN + TICK) == ("FILLED", None)
    refused = ("DENIED", "DAILY_TRADES_EXCEEDED")
    assert buy(now=BEGIN + 2 * TICK) == refused
    with desk_at(database_url, tmp_path, now=BEGIN + 3 * TICK, told="0.40x500", asks="0.50x500") as desk:
        (sell,) = maintain(desk)["result"]["instructions"]
    assert (sell["side"], sell["status"], sell["exempt"]) == ("SELL", "FILLED", "EXEMPT_REDUCING")
    assert buy(now=midnight - TICK) == refused
    assert buy(now=midnight) == ("FILLED", None)
    assert problems_of(tables_of(database_url)) == []
