"""The Data API, which tells what is on the chain: positions, trades, activity, approvals, resolutions.

Source: VENUE 5.3. The newer answers are under /v2, in an envelope and read by cursor; the older ones are bare
lists, read by offset.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from betteroms.sandbox.http import data_params as params
from betteroms.sandbox.http.data_approvals import approvals_of
from betteroms.sandbox.http.data_lists import (
    Positions,
    activity_rows,
    portfolio_value,
    positions,
    trade_rows,
)
from betteroms.sandbox.http.data_rows import (
    closed_position_row,
    older,
    older_position_row,
    position_row,
    resolution_row,
    token_row,
    units,
)
from betteroms.sandbox.http.pages import BadCursor, Key, page
from betteroms.sandbox.model import Market, Refused
from betteroms.sandbox.world import World

TOKENS_MAX: Final = 50
TOKEN_CONDITIONS_MAX: Final = 10
EVENTS_MAX: Final = 20

Handler = Callable[[Request], Awaitable[Response]]


def _answering(tell: Callable[[World, Request], Any]) -> Handler:
    """A handler out of a function that tells the answer, or refuses."""

    async def handler(request: Request) -> Response:
        world: World = request.app.state.world
        world.now()
        try:
            return JSONResponse(tell(world, request))
        except Refused as no:
            return JSONResponse({"error": no.text}, status_code=no.status)
        except BadCursor as no:
            return JSONResponse({"error": str(no)}, status_code=400)

    return handler


def _paged(
    request: Request, name: str, rows: Iterable[tuple[Key, Any]], *, falling: bool = True
) -> dict[str, Any]:
    query = request.query_params
    params.no_offset(query)
    told, cursor = page(
        rows,
        list_name=f"{name}:{falling}",
        cursor=query.get("cursor"),
        limit=params.limit_of(query),
        falling=falling,
    )
    return {"data": told, "pagination": {"has_more": cursor is not None, "next_cursor": cursor}}


def _positions(world: World, request: Request) -> dict[str, Any]:
    found = positions(world, request.query_params)
    rows = [
        (key, position_row(world.exchange, holding, held=held, other=other))
        for key, holding, held, other in found.rows
    ]
    return _paged(request, f"positions:{found.order}", rows, falling=found.falling)


def _trades(world: World, request: Request) -> dict[str, Any]:
    query = request.query_params
    taker_only = params.flag(query, "taker_only", otherwise=True)
    return _paged(request, "trades", trade_rows(world, query, taker_only=taker_only))


def _activity(world: World, request: Request) -> dict[str, Any]:
    query = request.query_params
    falling = params.word(query, "sort_direction", ("ASC", "DESC"), otherwise="DESC") == "DESC"
    return _paged(request, "activity", activity_rows(world, query), falling=falling)


def _approvals(world: World, request: Request) -> dict[str, Any]:
    user = params.user_of(request.query_params)
    assert user is not None, "it is required"
    return {"data": approvals_of(world.bank, user)}


def _value(world: World, request: Request) -> dict[str, Any]:
    user = params.user_of(request.query_params)
    assert user is not None, "it is required"
    wanted = params.conditions(request.query_params, "condition_id", "condition")
    return {"data": {"proxy_wallet": user, "value": units(portfolio_value(world, user, wanted))}}


def _resolutions(world: World, request: Request) -> dict[str, Any]:
    query = request.query_params
    wanted = params.conditions(query, "condition_id", "condition")
    events = frozenset(params.several(query, "event_id", most=EVENTS_MAX))
    question = query.get("question_id", "").lower()
    if sum(map(bool, (wanted, events, question))) != 1:
        raise Refused("exactly one of question_id, condition_id and event_id is required")

    def named(market: Market) -> bool:
        return (
            market.condition_id in wanted
            or market.event_id in events
            or (bool(question) and market.question_id.lower() == question)
        )

    now_ms = world.now()
    markets = [market for market in world.exchange.markets.values() if named(market)]
    return {"data": [resolution_row(market, now_ms) for market in markets]}


def _tokens(world: World, request: Request) -> dict[str, Any]:
    query = request.query_params
    tokens = params.several(query, "token_id", most=TOKENS_MAX)
    wanted = params.conditions(query, "condition", "condition_id", most=TOKEN_CONDITIONS_MAX)
    if bool(tokens) == bool(wanted):
        raise Refused("exactly one of token_id and condition is required")
    exchange = world.exchange
    if tokens:
        known = [(exchange.by_token[token], token) for token in tokens if token in exchange.by_token]
        return {"data": [token_row(market, market.outcome_index(token)) for market, token in known]}
    markets = [market for market in exchange.markets.values() if market.condition_id in wanted]
    return {"data": [token_row(market, outcome) for market in markets for outcome in (0, 1)]}


def _older_positions(world: World, request: Request) -> list[Any]:
    query = request.query_params
    params.user_of(query)
    found = _older_order(query.get("sortDirection"), positions(world, query, older_names=True))
    rows = [
        older_position_row(world.exchange, holding, held=held, other=other)
        for _, holding, held, other in found
        if held
    ]
    return _slice(request, rows)


def _closed_positions(world: World, request: Request) -> list[Any]:
    query = request.query_params
    params.user_of(query)
    found = _older_order(
        query.get("sortDirection"), positions(world, query, older_names=True, all_of_them=True)
    )
    return _slice(
        request, [closed_position_row(world.exchange, holding) for _, holding, held, _ in found if not held]
    )


def _older_order(direction: str | None, found: Positions) -> list[Any]:
    return sorted(found.rows, key=lambda row: row[0], reverse=(direction or "DESC").upper() == "DESC")


def _older_trades(world: World, request: Request) -> list[Any]:
    query = request.query_params
    taker_only = params.flag(query, "takerOnly", otherwise=True)
    rows = trade_rows(world, query, taker_only=taker_only, older_names=True)
    return _slice(request, [older(row) for _, row in sorted(rows, key=lambda row: row[0], reverse=True)])


def _older_activity(world: World, request: Request) -> list[Any]:
    query = request.query_params
    falling = params.word(query, "sortDirection", ("ASC", "DESC"), otherwise="DESC") == "DESC"
    rows = sorted(activity_rows(world, query, older_names=True), key=lambda row: row[0], reverse=falling)
    return _slice(request, [older(row) for _, row in rows])


def _older_value(world: World, request: Request) -> list[Any]:
    user = params.user_of(request.query_params)
    assert user is not None, "it is required"
    wanted = params.conditions(request.query_params, "market")
    return [{"user": user, "value": units(portfolio_value(world, user, wanted))}]


def _slice(request: Request, rows: list[Any]) -> list[Any]:
    query = request.query_params
    limit = params.whole(query, "limit", otherwise=params.LIMIT_STANDARD, most=params.OFFSET_MAX)
    offset = params.whole(query, "offset", otherwise=0, most=params.OFFSET_MAX)
    return rows[offset : offset + limit]


_TELLERS: Final[tuple[tuple[str, Callable[[World, Request], Any]], ...]] = (
    ("/v2/positions", _positions),
    ("/v2/trades", _trades),
    ("/v2/activity", _activity),
    ("/v2/approvals", _approvals),
    ("/v2/resolutions", _resolutions),
    ("/v2/value", _value),
    ("/v2/tokens", _tokens),
    ("/positions", _older_positions),
    ("/closed-positions", _closed_positions),
    ("/trades", _older_trades),
    ("/activity", _older_activity),
    ("/value", _older_value),
)
routes: Final = [Route(f"/data-api{path}", _answering(tell)) for path, tell in _TELLERS]
