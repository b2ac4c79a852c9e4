"""What a member may ask of its own: orders, trades, balances, its tier, and to be watched for silence.

Sources: VENUE 2.6, 3.5, 6, 7.
"""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.http import answers, payloads
from betteroms.sandbox.http.asking import body_of, desk_of, member_of, whole_of, world_of
from betteroms.sandbox.http.clob_orders import INVALID_ID, keys_of_member, open_orders
from betteroms.sandbox.http.cursors import LEDGER_ROWS_MAX, page
from betteroms.sandbox.http.heartbeats import WrongHeartbeat
from betteroms.sandbox.http.refusals import NO_ORDER
from betteroms.sandbox.model import Order, Refused, Trade
from betteroms.sandbox.signing import Wallet
from betteroms.sandbox.world import World

COLLATERAL: Final = "COLLATERAL"
SHARES: Final = ("CONDITIONAL", "CONDITIONAL-V2")


async def order(request: Request) -> Response:
    """One order, alive or dead."""
    key = member_of(request, await body_of(request))
    world = world_of(request)
    order_id: str = request.path_params["order_id"]
    if not payloads.is_order_id(order_id):
        raise Refused(INVALID_ID)
    found = world.exchange.orders.get(order_id.lower())
    if found is None or found.owner not in keys_of_member(world, key):
        raise Refused(NO_ORDER, status=404)
    return JSONResponse(answers.order(found, world.exchange))


async def orders(request: Request) -> Response:
    """The open ones, newest first."""
    key = member_of(request, await body_of(request))
    world, query = world_of(request), request.query_params
    rows = [each for each in reversed(open_orders(world, key)) if _is_order_asked(each, query)]
    told = page(
        rows, query.get("next_cursor"), LEDGER_ROWS_MAX, lambda each: answers.order(each, world.exchange)
    )
    return JSONResponse(told)


async def trades(request: Request) -> Response:
    """Those in which the member took or was taken from, newest first."""
    key = member_of(request, await body_of(request))
    world, query = world_of(request), request.query_params
    mine = keys_of_member(world, key)
    asked = _trade_filter(query)
    rows = [each for each in _own_trades(world, mine, query.get("id")) if asked(each)]
    told = page(
        rows,
        query.get("next_cursor"),
        LEDGER_ROWS_MAX,
        lambda each: answers.trade(each, world.exchange, seen_by=mine),
    )
    return JSONResponse(told)


async def balance_allowance(request: Request) -> Response:
    """What the CLOB believes the wallet to hold, in base units."""
    key = member_of(request, await body_of(request))
    wallet, token_id = _holding_asked(request, key)
    holding = desk_of(request).balances.of(wallet, token_id)
    allowances = {answers.written(spender): str(most) for spender, most in holding.allowances.items()}
    return JSONResponse({"balance": str(holding.balance), "allowances": allowances})


async def update_balance_allowance(request: Request) -> Response:
    """Look at the chain again; says nothing."""
    key = member_of(request, await body_of(request))
    wallet, token_id = _holding_asked(request, key)
    desk_of(request).balances.update(wallet, token_id)
    return Response()


async def closed_only(request: Request) -> Response:
    key = member_of(request, await body_of(request))
    return JSONResponse({"closed_only": world_of(request).members.is_closed_only(key)})


async def rate_limit_tier(request: Request) -> Response:
    key = member_of(request, await body_of(request))
    return JSONResponse({"tier": desk_of(request).limits.tier(key.address).name})


async def heartbeat(request: Request) -> Response:
    body = await body_of(request)
    asked = payloads.document(body)
    key = member_of(request, body, trading=True)
    heartbeat_id = asked.get("heartbeat_id") or "" if isinstance(asked, dict) else None
    if not isinstance(heartbeat_id, str):
        raise Refused("Invalid payload")
    try:
        following = desk_of(request).heartbeats.beat(key.key, heartbeat_id, world_of(request).now())
    except WrongHeartbeat as wrong:
        told = {"error_msg": wrong.text, "heartbeat_id": wrong.expected}
        return JSONResponse(told, status_code=wrong.status)
    return JSONResponse({"heartbeat_id": following})


