"""What the venue knows of signatures: hashes of orders, whose key signed, and which wallets are whose."""

from betteroms.sandbox.signing.orders import Domain, domain_of, is_first_version, order_hash
from betteroms.sandbox.signing.recovery import BadSignature
from betteroms.sandbox.signing.typed_data import Malformed
from betteroms.sandbox.signing.verifying import verify
from betteroms.sandbox.signing.wallets import Wallet, WalletKind, wallets_of

__all__ = [
    "BadSignature",
    "Domain",
    "Malformed",
    "Wallet",
    "WalletKind",
    "domain_of",
    "is_first_version",
    "order_hash",
    "verify",
    "wallets_of",
]
