"""What goes wrong with requests of any kind: provoked, seen over the wire, compared with the truth."""

import json
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.faults.scene import Scene

ORDER = "POST /order"


def cut(venue: Scene, body: Any) -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        venue.post(body)


def test_without_rules_everything_is_answered(venue: Scene) -> None:
    assert venue.post(venue.buy()).json()["status"] == "live"


def test_an_answer_is_lost_after_the_order_was_taken(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "lost_answer"})
    body = venue.buy()
    cut(venue, body)
    assert venue.exists(venue.id_of(body))
    assert venue.order(venue.id_of(body)).json()["status"] == "LIVE"


def test_a_connection_is_cut_before_anything_is_done(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "cut_before", "nth": 1})
    body = venue.buy()
    cut(venue, body)
    assert not venue.exists(venue.id_of(body))
    assert venue.post(body).status_code == 200


def test_an_answer_is_late_and_the_order_is_taken_though_nobody_waits(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "latency", "delay_ms": 200})
    begun = time.monotonic()
    assert venue.post(venue.buy()).status_code == 200
    assert time.monotonic() - begun >= 0.2
    impatient = venue.buy()
    with pytest.raises(httpx.ReadTimeout):
        venue.post(impatient, timeout=0.05)
    time.sleep(0.3)
    assert venue.exists(venue.id_of(impatient))


def test_an_answer_drips(venue: Scene) -> None:
    venue.rules({"on": "GET /time", "fault": "slow_loris", "gap_ms": 30})
    begun = time.monotonic()
    answer = venue.client.get("/time")
    assert answer.json() == 1_795_177_659
    assert time.monotonic() - begun >= 0.03 * len(answer.content)


def test_a_dripping_answer_ends_with_the_clients_patience(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "slow_loris", "gap_ms": 100})
    body = venue.buy()
    with pytest.raises(httpx.ReadTimeout):
        venue.post(body, timeout=0.05)
    assert venue.exists(venue.id_of(body))


def test_an_answer_is_cut_short_and_honest_about_it(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "truncated", "how": "honest"})
    body = venue.buy()
    answer = venue.post(body)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert venue.exists(venue.id_of(body))


@pytest.mark.parametrize("keep", [0, 7])
def test_a_connection_ends_in_the_middle_of_an_answer(venue: Scene, keep: int) -> None:
    venue.rules({"on": ORDER, "fault": "truncated", "how": "closed", "keep": keep})
    body = venue.buy()
    cut(venue, body)
    assert venue.exists(venue.id_of(body))


def test_the_engine_restarts_and_says_so_with_an_empty_body(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "restarting", "retry_after_s": 3})
    body = venue.buy()
    answer = venue.post(body)
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (425, b"", "3")
    assert not venue.exists(venue.id_of(body))


def test_too_many_requests_are_told_when_to_come_back(venue: Scene) -> None:
    venue.rules({"on": "GET /data/**", "fault": "rate_limited", "retry_after_s": 9})
    answer = venue.ask("GET", "/data/trades")
    assert (answer.status_code, answer.json()) == (429, {"error": "rate limited"})
    assert answer.headers["retry-after"] == "9"


@pytest.mark.parametrize("effect", [False, True])
def test_the_venue_fails_with_and_without_effect(venue: Scene, effect: bool) -> None:
    venue.rules({"on": ORDER, "fault": "error_500", "effect": effect})
    body = venue.buy()
    answer = venue.post(body)
    assert (answer.status_code, answer.json()) == (500, {"error": "could not insert order"})
    assert venue.exists(venue.id_of(body)) is effect


def test_an_order_times_out_before_it_is_looked_at(venue: Scene) -> None:
    venue.rules({"on": ORDER, "fault": "order_timed_out", "nth": 1})
    body = venue.buy()
    answer = venue.post(body)
    assert (answer.status_code, answer.json()) == (500, {"error": "order timed out"})
    assert not venue.exists(venue.id_of(body))
    assert venue.post(body).status_code == 200


@pytest.mark.parametrize("effect", [False, True])
def test_a_web_page_comes_instead_of_an_answer(venue: Scene, effect: bool) -> None:
    venue.rules({"on": ORDER, "fault": "error_502", "effect": effect})
    body = venue.buy()
    answer = venue.post(body)
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert "502 Bad Gateway" in answer.text
    assert venue.exists(venue.id_of(body)) is effect


@pytest.mark.parametrize(("body", "text"), [("<html>", "<html>"), ({"error": "x"}, '{"error":"x"}')])
def test_the_script_may_say_any_answer(venue: Scene, body: Any, text: str) -> None:
    rule = {"on": "GET /book", "fault": "answer", "status": 520, "body": body, "headers": {"X-Ray": "a"}}
    venue.rules(rule)
    answer = venue.client.get("/book?token_id=1")
    assert (answer.status_code, answer.text, answer.headers["x-ray"]) == (520, text, "a")


def test_a_cancel_is_carried_out_and_its_answer_lost(venue: Scene) -> None:
    order_id = venue.post(venue.buy()).json()["orderID"]
    venue.rules({"on": "DELETE /order", "fault": "lost_answer", "match": {"order": order_id}})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        venue.ask("DELETE", "/order", {"orderID": order_id})
    assert venue.order(order_id).json()["status"] == "CANCELED"


def test_what_is_not_of_the_protocol_never_fails(venue: Scene) -> None:
    venue.rules({"on": "*", "fault": "cut_before"})
    assert venue.client.get("/sandbox/health").json()["ok"]


def test_faults_strike_whom_they_are_meant_for(venue: Scene) -> None:
    other = venue.buy("0.40")
    meant = venue.buy("0.39")
    venue.rules({"on": ORDER, "fault": "cut_before", "match": {"order": venue.id_of(meant)}})
    assert venue.post(other).status_code == 200
    cut(venue, meant)
    assert venue.hits() == [1]


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({"token": "the token"}, True),
        ({"market": "the market"}, False),
        ({"signer": "ada"}, True),
        ({"maker": "ada"}, True),
        ({"owner": "the key"}, True),
        ({"side": "buy"}, True),
        ({"side": "SELL"}, False),
        ({"token": "another"}, False),
    ],
)
def test_posts_are_known_by_what_is_in_them(venue: Scene, match: dict[str, str], struck: bool) -> None:
    known = {"the token": venue.market.token_ids[0], "ada": venue.ada.address, "the key": venue.ada.key.key}
    named = {name: known.get(value, value) for name, value in match.items()}
    venue.rules({"on": "POST /orders", "fault": "restarting", "match": named})
    assert (venue.post([venue.buy()]).status_code == 425) is struck


def test_the_same_seed_loses_the_same_answers(venue: Scene) -> None:
    rule = {"on": ORDER, "fault": "cut_before", "probability": 0.5}

    def lost() -> list[bool]:
        venue.client.delete("/sandbox/faults")
        venue.rules(rule, seed=5)
        found = []
        for _ in range(20):
            try:
                venue.post(venue.buy())
                found.append(False)
            except httpx.TransportError:
                found.append(True)
        return found

    first = lost()
    assert 0 < sum(first) < 20
    assert lost() == first
