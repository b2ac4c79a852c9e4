"""Every HTTP request of this process, carried to a venue that runs in it too: each is a moment to die at.

The venue's application is called where a socket would be: whoever asks has the real client in between, and
nothing waits. What may go wrong with a request beside a death is told by a `Harm`.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx

from tests.simulation.mortal import Fate

Application = Any
PATIENCE_MS: Final = 10_000
"""So long does a client wait for an answer that does not come."""


class Harm(StrEnum):
    """What becomes of a request, and of its answer."""

    UNSENT = "no connection"
    UNHEARD = "cut before the venue heard it"
    LOST = "carried out, its answer lost"
    LATE = "carried out long after its client gave up"


@dataclass(kw_only=True)
class Wire:
    """Between the clients of this process and one venue at a time; `harmed` are requests by their number.

    `later` has a request carried out at some other time; `waited` is told of time spent on silence,
    `meanwhile` is called before each request.
    """

    application: Application = None
    fate: Fate = field(default_factory=Fate)
    harmed: dict[int, Harm] = field(default_factory=dict)
    later: Callable[[Callable[[], None]], None] = lambda _: None
    waited: Callable[[int], None] = lambda _: None
    meanwhile: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def close(self) -> None:
        self._loop.close()

    def carry(self, request: httpx.Request) -> httpx.Response:
        """Carry a request to the venue, and its answer back.

        Raises:
            httpx.TransportError: something came between.
            Death: it was the last.
        """
        name = f"{request.method} {request.url.path}"
        self.asked.append(name)
        self.meanwhile()
        self.fate.begin(name)
        try:
            return self._carried(request)
        finally:
            self.fate.end()

    def _carried(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        match self.harmed.get(len(self.asked) - 1):
            case Harm.UNSENT:
                raise httpx.ConnectError("refused", request=request)
            case Harm.UNHEARD:
                raise httpx.ReadError("cut", request=request)
            case Harm.LATE:
                self.later(lambda: self._told_nobody(request, body))
                self.waited(PATIENCE_MS)
                raise httpx.ReadTimeout("silence", request=request)
            case Harm.LOST:
                self._told(request, body)
                raise httpx.ReadError("cut", request=request)
        return self._told(request, body)

    def _told_nobody(self, request: httpx.Request, body: bytes) -> None:
        """The venue hears of it, and says to nobody what it says, or nothing."""
        with suppress(httpx.TransportError):
            self._told(request, body)

    def _told(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """What the venue says. Raises httpx.TransportError where it says nothing, or not all of it."""
        call = _Call(body)
        self._loop.run_until_complete(self.application(_scope(request, call), call.receive, call.send))
        if call.cut:
            raise httpx.RemoteProtocolError("cut", request=request)
        if not call.whole:
            self.waited(PATIENCE_MS)
            raise httpx.ReadTimeout("silence", request=request)
        return httpx.Response(call.status, headers=call.headers, content=bytes(call.content), request=request)


@dataclass
class _Call:
    """One request from the venue's side of the wire: whoever waits for the client to leave sees it go."""

    body: bytes
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)
    whole: bool = False
    cut: bool = False
    _heard: bool = False

    async def receive(self) -> dict[str, Any]:
        if self._heard:
            return {"type": "http.disconnect"}
        self._heard = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
        else:
            self.content += message.get("body", b"")
            self.whole = not message.get("more_body", False)

    def abort(self) -> None:
        self.cut = True


def _scope(request: httpx.Request, call: _Call) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": (url.host, url.port),
        "extensions": {"sandbox": {"abort": call.abort}},
    }


class _NoTransport:
    """Stands where clients keep their connections: there are none, and so no certificates are read either."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __call__(self, *_: Any, **__: Any) -> httpx.BaseTransport:
        return httpx.MockTransport(self._wire.carry)


@contextmanager
def wired(wire: Wire) -> Iterator[Wire]:
    """Let every synchronous HTTP client that is made while the block lasts use the wire."""
    from httpx import _client

    client: Any = _client
    before = client.HTTPTransport
    client.HTTPTransport = _NoTransport(wire)
    try:
        yield wire
    finally:
        client.HTTPTransport = before
        wire.close()
