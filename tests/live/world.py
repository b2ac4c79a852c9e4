"""The sandbox as a live venue, and an operator who trades there with one of its test wallets."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from polymarket import SecureClient

from betteroms.domain.money import to_micros, to_text
from betteroms.sandbox.seeding import seed_world, test_wallets
from betteroms.sandbox.world import World
from tests.cli.conftest import Ran
from tests.sandbox.running import QUICK, Venue, sandbox_venue, sdk_environment

SNOW: Final = "will-it-snow-in-zurich-this-month"
CUP: Final = "will-bregenz-win-the-lake-cup"
MOON: Final = "will-people-walk-on-the-moon-this-year"
TREATY: Final = "will-the-three-cantons-sign-a-treaty"


def _fill(world: World) -> None:
    seed_world(world, None)


@contextmanager
def sandbox(*, rate_limited: bool = False) -> Iterator[Venue]:
    """A venue with its own markets and test wallets, that settles in less than a tenth of a second."""
    with sandbox_venue(_fill, options=replace(QUICK, rate_limited=rate_limited)) as running:
        yield running


class Operator:
    """Trades by the command line, with the test wallet of a kind and what the environment needs for it."""

    def __init__(
        self,
        cli: Callable[..., Ran],
        venue: Venue,
        directory: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        kind: str,
    ) -> None:
        self.venue = venue
        self._cli = cli
        self.directory = directory
        self.wallet = next(wallet for wallet in test_wallets(0) if wallet.name == kind)
        self.environment = environment(venue, kind)
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)

    def __call__(self, *words: str, **environment: str) -> Ran:
        return self._cli(*words, **environment)

    def plan(self, *instructions: Mapping[str, Any], plan_id: str = "june", **fields: Any) -> Path:
        """A live plan, as a file."""
        path = self.directory / f"{plan_id}.json"
        document = {"planId": plan_id, "mode": "live", "tradeInstructions": list(instructions), **fields}
        path.write_text(json.dumps(document))
        return path

    def ready(self) -> None:
        """Look at a live plan and turn the switch on."""
        plan = self.plan(buy(SNOW, 0.01, 500), plan_id="a-look")
        looked = self("preview", str(plan))
        assert looked.code == 0, looked.err
        turned = self("live", "on", "--yes")
        assert turned.code == 0, turned.err

    def trade(self, *instructions: Mapping[str, Any], plan_id: str = "june", **fields: Any) -> Ran:
        """Carry a live plan out without being asked."""
        return self("trade", str(self.plan(*instructions, plan_id=plan_id, **fields)), "--yes", "--json")

    def filled(self, market: str, price: str, size: str) -> None:
        """Somebody sells into our bid at this price, through everything that stands before it."""
        at = to_micros(price)
        bids = [row for row in self.orders() if row["status"] == "LIVE" and row["price"] == at]
        levels = self.venue.get(f"/book?token_id={bids[0]['token_id']}")["bids"]
        ours = sum(row["size"] - row["matched"] for row in bids if row["token_id"] == bids[0]["token_id"])
        before = sum(to_micros(level["size"]) for level in levels if to_micros(level["price"]) >= at)
        amount = to_text(before - ours + to_micros(size))
        self.venue.told("quote", market=market, outcome=0, side="SELL", price=price, size=amount, kind="FAK")

    def orders(self) -> list[dict[str, Any]]:
        """Every order of the wallet that the venue ever took, as its audit tells them."""
        rows = self.venue.get("/sandbox/audit?section=orders")["rows"]
        return [row for row in rows if row["maker"] == self.wallet.address]


def environment(venue: Venue, kind: str) -> dict[str, str]:
    """The settings that lead to the venue, with a test wallet's key and its API credentials."""
    wallet = next(wallet for wallet in test_wallets(0) if wallet.name == kind)
    client = SecureClient.create(
        private_key=wallet.private_key, wallet=wallet.address, environment=sdk_environment(venue.port)
    )
    credentials = client.credentials
    client.close()
    http = venue.url
    return {
        "POLYMARKET_PRIVATE_KEY": wallet.private_key,
        "POLYMARKET_FUNDER": wallet.address,
        "POLYMARKET_API_KEY": credentials.key,
        "POLYMARKET_API_SECRET": credentials.secret,
        "POLYMARKET_API_PASSPHRASE": credentials.passphrase,
        "BETTEROMS_CLOB_URL": http,
        "BETTEROMS_GAMMA_URL": f"{http}/gamma",
        "BETTEROMS_DATA_URL": f"{http}/data-api",
        "BETTEROMS_RELAYER_URL": f"{http}/relayer",
        "BETTEROMS_RPC_URL": f"{http}/rpc",
        "BETTEROMS_WS_URL": f"ws://127.0.0.1:{venue.port}/ws",
    }


def buy(market: str, price: float, size: float, **fields: Any) -> dict[str, Any]:
    """A BUY of shares of the first outcome."""
    return {
        "marketId": market,
        "outcome": "YES",
        "side": "BUY",
        "price": price,
        "size": size,
        "sizeUnit": "SHARES",
        **fields,
    }


def sell(market: str, price: float, size: float, **fields: Any) -> dict[str, Any]:
    """A SELL of shares of the first outcome."""
    return {**buy(market, price, size, **fields), "side": "SELL"}
