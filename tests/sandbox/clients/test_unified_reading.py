"""The unified SDK reads: books and prices, markets and events, positions and approvals."""

from decimal import Decimal

import pytest
from polymarket import ApiKeyCreds, PriceRequest
from polymarket.errors import RequestRejectedError
from py_clob_client_v2 import ApiCreds, AssetType, BalanceAllowanceParams, ClobClient

from betteroms.sandbox.model import Market
from tests.sandbox.clients.test_unified_trading import funded, limit
from tests.sandbox.clients.unified import FLAVOURS, all_items, play, public, secure, told
from tests.sandbox.running import Venue
from tests.sandbox.stage import GROUPED, KINDS, MARKETS, PLAIN, POSITION, Trader, money, trader

YES, NO = PLAIN.token_ids


def look_again(venue: Venue, somebody: Trader, credentials: ApiKeyCreds) -> None:
    """Have the CLOB look at a wallet's dollars; the unified client has no word for it, the older one has."""
    creds = ApiCreds(credentials.key, credentials.secret, credentials.passphrase)
    kind = somebody.signature_type
    client = ClobClient(venue.url, 137, somebody.private_key, creds, kind, somebody.wallet)
    client.update_balance_allowance(BalanceAllowanceParams(asset_type=AssetType.COLLATERAL))


flavours = pytest.mark.parametrize("flavour", FLAVOURS)


@flavours
def test_books_and_prices_are_read_from_both_sides(flavour: str, venue: Venue) -> None:
    async def scenario() -> None:
        async with public(flavour, venue) as client:
            book = await told(client.get_order_book(asset_id=YES))
            assert [level.price for level in book.bids] == [Decimal("0.38"), Decimal("0.40")]
            assert [level.price for level in book.asks] == [Decimal("0.46"), Decimal("0.45")]
            assert (book.min_order_size, book.tick_size, book.neg_risk) == (5, Decimal("0.01"), False)
            mirror = await told(client.get_order_book(asset_id=NO))
            assert [level.price for level in mirror.bids] == [Decimal("0.54"), Decimal("0.55")]
            assert [level.size for level in mirror.asks] == [300, 200]
            both = await told(client.get_order_books(asset_ids=[YES, GROUPED.token_ids[1]]))
            assert [each.neg_risk for each in both] == [False, True]
            assert await told(client.get_midpoint(asset_id=YES)) == Decimal("0.425")
            assert await told(client.get_midpoints(asset_ids=[YES, NO])) == {
                YES: Decimal("0.425"),
                NO: Decimal("0.575"),
            }
            assert await told(client.get_spread(asset_id=YES)) == Decimal("0.05")
            assert await told(client.get_spreads(asset_ids=[NO])) == {NO: Decimal("0.05")}
            prices = {side: await told(client.get_price(asset_id=YES, side=side)) for side in ("BUY", "SELL")}
            assert set(prices.values()) == {Decimal("0.40"), Decimal("0.45")}
            listed = await told(
                client.get_prices(requests=[PriceRequest(YES, "BUY"), PriceRequest(YES, "SELL")])
            )
            assert listed == {YES: prices}

    play(scenario)


