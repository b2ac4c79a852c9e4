"""The sockets of the streams: each reads frames and writes what its outbox holds."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from betteroms.sandbox.streams.frames import PING, PONG, WRONG, Unauthorized, WrongFrame, read_frame
from betteroms.sandbox.streams.hub import Streams
from betteroms.sandbox.streams.outbox import Outbox

POLICY_VIOLATION: Final = 1008
"""The code that ends a connection with wrong credentials, and one that does not keep up."""
CLOSING_S_MAX: Final = 1.0
MARKET: Final = "/ws/market"
USER: Final = "/ws/user"

Receive = Callable[[Mapping[str, Any]], None]


def streams_of(app: Starlette) -> Streams:
    """The streams of an application's venue; made when they are first asked for."""
    if not hasattr(app.state, "streams"):
        app.state.streams = Streams(app.state.world)
    streams: Streams = app.state.streams
    return streams


async def _market(socket: WebSocket) -> None:
    streams = streams_of(socket.app)
    connection = _Connection(socket, streams, MARKET)
    subscriber = streams.market.join(connection.outbox)
    try:
        await connection.run(lambda frame: streams.market.receive(subscriber, frame))
    finally:
        streams.market.leave(subscriber)


async def _user(socket: WebSocket) -> None:
    streams = streams_of(socket.app)
    connection = _Connection(socket, streams, USER)
    subscriber = streams.user.join(connection.outbox)
    try:
        await connection.run(lambda frame: streams.user.receive(subscriber, frame))
    finally:
        streams.user.leave(subscriber)


class _Connection:
    """One socket: a task that reads, a task that writes, and the end of both when the outbox is cut."""

    def __init__(self, socket: WebSocket, streams: Streams, channel: str) -> None:
        self._socket = socket
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self.outbox = Outbox(
            channel, lambda *seen: streams.choose(*seen), self._wake, frames_max=streams.frames_max
        )

    def _wake(self) -> None:
        self._news.set()
        if self.outbox.cut:
            self._ended.set()

    async def run(self, receive: Receive) -> None:
        """Until either side ends it. A reader that does not keep up is not waited for."""
        await self._socket.accept()
        tasks = [
            asyncio.create_task(work) for work in (self._read(receive), self._write(), self._ended.wait())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.outbox.cut:
            await self._close()
        for task in done:
            task.result()

    async def _read(self, receive: Receive) -> None:
        while (message := await self._socket.receive())["type"] == "websocket.receive":
            self._answer(message.get("text") or "", receive)

    def _answer(self, text: str, receive: Receive) -> None:
        if text == PING:
            self.outbox.put_text(PONG)
            return
        try:
            receive(read_frame(text))
        except WrongFrame:
            self.outbox.put_text(WRONG)
        except Unauthorized:
            self.outbox.close()

    async def _write(self) -> None:
        with suppress(WebSocketDisconnect):
            while True:
                await self._news.wait()
                self._news.clear()
                while (frame := self.outbox.take()) is not None:
                    await self._socket.send_text(frame)

    async def _close(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await asyncio.wait_for(self._socket.close(POLICY_VIOLATION), CLOSING_S_MAX)


routes: Final = [WebSocketRoute(MARKET, _market), WebSocketRoute(USER, _user)]
