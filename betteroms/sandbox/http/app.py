"""The venue as one ASGI application: every path to its handler, refusals to answers."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from betteroms.sandbox.chain import rpc
from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.http import (
    auth_routes,
    clob_account,
    clob_orders,
    clob_public,
    control,
    data_api,
    gamma,
)
from betteroms.sandbox.http.desk import Desk
from betteroms.sandbox.http.refusals import answer
from betteroms.sandbox.model import Refused
from betteroms.sandbox.relayer import answering as relayer
from betteroms.sandbox.streams import sockets
from betteroms.sandbox.streams.hub import Streams
from betteroms.sandbox.transcript import Transcript
from betteroms.sandbox.venue import Surrounded, venue_of
from betteroms.sandbox.world import World

Handler = Callable[[Request], Awaitable[Response]]


class VenueApplication:
    """Exact paths are looked up in a table; the rest, and WebSockets, go through Starlette's router.

    The router tries one pattern after the other, which for posts of orders costs more than the order itself.
    """

    def __init__(self, router: Starlette, world: World, desk: Desk) -> None:
        self.state = router.state
        self._router = router
        self._world = world
        self._desk = desk
        self._exact = _exact_paths(router.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        try:
            self._desk.limits.check_window(scope["method"], scope["path"], self._world.now())
        except Refused as refused:
            await answer(refused)(scope, receive, send)
            return
        handler = self._exact.get((scope["method"], scope["path"]))
        if handler is None:
            await self._router(scope, receive, send)
            return
        scope["app"] = self._router
        try:
            told = await handler(Request(scope, receive, send))
        except Refused as refused:
            told = answer(refused)
        await told(scope, receive, send)


def create_app(
    world: World, *, faults: Faults | None = None, transcript: Transcript | None = None
) -> Surrounded:
    """The venue's application, with `faults` in front and written down in a `transcript`.

    Handlers find the venue in `request.app.state.world`, `.desk`, `.streams` and `.venue`.
    """
    router = Starlette(
        routes=_routes(),
        exception_handlers={Refused: _refused, HTTPException: _unknown},
    )
    state = router.state
    state.world = world
    state.desk = Desk(world)
    state.streams = Streams(world)
    state.venue = venue_of(
        world,
        desk=state.desk,
        streams=state.streams,
        faults=faults,
        transcript=transcript,
        endpoints=_endpoints(router.routes),
    )
    return Surrounded(VenueApplication(router, world, state.desk), state.venue, state)


def _endpoints(routes: Sequence[BaseRoute]) -> list[str]:
    """As "GET /data/order/{order_id}"."""
    found = (route for route in routes if isinstance(route, Route))
    return [f"{method} {route.path}" for route in found for method in sorted(route.methods or ())]


def _routes() -> list[BaseRoute]:
    return [
        *clob_public.routes,
        *clob_orders.routes,
        *clob_account.routes,
        *auth_routes.routes,
        *gamma.routes,
        *data_api.routes,
        *control.routes,
        *rpc.routes,
        *relayer.routes,
        *sockets.routes,
    ]


def _exact_paths(routes: Sequence[BaseRoute]) -> dict[tuple[str, str], Handler]:
    """By method and path, for paths without parameters. As in the router, the first of two counts."""
    exact: dict[tuple[str, str], Handler] = {}
    for route in routes:
        if isinstance(route, Route) and "{" not in route.path:
            for method in route.methods or ():
                exact.setdefault((method, route.path), route.endpoint)
    return exact


async def _refused(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return answer(refused)


async def _unknown(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)
