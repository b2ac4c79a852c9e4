"""Whose key made a signature: recovery of addresses from 65 bytes."""

from typing import Final

from coincurve import PublicKey

from betteroms.sandbox.hashing import keccak

SIGNATURE_SIZE: Final = 65
HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of the curve. Contracts take no `s` above it, so that a signature has one form only."""
PERSONAL_PREFIX: Final = b"\x19Ethereum Signed Message:\n32"


class BadSignature(Exception):
    """Not a signature that a contract would take."""


def signer_of(digest: bytes, signature: bytes) -> str:
    """The address, in lower case, whose key signed the digest.

    Raises:
        BadSignature: not 65 bytes, v other than 27 and 28, r or s out of range, or no key fits.
    """
    if len(signature) != SIGNATURE_SIZE or signature[64] not in (27, 28):
        raise BadSignature("not r, s and v of 27 or 28")
    if int.from_bytes(signature[32:64], "big") > HALF_ORDER:
        raise BadSignature("s is in the upper half")
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        key = PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except ValueError as e:
        raise BadSignature("no key fits") from e
    return address_of(key)


def address_of(key: PublicKey) -> str:
    """An account's address, in lower case: the end of the hash of its public key."""
    return "0x" + keccak(key.format(compressed=False)[1:])[12:].hex()


def personal(digest: bytes) -> bytes:
    """A hash as wallets sign it when they are asked to sign a message (EIP-191)."""
    return keccak(PERSONAL_PREFIX + digest)


def signature_bytes(text: str) -> bytes:
    """The bytes behind 0x.

    Raises:
        BadSignature: not 0x and an even number of hexadecimal digits.
    """
    if text.startswith("0x"):
        try:
            raw = bytes.fromhex(text[2:])
        except ValueError:
            raw = b""
        if raw and len(raw) * 2 + 2 == len(text):
            return raw
    raise BadSignature("not 0x and hexadecimal digits")
