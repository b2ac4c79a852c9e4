"""The live executor at a sandbox with the very books of a test, over sockets and by the venue's client."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import httpx
from polymarket import SecureClient

from betteroms.adapters.polymarket.http import Patience, Service, new_client
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.member import Member
from betteroms.adapters.polymarket.membership import Membership, signing
from betteroms.adapters.polymarket.signing import OrderSigner
from betteroms.adapters.polymarket.wallets import wallets_of
from betteroms.domain.book import Book
from betteroms.domain.ids import TokenId
from betteroms.domain.market import Market
from betteroms.domain.order import Denial
from betteroms.domain.secret import Secret
from betteroms.domain.wallet import ApiCredentials, SignatureType
from betteroms.executors.live import LiveExecutor
from betteroms.pipeline import see
from betteroms.ports import Clock
from betteroms.ports.trading import Signer, Venue
from betteroms.sandbox.model import Market as SandboxMarket
from betteroms.sandbox.seeding import test_wallets
from betteroms.sandbox.seeding.resting import approve_trading, rest_levels
from betteroms.sandbox.world import World
from tests.sandbox.running import QUICK, sandbox_venue, sdk_environment
from tests.sandbox.running import Venue as Running

DOLLARS: Final = 1_000_000 * 1_000_000
SHARES: Final = 100_000 * 1_000_000
KIND: Final = "deposit"
"""The kind of wallet that trades here; that all kinds do is shown elsewhere."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at


class Open:
    """A live switch that is on."""

    def open(self) -> bool:
        return True


def stocked(world: World, market: Market, book: Book | None) -> None:
    """Give the venue the market, its book as seen from the first outcome, and us money and shares."""
    now_ms = world.now()
    theirs = SandboxMarket(
        condition_id=market.market_id,
        question_id=f"0x{'51' * 32}",
        gamma_id=market.gamma_id or "1",
        slug=market.slug or "a-market",
        question=market.question or "A market?",
        token_ids=(market.outcomes[0].token_id, market.outcomes[1].token_id),
        outcomes=("Yes", "No"),
        tick=int(market.tick_size or 10_000),
        minimum_size=int(market.minimum_size or 0),
        fee_rate=int(market.fees.rate),
        neg_risk=market.neg_risk,
        group_id=market.group_id,
        event_id="1",
        event_slug="an-event",
    )
    world.exchange.add_market(theirs, now_ms)
    if book is not None:
        bids, asks = ([(level.price, level.size) for level in side] for side in (book.bids, book.asks))
        assert not rest_levels(world, theirs, bids=bids, asks=asks, now_ms=now_ms)
    wallet = next(each for each in test_wallets(world.options.seed) if each.name == KIND)
    world.members.know(wallet.owner)
    approve_trading(world.bank, wallet.address)
    world.chain.fund(wallet.address, dollars=DOLLARS + SHARES)
    world.bank.split(wallet.address, theirs.condition_id, theirs.token_ids, SHARES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A member of a running venue: what a live executor needs of it."""

    venue: Venue
    signer: Signer

    def executor(self, market: Market, books: Mapping[TokenId, Book], clock: Clock) -> LiveExecutor:
        """A live executor for this market and these books, with nothing booked yet."""
        world = see([market], books)
        return LiveExecutor(
            venue=self.venue,
            signer=self.signer,
            gate=Open(),
            clock=clock,
            markets=world.markets,
            rules={token: rules for token, rules in world.rules.items() if not isinstance(rules, Denial)},
            booked={},
            proven=[self.signer.domain(market)],
        )


@contextmanager
def venue_with(market: Market, book: Book | None) -> Iterator[Running]:
    """A venue in a thread that has only this market."""
    options = replace(QUICK, rate_limited=False, mined_after_ms=3_600_000, confirmed_after_ms=3_600_000)
    with sandbox_venue(lambda world: stocked(world, market, book), options=options) as running:
        yield running


@contextmanager
def member(running: Running) -> Iterator[Access]:
    """Sign in there."""
    wallet = next(each for each in test_wallets(0) if each.name == KIND)
    owner = wallets_of(wallet.owner)[0].owner
    ours = next(each for each in wallets_of(owner) if each.address.lower() == wallet.address)
    with ExitStack() as stack:
        client = SecureClient.create(
            private_key=wallet.private_key, wallet=ours.address, environment=sdk_environment(running.port)
        )
        stack.callback(client.close)
        keys = client.credentials
        credentials = ApiCredentials(
            key=Secret(keys.key), secret=Secret(keys.secret), passphrase=Secret(keys.passphrase)
        )
        http: httpx.Client = stack.enter_context(new_client(Patience()))
        clock = Machine()
        service = Service(
            running.url,
            client=http,
            patience=Patience(),
            limiter=Limiter(per_second=1_000, burst=1_000),
            clock=clock,
            notes=[],
            signing=signing(credentials, owner=owner, clock=clock),
        )
        yield Access(
            venue=Member(
                client,
                api_key=keys.key,
                wallet=ours.address,
                ask_order=Membership(service, wallet=ours).order,
                orders=Limiter(per_second=100_000, burst=100_000),
            ),
            signer=OrderSigner(
                Secret(wallet.private_key), wallet=ours.address, signature_type=SignatureType.DEPOSIT
            ),
        )


class Machine:
    """The machine's time, which the venue's credentials are checked against."""

    def now(self) -> datetime:
        return datetime.now(UTC)
