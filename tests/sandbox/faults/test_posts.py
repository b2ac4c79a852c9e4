"""What goes wrong with orders: modes, statuses, and orders that land when nobody waits for them any more."""

from typing import Any

import httpx
import pytest

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from tests.sandbox.faults.scene import Scene
from tests.sandbox.http.member import Body

ORDER = "POST /order"


def given_up(venue: Scene, body: Body | list[Body]) -> None:
    with pytest.raises(httpx.TransportError):
        venue.post(body, timeout=0.3)


@pytest.mark.parametrize(
    ("fault", "document"),
    [
        (
            "post_only",
            {
                "error": "post-only mode: only post-only orders and cancels are allowed",
                "code": "post_only_mode",
                "retry_after_seconds": 79,
            },
        ),
        (
            "cancel_only",
            {
                "error": "Trading is currently cancel-only. "
                "New orders are not accepted, but cancels are allowed."
            },
        ),
        ("halted", {"error": "Trading is currently disabled. Check polymarket.com for updates"}),
    ],
)
def test_the_venue_takes_less_than_usual(venue: Scene, fault: str, document: dict[str, Any]) -> None:
    venue.rules({"on": ORDER, "fault": fault, "nth": 1})
    body = venue.buy()
    answer = venue.post(body)
    assert (answer.status_code, answer.json()) == (503, document)
    assert not venue.exists(venue.id_of(body))
    assert venue.post(body).status_code == 200


def test_a_post_only_order_passes_in_post_only_mode(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "post_only"})
    assert venue.post(venue.buy(postOnly=True)).status_code == 200
    assert venue.post(venue.buy(postOnly=False)).status_code == 503


def test_an_unmatched_order_may_be_there_all_the_same(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "unmatched"})
    body = venue.buy("0.45")
    told = venue.post(body).json()
    assert told["status"] == "unmatched"
    assert told["orderID"] == venue.id_of(body)
    assert "tradeIDs" not in told
    assert venue.order(venue.id_of(body)).json()["size_matched"] == "10"


def test_an_unmatched_order_may_be_nowhere(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "unmatched", "effect": False})
    body = venue.buy("0.45")
    told = venue.post(body).json()
    assert (told["status"], told["orderID"]) == ("unmatched", venue.id_of(body))
    assert venue.order(venue.id_of(body)).status_code == 404
    assert not venue.exists(venue.id_of(body))


def test_legs_of_a_batch_may_be_unmatched(venue: Scene) -> None:
    venue.rules({"on": "POST /orders", "fault": "unmatched", "nth": 1})
    bodies = [venue.buy(), venue.buy(size="1")]
    first, second = venue.post(bodies).json()
    assert first["status"] == "unmatched"
    assert second["orderID"] == ""
    assert "lower than the minimum" in second["errorMsg"]


def test_a_refusal_stays_one_where_an_order_would_be_unmatched(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "unmatched"})
    assert venue.post(venue.buy(size="1")).status_code == 400


def test_a_delayed_order_is_matched_later(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "delayed", "delay_s": 3})
    body = venue.buy("0.45")
    assert venue.post(body).json()["status"] == "delayed"
    assert venue.order(venue.id_of(body)).json()["status"] == "DELAYED"
    venue.advance(3)
    assert venue.order(venue.id_of(body)).json()["status"] == "MATCHED"
    assert venue.market.seconds_delay == 0


def test_an_order_lands_forty_seconds_after_its_client_gave_up(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "late_landing", "nth": 1})
    body = venue.buy("0.45")
    order_id = venue.id_of(body)
    given_up(venue, body)
    venue.advance(39.999)
    assert venue.order(order_id).status_code == 404
    assert venue.ask("GET", "/data/orders").json()["data"] == []
    assert venue.ask("GET", "/data/trades").json()["data"] == []
    assert venue.ask("DELETE", "/order", {"orderID": order_id}).json()["not_canceled"]
    (late,) = [row for row in venue.audit()["late"] if row["task"] == "late_landing"]
    assert late["values"]["orders"] == [order_id]
    venue.advance(0.001)
    assert venue.order(order_id).json()["status"] == "MATCHED"
    assert [row["taker_order_id"] for row in venue.ask("GET", "/data/trades").json()["data"]] == [order_id]


