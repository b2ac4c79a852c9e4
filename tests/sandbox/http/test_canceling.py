"""Canceling orders in each of the four ways, and silence."""

from typing import Any

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.http.modes import Mode
from betteroms.sandbox.http.payloads import CANCELS_MAX
from betteroms.sandbox.model import OrderStatus
from tests.sandbox.http.conftest import Front
from tests.sandbox.http.member import Member
from tests.sandbox.http.shape import shape
from tests.sandbox.stage import FEES, PLAIN
from tests.vectors import shape as sample


def resting(front: Front, member: Member, market: Any = PLAIN, outcome: int = 0) -> str:
    told = front.post(member, member.order(market, Side.BUY, "0.30", "10", outcome=outcome)).json()
    assert told["status"] == "live"
    return str(told["orderID"])


def test_one_order_is_canceled_by_its_id(front: Front, member: Member) -> None:
    order_id = resting(front, member)
    told = front.ask("DELETE", "/order", member, {"orderID": order_id})
    assert told.json() == {"canceled": [order_id], "not_canceled": {}}
    assert front.world.exchange.orders[order_id].status is OrderStatus.CANCELED


def test_what_cannot_be_canceled_is_told_with_the_reason_and_200(front: Front, member: Member) -> None:
    dead, matched = resting(front, member), "0x" + "33" * 32
    front.ask("DELETE", "/order", member, {"orderID": dead})
    alive = resting(front, member)
    told = front.ask("DELETE", "/orders", member, [dead, matched, alive])
    assert told.status_code == 200
    assert shape(told.json())[0] == shape(sample("cancel_response"))[0]
    assert told.json()["canceled"] == [alive]
    assert told.json()["not_canceled"] == {
        dead: "already canceled or matched",
        matched: "order not found",
    }


def test_nobody_cancels_the_orders_of_others(front: Front, member: Member) -> None:
    order_id = resting(front, member)
    other = Member(front.world, "another")
    told = front.ask("DELETE", "/order", other, {"orderID": order_id}).json()
    assert told == {"canceled": [], "not_canceled": {order_id: "order not found"}}
    assert front.ask("DELETE", "/cancel-all", other).json()["canceled"] == []


def test_all_open_orders_are_canceled_at_once_whichever_key_of_the_account_posted_them(
    front: Front, member: Member
) -> None:
    ids = [resting(front, member)]
    first = member.key
    member.key = front.world.members.create_key(member.address, 1)
    ids.append(resting(front, member, FEES))
    member.key = first
    assert front.ask("DELETE", "/cancel-all", member).json() == {"canceled": ids, "not_canceled": {}}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"market": PLAIN.condition_id}, [0, 1]),
        ({"asset_id": PLAIN.token_ids[1]}, [1]),
        ({"market": PLAIN.condition_id, "asset_id": PLAIN.token_ids[0]}, [0]),
        ({"market": PLAIN.condition_id, "asset_id": ""}, [0, 1]),
        ({"market": FEES.condition_id, "asset_id": PLAIN.token_ids[0]}, []),
    ],
)
def test_orders_of_a_market_or_a_token_are_canceled(
    front: Front, member: Member, asked: dict[str, str], expected: list[int]
) -> None:
    ids = [resting(front, member), resting(front, member, outcome=1), resting(front, member, FEES)]
    told = front.ask("DELETE", "/cancel-market-orders", member, asked).json()
    assert told["canceled"] == [ids[place] for place in expected]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/order", {"orderID": "12"}),
        ("/order", {}),
        ("/order", []),
        ("/orders", []),
        ("/orders", {}),
        ("/orders", ["12"]),
        ("/orders", [1]),
        ("/orders", ["0x" + "33" * 32] * (CANCELS_MAX + 1)),
        ("/cancel-market-orders", {}),
        ("/cancel-market-orders", []),
    ],
)
def test_what_names_no_orders_cancels_none(front: Front, member: Member, path: str, body: Any) -> None:
    resting(front, member)
    assert front.ask("DELETE", path, member, body).status_code == 400
    assert len(front.world.exchange.open_orders(owner=member.key.key)) == 1


@pytest.mark.parametrize("mode", [Mode.POST_ONLY, Mode.CANCEL_ONLY])
def test_cancels_work_while_orders_do_not(front: Front, member: Member, mode: Mode) -> None:
    order_id = resting(front, member)
    front.desk.modes.set(mode)
    assert front.ask("DELETE", "/order", member, {"orderID": order_id}).json()["canceled"] == [order_id]


@pytest.mark.parametrize(("mode", "status"), [(Mode.RESTARTING, 425), (Mode.HALTED, 503)])
def test_cancels_do_not_work_while_nothing_does(
    front: Front, member: Member, mode: Mode, status: int
) -> None:
    order_id = resting(front, member)
    front.desk.modes.set(mode)
    assert front.ask("DELETE", "/order", member, {"orderID": order_id}).status_code == status
    assert front.ask("DELETE", "/cancel-all", member).status_code == status
    assert front.world.exchange.orders[order_id].status is OrderStatus.LIVE


class TestHeartbeats:
    def beat(self, front: Front, member: Member, heartbeat_id: str | None = "") -> Any:
        return front.ask("POST", "/v1/heartbeats", member, {"heartbeat_id": heartbeat_id})

    def test_each_heartbeat_brings_the_id_of_the_next(self, front: Front, member: Member) -> None:
        first = self.beat(front, member).json()
        assert shape(first) == shape(sample("heartbeat")["ok"])
        second = self.beat(front, member, first["heartbeat_id"]).json()
        assert second["heartbeat_id"] != first["heartbeat_id"]

    @pytest.mark.parametrize("wrong", ["", "3c0a0c8e-6d3e-4d6b-8a56-8f7e0ab9b8a1", None])
    def test_another_id_is_refused_with_the_right_one(
        self, front: Front, member: Member, wrong: str | None
    ) -> None:
        first = self.beat(front, member).json()
        told = self.beat(front, member, wrong)
        assert told.status_code == 400
        assert told.json() == {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": first["heartbeat_id"]}
        assert self.beat(front, member, told.json()["heartbeat_id"]).status_code == 200

    def test_ten_seconds_of_silence_cancel_everything_of_the_key(self, front: Front, member: Member) -> None:
        order_id = resting(front, member)
        first = self.beat(front, member).json()
        front.later(9)
        self.beat(front, member, first["heartbeat_id"])
        front.later(9)
        assert front.get(f"/data/order/{order_id}", member)["status"] == "LIVE"
        front.later(1)
        assert front.get(f"/data/order/{order_id}", member)["status"] == "CANCELED"

    def test_who_never_sent_one_may_be_silent(self, front: Front, member: Member) -> None:
        order_id = resting(front, member)
        front.later(3600)
        assert front.get(f"/data/order/{order_id}", member)["status"] == "LIVE"

    def test_a_refused_heartbeat_does_not_count(self, front: Front, member: Member) -> None:
        order_id = resting(front, member)
        self.beat(front, member)
        front.later(9)
        self.beat(front, member, "wrong")
        front.later(1)
        assert front.get(f"/data/order/{order_id}", member)["status"] == "CANCELED"

    def test_a_restart_of_the_venue_keeps_the_watch(self, front: Front, member: Member) -> None:
        first = self.beat(front, member).json()
        state = front.desk.state()
        front.desk.restore(state)
        assert self.beat(front, member, first["heartbeat_id"]).status_code == 200
