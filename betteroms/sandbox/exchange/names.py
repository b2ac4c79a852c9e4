"""Ids of trades, transactions and unsigned orders: they follow from the seed, and lead back to their trade.

A trade's number is written into its id and its hashes under a mask, so that finding a trade by either needs
no index: there may be a million of them.
"""

from hashlib import sha256
from typing import Final
from uuid import UUID

_ATTEMPT_BITS: Final = 8


class Names:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._mask = int.from_bytes(self._digest("mask")[:6])

    def _digest(self, *parts: str | int) -> bytes:
        return sha256(":".join(map(str, ("exchange", self._seed, *parts))).encode()).digest()

    def order(self, number: int) -> str:
        return "0x" + self._digest("order", number).hex()

    def trade(self, number: int) -> str:
        tail = (number ^ self._mask).to_bytes(6)
        return str(UUID(bytes=self._digest("trade", number)[:10] + tail, version=4))

    def transaction(self, number: int, attempt: int) -> str:
        tail = (((number << _ATTEMPT_BITS) | attempt) ^ self._mask).to_bytes(6)
        return "0x" + (self._digest("transaction", number, attempt)[:26] + tail).hex()

    def number_of_trade(self, trade_id: str) -> int | None:
        """The trade's number, if it is an id of this venue's at all."""
        try:
            number = int.from_bytes(UUID(trade_id).bytes[10:]) ^ self._mask
        except ValueError:
            return None
        return number if number >= 0 and self.trade(number) == trade_id.lower() else None

    def number_of_transaction(self, transaction_hash: str) -> tuple[int, int] | None:
        """(trade number, attempt)."""
        try:
            tail = int.from_bytes(bytes.fromhex(transaction_hash.removeprefix("0x"))[-6:]) ^ self._mask
        except ValueError:
            return None
        number, attempt = tail >> _ATTEMPT_BITS, tail & ((1 << _ATTEMPT_BITS) - 1)
        return (number, attempt) if self.transaction(number, attempt) == transaction_hash.lower() else None
