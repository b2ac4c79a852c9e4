"""Venues without a network: a world, and its Gamma and Data API asked in this process."""

import asyncio
from pathlib import Path
from typing import Any, Final

import httpx
from starlette.applications import Starlette

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.exchange.exchange import Placement
from betteroms.sandbox.http import data_api, gamma
from betteroms.sandbox.model import Market
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.world import Options, World

ROOT: Final = Path(__file__).parents[3]
BOOKS: Final = ROOT / "plans" / "books"
NOON_MS: Final = 1_796_040_000_000
"""2026-11-30 12:00 UTC."""
ADA: Final = "0x" + "a" * 40
BEN: Final = "0x" + "b" * 40


def new_world(books: Path | None = None, *, seed: int = 0) -> World:
    """A venue whose clock stands still, with everything that is seeded."""
    world = World(Options(seed=seed), HandClock(NOON_MS))
    assert seed_world(world, books) == []
    return world


def go_on(world: World, ms: int) -> None:
    """Let so much time pass."""
    assert isinstance(world.clock, HandClock)
    world.clock.move_to(world.clock.now_ms() + ms)
    world.now()


def ask(world: World, path: str, **query: Any) -> Any:
    """What the venue answers, which must be a success."""
    answer = answer_to(world, path, **query)
    assert answer.status_code == 200, (path, query, answer.status_code, answer.text)
    return answer.json()


def answer_to(world: World, path: str, **query: Any) -> httpx.Response:
    app = Starlette(routes=[*gamma.routes, *data_api.routes])
    app.state.world = world

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://venue") as client:
            return await client.get(path, params=query)

    return asyncio.run(get())


def market(world: World, slug: str) -> Market:
    return next(one for one in world.exchange.markets.values() if one.slug == slug)


def trade(
    world: World, wallet: str, one: Market, side: Side, price: str, size: str, *, outcome: int = 0
) -> Placement:
    """An order of a wallet's, as the venue's own counterparties send them."""
    return world.exchange.rest(
        one,
        outcome=outcome,
        side=side,
        price=to_micros(price),
        size=to_micros(size),
        maker=wallet,
        now_ms=world.now(),
    )
