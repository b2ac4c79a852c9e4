"""Known orders: the venue gives their ids, takes what the contract took, and refuses what it refused."""

from typing import Any

import pytest

from betteroms.sandbox.model import Protocol, Refused
from betteroms.sandbox.signing import domain_of, is_first_version, order_hash, verify
from betteroms.sandbox.signing.orders import domain, struct_hash
from betteroms.sandbox.signing.typed_data import digest
from tests.sandbox.signing.vectors import (
    DOMAINS,
    address_of_key,
    members_for,
    on_chain_case,
    on_chain_rows,
    signed_order,
)
from tests.vectors import generated, vector

VECTORS = vector("order_hash_vectors")
EVERY_VERSION = (generated("order_signatures_generated") or {"vectors": []})["vectors"]
CURRENT = [row for row in EVERY_VERSION if row["exchange_version"] > 1]
SESSION_ENDS_MS = vector("deposit_wallet")["data"]["batch"]["deadline"] * 1000


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["case"])
def test_a_known_order_has_its_known_id_and_a_good_signature(vector: dict[str, Any]) -> None:
    signed = signed_order(vector["order"])
    market = vector["case"].split("/")[0]
    place = {
        "neg_risk": market == "neg_risk",
        "protocol": Protocol.POSITION if market == "protocol_v2" else Protocol.CTF,
    }
    assert domain_of(**place) is DOMAINS[vector["exchange"].lower()]
    assert order_hash(signed, **place) == vector["order_id"]
    members = members_for(signed, VECTORS["signer_eoa"])
    assert verify(signed, domain_of(**place), members, now_ms=0) == vector["order_id"]


@pytest.mark.parametrize("row", on_chain_rows(), ids=lambda row: f"{row['case']}-{row['order']['salt']}")
def test_the_verdict_is_the_contracts(row: dict[str, Any]) -> None:
    signed, domain, members = on_chain_case(row)
    assert "0x" + digest(domain.separator, struct_hash(signed)).hex() == row["orderHash"]
    if row["onchain"] == "valid":
        assert verify(signed, domain, members, now_ms=SESSION_ENDS_MS - 1) == row["orderHash"]
    else:
        assert row["onchain"] == "InvalidSignature"
        with pytest.raises(Refused, match=r"^invalid signature$"):
            verify(signed, domain, members, now_ms=0)


def test_keys_and_roles_of_the_contracts_orders_are_as_we_read_them() -> None:
    roles = {(row["signer_role"], address_of_key(row["key"])) for row in on_chain_rows()}
    wallet = vector("deposit_wallet")["data"]
    assert ("SESSION_KEY", address_of_key(wallet["session_key"])) in roles
    assert ("OWNER", address_of_key(wallet["owner_key"])) in roles
    for row in on_chain_rows():
        if row["order"]["signatureType"] != 3:
            assert address_of_key(row["key"]) == row["order"]["signer"].lower()


@pytest.mark.parametrize("row", CURRENT, ids=lambda row: row["order_hash"][:10])
def test_orders_of_the_second_and_third_version_hash_as_their_clients_say(row: dict[str, Any]) -> None:
    signed = signed_order(row["order"], row["signature"])
    theirs = domain(str(row["exchange_version"]), row["verifyingContract"], chain_id=row["chainId"])
    assert "0x" + digest(theirs.separator, struct_hash(signed)).hex() == row["order_hash"]


@pytest.mark.parametrize("row", CURRENT, ids=lambda row: row["order_hash"][:10])
def test_a_signature_is_good_on_its_own_chain_only(row: dict[str, Any]) -> None:
    signed = signed_order(row["order"], row["signature"])
    members = members_for(signed, row["signer_eoa"])
    if row["chainId"] == 137:
        here = DOMAINS[row["verifyingContract"].lower()]
        assert verify(signed, here, members, now_ms=0) == row["order_hash"]
    else:
        for here in DOMAINS.values():
            with pytest.raises(Refused, match=r"^invalid signature$"):
                verify(signed, here, members, now_ms=0)


def test_orders_of_the_first_version_are_known_by_their_fields() -> None:
    told = {row["exchange_version"] == 1: is_first_version(row["order"]) for row in EVERY_VERSION}
    assert told == {True: True, False: False}


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["case"])
def test_another_version_is_recognised_and_another_exchange_is_not(vector: dict[str, Any]) -> None:
    signed = signed_order(vector["order"])
    members = members_for(signed, VECTORS["signer_eoa"])
    for other in DOMAINS.values():
        if other.exchange == vector["exchange"].lower():
            continue
        text = "invalid signature" if other.version == vector["domain_version"] else "order_version_mismatch"
        with pytest.raises(Refused) as refused:
            verify(signed, other, members, now_ms=0)
        assert (refused.value.text, refused.value.status) == (text, 400)


def test_a_session_key_signs_until_its_last_second_and_not_after() -> None:
    row = next(row for row in on_chain_rows() if row["signer_role"] == "SESSION_KEY")
    signed, domain, members = on_chain_case(row)
    assert verify(signed, domain, members, now_ms=SESSION_ENDS_MS - 1)
    with pytest.raises(Refused, match="invalid signature"):
        verify(signed, domain, members, now_ms=SESSION_ENDS_MS)


def test_a_session_key_that_was_taken_back_signs_nothing() -> None:
    row = next(row for row in on_chain_rows() if row["signer_role"] == "SESSION_KEY")
    signed, domain, members = on_chain_case(row)
    members.authorize_session_key(signed.maker, address_of_key(row["key"]), 0)
    with pytest.raises(Refused, match="invalid signature"):
        verify(signed, domain, members, now_ms=0)


def test_an_unknown_deposit_wallet_signs_nothing() -> None:
    row = next(row for row in on_chain_rows() if row["order"]["signatureType"] == 3)
    signed, domain, members = on_chain_case(row)
    members.wallets.clear()
    with pytest.raises(Refused, match="invalid signature"):
        verify(signed, domain, members, now_ms=0)
