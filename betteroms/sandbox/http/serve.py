"""Run one venue: listen on loopback, let its time go on, stop when told."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from starlette.types import ASGIApp
from uvicorn import Config, Server

from betteroms.sandbox.http.protocol import CuttableProtocol
from betteroms.sandbox.world import World

LOOPBACK: Final = "127.0.0.1"
LOOPBACKS: Final = ("127.0.0.1", "::1", "localhost")
BACKLOG: Final = 2048
LOOK_SECONDS: Final = 0.01
"""How often the venue looks whether something is due that nobody asked for."""
STOPPING_SECONDS_MAX: Final = 2
STARTING_SECONDS_MAX: Final = 20.0


class NotLoopback(Exception):
    """The venue holds test keys and believes what it is told: it does not listen to strangers unasked."""


class VenueServer(Server):
    """uvicorn's server, which ends without raising the signal again and keeps the venue's clock going."""

    def __init__(
        self, config: Config, world: World, on_bound: Callable[[int], None], beside: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._world = world
        self._on_bound = on_bound
        self._beside = beside
        self._going: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._going = asyncio.create_task(self._go_on())
        assert sockets is not None
        self._on_bound(sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        assert self._going is not None
        self._going.cancel()
        await super().shutdown(sockets=sockets)
        with suppress(asyncio.CancelledError):
            await self._going

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM, and only end: whoever started the venue decides what it means."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _go_on(self) -> None:
        """Let happen what is due although nobody asks: settlement, expiry, counterparties.

        A bug in there must not pass in silence: the server stops, and `serve` raises it.
        """
        schedule, clock = self._world.schedule, self._world.clock
        try:
            while True:
                due_ms = schedule.next_due_ms()
                if due_ms is not None and due_ms <= clock.now_ms():
                    self._world.now()
                self._beside()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self.should_exit = True


_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def serve(
    app: ASGIApp,
    world: World,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    allow_remote: bool = False,
    on_bound: Callable[[int], None] = lambda _: None,
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Listen until SIGINT or SIGTERM. `on_bound` is told the port once it answers (0 takes any free one).

    `beside` is called again and again between requests, in the server's thread.

    Raises:
        NotLoopback: another host without `allow_remote`.
        OSError: the port cannot be had.
    """
    with _listening(host, port, allow_remote=allow_remote) as listening:
        _server(app, world, on_bound, beside).run(sockets=[listening])


@contextmanager
def serving(app: ASGIApp, world: World, *, host: str = LOOPBACK, port: int = 0) -> Iterator[int]:
    """A venue in a thread of its own while the block lasts; its port. For tests and rehearsals in process."""
    with _listening(host, port, allow_remote=False) as listening:
        bound = threading.Event()
        server = _server(app, world, lambda _: bound.set(), lambda: None)
        thread = threading.Thread(target=server.run, args=([listening],), name="sandbox", daemon=True)
        thread.start()
        assert bound.wait(STARTING_SECONDS_MAX), "the venue did not start"
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(STARTING_SECONDS_MAX)
            assert not thread.is_alive(), "the venue does not stop"


@contextmanager
def _listening(host: str, port: int, *, allow_remote: bool) -> Iterator[socket.socket]:
    if host not in LOOPBACKS and not allow_remote:
        raise NotLoopback(f"{host} is not loopback: say allow-remote to listen to others")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        yield listening


def _server(
    app: ASGIApp, world: World, on_bound: Callable[[int], None], beside: Callable[[], None]
) -> VenueServer:
    config = Config(
        app=app,
        http=CuttableProtocol,
        ws="websockets-sansio",
        loop=_loop(),
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=STOPPING_SECONDS_MAX,
    )
    return VenueServer(config, world, on_bound, beside)


def _loop() -> Any:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return "asyncio"
    return "uvloop"
