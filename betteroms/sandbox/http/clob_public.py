"""What anybody may ask the CLOB: books, prices, markets, the time.

Source: VENUE 5.1.
"""

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from betteroms.domain.money import to_text
from betteroms.domain.terms import Side
from betteroms.sandbox.books import best, book_document, last_price_text
from betteroms.sandbox.http import market_answers, payloads
from betteroms.sandbox.http.asking import (
    body_of,
    desk_of,
    market_of_path,
    market_of_token,
    whole_of,
    world_of,
)
from betteroms.sandbox.http.cursors import MARKET_ROWS_MAX, page
from betteroms.sandbox.http.history import MINUTE_S
from betteroms.sandbox.http.market_answers import Document, number
from betteroms.sandbox.http.refusals import NO_MARKET
from betteroms.sandbox.model import MICROS, Market, Refused

TOKENS_MAX: Final = 500
"""In one request for several books or prices."""
UNTRADED_PRICE: Final = "0.5"
"""What the last trade's price is before the first."""
_DAY_S: Final = 86_400
_INTERVALS_S: Final = {
    "1h": 3_600,
    "6h": 6 * 3_600,
    "1d": _DAY_S,
    "1w": 7 * _DAY_S,
    "1m": 30 * _DAY_S,
    "max": None,
    "all": None,
}
_SIDES: Final = {side.value: side for side in Side}


async def hello(_: Request) -> Response:
    return JSONResponse("OK")


async def version(_: Request) -> Response:
    return JSONResponse({"version": 2})


