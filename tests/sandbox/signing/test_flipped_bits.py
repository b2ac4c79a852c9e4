"""One bit is enough: whatever is changed in an order, its signature or its domain, the venue refuses it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.terms import Side
from betteroms.sandbox.accounts import Members
from betteroms.sandbox.model import Refused, SignedOrder
from betteroms.sandbox.signing import verify
from betteroms.sandbox.signing.orders import Domain, domain
from tests.sandbox.signing.vectors import (
    DOMAINS,
    members_for,
    on_chain_case,
    on_chain_rows,
    signed_order,
)
from tests.vectors import vector

KNOWN = vector("order_hash_vectors")
Case = tuple[SignedOrder, Domain, Members]


def _cases() -> list[Case]:
    """Every type of signature in every domain there are vectors for, session keys among them."""
    cases = []
    for known in KNOWN["vectors"]:
        signed = signed_order(known["order"])
        members = members_for(signed, KNOWN["signer_eoa"])
        cases.append((signed, DOMAINS[known["exchange"].lower()], members))
    return cases + [on_chain_case(row) for row in on_chain_rows() if row["onchain"] == "valid"]


CASES: Final = _cases()
cases = st.sampled_from(CASES)


def _flip_number(value: int, bit: int) -> int:
    return value ^ (1 << bit % 256)


def _flip_hex(text: str, bit: int) -> str:
    raw = bytearray.fromhex(text[2:])
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return "0x" + raw.hex()


FLIPS: Final[dict[str, Callable[[Any, int], Any]]] = {
    "salt": _flip_number,
    "maker": _flip_hex,
    "signer": _flip_hex,
    "token_id": lambda value, bit: str(_flip_number(int(value), bit)),
    "maker_amount": _flip_number,
    "taker_amount": _flip_number,
    "side": lambda value, bit: Side.SELL if value is Side.BUY else Side.BUY,
    "signature_type": lambda value, bit: value ^ (1 << bit % 8),
    "timestamp": _flip_number,
    "metadata": _flip_hex,
    "builder": _flip_hex,
    "signature": _flip_hex,
}


def refusal(case: Case) -> str:
    with pytest.raises(Refused) as refused:
        verify(*case, now_ms=0)
    assert refused.value.status == 400
    return refused.value.text


@pytest.mark.parametrize("case", CASES)
def test_the_orders_are_good_as_they_are(case: Case) -> None:
    assert verify(*case, now_ms=0)


def test_every_signed_field_is_flipped_here() -> None:
    assert set(FLIPS) == set(SignedOrder.__dataclass_fields__) - {"expiration"}


@pytest.mark.parametrize("name", FLIPS)
@given(case=cases, bit=st.integers(0, 4095))
def test_a_bit_of_the_order_or_its_signature(name: str, case: Case, bit: int) -> None:
    signed, here, members = case
    changed = replace(signed, **{name: FLIPS[name](getattr(signed, name), bit)})
    assert refusal((changed, here, members)) == "invalid signature"


@given(case=cases, bit=st.integers(0, 159))
def test_a_bit_of_the_exchanges_address(case: Case, bit: int) -> None:
    signed, here, members = case
    there = domain(here.version, _flip_hex(here.exchange, bit))
    assert refusal((signed, there, members)) == "invalid signature"


@given(case=cases, bit=st.integers(0, 255))
def test_a_bit_of_the_chain(case: Case, bit: int) -> None:
    signed, here, members = case
    there = domain(here.version, here.exchange, chain_id=137 ^ (1 << bit))
    assert refusal((signed, there, members)) == "invalid signature"


@given(case=cases, version=st.sampled_from(["1", "2", "3", "4", "0"]))
def test_another_version(case: Case, version: str) -> None:
    signed, here, members = case
    if version != here.version:
        assert refusal((signed, domain(version, here.exchange), members)) == "order_version_mismatch"


@given(case=cases, cut=st.integers(1, 400), more=st.binary(min_size=1, max_size=64))
def test_a_signature_cut_short_or_gone_on_with(case: Case, cut: int, more: bytes) -> None:
    signed, here, members = case
    for signature in (signed.signature[:-cut], signed.signature + more.hex()):
        assert refusal((replace(signed, signature=signature), here, members)) == "invalid signature"


@pytest.mark.parametrize("signature", ["", "0x", "hello", "0xzz", "0x" + "0" * 130, "0x" + "00 " * 65, "0x1"])
def test_what_is_no_signature_at_all(signature: str) -> None:
    for signed, here, members in CASES:
        assert refusal((replace(signed, signature=signature), here, members)) == "invalid signature"


def test_the_other_s_of_the_same_signature() -> None:
    """Curves have two signatures for each; contracts take the lower one only."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    signed, here, members = CASES[0]
    raw = bytes.fromhex(signed.signature[2:])
    s = order - int.from_bytes(raw[32:64], "big")
    other = raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])
    assert refusal((replace(signed, signature="0x" + other.hex()), here, members)) == "invalid signature"


@pytest.mark.parametrize(
    "change",
    [
        {"salt": -1},
        {"maker_amount": 1 << 256},
        {"maker": "0x12"},
        {"builder": "0x" + "0 " * 32},
        {"token_id": "x"},
    ],
)
def test_fields_that_fit_no_order_make_no_payload(change: dict[str, Any]) -> None:
    signed, here, members = CASES[0]
    assert refusal((replace(signed, **change), here, members)) == "Invalid order payload"
