"""What wallets sign for the relayer to carry out: batches of deposit wallets, Safe and proxy transactions.

Each function gives the address, in lower case, whose key signed; whether it may is the caller's to know.
"""

from collections.abc import Iterable
from typing import Final

from betteroms.sandbox.addresses import CHAIN_ID
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.signing.envelopes import unwrapped
from betteroms.sandbox.signing.recovery import BadSignature, personal, signer_of
from betteroms.sandbox.signing.typed_data import (
    account,
    address_word,
    digest,
    domain_separator,
    number,
    packed,
)

Call = tuple[str, int, bytes]
"""Target, POL sent along (in wei), data."""

_CALL: Final = b"Call(address target,uint256 value,bytes data)"
_CALL_TYPE: Final = keccak(_CALL)
_BATCH_TYPE: Final = keccak(b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)" + _CALL)
_SAFE_DOMAIN_TYPE: Final = keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
_SAFE_TYPE: Final = keccak(
    b"SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
    b"uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)"
)
SAFE_PERSONAL: Final = (31, 32)
"""A Safe knows by v + 4 that its hash was signed as a message."""


def batch_digest(*, wallet: str, nonce: int, deadline: int, calls: Iterable[Call]) -> bytes:
    """What is signed for a batch of a deposit wallet. `deadline` in seconds.

    Raises:
        Malformed: a value does not fit its type.
    """
    hashes = (
        keccak(_CALL_TYPE + address_word(target) + number(value) + keccak(data))
        for target, value, data in calls
    )
    separator = domain_separator(name="DepositWallet", version="1", chain_id=CHAIN_ID, contract=wallet)
    batch = _BATCH_TYPE + address_word(wallet) + number(nonce) + number(deadline) + packed(hashes)
    return digest(separator, keccak(batch))


def batch_signer(batch: bytes, signature: bytes) -> str:
    """Who signed a batch's digest: the owner, or the session key that its envelope names.

    Raises:
        BadSignature: nobody, or another key than the envelope says.
    """
    session_key, inner = unwrapped(signature)
    by = signer_of(batch, inner)
    if session_key is not None and by != session_key:
        raise BadSignature("the envelope names another key")
    return by


def safe_digest(*, safe: str, to: str, value: int, data: bytes, operation: int, nonce: int) -> bytes:
    """The hash of a Safe's transaction that pays nobody for gas. `operation` is 0 for a call, 1 delegated.

    Raises:
        Malformed: a value does not fit its type.
    """
    separator = keccak(_SAFE_DOMAIN_TYPE + number(CHAIN_ID) + address_word(safe))
    transaction = keccak(
        _SAFE_TYPE
        + address_word(to)
        + number(value)
        + keccak(data)
        + number(operation)
        # no gas, no price, no token, nobody to refund
        + number(0) * 5
        + number(nonce)
    )
    return digest(separator, transaction)


def safe_signer(transaction: bytes, signature: bytes) -> str:
    """Who signed a Safe transaction's hash, as it is or as a message (then v is 31 or 32).

    Raises:
        BadSignature: nobody.
    """
    if len(signature) == 65 and signature[64] in SAFE_PERSONAL:
        return signer_of(personal(transaction), signature[:64] + bytes([signature[64] - 4]))
    return signer_of(transaction, signature)


def proxy_digest(
    *,
    owner: str,
    to: str,
    data: bytes,
    relayer_fee: int,
    gas_price: int,
    gas_limit: int,
    nonce: int,
    relay_hub: str,
    relay: str,
) -> bytes:
    """The hash of a proxy wallet's relayed call.

    Raises:
        Malformed: a value does not fit its type.
    """
    return keccak(
        b"rlx:"
        + account(owner)
        + account(to)
        + data
        + number(relayer_fee)
        + number(gas_price)
        + number(gas_limit)
        + number(nonce)
        + account(relay_hub)
        + account(relay)
    )


def proxy_signer(call: bytes, signature: bytes) -> str:
    """Who signed a proxy call's hash, which is always signed as a message.

    Raises:
        BadSignature: nobody.
    """
    return signer_of(personal(call), signature)
