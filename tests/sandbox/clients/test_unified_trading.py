"""The unified SDK trades: credentials, orders of every kind, cancels of every kind, lists, balances."""

import time
from decimal import Decimal
from typing import Any

import pytest
from polymarket.errors import RequestRejectedError

from betteroms.sandbox.model import Market
from tests.sandbox.clients.unified import FLAVOURS, all_items, play, secure, told
from tests.sandbox.running import Venue
from tests.sandbox.stage import FEES, GROUPED, KINDS, PLAIN, POSITION, Trader, money, trader

YES, NO = PLAIN.token_ids

flavours = pytest.mark.parametrize("flavour", FLAVOURS)
kinds = pytest.mark.parametrize("kind", KINDS)


def funded(venue: Venue, name: str, kind: str, *markets: Market) -> Trader:
    """Somebody with 1,000 dollars and 500 shares of both outcomes of each market."""
    somebody = trader(name, kind)
    shares = {token: "500" for market in markets or (PLAIN,) for token in market.token_ids}
    venue.told("fund", **money(somebody, shares=shares))
    return somebody


def small_sales(venue: Venue, count: int) -> None:
    """Somebody else sells single shares at 0.44."""
    for _ in range(count):
        venue.told("quote", market=PLAIN.slug, side="SELL", price="0.44", size="1", kind="FAK", by="seller")


async def limit(client: Any, side: str, price: str, size: str, token: str = YES, **more: Any) -> Any:
    """Sign a limit order and post it."""
    signed = await told(client.create_limit_order(asset_id=token, price=price, size=size, side=side, **more))
    return await told(client.post_order(signed))


