"""Puts faults between clients and the venue: an ASGI application around the venue's own.

Without rules about requests it hands everything through untouched. With some, requests are read whole, shown
to the rules, and answered by the venue, by a fault, or not at all. The delays of a connection (`latency`,
`slow_loris`, how long a hanging client is kept) pass in the machine's time, because that is where clients
wait; what happens at the venue (`late_landing`, `restart`) in the venue's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from betteroms.sandbox.audit import Tally
from betteroms.sandbox.faults import answers
from betteroms.sandbox.faults.answers import (
    Answer,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    answered,
    body_of,
    page,
)
from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.faults.inside import Inside
from betteroms.sandbox.faults.script import Rule
from betteroms.sandbox.faults.subject import Request
from betteroms.sandbox.http.protocol import abort
from betteroms.sandbox.transcript import NOTE

OWN_PATHS: Final = "/sandbox"
"""What is not part of the protocol never fails."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request that a fault befalls: all of it is there, and the client waits."""

    application: Application
    scope: Scope
    body: bytes
    receive: Receive
    send: Send
    request: Request
    rule: Rule
    _gone: asyncio.Future[None] | None = field(default=None)

    @property
    def parameters(self) -> Any:
        return self.rule.parameters

    async def carried_out(self) -> Answer:
        """Have the venue do what is asked; its answer, still unsent."""
        return await answered(self.application, self.scope, self.body)

    async def say(self, told: Answer) -> None:
        await told.send(self.send)

    def note(self, why: str) -> None:
        """Say to the transcript, if there is one, that no (whole) answer will come."""
        said = self.scope.get("extensions", {}).get(NOTE)
        if said is not None:
            said(why)

    async def cut(self) -> None:
        """End the connection."""
        self.note(self.rule.fault)
        assert abort(self.scope), "connections can only be cut by the sandbox's own server"
        await self.left()

    async def left(self) -> None:
        """Wait until the client is gone."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


class FaultyApplication:
    """The venue's application with faults in front. `inside` is where faults reach into it,
    `tally` counts what comes."""

    def __init__(self, application: Application, faults: Faults, inside: Inside, tally: Tally) -> None:
        self._application = application
        self._tally = tally
        self._faults = faults
        self._inside = inside
        self._acts: dict[str, Callable[[Asked], Awaitable[None]]] = {
            "lost_answer": _lost_answer,
            "cut_before": Asked.cut,
            "slow_loris": _slow_loris,
            "truncated": _truncated,
            "restarting": _restarting,
            "rate_limited": _rate_limited,
            "error_500": _error_500,
            "order_timed_out": _order_timed_out,
            "error_502": _error_502,
            "answer": _answer,
            "post_only": _post_only,
            "cancel_only": _cancel_only,
            "halted": _halted,
            "unmatched": self._unmatched,
            "delayed": self._delayed,
            "late_landing": self._late_landing,
            "forgetful": self._forgetful,
            "lagging": self._lagging,
            "restart": self._restart,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._tally.asked(scope["method"], scope["path"])
        if not self._faults.on_requests or scope["type"] != "http" or scope["path"].startswith(OWN_PATHS):
            await self._application(scope, receive, send)
            return
        body = await body_of(receive)
        if body is None:
            return
        request = Request(scope, body, self._inside.hash_of)
        struck = self._faults.struck(scope["method"], scope["path"], request)
        for rule in struck:
            if rule.fault == "latency":
                await asyncio.sleep(rule.parameters["delay_ms"] / 1000)
        if not struck or struck[-1].fault == "latency":
            await self._application(scope, _again(body, receive), send)
            return
        asked = Asked(
            application=self._application,
            scope=scope,
            body=body,
            receive=receive,
            send=send,
            request=request,
            rule=struck[-1],
        )
        await self._acts[asked.rule.fault](asked)

    async def _unmatched(self, asked: Asked) -> None:
        """The order was to be matched and was not; with effect it is there all the same (VENUE 3.3)."""
        if asked.parameters["effect"]:
            told = await asked.carried_out()
        else:
            batch = asked.scope["path"] == "/orders"
            told = self._inside.accepted(asked.request.legs, batch=batch)
        await asked.say(_restated(told, "unmatched"))

    async def _delayed(self, asked: Asked) -> None:
        """What would match at once waits first (VENUE 3.3)."""
        with self._inside.delaying(asked.request.legs, asked.parameters["delay_s"]):
            told = await asked.carried_out()
        await asked.say(told)

    async def _late_landing(self, asked: Asked) -> None:
        """Nothing is known of the order until it lands; then it is posted like any other."""
        after_ms = asked.parameters["after_ms"]
        if not self._inside.postpone(asked.scope, asked.body, asked.request.legs, after_ms):
            await asked.say(await asked.carried_out())
            return
        if asked.parameters["answer"] == "hang":
            asked.note(asked.rule.fault)
            try:
                await asyncio.wait_for(asked.left(), asked.parameters["hang_ms"] / 1000)
            except TimeoutError:
                abort(asked.scope)
                await asked.left()
        else:
            await asked.cut()

    async def _forgetful(self, asked: Asked) -> None:
        told = await asked.carried_out()
        await asked.say(self._inside.forgotten(asked.scope["path"], told, asked.rule))

    async def _lagging(self, asked: Asked) -> None:
        with self._inside.as_it_was(asked.parameters["lag_ms"]):
            told = await asked.carried_out()
        await asked.say(told)

    async def _restart(self, asked: Asked) -> None:
        """The venue goes down while it has the request: nothing of it was done."""
        self._inside.restart(
            down_ms=asked.parameters["down_ms"], post_only_ms=asked.parameters["post_only_ms"]
        )
        await asked.cut()


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read, to be read once more; then whatever the client does."""
    told: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return told.pop() if told else await receive()

    return receive_again


