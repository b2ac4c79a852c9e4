"""The unified SDK listens: what the market and user channels tell of orders and fills."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from polymarket.streams import MarketSpec, UserSpec

from tests.sandbox.clients.test_unified_trading import funded, limit
from tests.sandbox.clients.unified import play, secure, told
from tests.sandbox.running import Venue
from tests.sandbox.stage import KINDS, PLAIN, Trader

YES, NO = PLAIN.token_ids
EVENT_SECONDS_MAX = 10


@asynccontextmanager
async def listening(venue: Venue, somebody: Trader, spec: Any) -> AsyncIterator[tuple[Any, Any]]:
    """A client, and what it hears."""
    async with secure("async", venue, somebody) as client, await client.subscribe(spec) as handle:
        yield client, handle


async def until(handle: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    """Events up to the first wanted one."""
    heard: list[Any] = []
    async with asyncio.timeout(EVENT_SECONDS_MAX):
        async for event in handle:
            heard.append(event)
            if wanted(event):
                return heard
    raise AssertionError(f"the stream ended: {heard}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_user_channel_tells_an_orders_life(kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)

    async def scenario() -> None:
        async with listening(venue, somebody, UserSpec()) as (client, handle):
            await asyncio.sleep(0.2)
            placed = await limit(client, "BUY", "0.41", "10")
            (first,) = await until(handle, lambda event: event.type == "order")
            assert (first.payload.id, first.payload.order_event_type) == (placed.order_id, "PLACEMENT")
            assert (first.payload.price, first.payload.original_size) == (Decimal("0.41"), 10)
            await told(client.cancel_order(order_id=placed.order_id))
            (second,) = await until(handle, lambda event: event.type == "order")
            assert second.payload.order_event_type == "CANCELLATION"

    play(scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_the_user_channel_tells_a_trade_until_it_is_confirmed(kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)

    async def scenario() -> None:
        async with listening(venue, somebody, UserSpec(markets=[PLAIN.condition_id])) as (client, handle):
            await asyncio.sleep(0.2)
            placed = await limit(client, "BUY", "0.45", "10")
            heard = await until(
                handle, lambda event: event.type == "trade" and event.payload.status == "CONFIRMED"
            )
            trades = [event.payload for event in heard if event.type == "trade"]
            assert [trade.status for trade in trades] == ["MATCHED", "MINED", "CONFIRMED"]
            assert {trade.id for trade in trades} == set(placed.trade_ids)
            assert {trade.taker_order_id for trade in trades} == {placed.order_id}
            assert trades[-1].transaction_hash

    play(scenario)


def test_the_market_channel_begins_with_the_book_and_tells_every_change(venue: Venue) -> None:
    somebody = funded(venue, "ada", "deposit")

    async def scenario() -> None:
        async with listening(venue, somebody, MarketSpec(asset_ids=[YES])) as (client, handle):
            (book,) = await until(handle, lambda event: event.type == "book")
            assert {level.price for level in book.payload.bids} == {Decimal("0.38"), Decimal("0.40")}
            await limit(client, "BUY", "0.42", "12")
            heard = await until(handle, lambda event: event.type == "price_change")
            changes = {change.asset_id: change for change in heard[-1].payload.price_changes}
            assert (changes[YES].price, changes[YES].size, changes[YES].side) == (
                Decimal("0.42"),
                12,
                "BUY",
            )
            assert changes[YES].best_bid == Decimal("0.42")
            await limit(client, "BUY", "0.45", "20")
            heard = await until(handle, lambda event: event.type == "last_trade_price")
            last = heard[-1].payload
            assert (last.price, last.size) == (Decimal("0.45"), 20)

    play(scenario)


def test_the_market_channel_tells_of_ticks_and_resolutions(venue: Venue) -> None:
    somebody = funded(venue, "ada", "deposit")

    async def scenario() -> None:
        spec = MarketSpec(asset_ids=[YES], custom_feature_enabled=True)
        async with listening(venue, somebody, spec) as (client, handle):
            await until(handle, lambda event: event.type == "book")
            venue.told("tick", condition_id=PLAIN.condition_id, tick="0.001")
            heard = await until(handle, lambda event: event.type == "tick_size_change")
            assert heard[-1].payload.new_tick_size == Decimal("0.001")
            await limit(client, "BUY", "0.421", "12")
            heard = await until(handle, lambda event: event.type == "best_bid_ask")
            assert heard[-1].payload.best_bid == Decimal("0.421")
            venue.told("resolve", condition_id=PLAIN.condition_id, payouts=["1", "0"])
            heard = await until(handle, lambda event: event.type == "market_resolved")
            assert heard[-1].payload.winning_asset_id == YES

    play(scenario)


def test_two_subscriptions_share_one_connection(venue: Venue) -> None:
    somebody = funded(venue, "ada", "deposit")

    async def scenario() -> None:
        async with listening(venue, somebody, MarketSpec(asset_ids=[YES])) as (client, one):
            await until(one, lambda event: event.type == "book")
            async with await client.subscribe(MarketSpec(asset_ids=[NO])) as other:
                (book,) = await until(other, lambda event: event.type == "book")
                assert book.payload.asset_id == NO
                await limit(client, "BUY", "0.42", "12")
                await until(other, lambda event: event.type == "price_change")
                await until(one, lambda event: event.type == "price_change")

    play(scenario)
