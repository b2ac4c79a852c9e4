"""A chain and a relayer that are written down and taken up again; and what calls can never do."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from betteroms.sandbox import addresses, state
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.chain import Call
from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.invariants import checked
from betteroms.sandbox.relayer.relayer import State
from betteroms.sandbox.world import Options, World
from tests.sandbox.chain.scene import (
    ACCOUNT,
    DOLLARS,
    OTHER,
    STARTS_MS,
    data_of,
    holdings,
    later,
    new_world,
    result,
    signed_raw,
    unchanged,
)
from tests.sandbox.chain.test_contracts import MERGE, REDEEM, SHARE_MOVE, SPLIT, condition_of
from tests.sandbox.chain.test_relayer import APPROVAL, DEPOSIT, PAYMENT, batch
from tests.sandbox.stage import PLAIN, POSITION

APPROVE = data_of("approve(address,uint256)", addresses.EXCHANGE, 5)


def taken_up(world: World) -> World:
    """The same venue in another process."""
    written = json.dumps(state.dump(world))
    other = World(Options(), HandClock(STARTS_MS))
    state.restore(other, json.loads(written), now_ms=world.now())
    return other


def test_what_was_mined_is_told_the_same_afterwards() -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE))
    later(world)
    other = taken_up(world)
    for method in ("eth_getTransactionReceipt", "eth_getTransactionByHash"):
        assert result(other, method, sent) == result(world, method, sent)
    assert result(other, "eth_blockNumber") == result(world, "eth_blockNumber")
    assert result(other, "eth_getTransactionCount", ACCOUNT, "latest") == "0x1"
    assert holdings(other) == holdings(world)


def test_a_transaction_that_waits_is_mined_all_the_same() -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE))
    other = taken_up(world)
    assert result(other, "eth_getTransactionReceipt", sent) is None
    later(other)
    assert result(other, "eth_getTransactionReceipt", sent)["status"] == "0x1"
    assert other.bank.allowance(ACCOUNT, addresses.EXCHANGE) == 5


def test_the_relayer_goes_on_where_it_was() -> None:
    world = new_world()
    world.chain.fund(DEPOSIT, dollars=10)
    world.relayer.submit(batch([APPROVAL]))
    later(world)
    waiting = world.relayer.submit(batch([PAYMENT], nonce=1))
    other = taken_up(world)
    later(other)
    assert other.relayer.job(waiting.id).state is State.MINED
    assert other.bank.balance(OTHER) == 5
    assert other.relayer.nonce(ACCOUNT, "WALLET") == 2


def test_the_same_requests_leave_the_same_chain() -> None:
    first, second = new_world(), new_world()
    for world in (first, second):
        world.chain.fund(DEPOSIT, dollars=10)
        world.relayer.submit(batch([APPROVAL, PAYMENT]))
        result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE))
        later(world, 10_000)
    assert first.chain.dump() == second.chain.dump()
    assert first.relayer.dump() == second.relayer.dump()


AMOUNTS = st.integers(0, 2 * DOLLARS) | st.sampled_from([0, 1, DOLLARS, UNLIMITED])
PEOPLE = st.sampled_from([ACCOUNT, OTHER, addresses.COLLATERAL_ADAPTER])
SPENDERS = st.sampled_from(
    [OTHER, addresses.COLLATERAL_ADAPTER, addresses.ROUTER, addresses.COLLATERAL_ONRAMP]
)
TOKENS = st.sampled_from([int(PLAIN.token_ids[0]), int(POSITION.token_ids[1]), 7])
CONTRACTS = st.sampled_from([addresses.CONDITIONAL_TOKENS, addresses.POSITION_MANAGER])
COINS = st.sampled_from([addresses.PUSD, addresses.USDC_E])
ADAPTER, ROUTER = st.just(addresses.COLLATERAL_ADAPTER), st.just(addresses.ROUTER)


def made_of(signature: str, *values: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    return st.tuples(*values).map(lambda drawn: data_of(signature, *drawn))


POSITION_CONDITION = st.just(condition_of(POSITION))
HALVES = [st.just(part) for part in (addresses.PUSD, bytes(32), condition_of(PLAIN), [1, 2])]
MESSAGES = st.one_of(
    st.tuples(COINS, made_of("approve(address,uint256)", SPENDERS, AMOUNTS)),
    st.tuples(COINS, made_of("transfer(address,uint256)", PEOPLE, AMOUNTS)),
    st.tuples(COINS, made_of("transferFrom(address,address,uint256)", PEOPLE, PEOPLE, AMOUNTS)),
    st.tuples(CONTRACTS, made_of("setApprovalForAll(address,bool)", SPENDERS, st.booleans())),
    st.tuples(CONTRACTS, made_of(SHARE_MOVE, PEOPLE, PEOPLE, TOKENS, AMOUNTS, st.just(b""))),
    st.tuples(ADAPTER, made_of(SPLIT, *HALVES, AMOUNTS)),
    st.tuples(ADAPTER, made_of(MERGE, *HALVES, AMOUNTS)),
    st.tuples(ADAPTER, made_of(REDEEM, *HALVES)),
    st.tuples(ROUTER, made_of("split(bytes31,uint256)", POSITION_CONDITION, AMOUNTS)),
    st.tuples(ROUTER, made_of("merge(bytes31,uint256)", POSITION_CONDITION, AMOUNTS)),
    st.tuples(
        ROUTER,
        made_of("redeem(bytes31,uint256,uint256)", POSITION_CONDITION, st.integers(0, 2), AMOUNTS),
    ),
    st.tuples(
        st.just(addresses.COLLATERAL_ONRAMP),
        made_of("wrap(address,address,uint256)", st.just(addresses.USDC_E), PEOPLE, AMOUNTS),
    ),
)
CALLS = st.builds(
    lambda sender, message: Call(sender=sender, to=message[0], data=message[1]),
    st.sampled_from([ACCOUNT, OTHER]),
    MESSAGES,
)


@given(st.lists(CALLS, max_size=12), st.integers(0, 12), st.integers(0, 1_000_000))
def test_no_calls_make_or_lose_money_and_a_revert_leaves_nothing(
    made: list[Call], resolved_at: int, payout: int
) -> None:
    world = new_world()
    for contract in (addresses.COLLATERAL_ADAPTER, addresses.ROUTER):
        world.bank.approve(ACCOUNT, contract, UNLIMITED)
        world.bank.set_operator(ACCOUNT, addresses.CONDITIONAL_TOKENS, contract, allowed=True)
        world.bank.set_operator(ACCOUNT, addresses.POSITION_MANAGER, contract, allowed=True)
    for at, call in enumerate(made):
        if at == resolved_at:
            for market in world.exchange.markets.values():
                world.exchange.resolve(market, (payout, 1_000_000 - payout), world.now())
        with unchanged(world):
            try:
                world.chain.call(call)
                reverts = False
            except Revert:
                reverts = True
        try:
            world.chain.contracts.run([call])
        except Revert:
            assert reverts
    assert {name: found for name, found in checked(world).items() if found} == {}
