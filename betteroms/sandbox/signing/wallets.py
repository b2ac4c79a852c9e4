"""The wallets of an account: where the factories put them, and who may sign for them.

Addresses follow from the owner by CREATE2: the factory, a salt, and the hash of the code that makes the
wallet. Source: VENUE 2.2 and 2.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from betteroms.sandbox.addresses import (
    DEPOSIT_WALLET_BEACON,
    DEPOSIT_WALLET_FACTORY,
    DEPOSIT_WALLET_IMPLEMENTATION,
    PROXY_FACTORY,
    PROXY_IMPLEMENTATION,
    SAFE_FACTORY,
)
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.signing.typed_data import account, address_word, number

SAFE_CODE_HASH: Final = bytes.fromhex("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")


class WalletKind(IntEnum):
    """Numbered as the signature types of orders are."""

    EOA = 0
    PROXY = 1
    SAFE = 2
    DEPOSIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """Who holds the money, and whose key signs for it. Addresses in lower case.

    `session_keys` are further keys of a deposit wallet, each with the second until which it is good.
    """

    address: str
    kind: WalletKind
    owner: str
    session_keys: Mapping[str, int] = field(default_factory=dict)

    def may_sign(self, address: str, *, now_ms: int) -> bool:
        return address == self.owner or self.has_session_key(address, now_ms=now_ms)

    def has_session_key(self, address: str, *, now_ms: int) -> bool:
        until_s = self.session_keys.get(address)
        return until_s is not None and now_ms < until_s * 1000


def wallets_of(owner: str) -> tuple[Wallet, ...]:
    """Every wallet that an account can have at the venue: itself, proxy, safe, deposit wallets old and new.

    Raises:
        Malformed: not an address.
    """
    owner = owner.lower()
    return (
        Wallet(address=owner, kind=WalletKind.EOA, owner=owner),
        Wallet(address=proxy_wallet(owner), kind=WalletKind.PROXY, owner=owner),
        Wallet(address=safe_wallet(owner), kind=WalletKind.SAFE, owner=owner),
        Wallet(address=deposit_wallet(owner), kind=WalletKind.DEPOSIT, owner=owner),
        Wallet(address=old_deposit_wallet(owner), kind=WalletKind.DEPOSIT, owner=owner),
    )


def proxy_wallet(owner: str) -> str:
    """The wallet of an account that signed up by e-mail, in lower case."""
    return _create2(PROXY_FACTORY, salt=keccak(account(owner)), code_hash=_PROXY_CODE_HASH)


def safe_wallet(owner: str) -> str:
    """The Safe of an account that came with a browser wallet, in lower case."""
    return _create2(SAFE_FACTORY, salt=keccak(address_word(owner)), code_hash=SAFE_CODE_HASH)


def deposit_wallet(owner: str) -> str:
    """The deposit wallet as it is made since 2026-06-29: a proxy that asks a beacon, in lower case."""
    arguments = address_word(DEPOSIT_WALLET_FACTORY) + address_word(owner)
    code = _pushed(b"\x52", arguments) + account(DEPOSIT_WALLET_BEACON) + _BEACON_CODE + arguments
    return _create2(DEPOSIT_WALLET_FACTORY, salt=keccak(arguments), code_hash=keccak(code))


def old_deposit_wallet(owner: str) -> str:
    """The deposit wallet as it was made before: an upgradeable proxy, in lower case."""
    arguments = address_word(DEPOSIT_WALLET_FACTORY) + address_word(owner)
    code = _pushed(b"\x3d", arguments) + account(DEPOSIT_WALLET_IMPLEMENTATION) + _UUPS_CODE + arguments
    return _create2(DEPOSIT_WALLET_FACTORY, salt=keccak(arguments), code_hash=keccak(code))


def _create2(factory: str, *, salt: bytes, code_hash: bytes) -> str:
    return "0x" + keccak(b"\xff" + account(factory) + salt + code_hash)[12:].hex()


def _slot(name: bytes) -> bytes:
    """Where proxies keep what they point to (EIP-1967)."""
    return number(int.from_bytes(keccak(name), "big") - 1)


def _pushed(base: bytes, arguments: bytes) -> bytes:
    """The start of a proxy's creation code: it copies the code that follows and its arguments."""
    size = base[0] + len(arguments)
    return b"\x61" + size.to_bytes(2, "big") + bytes.fromhex("3d8160233d3973")


_UUPS_CODE: Final = (
    bytes.fromhex("60095155f3363d3d373d3d363d7f")
    + _slot(b"eip1967.proxy.implementation")
    + bytes.fromhex("545af43d6000803e6038573d6000fd5b3d6000f3")
)
_BEACON_CODE: Final = (
    bytes.fromhex("60195155f3363d3d373d3d363d602036600436635c60da1b60e01b36527f")
    + _slot(b"eip1967.proxy.beacon")
    + bytes.fromhex("545afa5036515af43d6000803e604d573d6000fd5b3d6000f3")
)
_PROXY_CODE_HASH: Final = keccak(
    bytes.fromhex("3d3d606380380380913d393d73")
    + account(PROXY_FACTORY)
    + bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
    + account(PROXY_IMPLEMENTATION)
    + bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
    # the call that sets the clone up, with nothing to say
    + bytes.fromhex("52e831dd")
    + number(32)
    + number(0)
)
