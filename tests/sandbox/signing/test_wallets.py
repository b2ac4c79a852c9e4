"""Where wallets are, as the unified client reckons it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polymarket._internal import wallet as theirs
from polymarket.environments import PRODUCTION

from betteroms.sandbox.hashing import checksum
from betteroms.sandbox.signing import Malformed, WalletKind, wallets_of

DERIVATION = PRODUCTION._config.wallet_derivation


@given(raw=st.binary(min_size=20, max_size=20))
def test_every_wallet_of_an_account_is_where_the_client_looks_for_it(raw: bytes) -> None:
    owner = "0x" + raw.hex()
    derived = [
        (WalletKind.EOA, checksum(owner)),
        (WalletKind.PROXY, theirs.derive_proxy_wallet_address(owner, DERIVATION)),
        (WalletKind.SAFE, theirs.derive_safe_wallet_address(owner, DERIVATION)),
        (WalletKind.DEPOSIT, theirs.derive_beacon_deposit_wallet_address(owner, DERIVATION)),
        (WalletKind.DEPOSIT, theirs.derive_uups_deposit_wallet_address(owner, DERIVATION)),
    ]
    ours = wallets_of(checksum(owner))
    assert [(wallet.kind, checksum(wallet.address)) for wallet in ours] == derived
    assert {wallet.owner for wallet in ours} == {owner}


@pytest.mark.parametrize("kind", WalletKind)
def test_kinds_are_numbered_as_types_of_signatures_are(kind: WalletKind) -> None:
    names = {
        WalletKind.EOA: "EOA",
        WalletKind.PROXY: "POLY_PROXY",
        WalletKind.SAFE: "GNOSIS_SAFE",
        WalletKind.DEPOSIT: "DEPOSIT_WALLET",
    }
    assert theirs._SIGNATURE_TYPE_BY_WALLET[names[kind]] == kind  # type: ignore[index]


@pytest.mark.parametrize("address", ["", "0x", "0x12", "hello", "0x" + "g" * 40, "12" * 21, "0x" + "1 " * 20])
def test_what_is_no_address_has_no_wallets(address: str) -> None:
    with pytest.raises(Malformed):
        wallets_of(address)
