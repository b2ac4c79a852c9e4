"""The chain as this venue needs it: accounts that sign and pay for calls to the venue's contracts.

Approvals given here are what the exchange's allowances are; settled trades show up here as logs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from betteroms.sandbox.accounts import Members
from betteroms.sandbox.activity import Activities, Activity
from betteroms.sandbox.bank import Bank
from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.chain.blocks import Blocks
from betteroms.sandbox.chain.coins import Coins
from betteroms.sandbox.chain.contracts import Contracts, Done
from betteroms.sandbox.chain.frames import Call
from betteroms.sandbox.chain.records import Mined, Record, restored
from betteroms.sandbox.chain.transactions import BadTransaction, decode_transaction
from betteroms.sandbox.chain.wallets import Wallets
from betteroms.sandbox.events import Event, TradeMoved
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.model import TradeStatus
from betteroms.sandbox.schedule import Schedule

GWEI: Final = 10**9
POL: Final = 10**18
GAS_PRICE: Final = 30 * GWEI
BASE_FEE: Final = 5 * GWEI
TIP: Final = 25 * GWEI
BLOCK_GAS: Final = 45_000_000
GAS_OF_TRANSFER: Final = 21_000
GAS_OF_CALL: Final = 60_000
GAS_OF_BYTE: Final = 16
PENDING_MAX: Final = 10_000
"""Transactions that may wait to be mined."""


class Chain:
    """`coins` and `wallets` are its state besides the bank's; `blocks` and `mined` its past."""

    def __init__(
        self,
        *,
        bank: Bank,
        schedule: Schedule,
        exchange: Exchange,
        members: Members,
        activities: Activities,
        now: Callable[[], int],
        mined_after_ms: int,
    ) -> None:
        self._bank = bank
        self._schedule = schedule
        self._activities = activities
        self._now = now
        self._mined_after_ms = mined_after_ms
        self.exchange = exchange
        self.coins = Coins()
        self.wallets = Wallets(members, bank)
        self.contracts = Contracts(bank=bank, coins=self.coins, exchange=exchange, wallets=self.wallets)
        self.blocks = Blocks()
        self.mined = Mined()
        self._by_hash: dict[str, int] = {}
        self._pending: dict[str, Record] = {}
        schedule.handle("chain_mined", self._mine)

    def hear(self, event: Event) -> None:
        """A trade that was mined stands in a block from then on."""
        if isinstance(event, TradeMoved) and event.trade.status is TradeStatus.MINED:
            self.mined.add_trade(event.trade.number, self.blocks.take(event.at_ms))

    def fund(self, address: str, *, dollars: int = 0, bridged: int = 0, pol: int = 0) -> None:
        """Make money: pUSD and USDC.e in millionths, POL in wei."""
        address = address.lower()
        self._bank.move({(address, None): dollars})
        self.coins.bridged[address] += bridged
        self.coins.native[address] += pol

    def call(self, call: Call) -> bytes:
        """What the call would answer.

        Raises:
            Revert: it would fail.
        """
        return self.contracts.run([call], keep=False).result

    def estimate(self, call: Call) -> int:
        """The gas for the call.

        Raises:
            Revert: it would fail.
        """
        self.contracts.run([call], keep=False)
        return self._gas_of(call.to, call.data)

    def send(self, raw: bytes) -> str:
        """Take a signed transaction; it is mined a little later. Gives its hash.

        Raises:
            BadTransaction: not taken.
        """
        signed = decode_transaction(raw)
        if signed.hash in self._pending or signed.hash in self._by_hash:
            raise BadTransaction("already known")
        record = Record(
            hash=signed.hash,
            kind=signed.kind,
            sender=signed.sender,
            to=signed.to,
            nonce=signed.nonce,
            gas=signed.gas,
            gas_price=signed.gas_price,
            tip=signed.tip,
            value=signed.value,
            data="0x" + signed.data.hex(),
            signature=signed.signature,
        )
        self._check(record)
        self._pending[record.hash] = record
        self._schedule.at(self._now() + self._mined_after_ms, "chain_mined", hash=record.hash)
        return record.hash

    def next_nonce(self, address: str, *, pending: bool) -> int:
        waiting = sum(record.sender == address for record in self._pending.values()) if pending else 0
        return self.coins.nonces.get(address, 0) + waiting

    def find(self, transaction_hash: str) -> Record | None:
        """A transaction, mined or waiting; the venue's trades are not among them."""
        at = self._by_hash.get(transaction_hash)
        return self._pending.get(transaction_hash) if at is None else self.mined.records[at]

    def block_of(self, transaction_hash: str) -> int | None:
        """The block it was mined in, be it a trade of the venue or another transaction."""
        at = self._by_hash.get(transaction_hash)
        if at is not None:
            return self.mined.records[at].block
        trade = self.exchange.trade_mined_in(transaction_hash)
        return None if trade is None else self.mined.block_of_trade(trade.number)

    def carry_out(self, record: Record, calls: Sequence[Call], now_ms: int) -> None:
        """Run calls for wallets as the one transaction that the record describes, whoever pays for it.

        Raises:
            Revert: one failed, and none has happened; the transaction is mined as failed.
        """
        try:
            done = self.contracts.run(calls)
        except Revert:
            self._add(replace(record, ok=False), now_ms)
            raise
        self._add(replace(record, logs=done.logs), now_ms)
        self._tell(done, record.hash, now_ms)

    def dump(self) -> dict[str, Any]:
        """Everything but the bank, in plain JSON values; `restore` takes it back."""
        return {
            "coins": self.coins.dump(),
            "wallets": self.wallets.dump(),
            "blocks": self.blocks.dump(),
            "mined": self.mined.dump(),
            "pending": [record.dump() for record in self._pending.values()],
        }

    def restore(self, dumped: Mapping[str, Any]) -> None:
        self.coins.restore(dumped["coins"])
        self.wallets.restore(dumped["wallets"])
        self.blocks.restore(dumped["blocks"])
        self.mined.restore(dumped["mined"])
        self._pending = {row["hash"]: restored(row) for row in dumped["pending"]}
        self._by_hash = {record.hash: at for at, record in enumerate(self.mined.records)}

    def _check(self, record: Record) -> None:
        """The node's own rules, in its words."""
        expected = self.next_nonce(record.sender, pending=True)
        if record.nonce < self.coins.nonces.get(record.sender, 0):
            raise BadTransaction(
                f"nonce too low: next nonce {self.coins.nonces.get(record.sender, 0)}, "
                f"tx nonce {record.nonce}"
            )
        if record.nonce < expected:
            raise BadTransaction("replacement transaction underpriced")
        if record.nonce > expected:
            raise BadTransaction(f"nonce too high: next nonce {expected}, tx nonce {record.nonce}")
        if record.gas_price <= 0:
            raise BadTransaction("transaction underpriced: gas tip cap 0, minimum needed 1")
        if record.gas > BLOCK_GAS:
            raise BadTransaction("exceeds block gas limit")
        if record.gas < GAS_OF_TRANSFER:
            raise BadTransaction(f"intrinsic gas too low: gas {record.gas}, minimum needed {GAS_OF_TRANSFER}")
        have, want = self.coins.native.get(record.sender, 0), _most(record) + self._promised(record.sender)
        if have < want:
            raise BadTransaction(f"insufficient funds for gas * price + value: have {have} want {want}")
        if len(self._pending) >= PENDING_MAX:
            raise BadTransaction("txpool is full")

    def _promised(self, sender: str) -> int:
        return sum(_most(record) for record in self._pending.values() if record.sender == sender)

    def _mine(self, values: Mapping[str, Any], now_ms: int) -> None:
        record = self._pending.pop(values["hash"])
        call = Call(
            sender=record.sender, to=record.to, data=bytes.fromhex(record.data[2:]), value=record.value
        )
        needed = self._gas_of(call.to, call.data)
        done: Done | None = None
        if needed <= record.gas:
            try:
                done = self.contracts.run([call])
            except Revert:
                done = None
        used = min(needed, record.gas)
        self.coins.nonces[record.sender] += 1
        self.coins.native[record.sender] -= used * price_paid(record)
        logs = done.logs if done is not None else ()
        self._add(replace(record, ok=done is not None, gas_used=used, logs=logs), now_ms)
        if done is not None:
            self._tell(done, record.hash, now_ms)

    def _add(self, record: Record, now_ms: int) -> None:
        self._by_hash[record.hash] = len(self.mined.records)
        self.mined.add_record(record, self.blocks.take(now_ms))

    def _tell(self, done: Done, transaction_hash: str, now_ms: int) -> None:
        for conversion in done.conversions:
            self._activities.add(
                Activity(
                    kind=conversion.kind,
                    owner=conversion.owner,
                    market=conversion.market,
                    shares=conversion.shares,
                    dollars=conversion.dollars,
                    at_ms=now_ms,
                    transaction_hash=transaction_hash,
                )
            )

    def _gas_of(self, to: str, data: bytes) -> int:
        """Not what a real node would reckon, but stable and of the right size."""
        gas = GAS_OF_TRANSFER + GAS_OF_BYTE * len(data)
        return gas + GAS_OF_CALL if self.contracts.code(to) != "0x" else gas


def price_paid(record: Record) -> int:
    """Wei per gas: all that was offered in the older forms, else the base fee and the tip within the cap."""
    return min(record.gas_price, BASE_FEE + record.tip) if record.kind == 2 else record.gas_price


def _most(record: Record) -> int:
    return record.gas * record.gas_price + record.value