@flavours
def test_the_last_trade_is_told_once_there_is_one(flavour: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", "deposit")

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            assert (await limit(client, "BUY", "0.45", "10")).status == "matched"
            last = await told(client.get_last_trade_price(asset_id=YES))
            assert (last.price, last.side) == (Decimal("0.45"), "BUY")
            (each,) = await told(client.get_last_trade_prices(asset_ids=[YES]))
            assert (each.asset_id, each.price) == (YES, Decimal("0.45"))

    play(scenario)


@flavours
def test_a_token_that_nobody_knows_has_no_book(flavour: str, venue: Venue) -> None:
    async def scenario() -> None:
        async with public(flavour, venue) as client:
            with pytest.raises(RequestRejectedError, match="No orderbook exists") as refused:
                await told(client.get_order_book(asset_id="1" * 77))
            assert refused.value.status == 404

    play(scenario)


@flavours
def test_markets_are_found_by_slug_condition_and_token(flavour: str, venue: Venue) -> None:
    async def scenario() -> None:
        async with public(flavour, venue) as client:
            market = await told(client.get_market(slug=PLAIN.slug))
            assert market.condition_id == PLAIN.condition_id
            listed = await all_items(client.list_markets(page_size=2))
            assert {each.condition_id for each in listed} == {each.condition_id for each in MARKETS}
            (only,) = await all_items(client.list_markets(condition_ids=[GROUPED.condition_id]))
            assert only.slug == GROUPED.slug
            (token,) = await all_items(client.list_markets(clob_token_ids=[PLAIN.token_ids[1]]))
            assert token.slug == PLAIN.slug
            events = await all_items(client.list_events())
            assert {event.slug for event in events} == {each.event_slug for each in MARKETS}

    play(scenario)


@flavours
@pytest.mark.parametrize("kind", KINDS)
def test_positions_and_their_worth_follow_the_fills(flavour: str, kind: str, venue: Venue) -> None:
    somebody = trader("ada", kind)
    venue.told("fund", **money(somebody))

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            placed = await limit(client, "BUY", "0.45", "40")
            await told(client.wait_for_order_fill_settlement(placed))
            (position,) = await all_items(client.list_positions())
            assert (position.condition_id, position.current_size) == (PLAIN.condition_id, 40)
            assert position.avg_price == Decimal("0.45")
            (trade,) = await all_items(client.list_trades(taker_only=False))
            assert (trade.side, trade.size, trade.price) == ("BUY", 40, Decimal("0.45"))
            (activity,) = [each for each in await all_items(client.list_activity()) if each.type == "TRADE"]
            assert activity.condition_id == PLAIN.condition_id
            worth = await told(client.get_portfolio_value())
            assert worth is not None

    play(scenario)


@flavours
@pytest.mark.parametrize("kind", ["proxy", "safe", "deposit"])
def test_approvals_are_made_through_the_relayer(flavour: str, kind: str, venue: Venue) -> None:
    somebody = trader("ada", kind)
    venue.told("fund", **{**money(somebody), "approve": False})

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            with pytest.raises(RequestRejectedError, match="allowance is not enough"):
                await limit(client, "BUY", "0.41", "10")
            assert not (await told(client.get_trading_approvals_state())).is_fully_approved
            await told((await told(client.setup_trading_approvals())).wait())
            assert (await told(client.get_trading_approvals_state())).is_fully_approved
            look_again(venue, somebody, client.credentials)
            assert (await limit(client, "BUY", "0.41", "10")).status == "live"

    play(scenario)


@flavours
@pytest.mark.parametrize("kind", KINDS)
def test_the_client_approves_what_an_order_lacks_and_posts_it_again(
    flavour: str, kind: str, venue: Venue
) -> None:
    somebody = trader("ada", kind)
    venue.told("fund", **{**money(somebody), "approve": False})

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            placed = await told(client.place_limit_order(asset_id=YES, price="0.41", size=10, side="BUY"))
            assert placed.status == "live"
            assert [order.id for order in await all_items(client.list_open_orders())] == [placed.order_id]

    play(scenario)


@flavours
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("market", [PLAIN, GROUPED, POSITION], ids=lambda market: market.slug)
def test_shares_are_split_merged_and_redeemed(flavour: str, kind: str, market: Market, venue: Venue) -> None:
    somebody = trader("ada", kind)
    venue.told("fund", **money(somebody))

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            condition = {"condition_id": market.condition_id}

            async def held() -> dict[str, Decimal]:
                rows = await all_items(client.list_positions())
                return {row.asset_id: row.current_size for row in rows if row.current_size}

            await told((await told(client.setup_trading_approvals())).wait())
            await told((await told(client.split_position(**condition, amount=7_000_000))).wait())
            assert await held() == dict.fromkeys(market.token_ids, 7)
            await told((await told(client.merge_positions(**condition, amount=3_000_000))).wait())
            assert await held() == dict.fromkeys(market.token_ids, 4)
            venue.told("resolve", **condition, payouts=["1", "0"])
            await told((await told(client.redeem_positions(**condition))).wait())
            look_again(venue, somebody, client.credentials)
            kept = await told(client.get_balance_allowance(asset_type="COLLATERAL"))
            assert kept.balance == 1_000_000_000

    play(scenario)


@flavours
def test_a_deposit_wallet_is_made_where_there_is_none(flavour: str, venue: Venue) -> None:
    somebody = trader("nobody-yet", "deposit")

    async def scenario() -> None:
        async with secure(flavour, venue, somebody) as client:
            assert client.wallet_type == "DEPOSIT_WALLET"
            assert venue.get(f"/relayer/deployed?address={somebody.wallet}&type=WALLET") == {"deployed": True}

    play(scenario)
