"""How a client shows who it is: a wallet's signature (L1) or a shared secret (L2).

Source: VENUE 2.7.
"""

import base64
import hmac
from hashlib import sha256
from typing import Final

from betteroms.sandbox.addresses import CHAIN_ID
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.signing.typed_data import address_word, digest, number, text_word

_SEPARATOR: Final = keccak(
    keccak(b"EIP712Domain(string name,string version,uint256 chainId)")
    + text_word("ClobAuthDomain")
    + text_word("1")
    + number(CHAIN_ID)
)
_TYPE: Final = keccak(b"ClobAuth(address address,string timestamp,uint256 nonce,string message)")
_MESSAGE: Final = text_word("This message attests that I control the given wallet")


def attestation_digest(*, address: str, timestamp: str, nonce: int) -> bytes:
    """What a wallet signs to make or find its API key. `timestamp` is the text as sent, in seconds.

    Raises:
        Malformed: no address, or no uint256.
    """
    return digest(
        _SEPARATOR,
        keccak(_TYPE + address_word(address) + text_word(timestamp) + number(nonce) + _MESSAGE),
    )


def keyed(secret: str) -> "hmac.HMAC":
    """The keyed hash that a secret begins; copied for each request.

    Raises:
        ValueError: the secret is not URL-safe base64.
    """
    return hmac.new(base64.urlsafe_b64decode(secret), digestmod=sha256)


def request_signature(begun: "hmac.HMAC", *, timestamp: str, method: str, path: str, body: bytes) -> str:
    """What has to stand in POLY_SIGNATURE. `path` is without the query, `body` exactly as sent."""
    message = begun.copy()
    message.update(f"{timestamp}{method}{path}".encode() + body)
    return base64.urlsafe_b64encode(message.digest()).decode()
