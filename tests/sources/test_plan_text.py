"""JSON is read exactly, or refused with the place and the reason."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.errors import InexactAmount
from betteroms.domain.money import to_micros
from betteroms.sources.plan_text import DEPTH_MAX, KEYS_MAX, PLAN_BYTES_MAX, Inexact, Unreadable, exact_json
from tests.sources.writing import a_plan, an_instruction, problems, problems_of_text

MISSING = ["mode: is missing", "planId: is missing", "tradeInstructions: is missing"]


def number(text: str) -> object:
    value, found = exact_json(text.encode())
    assert not found
    return value


def why_not(text: bytes) -> str:
    with pytest.raises(Unreadable) as raised:
        exact_json(text)
    return str(raised.value)


DIGITS = st.text("0123456789", min_size=1, max_size=30)
EXPONENTS = st.one_of(st.just(""), st.integers(-40, 40).map(lambda power: f"e{power}"))
JSON_NUMBERS = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{int(whole)}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    DIGITS,
    st.one_of(st.just(""), DIGITS.map(lambda digits: f".{digits}")),
    EXPONENTS,
)


@given(JSON_NUMBERS)
def test_a_number_is_what_the_one_reader_of_numbers_says_it_is(text: str) -> None:
    try:
        expected = to_micros(text)
    except InexactAmount:
        assert isinstance(number(text), Inexact)
    else:
        assert number(text) == expected
        assert Decimal(text) * 1_000_000 == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.1234567", "0.1234567 has more than six decimals"),
        ("1e400", "1e400 is too large"),
        ("1e-400", "1e-400 has more than six decimals"),
        ("NaN", "NaN is not a finite number"),
        ("Infinity", "Infinity is not a finite number"),
        ("-Infinity", "-Infinity is not a finite number"),
        ("1e99999999999999999999", "'1e99999999999999999999' is not a number"),
        ("9" * 5_000, f"{'9' * 59}… has more than 64 characters"),
        (f"0.{'1' * 5_000}", f"0.{'1' * 57}… has more than 64 characters"),
    ],
)
def test_a_number_that_is_not_exact_says_why(text: str, why: str) -> None:
    value = number(text)
    assert isinstance(value, Inexact)
    assert value.why == why


def test_more_different_numbers_than_are_remembered_are_read_all_the_same() -> None:
    counts = range(100_100)
    value, _ = exact_json(json.dumps([*counts, *counts]).encode())
    assert value == [count * 1_000_000 for count in [*counts, *counts]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"\xef\xbb\xbf{}", "starts with a byte order mark; save it as UTF-8 without one"),
        (b'{"a": "\xff"}', "is not UTF-8: byte 0xff at offset 7"),
        ('{"a": "é"}'.encode("latin-1"), "is not UTF-8: byte 0xe9 at offset 7"),
        ("{}".encode("utf-16"), "is not UTF-8: byte 0xff at offset 0"),
        (b'{"a": 1,\n  "b" 2}', "is not valid JSON at line 2, column 7: Expecting ':' delimiter"),
        (b'{"a": 1} x', "is not valid JSON at line 1, column 10: Extra data"),
        (b'{"a": 1, "a": 2, nonsense}', "is not valid JSON at line 1, column 18: "),
        (b'{"a": 0x10}', "is not valid JSON at line 1, column 8: Expecting ',' delimiter"),
        (b'{"a": 01}', "is not valid JSON at line 1, column 8: Expecting ',' delimiter"),
        (b'{"a": "line\nend"}', "is not valid JSON at line 1, column 12: "),
        (b"[" * 100_000, "is nested deeper than 20 levels"),
        (b'{"a":' * 100_000, "is nested deeper than 20 levels"),
    ],
)
def test_text_that_is_no_json_is_refused_with_its_place(text: bytes, why: str) -> None:
    assert why_not(text).startswith(why)


def test_text_beyond_the_limit_is_refused_before_it_is_read() -> None:
    assert why_not(b" " * (PLAN_BYTES_MAX + 1)) == "has 67,108,865 bytes; the most is 67,108,864"


def test_an_object_of_more_keys_than_any_needs_is_refused() -> None:
    keys = {f"key{count}": 1 for count in range(KEYS_MAX + 1)}
    assert problems(keys) == [": has an object of 101 keys; the most is 100"]


def test_deep_nesting_is_refused_with_its_place_among_the_other_problems() -> None:
    nested: list[object] = []
    for _ in range(DEPTH_MAX - 4):
        nested = [nested]
    assert problems(a_plan(an_instruction(notes=nested))) == [
        "tradeInstructions[0].notes: a list is not text"
    ]
    path = "tradeInstructions[0].notes" + "[0]" * (DEPTH_MAX - 3)
    assert problems(a_plan(an_instruction(notes=[nested]))) == [
        "tradeInstructions[0].notes: a list is not text",
        f"{path}: is nested deeper than 20 levels",
    ]


def test_repeated_keys_are_all_named_and_do_not_hide_other_problems() -> None:
    text = b"""{"planId": "a", "planId": "b", "mode": "paper", "tradeInstructions": [
        {"marketId": "m", "outcome": "YES", "side": "BUY", "price": 0.4, "price": 0.5, "price": 2, "size": 1},
        {"marketId": "m", "outcome": "YES", "side": "BUY", "price": 7, "size": 1}]}"""
    assert problems_of_text(text) == [
        "planId: is written more than once",
        "tradeInstructions[0].price: 2 is not between 0 and 1",
        "tradeInstructions[0].price: is written more than once",
        "tradeInstructions[1].price: 7 is not between 0 and 1",
    ]


def test_a_repeated_key_alone_is_enough_to_refuse_a_plan() -> None:
    text = json.dumps(a_plan()).replace('"side"', '"size": 1, "side"').encode()
    assert problems_of_text(text) == ["tradeInstructions[0].size: is written more than once"]


def test_a_repeated_key_is_found_whatever_it_holds() -> None:
    assert problems_of_text(b'{"a": {"b": 1, "b": [{"c": 2, "c": 3}]}}') == [
        "a: is an unknown key",
        "a.b: is written more than once",
        "a.b[0].c: is written more than once",
        *MISSING,
    ]


@pytest.mark.parametrize("key", ["marketId", "outcome", "side", "ref", "notes"])
def test_half_a_surrogate_pair_is_no_text(key: str) -> None:
    assert problems(a_plan(an_instruction(**{key: "\ud83d"}))) == [
        f"tradeInstructions[0].{key}: holds half of a surrogate pair, which is no character"
    ]


def test_half_a_surrogate_pair_is_no_key() -> None:
    assert problems(a_plan(an_instruction(**{"\udcab": 1}))) == [
        r'tradeInstructions[0]["\\udcab"]: is an unknown key'
    ]


def test_a_whole_surrogate_pair_is_one_character() -> None:
    text = json.dumps(a_plan(an_instruction(notes="\N{ROCKET}"))).encode()
    assert b"\\ud83d\\ude80" in text
    assert problems_of_text(text) == []
    assert problems_of_text(text.replace(b"\\ud83d\\ude80", b"\\uD83D\\uDE80")) == []
