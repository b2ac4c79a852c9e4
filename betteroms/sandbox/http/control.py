"""`/sandbox/…`: what a rehearsal may see and do behind the venue's back. Not part of the protocol.

Everything is JSON, amounts are decimal texts, times milliseconds or texts such as "40s". What cannot be is
answered 400 with all `complaints`. Only loopback is answered, wherever the venue listens.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from betteroms.domain.money import to_text
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.audit import ROWS_MAX
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.faults.kinds import DURATION_MS_MAX
from betteroms.sandbox.faults.script import BadScript, read
from betteroms.sandbox.http.asking import body_of
from betteroms.sandbox.http.control_fields import Complaints, Fields
from betteroms.sandbox.http.control_money import approve, fund, withdraw
from betteroms.sandbox.http.limits import TIERS
from betteroms.sandbox.http.modes import POST_ONLY_AFTER_RESTART_MS, Mode
from betteroms.sandbox.life.acting import rest
from betteroms.sandbox.life.wallets import endow, wallet
from betteroms.sandbox.model import MICROS, Refused
from betteroms.sandbox.venue import Venue

LOOPBACKS: Final = ("127.0.0.1", "::1", "localhost", "testclient")
Act = Callable[[Venue, Fields], Any]


def _venue(request: Request) -> Venue:
    """Raises Refused (403) to anybody who is not on this machine."""
    if request.client is not None and request.client.host not in LOOPBACKS:
        raise Refused("only from this machine", status=403)
    venue: Venue = request.app.state.venue
    return venue


async def _document(request: Request) -> Any:
    """Raises Complaints about what is no JSON."""
    body = await body_of(request)
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Complaints([f"no JSON: {error}"]) from None


def _post(path: str, act: Act) -> Route:
    """An endpoint that reads a JSON object and does something at once; {} is its answer where it has none."""

    async def endpoint(request: Request) -> Response:
        venue = _venue(request)
        fields = Fields(await _document(request))
        venue.world.now()
        told = act(venue, fields)
        return JSONResponse({} if told is None else told)

    return Route(f"/sandbox/{path}", endpoint, methods=["POST"])


async def audit(request: Request) -> Response:
    """GET /sandbox/audit[?section=orders[&after=0][&limit=10000]]: what really happened."""
    auditor = _venue(request).auditor
    section = request.query_params.get("section")
    if section is None:
        return JSONResponse(auditor.document())
    if section not in auditor.sections:
        raise Refused(f"section: {section!r} is none of {', '.join(auditor.sections)}")
    after, limit = (request.query_params.get(name) or "" for name in ("after", "limit"))
    page = auditor.section(
        section,
        after=int(after) if after.isdigit() else 0,
        limit=int(limit) if limit.isdigit() else ROWS_MAX,
    )
    return JSONResponse(page)


async def health(request: Request) -> Response:
    """GET /sandbox/health: that it runs, its time, its mode."""
    venue = _venue(request)
    now_ms = venue.world.now()
    return JSONResponse(
        {
            "ok": True,
            "now_ms": now_ms,
            "seed": venue.world.options.seed,
            "mode": venue.desk.modes.at(now_ms).value,
            "markets": len(venue.world.exchange.markets),
            "rules": len(venue.faults.rules),
        }
    )


async def clock(request: Request) -> Response:
    """GET /sandbox/clock: the venue's time, and whether it is moved by hand."""
    world = _venue(request).world
    return JSONResponse({"now_ms": world.now(), "by_hand": isinstance(world.clock, HandClock)})


def _advance(venue: Venue, fields: Fields) -> Any:
    """{"advance": "40s"} or {"to": 1790000000000}. What is due on the way happens in its order."""
    time = venue.world.clock
    span_ms = fields.span_ms("advance")
    target_ms = fields.whole("to", venue.world.now() + span_ms)
    if not isinstance(time, HandClock):
        fields.complain("advance", "the venue goes by the machine's clock: start it with --hand-clock")
    fields.done()
    if isinstance(time, HandClock):
        time.move_to(target_ms)
    return {"now_ms": venue.world.now()}


