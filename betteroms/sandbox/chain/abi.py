"""Calls, answers and logs of contracts as bytes."""

from collections.abc import Sequence
from typing import Any, Final

from betteroms.sandbox.hashing import keccak

WORD: Final = 32
SELECTOR: Final = 4
_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
"""Error(string): how a contract says why it reverted."""


class Revert(Exception):
    """The contract refuses the call; nothing it did remains. Empty text where a contract says nothing."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.text = text

    @property
    def data(self) -> bytes:
        return _ERROR_SELECTOR + encode(["string"], self.text) if self.text else b""


def selector(signature: str) -> bytes:
    """The four bytes that name a function, from e.g. "transfer(address,uint256)"."""
    return keccak(signature.encode())[:SELECTOR]


def topic(signature: str) -> str:
    """The first topic of an event's logs, from its signature."""
    return "0x" + keccak(signature.encode()).hex()


def argument_types(signature: str) -> list[str]:
    """What a function takes; plain types and arrays of them, no tuples."""
    inside = signature[signature.index("(") + 1 : -1]
    return inside.split(",") if inside else []


def encode(types: Sequence[str], *values: Any) -> bytes:
    from eth_abi.abi import encode as encode_abi  # half a second to import, and a venue may never need it

    return encode_abi(types, values)


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """The values in a call's data; addresses in lower case.

    Raises:
        Revert: the data is not that, as a contract would find too.
    """
    from eth_abi.abi import decode as decode_abi
    from eth_abi.exceptions import DecodingError

    try:
        return decode_abi(types, data)
    except (DecodingError, OverflowError, UnicodeDecodeError):
        raise Revert from None


def address_word(address: str) -> str:
    """An address as a log's topic."""
    return "0x" + address[2:].lower().rjust(2 * WORD, "0")


def words(*values: int) -> str:
    """Whole numbers one after another, as a log's data."""
    return "0x" + b"".join(value.to_bytes(WORD, "big") for value in values).hex()
