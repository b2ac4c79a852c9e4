"""Keccak-256, the hash of everything on the chain."""

from Crypto.Hash import keccak as _keccak


def keccak(data: bytes) -> bytes:
    return _keccak.new(data=data, digest_bits=256).digest()


def checksum(address: str) -> str:
    """An address as people and contracts write it: the case of its letters is a checksum (EIP-55)."""
    digits = address[2:].lower()
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(
        letter.upper() if int(nibble, 16) > 7 else letter
        for letter, nibble in zip(digits, nibbles, strict=False)
    )
