"""The venue's trades as logs of the exchange contracts, for whoever watches the chain."""

from typing import Any

import pytest

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox import addresses
from betteroms.sandbox.chain.abi import address_word
from betteroms.sandbox.chain.fills import FEE_CHARGED, ORDER_FILLED, ORDERS_MATCHED, log_of
from betteroms.sandbox.exchange.settlement import Leg, settle
from betteroms.sandbox.model import Market, TradeStatus
from betteroms.sandbox.world import World
from tests.sandbox.chain.scene import ACCOUNT, OTHER, error, later, market_of, new_world, number, result
from tests.sandbox.stage import GROUPED, PLAIN, POSITION
from tests.vectors import vector

SIZE = to_micros("10")
EXCHANGE_OF = {
    PLAIN.slug: addresses.EXCHANGE,
    GROUPED.slug: addresses.NEG_RISK_EXCHANGE,
    POSITION.slug: addresses.EXCHANGE_V3,
}


def leg(order: dict[str, Any], order_hash: str, fee: int) -> Leg:
    return Leg(
        order_id=order_hash,
        wallet=order["maker"].lower(),
        token_id=order["tokenId"],
        side=Side.SELL if order["side"] else Side.BUY,
        maker_amount=int(order["makerAmount"]),
        taker_amount=int(order["takerAmount"]),
        fee=fee,
    )


def hashes(row: dict[str, Any]) -> list[str]:
    """Of the orders as the contract told them: the makers' first, then the taker's."""
    return [event["orderHash"] for event in row["events"] if event["event"] == "OrderFilled"]


@pytest.mark.parametrize("row", vector("matches_on_chain")["data"], ids=lambda row: row["name"])
def test_the_logs_of_a_match_are_those_of_the_contract(row: dict[str, Any]) -> None:
    *of_makers, of_taker = hashes(row)
    makers = [
        (leg(order, order_hash, fee), filled)
        for order, order_hash, fee, filled in zip(
            row["makers"], of_makers, row["makerFees"], row["makerFills"], strict=True
        )
    ]
    settlement = settle(leg(row["taker"], of_taker, row["takerFee"]), makers)
    logs = [log_of(event, addresses.EXCHANGE) for event in settlement.events]
    told = [{"topics": list(log.topics), "data": log.data, "address": log.address} for log in logs]
    assert told == row["logs"]


def traded(world: World, market: Market) -> str:
    """The other sells, the account buys all of it; the transaction's hash, once mined."""
    market = market_of(world, market)
    world.chain.fund(OTHER, dollars=SIZE)
    world.bank.split(OTHER, market.condition_id, market.token_ids, SIZE)
    for spender in addresses.EXCHANGES:
        for owner in (ACCOUNT, OTHER):
            world.bank.approve(owner, spender, 10**12)
            world.bank.set_operator(owner, addresses.CONDITIONAL_TOKENS, spender, allowed=True)
            world.bank.set_operator(owner, addresses.POSITION_MANAGER, spender, allowed=True)
    for maker, side, kind in ((OTHER, Side.SELL, TimeInForce.GTC), (ACCOUNT, Side.BUY, TimeInForce.FAK)):
        placement = world.exchange.rest(
            market,
            outcome=0,
            side=side,
            price=to_micros("0.40"),
            size=SIZE,
            maker=maker,
            now_ms=world.now(),
            time_in_force=kind,
        )
    later(world)
    return world.exchange.transaction_hash(placement.trades[0])


@pytest.mark.parametrize("market", [PLAIN, GROUPED, POSITION], ids=lambda market: market.slug)
def test_a_mined_trade_is_found_by_either_wallet_in_its_role(market: Market) -> None:
    world = new_world()
    sent = traded(world, market)
    contract = EXCHANGE_OF[market.slug]
    for wallet, taker in ((ACCOUNT, contract), (OTHER, ACCOUNT)):
        wanted = {
            "fromBlock": "0x0",
            "address": list(addresses.EXCHANGES),
            "topics": [ORDER_FILLED, None, address_word(wallet)],
        }
        (log,) = result(world, "eth_getLogs", wanted)
        assert (log["address"], log["transactionHash"]) == (contract, sent)
        assert log["topics"][3] == address_word(taker)
        words = [int(log["data"][at : at + 64], 16) for at in range(2, len(log["data"]), 64)]
        assert words[1] == int(market.token_ids[0])
        assert sorted(words[2:4]) == [to_micros("4"), SIZE]


def test_an_order_is_found_by_its_id() -> None:
    world = new_world()
    traded(world, PLAIN)
    order = world.exchange.trades[0].taker
    logs = result(world, "eth_getLogs", {"fromBlock": "earliest", "topics": [None, order.id]})
    assert [log["topics"][0] for log in logs] == [ORDER_FILLED, ORDERS_MATCHED]


def test_the_receipt_of_a_trade_has_its_logs_and_its_block() -> None:
    world = new_world()
    sent = traded(world, PLAIN)
    receipt = result(world, "eth_getTransactionReceipt", sent)
    assert (receipt["status"], receipt["to"]) == ("0x1", addresses.EXCHANGE)
    assert receipt["logs"] == result(world, "eth_getLogs", {"blockHash": receipt["blockHash"]})
    assert result(world, "eth_getTransactionByHash", sent)["blockNumber"] == receipt["blockNumber"]


