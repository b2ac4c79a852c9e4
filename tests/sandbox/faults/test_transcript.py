"""The transcript: the same seed, script and requests give the same bytes, and no secret is among them."""

import io
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from betteroms.domain.terms import Side
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.faults.script import read
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.serve import serving
from betteroms.sandbox.life import Life, Pace
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.transcript import Transcript
from betteroms.sandbox.world import Options, World
from tests.sandbox.faults.scene import START_MS, Scene, scene
from tests.sandbox.http.member import Member, compact

RULES = [
    {"on": "POST /order", "fault": "late_landing", "answer": "cut", "every": 5},
    {"on": "POST /order", "fault": "lost_answer", "probability": 0.2},
    {"on": "POST /order", "fault": "truncated", "probability": 0.2},
    {"on": "POST /order", "fault": "error_500", "probability": 0.2, "effect": True},
    {"on": "POST /order", "fault": "restart", "nth": 9, "down_ms": 700},
    {"on": "GET /data/**", "fault": "rate_limited", "every": 3},
    {"on": "GET /book", "fault": "slow_loris", "gap_ms": 0, "times": 1},
    {"on": "TRADE", "fault": "failed", "probability": 0.1},
    {"on": "*", "fault": "latency", "delay_ms": 5, "every": 7},
]


def rehearsal(seed: int) -> str:
    """One venue with faults and counterparties, behind a real socket, and what somebody does there."""
    clock = HandClock(START_MS)
    world = World(Options(seed=seed), clock)
    seed_world(world, None)
    ada = Member(world, "ada").fund("5000")
    written = io.StringIO()
    faults = Faults(read({"seed": seed, "rules": RULES}))
    app = create_app(world, faults=faults, transcript=Transcript(clock, written))
    Life(world, pace=Pace()).begin()
    markets = list(world.exchange.markets.values())
    with serving(app, world) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:

        def ask(method: str, path: str, body: Any = None) -> None:
            content = b"" if body is None else compact(body)
            headers = ada.headers(method, path.partition("?")[0], content)
            with suppress(httpx.TransportError):
                client.request(method, path, content=content, headers=headers)

        for number in range(30):
            market = markets[number % len(markets)]
            price = "0.99" if number % 2 else "0.1"
            if market.tick <= 10_000:
                ask("POST", "/order", ada.order(market, Side.BUY, price, str(5 + number)))
            ask("GET", f"/book?token_id={market.token_ids[0]}")
            ask("GET", "/data/orders")
            ask("GET", "/data/trades")
            client.post("/sandbox/clock", json={"advance": "1500ms"})
            if number == 20:
                ask("DELETE", "/cancel-all")
        client.post("/sandbox/clock", json={"advance": "2m"})
        shown = client.get("/sandbox/transcript").text
    text = written.getvalue()
    assert text.endswith(shown)
    return text


def test_the_same_seed_script_and_requests_give_the_same_bytes() -> None:
    first = rehearsal(seed=3)
    assert rehearsal(seed=3) == first
    lines = [json.loads(line) for line in first.splitlines()]
    assert {line["what"] for line in lines} == {"request", "answer", "none", "event"}
    assert {line["why"] for line in lines if line["what"] == "none"} >= {
        "lost_answer",
        "truncated",
        "restart",
    }
    assert len({line["name"] for line in lines if line["what"] == "event"}) >= 5
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert rehearsal(seed=4) != first


def lines_of(venue: Scene) -> list[dict[str, Any]]:
    return [json.loads(line) for line in venue.client.get("/sandbox/transcript").text.splitlines()]


def test_each_request_stands_before_what_it_did_and_its_answer_behind() -> None:
    with scene(transcript=True) as venue:
        body = venue.buy("0.45")
        answer = venue.post(body)
        lines = lines_of(venue)
    assert [line.get("name", line["what"]) for line in lines] == [
        "request",
        "OrderPlaced",
        "OrderMatched",
        "OrderMatched",
        "TradeMoved",
        "BookChanged",
        "answer",
    ]
    asked, told = lines[0], lines[-1]
    assert (asked["method"], asked["path"], asked["signer"]) == ("POST", "/order", venue.ada.address)
    assert json.loads(asked["body"]) == body
    assert (told["of"], told["status"], told["body"]) == (asked["of"], 200, answer.text)


def test_a_lost_answer_is_none() -> None:
    with scene(transcript=True) as venue:
        venue.rules({"on": "POST /order", "fault": "cut_before"})
        with suppress(httpx.TransportError):
            venue.post(venue.buy())
        *_, asked, none = lines_of(venue)
    assert (asked["what"], asked["path"]) == ("request", "/order")
    assert none == {
        "n": asked["n"] + 1,
        "at_ms": START_MS,
        "what": "none",
        "of": asked["of"],
        "why": "cut_before",
    }


def test_looking_at_the_sandbox_itself_is_not_written_down() -> None:
    with scene(transcript=True) as venue:
        venue.audit()
        venue.client.get("/sandbox/health")
        assert lines_of(venue) == []
        venue.client.post("/sandbox/tick", json={"market": "nowhere"})
        assert [line["what"] for line in lines_of(venue)] == ["request", "answer"]


def test_no_secret_is_written_down(attested: Callable[[int], dict[str, str]]) -> None:
    with scene(transcript=True) as venue:
        made = venue.client.post("/auth/api-key", headers=attested(7)).json()
        again = venue.client.get("/auth/derive-api-key", headers=attested(7)).json()
        venue.post(venue.buy())
        text = venue.client.get("/sandbox/transcript").text
    assert made == again
    assert made["apiKey"] in text
    for secret in (made["secret"], made["passphrase"], venue.ada.key.secret, venue.ada.key.passphrase):
        assert secret not in text


def test_no_secret_of_a_subscriber_is_written_down() -> None:
    from tests.sandbox.faults.test_streams import listening

    with scene(transcript=True) as venue:
        with listening(venue):
            pass
        (frame,) = lines_of(venue)
    assert frame["what"] == "frame"
    auth = json.loads(frame["text"])["auth"]
    assert auth == {"apiKey": venue.ada.key.key, "secret": "", "passphrase": ""}


def test_long_bodies_are_told_by_their_digest() -> None:
    with scene(transcript=True) as venue:
        venue.client.post("/books", content=b" " * (1 << 20) + b"[]")
        asked, _ = lines_of(venue)
    assert asked["bytes"] == (1 << 20) + 2
    assert len(asked["sha256"]) == 64
    assert "body" not in asked


def test_memory_is_bounded() -> None:
    transcript = Transcript(HandClock(0), kept=3)
    for number in range(5):
        transcript.unanswered(number, "")
    assert [json.loads(line)["n"] for line in transcript] == [3, 4, 5]
