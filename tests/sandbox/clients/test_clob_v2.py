"""The older client of the same line (`py-clob-client-v2`) trades as it comes from the index."""

import time
from typing import Any

import pytest
from py_clob_client_v2 import (
    AssetType,
    BalanceAllowanceParams,
    BookParams,
    ClobClient,
    MarketOrderArgs,
    OpenOrderParams,
    OrderArgs,
    OrderMarketCancelParams,
    OrderPayload,
    OrderType,
    PostOrdersV2Args,
    TradeParams,
)
from py_clob_client_v2.exceptions import PolyApiException

from betteroms.sandbox.model import Market
from tests.sandbox.clients.test_unified_trading import funded, small_sales
from tests.sandbox.running import Venue
from tests.sandbox.stage import GROUPED, KINDS, PLAIN, POSITION, Trader

YES, NO = PLAIN.token_ids
kinds = pytest.mark.parametrize("kind", KINDS)


def client_of(venue: Venue, somebody: Trader) -> ClobClient:
    """A client with credentials."""
    client = ClobClient(
        venue.url,
        137,
        key=somebody.private_key,
        signature_type=somebody.signature_type,
        funder=somebody.wallet,
    )
    client.set_api_creds(client.create_or_derive_api_key())
    return client


def buy(price: float, size: float, token: str = YES, **more: Any) -> OrderArgs:
    return OrderArgs(token_id=token, price=price, size=size, side="BUY", **more)


def refusal(error: PolyApiException) -> tuple[int, str]:
    """The status and the text."""
    return error.status_code, error.error_msg["error"]


@kinds
def test_keys_are_created_once_and_derived_from_then_on(kind: str, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind)
    client = client_of(venue, somebody)
    with pytest.raises(PolyApiException) as refused:
        client.create_api_key()
    assert refused.value.status_code == 400
    assert client.derive_api_key() == client.creds
    assert client.get_api_keys() == {"apiKeys": [client.creds.api_key]}
    assert client.get_closed_only_mode() == {"closed_only": False}
    assert client.delete_api_key() == "OK"
    with pytest.raises(PolyApiException) as gone:
        client.get_api_keys()
    assert refusal(gone.value) == (401, "Unauthorized/Invalid api key")


def test_the_venue_is_read_without_a_key(venue: Venue) -> None:
    client = ClobClient(venue.url, 137)
    assert client.get_ok() == "OK"
    assert client.get_version() == 2
    assert abs(int(client.get_server_time()) - time.time()) < 5
    book = client.get_order_book(YES)
    assert book["bids"][-1] == {"price": "0.4", "size": "200"}
    assert book["asks"][-1] == {"price": "0.45", "size": "100"}
    assert client.get_order_book_hash(book) == book["hash"]
    assert len(client.get_order_books([BookParams(token_id=YES), BookParams(token_id=NO)])) == 2
    assert (client.get_tick_size(YES), client.get_neg_risk(YES)) == ("0.01", False)
    assert client.get_neg_risk(GROUPED.token_ids[0])
    assert client.get_fee_rate_bps(YES) == 0
    assert client.get_midpoint(YES) == {"mid": "0.425"}
    assert client.get_spread(YES) == {"spread": "0.05"}
    assert set(client.get_price(YES, "BUY")) == {"price"}
    info = client.get_clob_market_info(PLAIN.condition_id)
    assert [token["t"] for token in info["t"]] == list(PLAIN.token_ids)
    assert client.get_market(PLAIN.condition_id)["market_slug"] == PLAIN.slug
    assert client.get_markets()["next_cursor"] == "LTE="
    assert {row["condition_id"] for row in client.get_simplified_markets()["data"]} >= {PLAIN.condition_id}


@kinds
@pytest.mark.parametrize("market", [PLAIN, GROUPED, POSITION], ids=lambda market: market.slug)
def test_orders_rest_fill_and_are_read_back(kind: str, market: Market, venue: Venue) -> None:
    somebody = funded(venue, "ada", kind, market)
    client = client_of(venue, somebody)
    name = "position_id" if market is POSITION else "token_id"
    where = {name: market.token_ids[0]}
    rests = client.post_order(client.create_order(OrderArgs(**where, price=0.41, size=20, side="BUY")))
    assert (rests["success"], rests["status"], rests["errorMsg"]) == (True, "live", "")
    order = client.get_order(rests["orderID"])
    assert (order["status"], order["original_size"], order["order_type"]) == ("LIVE", "20", "GTC")
    takes = client.post_order(
        client.create_market_order(MarketOrderArgs(**where, amount=9, side="BUY", order_type=OrderType.FOK)),
        OrderType.FOK,
    )
    assert (takes["status"], takes["makingAmount"], takes["takingAmount"]) == ("matched", "9", "20")
    assert len(takes["transactionsHashes"]) == 1
    (trade,) = client.get_trades(TradeParams(id=takes["tradeIDs"][0]))
    assert trade["taker_order_id"] == takes["orderID"]
    assert trade["transaction_hash"] == takes["transactionsHashes"][0]
    sells = client.create_market_order(
        MarketOrderArgs(**where, amount=30, side="SELL", order_type=OrderType.FAK)
    )
    sold = client.post_order(sells, OrderType.FAK)
    assert (sold["status"], sold["makingAmount"]) == ("matched", "30")


