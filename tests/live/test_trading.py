"""Live plans by the real command line, against the sandbox venue over sockets."""

from typing import Any

import psycopg
import pytest

from tests.live.world import CUP, MOON, SNOW, TREATY, Operator, buy, environment, sell
from tests.sandbox.running import Venue


def statuses(told: dict[str, Any]) -> list[str]:
    return [row["status"] for row in told["result"]["instructions"]]


def test_a_live_plan_is_refused_while_the_switch_is_off(operator: Operator) -> None:
    ran = operator.trade(buy(SNOW, 0.40, 10))
    assert (ran.code, ran.error["code"]) == (5, "LIVE_OFF")
    assert operator.orders() == []


def test_a_live_plan_is_filled_and_rests_at_the_venue(operator: Operator) -> None:
    operator.ready()
    ran = operator.trade(buy(SNOW, 0.45, 20), buy(CUP, 0.40, 30), buy(MOON, 0.35, 10), buy(TREATY, 0.05, 40))
    assert ran.code == 0, ran.err
    assert statuses(ran.document) == ["FILLED", "OPEN", "FILLED", "OPEN"]
    ours = {row["orderId"] for row in ran.document["result"]["instructions"]}
    assert len(ours) == len(operator.orders()) == 4


def test_a_live_plan_that_nobody_confirms_is_refused(operator: Operator) -> None:
    operator.ready()
    ran = operator("trade", str(operator.plan(buy(SNOW, 0.40, 10))), "--json")
    assert (ran.code, ran.error["code"]) == (5, "LIVE_NOT_CONFIRMED")
    assert operator.orders() == []


