"""The server: where it listens, how it ends, how its time goes on, how a connection is cut."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from betteroms.domain.terms import Side
from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.protocol import abort
from betteroms.sandbox.http.serve import NotLoopback, serve, serving
from betteroms.sandbox.model import TradeStatus
from betteroms.sandbox.world import Options, World
from tests.sandbox.http.member import Member, compact
from tests.sandbox.stage import PLAIN, stage

ROOT: Final = Path(__file__).parents[3]
PATIENCE_S: Final = 10.0
PROGRAM: Final = """
import sys
from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.serve import serve
from betteroms.sandbox.world import Options, World

world = World(Options(), MachineClock())
serve(create_app(world), world, on_bound=lambda port: (sys.stdout.write(f"{port}\\n"), sys.stdout.flush()))
sys.stdout.write("ended\\n")
"""


@pytest.fixture
def world() -> World:
    world = World(Options(mined_after_ms=20, confirmed_after_ms=40), MachineClock())
    stage(world)
    return world


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "venue.example"])
def test_it_listens_to_nobody_but_this_machine(world: World, host: str) -> None:
    with pytest.raises(NotLoopback, match="not loopback"):
        serve(create_app(world), world, host=host)


def test_it_may_be_told_to_listen_to_others(world: World) -> None:
    """The port says that it got past the refusal: somebody else has it."""
    with socket.create_server(("0.0.0.0", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(create_app(world), world, host="0.0.0.0", port=taken.getsockname()[1], allow_remote=True)


def test_each_venue_gets_a_port_of_its_own(world: World) -> None:
    with serving(create_app(world), world) as first:
        other = World(Options(), MachineClock())
        with serving(create_app(other), other) as second:
            assert first != second
            for port in (first, second):
                assert httpx.get(f"http://127.0.0.1:{port}/ok").json() == "OK"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(process.stdout.readline())
        started_s = time.monotonic() - began
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert client.get("/ok").json() == "OK"
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == 0
        assert process.stdout.read() == "ended\n"
        assert process.stderr.read() == ""
    assert started_s < PATIENCE_S


def test_settlement_goes_on_though_nobody_asks(world: World) -> None:
    member = Member(world).fund("100")
    body = compact(member.order(PLAIN, Side.BUY, "0.45", "10"))
    with serving(create_app(world), world) as port:
        headers = member.headers("POST", "/order", body)
        told = httpx.post(f"http://127.0.0.1:{port}/order", content=body, headers=headers).json()
        assert told["status"] == "matched"
        (trade,) = world.exchange.trades
        deadline = time.monotonic() + PATIENCE_S
        while trade.status is not TradeStatus.CONFIRMED and time.monotonic() < deadline:
            time.sleep(0.005)
    assert trade.status is TradeStatus.CONFIRMED


def test_a_failure_in_what_is_due_ends_the_server_with_its_error(world: World) -> None:
    def broken(_values: object, _now_ms: int) -> None:
        raise ZeroDivisionError("in a task")

    world.schedule.handle("broken", broken)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            serve(create_app(world), world, on_bound=lambda _: world.schedule.at(0, "broken"))
        except ZeroDivisionError as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert [str(error) for error in raised] == ["in a task"]


@pytest.mark.parametrize("after_bytes", [False, True])
def test_a_connection_can_be_cut_from_within(world: World, after_bytes: bool) -> None:
    async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
        if after_bytes:
            headers = [(b"content-length", b"100")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
        assert abort(scope)
        assert scope["path"] == "/ok"

    with serving(cutting, world) as port, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        httpx.get(f"http://127.0.0.1:{port}/ok")


def test_another_server_cannot_cut() -> None:
    assert abort({"type": "http"}) is False