@flavours
@kinds
def test_credentials_are_created_once_and_derived_from_then_on(flavour: str, kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as first, secure(flavour, venue, somebody) as second:
            assert first.credentials == second.credentials
            assert str(first.wallet) == somebody.wallet
            async with secure(flavour, venue, somebody, nonce=7) as other:
                assert other.credentials.key != first.credentials.key
                keys = await told(first.fetch_api_keys())
                assert set(keys) == {first.credentials.key, other.credentials.key}
                await told(other.delete_api_key())
                assert await told(first.fetch_api_keys()) == (first.credentials.key,)
            async with secure(flavour, venue, somebody, credentials=first.credentials) as again:
                assert not await told(again.get_closed_only_mode())

    play(scenario)


@flavours
@kinds
def test_a_limit_order_rests_is_read_back_and_canceled(flavour: str, kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            placed = await limit(client, "BUY", "0.41", "20")
            assert (placed.ok, placed.status, placed.trade_ids) == (True, "live", ())
            order = await told(client.get_order(order_id=placed.order_id))
            assert (order.status, order.side, order.order_type) == ("LIVE", "BUY", "GTC")
            assert (order.price, order.original_size, order.size_matched) == (Decimal("0.41"), 20, 0)
            assert order.maker_address.lower() == somebody.wallet.lower()
            assert (order.condition_id, order.asset_id) == (PLAIN.condition_id, YES)
            book = await told(client.get_order_book(asset_id=YES))
            assert (book.bids[-1].price, book.bids[-1].size) == (Decimal("0.41"), 20)
            done = await told(client.cancel_order(order_id=placed.order_id))
            assert (done.canceled, done.not_canceled) == ((placed.order_id,), {})
            again = await told(client.cancel_order(order_id=placed.order_id))
            assert again.canceled == ()
            assert again.not_canceled.keys() == {placed.order_id}
            assert await all_items(client.list_open_orders()) == []

    play(scenario)


@flavours
@pytest.mark.parametrize("market", [PLAIN, GROUPED, POSITION], ids=lambda market: market.slug)
@kinds
def test_a_market_buy_and_a_market_sell_fill(flavour: str, market: Market, kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind, market)
    yes = market.token_ids[0]

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            bought = await told(
                client.post_order(
                    await told(
                        client.create_market_order(asset_id=yes, side="BUY", amount=9, order_type="FOK")
                    )
                )
            )
            assert (bought.status, bought.making_amount, bought.taking_amount) == ("matched", 9, 20)
            sold = await told(
                client.post_order(
                    await told(
                        client.create_market_order(asset_id=yes, side="SELL", shares=30, order_type="FAK")
                    )
                )
            )
            assert (sold.status, sold.making_amount, sold.taking_amount) == ("matched", 30, 12)
            for placed in (bought, sold):
                hashes = await told(client.wait_for_order_fill_settlement(placed))
                assert len(hashes) == len(placed.trade_ids) >= 1
                trades = await all_items(client.list_account_trades(id=placed.trade_ids[0]))
                assert [trade.taker_order_id for trade in trades] == [placed.order_id]
                assert trades[0].status == "CONFIRMED"
                assert trades[0].transaction_hash in hashes
            kept = await told(client.get_balance_allowance(asset_type="COLLATERAL"))
            assert kept.balance == 1_003_000_000
            held = await told(
                client.get_balance_allowance(
                    asset_type="CONDITIONAL-V2" if market is POSITION else "CONDITIONAL", asset_id=yes
                )
            )
            assert held.balance == 490_000_000

    play(scenario)


@flavours
def test_a_taker_pays_the_fee_of_the_market(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "deposit", FEES)
    yes = FEES.token_ids[0]

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            placed = await limit(client, "BUY", "0.45", "100", yes)
            assert placed.status == "matched"
            await told(client.wait_for_order_fill_settlement(placed))
            kept = await told(client.get_balance_allowance(asset_type="COLLATERAL"))
            # 100 shares x 0.04 x 0.45 x 0.55 is 0.99 dollars, on top of 45.
            assert kept.balance == 1_000_000_000 - 45_000_000 - 990_000

    play(scenario)


@flavours
@kinds
def test_an_order_until_a_date_says_when_it_ends(flavour: str, kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)
    until = int(time.time()) + 600

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            placed = await limit(client, "SELL", "0.44", "15", expiration=until)
            order = await told(client.get_order(order_id=placed.order_id))
            assert (order.order_type, order.status) == ("GTD", "LIVE")
            assert order.expires_at is not None
            assert int(order.expires_at.timestamp()) == until

    play(scenario)


@flavours
def test_a_post_only_order_rests_or_is_refused(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "eoa")

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            placed = await limit(client, "BUY", "0.44", "10", post_only=True)
            assert placed.status == "live"
            with pytest.raises(RequestRejectedError) as refused:
                await limit(client, "BUY", "0.45", "10", post_only=True)
            assert refused.value.status == 400
            assert str(refused.value) == "invalid post-only order: order crosses book"

    play(scenario)


@flavours
def test_orders_that_must_fill_are_killed_where_they_cannot(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "safe")

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            buy: dict[str, Any] = {"asset_id": YES, "side": "BUY"}

            async def market(amount: int, price: str, order_type: str) -> Any:
                wanted = client.create_market_order(
                    **buy, amount=amount, max_price=price, order_type=order_type
                )
                return await told(client.post_order(await told(wanted)))

            with pytest.raises(RequestRejectedError, match="FOK orders are fully filled or killed"):
                await market(900, "0.46", "FOK")
            with pytest.raises(RequestRejectedError, match="no orders found to match with FAK order"):
                await market(5, "0.44", "FAK")
            partly = await market(100, "0.45", "FAK")
            assert (partly.status, partly.making_amount, partly.taking_amount) == ("matched", 45, 100)
            assert await all_items(client.list_open_orders()) == []

    play(scenario)


@flavours
@kinds
def test_a_batch_is_answered_leg_by_leg(flavour: str, kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            signed = [
                await told(client.create_limit_order(asset_id=YES, price=price, size=size, side="BUY"))
                for price, size in (("0.41", "10"), ("0.40", "4"), ("0.45", "10"))
            ]
            rests, small, takes = await told(client.post_orders(signed))
            assert (rests.ok, rests.status) == (True, "live")
            assert (small.ok, small.code) == (False, "unknown")
            assert small.message.endswith("Size (4) lower than the minimum: 5")
            assert (takes.ok, takes.status, takes.taking_amount) == (True, "matched", 10)
            (again,) = await told(client.post_orders(signed[:1]))
            assert again.message == f"order {rests.order_id} is invalid. Duplicated."

    play(scenario)


@flavours
def test_orders_are_canceled_by_list_by_market_and_all_at_once(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "proxy", PLAIN, GROUPED)
    other = GROUPED.token_ids[0]

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:

            async def rest(price: str, token: str) -> str:
                return str((await limit(client, "BUY", price, "10", token)).order_id)

            async def open_ids() -> set[str]:
                return {order.id for order in await all_items(client.list_open_orders())}

            first, second = await rest("0.31", YES), await rest("0.32", YES)
            third, fourth = await rest("0.33", NO), await rest("0.34", other)
            fifth = await rest("0.35", other)
            unknown = "0x" + "9" * 64
            done = await told(client.cancel_orders(order_ids=[first, unknown]))
            assert done.canceled == (first,)
            assert done.not_canceled.keys() == {unknown}
            assert await open_ids() == {second, third, fourth, fifth}
            done = await told(client.cancel_market_orders(market=PLAIN.condition_id, asset_id=NO))
            assert set(done.canceled) == {third}
            done = await told(client.cancel_market_orders(market=PLAIN.condition_id))
            assert set(done.canceled) == {second}
            done = await told(client.cancel_all())
            assert set(done.canceled) == {fourth, fifth}
            assert await open_ids() == set()

    play(scenario)


@flavours
def test_lists_go_on_over_pages(flavour: str, patient_venue: Venue) -> None:
    somebody = funded(patient_venue, "ada", "deposit")

    async def scenario() -> None:
        async with secure(flavour, patient_venue, somebody) as client:
            placed: list[str] = []
            for batch in range(10):
                signed = [
                    await told(
                        client.create_limit_order(
                            asset_id=YES, price="0.01", size=str(5 + batch + leg / 100), side="BUY"
                        )
                    )
                    for leg in range(15)
                ]
                placed += [leg.order_id for leg in await told(client.post_orders(signed))]
            assert len(set(placed)) == 150
            first = await told(client.list_open_orders().first_page())
            assert first.has_more
            assert len(first.items) < 150
            listed = await all_items(client.list_open_orders())
            assert sorted(order.id for order in listed) == sorted(placed)
            assert {order.id for order in await all_items(client.list_open_orders(market=PLAIN.condition_id))}
            (only,) = await all_items(client.list_open_orders(id=placed[3]))
            assert only.id == placed[3]
            rests = await limit(client, "BUY", "0.44", "110")
            small_sales(patient_venue, 110)
            trades = await all_items(client.list_account_trades(asset_id=YES))
            assert len({trade.id for trade in trades}) == 110
            assert {fill.order_id for trade in trades for fill in trade.maker_orders} == {rests.order_id}
            page = await told(client.list_account_trades(asset_id=YES).first_page())
            assert page.has_more

    play(scenario)


@flavours
def test_trades_are_listed_for_taker_and_maker(flavour: str, venue: Venue) -> None:
    maker, taker = funded(venue, "ada", "safe"), funded(venue, "bob", "deposit")

    async def scenario() -> None:
        async with secure(flavour, venue, maker) as ada, secure(flavour, venue, taker) as bob:
            rests = await limit(ada, "BUY", "0.43", "30")
            takes = await limit(bob, "SELL", "0.43", "12")
            assert (takes.status, takes.making_amount, takes.taking_amount) == (
                "matched",
                12,
                Decimal("5.16"),
            )
            (mine,) = await all_items(ada.list_account_trades(market=PLAIN.condition_id))
            (theirs,) = await all_items(bob.list_account_trades(asset_id=YES))
            assert (mine.id, mine.trader_side, theirs.trader_side) == (theirs.id, "MAKER", "TAKER")
            (fill,) = mine.maker_orders
            assert (fill.order_id, fill.matched_amount, fill.price) == (
                rests.order_id,
                12,
                Decimal("0.43"),
            )
            assert fill.maker_address.lower() == maker.wallet.lower()
            assert (theirs.taker_order_id, theirs.side, theirs.size) == (takes.order_id, "SELL", 12)
            order = await told(ada.get_order(order_id=rests.order_id))
            assert (order.status, order.size_matched, order.associate_trades) == ("LIVE", 12, (mine.id,))

    play(scenario)


@flavours
def test_a_buyer_of_no_meets_a_buyer_of_yes(flavour: str, venue: Venue) -> None:
    ada, bob = funded(venue, "ada", "proxy"), funded(venue, "bob", "eoa")

    async def scenario() -> None:
        async with secure(flavour, venue, ada) as one, secure(flavour, venue, bob) as other:
            rests = await limit(one, "BUY", "0.43", "25", YES)
            takes = await limit(other, "BUY", "0.57", "25", NO)
            assert (takes.status, takes.taking_amount) == ("matched", 25)
            await told(other.wait_for_order_fill_settlement(takes))
            (trade,) = await all_items(other.list_account_trades())
            (fill,) = trade.maker_orders
            assert (trade.asset_id, fill.asset_id, fill.order_id) == (NO, YES, rests.order_id)
            held = await told(one.get_balance_allowance(asset_type="CONDITIONAL", asset_id=YES))
            assert held.balance == 525_000_000

    play(scenario)


@flavours
def test_an_order_beyond_the_balance_is_refused_and_nothing_rests(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "eoa")

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            with pytest.raises(RequestRejectedError, match="not enough balance / allowance") as refused:
                await limit(client, "BUY", "0.41", "2500")
            assert refused.value.status == 400
            assert await all_items(client.list_open_orders()) == []

    play(scenario)


@flavours
def test_heartbeats_go_on_from_id_to_id(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "deposit")

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            first = await told(client.send_order_heartbeat())
            second = await told(client.send_order_heartbeat(heartbeat_id=first.heartbeat_id))
            assert second.heartbeat_id
            with pytest.raises(RequestRejectedError, match="Invalid Heartbeat ID"):
                await told(client.send_order_heartbeat(heartbeat_id="not-the-last-one"))

    play(scenario)
