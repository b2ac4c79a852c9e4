"""Which address is which: our derivations beside the venue's own client, and the choice between them."""

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket._internal import wallet as theirs
from polymarket.environments import PRODUCTION

from betteroms.adapters.polymarket.wallets import (
    DEPOSIT,
    OLDER_DEPOSIT,
    OWN,
    PROXY,
    SAFE,
    address_of,
    classify,
    wallets_of,
)
from betteroms.domain.errors import CredentialsUnusable
from betteroms.domain.secret import Secret
from betteroms.domain.wallet import SignatureType, Wallet
from betteroms.sandbox.seeding import test_wallets as sandbox_wallets

KEY = Secret("0x" + "11" * 32)
OWNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
STRANGER = "0x" + "22" * 20
DERIVATION = PRODUCTION._config.wallet_derivation
KEYS = st.integers(min_value=1, max_value=2**255)


def by_name(owner: str) -> dict[str, Wallet]:
    return {wallet.name: wallet for wallet in wallets_of(owner)}


def nobody(_: str) -> bool:
    return False


@settings(max_examples=40, deadline=None)
@given(key=KEYS)
def test_every_wallet_is_where_the_venues_client_derives_it(key: int) -> None:
    owner = Account.from_key(key.to_bytes(32, "big")).address
    assert {name: wallet.address for name, wallet in by_name(owner).items()} == {
        DEPOSIT: theirs.derive_beacon_deposit_wallet_address(owner, DERIVATION),
        OLDER_DEPOSIT: theirs.derive_uups_deposit_wallet_address(owner, DERIVATION),
        PROXY: theirs.derive_proxy_wallet_address(owner, DERIVATION),
        SAFE: theirs.derive_safe_wallet_address(owner, DERIVATION),
        OWN: owner,
    }


def test_the_types_are_those_of_the_venues_client() -> None:
    for wallet in wallets_of(OWNER):
        kind = theirs.classify_wallet_type(signer=OWNER, wallet=wallet.address, config=DERIVATION)
        assert wallet.signature_type == theirs.signature_type_for(kind)


def test_the_sandboxs_wallets_are_told_apart() -> None:
    for known in sandbox_wallets(7):
        owner = address_of(Secret(known.private_key))
        found = classify(owner, known.address, session_key=False, deployed=nobody)
        assert (found.address.lower(), int(found.signature_type)) == (known.address, int(known.kind))
        assert found.owner == owner
        assert not found.session_key


def test_an_address_may_be_written_in_any_letters() -> None:
    for wallet in wallets_of(OWNER):
        assert classify(OWNER.lower(), wallet.address.lower(), session_key=False, deployed=nobody) == wallet


def test_an_address_that_is_none_of_the_keys_wallets_is_refused_with_all_that_are() -> None:
    with pytest.raises(CredentialsUnusable) as refused:
        classify(OWNER, STRANGER, session_key=False, deployed=nobody)
    rest = refused.value.problems
    assert str(refused.value) == f"POLYMARKET_FUNDER {STRANGER} is no wallet of the key {OWNER}; these are"
    assert [line.split()[0] for line in rest] == [wallet.address for wallet in wallets_of(OWNER)]
    # The venue's client would take it for the deposit wallet of somebody else, whose session key this is.
    silent = theirs.classify_account(signer=OWNER, wallet=STRANGER, config=DERIVATION)
    assert silent.signer_type == "SESSION_KEY"


def test_a_session_key_has_to_be_called_one() -> None:
    found = classify(OWNER, STRANGER, session_key=True, deployed=nobody)
    assert (found.address, found.signature_type) == (STRANGER, SignatureType.DEPOSIT)
    assert found.session_key
    with pytest.raises(CredentialsUnusable, match="unset BETTEROMS_SESSION_KEY"):
        classify(OWNER, by_name(OWNER)[DEPOSIT].address, session_key=True, deployed=nobody)
    with pytest.raises(CredentialsUnusable, match="must name its deposit wallet"):
        classify(OWNER, None, session_key=True, deployed=nobody)


@pytest.mark.parametrize("name", [DEPOSIT, OLDER_DEPOSIT, PROXY, SAFE])
def test_without_an_address_the_one_contract_that_exists_is_meant(name: str) -> None:
    there = by_name(OWNER)[name]
    assert classify(OWNER, None, session_key=False, deployed=lambda each: each == there.address) == there


def test_without_an_address_several_contracts_are_a_question() -> None:
    own = by_name(OWNER)
    there = {own[DEPOSIT].address, own[SAFE].address}
    with pytest.raises(CredentialsUnusable, match="several wallets exist") as refused:
        classify(OWNER, None, session_key=False, deployed=there.__contains__)
    assert {line.split()[0] for line in refused.value.problems} == there


def test_without_an_address_and_any_contract_nothing_is_guessed() -> None:
    with pytest.raises(CredentialsUnusable, match="no wallet contract exists") as refused:
        classify(OWNER, None, session_key=False, deployed=nobody)
    assert len(refused.value.problems) == 5


def test_the_address_of_a_key_is_its_own() -> None:
    assert address_of(KEY) == OWNER
