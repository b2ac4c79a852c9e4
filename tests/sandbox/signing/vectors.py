"""Known signed orders as the venue takes them, and members who know their wallets."""

from collections.abc import Mapping
from typing import Any, Final

from coincurve import PrivateKey

from betteroms.domain.terms import Side
from betteroms.sandbox.accounts import Members
from betteroms.sandbox.model import SignedOrder
from betteroms.sandbox.signing.orders import CTF_DOMAIN, NEG_RISK_DOMAIN, POSITION_DOMAIN, Domain
from betteroms.sandbox.signing.recovery import address_of
from betteroms.sandbox.signing.wallets import Wallet, WalletKind
from tests.vectors import vector

DOMAINS: Final[Mapping[str, Domain]] = {
    domain.exchange: domain for domain in (CTF_DOMAIN, NEG_RISK_DOMAIN, POSITION_DOMAIN)
}


def signed_order(order: Mapping[str, Any], signature: str | None = None) -> SignedOrder:
    return SignedOrder(
        salt=int(order["salt"]),
        maker=order["maker"],
        signer=order["signer"],
        token_id=order["tokenId"],
        maker_amount=int(order["makerAmount"]),
        taker_amount=int(order["takerAmount"]),
        side=Side.BUY if order["side"] in ("BUY", 0) else Side.SELL,
        signature_type=order["signatureType"],
        timestamp=int(order["timestamp"]),
        metadata=order["metadata"],
        builder=order["builder"],
        signature=order["signature"] if signature is None else signature,
        expiration=int(order.get("expiration", 0)),
    )


def address_of_key(private_key: str) -> str:
    return address_of(PrivateKey.from_hex(private_key.removeprefix("0x")).public_key)


def members_for(signed: SignedOrder, owner: str, session_keys: Mapping[str, int] | None = None) -> Members:
    """Members who know the order's maker as a wallet of the owner."""
    members = Members(seed=0)
    members.register(
        Wallet(
            address=signed.maker.lower(),
            kind=WalletKind(signed.signature_type),
            owner=owner.lower(),
            session_keys=session_keys or {},
        )
    )
    return members


def on_chain_rows() -> list[dict[str, Any]]:
    """Orders that were put before the exchange contract, with its verdicts."""
    rows: list[dict[str, Any]] = vector("orders_on_chain")["data"]
    return rows


def on_chain_case(row: Mapping[str, Any]) -> tuple[SignedOrder, Domain, Members]:
    """An order, its domain, and members who know the deposit wallet and its session key."""
    wallet = vector("deposit_wallet")["data"]
    owner, session_key = address_of_key(wallet["owner_key"]), address_of_key(wallet["session_key"])
    signed = signed_order(row["order"])
    if signed.signature_type != WalletKind.DEPOSIT:
        owner = signed.signer
    members = members_for(signed, owner, {session_key: wallet["batch"]["deadline"]})
    return signed, DOMAINS[row["exchange"].lower()], members