def _is_order_asked(order: Order, query: QueryParams) -> bool:
    return (
        query.get("id") in (None, "", order.id)
        and query.get("market") in (None, "", order.market.condition_id)
        and query.get("asset_id") in (None, "", order.token_id)
    )


def _own_trades(world: World, mine: frozenset[str], trade_id: str | None) -> list[Trade]:
    """Newest first; the one with that id, where one is asked for."""
    exchange = world.exchange
    if trade_id:
        trade = exchange.trade_of(trade_id)
        owners = () if trade is None else (trade.taker.owner, *(fill.order.owner for fill in trade.fills))
        return [] if trade is None or mine.isdisjoint(owners) else [trade]
    if len(mine) == 1:
        return exchange.trades_of(owner=next(iter(mine)))[::-1]
    found = {each.number: each for owner in mine for each in exchange.trades_of(owner=owner)}
    return [found[number] for number in sorted(found, reverse=True)]


def _trade_filter(query: QueryParams) -> Callable[[Trade], bool]:
    """`after` and `before` are seconds, and neither of them is included."""
    market, asset_id = query.get("market"), query.get("asset_id")
    wallet = query.get("maker_address", "").lower()
    after, before = whole_of(query.get("after"), "after"), whole_of(query.get("before"), "before")

    def is_asked(trade: Trade) -> bool:
        taker, matched_s = trade.taker, trade.matched_ms // 1000
        if market and market != taker.market.condition_id:
            return False
        if (after is not None and matched_s <= after) or (before is not None and matched_s >= before):
            return False
        parties = (taker, *(fill.order for fill in trade.fills))
        return (not asset_id or any(asset_id == each.token_id for each in parties)) and (
            not wallet or any(wallet == each.maker for each in parties)
        )

    return is_asked


def _holding_asked(request: Request, key: ApiKey) -> tuple[str, str | None]:
    """(wallet, token or None for pUSD).

    Raises:
        Refused: no such kind of asset or wallet.
    """
    query = request.query_params
    asset_type = query.get("asset_type")
    kind = whole_of(query.get("signature_type"), "signature_type") or 0
    wallet = _wallet(world_of(request), key, kind)
    if asset_type == COLLATERAL:
        return wallet.address, None
    if asset_type not in SHARES or not query.get("token_id"):
        raise Refused("Invalid asset type")
    return wallet.address, query["token_id"]


def _wallet(world: World, key: ApiKey, kind: int) -> Wallet:
    """The member's wallet of a kind. There have been two deposit wallets to a key: the one in use counts.

    Raises:
        Refused: it has none.
    """
    now_ms = world.now()
    owned = [
        wallet
        for wallet in world.members.wallets.values()
        if wallet.kind == kind and wallet.may_sign(key.address, now_ms=now_ms)
    ]
    if not owned:
        raise Refused("Invalid signature_type")
    in_use = (wallet for wallet in owned if _is_in_use(world, wallet))
    return next(in_use, owned[0])


def _is_in_use(world: World, wallet: Wallet) -> bool:
    return bool(world.bank.balance(wallet.address)) or bool(world.exchange.orders_of(maker=wallet.address))


routes: Final = [
    Route("/data/order/{order_id}", order),
    Route("/order/{order_id}", order),
    Route("/data/orders", orders),
    Route("/data/trades", trades),
    Route("/balance-allowance", balance_allowance),
    Route("/balance-allowance/update", update_balance_allowance),
    Route("/auth/ban-status/closed-only", closed_only),
    Route("/v1/user/rate-limit-tier", rate_limit_tier),
    Route("/v1/heartbeats", heartbeat, methods=["POST"]),
]
