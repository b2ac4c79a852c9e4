"""Wallets at the venue: which address holds the money, who may spend it; and API credentials."""

from dataclasses import dataclass
from enum import IntEnum

from betteroms.domain.secret import Secret


class SignatureType(IntEnum):
    """Whose wallet pays and how it proves that we may. Source: VENUE 2.2."""

    EOA = 0
    PROXY = 1
    SAFE = 2
    DEPOSIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """An address that can hold the money of a key. Addresses are written with their checksum.

    `owner` is the key's own address, `name` what people call such a wallet. `session_key` says that the key
    is a further one of a deposit wallet that belongs to another key.
    """

    address: str
    signature_type: SignatureType
    owner: str
    name: str
    session_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCredentials:
    """What the venue knows a key's programs by: it can place and cancel orders, and move no money."""

    key: Secret
    secret: Secret
    passphrase: Secret
