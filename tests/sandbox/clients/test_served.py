"""A venue as users start it, with its invented markets and its test wallets, traded by the unified SDK."""

import time
from typing import Any

import pytest

from betteroms.sandbox.seeding import test_wallets as wallets_to_rehearse_with
from tests.sandbox.clients.unified import all_items, play, secure, told
from tests.sandbox.running import Venue
from tests.sandbox.stage import KINDS, Trader

SETTLING_SECONDS_MAX = 15


def rehearsing(kind: str) -> Trader:
    """The test wallet of this kind that every venue of seed 0 knows."""
    (wallet,) = [each for each in wallets_to_rehearse_with(0) if each.name == kind]
    return Trader(
        private_key=wallet.private_key, signer=wallet.owner, wallet=wallet.address, kind=wallet.name
    )


def first_outcome(client: Any, slug: str) -> str:
    """What trades: a token, or on the newer contracts a position."""
    outcome = client.get_market(slug=slug).outcomes.yes
    return str(outcome.token_id or outcome.position_id)


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_wallet_trades_at_once(kind: str, process_venue: Venue) -> None:
    slugs = (
        "will-it-snow-in-zurich-this-month",
        "will-bregenz-win-the-lake-cup",
        "will-people-walk-on-the-moon-this-year",
    )

    async def scenario() -> None:
        async with secure("sync", process_venue, rehearsing(kind)) as client:
            for slug in slugs:
                token = first_outcome(client, slug)
                best = client.get_order_book(asset_id=token).asks[-1].price
                order = client.create_market_order(
                    asset_id=token, side="BUY", amount=10, max_price=best, order_type="FAK"
                )
                assert client.post_order(order).status == "matched"
            assert len(await all_items(client.list_account_trades())) >= len(slugs)

    play(scenario)
    audit = process_venue.get("/sandbox/audit")
    assert [each["name"] for each in audit["invariants"] if not each["holds"]] == []


def test_what_takes_in_a_game_waits_for_its_match(process_venue: Venue) -> None:
    async def scenario() -> None:
        async with secure("sync", process_venue, rehearsing("deposit")) as client:
            token = first_outcome(client, "alpine-league-final-chamois-marmots")
            order = client.create_market_order(asset_id=token, side="BUY", amount=10, order_type="FOK")
            placed = client.post_order(order)
            assert (placed.status, placed.trade_ids) == ("delayed", ())
            deadline = time.monotonic() + SETTLING_SECONDS_MAX
            while (await told(client.get_order(order_id=placed.order_id))).status != "MATCHED":
                assert time.monotonic() < deadline
                time.sleep(0.1)

    play(scenario)
