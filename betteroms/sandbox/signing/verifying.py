"""The exchange contract's verdict on a signed order, before it goes to the book."""

from typing import Final, Protocol

from betteroms.sandbox.addresses import EXCHANGE, EXCHANGE_V3, NEG_RISK_EXCHANGE
from betteroms.sandbox.model import Refused, SignedOrder
from betteroms.sandbox.signing.envelopes import order_part, unwrapped
from betteroms.sandbox.signing.orders import Domain, domain, struct_hash, wrapped_digest
from betteroms.sandbox.signing.recovery import BadSignature, signature_bytes, signer_of
from betteroms.sandbox.signing.typed_data import Malformed, digest
from betteroms.sandbox.signing.wallets import Wallet, WalletKind

OLD_EXCHANGE: Final = "0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e"
OLD_NEG_RISK_EXCHANGE: Final = "0xc5d563a36ae78145c45a50134d48a1215220f80a"
_ALL_DOMAINS: Final = tuple(
    domain(version, exchange)
    for version in ("1", "2", "3")
    for exchange in (EXCHANGE, NEG_RISK_EXCHANGE, EXCHANGE_V3, OLD_EXCHANGE, OLD_NEG_RISK_EXCHANGE)
)


class Wallets(Protocol):
    """Knows the wallets of the venue."""

    def wallet_for(self, signed: SignedOrder) -> Wallet | None:
        """The wallet that the order trades for, None when nobody knows it."""
        ...


def verify(signed: SignedOrder, domain: Domain, wallets: Wallets, *, now_ms: int) -> str:
    """The order's id, once its signature is found to be good for its maker in this domain.

    Raises:
        Refused: "invalid signature"; "order_version_mismatch" for one that is good for another version of the
            exchange; "Invalid order payload" for fields that fit no order.
    """
    try:
        contents = struct_hash(signed)
    except (Malformed, ValueError) as e:
        raise Refused("Invalid order payload") from e
    wallet = wallets.wallet_for(signed)
    if wallet is not None and signed.signer.lower() == _signer(wallet):
        ordered = digest(domain.separator, contents)
        if _is_good(signed, contents, ordered, domain, wallet, now_ms):
            return "0x" + ordered.hex()
        others = (other for other in _ALL_DOMAINS if other.version != domain.version)
        if any(
            _is_good(signed, contents, digest(other.separator, contents), other, wallet, now_ms)
            for other in others
        ):
            raise Refused("order_version_mismatch")
    raise Refused("invalid signature")


def _signer(wallet: Wallet) -> str:
    """Who stands as signer in the orders of a wallet: deposit wallets sign for themselves (ERC-1271)."""
    return wallet.address if wallet.kind is WalletKind.DEPOSIT else wallet.owner


def _is_good(
    signed: SignedOrder, contents: bytes, ordered: bytes, domain: Domain, wallet: Wallet, now_ms: int
) -> bool:
    try:
        signature = signature_bytes(signed.signature)
        if wallet.kind is not WalletKind.DEPOSIT:
            return signer_of(ordered, signature) == wallet.owner
        session_key, inner = unwrapped(signature)
        plain = order_part(inner, separator=domain.separator, contents=contents)
        by = signer_of(wrapped_digest(domain, contents, wallet=wallet.address), plain)
    except BadSignature:
        return False
    if session_key is None:
        return by == wallet.owner
    return by == session_key and wallet.has_session_key(session_key, now_ms=now_ms)
