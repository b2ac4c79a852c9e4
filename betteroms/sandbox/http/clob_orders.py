"""Posting and canceling orders.

The order of the checks: the payload, who asks, how many at once, how often, whose order it is, its signature,
what the venue takes now, and then the market's rules. Sources: VENUE 3.2 to 3.4, 3.6, 7.
"""

from collections.abc import Iterable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.exchange import Placement
from betteroms.sandbox.http import answers, payloads
from betteroms.sandbox.http.asking import body_of, desk_of, member_of, world_of
from betteroms.sandbox.http.desk import Desk
from betteroms.sandbox.http.modes import Mode
from betteroms.sandbox.http.payloads import CANCELS_MAX, ORDERS_MAX, Posted
from betteroms.sandbox.http.refusals import INVALID_PAYLOAD, NO_BOOK, NO_ORDER
from betteroms.sandbox.model import Order, Refused
from betteroms.sandbox.signing import Malformed, domain_of, order_hash, verify
from betteroms.sandbox.world import World

INVALID_ID: Final = "Invalid orderID"
VERSION_MISMATCH: Final = "order_version_mismatch"


async def post_order(request: Request) -> Response:
    body = await body_of(request)
    posted = payloads.order(body)
    key = member_of(request, body, trading=True)
    world, desk = world_of(request), desk_of(request)
    headers = desk.limits.take(key.address, 1, world.now())
    placement = place(world, desk, key, posted)
    return JSONResponse(answers.placed(placement, world.exchange), headers=headers)


async def post_orders(request: Request) -> Response:
    """Each leg is judged alone, in the order they came, unless the venue takes no orders at all."""
    body = await body_of(request)
    legs = payloads.orders(body)
    key = member_of(request, body, trading=True)
    if len(legs) > ORDERS_MAX:
        raise Refused(f"Too many orders in payload: {len(legs)}, max allowed: {ORDERS_MAX}")
    world, desk = world_of(request), desk_of(request)
    headers = desk.limits.take(key.address, len(legs), world.now())
    if desk.modes.at(world.now()) is not Mode.POST_ONLY:
        desk.modes.check_order(post_only=False, now_ms=world.now())
    told = []
    for posted in legs:
        try:
            told.append(answers.leg(place(world, desk, key, posted), world.exchange))
        except Refused as refused:
            told.append(answers.refused_leg(refused))
    return JSONResponse(told, headers=headers)


def place(world: World, desk: Desk, key: ApiKey, posted: Posted) -> Placement:
    """Take one order on, as far as the venue takes it.

    Raises:
        Refused: in the venue's words.
    """
    signed, now_ms = posted.signed, world.now()
    if signed is None:
        raise Refused(VERSION_MISMATCH)
    options, exchange = world.options, world.exchange
    world.members.admit(signed, owner=posted.owner, key=key, any_maker=options.any_maker, now_ms=now_ms)
    market = exchange.by_token.get(signed.token_id)
    if market is None:
        raise Refused(NO_BOOK, status=404)
    if options.check_signatures:
        domain = domain_of(neg_risk=market.neg_risk, protocol=market.protocol)
        order_id = verify(signed, domain, world.members, now_ms=now_ms)
    else:
        try:
            order_id = order_hash(signed, neg_risk=market.neg_risk, protocol=market.protocol)
        except Malformed:
            raise Refused(INVALID_PAYLOAD) from None
    try:
        desk.modes.check_order(post_only=posted.post_only, now_ms=now_ms)
        if order_id not in exchange.orders:
            desk.balances.check(signed, market)
        return exchange.place(
            signed,
            order_id=order_id,
            owner=key.key,
            time_in_force=posted.time_in_force,
            post_only=posted.post_only,
            now_ms=now_ms,
            defer=posted.defer,
        )
    except Refused as refused:
        desk.tally.refused(order_id, refused.text or str(refused.status))
        raise


