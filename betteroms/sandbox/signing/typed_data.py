"""Structures as the chain hashes them (EIP-712): every value is a word of 32 bytes."""

from collections.abc import Iterable
from typing import Final

from betteroms.sandbox.hashing import keccak

ADDRESS_CHARACTERS: Final = 42
WORD_CHARACTERS: Final = 66

DOMAIN_TYPE: Final = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


class Malformed(Exception):
    """A value that does not fit its place: not hex, too long, negative."""


def number(value: int) -> bytes:
    """A uint as a word.

    Raises:
        Malformed: below zero or over 256 bits.
    """
    try:
        return value.to_bytes(32, "big")
    except OverflowError as e:
        raise Malformed(f"{value} is no uint256") from e


def account(address: str) -> bytes:
    """The 20 bytes of an address.

    Raises:
        Malformed: not 0x and 40 hexadecimal digits.
    """
    return _raw(address, ADDRESS_CHARACTERS, 20)


def address_word(address: str) -> bytes:
    return bytes(12) + account(address)


def bytes32(text: str) -> bytes:
    """The 32 bytes behind 0x and 64 hexadecimal digits.

    Raises:
        Malformed: anything else.
    """
    return _raw(text, WORD_CHARACTERS, 32)


def text_word(text: str) -> bytes:
    """Strings stand in structures as their hash."""
    return keccak(text.encode())


def domain_separator(*, name: str, version: str, chain_id: int, contract: str) -> bytes:
    """What makes a signature good for one contract of one chain only."""
    return keccak(
        DOMAIN_TYPE + text_word(name) + text_word(version) + number(chain_id) + address_word(contract)
    )


def digest(separator: bytes, struct_hash: bytes) -> bytes:
    """What is signed in the end."""
    return keccak(b"\x19\x01" + separator + struct_hash)


def packed(words: Iterable[bytes]) -> bytes:
    """The hash of an array: of its elements' words, one after another."""
    return keccak(b"".join(words))


def _raw(text: str, characters: int, size: int) -> bytes:
    if len(text) == characters and text.startswith("0x"):
        try:
            raw = bytes.fromhex(text[2:])
        except ValueError:
            raw = b""
        # fromhex skips blanks, so the length must be looked at again
        if len(raw) == size:
            return raw
    raise Malformed(f"{text!r} is not 0x and {size} bytes in hexadecimal digits")
