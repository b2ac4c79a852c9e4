"""The two amounts of an order: beside the venue's client over every tick, and where floats go wrong."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket import SecureClient, UserInputError

from betteroms.adapters.polymarket.signing import AMOUNT_STEPS, Amounts, amounts
from betteroms.domain.money import MICROS, Price, Size, Usdc, floor_to, to_micros, to_text
from betteroms.domain.terms import Amount, Dollars, Shares, Side
from betteroms.sandbox.model import Market
from betteroms.sandbox.world import World
from tests.domain.examples import an_intent, an_order
from tests.sandbox.running import QUICK, Venue, sandbox_venue, sdk_environment
from tests.sandbox.stage import ctf_market, trader
from tests.vectors import vector

ROWS: list[dict[str, Any]] = vector("amounts")["data"]
LOT = to_micros("0.01")
TICKS = sorted(AMOUNT_STEPS)
TRADER = trader("amounts", "eoa")
SIZES = ("5.02", "8.03", "79.99", "1234.57", "99999.99")
DOLLARS = ("1", "1.13", "17.77", "250", "9999.99")


def ours(side: Side, amount: Amount, at: Price, tick: int) -> Amounts:
    return amounts(an_order(an_intent(side=side), amount=amount, limit_price=at), tick=Price(tick))


def pair(found: Amounts) -> list[int]:
    return [found.maker, found.taker]


def of_row(row: dict[str, Any]) -> Amounts:
    size = Size(floor_to(int(Decimal(row["size"]) * MICROS), LOT))
    at, tick = Price(to_micros(row["price"])), to_micros(row["tick"])
    return ours(Side(row["side"]), Shares(size=size), at, tick)


def market_of(tick: int) -> Market:
    return ctf_market(f"amounts-at-{tick}", tick=to_text(tick))


@pytest.fixture(scope="module")
def venue() -> Iterator[Venue]:
    def prepare(world: World) -> None:
        for tick in TICKS:
            world.exchange.add_market(market_of(tick), world.now())

    with sandbox_venue(prepare, options=replace(QUICK, rate_limited=False)) as running:
        yield running


@pytest.fixture(scope="module")
def client(venue: Venue) -> Iterator[SecureClient]:
    made = SecureClient.create(
        private_key=TRADER.private_key, wallet=TRADER.wallet, environment=sdk_environment(venue.port)
    )
    yield made
    made.close()


def test_every_known_pair_is_ours() -> None:
    wrong = [row for row in ROWS if pair(of_row(row)) != row["polymarket_client"]]
    assert wrong == []
    assert {to_micros(row["tick"]) for row in ROWS} == set(TICKS)


def test_floats_lose_a_lot_where_we_do_not() -> None:
    told_apart = [row for row in ROWS if row.get("differ")]
    assert len(told_apart) > 200
    for row in told_apart:
        floats = row["py_clob_client_v2"]
        assert pair(of_row(row)) != floats
        shares = 1 if row["side"] == "BUY" else 0
        assert pair(of_row(row))[shares] - floats[shares] == LOT


def test_the_older_clients_way_of_flooring_loses_these_lots() -> None:
    for text in ("5.02", "8.03", "1.13"):
        size, floats = Size(to_micros(text)), int(float(text) * 100) * LOT
        found = ours(Side.SELL, Shares(size=size), Price(500_000), 10_000).maker
        assert (found, found - floats) == (size, LOT)


@pytest.mark.parametrize("tick", TICKS)
def test_on_the_whole_grid_of_prices_every_product_is_exact(tick: int) -> None:
    for at, text in product(range(tick, MICROS, tick), SIZES):
        size = Size(to_micros(text))
        bought = ours(Side.BUY, Shares(size=size), Price(at), tick)
        sold = ours(Side.SELL, Shares(size=size), Price(at), tick)
        assert bought.maker * MICROS == at * size
        assert (bought.maker, bought.taker) == (sold.taker, sold.maker)
        assert bought.maker % AMOUNT_STEPS[Price(tick)] == 0


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_dollar_buy_never_says_a_price_below_its_limit_nor_a_step_too_few(data: st.DataObject) -> None:
    tick = data.draw(st.sampled_from(TICKS))
    at = data.draw(st.integers(1, MICROS // tick - 1)) * tick
    spent = Usdc(data.draw(st.integers(1, 10**9)) * LOT)
    found = ours(Side.BUY, Dollars(usdc=spent), Price(at), tick)
    step = AMOUNT_STEPS[Price(tick)]
    assert found.maker == spent
    assert found.taker % step == 0
    assert found.taker * at <= spent * MICROS < (found.taker + step) * at


@pytest.mark.parametrize("tick", TICKS)
def test_the_venues_client_makes_the_same_amounts(tick: int, client: SecureClient) -> None:
    token = market_of(tick).token_ids[0]
    steps = MICROS // tick
    prices = sorted({1, 2, steps // 3, steps // 2, steps - 2, steps - 1} - {0})
    for step, text, side in product(prices, SIZES, Side):
        at = Price(step * tick)
        signed = client.create_limit_order(asset_id=token, price=to_text(at), size=text, side=side.value)
        found = ours(side, Shares(size=Size(to_micros(text))), at, tick)
        assert [signed.maker_amount, signed.taker_amount] == pair(found), (text, at, side)


@pytest.mark.parametrize("tick", TICKS)
def test_the_venues_client_makes_the_same_of_dollars(tick: int, client: SecureClient) -> None:
    token = market_of(tick).token_ids[0]
    steps = MICROS // tick
    compared = 0
    for step, text in product(sorted({1, steps // 3, steps // 2, steps - 1}), DOLLARS):
        at, spent = Price(step * tick), Usdc(to_micros(text))
        found = ours(Side.BUY, Dollars(usdc=spent), at, tick)
        try:
            signed = client.create_market_order(
                asset_id=token, side="BUY", amount=text, max_price=to_text(at), order_type="FAK"
            )
        except UserInputError:
            continue  # it refuses what rounding would put into the next step of the price
        compared += 1
        assert [signed.maker_amount, signed.taker_amount] == pair(found), (text, at)
    assert compared >= 10
