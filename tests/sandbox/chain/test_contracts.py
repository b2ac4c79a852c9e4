"""What the venue's contracts do when they are called, and what they refuse."""

import pytest

from betteroms.domain.money import to_micros
from betteroms.sandbox import addresses
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.chain import Call
from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.model import Market, Protocol
from betteroms.sandbox.world import World
from tests.sandbox.chain.scene import (
    ACCOUNT,
    DOLLARS,
    OTHER,
    data_of,
    does,
    market_of,
    new_world,
    number,
    unchanged,
)
from tests.sandbox.stage import GROUPED, PLAIN, POSITION
from tests.vectors import vector

APPROVE = "approve(address,uint256)"
APPROVE_ALL = "setApprovalForAll(address,bool)"
SPLIT = "splitPosition(address,bytes32,bytes32,uint256[],uint256)"
MERGE = "mergePositions(address,bytes32,bytes32,uint256[],uint256)"
REDEEM = "redeemPositions(address,bytes32,bytes32,uint256[])"
SHARE_MOVE = "safeTransferFrom(address,address,uint256,uint256,bytes)"
MARKETS = (PLAIN, GROUPED, POSITION)
FIVE = to_micros("5")


def contract_of(market: Market) -> str:
    if market.protocol is Protocol.POSITION:
        return addresses.ROUTER
    return addresses.NEG_RISK_COLLATERAL_ADAPTER if market.neg_risk else addresses.COLLATERAL_ADAPTER


def shares_of(market: Market) -> str:
    positions = market.protocol is Protocol.POSITION
    return addresses.POSITION_MANAGER if positions else addresses.CONDITIONAL_TOKENS


def condition_of(market: Market) -> bytes:
    raw = bytes.fromhex(market.condition_id[2:])
    return raw[:31] if market.protocol is Protocol.POSITION else raw


def split(world: World, market: Market, amount: int) -> None:
    if market.protocol is Protocol.POSITION:
        does(world, addresses.ROUTER, "split(bytes31,uint256)", condition_of(market), amount)
        return
    does(world, contract_of(market), SPLIT, addresses.PUSD, bytes(32), condition_of(market), [1, 2], amount)


def merge(world: World, market: Market, amount: int) -> None:
    if market.protocol is Protocol.POSITION:
        does(world, addresses.ROUTER, "merge(bytes31,uint256)", condition_of(market), amount)
        return
    does(world, contract_of(market), MERGE, addresses.PUSD, bytes(32), condition_of(market), [1, 2], amount)


def redeem(world: World, market: Market, outcome: int, amount: int) -> None:
    """Adapters take both outcomes whole, whatever they are told."""
    if market.protocol is Protocol.POSITION:
        signature = "redeem(bytes31,uint256,uint256)"
        does(world, addresses.ROUTER, signature, condition_of(market), outcome, amount)
        return
    does(world, contract_of(market), REDEEM, addresses.PUSD, bytes(32), condition_of(market), [1, 2])


def approved(world: World, market: Market) -> None:
    does(world, addresses.PUSD, APPROVE, contract_of(market), UNLIMITED)
    does(world, shares_of(market), APPROVE_ALL, contract_of(market), True)


def shares(world: World, market: Market) -> tuple[int, ...]:
    return tuple(
        number(world, shares_of(market), "balanceOf(address,uint256)", ACCOUNT, int(token))
        for token in market.token_ids
    )


@pytest.mark.parametrize(
    "row", vector("allowances")["data"], ids=lambda row: f"{row['kind']} {row['spender'][:8]}"
)
def test_each_known_approval_executes_and_is_then_seen(row: dict[str, str]) -> None:
    world = new_world()
    token, spender = row["token"].lower(), row["spender"].lower()
    call = Call(sender=ACCOUNT, to=token, data=bytes.fromhex(row["calldata"][2:]))

    done = world.chain.contracts.run([call])

    assert len(done.logs) == 1
    if row["kind"] == "erc20":
        assert number(world, token, "allowance(address,address)", ACCOUNT, spender) == UNLIMITED
        assert world.bank.allowance(ACCOUNT, spender) == UNLIMITED
    else:
        assert number(world, token, "isApprovedForAll(address,address)", ACCOUNT, spender) == 1
        assert world.bank.is_operator(ACCOUNT, token, spender)


def test_a_call_for_its_answer_only_changes_nothing() -> None:
    world = new_world()
    with unchanged(world):
        world.chain.call(Call(sender=ACCOUNT, to=addresses.PUSD, data=data_of(APPROVE, OTHER, 5)))


