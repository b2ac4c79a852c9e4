"""The venue's own client reads the catalogue and the Data API, unmodified but for the address."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from polymarket import PublicClient

from betteroms.domain.terms import Side
from betteroms.sandbox.activity import Activity, ActivityKind
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.hashing import checksum
from betteroms.sandbox.model import MICROS
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.seeding import test_wallets as wallets_of_seed
from betteroms.sandbox.world import Options, World
from tests.sandbox.data.asking import ADA, BOOKS, NOON_MS, go_on, market, trade
from tests.sandbox.running import sandbox_venue, sdk_environment

LAKE = "will-lake-constance-freeze-over-before-2036"
MARS = "will-people-land-on-mars-before-2036"
CHESS = "will-reykjavik-host-the-2036-chess-olympiad"
ENDED = "will-the-2025-lighthouse-census-pass-20000"


def lived_in(world: World) -> None:
    """Recorded books, and a wallet that bought of three markets, split, merged and redeemed."""
    assert seed_world(world, BOOKS) == []
    world.bank.move({(ADA, None): 1_000 * MICROS})
    for slug, price in ((LAKE, "0.42"), (MARS, "0.30"), (CHESS, "0.124")):
        trade(world, ADA, market(world, slug), Side.BUY, price, "50")
    go_on(world, 10_000)
    chess = market(world, CHESS)
    for kind, shares in ((ActivityKind.SPLIT, 20), (ActivityKind.MERGE, 15), (ActivityKind.REDEEM, 5)):
        convert = {ActivityKind.SPLIT: world.bank.split, ActivityKind.MERGE: world.bank.merge}.get(kind)
        if convert:
            convert(ADA, chess.condition_id, chess.token_ids, shares * MICROS)
        activity = Activity(
            kind=kind,
            owner=ADA,
            market=chess,
            shares=(shares * MICROS, shares * MICROS),
            dollars=shares * MICROS,
            at_ms=world.now(),
            transaction_hash="0x" + "5" * 64,
        )
        world.activities.add(activity)


@pytest.fixture(scope="module")
def client() -> Iterator[PublicClient]:
    with sandbox_venue(lived_in, options=Options(), clock=HandClock(NOON_MS)) as venue:
        client = PublicClient(environment=sdk_environment(venue.port))
        yield client
        client.close()


def test_markets_and_events(client: PublicClient) -> None:
    markets = {one.slug: one for one in client.list_markets(page_size=2).iter_items()}
    assert len(markets) == 4
    lake, mars = markets[LAKE], markets[MARS]
    assert (lake.prices.best_bid, lake.prices.best_ask) == (Decimal("0.4"), Decimal("0.42"))
    assert (lake.trading.minimum_tick_size, lake.trading.minimum_order_size) == (Decimal("0.01"), Decimal(5))
    assert lake.trading.fee_schedule is not None
    assert lake.trading.fee_schedule.rate == Decimal("0.05")
    assert mars.outcomes.yes.position_id is not None
    assert mars.outcomes.yes.token_id is None
    assert str(mars.resolution.resolution_status) == "active"
    ended = client.get_market(slug=ENDED)
    assert ended.state.closed_time is not None
    assert (ended.outcomes.yes.price, str(ended.resolution.uma_resolution_status)) == (Decimal(1), "resolved")
    assert client.get_market(id=lake.id).slug == LAKE
    (by_token,) = client.list_markets(clob_token_ids=str(lake.outcomes.no.token_id)).first_page().items
    assert by_token == client.get_market(id=lake.id)
    events = list(client.list_events(page_size=1).iter_items())
    assert [one.slug for event in events for one in event.markets] == list(markets)
    assert client.get_event(slug="people-on-mars").id == client.get_event(id="910004").id == "910004"
    found = client.search(q="chess olympiad").first_page().items
    assert [
        event.slug for result in (found if isinstance(found, tuple) else (found,)) for event in result.events
    ]


def test_positions_trades_and_activity(client: PublicClient) -> None:
    positions = {one.slug: one for one in client.list_positions(user=ADA, page_size=2).iter_items()}
    assert set(positions) == {LAKE, MARS, CHESS}
    lake = positions[LAKE]
    assert (lake.current_size, lake.avg_price, str(lake.status)) == (Decimal(50), Decimal("0.42"), "OPEN")
    trades = list(client.list_trades(user=ADA, page_size=2).iter_items())
    assert sorted(one.price for one in trades) == [Decimal("0.124"), Decimal("0.3"), Decimal("0.42")]
    activity = list(client.list_activity(user=ADA, page_size=4).iter_items())
    assert [one.type for one in activity] == ["REDEEM", "MERGE", "SPLIT", "TRADE", "TRADE", "TRADE"]
    assert client.get_portfolio_value(user=ADA).value > 0


def test_resolutions_tokens_and_approvals(client: PublicClient) -> None:
    ended = client.get_market(slug=ENDED)
    (resolution,) = client.get_resolutions(condition_ids=str(ended.condition_id))
    assert (resolution.status, resolution.payouts) == ("resolved", (Decimal(1), Decimal(0)))
    lake = client.get_market(slug=LAKE)
    (token,) = client.get_token_references(asset_ids=str(lake.outcomes.no.token_id))
    assert (token.module, token.outcome, token.event_id) == ("v1_ctf", "No", "910001")
    state = client.get_trading_approvals_state(wallet=checksum(wallets_of_seed(0)[0].address))
    assert len(state.missing.erc20) == 1  # the deposit of the perps
    assert len(state.missing.erc1155) == 2  # the auto-redeemer, of either contract
