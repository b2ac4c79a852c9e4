"""What is hashed before it is signed: words of 32 bytes, EIP-712 domains and digests."""

from functools import cache
from typing import Final

CHAIN_ID: Final = 137
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ZERO: Final = bytes(32)


def keccak(data: bytes) -> bytes:
    """The chain's hash."""
    from eth_utils.crypto import keccak

    return bytes(keccak(data))


def number_word(value: int) -> bytes:
    """A whole number from 0 as 32 bytes."""
    return value.to_bytes(32, "big")


def address_bytes(address: str) -> bytes:
    """The 20 bytes of an address."""
    return bytes.fromhex(address[2:])


def address_word(address: str) -> bytes:
    """An address as 32 bytes."""
    return bytes(12) + address_bytes(address)


def text_word(text: str) -> bytes:
    """The hash that stands for a text."""
    return keccak(text.encode())


def with_checksum(address: str) -> str:
    """The address in the letters that tell a mistyped one (EIP-55)."""
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(address))


@cache
def selector(signature: str) -> bytes:
    """The four bytes that name a contract's function."""
    return keccak(signature.encode())[:4]


def domain_separator(name: str, version: str, contract: str) -> bytes:
    """EIP-712's domain of a contract on the venue's chain."""
    return keccak(
        keccak(DOMAIN_TYPE.encode())
        + text_word(name)
        + text_word(version)
        + number_word(CHAIN_ID)
        + address_word(contract)
    )


def digest(separator: bytes, contents: bytes) -> bytes:
    """What is signed: a domain and the hash of what is meant in it."""
    return keccak(b"\x19\x01" + separator + contents)
