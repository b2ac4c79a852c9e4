"""Which addresses a key can trade for: its own, and those of the wallets that factories make for it.

Where a factory puts the wallet of an owner is known before it exists: that follows from the factory, a salt
and the hash of the code that makes it (CREATE2). Source: VENUE 2.2 and 2.4.
"""

from collections.abc import Callable, Sequence
from typing import Final

from betteroms.adapters.polymarket.contracts import (
    DEPOSIT_BEACON,
    DEPOSIT_FACTORY,
    DEPOSIT_IMPLEMENTATION,
    PROXY_FACTORY,
    PROXY_IMPLEMENTATION,
    SAFE_FACTORY,
)
from betteroms.adapters.polymarket.typed_data import (
    address_bytes,
    address_word,
    keccak,
    number_word,
    with_checksum,
)
from betteroms.domain.errors import CredentialsUnusable
from betteroms.domain.secret import Secret
from betteroms.domain.wallet import SignatureType, Wallet

SAFE_CODE_HASH: Final = bytes.fromhex("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")
DEPOSIT: Final = "deposit wallet"
OLDER_DEPOSIT: Final = "deposit wallet made before 2026-06-29"
PROXY: Final = "proxy wallet"
SAFE: Final = "Safe"
OWN: Final = "the key's own address"

Deployed = Callable[[str], bool]
"""Asks whether a wallet contract stands at an address."""


def address_of(key: Secret) -> str:
    """The key's own address."""
    from eth_account import Account

    return str(Account.from_key(key.reveal()).address)


def wallets_of(owner: str) -> tuple[Wallet, ...]:
    """Every wallet that a key can have at the venue, the one that new accounts get first."""
    owner = with_checksum(owner)
    return (
        _wallet(owner, deposit_wallet(owner), SignatureType.DEPOSIT, DEPOSIT),
        _wallet(owner, older_deposit_wallet(owner), SignatureType.DEPOSIT, OLDER_DEPOSIT),
        _wallet(owner, proxy_wallet(owner), SignatureType.PROXY, PROXY),
        _wallet(owner, safe_wallet(owner), SignatureType.SAFE, SAFE),
        _wallet(owner, owner, SignatureType.EOA, OWN),
    )


def classify(owner: str, funder: str | None, *, session_key: bool, deployed: Deployed) -> Wallet:
    """The wallet that a key is to trade for.

    An address that is none of the key's wallets is refused, where the venue's own client would sign for it
    all the same. Where no address is given, the one wallet contract that exists is meant: `deployed` knows.

    Raises:
        CredentialsUnusable: no wallet, or several, could be meant; all candidates are named.
        VenueUnreachable: `deployed` could not tell.
    """
    own = wallets_of(owner)
    if funder is not None:
        return _named(own, with_checksum(funder), session_key=session_key)
    if session_key:
        raise CredentialsUnusable(
            "a session key belongs to no wallet by itself: POLYMARKET_FUNDER must name its deposit wallet"
        )
    made = [wallet for wallet in own if wallet.name != OWN and deployed(wallet.address)]
    if len(made) == 1:
        return made[0]
    found = "several wallets exist for this key" if made else "no wallet contract exists for this key"
    question = f"{found}: POLYMARKET_FUNDER must say which of these holds the money"
    raise CredentialsUnusable(question, candidates(made or own))


def candidates(wallets: Sequence[Wallet]) -> list[str]:
    """A line for each, to choose from."""
    return [f"{wallet.address}  {wallet.name} (type {wallet.signature_type.value})" for wallet in wallets]


def _named(own: Sequence[Wallet], funder: str, *, session_key: bool) -> Wallet:
    found = next((wallet for wallet in own if wallet.address == funder), None)
    owner = own[0].owner
    if session_key:
        if found is not None:
            raise CredentialsUnusable(
                f"{funder} belongs to the key itself, which is no session key: unset BETTEROMS_SESSION_KEY"
            )
        return Wallet(
            address=funder,
            signature_type=SignatureType.DEPOSIT,
            owner=owner,
            name=f"{DEPOSIT} of another key",
            session_key=True,
        )
    if found is None:
        wrong = f"POLYMARKET_FUNDER {funder} is no wallet of the key {owner}; these are"
        raise CredentialsUnusable(wrong, candidates(own))
    return found


def _wallet(owner: str, address: str, signature_type: SignatureType, name: str) -> Wallet:
    return Wallet(address=address, signature_type=signature_type, owner=owner, name=name)


def proxy_wallet(owner: str) -> str:
    """The wallet of an account that signed up by e-mail before 2026-05-04."""
    code = (
        bytes.fromhex("3d3d606380380380913d393d73")
        + address_bytes(PROXY_FACTORY)
        + bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
        + address_bytes(PROXY_IMPLEMENTATION)
        + bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd")
        + number_word(32)
        + number_word(0)
    )
    return _create2(PROXY_FACTORY, salt=keccak(address_bytes(owner)), code_hash=keccak(code))


def safe_wallet(owner: str) -> str:
    """The Safe of an account that came with a wallet of its own before 2026-05-04."""
    return _create2(SAFE_FACTORY, salt=keccak(address_word(owner)), code_hash=SAFE_CODE_HASH)


def deposit_wallet(owner: str) -> str:
    """The deposit wallet as it is made since 2026-06-29: a proxy that asks a beacon for its code."""
    code = bytes.fromhex("60195155f3363d3d373d3d363d602036600436635c60da1b60e01b36527f") + _slot("beacon")
    code += bytes.fromhex("545afa5036515af43d6000803e604d573d6000fd5b3d6000f3")
    return _deposit(owner, size=0x52, target=DEPOSIT_BEACON, code=code)


def older_deposit_wallet(owner: str) -> str:
    """The deposit wallet as it was made before: a proxy that keeps the address of its code."""
    code = bytes.fromhex("60095155f3363d3d373d3d363d7f") + _slot("implementation")
    code += bytes.fromhex("545af43d6000803e6038573d6000fd5b3d6000f3")
    return _deposit(owner, size=0x3D, target=DEPOSIT_IMPLEMENTATION, code=code)


def _deposit(owner: str, *, size: int, target: str, code: bytes) -> str:
    """A proxy whose creation code copies `size` bytes of its own and the arguments that it is to remember."""
    arguments = address_word(DEPOSIT_FACTORY) + address_word(owner)
    start = b"\x61" + (size + len(arguments)).to_bytes(2, "big") + bytes.fromhex("3d8160233d3973")
    made_by = start + address_bytes(target) + code + arguments
    return _create2(DEPOSIT_FACTORY, salt=keccak(arguments), code_hash=keccak(made_by))


def _slot(what: str) -> bytes:
    """Where proxies keep what they point to (EIP-1967)."""
    return number_word(int.from_bytes(keccak(f"eip1967.proxy.{what}".encode()), "big") - 1)


def _create2(factory: str, *, salt: bytes, code_hash: bytes) -> str:
    made = keccak(b"\xff" + address_bytes(factory) + salt + code_hash)
    return with_checksum(f"0x{made[12:].hex()}")