async def faults(request: Request) -> Response:
    """GET /sandbox/faults: the rules, how often each was asked and struck."""
    return JSONResponse(_venue(request).faults.shown())


async def add_faults(request: Request) -> Response:
    """POST /sandbox/faults: a script, a rule, or a list of rules, to be put behind those that there are."""
    venue = _venue(request)
    document = await _document(request)
    try:
        venue.faults.add(read(document, endpoints=venue.endpoints))
    except BadScript as wrong:
        raise Complaints(wrong.complaints) from None
    return JSONResponse(venue.faults.shown())


async def clear_faults(request: Request) -> Response:
    """DELETE /sandbox/faults: no rules any more."""
    venue = _venue(request)
    venue.faults.clear()
    return JSONResponse(venue.faults.shown())


async def transcript(request: Request) -> Response:
    """GET /sandbox/transcript: its last lines, one JSON object on each."""
    written = _venue(request).transcript
    if written is None:
        raise Refused("nothing is written down here", status=404)
    return PlainTextResponse("".join(f"{line}\n" for line in written), media_type="application/x-ndjson")


def _mode(venue: Venue, fields: Fields) -> Any:
    """{"mode": "open|post_only|cancel_only|halted|restarting", "for": "2m"}; without a time for good."""
    fields.needed("mode")
    mode = fields.choice("mode", {mode.value: mode for mode in Mode}, Mode.OPEN)
    span_ms = fields.span_ms("for")
    fields.done()
    until_ms = venue.world.now() + span_ms if span_ms else None
    venue.desk.modes.set(mode, until_ms=until_ms)
    return {"mode": mode.value, "until_ms": until_ms}


def _restart(venue: Venue, fields: Fields) -> None:
    """{"down": "5s", "post_only": "2m"}: subscribers are cut off; then 425, post-only, and all as ever."""
    down_ms = fields.span_ms("down", 5_000)
    post_only_ms = fields.span_ms("post_only", POST_ONLY_AFTER_RESTART_MS)
    fields.done()
    venue.inside.restart(
        down_ms=min(down_ms, DURATION_MS_MAX), post_only_ms=min(post_only_ms, DURATION_MS_MAX)
    )


