"""The unified SDK (`polymarket-client`), its two clients told apart by nothing but `await`.

Each scenario is written once and carried out by both. Nothing inside the clients is replaced; they are told
another environment, and that is all.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from polymarket import AsyncPublicClient, AsyncSecureClient, PublicClient, RelayerApiKey, SecureClient

from betteroms.sandbox.relayer.keys import relayer_key
from tests.sandbox.running import Venue, sdk_environment
from tests.sandbox.stage import Trader

SECURE: Final[dict[str, Any]] = {"sync": SecureClient, "async": AsyncSecureClient}
PUBLIC: Final[dict[str, Any]] = {"sync": PublicClient, "async": AsyncPublicClient}
FLAVOURS: Final = tuple(SECURE)
SCENARIO_SECONDS_MAX: Final = 60


async def told(answer: Any) -> Any:
    """What a method of either client answers."""
    return await answer if inspect.isawaitable(answer) else answer


async def all_items(paginator: Any) -> list[Any]:
    """Everything that a listing lists, over all its pages."""
    if hasattr(paginator.iter_items(), "__aiter__"):
        return [item async for item in paginator.iter_items()]
    return list(paginator.iter_items())


@asynccontextmanager
async def secure(flavour: str, venue: Venue, trader: Trader, **more: Any) -> AsyncIterator[Any]:
    """A client for somebody's wallet."""
    client = await told(
        SECURE[flavour].create(
            private_key=trader.private_key,
            wallet=trader.wallet,
            environment=sdk_environment(venue.port),
            api_key=_relayer_key(venue, trader),
            **more,
        )
    )
    try:
        yield client
    finally:
        await told(client.close())


def _relayer_key(venue: Venue, trader: Trader) -> RelayerApiKey | None:
    """What the relayer knows somebody by; only the inside of the venue tells it."""
    if venue.world is None:
        return None
    return RelayerApiKey(key=relayer_key(venue.world.name, trader.signer), address=trader.signer)


@asynccontextmanager
async def public(flavour: str, venue: Venue) -> AsyncIterator[Any]:
    """A client for nobody in particular."""
    client = PUBLIC[flavour](environment=sdk_environment(venue.port))
    try:
        yield client
    finally:
        await told(client.close())


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Carry a scenario out."""

    async def limited() -> None:
        await asyncio.wait_for(scenario(), timeout=SCENARIO_SECONDS_MAX)

    asyncio.run(limited())
