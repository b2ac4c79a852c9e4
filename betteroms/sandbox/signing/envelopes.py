"""Signatures in wrappings: what deposit wallets take besides plain 65 bytes.

An order of a deposit wallet carries the 65 bytes, the exchange's domain separator, the hash of the order, the
text of the order's type and that text's length (ERC-7739). A session key puts its address before all that and
a mark behind it. Source: VENUE 2.2.
"""

from typing import Final

from betteroms.sandbox.signing.orders import ORDER_TYPE
from betteroms.sandbox.signing.recovery import SIGNATURE_SIZE, BadSignature
from betteroms.sandbox.signing.typed_data import account, number

SESSION_MARK: Final = bytes.fromhex("6492" * 16)
_TYPE_AND_LENGTH: Final = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2, "big")


def order_part(signature: bytes, *, separator: bytes, contents: bytes) -> bytes:
    """The 65 bytes within, once everything around them says what it has to.

    Raises:
        BadSignature: another exchange's separator, another order's hash, another type, or none at all.
    """
    if signature[SIGNATURE_SIZE:] != separator + contents + _TYPE_AND_LENGTH:
        raise BadSignature("the wrapping is of another order or exchange")
    return signature[:SIGNATURE_SIZE]


def unwrapped(signature: bytes) -> tuple[str | None, bytes]:
    """The session key that the envelope names, and the signature within; no key where there is no envelope.

    Raises:
        BadSignature: the mark of an envelope, and not the one form that an envelope has.
    """
    if not signature.endswith(SESSION_MARK):
        return None, signature
    address = "0x" + signature[12:32].hex()
    size = int.from_bytes(signature[96:128], "big")
    inner = signature[128 : 128 + min(size, len(signature))]
    if signature != wrapped(address, inner):
        raise BadSignature("not an envelope of a session key")
    return address, inner


def wrapped(address: str, signature: bytes) -> bytes:
    """The envelope of a session key: its address, a word of nothing, and a signature as ABI bytes."""
    padding = bytes(-len(signature) % 32)
    head = bytes(12) + account(address) + bytes(32) + number(96) + number(len(signature))
    return head + signature + padding + SESSION_MARK