def _tick(venue: Venue, fields: Fields) -> None:
    """{"market": …, "tick": "0.001"}"""
    market = fields.market(venue.world)
    fields.needed("tick")
    tick = fields.amount("tick", MICROS // 100)
    if not 0 < tick < MICROS or MICROS % tick:
        fields.complain("tick", "a dollar is no whole number of such ticks")
    fields.done()
    assert market is not None
    venue.world.exchange.set_tick(market, tick, venue.world.now())


def _resolve(venue: Venue, fields: Fields) -> None:
    """{"market": …, "payouts": ["1", "0"]}: what a share of each outcome is worth."""
    market = fields.market(venue.world)
    payouts = [int(amount) for amount in _payouts(fields)]
    fields.done()
    assert market is not None
    venue.world.exchange.resolve(market, (payouts[0], payouts[1]), venue.world.now())


def _payouts(fields: Fields) -> list[int]:
    fields.needed("payouts")
    texts = fields.listed("payouts")
    each = Fields({str(number): text for number, text in enumerate(texts)})
    amounts = [each.amount(str(number)) for number in range(len(texts))]
    if len(texts) != 2 or sum(amounts) != MICROS:
        fields.complain("payouts", "two decimal texts that are one together")
    return amounts


def _close(venue: Venue, fields: Fields) -> None:
    """{"market": …}: no new orders."""
    market = fields.market(venue.world)
    fields.done()
    assert market is not None
    venue.world.exchange.close(market, venue.world.now())


def _start_game(venue: Venue, fields: Fields) -> None:
    """{"market": …}: resting orders are canceled."""
    market = fields.market(venue.world)
    fields.done()
    assert market is not None
    venue.world.exchange.start_game(market, venue.world.now())


def _quote(venue: Venue, fields: Fields) -> Any:
    """{"market", "outcome", "side", "price", "size", "kind": "GTC", "by": name}: a counterparty's order."""
    world = venue.world
    market = fields.market(world)
    outcome = fields.outcome(market)
    for name in ("side", "price", "size"):
        fields.needed(name)
    side = fields.choice("side", {side.value: side for side in Side}, Side.BUY)
    kind = fields.choice("kind", {kind.value: kind for kind in TimeInForce}, TimeInForce.GTC)
    price, size = fields.amount("price"), fields.amount("size")
    by = fields.text("by", "somebody")
    fields.done()
    assert market is not None
    if wallet(world, by) not in world.bank.dollars:
        endow(world, by)
    number = world.exchange.registry.count
    rest(world, market, by=by, outcome=outcome, side=side, price=price, size=size, time_in_force=kind)
    order = world.exchange.orders[world.exchange.names.order(number)]
    return {"id": order.id, "status": order.status.value, "matched": to_text(order.matched)}


def _cancel(venue: Venue, fields: Fields) -> Any:
    """{"order": id, "reason": "…"}: the venue cancels anybody's order."""
    fields.needed("order")
    order_id, reason = fields.text("order").lower(), fields.text("reason")
    order = venue.world.exchange.orders.get(order_id)
    if order is None:
        fields.complain("order", f"{order_id!r} is no order here")
    fields.done()
    assert order is not None
    why_not = venue.world.exchange.cancel(order, venue.world.now(), reason=reason)
    return {"canceled": why_not is None, "why_not": why_not or ""}


def _ban(venue: Venue, fields: Fields) -> None:
    """{"wallet": address, "banned": true}"""
    address, banned = fields.address("wallet"), fields.flag("banned", True)
    fields.done()
    (venue.world.members.banned.add if banned else venue.world.members.banned.discard)(address)


def _closed_only(venue: Venue, fields: Fields) -> None:
    """{"wallet": address, "closed_only": true}"""
    address, closed_only = fields.address("wallet"), fields.flag("closed_only", True)
    fields.done()
    listed = venue.world.members.closed_only
    (listed.add if closed_only else listed.discard)(address)


def _tier(venue: Venue, fields: Fields) -> None:
    """{"wallet": address of a signer, "tier": "gold"}"""
    address = fields.address("wallet")
    tier = fields.choice("tier", {name: name for name in TIERS}, "standard")
    fields.done()
    venue.desk.limits.set_tier(address, tier)


def _settlement(venue: Venue, fields: Fields) -> None:
    """{"fail_next": 2}, or {"order": id or "trade": id, "steps": ["RETRYING", "FAILED"]}"""
    count = fields.whole("fail_next", 0)
    target = fields.text("trade") or fields.text("order")
    fields.has("order")
    steps = fields.listed("steps")
    if not count and not (target and steps):
        fields.complain("steps", "say how many of the next fail, or how a trade or an order's trades go")
    fields.done()
    if count:
        venue.world.exchange.fail_next(count)
    if target:
        try:
            venue.world.exchange.script_settlement(target, steps)
        except ValueError as error:
            raise Complaints([f"steps: {error}"]) from None


def _save(venue: Venue, fields: Fields) -> Any:
    """Write the venue to its file now."""
    if venue.keeper is None:
        fields.complain("state", "the venue is kept in no file: start it with --state")
    fields.done()
    assert venue.keeper is not None
    return {"file": str(venue.keeper.path), "written": venue.keeper.save()}


routes: Final = [
    Route("/sandbox/audit", audit),
    Route("/sandbox/health", health),
    Route("/sandbox/transcript", transcript),
    Route("/sandbox/clock", clock),
    _post("clock", _advance),
    Route("/sandbox/faults", faults),
    Route("/sandbox/faults", add_faults, methods=["POST"]),
    Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
    _post("fund", fund),
    _post("withdraw", withdraw),
    _post("approve", approve),
    _post("mode", _mode),
    _post("restart", _restart),
    _post("tick", _tick),
    _post("resolve", _resolve),
    _post("close", _close),
    _post("start-game", _start_game),
    _post("quote", _quote),
    _post("cancel", _cancel),
    _post("ban", _ban),
    _post("closed-only", _closed_only),
    _post("tier", _tier),
    _post("settlement", _settlement),
    _post("save", _save),
]
