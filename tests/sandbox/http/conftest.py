"""A venue without sockets: its application, called by a client in this process, on a clock moved by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.desk import Desk
from betteroms.sandbox.venue import Surrounded
from betteroms.sandbox.world import Options, World
from tests.sandbox.http.in_process import InProcess
from tests.sandbox.http.member import Member, compact
from tests.sandbox.stage import stage

START_MS: Final = 1_795_177_659_210


@dataclass(frozen=True, slots=True)
class Front:
    """The venue as its members meet it. Requests are signed for the member who is named."""

    world: World
    clock: HandClock
    application: Surrounded
    client: httpx.Client

    @property
    def desk(self) -> Desk:
        return self.application.venue.desk

    def later(self, seconds: float) -> None:
        self.clock.move_to(self.clock.now_ms() + round(seconds * 1000))

    def ask(
        self, method: str, path: str, member: Member | None = None, body: Any = None, **query: str | int
    ) -> httpx.Response:
        content = b"" if body is None else body if isinstance(body, bytes) else compact(body)
        headers = {} if member is None else member.headers(method, path, content)
        return self.client.request(method, path, params=query, content=content, headers=headers)

    def get(self, path: str, member: Member | None = None, **query: str | int) -> Any:
        """A success's JSON."""
        told = self.ask("GET", path, member, **query)
        assert told.status_code == 200, told.text
        return told.json()

    def post(self, member: Member, body: Any) -> httpx.Response:
        return self.ask("POST", "/orders" if isinstance(body, list) else "/order", member, body)


MakeFront = Callable[[Options], Front]


@pytest.fixture
def make_front() -> Iterator[MakeFront]:
    clients: list[httpx.Client] = []

    def make(options: Options) -> Front:
        clock = HandClock(START_MS)
        world = World(options, clock)
        stage(world)
        application = create_app(world)
        clients.append(httpx.Client(transport=InProcess(application), base_url="http://venue"))
        return Front(world, clock, application, clients[-1])

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def front(make_front: MakeFront) -> Front:
    """A venue with the markets and books of `stage`."""
    return make_front(Options())


@pytest.fixture
def member(front: Front) -> Member:
    """Somebody with a thousand dollars."""
    return Member(front.world).fund("1000")
