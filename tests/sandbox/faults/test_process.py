"""A venue in a process of its own: killed, or told to end, and gone on with from its file."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from coincurve import PrivateKey

from betteroms.domain.terms import Side
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.world import Options, World
from tests.sandbox.faults.scene import attest
from tests.sandbox.http.member import Member, compact
from tests.sandbox.running import Venue, sandbox_process


class Trader:
    """Somebody with a key of a venue that runs elsewhere; a world of the same seed tells of its markets."""

    def __init__(self, venue: Venue) -> None:
        self.clock = HandClock(venue.get("/sandbox/clock")["now_ms"])
        world = World(Options(), self.clock)
        seed_world(world, None)
        self.market = next(
            m for m in world.exchange.markets.values() if m.tick == 10_000 and not m.seconds_delay
        )
        self.member = Member(world, "ada")
        private: PrivateKey = self.member._private
        headers = attest(private, 0, self.clock.now_ms() // 1000)
        made = httpx.post(f"{venue.url}/auth/api-key", headers=headers).raise_for_status().json()
        assert made["apiKey"] == self.member.key.key
        venue.told("fund", wallet=self.member.address, dollars="1000", approve=True)

    def ask(self, venue: Venue, method: str, path: str, body: Any = None) -> httpx.Response:
        self.clock.move_to(venue.get("/sandbox/clock")["now_ms"])
        content = b"" if body is None else compact(body)
        headers = self.member.headers(method, path, content)
        return httpx.request(method, venue.url + path, content=content, headers=headers, timeout=5)

    def order(self, venue: Venue, price: str = "0.02") -> tuple[str, dict[str, Any]]:
        body = self.member.order(self.market, Side.BUY, price, "50")
        return self.member.id_of(body, self.market), body

    def status(self, venue: Venue, order_id: str) -> str | None:
        found = self.ask(venue, "GET", f"/data/order/{order_id}")
        status: str | None = found.json().get("status")
        return status


def test_a_killed_venue_goes_on_where_it_was_last_written(tmp_path: Path) -> None:
    words = ("--state", str(tmp_path / "venue.json"), "--hand-clock")
    with sandbox_process(*words) as venue:
        ada = Trader(venue)
        kept, body = ada.order(venue)
        assert ada.ask(venue, "POST", "/order", body).json()["status"] == "live"
        late, body = ada.order(venue)
        venue.told("faults", on="POST /order", fault="late_landing", answer="cut", nth=1)
        with pytest.raises(httpx.TransportError):
            ada.ask(venue, "POST", "/order", body)
        venue.told("clock", advance="10s")
        assert venue.told("save")["written"]
        lost, body = ada.order(venue)
        assert ada.ask(venue, "POST", "/order", body).json()["status"] == "live"
        before = venue.get("/sandbox/audit")
        assert venue.process is not None
        os.kill(venue.process.pid, signal.SIGKILL)
        venue.process.wait(timeout=10)
    with sandbox_process(*words) as venue:
        after = venue.get("/sandbox/audit")
        assert after["now_ms"] == before["now_ms"]
        assert after["balances"] == before["balances"]
        assert [row["id"] for row in before["orders"] if row not in after["orders"]] == [lost]
        assert [ada.status(venue, each) for each in (kept, late, lost)] == ["LIVE", None, None]
        assert venue.get("/sandbox/faults")["rules"][0]["hits"] == 1
        venue.told("clock", advance="30s")
        assert ada.status(venue, late) == "LIVE"
        assert ada.ask(venue, "DELETE", "/order", {"orderID": kept}).json()["canceled"] == [kept]


def test_a_venue_that_ends_writes_itself_down(tmp_path: Path) -> None:
    path = tmp_path / "venue.json"
    words = ("--state", str(path), "--hand-clock")
    with sandbox_process(*words) as venue:
        ada = Trader(venue)
        kept, body = ada.order(venue)
        assert ada.ask(venue, "POST", "/order", body).json()["status"] == "live"
    assert json.loads(path.read_bytes())["version"] == 1
    with sandbox_process(*words) as venue:
        assert ada.status(venue, kept) == "LIVE"


def test_a_venue_does_not_go_on_from_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "venue.json"
    path.write_bytes(b'{"format":"betteroms-sandbox"')
    with pytest.raises(AssertionError, match="is no JSON"), sandbox_process("--state", str(path)):
        pass
    assert path.read_bytes() == b'{"format":"betteroms-sandbox"'