async def time(request: Request) -> Response:
    return JSONResponse(world_of(request).now() // 1000)


async def book(request: Request) -> Response:
    market, outcome = market_of_token(request, request.query_params.get("token_id"))
    return JSONResponse(book_document(market, world_of(request).exchange.book(market), outcome))


async def books(request: Request) -> Response:
    """Those that there are: tokens without a book are left out."""
    exchange = world_of(request).exchange
    found = []
    for asked in await _asked(request):
        token_id = str(asked.get("token_id"))
        market = exchange.by_token.get(token_id)
        if market is not None and market.payouts is None:
            found.append(book_document(market, exchange.book(market), market.outcome_index(token_id)))
    return JSONResponse(found)


async def price(request: Request) -> Response:
    side = _side(request.query_params.get("side"))
    return JSONResponse({"price": _price(request, request.query_params.get("token_id"), side)})


async def prices(request: Request) -> Response:
    """POST a list of tokens and sides; GET takes them as two lists with commas between."""
    if request.method == "POST":
        asked: list[tuple[Any, Any]] = [
            (each.get("token_id"), each.get("side")) for each in await _asked(request)
        ]
    else:
        tokens = request.query_params.get("token_ids", "").split(",")
        sides = request.query_params.get("sides", "").split(",")
        asked = list(zip(tokens, sides, strict=False))[:TOKENS_MAX]
    told: dict[str, dict[str, str]] = {}
    for token_id, text in asked:
        side = _side(text)
        if _has_book(request, token_id):
            told.setdefault(str(token_id), {})[side.value] = _price(request, token_id, side)
    return JSONResponse(told)


async def midpoint(request: Request) -> Response:
    return JSONResponse({"mid": _middle(*_best(request, request.query_params.get("token_id")))})


async def midpoints(request: Request) -> Response:
    return JSONResponse(await _each(request, _middle))


async def spread(request: Request) -> Response:
    return JSONResponse({"spread": _spread(*_best(request, request.query_params.get("token_id")))})


async def spreads(request: Request) -> Response:
    return JSONResponse(await _each(request, _spread))


async def last_trade_price(request: Request) -> Response:
    market, _ = market_of_token(request, request.query_params.get("token_id"))
    return JSONResponse(_last_trade(market))


async def last_trades_prices(request: Request) -> Response:
    """Of the tokens that were traded."""
    by_token = world_of(request).exchange.by_token
    told = []
    for asked in await _asked(request):
        market = by_token.get(str(asked.get("token_id")))
        if market is not None and market.last_side is not None:
            told.append({"token_id": asked["token_id"]} | _last_trade(market))
    return JSONResponse(told)


async def tick_size(request: Request) -> Response:
    market, _ = market_of_token(request, request.query_params.get("token_id"))
    return JSONResponse({"minimum_tick_size": number(market.tick)})


async def neg_risk(request: Request) -> Response:
    market, _ = market_of_token(request, request.query_params.get("token_id"))
    return JSONResponse({"neg_risk": market.neg_risk})


async def fee_rate(request: Request) -> Response:
    """A leftover of the first version: real fees are elsewhere (VENUE 4)."""
    market_of_token(request, request.query_params.get("token_id"))
    return JSONResponse({"base_fee": 0})


async def builder_fees(_: Request) -> Response:
    """No builder takes a fee here."""
    return JSONResponse({"builder_maker_fee_rate_bps": 0, "builder_taker_fee_rate_bps": 0})


async def markets(request: Request) -> Response:
    return _market_page(request, market_answers.full, lambda _: True)


async def simplified_markets(request: Request) -> Response:
    return _market_page(request, market_answers.simplified, lambda _: True)


async def sampling_markets(request: Request) -> Response:
    return _market_page(request, market_answers.full, market_answers.is_rewarded)


async def sampling_simplified_markets(request: Request) -> Response:
    return _market_page(request, market_answers.simplified, market_answers.is_rewarded)


async def market(request: Request) -> Response:
    found = market_of_path(request)
    return JSONResponse(market_answers.full(found, world_of(request).exchange.book(found)))


async def clob_market(request: Request) -> Response:
    return JSONResponse(market_answers.info(market_of_path(request)))


async def market_by_token(request: Request) -> Response:
    found = world_of(request).exchange.by_token.get(request.path_params["token_id"])
    if found is None:
        raise Refused(NO_MARKET, status=404)
    first, second = found.token_ids
    told = {"condition_id": found.condition_id, "primary_token_id": first, "secondary_token_id": second}
    return JSONResponse(told)


async def prices_history(request: Request) -> Response:
    """What was paid, one point for each step of `fidelity` minutes, in seconds and floats."""
    query = request.query_params
    found, outcome = market_of_token(request, query.get("market"), past=True)
    now_s = world_of(request).now() // 1000
    since_s, until_s = whole_of(query.get("startTs"), "startTs"), whole_of(query.get("endTs"), "endTs")
    if since_s is None:
        interval = query.get("interval", "max")
        if interval not in _INTERVALS_S:
            raise Refused("invalid interval")
        span_s = _INTERVALS_S[interval]
        since_s = 0 if span_s is None else now_s - span_s
    step_s = max(whole_of(query.get("fidelity"), "fidelity") or 1, 1) * MINUTE_S
    points = desk_of(request).history.points(
        found, outcome, since_s=since_s, until_s=now_s if until_s is None else until_s, step_s=step_s
    )
    return JSONResponse({"history": [{"t": second, "p": number(paid)} for second, paid in points]})


async def geoblock(_: Request) -> Response:
    return JSONResponse({"blocked": False, "ip": "127.0.0.1", "country": "CH", "region": "ZH"})


async def _asked(request: Request) -> list[Document]:
    """The objects of a POST's list.

    Raises:
        Refused: it is something else, or has too many.
    """
    listed = payloads.document(await body_of(request))
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Refused("Invalid payload")
    if len(listed) > TOKENS_MAX:
        raise Refused("Payload exceeds the limit")
    return listed


def _side(text: Any) -> Side:
    side = _SIDES.get(text) if isinstance(text, str) else None
    if side is None:
        raise Refused("Invalid side")
    return side


def _has_book(request: Request, token_id: object) -> bool:
    market = world_of(request).exchange.by_token.get(str(token_id))
    return market is not None and market.payouts is None


def _best(request: Request, token_id: object) -> tuple[int | None, int | None]:
    found, outcome = market_of_token(request, token_id)
    return best(world_of(request).exchange.book(found), outcome)


def _price(request: Request, token_id: object, side: Side) -> str:
    """What a BUY would pay at best, and a SELL get; zero where nobody is there."""
    bid, ask = _best(request, token_id)
    return to_text((ask if side is Side.BUY else bid) or 0)


def _middle(bid: int | None, ask: int | None) -> str:
    """Half-way between the best prices; an empty side counts as its end. Source: QUIRKS 3."""
    return to_text(((bid or 0) + (MICROS if ask is None else ask)) // 2)


def _spread(bid: int | None, ask: int | None) -> str:
    return to_text((MICROS if ask is None else ask) - (bid or 0))


async def _each(request: Request, written: Callable[[int | None, int | None], str]) -> dict[str, str]:
    told = {}
    for asked in await _asked(request):
        token_id = str(asked.get("token_id"))
        if _has_book(request, token_id):
            told[token_id] = written(*_best(request, token_id))
    return told


def _last_trade(market: Market) -> dict[str, str]:
    if market.last_price is None or market.last_side is None:
        return {"price": UNTRADED_PRICE, "side": ""}
    return {"price": last_price_text(market), "side": market.last_side.value}


def _market_page(
    request: Request, document: Callable[[Market, Any], Document], wanted: Callable[[Market], bool]
) -> Response:
    exchange = world_of(request).exchange
    rows = [each for each in exchange.markets.values() if wanted(each)]
    cursor = request.query_params.get("next_cursor")
    told = page(rows, cursor, MARKET_ROWS_MAX, lambda each: document(each, exchange.book(each)))
    return JSONResponse({name: told[name] for name in ("data", "next_cursor", "limit", "count")})


routes: Final = [
    Route("/", hello),
    Route("/ok", hello),
    Route("/time", time),
    Route("/version", version),
    Route("/book", book),
    Route("/books", books, methods=["POST"]),
    Route("/price", price),
    Route("/prices", prices, methods=["GET", "POST"]),
    Route("/midpoint", midpoint),
    Route("/midpoints", midpoints, methods=["POST"]),
    Route("/spread", spread),
    Route("/spreads", spreads, methods=["POST"]),
    Route("/last-trade-price", last_trade_price),
    Route("/last-trades-prices", last_trades_prices, methods=["POST"]),
    Route("/tick-size", tick_size),
    Route("/neg-risk", neg_risk),
    Route("/fee-rate", fee_rate),
    Route("/fees/builder-fees/{code}", builder_fees),
    Route("/markets", markets),
    Route("/simplified-markets", simplified_markets),
    Route("/sampling-markets", sampling_markets),
    Route("/sampling-simplified-markets", sampling_simplified_markets),
    Route("/markets/{condition_id}", market),
    Route("/clob-markets/{condition_id}", clob_market),
    Route("/markets-by-token/{token_id}", market_by_token),
    Route("/prices-history", prices_history),
    Route("/api/geoblock", geoblock),
]
