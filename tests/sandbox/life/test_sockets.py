"""The streams over real sockets."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.http.serve import serving
from betteroms.sandbox.streams import Fate, routes, streams_of
from betteroms.sandbox.streams.sockets import POLICY_VIOLATION
from tests.sandbox.life.scene import ADA, Scene

WAIT_S: Final = 10.0
FEW_FRAMES: Final = 100
ROUNDS_MAX: Final = 500
PLAIN: Final[dict[str, Any]] = {"compression": None, "max_queue": 1}


class Running:
    """A venue of streams only. Whatever is done to it is done in its own thread, between two messages."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.app = Starlette(routes=[*routes, Route("/act", self._act, methods=["POST"])])
        self.app.state.world = scene.world
        self.app.state.streams = scene.streams
        self.port = 0
        self.client = httpx.Client(timeout=WAIT_S)
        self._actions: list[Callable[[], object]] = []

    async def _act(self, _: Request) -> Response:
        self._actions.pop()()
        return Response()

    def do(self, action: Callable[[], object]) -> None:
        self._actions.append(action)
        self.client.post(f"http://127.0.0.1:{self.port}/act").raise_for_status()

    @contextmanager
    def listening(self, channel: str, frame: Any = None, **options: Any) -> Iterator[Connection]:
        with connect(f"ws://127.0.0.1:{self.port}/ws/{channel}", **options) as connection:
            if frame is not None:
                connection.send(json.dumps(frame))
            yield connection


@pytest.fixture
def running() -> Iterator[Running]:
    venue = Running(Scene())
    with serving(venue.app, venue.scene.world) as port:
        venue.port = port
        with venue.client:
            yield venue


def heard(connection: Connection) -> Any:
    return json.loads(connection.recv(timeout=WAIT_S))


def market_frame(venue: Running) -> dict[str, Any]:
    return {"type": "market", "assets_ids": list(venue.scene.rain.token_ids)}


def user_frame(venue: Running, **wrong: str) -> dict[str, Any]:
    key = venue.scene.world.members.create_key(ADA, len(venue.scene.world.members.keys))
    auth = {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase, **wrong}
    return {"type": "user", "auth": auth}


def test_a_market_subscription_is_answered_and_goes_on(running: Running) -> None:
    with running.listening("market", market_frame(running)) as connection:
        assert [book["event_type"] for book in heard(connection)] == ["book", "book"]
        running.do(lambda: running.scene.rest(Side.BUY, "0.40", "50"))
        assert heard(connection)["event_type"] == "price_change"


def test_a_user_hears_of_its_orders(running: Running) -> None:
    frame = user_frame(running)
    key = running.scene.world.members.keys[frame["auth"]["apiKey"]]
    with running.listening("user", frame) as connection:
        connection.send("PING")
        assert connection.recv(timeout=WAIT_S) == "PONG"
        running.do(lambda: running.scene.place(key, Side.BUY, "0.40", "50"))
        assert heard(connection)["type"] == "PLACEMENT"


@pytest.mark.parametrize("channel", ["market", "user"])
def test_ping_is_answered_with_pong_even_before_anything_else(channel: str, running: Running) -> None:
    with running.listening(channel) as connection:
        connection.send("PING")
        assert connection.recv(timeout=WAIT_S) == "PONG"


@pytest.mark.parametrize("channel", ["market", "user"])
@pytest.mark.parametrize("text", ["hello", "[]", "{}", '{"operation": "dance"}', b"bytes"])
def test_a_wrong_frame_is_answered_and_the_connection_lives(
    channel: str, text: str | bytes, running: Running
) -> None:
    with running.listening(channel) as connection:
        connection.send(text)
        assert connection.recv(timeout=WAIT_S) == "INVALID OPERATION"
        connection.send("PING")
        assert connection.recv(timeout=WAIT_S) == "PONG"


def test_wrong_credentials_end_the_connection(running: Running) -> None:
    with running.listening("user", user_frame(running, secret="x")) as connection:
        ended = drained(connection)
    assert ended.rcvd is not None
    assert ended.rcvd.code == POLICY_VIOLATION


def test_a_cut_stream_ends_and_another_connection_hears_again(running: Running) -> None:
    fates = iter([Fate(cuts=True)])
    with running.listening("market", market_frame(running)) as connection:
        heard(connection)
        running.scene.streams.choose = lambda *_: next(fates, Fate())
        running.do(lambda: running.scene.rest(Side.BUY, "0.40", "50"))
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=WAIT_S)
    with running.listening("market", market_frame(running)) as connection:
        assert heard(connection)[0]["bids"] == [{"price": "0.4", "size": "50"}]


def test_a_reader_that_does_not_read_is_cut_off_and_nobody_waits_for_it(running: Running) -> None:
    """Books of many levels fill the buffers in between; then the outbox, and then it is over."""
    scene = running.scene
    scene.streams.frames_max = FEW_FRAMES
    scene.exchange.set_tick(scene.rain, to_micros("0.001"), scene.world.now())
    for number in range(100, 900):
        scene.rest(Side.SELL, f"0.{number}", "500.55")

    def trade() -> None:
        for _ in range(FEW_FRAMES // 10):
            scene.rest(Side.BUY, "0.9", "5", time_in_force=TimeInForce.FAK)

    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", running.port))
    frame = market_frame(running)
    with running.listening("market", frame, sock=narrow, **PLAIN) as slow:
        heard(slow)
        rounds = 0
        while scene.streams.market.listeners and rounds < ROUNDS_MAX:
            running.do(trade)
            rounds += 1
        assert rounds < ROUNDS_MAX
        drained(slow)
    with running.listening("market", market_frame(running)) as quick:
        heard(quick)
        running.do(lambda: scene.rest(Side.BUY, "0.05", "5"))
        assert heard(quick)["event_type"] == "price_change"


def drained(connection: Connection) -> ConnectionClosed:
    """How the connection ended, after all that still came."""
    try:
        while True:
            connection.recv(timeout=WAIT_S)
    except ConnectionClosed as closed:
        return closed


def test_who_goes_away_is_forgotten(running: Running) -> None:
    with running.listening("market", market_frame(running)) as connection:
        heard(connection)
    with running.listening("market", market_frame(running)) as connection:
        heard(connection)
        running.do(lambda: running.scene.rest(Side.BUY, "0.40", "50"))
        assert heard(connection)["event_type"] == "price_change"
    assert streams_of(running.app) is running.scene.streams
