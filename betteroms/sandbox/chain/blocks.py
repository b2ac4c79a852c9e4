"""The blocks of the chain: one every two seconds, and one more whenever something is mined.

What is mined goes into a block of its own moment. Once somebody has looked at the chain its newest block is
shut, so that whoever reads the logs up to the newest block and goes on from the next one misses nothing.
"""

from array import array
from bisect import bisect_right
from typing import Any, Final

from betteroms.sandbox.hashing import keccak

BLOCK_MS: Final = 2_000


class Blocks:
    """Only blocks with something in them are kept, with their time; those between follow by arithmetic."""

    def __init__(self) -> None:
        self._numbers = array("q", [0])
        self._times = array("q", [0])
        self._open = False

    def newest(self, now_ms: int) -> int:
        return self._numbers[-1] + max(now_ms - self._times[-1], 0) // BLOCK_MS

    def take(self, now_ms: int) -> int:
        """The number of the block for something that is mined now."""
        newest = self.newest(now_ms)
        if self._open and newest == self._numbers[-1]:
            return newest
        self._numbers.append(newest + 1)
        self._times.append(now_ms)
        self._open = True
        return newest + 1

    def shut(self) -> None:
        """Somebody looks: nothing more goes into the newest block."""
        self._open = False

    def time_ms(self, number: int) -> int:
        at = bisect_right(self._numbers, number) - 1
        return self._times[at] + (number - self._numbers[at]) * BLOCK_MS

    def dump(self) -> dict[str, Any]:
        return {"numbers": list(self._numbers), "times": list(self._times), "open": self._open}

    def restore(self, dumped: dict[str, Any]) -> None:
        self._numbers = array("q", dumped["numbers"])
        self._times = array("q", dumped["times"])
        self._open = dumped["open"]


def block_hash(number: int) -> str:
    """The number stands at its end, so that a block is found by its hash."""
    end = number.to_bytes(8, "big")
    return "0x" + (keccak(b"block" + end)[:-8] + end).hex()


def number_of_block(text: str) -> int | None:
    """The number of the block with this hash; None if there can be none."""
    number = int(text[-16:], 16)
    return number if block_hash(number) == text.lower() else None
