"""All that was asked, answered and done, as JSON lines: the same seed and script give the same bytes.

A line has its number `n`, the venue's time `at_ms` and `what`: a `request`, an `answer` (`of` a request),
`none` (a request that got no answer, or not all of it, and why), a `frame` that a subscriber sent, or an
`event`.
Secrets are not written: no headers but the signer's address, and no API secret in a body.
"""

import hashlib
import json
import re
from collections import deque
from collections.abc import Iterator
from typing import IO, Any, Final

from betteroms.domain.money import to_text
from betteroms.sandbox.clock import Clock
from betteroms.sandbox.events import (
    BookChanged,
    Event,
    MarketAdded,
    MarketResolved,
    OrderCanceled,
    OrderMatched,
    OrderPlaced,
    TickChanged,
    TradeMoved,
)
from betteroms.sandbox.faults.answers import Application, Message, Receive, Scope, Send

LINES_KEPT: Final = 20_000
BODY_BYTES_SHOWN: Final = 1 << 20
"""Longer bodies are told by their length and digest."""
NOT_OF_THE_PROTOCOL: Final = "/sandbox"
NOTE: Final = "sandbox.note"
"""The extension of a request's scope by which faults say that there will be no answer."""
_WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS")
_SECRET: Final = re.compile(r'("(?:secret|passphrase|private_?key)"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)


class Transcript:
    """The last lines in memory, and all of them in a file where one is given."""

    def __init__(self, clock: Clock, file: IO[str] | None = None, *, kept: int = LINES_KEPT) -> None:
        self._clock = clock
        self._file = file
        self._lines: deque[str] = deque(maxlen=kept)
        self._count = 0
        self._requests = 0

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._lines))

    def heard(self, event: Event) -> None:
        """Write an event down; for `World.listen`."""
        self._write("event", event.at_ms, {"name": type(event).__name__, **described(event)})

    def asked(self, scope: Scope, body: bytes) -> int:
        """Write a request down; its number."""
        self._requests += 1
        query = scope["query_string"].decode("latin-1")
        values: dict[str, Any] = {
            "of": self._requests,
            "method": scope["method"],
            "path": scope["path"] + (f"?{query}" if query else ""),
        }
        signer = dict(scope["headers"]).get(b"poly_address")
        if signer is not None:
            values["signer"] = signer.decode("latin-1")
        self._write("request", self._clock.now_ms(), {**values, **_shown(body)})
        return self._requests

    def answered(self, request: int, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        values: dict[str, Any] = {"of": request, "status": status}
        waits = dict(headers).get(b"retry-after")
        if waits is not None:
            values["retry_after"] = waits.decode("latin-1")
        self._write("answer", self._clock.now_ms(), {**values, **_shown(body)})
        self._flush()

    def unanswered(self, request: int, why: str) -> None:
        self._write("none", self._clock.now_ms(), {"of": request, "why": why})
        self._flush()

    def subscribed(self, path: str, text: str) -> None:
        """Write down what a subscriber sent."""
        self._write("frame", self._clock.now_ms(), {"path": path, "text": _SECRET.sub(r'\1""', text)})

    def _flush(self) -> None:
        """So that a venue that is killed leaves everything that it had answered."""
        if self._file is not None:
            self._file.flush()

    def _write(self, what: str, at_ms: int, values: dict[str, Any]) -> None:
        self._count += 1
        line = json.dumps({"n": self._count, "at_ms": at_ms, "what": what, **values}, separators=(",", ":"))
        self._lines.append(line)
        if self._file is not None:
            self._file.write(line + "\n")


def _shown(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if len(body) > BODY_BYTES_SHOWN:
        return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    return {"body": _SECRET.sub(r'\1""', body.decode("utf-8", "backslashreplace"))}


def described(event: Event) -> dict[str, Any]:
    """What an event says, by ids and exact decimals."""
    match event:
        case OrderPlaced(order=order):
            return {
                "order": order.id,
                "maker": order.maker,
                "token": order.token_id,
                "side": order.side,
                "price": to_text(order.price),
                "size": to_text(order.size),
                "time_in_force": order.time_in_force,
            }
        case OrderMatched(order=order, trade=trade):
            return {"order": order.id, "trade": trade.number, "matched": to_text(order.matched)}
        case OrderCanceled(order=order):
            return {"order": order.id, "status": order.status, "reason": order.reason}
        case TradeMoved(trade=trade):
            return {"trade": trade.number, "status": trade.status, "attempt": trade.attempt}
        case BookChanged(market=market, changes=changes):
            rows = [[change.side, to_text(change.price), to_text(change.size)] for change in changes]
            return {"market": market.condition_id, "changes": rows}
        case TickChanged(market=market, old=old, new=new):
            return {"market": market.condition_id, "old": to_text(old), "new": to_text(new)}
        case MarketAdded(market=market):
            return {"market": market.condition_id}
        case MarketResolved(market=market):
            return {"market": market.condition_id, "payouts": market.payouts}


def recorded(application: Application, transcript: Transcript) -> Application:
    """The application, with everything it is asked and answers written down.

    Reading the venue's own pages (`GET /sandbox/…`) is left out: looking changes nothing.
    """

    async def application_recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await application(scope, _overheard(scope, receive, transcript), send)
        elif scope["type"] != "http" or _only_looks(scope):
            await application(scope, receive, send)
        else:
            await _record(application, transcript, scope, receive, send)

    return application_recorded


def _only_looks(scope: Scope) -> bool:
    path: str = scope["path"]
    return scope["method"] == "GET" and path.startswith(NOT_OF_THE_PROTOCOL)


def _overheard(scope: Scope, receive: Receive, transcript: Transcript) -> Receive:
    async def receive_overheard() -> Message:
        message = await receive()
        text = message.get("text") if message["type"] == "websocket.receive" else None
        if text and text != "PING":
            transcript.subscribed(scope["path"], text)
        return message

    return receive_overheard


async def _record(
    application: Application, transcript: Transcript, scope: Scope, receive: Receive, send: Send
) -> None:
    asked, said = bytearray(), bytearray()
    number = transcript.asked(scope, b"") if scope["method"] in _WITHOUT_BODY else 0
    head: Message = {}

    async def receive_recorded() -> Message:
        nonlocal number
        message = await receive()
        if message["type"] == "http.request":
            asked.extend(message.get("body", b""))
            if not message.get("more_body", False):
                number = number or transcript.asked(scope, bytes(asked))
        return message

    async def send_recorded(message: Message) -> None:
        nonlocal head, number
        number = number or transcript.asked(scope, bytes(asked))  # answered before all was read
        if message["type"] == "http.response.start":
            head = message
        elif message["type"] == "http.response.body":
            said.extend(message.get("body", b""))
            if not message.get("more_body", False):
                transcript.answered(number, head["status"], head.get("headers", []), bytes(said))
        await send(message)

    def note(why: str) -> None:
        nonlocal number
        number = number or transcript.asked(scope, bytes(asked))
        transcript.unanswered(number, why)

    scope["extensions"] = {**scope.get("extensions", {}), NOTE: note}
    await application(scope, receive_recorded, send_recorded)