def test_logs_are_numbered_through_their_block() -> None:
    world = new_world()
    traded(world, PLAIN)
    traded(world, GROUPED)
    logs = result(world, "eth_getLogs", {"fromBlock": "0x0"})
    by_block: dict[str, list[int]] = {}
    for log in logs:
        by_block.setdefault(log["blockNumber"], []).append(int(log["logIndex"], 16))
    assert all(indexes == list(range(len(indexes))) for indexes in by_block.values())


def test_a_fee_is_told_before_the_order_that_pays_it() -> None:
    world = new_world()
    market_of(world, PLAIN).fee_rate = to_micros("0.04")
    traded(world, PLAIN)
    logs = result(world, "eth_getLogs", {"fromBlock": "0x0"})
    kinds = [log["topics"][0] for log in logs]
    assert kinds == [ORDER_FILLED, FEE_CHARGED, ORDER_FILLED, ORDERS_MATCHED]
    assert int(logs[1]["data"], 16) == world.exchange.trades[0].fee > 0


def test_a_trade_that_fails_or_waits_is_not_on_the_chain() -> None:
    world = new_world()
    world.exchange.fail_next()
    sent = traded(world, PLAIN)
    assert world.exchange.trades[0].status is TradeStatus.FAILED
    assert result(world, "eth_getLogs", {"fromBlock": "0x0"}) == []
    assert result(world, "eth_getTransactionReceipt", sent) is None


def test_a_trade_tried_again_is_found_by_its_last_transaction() -> None:
    world = new_world()
    world.exchange.script_settlement(world.exchange.names.order(1), ["RETRYING", "MINED"])
    traded(world, PLAIN)
    first = world.exchange.names.transaction(0, 0)
    assert result(world, "eth_getLogs", {"fromBlock": "0x0"}) == []
    later(world)
    last = world.exchange.transaction_hash(world.exchange.trades[0])
    assert last != first
    assert result(world, "eth_getTransactionReceipt", last)["status"] == "0x1"
    assert result(world, "eth_getTransactionReceipt", first) is None


def test_who_goes_on_from_the_newest_block_misses_nothing_and_sees_nothing_twice() -> None:
    world = new_world()
    seen: list[str] = []
    begin = 0
    for market in (PLAIN, GROUPED, POSITION):
        traded(world, market)
        for _ in range(2):
            newest = int(result(world, "eth_blockNumber"), 16)
            wanted = {"fromBlock": hex(begin), "toBlock": hex(newest), "topics": [ORDERS_MATCHED]}
            seen += [log["transactionHash"] for log in result(world, "eth_getLogs", wanted)]
            begin = newest + 1
    assert seen == [world.exchange.transaction_hash(trade) for trade in world.exchange.trades]


def test_a_range_that_runs_backwards_is_refused() -> None:
    world = new_world()
    newest = int(result(world, "eth_blockNumber"), 16)
    told = error(world, "eth_getLogs", {"fromBlock": hex(newest), "toBlock": hex(newest - 1)})
    assert told["code"] == -32602


def test_the_contract_knows_how_much_of_an_order_was_filled() -> None:
    world = new_world()
    traded(world, PLAIN)
    maker = world.exchange.trades[0].fills[0].order
    status = "getOrderStatus(bytes32)"
    filled = number(world, addresses.EXCHANGE, status, bytes.fromhex(maker.id[2:]))
    assert filled == 1 << 256
    assert number(world, addresses.EXCHANGE, status, bytes(32)) == 0


def test_a_buy_that_paid_less_than_its_limit_is_filled_all_the_same() -> None:
    world = new_world()
    market = market_of(world, PLAIN)
    traded(world, PLAIN)
    now_ms = world.now()
    world.chain.fund(OTHER, dollars=SIZE)
    world.bank.split(OTHER, market.condition_id, market.token_ids, SIZE)
    for maker, side, price in ((OTHER, Side.SELL, "0.40"), (ACCOUNT, Side.BUY, "0.50")):
        placement = world.exchange.rest(
            market,
            outcome=0,
            side=side,
            price=to_micros(price),
            size=SIZE,
            maker=maker,
            now_ms=now_ms,
        )
    status, order = "getOrderStatus(bytes32)", bytes.fromhex(placement.order.id[2:])
    assert number(world, addresses.EXCHANGE, status, order) == 0
    later(world)
    assert number(world, addresses.EXCHANGE, status, order) == 1 << 256


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_a_narrow_filter_finds_what_a_wide_one_holds(position: int) -> None:
    world = new_world()
    market_of(world, PLAIN).fee_rate = to_micros("0.04")
    for market in (PLAIN, GROUPED, POSITION):
        traded(world, market)
    logs = result(world, "eth_getLogs", {"fromBlock": "0x0"})
    for topic in {log["topics"][position] for log in logs if position < len(log["topics"])}:
        wanted = {"fromBlock": "0x0", "topics": [None] * position + [topic]}
        assert result(world, "eth_getLogs", wanted) == [
            log for log in logs if log["topics"][position : position + 1] == [topic]
        ]
    for contract in addresses.EXCHANGES:
        assert result(world, "eth_getLogs", {"fromBlock": "0x0", "address": contract}) == [
            log for log in logs if log["address"] == contract
        ]
