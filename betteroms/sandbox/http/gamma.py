"""Gamma, the venue's catalogue: markets and events by name, by filter, and by words. Source: VENUE 5.2."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from betteroms.sandbox.http.gamma_filters import (
    LIMIT_STANDARD,
    Invalid,
    count,
    event_wanted,
    flag,
    market_wanted,
    order_of,
    tags_of,
)
from betteroms.sandbox.http.gamma_rows import event_document, market_document
from betteroms.sandbox.http.pages import BadCursor, page
from betteroms.sandbox.model import Market, Refused
from betteroms.sandbox.world import World

MARKETS_LIMIT_MAX: Final = 100
EVENTS_LIMIT_MAX: Final = 500
LEGACY_LIMIT_MAX: Final = 500
OFFSET_MAX: Final = 100_000
TAGS_LIMIT_MAX: Final = 100
SERIES_LIMIT_MAX: Final = 50
SEARCH_LIMIT_MAX: Final = 50
SEARCH_PAGES_MAX: Final = 1_000
SPORTS: Final = (
    {
        "id": 1,
        "sport": "alpine",
        "image": "",
        "resolution": "",
        "ordering": "home",
        "tags": "103",
        "series": "1",
        "createdAt": "2026-01-01T00:00:00Z",
    },
)
SPORTS_MARKET_TYPES: Final = ("moneyline", "spreads", "totals")

Handler = Callable[[Request], Awaitable[Response]]
Document = dict[str, Any]


class _Unknown(Refused):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found", status=404)


def _answering(tell: Callable[[World, Request], Any]) -> Handler:
    """A handler out of a function that tells the answer, or refuses."""

    async def handler(request: Request) -> Response:
        world: World = request.app.state.world
        world.now()
        try:
            return JSONResponse(tell(world, request))
        except (Refused, BadCursor) as no:
            status = no.status if isinstance(no, Refused) else 422
            kind = "not found error" if status == 404 else "validation error"
            return JSONResponse({"type": kind, "error": str(no)}, status_code=status)

    return handler


def _markets_by_cursor(world: World, request: Request) -> Document:
    query = request.query_params
    if "offset" in query:
        raise Invalid("offset is not supported; use after_cursor")
    limit = count(query, "limit", otherwise=LIMIT_STANDARD, least=1, most=MARKETS_LIMIT_MAX)
    name, falling, key = order_of(query, of_markets=True)
    wanted = market_wanted(query)
    markets = [market for market in world.exchange.markets.values() if wanted(market)]
    # The usual order needs no rows, which are made for one page then and not for thousands of markets.
    by_id = name.startswith("id:")
    rows = [
        (key({"id": one.gamma_id} if by_id else _market_row(world, one, request)), one) for one in markets
    ]
    told, cursor = page(
        rows, list_name=f"markets:{name}", cursor=query.get("after_cursor"), limit=limit, falling=falling
    )
    answer: Document = {"markets": [_market_row(world, market, request) for market in told]}
    return answer if cursor is None else answer | {"next_cursor": cursor}


def _markets(world: World, request: Request) -> list[Document]:
    query = request.query_params
    _, falling, key = order_of(query, of_markets=True)
    return _slice(request, sorted(_market_rows(world, request), key=key, reverse=falling))


def _market_rows(world: World, request: Request) -> list[Document]:
    wanted = market_wanted(request.query_params)
    markets = [market for market in world.exchange.markets.values() if wanted(market)]
    return [_market_row(world, market, request) for market in markets]


def _market_row(world: World, market: Market, request: Request) -> Document:
    row = market_document(world.exchange, market)
    if flag(request.query_params, "include_tag"):
        row["tags"] = tags_of(market)
    return row


def _market_by_id(world: World, request: Request) -> Document:
    return _market_row(world, _market(world, "gamma_id", request.path_params["id"], "id"), request)


def _market_by_slug(world: World, request: Request) -> Document:
    return _market_row(world, _market(world, "slug", request.path_params["slug"], "slug"), request)


def _market_tags(world: World, request: Request) -> list[Document]:
    return tags_of(_market(world, "gamma_id", request.path_params["id"], "id"))


def _market(world: World, field: str, value: str, what: str) -> Market:
    if field == "gamma_id" and not value.isdecimal():
        raise Invalid("id is invalid")
    for market in world.exchange.markets.values():
        if getattr(market, field) == value:
            return market
    raise _Unknown(what)


def _events_by_cursor(world: World, request: Request) -> Document:
    query = request.query_params
    if "offset" in query:
        raise Invalid("offset is not supported; use after_cursor")
    limit = count(query, "limit", otherwise=LIMIT_STANDARD, least=1, most=EVENTS_LIMIT_MAX)
    name, falling, key = order_of(query, of_markets=False)
    rows = [(key(event), event) for event in _event_rows(world, request)]
    told, cursor = page(
        rows, list_name=f"events:{name}", cursor=query.get("after_cursor"), limit=limit, falling=falling
    )
    return {"events": told} if cursor is None else {"events": told, "next_cursor": cursor}


def _events(world: World, request: Request) -> list[Document]:
    query = request.query_params
    _, falling, key = order_of(query, of_markets=False)
    return _slice(request, sorted(_event_rows(world, request), key=key, reverse=falling))


def _event_rows(world: World, request: Request) -> list[Document]:
    wanted = event_wanted(request.query_params)
    return [event for event in _all_events(world) if wanted(event)]


def _all_events(world: World) -> list[Document]:
    return [event_document(world.exchange, markets) for markets in _grouped(world).values()]


def _grouped(world: World) -> dict[str, list[Market]]:
    """The markets of each event, by its id."""
    groups: dict[str, list[Market]] = {}
    for market in world.exchange.markets.values():
        if market.event_id:
            groups.setdefault(market.event_id, []).append(market)
    return groups


def _event_by_id(world: World, request: Request) -> Document:
    return event_document(world.exchange, _event(world, request))


def _event_by_slug(world: World, request: Request) -> Document:
    slug = request.path_params["slug"]
    for markets in _grouped(world).values():
        if markets[0].event_slug == slug:
            return event_document(world.exchange, markets)
    raise _Unknown("slug")


def _event_tags(world: World, request: Request) -> list[Document]:
    return tags_of(_event(world, request)[0])


def _event(world: World, request: Request) -> list[Market]:
    markets = _grouped(world).get(request.path_params["id"])
    if markets is None:
        raise _Unknown("id")
    return markets


def _search(world: World, request: Request) -> Document:
    """Events in which every word occurs, in their own title or in a market's question."""
    query = request.query_params
    words = query.get("q", "").lower().split()
    if not words:
        raise Invalid("q is required")
    limit = count(query, "limit_per_type", otherwise=LIMIT_STANDARD, least=1, most=SEARCH_LIMIT_MAX)
    number = count(query, "page", otherwise=1, least=1, most=SEARCH_PAGES_MAX)
    status = query.get("events_status")
    found = [
        event
        for event in _all_events(world)
        if all(word in _words(event) for word in words)
        and (not status or event["closed"] is (status != "active"))
    ]
    tags = [tag for tag in _all_tags(world) if flag(query, "search_tags") and words[0] in tag["slug"]]
    start = (number - 1) * limit
    return {
        "events": found[start : start + limit],
        "tags": tags,
        "profiles": [],
        "pagination": {"hasMore": len(found) > start + limit, "totalResults": len(found)},
    }