def test_the_switch_does_not_go_on_before_a_live_plan_was_looked_at(operator: Operator) -> None:
    ran = operator("live", "on", "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (5, "LIVE_NOT_REHEARSED")
    assert operator("live", "status", "--json").document["result"]["state"] == "OFF"


def test_in_the_shadow_a_live_plan_is_signed_filled_on_paper_and_not_sent(
    operator: Operator, sql: psycopg.Connection[Any]
) -> None:
    assert operator("live", "shadow").code == 0
    ran = operator.trade(buy(SNOW, 0.45, 20), buy(CUP, 0.40, 30))
    assert ran.code == 0, ran.err
    assert ran.document["result"]["mode"] == "shadow"
    assert statuses(ran.document) == ["FILLED", "OPEN"]
    assert operator.orders() == []
    names = sql.execute("SELECT external_order_id FROM orders WHERE mode = 'shadow'").fetchall()
    assert len({name for (name,) in names}) == 2
    assert sql.execute("SELECT count(*) FROM signed_orders").fetchone() == (0,)
    # It was a rehearsal: the switch may go on, and the same plan runs live.
    assert operator("live", "on", "--yes").code == 0
    live = operator.trade(buy(SNOW, 0.45, 20), buy(CUP, 0.40, 30))
    assert live.code == 0, live.err
    assert (live.document["result"]["mode"], len(operator.orders())) == ("live", 2)


def test_cash_and_positions_are_those_of_the_venue(operator: Operator) -> None:
    operator.ready()
    assert operator.trade(buy(SNOW, 0.45, 20)).code == 0
    polled = operator("poll", "--json")
    assert polled.code == 0, polled.err
    told = polled.document["result"]["reconciliation"]
    assert (told["status"], told["differences"]) == ("done", [])
    assert told["cash"]["ledger"] == told["cash"]["venue"]
    assert [row["venue"] for row in told["positions"]] == ["20"]


def test_shares_are_sold_once_they_were_mined(operator: Operator) -> None:
    operator.ready()
    assert operator.trade(buy(SNOW, 0.45, 20)).code == 0
    operator("poll")
    ran = operator.trade(sell(SNOW, 0.30, 20), plan_id="july")
    assert ran.code == 0, ran.err
    assert statuses(ran.document) == ["FILLED"]


def test_more_than_the_venue_holds_for_us_is_not_spent(operator: Operator) -> None:
    operator.ready()
    assert operator.trade(buy(TREATY, 0.02, 10), plan_id="first").code == 0
    wallet = operator.wallet.address
    operator.venue.told("withdraw", wallet=wallet, dollars="9990")
    ran = operator.trade(buy(SNOW, 0.41, 50), plan_id="second")
    assert ran.code == 5
    assert ran.document["result"]["instructions"][0]["code"] == "INSUFFICIENT_CASH"
    assert operator("poll", "--json").document["result"]["reconciliation"]["differences"] == ["CASH_DIFFERS"]


def test_what_the_contract_may_not_take_is_not_offered(operator: Operator) -> None:
    operator.ready()
    operator.venue.told("approve", wallet=operator.wallet.address, dollars="5")
    ran = operator.trade(buy(SNOW, 0.41, 50), buy(CUP, 0.40, 10))
    assert ran.code == 5
    codes = [row["code"] for row in ran.document["result"]["instructions"]]
    assert codes == ["ALLOWANCE_SHORT", None]


def test_orders_of_our_key_that_the_ledger_does_not_know_stop_everything(
    operator: Operator, sql: psycopg.Connection[Any]
) -> None:
    operator.ready()
    assert operator.trade(buy(TREATY, 0.02, 10), plan_id="first").code == 0
    # A backup is put back: this order is forgotten here, and rests there.
    sql.execute("DELETE FROM signed_orders")
    sql.execute("UPDATE orders SET external_order_id = NULL, status = 'DENIED'")
    ran = operator.trade(buy(SNOW, 0.41, 10), plan_id="second")
    assert (ran.code, ran.error["code"]) == (5, "LEDGER_BEHIND_VENUE")
    assert operator("poll", "--json").code == 5
    adopted = operator("poll", "--adopt", "--json")
    assert adopted.code == 0, adopted.err
    assert adopted.document["result"]["totals"]["adopted"] == 1
    assert operator.trade(buy(SNOW, 0.41, 10), plan_id="third").code == 0
    rows = sql.execute("SELECT status FROM orders WHERE source = 'external'").fetchall()
    assert rows == [("OPEN",)]


@pytest.mark.parametrize("kind", ["eoa", "proxy", "safe"])
def test_every_kind_of_wallet_trades(
    kind: str, operator: Operator, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(venue, kind).items():
        monkeypatch.setenv(name, value)
    operator.ready()
    ran = operator.trade(buy(SNOW, 0.45, 20), buy(CUP, 0.60, 30), buy(MOON, 0.35, 10))
    assert ran.code == 0, ran.err
    assert statuses(ran.document) == ["FILLED", "FILLED", "FILLED"]


def test_every_live_order_has_a_twin_on_paper(operator: Operator, sql: psycopg.Connection[Any]) -> None:
    operator.ready()
    ran = operator.trade(buy(SNOW, 0.45, 20), buy(CUP, 0.60, 300), buy(TREATY, 0.05, 40))
    assert ran.code == 0, ran.err
    told = operator("report", "--twin", "--json").document["result"]
    assert [row["twin"]["status"] for row in told["orders"]] == ["FILLED", "FILLED", "OPEN"]
    assert (told["totals"]["orders"], told["totals"]["agreeing"]) == (3, 3)
    assert told["totals"]["live"] == told["totals"]["twin"]
    assert "In sum" in operator("report", "--twin").out
    # A twin is told beside its order: no row of paper's knows it.
    assert sql.execute("SELECT DISTINCT mode FROM orders").fetchall() == [("live",)]


def test_a_venue_that_names_an_order_otherwise_stops_everything(operator: Operator) -> None:
    operator.ready()
    wrong = {
        "success": True,
        "errorMsg": "",
        "orderID": f"0x{'ab' * 32}",
        "status": "live",
        "makingAmount": "",
        "takingAmount": "",
    }
    fault = {"fault": "answer", "on": "POST /order", "status": 200, "body": wrong, "effect": True}
    operator.venue.told("faults", rules=[fault])
    ran = operator.trade(buy(TREATY, 0.05, 40), buy(SNOW, 0.45, 20))
    assert (ran.code, ran.error["code"]) == (7, "ORDER_ID_MISMATCH")
    assert len(operator.orders()) == 1
    assert operator("live", "status", "--json").document["result"]["state"] == "OFF"


def test_an_order_without_an_answer_is_unconfirmed_and_found_by_the_next_poll(operator: Operator) -> None:
    operator.ready()
    operator.venue.told("faults", rules=[{"fault": "lost_answer", "on": "POST /order", "times": 1}])
    ran = operator.trade(buy(TREATY, 0.05, 40))
    assert ran.code == 7, ran.err
    assert statuses(ran.document) == ["UNCONFIRMED"]
    polled = operator("poll", "--json")
    assert polled.code == 0, polled.err
    assert [row["status"] for row in polled.document["result"]["settled"]] == ["OPEN"]
    assert len(operator.orders()) == 1