def test_dollars_move_by_their_owner() -> None:
    world = new_world()
    does(world, addresses.PUSD, "transfer(address,uint256)", OTHER, 7)
    assert number(world, addresses.PUSD, "balanceOf(address)", OTHER) == 7
    assert number(world, addresses.PUSD, "balanceOf(address)", ACCOUNT) == DOLLARS - 7
    assert number(world, addresses.PUSD, "totalSupply()") == DOLLARS


def test_an_allowance_is_used_up_by_the_one_who_has_it() -> None:
    world = new_world()
    pull = "transferFrom(address,address,uint256)"
    does(world, addresses.PUSD, APPROVE, OTHER, 10)
    does(world, addresses.PUSD, pull, ACCOUNT, OTHER, 6, sender=OTHER)
    with unchanged(world), pytest.raises(Revert, match="insufficient allowance"):
        does(world, addresses.PUSD, pull, ACCOUNT, OTHER, 5, sender=OTHER)
    assert world.bank.allowance(ACCOUNT, OTHER) == 4


def test_nobody_sends_more_than_there_is() -> None:
    world = new_world()
    with unchanged(world), pytest.raises(Revert, match="exceeds balance"):
        does(world, addresses.PUSD, "transfer(address,uint256)", OTHER, DOLLARS + 1)


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.slug)
def test_a_split_makes_a_full_set_and_a_merge_undoes_it(market: Market) -> None:
    world = new_world()
    approved(world, market)
    split(world, market, FIVE)
    assert shares(world, market) == (FIVE, FIVE)
    assert world.bank.balance(ACCOUNT) == DOLLARS - FIVE
    assert world.bank.locked[market.condition_id] == FIVE
    merge(world, market, FIVE)
    assert shares(world, market) == (0, 0)
    assert world.bank.balance(ACCOUNT) == DOLLARS
    assert world.bank.locked[market.condition_id] == 0


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.slug)
def test_nothing_is_split_or_merged_without_approval(market: Market) -> None:
    world = new_world()
    with unchanged(world), pytest.raises(Revert, match="insufficient allowance"):
        split(world, market, FIVE)
    does(world, addresses.PUSD, APPROVE, contract_of(market), UNLIMITED)
    split(world, market, FIVE)
    with unchanged(world), pytest.raises(Revert, match="operator approval"):
        merge(world, market, FIVE)


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.slug)
def test_nobody_splits_or_merges_what_is_not_there(market: Market) -> None:
    world = new_world()
    approved(world, market)
    with unchanged(world), pytest.raises(Revert, match="exceeds balance"):
        split(world, market, DOLLARS + 1)
    with unchanged(world), pytest.raises(Revert, match="subtraction overflow"):
        merge(world, market, 1)


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.slug)
@pytest.mark.parametrize("payouts", [(1_000_000, 0), (0, 1_000_000), (500_000, 500_000)])
def test_shares_redeem_for_what_the_market_pays(market: Market, payouts: tuple[int, int]) -> None:
    world = new_world()
    approved(world, market)
    split(world, market, FIVE)
    with unchanged(world), pytest.raises(Revert, match="not received yet"):
        redeem(world, market, 0, FIVE)

    world.exchange.resolve(market_of(world, market), payouts, world.now())
    redeem(world, market, 0, FIVE)
    if market.protocol is Protocol.POSITION:
        redeem(world, market, 1, FIVE)

    assert shares(world, market) == (0, 0)
    assert world.bank.balance(ACCOUNT) == DOLLARS
    assert world.bank.locked[market.condition_id] == 0


def test_half_a_micro_is_not_paid() -> None:
    world = new_world()
    approved(world, PLAIN)
    split(world, PLAIN, 3)
    world.exchange.resolve(market_of(world, PLAIN), (500_000, 500_000), world.now())
    redeem(world, PLAIN, 0, 0)
    assert world.bank.balance(ACCOUNT) == DOLLARS - 1
    assert world.bank.locked[PLAIN.condition_id] == 1


def test_an_adapter_takes_only_markets_of_its_own_kind() -> None:
    world = new_world()
    does(world, addresses.PUSD, APPROVE, addresses.COLLATERAL_ADAPTER, UNLIMITED)
    arguments = (addresses.PUSD, bytes(32), condition_of(GROUPED), [1, 2], FIVE)
    with unchanged(world), pytest.raises(Revert, match="not prepared"):
        does(world, addresses.COLLATERAL_ADAPTER, SPLIT, *arguments)


