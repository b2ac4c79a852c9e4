"""JSON without loss: what comes in goes out, digit by digit."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betteroms.adapters.exact_json import NotJson, decode, encode

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: "." in str(d))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | DECIMALS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_a_fraction_keeps_its_digits_both_ways() -> None:
    text = '{"rate":0.07,"padded":0.420,"tiny":0.0000001,"whole":5}'
    assert decode(text)["rate"] == Decimal("0.07")
    assert encode(decode(text)) == text.replace("0.0000001", "1E-7").encode()


def test_white_space_goes_and_the_order_of_keys_stays() -> None:
    assert encode(decode('{ "b" : [ 1 , "x" ],\n "a": null }')) == b'{"b":[1,"x"],"a":null}'


@given(VALUES)
@settings(max_examples=50)
def test_whatever_is_written_reads_back_the_same_and_is_json_to_others(value: Any) -> None:
    written = encode(value).decode()
    assert decode(written) == value
    json.loads(written)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ('{"bids": [{"price": "0.4', "it ends in the middle (truncated JSON)"),
        ('{"bids": [', "it ends in the middle (truncated JSON)"),
        ('{"bids": }', "not JSON: Expecting value: line 1 column 10 (char 9)"),
        ("<html>", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"price": NaN}', "not JSON: NaN is no number"),
        ('{"price": -Infinity}', "not JSON: -Infinity is no number"),
        ("[" * 100_000, "not usable JSON: nested too deeply"),
        ("9" * 5_000, "not usable JSON: it holds an absurdly long number"),
        ("1e" + "9" * 30, "not usable JSON: it holds an absurdly long number"),
    ],
)
def test_what_is_no_json_says_why(text: str, reason: str) -> None:
    with pytest.raises(NotJson) as caught:
        decode(text)
    assert str(caught.value) == reason
