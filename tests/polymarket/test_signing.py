"""Orders as we sign them, beside orders whose hashes and signatures are known."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket._internal.wallet import wrap_deposit_wallet_session_signer_signature
from polymarket.types import EvmAddress, HexString

from betteroms.adapters.polymarket.signing import (
    CTF,
    EXPIRY_LEAD,
    NEG_RISK,
    POSITIONS,
    Exchange,
    OrderSigner,
    exchange_of,
)
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.market import Outcome
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Side, TimeInForce
from betteroms.domain.wallet import SignatureType
from tests.domain.examples import NOW, a_market, an_intent, an_order, price
from tests.vectors import vector as known

VECTORS = known("order_hash_vectors")
EXCHANGES = {exchange.address: exchange for exchange in (CTF, NEG_RISK, POSITIONS)}
ON_CHAIN = known("orders_on_chain")["data"]
VALID = [row for row in ON_CHAIN if row["onchain"] == "valid"]
KEY = Secret("0x" + "11" * 32)
SIGNER = OrderSigner(KEY, wallet="0x" + "33" * 20, signature_type=SignatureType.DEPOSIT)
TICK = price("0.01")


def signed(
    key: str, words: dict[str, Any], exchange: Exchange, *, session_key: bool = False
) -> tuple[str, str]:
    """The order's hash and signature, as text."""
    signer = OrderSigner(
        Secret(key),
        wallet=words["maker"],
        signature_type=SignatureType(words["signatureType"]),
        session_key=session_key,
    )
    name, signature = signer.signature(
        {**words, "side": "BUY" if words["side"] in (0, "BUY") else "SELL"}, exchange
    )
    return f"0x{name.hex()}", f"0x{signature.hex()}"


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["case"])
def test_the_venues_clients_sign_the_same(vector: dict[str, Any]) -> None:
    exchange = EXCHANGES[vector["exchange"]]
    assert exchange.version == vector["domain_version"]
    found = signed(VECTORS["private_key"], vector["order"], exchange)
    assert found == (vector["order_id"], vector["order"]["signature"])


@pytest.mark.parametrize("row", VALID, ids=lambda row: f"{row['signer_role']}-{row['order']['salt']}")
def test_what_the_contract_took_we_sign_the_same(row: dict[str, Any]) -> None:
    session_key = row["signer_role"] == "SESSION_KEY"
    found = signed(row["key"], row["order"], EXCHANGES[row["exchange"]], session_key=session_key)
    assert found == (row["orderHash"], row["order"]["signature"])


def test_the_contract_judged_every_kind_of_signature() -> None:
    kinds = {(row["signer_role"], row["order"]["signatureType"]) for row in VALID}
    assert kinds == {("OWNER", 0), ("OWNER", 1), ("OWNER", 2), ("OWNER", 3), ("SESSION_KEY", 3)}


def test_what_the_contract_refused_we_do_not_sign() -> None:
    refused = [row for row in ON_CHAIN if row["onchain"] != "valid"]
    assert refused
    for row in refused:
        session_key = row["signer_role"] == "SESSION_KEY"
        _, signature = signed(row["key"], row["order"], EXCHANGES[row["exchange"]], session_key=session_key)
        assert signature != row["order"]["signature"]


def test_only_the_envelope_tells_a_session_keys_signature_from_an_owners() -> None:
    row = next(row for row in VALID if row["signer_role"] == "SESSION_KEY")
    exchange = EXCHANGES[row["exchange"]]
    _, bare = signed(row["key"], row["order"], exchange)
    _, wrapped = signed(row["key"], row["order"], exchange, session_key=True)
    address = OrderSigner(
        Secret(row["key"]), wallet=row["order"]["maker"], signature_type=SignatureType.DEPOSIT
    ).address
    theirs = wrap_deposit_wallet_session_signer_signature(EvmAddress(address), HexString(bare))
    assert wrapped == theirs


def test_the_contract_is_chosen_by_the_market() -> None:
    position = TokenId(str((1 << 248) + (0xABCD << 110)))
    other = TokenId(str((1 << 248) + (0xABCD << 110) + 1))
    outcomes = (Outcome(token_id=position, label="Yes"), Outcome(token_id=other, label="No"))
    assert exchange_of(a_market()) is CTF
    assert exchange_of(a_market(neg_risk=True)) is NEG_RISK
    for grouped in (False, True):
        assert exchange_of(a_market(outcomes=outcomes, neg_risk=grouped)) is POSITIONS


@settings(max_examples=50, deadline=None)
@given(
    number=st.integers(min_value=0, max_value=2**64),
    milliseconds=st.integers(min_value=0, max_value=10**12),
    side=st.sampled_from(Side),
)
def test_the_same_order_gives_the_same_bytes_and_another_gives_others(
    number: int, milliseconds: int, side: Side
) -> None:
    at = NOW + timedelta(milliseconds=milliseconds)
    order = an_order(an_intent(side=side), order_id=OrderId(f"order-{number}"), created_at=at)
    twin = an_order(an_intent(side=side), order_id=OrderId(f"order-{number + 1}"), created_at=at)
    first = SIGNER.sign(order, a_market(), tick=TICK)
    assert SIGNER.sign(order, a_market(), tick=TICK) == first
    assert SIGNER.sign(twin, a_market(), tick=TICK).external_order_id != first.external_order_id
    words = json.loads(first.body.reveal())["order"]
    assert 0 <= words["salt"] < 2**53
    assert words["timestamp"] == str((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


def test_a_gtd_order_says_a_minute_more_and_any_other_says_nothing() -> None:
    def said(tif: TimeInForce) -> str:
        order = an_order(an_intent(tif=tif, lifetime_seconds=300))
        return str(json.loads(SIGNER.sign(order, a_market(), tick=TICK).body.reveal())["order"]["expiration"])

    ends = NOW + timedelta(seconds=300) + EXPIRY_LEAD
    assert said(TimeInForce.GTD) == str(int(ends.timestamp()))
    assert said(TimeInForce.GTC) == "0"


def test_a_signer_shows_its_wallet_and_never_its_key() -> None:
    assert repr(SIGNER) == f"OrderSigner(0x{'33' * 20}, DEPOSIT)"
    assert "11" * 8 not in repr(SIGNER)
    body = SIGNER.sign(an_order(), a_market(), tick=TICK).body
    assert "signature" not in f"{body} {body!r}"
