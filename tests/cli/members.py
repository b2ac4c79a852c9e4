"""A sandbox venue with people who have money and have approved nothing, and their settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from betteroms.domain.money import to_micros
from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.chain.chain import POL
from betteroms.sandbox.relayer.keys import relayer_key
from betteroms.sandbox.world import World
from tests.sandbox.running import QUICK, Venue, sandbox_venue
from tests.sandbox.stage import KINDS, Trader, stage, trader

DOLLARS = "100"


def people() -> dict[str, Trader]:
    """One of each kind of wallet, with a key of its own."""
    return {kind: trader(f"member-{kind}", kind) for kind in KINDS}


@contextmanager
def members_venue() -> Iterator[Venue]:
    """The markets of the stage, and these people."""

    def prepare(world: World) -> None:
        stage(world)
        for somebody in people().values():
            world.members.know(somebody.signer)
            world.chain.fund(somebody.wallet, dollars=to_micros(DOLLARS), pol=POL)
            world.chain.wallets.deploy(somebody.wallet.lower())

    with sandbox_venue(prepare, options=QUICK) as venue:
        yield venue


def inside(venue: Venue) -> World:
    """What the venue knows."""
    assert venue.world is not None
    return venue.world


def hosts(venue: Venue) -> dict[str, str]:
    """Where the venue's services are."""
    return {
        "BETTEROMS_CLOB_URL": venue.url,
        "BETTEROMS_GAMMA_URL": f"{venue.url}/gamma",
        "BETTEROMS_DATA_URL": f"{venue.url}/data-api",
        "BETTEROMS_RELAYER_URL": f"{venue.url}/relayer",
        "BETTEROMS_RPC_URL": f"{venue.url}/rpc",
        "BETTEROMS_WS_URL": f"ws://127.0.0.1:{venue.port}/ws",
        "BETTEROMS_GEOBLOCK_URL": f"{venue.url}/api/geoblock",
    }


def keyed(venue: Venue, somebody: Trader, **changed: str) -> dict[str, str]:
    """The settings of somebody who has the key and knows the wallet."""
    own = {"POLYMARKET_PRIVATE_KEY": somebody.private_key, "POLYMARKET_FUNDER": somebody.wallet}
    return {**hosts(venue), **own, **changed}


def key_of(venue: Venue, somebody: Trader) -> ApiKey:
    """Somebody's API key, made now if need be."""
    made = inside(venue).members.keys_of(somebody.signer)
    return made[0] if made else inside(venue).members.create_key(somebody.signer, 0)


def member(venue: Venue, somebody: Trader, **changed: str) -> dict[str, str]:
    """The settings of somebody who can trade."""
    key = key_of(venue, somebody)
    own: dict[str, Any] = {
        "POLYMARKET_API_KEY": key.key,
        "POLYMARKET_API_SECRET": key.secret,
        "POLYMARKET_API_PASSPHRASE": key.passphrase,
        "POLYMARKET_RELAYER_API_KEY": relayer_key(inside(venue).name, somebody.signer),
    }
    return {**keyed(venue, somebody), **own, **changed}
