"""Approvals, conversions and wallets through the venue's own client, over a real socket."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from typing import Any

import httpx
import pytest
from polymarket import AsyncSecureClient, BuilderApiKey, RelayerApiKey, SecureClient
from polymarket.errors import RequestRejectedError, TransactionFailedError

from betteroms.domain.money import to_micros
from betteroms.sandbox import addresses
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.chain.chain import POL
from betteroms.sandbox.model import Market
from betteroms.sandbox.relayer import builder_key, relayer_key
from betteroms.sandbox.signing.wallets import deposit_wallet
from betteroms.sandbox.world import World
from tests.sandbox.running import QUICK, Venue, sandbox_venue, sdk_environment
from tests.sandbox.stage import KINDS, Trader, ctf_market, position_market, trader
from tests.vectors import vector

PROTOCOLS = ("plain", "grouped", "position")
NEVER_RESOLVED = ("deposit", "unresolved")
FIVE = to_micros("5")
APPROVALS = {(row["token"].lower(), row["spender"].lower()) for row in vector("allowances")["data"]}


def own_market(kind: str, like: str) -> Market:
    """A market for one wallet's test, so that it may be resolved."""
    slug = f"{like}-for-{kind}"
    return position_market(slug) if like == "position" else ctf_market(slug, neg_risk=like == "grouped")


def prepare(world: World) -> None:
    for kind, like in [*product(KINDS, PROTOCOLS), NEVER_RESOLVED]:
        world.exchange.add_market(own_market(kind, like), world.now())


@pytest.fixture(scope="module")
def venue() -> Iterator[Venue]:
    with sandbox_venue(prepare, options=replace(QUICK, rate_limited=False)) as running:
        yield running


def inside(venue: Venue) -> World:
    assert venue.world is not None
    return venue.world


def client_of(venue: Venue, somebody: Trader, **more: Any) -> SecureClient:
    """A client for somebody who has money, and POL for gas."""
    world = inside(venue)
    world.members.know(somebody.signer)
    world.chain.fund(somebody.wallet, dollars=to_micros("100"), pol=POL)
    key = RelayerApiKey(key=relayer_key(world.name, somebody.signer), address=somebody.signer)
    return SecureClient.create(
        private_key=somebody.private_key,
        wallet=somebody.wallet,
        environment=sdk_environment(venue.port),
        **{"api_key": key, **more},
    )