async def cancel_order(request: Request) -> Response:
    body = await body_of(request)
    asked = payloads.document(body)
    key = member_of(request, body, trading=True)
    order_id = asked.get("orderID") if isinstance(asked, dict) else None
    if not payloads.is_order_id(order_id):
        raise Refused(INVALID_ID)
    return _cancel_named(request, key, [str(order_id)])


async def cancel_orders(request: Request) -> Response:
    body = await body_of(request)
    asked = payloads.document(body)
    key = member_of(request, body, trading=True)
    if not isinstance(asked, list) or not asked:
        raise Refused(INVALID_PAYLOAD)
    if len(asked) > CANCELS_MAX:
        raise Refused(f"Too many orders in payload: {len(asked)}, max allowed: {CANCELS_MAX}")
    if not all(payloads.is_order_id(each) for each in asked):
        raise Refused(INVALID_ID)
    return _cancel_named(request, key, asked)


async def cancel_all(request: Request) -> Response:
    key = member_of(request, await body_of(request), trading=True)
    return _cancel_found(request, key, {})


async def cancel_market_orders(request: Request) -> Response:
    body = await body_of(request)
    asked = payloads.document(body)
    key = member_of(request, body, trading=True)
    if not isinstance(asked, dict) or not (asked.get("market") or asked.get("asset_id")):
        raise Refused(INVALID_PAYLOAD)
    return _cancel_found(request, key, asked)


def _cancel_named(request: Request, key: ApiKey, order_ids: list[str]) -> Response:
    """Answers 200 whatever became of it: what could not be canceled stands beside the reason."""
    world, desk = world_of(request), desk_of(request)
    now_ms = world.now()
    headers = desk.limits.take(key.address, len(order_ids), now_ms, cancels=True)
    desk.modes.check_request(now_ms)
    mine = keys_of_member(world, key)
    done: list[str] = []
    not_done: dict[str, str] = {}
    for order_id in dict.fromkeys(order_ids):
        order = world.exchange.orders.get(order_id.lower())
        why_not = NO_ORDER
        if order is not None and order.owner in mine:
            why_not = world.exchange.cancel(order, now_ms) or ""
        if why_not:
            not_done[order_id] = why_not
        else:
            done.append(order_id)
    return JSONResponse(answers.canceled(done, not_done), headers=headers)


def _cancel_found(request: Request, key: ApiKey, asked: dict[str, Any]) -> Response:
    """Cancel what is open, of one market or token or of all. It costs one, and one more for each."""
    world, desk = world_of(request), desk_of(request)
    now_ms = world.now()
    desk.limits.take(key.address, 1, now_ms, cancels=True)
    desk.modes.check_request(now_ms)
    done = [order.id for order in open_orders(world, key) if _is_meant(order, asked)]
    for order_id in done:
        world.exchange.cancel(world.exchange.orders[order_id], now_ms)
    headers = desk.limits.take_after(key.address, len(done), now_ms)
    return JSONResponse(answers.canceled(done, {}), headers=headers)


def _is_meant(order: Order, asked: dict[str, Any]) -> bool:
    market, asset_id = asked.get("market"), asked.get("asset_id")
    return (not market or order.market.condition_id == market) and (
        not asset_id or order.token_id == asset_id
    )


def keys_of_member(world: World, key: ApiKey) -> frozenset[str]:
    """All API keys that the account trades with: whichever of them posted an order, it is the account's."""
    return frozenset(each.key for each in world.members.keys_of(key.address))


def open_orders(world: World, key: ApiKey) -> list[Order]:
    """Oldest first."""
    owners: Iterable[str] = keys_of_member(world, key)
    found = [order for owner in owners for order in world.exchange.open_orders(owner=owner)]
    return sorted(found, key=lambda order: order.number)


routes: Final = [
    Route("/order", post_order, methods=["POST"]),
    Route("/order", cancel_order, methods=["DELETE"]),
    Route("/orders", post_orders, methods=["POST"]),
    Route("/orders", cancel_orders, methods=["DELETE"]),
    Route("/cancel-all", cancel_all, methods=["DELETE"]),
    Route("/cancel-market-orders", cancel_market_orders, methods=["DELETE"]),
]