def _words(event: Document) -> str:
    questions = " ".join(str(market["question"]) for market in event["markets"])
    return f"{event['title']} {event['slug']} {questions}".lower()


def _tags(world: World, request: Request) -> list[Document]:
    return _slice(request, _all_tags(world), most=TAGS_LIMIT_MAX)


def _all_tags(world: World) -> list[Document]:
    tags = {tag["id"]: tag for market in world.exchange.markets.values() for tag in tags_of(market)}
    return [tags[number] for number in sorted(tags, key=lambda number: (len(number), number))]


def _tag(world: World, request: Request) -> Document:
    name, value = next(iter(request.path_params.items()))
    for tag in _all_tags(world):
        if tag.get(name) == value:
            return tag
    raise _Unknown(name)


def _series(world: World, request: Request) -> list[Document]:
    return _slice(request, _all_series(world), most=SERIES_LIMIT_MAX)


def _all_series(world: World) -> list[Document]:
    found: dict[str, Document] = {}
    for market in world.exchange.markets.values():
        for series in market.event.get("series") or ():
            if isinstance(series, dict) and "id" in series:
                found[str(series["id"])] = series
    return list(found.values())


def _one_series(world: World, request: Request) -> Document:
    for series in _all_series(world):
        if str(series["id"]) == request.path_params["id"]:
            return series
    raise _Unknown("id")


def _sports(_world: World, _request: Request) -> list[Document]:
    return list(SPORTS)


def _sports_market_types(_world: World, _request: Request) -> Document:
    return {"marketTypes": list(SPORTS_MARKET_TYPES)}


def _slice(request: Request, rows: list[Document], *, most: int = LEGACY_LIMIT_MAX) -> list[Document]:
    """A page by `limit` and `offset`, as the older lists are read."""
    limit = count(request.query_params, "limit", otherwise=LIMIT_STANDARD, most=most)
    offset = count(request.query_params, "offset", otherwise=0, most=OFFSET_MAX)
    return rows[offset : offset + limit]


_TELLERS: Final[tuple[tuple[str, Callable[[World, Request], Any]], ...]] = (
    ("/markets", _markets),
    ("/markets/keyset", _markets_by_cursor),
    ("/markets/slug/{slug}", _market_by_slug),
    ("/markets/{id}", _market_by_id),
    ("/markets/{id}/tags", _market_tags),
    ("/events", _events),
    ("/events/keyset", _events_by_cursor),
    ("/events/slug/{slug}", _event_by_slug),
    ("/events/{id}", _event_by_id),
    ("/events/{id}/tags", _event_tags),
    ("/public-search", _search),
    ("/tags", _tags),
    ("/tags/slug/{slug}", _tag),
    ("/tags/{id}", _tag),
    ("/series", _series),
    ("/series/{id}", _one_series),
    ("/sports", _sports),
    ("/sports/market-types", _sports_market_types),
)
routes: Final = [Route(f"/gamma{path}", _answering(tell)) for path, tell in _TELLERS]
