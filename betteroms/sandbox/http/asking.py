"""What a handler asks of a request: its body, who sent it, its query."""

from typing import Any, Final

from starlette.requests import Request

from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.http.desk import Desk
from betteroms.sandbox.http.refusals import INVALID_PAYLOAD, NO_BOOK, NO_MARKET
from betteroms.sandbox.model import Market, Refused
from betteroms.sandbox.world import World

BODY_BYTES_MAX: Final = 4 << 20


def world_of(request: Request) -> World:
    world: World = request.app.state.world
    return world


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def body_of(request: Request) -> bytes:
    """The whole body.

    Raises:
        Refused: 413, it is too large.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise Refused(INVALID_PAYLOAD, status=413)
        parts.append(part)
    return b"".join(parts)


def headers_of(request: Request) -> dict[str, str]:
    """By names in lower case."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}


def member_of(request: Request, body: bytes, *, trading: bool = False) -> ApiKey:
    """The API key that signed the request.

    Raises:
        Refused: 401.
    """
    world = world_of(request)
    scope = request.scope
    return world.members.check_l2(
        headers_of(request), scope["method"], scope["path"], body, world.now(), trading=trading
    )


def market_of_token(request: Request, token_id: object, *, past: bool = False) -> tuple[Market, int]:
    """A token's market, and which of its outcomes it is. `past` takes resolved markets too.

    Raises:
        Refused: 404, the venue has no book for it: a resolved market's is gone.
    """
    market = world_of(request).exchange.by_token.get(token_id) if isinstance(token_id, str) else None
    if market is None or (market.payouts is not None and not past):
        raise Refused(NO_BOOK, status=404)
    return market, market.outcome_index(token_id)  # type: ignore[arg-type]  # only texts are found


def market_of_path(request: Request) -> Market:
    """The market whose condition id stands in the path, in either of its lengths (VENUE 2.5).

    Raises:
        Refused: 404.
    """
    condition_id: str = request.path_params["condition_id"].lower()
    markets = world_of(request).exchange.markets
    market = markets.get(condition_id) or markets.get(f"{condition_id}00")
    if market is None:
        raise Refused(NO_MARKET, status=404)
    return market


def whole_of(text: Any, name: str) -> int | None:
    """A whole number of the query; None where it is not there.

    Raises:
        Refused: something else is.
    """
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(f"invalid {name}")
    return int(text)
