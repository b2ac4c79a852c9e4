"""What is traded when processes die live: markets of every contract, books, an operator's wallet, plans.

At most one order of a plan takes from each book, so that what it gets does not hang on the order in which
orders arrive: whoever recovers can be held to the very numbers of whoever was never disturbed.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from betteroms.domain.money import to_micros
from betteroms.sandbox.seeding import TestWallet, admit_test_wallets
from betteroms.sandbox.seeding.resting import rest_levels
from betteroms.sandbox.world import World
from tests.sandbox.stage import ctf_market, position_market

MORNING: Final = datetime(2026, 11, 20, 8, 0, 30, tzinfo=UTC)
MARKETS: Final = (
    ctf_market("will-it-be-plain"),
    ctf_market("will-there-be-fees", fee_rate="0.04"),
    ctf_market("will-it-be-one-of-many", neg_risk=True),
    ctf_market("will-it-be-one-of-few", neg_risk=True, tick="0.001"),
    position_market("will-it-be-a-position"),
    ctf_market("will-it-be-fine", tick="0.001", fee_rate="0.07"),
)
PLAIN, FEES, MANY, FEW, POSITION, FINE = (market.slug for market in MARKETS)
BIDS: Final = (("0.40", "200"), ("0.38", "300"))
ASKS: Final = (("0.45", "100"), ("0.46", "300"))
Instruction = dict[str, Any]


def stage(world: World) -> None:
    """Put the markets, their books and the test wallets into a venue."""
    now_ms = world.now()
    for market in map(deepcopy, MARKETS):
        world.exchange.add_market(market, now_ms)
        left_out = rest_levels(world, market, bids=_levels(BIDS), asks=_levels(ASKS), now_ms=now_ms)
        assert left_out == []
    for wallet in admit_test_wallets(world):
        world.members.create_key(wallet.owner, 0)


def _levels(levels: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    return [(to_micros(price), to_micros(size)) for price, size in levels]


def token(slug: str, outcome: int = 0) -> str:
    """The token of a market's outcome."""
    return next(market for market in MARKETS if market.slug == slug).token_ids[outcome]


def condition(slug: str) -> str:
    return next(market for market in MARKETS if market.slug == slug).condition_id


def wish(slug: str, side: str, price: str | None, size: str, **more: Any) -> Instruction:
    """One instruction about shares of the first outcome, if not told otherwise; numbers are text."""
    priced = {} if price is None else {"price": price}
    told = {"outcome": "Yes", "sizeUnit": "SHARES", **more}
    return {"marketId": slug, "side": side, **priced, "size": size, **told}


def write(directory: Path, plan_id: str, instructions: Sequence[Instruction]) -> Path:
    """A live plan as a file."""
    path = directory / f"{plan_id}.json"
    document = {"planId": plan_id, "mode": "live", "tradeInstructions": list(instructions)}
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


FIRST: Final = (
    wish(PLAIN, "BUY", "0.45", "60", ref="bought"),
    wish(MANY, "BUY", "0.45", "50"),
    wish(POSITION, "BUY", "0.45", "40", timeInForce="FAK", sizeUnit="USDC"),
    wish(PLAIN, "BUY", "0.41", "30", ref="is-met"),
    wish(FEES, "BUY", "0.30", "20", ref="is-overdue", cancelAfterSec=7_200),
    wish(FEW, "BUY", "0.201", "15", timeInForce="GTD", cancelAfterSec=86_400),
)
"""What an operator begins with: the first order on each exchange goes alone."""
MANY_KINDS: Final = (
    wish(PLAIN, "BUY", "0.46", "150", ref="two-levels"),
    wish(PLAIN, "BUY", "0.30", "20", outcome="No"),
    wish(PLAIN, "BUY", "0.20", "10", postOnly=True, notes="Tab\there; größer ≥ 1 €"),
    wish(FEES, "BUY", "0.45", "20", timeInForce="FAK", sizeUnit="USDC"),
    wish(FEES, "BUY", "0.36", "25", timeInForce="GTD", cancelAfterSec=86_400),
    wish(FEES, "BUY", "0.40", "10", outcome="No", timeInForce="FOK", sizeUnit="USDC"),
    wish(MANY, "SELL", "0.40", "15", timeInForce="FAK"),
    wish(MANY, "SELL", "0.60", "10"),
    wish(MANY, "BUY", "0.30", "12", outcome="No"),
    wish(POSITION, "SELL", "0.38", "30"),
    wish(POSITION, "SELL", "0.70", "10", cancelAfterSec=86_400),
    wish(POSITION, "BUY", "0.35", "10", outcome="No"),
    wish(FINE, "BUY", "0.455", "60"),
    wish(FINE, "BUY", "0.101", "10", ref="deep"),
    wish(PLAIN, "BUY", "0.40", "900000", ref="too-much"),
    wish(FINE, "BUY", "0.2", "10", postOnly=True),
    wish(FEW, "BUY", "0.45", "120", ref="rests-in-part"),
    wish(FEW, "BUY", "0.111", "9", timeInForce="FAK"),
    wish(FEW, "BUY", None, "15", outcome="No", type="MARKET", sizeUnit="USDC", priceCeil="0.7"),
    wish(FEW, "BUY", "0.05", "40"),
)
"""Every kind of order on every exchange, in two batches."""


def settings_of(wallet: TestWallet, world: World, url: str) -> dict[str, str]:
    """The environment of an operator who trades with a test wallet at a venue with that address."""
    key = world.members.derive_key(wallet.owner, 0)
    return {
        "POLYMARKET_PRIVATE_KEY": wallet.private_key,
        "POLYMARKET_FUNDER": wallet.address,
        "POLYMARKET_API_KEY": key.key,
        "POLYMARKET_API_SECRET": key.secret,
        "POLYMARKET_API_PASSPHRASE": key.passphrase,
        "BETTEROMS_CLOB_URL": url,
        "BETTEROMS_GAMMA_URL": f"{url}/gamma",
        "BETTEROMS_DATA_URL": f"{url}/data-api",
        "BETTEROMS_RELAYER_URL": f"{url}/relayer",
        "BETTEROMS_RPC_URL": f"{url}/rpc",
        "BETTEROMS_WS_URL": f"{url.replace('http', 'ws', 1)}/ws",
    }