def test_the_same_bytes_are_accepted_meanwhile_and_the_late_ones_are_duplicates(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "late_landing", "answer": "cut", "after_ms": 5_000, "nth": 1})
    body = venue.buy()
    order_id = venue.id_of(body)
    given_up(venue, body)
    assert venue.post(body).json()["orderID"] == order_id
    assert "Duplicated" in venue.post(body).json()["error"]
    venue.advance(5)
    (post,) = [row for row in venue.audit()["posts"] if row["id"] == order_id]
    assert (post["seen"], post["accepted"], post["duplicates"]) == (3, 1, 2)


def test_a_batch_lands_late_as_a_whole(venue: Scene) -> None:
    venue.rules({"on": "POST /orders", "fault": "late_landing", "answer": "cut", "after_ms": 1_000})
    bodies = [venue.buy(), venue.buy(size="1"), venue.buy("0.40")]
    given_up(venue, bodies)
    venue.advance(1)
    assert [venue.exists(venue.id_of(body)) for body in bodies] == [True, False, True]


def test_what_lands_late_lands_in_the_venue_of_that_moment(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "late_landing", "answer": "cut", "nth": 1})
    body = venue.buy()
    given_up(venue, body)
    venue.client.post("/sandbox/mode", json={"mode": "cancel_only"})
    venue.advance(40)
    assert not venue.exists(venue.id_of(body))
    (post,) = [row for row in venue.audit()["posts"] if row["id"] == venue.id_of(body)]
    assert post["accepted"] == 0
    assert [text.partition(".")[0] for text in post["refusals"]] == ["Trading is currently cancel-only"]


def test_nobody_elses_post_lands_late(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "late_landing"})
    answer = venue.client.post("/order", json=venue.buy())
    assert answer.status_code == 401
    assert venue.audit()["late"] == []


def test_a_client_that_never_gives_up_is_given_up(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "late_landing", "hang_ms": 100})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        venue.post(venue.buy())


@pytest.mark.parametrize(
    ("says", "status", "content"), [("404", 404, None), ("null", 200, b"null"), ("empty", 200, b"{}")]
)
def test_a_filled_order_is_forgotten(venue: Scene, says: str, status: int, content: bytes | None) -> None:
    venue.rules({"on": "GET /data/order/*", "fault": "forgetful", "says": says})
    filled = venue.post(venue.buy("0.45")).json()["orderID"]
    resting = venue.post(venue.buy()).json()["orderID"]
    answer = venue.order(filled)
    assert answer.status_code == status
    assert content in (None, answer.content)
    assert venue.order(resting).json()["id"] == resting
    assert filled in [row["taker_order_id"] for row in venue.ask("GET", "/data/trades").json()["data"]]


def test_look_ups_are_blind_for_a_while(venue: Scene) -> None:
    blind = {"fault": "forgetful", "of": "all", "for_ms": 10_000}
    venue.rules(
        *({"on": f"GET {path}", **blind} for path in ("/data/order/*", "/data/orders", "/data/trades"))
    )
    resting = venue.post(venue.buy()).json()["orderID"]
    filled = venue.post(venue.buy("0.45")).json()["orderID"]

    def seen() -> list[bool]:
        orders, trades = (venue.ask("GET", f"/data/{what}").json()["data"] for what in ("orders", "trades"))
        return [
            venue.order(resting).status_code == 200,
            resting in [row["id"] for row in orders],
            filled in [row["taker_order_id"] for row in trades],
        ]

    assert seen() == [False, False, False]
    venue.advance(10)
    assert seen() == [True, True, True]


def test_one_order_is_forgotten_wherever_it_is_looked_up(venue: Scene) -> None:
    lost, kept = venue.buy("0.45"), venue.buy("0.45")
    match = {"order": venue.id_of(lost)}
    for path in ("/data/order/*", "/data/trades"):
        venue.rules({"on": f"GET {path}", "fault": "forgetful", "match": match})
    for body in (lost, kept):
        venue.post(body)
    trades = venue.ask("GET", "/data/trades").json()
    assert [row["taker_order_id"] for row in trades["data"]] == [venue.id_of(kept)]
    assert [venue.order(venue.id_of(body)).status_code for body in (lost, kept)] == [404, 200]
    assert venue.hits() == [1, 1]