async def _lost_answer(asked: Asked) -> None:
    await asked.carried_out()
    await asked.cut()


async def _slow_loris(asked: Asked) -> None:
    """Byte by byte, until all is said or the client has left."""
    told = await asked.carried_out()
    leaving = asyncio.ensure_future(asked.left())
    try:
        await told.send_head(asked.send)
        for byte in told.body:
            await asyncio.wait([leaving], timeout=asked.parameters["gap_ms"] / 1000)
            if leaving.done():
                asked.note(asked.rule.fault)
                return
            await asked.send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
        await asked.send({"type": "http.response.body", "body": b""})
    finally:
        leaving.cancel()


async def _truncated(asked: Asked) -> None:
    """Half an answer: with an honest length, or with a whole one's length and a closed connection."""
    told = await asked.carried_out()
    kept = told.body[: asked.parameters["keep"] or len(told.body) // 2]
    if asked.parameters["how"] == "honest":
        await asked.say(told.with_body(kept))
        return
    await told.with_body(told.body).send_head(asked.send)
    await asked.send({"type": "http.response.body", "body": kept, "more_body": True})
    await asked.cut()


async def _restarting(asked: Asked) -> None:
    wait_s = asked.parameters["retry_after_s"]
    await asked.say(answer(425, None, _retry_after(wait_s) if wait_s else []))


async def _rate_limited(asked: Asked) -> None:
    await asked.say(answer(429, {"error": "rate limited"}, _retry_after(asked.parameters["retry_after_s"])))


async def _error_500(asked: Asked) -> None:
    if asked.parameters["effect"]:
        await asked.carried_out()
    await asked.say(answer(500, {"error": asked.parameters["text"]}))


async def _order_timed_out(asked: Asked) -> None:
    """Rejected before it reached the book (VENUE 7)."""
    await asked.say(answer(500, {"error": answers.ORDER_TIMED_OUT}))


async def _error_502(asked: Asked) -> None:
    if asked.parameters["effect"]:
        await asked.carried_out()
    await asked.say(page(502, answers.BAD_GATEWAY))


async def _answer(asked: Asked) -> None:
    """Whatever the script says."""
    if asked.parameters["effect"]:
        await asked.carried_out()
    body = asked.parameters["body"]
    headers = [(name.encode(), text.encode()) for name, text in asked.parameters["headers"].items()]
    if isinstance(body, str):
        told = Answer(status=asked.parameters["status"], headers=headers).with_body(body.encode())
    else:
        told = answer(asked.parameters["status"], body, headers)
    await asked.say(told)


async def _post_only(asked: Asked) -> None:
    """Post-only orders pass; a request with any other order does not."""
    if all(leg.get("postOnly") is True for leg in asked.request.legs):
        await asked.say(await asked.carried_out())
        return
    wait_s = asked.parameters["retry_after_s"]
    document = {"error": answers.POST_ONLY, "code": "post_only_mode", "retry_after_seconds": wait_s}
    await asked.say(answer(503, document, _retry_after(wait_s)))


async def _cancel_only(asked: Asked) -> None:
    await asked.say(answer(503, {"error": answers.CANCEL_ONLY}))


async def _halted(asked: Asked) -> None:
    await asked.say(answer(503, {"error": answers.HALTED}))


def _retry_after(seconds: int) -> answers.Headers:
    return [(b"retry-after", str(seconds).encode())]


def _restated(told: Answer, status: str) -> Answer:
    """The answer to a post with another status and nothing matched; refusals stay."""
    document = told.document
    rows = document if isinstance(document, list) else [document]
    if told.status != 200 or not any(isinstance(row, dict) and row.get("orderID") for row in rows):
        return told
    for row in rows:
        if row.get("orderID"):
            row |= {"status": status, "makingAmount": "", "takingAmount": ""}
            for trades in ("tradeIDs", "transactionsHashes"):
                row.pop(trades, None)
    return told.with_document(document)
