"""Cool-down after a stop and trades a day, as a user meets them: `trade`, `maintain`, `rules` and `risk`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.cli.conftest import Ran
from tests.cli.lives import Life
from tests.cli.worlds import RAIN, instruction

Cli = Callable[..., Ran]
REFUSED = 5
LATER = "UPDATE execution_rules SET stopped_at = stopped_at - interval '30 minutes'"
"""What half an hour of waiting comes to."""


def buy(**fields: Any) -> dict[str, Any]:
    return instruction(**{"price": 0.42, "size": 20, "sizeUnit": "SHARES", **fields})


def test_after_a_stop_the_token_is_not_bought_until_the_cool_down_is_over(
    cli: Cli, tmp_path: Path, sql: psycopg.Connection[Any]
) -> None:
    life = Life(cli, tmp_path)
    assert life.trade("first", buy(stopLossPct=20, coolDownMinutes=30)).code == 0
    life.show(RAIN, bids=[("0.30", "500")], asks=[("0.36", "500")])
    (exit_order,) = life.maintain()["instructions"]
    assert exit_order["notes"].startswith("STOP_LOSS: ")
    second = life.trade("second", buy(), buy(outcome="NO", price=0.7))
    assert second.code == REFUSED
    orders = cli("orders", "list", "--plan", "second", "--json").rows
    codes = {order["outcome"]: order["code"] for order in orders}
    assert codes == {"Yes": "COOL_DOWN", "No": None}, "the other outcome may be bought"
    assert "COOL_DOWN" in cli("risk", "show").out
    sql.execute(LATER)
    third = life.trade("third", buy())
    assert third.code == 0, third.err
    assert "COOL_DOWN" not in cli("risk", "show").out


def test_so_many_orders_a_day_and_exits_beyond_them(cli: Cli, tmp_path: Path) -> None:
    life = Life(cli, tmp_path)
    assert life.trade("first", buy(maxDailyTrades=2, stopLossPct=20)).code == 0
    assert life.trade("second", buy()).code == 0
    third = life.trade("third", buy())
    assert third.code == REFUSED
    assert "DAILY_TRADES_EXCEEDED" in third.out + third.err
    life.show(RAIN, bids=[("0.30", "500")], asks=[("0.36", "500")])
    (exit_order,) = life.maintain()["instructions"]
    assert (exit_order["side"], exit_order["status"]) == ("SELL", "FILLED")
    assert cli("rules", "set", RAIN.slug, "YES", "--max-daily-trades", "9").code == 0
    fourth = life.trade("fourth", buy())
    assert fourth.code == 0, fourth.err
