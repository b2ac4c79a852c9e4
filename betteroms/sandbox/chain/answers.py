"""Blocks, transactions, receipts and logs as a node tells them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from betteroms.sandbox.addresses import CHAIN_ID, FEE_RECEIVER
from betteroms.sandbox.chain.abi import address_word
from betteroms.sandbox.chain.blocks import block_hash
from betteroms.sandbox.chain.chain import BASE_FEE, BLOCK_GAS, GAS_PRICE, Chain, price_paid
from betteroms.sandbox.chain.fills import log_of
from betteroms.sandbox.chain.frames import Log
from betteroms.sandbox.chain.records import Record
from betteroms.sandbox.chain.requests import LogFilter, RpcError
from betteroms.sandbox.chain.transactions import DYNAMIC_FEE, LEGACY
from betteroms.sandbox.exchange.holds import exchange_of
from betteroms.sandbox.exchange.settling import settlement_of
from betteroms.sandbox.model import Trade

LOGS_MAX: Final = 10_000
OPERATOR: Final = "0x0bea7000000000000000000000000000000000e1"
"""Who sends the venue's settlements, by name; nobody here has its key."""
GAS_OF_SETTLEMENT: Final = 400_000
_LIMIT_EXCEEDED: Final = -32005
_FEES: Final = address_word(FEE_RECEIVER)
_NOBODY: Final = "0x" + "0" * 40
_NO_HASH: Final = "0x" + "0" * 64
_NO_BLOOM: Final = "0x" + "0" * 512
_NOWHERE: Final = {"blockHash": None, "blockNumber": None, "transactionIndex": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A mined transaction and its place: the block, and which it is therein. `logs` begin at `first_log`."""

    hash: str
    what: Record | Trade
    block: int
    index: int
    first_log: int

    def logs(self) -> tuple[Log, ...]:
        if isinstance(self.what, Record):
            return self.what.logs
        contract = exchange_of(self.what.taker.market)
        return tuple(log_of(event, contract) for event in settlement_of(self.what).events)

    @property
    def logs_count(self) -> int:
        """As many as `logs` gives, without making them: there may be a million trades."""
        if isinstance(self.what, Record):
            return len(self.what.logs)
        fees = [self.what.fee, *(fill.fee for fill in self.what.fills)]
        return len(self.what.fills) + 2 + sum(fee > 0 for fee in fees)

    @property
    def gas_used(self) -> int:
        return self.what.gas_used if isinstance(self.what, Record) else GAS_OF_SETTLEMENT


def block(chain: Chain, number: int, *, full: bool) -> dict[str, Any]:
    placed = list(_placed(chain, number, number))
    return {
        "number": hex(number),
        "hash": block_hash(number),
        "parentHash": block_hash(number - 1) if number else _NO_HASH,
        "timestamp": hex(chain.blocks.time_ms(number) // 1000),
        "baseFeePerGas": hex(BASE_FEE),
        "gasLimit": hex(BLOCK_GAS),
        "gasUsed": hex(sum(one.gas_used for one in placed)),
        "difficulty": "0x0",
        "totalDifficulty": "0x0",
        "extraData": "0x",
        "logsBloom": _NO_BLOOM,
        "miner": _NOBODY,
        "mixHash": _NO_HASH,
        "nonce": "0x0000000000000000",
        "receiptsRoot": _NO_HASH,
        "sha3Uncles": _NO_HASH,
        "size": hex(1_000),
        "stateRoot": _NO_HASH,
        "transactionsRoot": _NO_HASH,
        "transactions": [_placed_transaction(one) if full else one.hash for one in placed],
        "uncles": [],
    }


def transaction(chain: Chain, transaction_hash: str) -> dict[str, Any] | None:
    record = chain.find(transaction_hash)
    if record is not None and record.block is None:
        return {**_NOWHERE, **_sent(record)}
    placed = _find(chain, transaction_hash)
    return None if placed is None else _placed_transaction(placed)


def receipt(chain: Chain, transaction_hash: str) -> dict[str, Any] | None:
    """None while it waits, and for what the chain has never seen."""
    placed = _find(chain, transaction_hash)
    if placed is None:
        return None
    record = placed.what if isinstance(placed.what, Record) else None
    sent = _placed_transaction(placed)
    return {
        "transactionHash": placed.hash,
        "transactionIndex": hex(placed.index),
        "blockHash": block_hash(placed.block),
        "blockNumber": hex(placed.block),
        "from": sent["from"],
        "to": sent["to"],
        "cumulativeGasUsed": hex(placed.gas_used),
        "gasUsed": hex(placed.gas_used),
        "effectiveGasPrice": hex(price_paid(record) if record else GAS_PRICE),
        "contractAddress": None,
        "logs": [_log(placed, at, log) for at, log in enumerate(placed.logs())],
        "logsBloom": _NO_BLOOM,
        "status": "0x1" if record is None or record.ok else "0x0",
        "type": sent["type"],
    }


def logs(chain: Chain, wanted: LogFilter) -> list[dict[str, Any]]:
    """Raises:
    RpcError: there are too many.
    """
    found = []
    for placed in _placed(chain, wanted.first, wanted.last):
        if isinstance(placed.what, Trade) and not _may_have(placed.what, wanted):
            continue
        found += [_log(placed, at, log) for at, log in enumerate(placed.logs()) if wanted.takes(log)]
        if len(found) > LOGS_MAX:
            raise RpcError(_LIMIT_EXCEEDED, f"query returned more than {LOGS_MAX} results")
    return found


def _may_have(trade: Trade, wanted: LogFilter) -> bool:
    """Whether any of the trade's logs could be wanted; cheaper than looking at them."""
    if wanted.addresses and exchange_of(trade.taker.market) not in wanted.addresses:
        return False
    orders = [trade.taker, *(fill.order for fill in trade.fills)]
    ids, wallets = wanted.at(1), wanted.at(2)
    if ids and ids.isdisjoint([order.id for order in orders]) and _FEES not in ids:
        return False
    return not wallets or not wallets.isdisjoint([address_word(order.maker) for order in orders])


def _placed(chain: Chain, first: int, last: int) -> Iterator[Placed]:
    block, index, first_log = -1, 0, 0
    for number, entry in chain.mined.between(first, last):
        if number != block:
            block, index, first_log = number, 0, 0
        what = entry if isinstance(entry, Record) else chain.exchange.trades[entry]
        own_hash = what.hash if isinstance(what, Record) else chain.exchange.transaction_hash(what)
        placed = Placed(hash=own_hash, what=what, block=number, index=index, first_log=first_log)
        yield placed
        index += 1
        first_log += placed.logs_count


def _find(chain: Chain, transaction_hash: str) -> Placed | None:
    block = chain.block_of(transaction_hash)
    if block is None:
        return None
    return next((one for one in _placed(chain, block, block) if one.hash == transaction_hash), None)


def _placed_transaction(placed: Placed) -> dict[str, Any]:
    place = {
        "blockHash": block_hash(placed.block),
        "blockNumber": hex(placed.block),
        "transactionIndex": hex(placed.index),
    }
    if isinstance(placed.what, Record):
        return {**place, **_sent(placed.what)}
    return {
        **place,
        "hash": placed.hash,
        "from": OPERATOR,
        "to": exchange_of(placed.what.taker.market),
        "nonce": hex(placed.what.number),
        "gas": hex(GAS_OF_SETTLEMENT),
        "gasPrice": hex(GAS_PRICE),
        "value": "0x0",
        "input": "0x",
        "type": "0x2",
        "chainId": hex(CHAIN_ID),
    }


def _sent(record: Record) -> dict[str, Any]:
    parity, r, s = record.signature
    old = record.kind == LEGACY
    sent = {
        "hash": record.hash,
        "from": record.sender,
        "to": record.to,
        "nonce": hex(record.nonce),
        "gas": hex(record.gas),
        "gasPrice": hex(price_paid(record)),
        "value": hex(record.value),
        "input": record.data,
        "type": hex(record.kind),
        "chainId": hex(CHAIN_ID),
        "v": hex(2 * CHAIN_ID + 35 + parity if old else parity),
        "r": hex(r),
        "s": hex(s),
    }
    if record.kind == DYNAMIC_FEE:
        sent |= {"maxFeePerGas": hex(record.gas_price), "maxPriorityFeePerGas": hex(record.tip)}
    return sent if old else {**sent, "accessList": [], "yParity": hex(parity)}


def _log(placed: Placed, at: int, log: Log) -> dict[str, Any]:
    return {
        "address": log.address,
        "topics": list(log.topics),
        "data": log.data,
        "blockNumber": hex(placed.block),
        "blockHash": block_hash(placed.block),
        "transactionHash": placed.hash,
        "transactionIndex": hex(placed.index),
        "logIndex": hex(placed.first_log + at),
        "removed": False,
    }
