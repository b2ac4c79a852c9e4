"""Wallets to rehearse with. Their keys follow from the seed and are known to all: never send them money."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from coincurve import PrivateKey

from betteroms.sandbox.addresses import (
    BINARY_MODULE,
    COLLATERAL_ADAPTER,
    CONDITIONAL_TOKENS,
    NEG_RISK_COLLATERAL_ADAPTER,
    NEG_RISK_MODULE,
    POSITION_MANAGER,
    ROUTER,
)
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.seeding.resting import approve_trading
from betteroms.sandbox.signing.recovery import address_of
from betteroms.sandbox.signing.wallets import WalletKind, deposit_wallet, proxy_wallet, safe_wallet

if TYPE_CHECKING:
    from betteroms.sandbox.world import World

DOLLARS: Final = 10_000_000_000
"""What each is given: 10,000 pUSD."""
POL: Final = 100 * 10**18
"""What an account that sends its own transactions is given for gas, in wei."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestWallet:
    """A key and the wallet that it trades for; `kind` is the signature type. Addresses in lower case."""

    __test__ = False  # not a case of pytest's, whatever its name

    name: str
    kind: WalletKind
    private_key: str
    owner: str
    address: str


def test_wallets(seed: int) -> tuple[TestWallet, ...]:
    """One of each kind: "eoa", "proxy", "safe", "deposit". TEST KEYS, known to everybody."""
    return tuple(_test_wallet(seed, kind) for kind in WalletKind)


test_wallets.__test__ = False  # type: ignore[attr-defined]


def admit_test_wallets(world: "World") -> tuple[TestWallet, ...]:
    """Make them known to the venue, give each its dollars, and approve what trading and splitting need.

    The auto-redeemer stays unapproved: what was won stays where it is until it is redeemed.
    """
    wallets = test_wallets(world.options.seed)
    for wallet in wallets:
        world.members.know(wallet.owner)
        if wallet.kind is WalletKind.EOA:
            world.members.admitted.add(wallet.address)
            world.chain.fund(wallet.address, pol=POL)
        world.chain.fund(wallet.address, dollars=DOLLARS)
        approve_trading(world.bank, wallet.address)
        _approve_splitting(world, wallet.address)
    return wallets


def _test_wallet(seed: int, kind: WalletKind) -> TestWallet:
    name = kind.name.lower()
    secret = keccak(f"betteroms-sandbox:{seed}:{name}".encode())
    owner = address_of(PrivateKey(secret).public_key)
    match kind:
        case WalletKind.EOA:
            address = owner
        case WalletKind.PROXY:
            address = proxy_wallet(owner)
        case WalletKind.SAFE:
            address = safe_wallet(owner)
        case WalletKind.DEPOSIT:
            address = deposit_wallet(owner)
    return TestWallet(name=name, kind=kind, private_key="0x" + secret.hex(), owner=owner, address=address)


def _approve_splitting(world: "World", owner: str) -> None:
    """Source: VENUE 2.6."""
    for spender in (ROUTER, COLLATERAL_ADAPTER, NEG_RISK_COLLATERAL_ADAPTER):
        world.bank.approve(owner, spender, UNLIMITED)
    for operator in (COLLATERAL_ADAPTER, NEG_RISK_COLLATERAL_ADAPTER, BINARY_MODULE, NEG_RISK_MODULE):
        world.bank.set_operator(owner, CONDITIONAL_TOKENS, operator, allowed=True)
    world.bank.set_operator(owner, POSITION_MANAGER, ROUTER, allowed=True)
