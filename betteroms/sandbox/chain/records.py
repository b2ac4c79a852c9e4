"""What the chain keeps of transactions: those that wait, and those that were mined."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from betteroms.sandbox.chain.frames import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A transaction, and once it is mined (`block` is known) what came of it.

    Numbers in wei and gas. `kind` is its form (0, 1 or 2). `ok` says whether it did what it was sent for;
    one that reverted has no logs and is paid for all the same.
    """

    hash: str
    kind: int
    sender: str
    to: str
    nonce: int
    gas: int
    gas_price: int
    tip: int
    value: int
    data: str
    signature: tuple[int, int, int] = (0, 0, 0)
    block: int | None = None
    ok: bool = True
    gas_used: int = 0
    logs: tuple[Log, ...] = ()

    def dump(self) -> dict[str, Any]:
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        row["signature"] = [str(part) for part in self.signature]
        row["logs"] = [[log.address, list(log.topics), log.data] for log in self.logs]
        return row


def restored(row: Mapping[str, Any]) -> Record:
    values = dict(row)
    values["logs"] = tuple(
        Log(address=address, topics=tuple(topics), data=data) for address, topics, data in row["logs"]
    )
    y, r, s = (int(part) for part in row["signature"])
    return Record(**{**values, "signature": (y, r, s)})


class Mined:
    """Everything mined, in its order: the venue's trades by number, and all other transactions.

    There may be a million trades, so each costs two whole numbers here; all else of them is the exchange's.
    """

    def __init__(self) -> None:
        self._blocks = array("q")
        self._entries = array("q")
        self.records: list[Record] = []

    def add_trade(self, number: int, block: int) -> None:
        self._blocks.append(block)
        self._entries.append(number)

    def add_record(self, record: Record, block: int) -> Record:
        mined = replace(record, block=block)
        self._blocks.append(block)
        self._entries.append(-1 - len(self.records))
        self.records.append(mined)
        return mined

    def between(self, first: int, last: int) -> Iterator[tuple[int, int | Record]]:
        """Block number with a trade's number or another transaction, for the blocks from first to last."""
        for at in range(bisect_left(self._blocks, first), bisect_right(self._blocks, last)):
            entry = self._entries[at]
            yield self._blocks[at], entry if entry >= 0 else self.records[-1 - entry]

    def block_of_trade(self, number: int) -> int | None:
        """The newest block with the trade in it."""
        for at in range(len(self._entries) - 1, -1, -1):
            if self._entries[at] == number:
                return self._blocks[at]
        return None

    def dump(self) -> dict[str, Any]:
        return {
            "blocks": list(self._blocks),
            "entries": list(self._entries),
            "records": [record.dump() for record in self.records],
        }

    def restore(self, dumped: Mapping[str, Any]) -> None:
        self._blocks = array("q", dumped["blocks"])
        self._entries = array("q", dumped["entries"])
        self.records = [restored(row) for row in dumped["records"]]