def test_what_was_split_and_redeemed_is_told_as_activity() -> None:
    world = new_world()
    approved(world, PLAIN)
    call = Call(
        sender=ACCOUNT,
        to=addresses.COLLATERAL_ADAPTER,
        data=data_of(SPLIT, addresses.PUSD, bytes(32), condition_of(PLAIN), [1, 2], FIVE),
    )
    done = world.chain.contracts.run([call])
    (conversion,) = done.conversions
    assert (conversion.kind, conversion.owner, conversion.shares) == ("SPLIT", ACCOUNT, (FIVE, FIVE))


def test_shares_are_handed_on_by_the_owner_and_by_operators_alone() -> None:
    world = new_world()
    approved(world, PLAIN)
    split(world, PLAIN, FIVE)
    token = int(PLAIN.token_ids[0])
    move = (addresses.CONDITIONAL_TOKENS, SHARE_MOVE, ACCOUNT, OTHER, token, 1, b"")
    does(world, *move)
    with unchanged(world), pytest.raises(Revert, match="operator approval"):
        does(world, *move, sender=OTHER)
    does(world, addresses.CONDITIONAL_TOKENS, APPROVE_ALL, OTHER, True)
    does(world, *move, sender=OTHER)
    assert world.bank.balance(OTHER, PLAIN.token_ids[0]) == 2


def test_a_token_is_found_on_its_own_contract_only() -> None:
    world = new_world()
    approved(world, POSITION)
    split(world, POSITION, FIVE)
    token = int(POSITION.token_ids[0])
    balance = "balanceOf(address,uint256)"
    assert number(world, addresses.POSITION_MANAGER, balance, ACCOUNT, token) == FIVE
    assert number(world, addresses.CONDITIONAL_TOKENS, balance, ACCOUNT, token) == 0


def test_balances_are_told_in_batches() -> None:
    world = new_world()
    approved(world, GROUPED)
    split(world, GROUPED, FIVE)
    tokens = [int(token) for token in GROUPED.token_ids]
    data = data_of("balanceOfBatch(address[],uint256[])", [ACCOUNT, OTHER], tokens)
    for contract in (addresses.CONDITIONAL_TOKENS, addresses.NEG_RISK_ADAPTER):
        told = world.chain.call(Call(sender=OTHER, to=contract, data=data))
        assert told.hex() == f"{32:064x}{2:064x}{FIVE:064x}{0:064x}"


def test_bridged_dollars_are_wrapped_one_for_one() -> None:
    world = new_world()
    wrap = (addresses.COLLATERAL_ONRAMP, "wrap(address,address,uint256)", addresses.USDC_E, OTHER, FIVE)
    with unchanged(world), pytest.raises(Revert, match="insufficient allowance"):
        does(world, *wrap)
    does(world, addresses.USDC_E, APPROVE, addresses.COLLATERAL_ONRAMP, FIVE)
    does(world, *wrap)
    assert world.bank.balance(OTHER) == FIVE
    assert number(world, addresses.USDC_E, "balanceOf(address)", ACCOUNT) == DOLLARS - FIVE


def test_several_calls_happen_together_or_not_at_all() -> None:
    world = new_world()
    fine = Call(sender=ACCOUNT, to=addresses.PUSD, data=data_of("transfer(address,uint256)", OTHER, 7))
    wrong = Call(sender=OTHER, to=addresses.PUSD, data=data_of("transfer(address,uint256)", ACCOUNT, 8))
    with unchanged(world), pytest.raises(Revert):
        world.chain.contracts.run([fine, wrong])


def test_an_unknown_function_reverts_without_words() -> None:
    world = new_world()
    with pytest.raises(Revert) as refused:
        does(world, addresses.PUSD, "burn(uint256)", 5)
    assert refused.value.data == b""


def test_broken_arguments_revert() -> None:
    world = new_world()
    call = Call(sender=ACCOUNT, to=addresses.PUSD, data=data_of(APPROVE, OTHER, 5)[:-1])
    with pytest.raises(Revert):
        world.chain.call(call)


def test_an_address_without_code_takes_anything_and_answers_nothing() -> None:
    world = new_world()
    assert does(world, OTHER, APPROVE, OTHER, 5) == b""


def test_the_factory_names_its_beacon() -> None:
    world = new_world()
    beacon = number(world, addresses.DEPOSIT_WALLET_FACTORY, "BEACON()")
    assert hex(beacon) == addresses.DEPOSIT_WALLET_BEACON
    assert data_of("BEACON()").hex() == "49493a4d"


def test_contracts_have_code_and_accounts_have_none() -> None:
    world = new_world()
    assert world.chain.contracts.code(addresses.EXCHANGE) != "0x"
    assert world.chain.contracts.code(ACCOUNT) == "0x"
