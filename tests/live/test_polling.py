"""What `poll`, `orders cancel` and the scheduled commands find out at the venue and make of it."""

from collections.abc import Callable
from threading import Thread
from time import sleep
from typing import Any

import psycopg

from tests.cli.conftest import Ran
from tests.live.world import CUP, SNOW, TREATY, Operator, buy


def only(sql: psycopg.Connection[Any], query: str) -> Any:
    rows = sql.execute(query).fetchall()
    assert len(rows) == 1, rows
    return rows[0][0] if len(rows[0]) == 1 else rows[0]


def test_a_fill_of_a_resting_order_is_found_and_its_settlement_followed(
    operator: Operator, sql: psycopg.Connection[Any]
) -> None:
    operator.ready()
    assert operator.trade(buy(TREATY, 0.05, 40)).code == 0
    operator.filled(TREATY, "0.05", "15")
    polled = operator("poll", "--json")
    assert polled.code == 0, polled.err
    (row,) = polled.document["result"]["settled"]
    assert (row["status"], row["filledSize"], row["executions"][0]["liquidity"]) == ("OPEN", "15", "MAKER")
    sleep(0.3)
    assert operator("poll").code == 0
    assert only(sql, "SELECT state FROM chain_states") == "CONFIRMED"


def test_a_trade_that_fails_on_the_chain_is_taken_back_by_a_row_of_its_own(
    operator: Operator, sql: psycopg.Connection[Any]
) -> None:
    operator.ready()
    assert operator.trade(buy(TREATY, 0.05, 40)).code == 0
    (order,) = operator.orders()
    tries = ["RETRYING"] * 100  # one in each 40 ms
    operator.venue.told("settlement", order=order["id"], steps=[*tries, "FAILED"])
    operator.filled(TREATY, "0.05", "40")
    assert operator("poll", "--json").document["result"]["totals"]["fills"] == 1
    sleep(4)
    polled = operator("poll", "--json")
    assert polled.code == 0, polled.err
    assert polled.document["result"]["reconciliation"]["differences"] == []
    assert only(sql, "SELECT count(*), sum(size), sum(cash - fee) FROM executions") == (2, 0, 0)


def test_what_rests_past_its_time_is_cancelled_at_the_venue(operator: Operator) -> None:
    operator.ready()
    assert operator.trade(buy(TREATY, 0.05, 40, cancelAfterSec=1)).code == 0
    sleep(1.1)
    (row,) = operator("poll", "--json").document["result"]["settled"]
    assert (row["status"], row["code"]) == ("CANCELED", "CANCEL_AFTER")
    assert [order["status"] for order in operator.orders()] == ["CANCELED"]


def test_an_order_is_cancelled_and_what_had_filled_is_told(operator: Operator) -> None:
    operator.ready()
    ran = operator.trade(buy(TREATY, 0.05, 40), buy(CUP, 0.30, 10))
    name = ran.document["result"]["instructions"][0]["orderId"]
    operator.filled(TREATY, "0.05", "15")
    canceled = operator("orders", "cancel", name[:8], "--json")
    assert canceled.code == 0, canceled.err
    (row,) = canceled.document["result"]["modes"][0]["orders"]
    assert (row["status"], row["code"], row["filledSize"]) == ("CANCELED", "OPERATOR_CANCEL", "15")
    assert sorted(order["status"] for order in operator.orders()) == ["CANCELED", "LIVE"]


def test_everything_is_cancelled_at_the_venue_first_and_booked_then(operator: Operator) -> None:
    operator.ready()
    operator.trade(buy(TREATY, 0.05, 40), buy(CUP, 0.30, 10))
    ran = operator("orders", "cancel-all", "--mode", "live", "--yes", "--json")
    assert ran.code == 0, ran.err
    told = ran.document["result"]
    assert told["venue"]["canceled"] == 2
    ended = [(row["status"], row["code"]) for row in told["modes"][0]["orders"]]
    assert ended == [("CANCELED", "OPERATOR_CANCEL")] * 2


