"""Names follow from what they name, and no two things share one."""

import uuid
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.ids import (
    AssetKind,
    TokenId,
    asset_kind,
    content_id,
    key,
    order_id,
    plan_key,
    rule_id,
    run_id,
)
from betteroms.domain.terms import Mode
from tests.domain.examples import NO, YES

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "betteroms")
PARTS = st.lists(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers()), max_size=6)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_an_order_id_is_the_uuid5_of_its_key(name: str) -> None:
    assert order_id(name) == str(uuid.uuid5(NAMESPACE, name))


def test_a_known_key_keeps_its_id_for_ever() -> None:
    name = plan_key(Mode.PAPER, "2026-11-20-dip", line=0, ref=None)
    assert name == '["paper","plan","2026-11-20-dip","line",0]'
    assert order_id(name) == "57b5639e-a316-5a83-a73b-67bb8269d6f0"


@given(PARTS, PARTS)
def test_keys_of_different_parts_differ(one: list[str | int], other: list[str | int]) -> None:
    assert (key(*one) == key(*other)) == (one == other)


def test_joining_cannot_make_two_keys_one() -> None:
    assert key("a", "b") != key('a","b')
    assert key("1") != key(1)
    assert plan_key(Mode.PAPER, "p", line=3, ref=None) != plan_key(Mode.PAPER, "p", line=0, ref="3")
    assert plan_key(Mode.PAPER, "p", line=3, ref="x") == plan_key(Mode.PAPER, "p", line=8, ref="x")


def test_the_mode_is_part_of_every_name() -> None:
    assert len({order_id(plan_key(mode, "p", line=0, ref=None)) for mode in Mode}) == len(Mode)
    assert len({run_id(mode, "trade", "p") for mode in Mode}) == len(Mode)
    assert run_id(Mode.PAPER, "trade", "p") != run_id(Mode.PAPER, "maintain", "p")


@given(st.binary(max_size=200))
def test_a_payload_is_named_by_its_content(payload: bytes) -> None:
    assert content_id(payload) == sha256(payload).hexdigest()


def position(module: int, *, condition: int = 0xABCDEF, outcome: int = 1) -> TokenId:
    """A position id of the newer protocol, put together as VENUE 2.5 lays it out."""
    return TokenId(str(module << 248 | condition << 104 | outcome))


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (YES, AssetKind.CTF),
        (NO, AssetKind.CTF),
        (TokenId("123"), AssetKind.CTF),  # passes the venue's own test for positions by chance
        (TokenId("0"), AssetKind.CTF),
        (position(1), AssetKind.POSITION),
        (position(2), AssetKind.POSITION),
        (position(3), AssetKind.COMBINATION),
        (position(0), AssetKind.CTF),
        (position(4), AssetKind.CTF),
        (TokenId(str(int(position(1)) | 1 << 40)), AssetKind.CTF),
        (TokenId(str(int(position(3)) | 1 << 103)), AssetKind.CTF),
        (TokenId(str(int(position(3)) | 1 << 104)), AssetKind.COMBINATION),
        (TokenId(str(int(position(2)) | 1 << 39)), AssetKind.POSITION),
    ],
)
def test_a_token_id_tells_its_protocol(token: TokenId, kind: AssetKind) -> None:
    assert asset_kind(token) is kind


@given(st.integers(1, 2**144 - 1), st.integers(0, 255), st.sampled_from([1, 2, 3]))
def test_any_position_is_recognised_whatever_its_condition(condition: int, outcome: int, module: int) -> None:
    token = position(module, condition=condition, outcome=outcome)
    assert asset_kind(token) is (AssetKind.COMBINATION if module == 3 else AssetKind.POSITION)


def test_a_rule_set_is_named_by_its_token_and_by_who_set_it() -> None:
    names = {
        rule_id(mode, token, set_by=who)
        for mode in (Mode.PAPER, Mode.LIVE)
        for token in (YES, NO)
        for who in ("57b5639e-a316-5a83-a73b-67bb8269d6f0 1", "operator 2026-11-20T12:00:00+00:00")
    }
    assert len(names) == 8
    expected = key("paper", "rules", YES, "me")
    assert rule_id(Mode.PAPER, YES, set_by="me") == str(uuid.uuid5(NAMESPACE, expected))