@kinds
def test_an_order_until_a_date_and_a_post_only_order_rest(kind: str, venue: Venue) -> None:
    client = client_of(venue, funded(venue, "ada", kind))
    until = int(time.time()) + 600
    placed = client.post_order(client.create_order(buy(0.41, 10, expiration=until)), OrderType.GTD)
    order = client.get_order(placed["orderID"])
    assert (order["order_type"], order["expiration"]) == ("GTD", str(until))
    rests = client.post_order(client.create_order(buy(0.42, 10)), OrderType.GTC, post_only=True)
    assert rests["status"] == "live"
    with pytest.raises(PolyApiException) as refused:
        client.post_order(client.create_order(buy(0.45, 10)), OrderType.GTC, post_only=True)
    assert refusal(refused.value) == (400, "invalid post-only order: order crosses book")


@kinds
def test_a_batch_is_answered_leg_by_leg_and_canceled_in_every_way(kind: str, venue: Venue) -> None:
    client = client_of(venue, funded(venue, "ada", kind, PLAIN, GROUPED))
    other = GROUPED.token_ids[0]
    wanted = [buy(0.31, 10), buy(0.32, 4), buy(0.33, 10, NO), buy(0.34, 10, other), buy(0.35, 10, other)]
    signed = [PostOrdersV2Args(order=client.create_order(each), orderType=OrderType.GTC) for each in wanted]
    legs = client.post_orders(signed)
    assert [bool(leg["orderID"]) for leg in legs] == [True, False, True, True, True]
    assert legs[1]["errorMsg"].endswith("Size (4) lower than the minimum: 5")
    ids = [leg["orderID"] for leg in legs if leg["orderID"]]
    assert client.cancel_order(OrderPayload(orderID=ids[0]))["canceled"] == [ids[0]]
    told = client.cancel_orders([ids[0], ids[1]])
    assert told["canceled"] == [ids[1]]
    assert told["not_canceled"].keys() == {ids[0]}
    told = client.cancel_market_orders(OrderMarketCancelParams(market=GROUPED.condition_id, asset_id=other))
    assert sorted(told["canceled"]) == sorted(ids[2:])
    last = client.post_order(client.create_order(buy(0.3, 10)))["orderID"]
    assert client.cancel_all()["canceled"] == [last]
    assert client.get_open_orders() == []


def test_orders_and_trades_are_listed_over_pages(patient_venue: Venue) -> None:
    client = client_of(patient_venue, funded(patient_venue, "ada", "safe"))
    placed = []
    for batch in range(10):
        wanted = [buy(0.01, 5 + batch + leg / 100) for leg in range(15)]
        signed = [
            PostOrdersV2Args(order=client.create_order(each), orderType=OrderType.GTC) for each in wanted
        ]
        placed += [leg["orderID"] for leg in client.post_orders(signed)]
    listed = client.get_open_orders()
    assert sorted(order["id"] for order in listed) == sorted(placed)
    assert 0 < len(client.get_open_orders(only_first_page=True)) < len(placed)
    (only,) = client.get_open_orders(OpenOrderParams(id=placed[0]))
    assert only["id"] == placed[0]
    client.post_order(client.create_order(buy(0.44, 110)))
    small_sales(patient_venue, 110)
    trades = client.get_trades(TradeParams(market=PLAIN.condition_id))
    assert len({trade["id"] for trade in trades}) == 110
    page = client.get_trades_paginated(TradeParams(market=PLAIN.condition_id))
    assert 0 < len(page["trades"]) < 110
    assert page["next_cursor"] != "LTE="


@kinds
def test_balances_and_allowances_are_told_for_the_wallet(kind: str, venue: Venue) -> None:
    client = client_of(venue, funded(venue, "ada", kind))
    dollars = BalanceAllowanceParams(asset_type=AssetType.COLLATERAL)
    client.update_balance_allowance(dollars)
    told = client.get_balance_allowance(dollars)
    assert told["balance"] == "1000000000"
    assert all(int(amount) > 10**30 for amount in told["allowances"].values())
    shares = BalanceAllowanceParams(asset_type=AssetType.CONDITIONAL, token_id=YES)
    client.update_balance_allowance(shares)
    assert client.get_balance_allowance(shares)["balance"] == "500000000"


def test_a_heartbeat_is_answered_with_the_next_id(venue: Venue) -> None:
    client = client_of(venue, funded(venue, "ada", "eoa"))
    first = client.post_heartbeat("")
    assert client.post_heartbeat(first["heartbeat_id"])["heartbeat_id"]
    with pytest.raises(PolyApiException) as refused:
        client.post_heartbeat("another")
    assert refused.value.status_code == 400
    assert refused.value.error_msg["error_msg"] == "Invalid Heartbeat ID"


def test_an_order_signed_for_the_contracts_of_before_is_refused(venue: Venue) -> None:
    client = client_of(venue, funded(venue, "ada", "eoa"))
    from py_clob_client_v2 import OrderArgsV1, PartialCreateOrderOptions

    options = PartialCreateOrderOptions(tick_size="0.01", neg_risk=False, version=1)
    signed = client.create_order(OrderArgsV1(token_id=YES, price=0.41, size=10, side="BUY"), options)
    with pytest.raises(PolyApiException) as refused:
        client.post_order(signed)
    assert refusal(refused.value) == (400, "order_version_mismatch")
