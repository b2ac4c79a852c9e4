"""Whole answers, to be sent as they are, cut, dripped or replaced by another."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BODY_BYTES_MAX: Final = 16 << 20
"""What is kept of a request's body; more is refused with 413 like anywhere else."""

BAD_GATEWAY: Final = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
POST_ONLY: Final = "post-only mode: only post-only orders and cancels are allowed"
CANCEL_ONLY: Final = "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
HALTED: Final = "Trading is currently disabled. Check polymarket.com for updates"
ORDER_TIMED_OUT: Final = "order timed out"
"""Texts: VENUE 3.6 and 7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    @property
    def document(self) -> Any:
        """Its JSON; None where there is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def with_body(self, body: bytes) -> "Answer":
        kept = [pair for pair in self.headers if pair[0].lower() != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        return Answer(status=self.status, headers=[*kept, length], body=body)

    def with_document(self, document: Any) -> "Answer":
        return self.with_body(json.dumps(document, separators=(",", ":")).encode())

    async def send(self, send: Send) -> None:
        await self.send_head(send)
        await send({"type": "http.response.body", "body": self.body})

    async def send_head(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})


def answer(status: int, document: Any, headers: Headers | None = None) -> Answer:
    """A JSON answer; with None for a document an empty one."""
    if document is None:
        return Answer(status=status, headers=headers or []).with_body(b"")
    kind = (b"content-type", b"application/json")
    return Answer(status=status, headers=[kind, *(headers or [])]).with_document(document)


def page(status: int, body: bytes) -> Answer:
    return Answer(status=status, headers=[(b"content-type", b"text/html")]).with_body(body)


async def body_of(receive: Receive) -> bytes | None:
    """The request's whole body; None if the client left before it was there."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if not message.get("more_body", False) or length > BODY_BYTES_MAX:
            return b"".join(parts)


async def answered(application: Application, scope: Scope, body: bytes) -> Answer:
    """Let the application answer a request that is all there, and keep what it says."""
    told = [{"type": "http.request", "body": body, "more_body": False}]
    status, headers, parts = 500, Headers(), list[bytes]()

    async def receive() -> Message:
        if told:
            return told.pop()
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never  # the answer is for us, and we do not leave

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await application(scope, receive, send)
    return Answer(status=status, headers=headers, body=b"".join(parts))