@pytest.fixture(scope="module")
def clients(venue: Venue) -> Iterator[dict[str, SecureClient]]:
    """One for each kind of wallet: making a client takes longer than most of what it does here."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(client_of(venue, trader("tester", kind))) for kind in KINDS}


def approvals_of(world: World, wallet: str) -> set[tuple[str, str]]:
    dollars = {
        (addresses.PUSD, spender)
        for (owner, spender), amount in world.bank.allowances.items()
        if owner == wallet.lower() and amount == UNLIMITED
    }
    return dollars | {
        (token, operator) for owner, token, operator in world.bank.operators if owner == wallet.lower()
    }


def approve_conversions(world: World, owner: str) -> None:
    for spender in (addresses.COLLATERAL_ADAPTER, addresses.NEG_RISK_COLLATERAL_ADAPTER, addresses.ROUTER):
        world.bank.approve(owner, spender, UNLIMITED)
        for token in (addresses.CONDITIONAL_TOKENS, addresses.POSITION_MANAGER):
            world.bank.set_operator(owner, token, spender, allowed=True)


def forget_approvals(world: World, owner: str) -> None:
    for pair in [pair for pair in world.bank.allowances if pair[0] == owner]:
        world.bank.allowances[pair] = 0
    world.bank.operators -= {one for one in world.bank.operators if one[0] == owner}


@pytest.mark.parametrize("kind", KINDS)
def test_all_trading_approvals_are_set_up(kind: str, venue: Venue, clients: dict[str, SecureClient]) -> None:
    client, world = clients[kind], inside(venue)
    owner = client.wallet.lower()
    forget_approvals(world, owner)
    assert not client.get_trading_approvals_state().is_fully_approved
    client.setup_trading_approvals()
    assert client.get_trading_approvals_state().is_fully_approved
    assert approvals_of(world, owner) == APPROVALS


@pytest.mark.parametrize("kind", KINDS)
def test_single_approvals_are_given_and_taken_back(
    kind: str, venue: Venue, clients: dict[str, SecureClient]
) -> None:
    client, world = clients[kind], inside(venue)
    owner, spender = client.wallet.lower(), addresses.EXCHANGE
    for amount in (FIVE, 0):
        client.approve_erc20(token_address=addresses.PUSD, spender_address=spender, amount=amount).wait()
        assert world.bank.allowance(owner, spender) == amount
    token = addresses.CONDITIONAL_TOKENS
    for allowed in (True, False):
        client.approve_erc1155_for_all(token_address=token, operator_address=spender, approved=allowed).wait()
        assert world.bank.is_operator(owner, token, spender) is allowed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("like", PROTOCOLS)
def test_a_set_is_split_merged_and_what_is_left_redeemed(
    kind: str, like: str, venue: Venue, clients: dict[str, SecureClient]
) -> None:
    client, world = clients[kind], inside(venue)
    owner = client.wallet.lower()
    market = world.exchange.markets[own_market(kind, like).condition_id]
    before = world.bank.balance(owner)
    approve_conversions(world, owner)

    client.split_position(condition_id=market.condition_id, amount=FIVE).wait()
    client.merge_positions(condition_id=market.condition_id, amount=to_micros("2")).wait()
    assert world.bank.balance(owner) == before - to_micros("3")
    assert world.bank.balance(owner, market.token_ids[0]) == to_micros("3")
    world.exchange.resolve(market, (1_000_000, 0), world.clock.now_ms())
    client.redeem_positions(condition_id=market.condition_id).wait()

    assert world.bank.balance(owner) == before
    assert world.bank.balance(owner, market.token_ids[0]) == 0


def test_a_deposit_wallet_is_made_for_a_new_account(venue: Venue) -> None:
    somebody = trader("newcomer", "deposit")
    world = inside(venue)
    key = RelayerApiKey(key=relayer_key(world.name, somebody.signer), address=somebody.signer)
    with SecureClient.create(
        private_key=somebody.private_key, environment=sdk_environment(venue.port), api_key=key
    ) as client:
        assert client.wallet.lower() == deposit_wallet(somebody.signer)
        assert world.chain.wallets.deployed(client.wallet.lower())


def test_the_builder_key_opens_the_relayer_too(venue: Venue) -> None:
    somebody = trader("builder", "deposit")
    key = builder_key(inside(venue).name)
    shown = BuilderApiKey(key=key.key, secret=key.secret, passphrase=key.passphrase)
    with client_of(venue, somebody, api_key=shown) as client:
        client.approve_erc20(
            token_address=addresses.PUSD, spender_address=addresses.EXCHANGE, amount=FIVE
        ).wait()


@pytest.mark.parametrize(
    "key",
    [
        RelayerApiKey(key="another", address=addresses.PUSD),
        BuilderApiKey(key="another", secret="c2VjcmV0", passphrase="x"),
    ],
)
def test_a_wrong_key_does_not(key: Any, venue: Venue) -> None:
    with client_of(venue, trader("stranger", "safe"), api_key=key) as client:
        with pytest.raises(RequestRejectedError, match="invalid authorization") as refused:
            client.setup_trading_approvals()
        assert refused.value.status == 401


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_on_the_chain_fails_at_the_client(kind: str, clients: dict[str, SecureClient]) -> None:
    failing = RequestRejectedError if kind == "eoa" else TransactionFailedError
    with pytest.raises(failing, match="execution reverted"):
        clients[kind].transfer_erc20(
            token_address=addresses.PUSD,
            recipient_address=addresses.FEE_RECEIVER,
            amount=to_micros("101"),
        ).wait()


def test_no_key_is_needed_to_ask_whether_a_wallet_is_there(venue: Venue) -> None:
    wallet = trader("nobody", "deposit").wallet
    assert venue.get(f"/relayer/deployed?address={wallet}&type=WALLET") == {"deployed": False}
    assert httpx.get(f"{venue.url}/relayer/deployed?address=0x12").status_code == 400
    assert httpx.post(f"{venue.url}/relayer/submit", json={}).status_code == 401


def test_the_async_client_does_it_as_well(venue: Venue) -> None:
    somebody = trader("sleeper", "deposit")
    world, market = inside(venue), own_market(*NEVER_RESOLVED)
    world.members.know(somebody.signer)
    world.chain.fund(somebody.wallet, dollars=to_micros("100"))

    async def play() -> None:
        client = await AsyncSecureClient.create(
            private_key=somebody.private_key,
            wallet=somebody.wallet,
            environment=sdk_environment(venue.port),
            api_key=RelayerApiKey(key=relayer_key(world.name, somebody.signer), address=somebody.signer),
        )
        try:
            await client.setup_trading_approvals()
            await (await client.split_position(condition_id=market.condition_id, amount=FIVE)).wait()
        finally:
            await client.close()

    asyncio.run(play())
    assert world.bank.balance(somebody.wallet.lower(), market.token_ids[1]) == FIVE
