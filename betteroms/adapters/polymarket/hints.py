"""What the venue's stream tells of our orders and trades, as a nudge to look: the stream itself is no truth.

It may stall, skip and repeat (VENUE 6); whoever is nudged asks by ordinary questions, and asks also without.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, Final

from betteroms.domain.errors import BetterOmsError

RETRY_SECONDS_FIRST: Final = 1.0
RETRY_SECONDS_MAX: Final = 30.0

OpenClient = Callable[[], Any]
"""Makes the venue's client of the asynchronous kind, as a coroutine."""


@contextmanager
def nudges(open_client: OpenClient, nudge: Event) -> Iterator[None]:
    """Set `nudge` whenever the stream says something of ours, for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    listening = loop.create_task(_listen(open_client, nudge))
    thread = Thread(target=_run, args=(loop, listening), name="nudges", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(listening.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, listening: "asyncio.Task[None]") -> None:
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(listening)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def _listen(open_client: OpenClient, nudge: Event) -> None:
    from polymarket.errors import PolymarketError

    wait = RETRY_SECONDS_FIRST
    while True:
        with suppress(PolymarketError, BetterOmsError, OSError):
            await _heard(open_client, nudge)
            wait = RETRY_SECONDS_FIRST
        # Whatever was missed meanwhile is found by looking.
        nudge.set()
        await asyncio.sleep(wait)
        wait = min(wait * 2, RETRY_SECONDS_MAX)


async def _heard(open_client: OpenClient, nudge: Event) -> None:
    from polymarket.streams import UserSpec

    client = await open_client()
    try:
        async with await client.subscribe(UserSpec()) as stream:
            nudge.set()
            async for _ in stream:
                nudge.set()
    finally:
        await client.close()
