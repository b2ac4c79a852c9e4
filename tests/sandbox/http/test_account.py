"""What members are told of their own orders, trades and balances."""

from typing import Any, Final

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import EXCHANGE
from betteroms.sandbox.hashing import checksum
from tests.sandbox.http.conftest import Front
from tests.sandbox.http.member import Member
from tests.sandbox.http.shape import shape
from tests.sandbox.stage import FEES, PLAIN, POSITION
from tests.vectors import shape as sample

YES, NO = PLAIN.token_ids


def rest(front: Front, member: Member, price: str = "0.30", size: str = "10", **more: Any) -> str:
    return str(front.post(member, member.order(PLAIN, Side.BUY, price, size, **more)).json()["orderID"])


class TestOrders:
    def test_an_order_is_told_in_shares_and_dollars(self, front: Front, member: Member) -> None:
        order_id = rest(front, member, "0.40", "5.02")
        for path in (f"/data/order/{order_id}", f"/order/{order_id}"):
            told = front.get(path, member)
            assert shape(told) == shape(sample("data_order_live"))
            assert told | {"owner": member.key.key} == {
                "id": order_id,
                "status": "LIVE",
                "market": PLAIN.condition_id,
                "asset_id": YES,
                "owner": member.key.key,
                "maker_address": checksum(member.address),
                "side": "BUY",
                "price": "0.4",
                "original_size": "5.02",
                "size_matched": "0",
                "outcome": "Yes",
                "order_type": "GTC",
                "expiration": "0",
                "associate_trades": [],
                "created_at": front.clock.now_ms() // 1000,
            }

    def test_a_dead_order_still_tells_what_was_matched(self, front: Front, member: Member) -> None:
        order_id = rest(front, member, "0.45", "150")
        front.ask("DELETE", "/order", member, {"orderID": order_id})
        told = front.get(f"/data/order/{order_id}", member)
        assert (told["status"], told["size_matched"]) == ("CANCELED", "100")
        (trade,) = front.get("/data/trades", member)["data"]
        assert told["associate_trades"] == [trade["id"]]

    def test_unknown_orders_and_those_of_others_are_not_found(self, front: Front, member: Member) -> None:
        other = Member(front.world, "another")
        for order_id in (rest(front, member), "0x" + "33" * 32):
            told = front.ask("GET", f"/data/order/{order_id}", other)
            assert (told.status_code, told.json()) == (404, {"error": "order not found"})
        assert front.ask("GET", "/data/order/12", member).status_code == 400

    def test_open_orders_come_newest_first_in_the_form_of_a_page(self, front: Front, member: Member) -> None:
        ids = [rest(front, member), rest(front, member, outcome=1)]
        rest(front, member, "0.45", "10")  # matched at once
        told = front.get("/data/orders", member)
        assert shape(told) == shape(sample("data_orders_page"))
        assert [row["id"] for row in told["data"]] == ids[::-1]

    def test_open_orders_are_found_by_id_market_and_token(self, front: Front, member: Member) -> None:
        first, second = rest(front, member), rest(front, member, outcome=1)
        for query, expected in (
            ({"id": first}, [first]),
            ({"asset_id": NO}, [second]),
            ({"market": PLAIN.condition_id}, [second, first]),
            ({"market": FEES.condition_id}, []),
        ):
            assert [row["id"] for row in front.get("/data/orders", member, **query)["data"]] == expected

    def test_pages_follow_each_other_to_the_end(self, front: Front, member: Member) -> None:
        front.desk.limits.on = False
        ids = [rest(front, member, size="5") for _ in range(205)]
        cursor, found, sizes = "MA==", [], []
        while cursor != "LTE=":
            told = front.get("/data/orders", member, next_cursor=cursor)
            found += [row["id"] for row in told["data"]]
            sizes.append(told["count"])
            cursor = told["next_cursor"]
        assert found == ids[::-1]
        assert sizes == [100, 100, 5]
        assert front.get("/data/orders", member, next_cursor="LTE=")["data"] == []

    @pytest.mark.parametrize("cursor", ["x", "LTI=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "/w=="])
    def test_a_cursor_of_nobodys_is_refused(self, front: Front, member: Member, cursor: str) -> None:
        assert front.ask("GET", "/data/orders", member, next_cursor=cursor).status_code == 400


class TestTrades:
    def test_the_taker_is_told_its_side_of_it(self, front: Front, member: Member) -> None:
        order_id = rest(front, member, "0.46", "150")
        told = front.get("/data/trades", member)
        assert shape(told) == shape(sample("data_trades_page_taker_unbroadcast"))
        (trade,) = told["data"]
        assert (trade["trader_side"], trade["taker_order_id"]) == ("TAKER", order_id)
        assert (trade["size"], trade["price"]) == ("150", "0.453333")
        assert [(each["matched_amount"], each["price"]) for each in trade["maker_orders"]] == [
            ("100", "0.45"),
            ("50", "0.46"),
        ]
        assert trade["maker_address"] == checksum(member.address)

    def test_a_trade_gets_a_hash_when_it_is_on_the_chain(self, front: Front, member: Member) -> None:
        rest(front, member, "0.45", "10")
        (trade,) = front.get("/data/trades", member)["data"]
        assert (trade["status"], trade["transaction_hash"]) == ("TRADE_STATUS_MATCHED", "")
        front.later(3)
        (trade,) = front.get("/data/trades", member)["data"]
        assert trade["status"] == "TRADE_STATUS_MINED"
        assert len(trade["transaction_hash"]) == 66
        front.later(10)
        (trade,) = front.get("/data/trades", member)["data"]
        assert trade["status"] == "TRADE_STATUS_CONFIRMED"

    def test_a_maker_is_told_the_takers_side_and_finds_its_own_within(
        self, front: Front, member: Member
    ) -> None:
        order_id = rest(front, member, "0.44", "20")
        other = Member(front.world, "another").fund("1000")
        front.post(other, other.order(PLAIN, Side.BUY, "0.56", "20", outcome=1))
        (trade,) = front.get("/data/trades", member)["data"]
        assert trade["trader_side"] == "MAKER"
        assert (trade["asset_id"], trade["owner"]) == (NO, other.key.key)
        (own,) = [each for each in trade["maker_orders"] if each["order_id"] == order_id]
        assert (own["asset_id"], own["side"], own["price"]) == (YES, "BUY", "0.44")

    def test_trades_are_found_by_everything_they_can_be_asked_by(self, front: Front, member: Member) -> None:
        rest(front, member, "0.45", "10")
        first_s = front.clock.now_ms() // 1000
        front.later(60)
        front.post(member, member.order(FEES, Side.BUY, "0.45", "10"))
        later, first = front.get("/data/trades", member)["data"]
        for query, expected in (
            ({"id": first["id"]}, [first]),
            ({"market": FEES.condition_id}, [later]),
            ({"asset_id": YES}, [first]),
            ({"asset_id": NO}, []),
            ({"maker_address": checksum(member.address)}, [later, first]),
            ({"maker_address": EXCHANGE}, []),
            ({"after": first_s}, [later]),
            ({"after": first_s - 1}, [later, first]),
            ({"before": first_s + 60}, [first]),
            ({"after": first_s, "before": first_s + 60}, []),
        ):
            found = front.get("/data/trades", member, **query)["data"]
            assert [row["id"] for row in found] == [row["id"] for row in expected], query

    def test_strangers_have_no_part_in_it(self, front: Front, member: Member) -> None:
        rest(front, member, "0.45", "10")
        assert front.get("/data/trades", Member(front.world, "another"))["data"] == []

    def test_a_time_that_is_none_is_refused(self, front: Front, member: Member) -> None:
        assert front.ask("GET", "/data/trades", member, after="yesterday").status_code == 400


class TestBalances:
    COLLATERAL: Final[dict[str, str | int]] = {"asset_type": "COLLATERAL", "signature_type": 0}

    def test_a_balance_comes_in_base_units_with_what_each_exchange_may_take(
        self, front: Front, member: Member
    ) -> None:
        told = front.get("/balance-allowance", member, **self.COLLATERAL)
        assert shape(told) == shape(sample("balance_allowance"))
        assert told["balance"] == "1000000000"
        assert list(told["allowances"]) == list(sample("balance_allowance")["allowances"])
        assert set(told["allowances"].values()) == {str(2**256 - 1)}

    @pytest.mark.parametrize(("asset_type", "market"), [("CONDITIONAL", PLAIN), ("CONDITIONAL-V2", POSITION)])
    def test_shares_have_a_balance_of_their_own(
        self, front: Front, member: Member, asset_type: str, market: Any
    ) -> None:
        token = market.token_ids[0]
        member.fund("0", {token: "12.5"})
        query = {"asset_type": asset_type, "signature_type": 0, "token_id": token}
        told = front.get("/balance-allowance", member, **query)
        assert told["balance"] == "12500000"
        assert set(told["allowances"].values()) == {str(2**256 - 1)}

    def test_a_deposit_is_not_seen_before_an_update(self, front: Front, member: Member) -> None:
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "1000000000"
        member.fund("1")
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "1000000000"
        front.ask("GET", "/balance-allowance/update", member, **self.COLLATERAL)
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "1001000000"

    def test_a_settled_trade_is_seen_by_itself(self, front: Front, member: Member) -> None:
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "1000000000"
        rest(front, member, "0.45", "10")
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "1000000000"
        front.later(3)
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "995500000"

    def test_what_was_seen_outlives_a_restart(self, front: Front, member: Member) -> None:
        front.get("/balance-allowance", member, **self.COLLATERAL)
        member.fund("1")
        front.desk.restore(front.desk.state())
        assert front.get("/balance-allowance", member, **self.COLLATERAL)["balance"] == "1000000000"

    @pytest.mark.parametrize(
        "query",
        [
            {"asset_type": "SHARES", "signature_type": 0},
            {"signature_type": 0},
            {"asset_type": "CONDITIONAL", "signature_type": 0},
            {"asset_type": "COLLATERAL", "signature_type": 4},
            {"asset_type": "COLLATERAL", "signature_type": "x"},
        ],
    )
    def test_a_question_about_nothing_is_refused(
        self, front: Front, member: Member, query: dict[str, Any]
    ) -> None:
        assert front.ask("GET", "/balance-allowance", member, **query).status_code == 400

    def test_each_kind_of_wallet_has_its_own(self, front: Front, member: Member) -> None:
        for kind in (1, 2, 3):
            query = {"asset_type": "COLLATERAL", "signature_type": kind}
            assert front.get("/balance-allowance", member, **query)["balance"] == "0"


def test_who_may_only_close_is_told_so(front: Front, member: Member) -> None:
    assert front.get("/auth/ban-status/closed-only", member) == {"closed_only": False}
    front.world.members.closed_only.add(member.address)
    assert front.get("/auth/ban-status/closed-only", member) == {"closed_only": True}


def test_nothing_of_it_is_told_to_who_does_not_sign(front: Front, member: Member) -> None:
    for path in ("/data/orders", "/data/trades", "/balance-allowance", "/v1/user/rate-limit-tier"):
        told = front.ask("GET", path)
        assert (told.status_code, told.json()) == (401, {"error": "Unauthorized/Invalid api key"})