def test_the_data_api_lags_behind_the_chain(venue: Scene) -> None:
    def size() -> Any:
        rows = venue.client.get(f"/data-api/v2/positions?user={venue.ada.address}").json()["data"]
        return {row["token_id"]: row["current_size"] for row in rows}[venue.market.token_ids[0]]

    venue.rules({"on": "GET /data-api/v2/positions", "fault": "lagging", "lag_ms": 30_000})
    venue.post(venue.buy("0.45", "20"))
    venue.advance(10)
    assert size() == 500
    venue.advance(30)
    assert size() == 520


def test_balances_lag_behind_the_chain(venue: Scene) -> None:
    def dollars() -> int:
        path = "/balance-allowance?asset_type=COLLATERAL&signature_type=0"
        return int(venue.ask("GET", path).json()["balance"])

    venue.rules({"on": "GET /balance-allowance", "fault": "lagging", "lag_ms": 30_000})
    before = dollars()
    venue.post(venue.buy("0.45"))
    venue.advance(10)
    assert venue.audit()["trades"][0]["status"] == "CONFIRMED"
    assert dollars() == before
    venue.advance(30)
    assert dollars() == before - to_micros("4.5")
    venue.client.delete("/sandbox/faults")
    assert dollars() == before - to_micros("4.5")


def test_positions_lag_behind_the_chain(venue: Scene) -> None:
    token = venue.market.token_ids[0]
    path = f"/balance-allowance?asset_type=CONDITIONAL&token_id={token}&signature_type=0"
    venue.rules(
        {"on": "GET /balance-allowance", "fault": "lagging", "lag_ms": 30_000, "match": {"token": token}}
    )
    venue.post(venue.ada.order(venue.market, Side.SELL, "0.40", "20"))
    venue.advance(10)
    assert venue.ask("GET", path).json()["balance"] == str(to_micros("500"))
    venue.advance(30)
    assert venue.ask("GET", path).json()["balance"] == str(to_micros("480"))


def test_settlement_fails_where_the_script_says(venue: Scene) -> None:
    venue.rules({"on": "TRADE", "fault": "failed", "nth": 2})
    for _ in range(3):
        venue.post(venue.buy("0.45"))
    venue.advance(20)
    assert [row["status"] for row in venue.audit()["trades"]] == ["CONFIRMED", "FAILED", "CONFIRMED"]
    assert venue.hits() == [1]


def test_settlement_is_tried_again_with_another_transaction(venue: Scene) -> None:
    body = venue.buy("0.45")
    match = {"order": venue.id_of(body), "maker": venue.ada.address, "side": "BUY"}
    venue.rules({"on": "TRADE", "fault": "retrying", "attempts": 2, "match": match})
    venue.post(venue.buy("0.45"))
    venue.post(body)
    hashes = []
    for _ in range(3):
        hashes.append(venue.audit()["trades"][1]["transaction_hash"])
        venue.advance(2)
    assert len(set(hashes)) == 3
    venue.advance(20)
    trades = venue.audit()["trades"]
    assert [(row["status"], row["attempt"]) for row in trades] == [("CONFIRMED", 0), ("CONFIRMED", 2)]


def test_the_venue_restarts_with_its_state(venue: Scene) -> None:
    resting = venue.post(venue.buy()).json()["orderID"]
    venue.rules({"on": ORDER, "fault": "restart", "down_ms": 4_000, "post_only_ms": 60_000, "nth": 1})
    body = venue.buy("0.40")
    given_up(venue, body)
    assert not venue.exists(venue.id_of(body))
    told = venue.post(body)
    assert (told.status_code, told.headers["retry-after"]) == (425, "4")
    assert venue.ask("DELETE", "/order", {"orderID": resting}).status_code == 425
    venue.advance(4)
    told = venue.post(body)
    assert (told.status_code, told.json()["retry_after_seconds"]) == (503, 60)
    assert venue.post(venue.buy("0.40", postOnly=True)).status_code == 200
    venue.advance(60)
    assert venue.post(body).status_code == 200
    assert venue.order(resting).json()["status"] == "LIVE"
