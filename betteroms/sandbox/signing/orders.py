"""What an order is to the contracts: its hash, which is its id, in each of the three exchanges' domains.

Source: VENUE 2.1 and 10.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import CHAIN_ID, EXCHANGE, EXCHANGE_V3, NEG_RISK_EXCHANGE
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.model import Protocol, SignedOrder
from betteroms.sandbox.signing.typed_data import (
    address_word,
    bytes32,
    digest,
    domain_separator,
    number,
    text_word,
)

EXCHANGE_NAME: Final = "Polymarket CTF Exchange"
ORDER_TYPE: Final = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
_ORDER_TYPE_HASH: Final = keccak(ORDER_TYPE)
_WRAPPED_TYPE_HASH: Final = keccak(
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,"
    b"bytes32 salt)" + ORDER_TYPE
)
_WALLET_NAME_AND_VERSION: Final = text_word("DepositWallet") + text_word("1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The exchange an order is signed for. `separator` stands for all the rest in what is signed."""

    version: str
    exchange: str
    separator: bytes


def domain(version: str, exchange: str, *, chain_id: int = CHAIN_ID) -> Domain:
    separator = domain_separator(name=EXCHANGE_NAME, version=version, chain_id=chain_id, contract=exchange)
    return Domain(version=version, exchange=exchange.lower(), separator=separator)


CTF_DOMAIN: Final = domain("2", EXCHANGE)
NEG_RISK_DOMAIN: Final = domain("2", NEG_RISK_EXCHANGE)
POSITION_DOMAIN: Final = domain("3", EXCHANGE_V3)


def domain_of(*, neg_risk: bool, protocol: Protocol) -> Domain:
    """The domain in which orders for a market's tokens are signed."""
    if protocol is Protocol.POSITION:
        return POSITION_DOMAIN
    return NEG_RISK_DOMAIN if neg_risk else CTF_DOMAIN


def order_hash(signed: SignedOrder, neg_risk: bool, protocol: Protocol) -> str:
    """The order's id. Neither the signature nor the expiration are part of it.

    Raises:
        Malformed: a field does not fit its type.
    """
    separator = domain_of(neg_risk=neg_risk, protocol=protocol).separator
    return "0x" + digest(separator, struct_hash(signed)).hex()


def struct_hash(signed: SignedOrder) -> bytes:
    """The hash of the eleven fields.

    Raises:
        Malformed: a field does not fit its type.
    """
    return keccak(
        _ORDER_TYPE_HASH
        + number(signed.salt)
        + address_word(signed.maker)
        + address_word(signed.signer)
        + number(int(signed.token_id))
        + number(signed.maker_amount)
        + number(signed.taker_amount)
        + number(0 if signed.side is Side.BUY else 1)
        + number(signed.signature_type)
        + number(signed.timestamp)
        + bytes32(signed.metadata)
        + bytes32(signed.builder)
    )


def wrapped_digest(domain: Domain, contents: bytes, *, wallet: str) -> bytes:
    """What the key of a deposit wallet signs: the order, wrapped with the wallet's own domain (ERC-7739)."""
    wrapped = keccak(
        _WRAPPED_TYPE_HASH
        + contents
        + _WALLET_NAME_AND_VERSION
        + number(CHAIN_ID)
        + address_word(wallet)
        + number(0)
    )
    return digest(domain.separator, wrapped)


def is_first_version(order: Mapping[str, Any]) -> bool:
    """Whether the JSON object is an order of the dead first version: it has a nonce and no timestamp."""
    return "nonce" in order and "timestamp" not in order