def test_everything_is_cancelled_at_the_venue_though_the_database_is_down(operator: Operator) -> None:
    operator.ready()
    operator.trade(buy(TREATY, 0.05, 40))
    nowhere = "postgresql://nobody@127.0.0.1:9/none"
    ran = operator("orders", "cancel-all", "--mode", "live", "--yes", DATABASE_URL=nowhere)
    assert ran.code == 9
    assert [order["status"] for order in operator.orders()] == ["CANCELED"]
    booked = operator("poll", "--json")
    assert [row["status"] for row in booked.document["result"]["settled"]] == ["CANCELED"]


def test_off_stops_new_orders_and_lets_polls_and_cancels_go_on(operator: Operator) -> None:
    operator.ready()
    operator.trade(buy(TREATY, 0.05, 40))
    assert operator("live", "off", "--cancel", "--json").code == 0
    assert [order["status"] for order in operator.orders()] == ["CANCELED"]
    assert operator("poll").code == 0
    assert operator.trade(buy(TREATY, 0.05, 40), plan_id="july").code == 5


def test_maintenance_polls_live_orders_first_and_then_maintains_them(operator: Operator) -> None:
    operator.ready()
    operator.trade(buy(TREATY, 0.05, 40, stopLossPct=20))
    operator.filled(TREATY, "0.05", "15")
    ran = operator("maintain", "--json")
    assert ran.code == 0, ran.err
    (live,) = ran.document["result"]["others"]
    assert (live["mode"], live["poll"]["totals"]["fills"]) == ("live", 1)
    assert live["maintenance"]["status"] == "completed"


def test_scheduled_live_plans_need_a_yes_beforehand(operator: Operator) -> None:
    operator.ready()
    plans = operator.directory / "plans"
    plans.mkdir()
    operator.plan(buy(SNOW, 0.45, 20), plan_id="july").rename(plans / "july.json")
    refused = operator("run", "--plans", str(plans), "--json")
    assert refused.code == 5
    (row,) = refused.document["result"]["plans"]
    assert (row["fault"], operator.orders()) == ("LiveUnconfirmed", [])
    agreed = operator("run", "--plans", str(plans), "--yes", "--json")
    assert agreed.code == 0, agreed.err
    (row,) = agreed.document["result"]["plans"]
    assert (row["mode"], row["totals"]["filled"]) == ("live", 1)
    assert agreed.document["result"]["others"][0]["mode"] == "live"


def test_the_portfolio_tells_what_the_venue_holds_and_where_it_differs(operator: Operator) -> None:
    operator.ready()
    operator.trade(buy(SNOW, 0.45, 20))
    operator("poll")
    told = operator("portfolio", "show", "--mode", "live", "--json").document["result"]
    assert (told["venue"]["differences"], told["venue"]["positions"][0]["venue"]) == ([], "20")
    operator.venue.told("fund", wallet=operator.wallet.address, dollars="100")
    operator("poll")
    shown = operator("portfolio", "show", "--mode", "live")
    assert "in our ledger" in shown.out
    assert operator("portfolio", "deposit", "100", "--mode", "live").code == 0
    assert operator("poll", "--json").document["result"]["reconciliation"]["differences"] == []


def test_watching_polls_at_once_when_the_venue_tells_of_a_fill(
    operator: Operator, command: Callable[..., Ran]
) -> None:
    operator.ready()
    assert operator.trade(buy(TREATY, 0.05, 40)).code == 0

    def fill() -> None:
        sleep(6)
        operator.filled(TREATY, "0.05", "15")

    seller = Thread(target=fill)
    seller.start()
    ran = command("poll", "--watch", "--interval", "40", "--polls", "3", "--json")
    seller.join()
    assert ran.code == 0, ran.err
    fills = [row["result"]["totals"]["fills"] for row in ran.rows]
    assert sum(fills) == 1
