"""An ASGI application as a transport of a synchronous client: no sockets, no threads."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx
from starlette.types import ASGIApp

Message = MutableMapping[str, Any]


class InProcess(httpx.BaseTransport):
    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        said: list[Message] = []
        asked: Message = {"type": "http.request", "body": request.read(), "more_body": False}

        async def receive() -> Message:
            return asked

        async def send(message: Message) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        self._loop.run_until_complete(self._application(scope, receive, send))
        body = b"".join(message.get("body", b"") for message in said[1:])
        return httpx.Response(said[0]["status"], headers=said[0]["headers"], content=body)

    def close(self) -> None:
        self._loop.close()
