"""Exact or refused: every number is a whole number of millionths."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.errors import InexactAmount
from betteroms.domain.money import (
    MICROS,
    Price,
    Size,
    ceil_to,
    cost,
    dollars_to_text,
    floor_to,
    half_to_text,
    notional,
    proceeds,
    to_micros,
    to_text,
)

MONEY = st.integers(-(10**20), 10**20)
PRICES = st.integers(1, MICROS - 1).map(Price)
SIZES = st.integers(0, 10**14).map(Size)
TICKS = (100_000, 10_000, 5_000, 2_500, 1_000, 100)


@given(MONEY)
def test_what_is_printed_reads_back_as_itself(micros: int) -> None:
    assert to_micros(to_text(micros)) == micros
    assert to_micros(dollars_to_text(micros)) == micros


@given(MONEY)
def test_printed_numbers_are_the_shortest_that_say_it(micros: int) -> None:
    text = to_text(micros)
    assert Fraction(text) == Fraction(micros, MICROS)
    assert not ("." in text and text.endswith(("0", ".")))
    assert not text.startswith("-0") or "." in text


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0.52", 520_000),
        ("0", 0),
        ("-0", 0),
        ("-1.5", -1_500_000),
        (".5", 500_000),
        ("1e2", 100_000_000),
        ("1.50", 1_500_000),
        ("0.4200000000", 420_000),
        ("5E-6", 5),
        (" 7 ", 7_000_000),
        ("+3", 3_000_000),
        ("0e-40", 0),
        ("123456789012345678901234.1234560000", 123456789012345678901234123456),
    ],
)
def test_text_becomes_millionths(text: str, micros: int) -> None:
    assert to_micros(text) == micros


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0.1234567", "0.1234567 has more than six decimals"),
        ("1e-7", "1e-7 has more than six decimals"),
        ("1234567890123456789012.1234567", "1234567890123456789012.1234567 has more than six decimals"),
        ("0." + "0" * 50 + "1", "has more than six decimals"),
        ("1e31", "1e31 is too large"),
        ("1e400", "1e400 is too large"),
        ("1e99999999999999999999", "'1e99999999999999999999' is not a number"),
        ("9" * 41, "9... is too large"),
        ("9" * 65, "...' is not a number"),
        ("NaN", "NaN is not a finite number"),
        ("-Infinity", "-Infinity is not a finite number"),
        ("", "'' is not a number"),
        ("   ", "'   ' is not a number"),
        ("ten", "'ten' is not a number"),
        ("1_000", "'1_000' is not a number"),
        ("1,5", "'1,5' is not a number"),
        ("٣", "'٣' is not a number"),
        ("0x10", "'0x10' is not a number"),
    ],
)
def test_text_that_is_no_exact_number_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InexactAmount) as refusal:
        to_micros(text)
    assert complaint in str(refusal.value)


def test_whole_numbers_and_decimals_are_read_as_they_are() -> None:
    assert to_micros(12) == 12_000_000
    assert to_micros(Decimal("0.000001")) == 1
    with pytest.raises(InexactAmount, match="too large"):
        to_micros(10**30)
    with pytest.raises(InexactAmount, match="too large"):
        to_micros(-(10**30))


@given(st.integers(0, 10**40), st.integers(0, 40))
def test_a_decimal_is_read_exactly_or_refused_and_never_rounded(digits: int, places: int) -> None:
    exact = Fraction(digits, 10**places) * MICROS
    written = Decimal((0, tuple(map(int, str(digits))), -places))
    try:
        assert to_micros(written) == exact
    except InexactAmount:
        assert exact.denominator > 1 or exact >= 10**30


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=0, max_value=10**9))
def test_json_numbers_survive_when_read_as_decimals(number: Decimal) -> None:
    read = json.loads(f"{number:f}", parse_float=Decimal)
    assert to_micros(read) == int(number.scaleb(6))


def test_cents_are_always_shown_for_dollars() -> None:
    assert dollars_to_text(52_000_000) == "52.00"
    assert dollars_to_text(517_500_000) == "517.50"
    assert dollars_to_text(-500_000) == "-0.50"
    assert dollars_to_text(488_092_700) == "488.0927"
    assert dollars_to_text(0) == "0.00"


@given(st.integers(0, 2 * MICROS))
def test_a_midpoint_is_printed_exactly(doubled: int) -> None:
    assert Fraction(half_to_text(doubled)) == Fraction(doubled, 2 * MICROS)


@given(PRICES, SIZES)
def test_a_buyer_pays_at_least_and_a_seller_receives_at_most_the_exact_value(
    price: Price, size: Size
) -> None:
    exact = Fraction(price * size, MICROS)
    assert exact <= cost(price, size) < exact + 1
    assert exact - 1 < proceeds(price, size) <= exact
    assert notional(price, size) == cost(price, size)


@given(st.sampled_from(TICKS), st.data())
def test_on_the_tick_and_lot_grid_nothing_is_rounded(tick: int, data: st.DataObject) -> None:
    price = Price(data.draw(st.integers(1, MICROS // tick - 1)) * tick)
    size = Size(data.draw(st.integers(0, 10**10)) * 10_000)
    assert cost(price, size) == proceeds(price, size) == Fraction(price * size, MICROS)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**7))
def test_steps_are_found_below_and_above(value: int, step: int) -> None:
    below, above = floor_to(value, step), ceil_to(value, step)
    assert below % step == above % step == 0
    assert below <= value <= above
    assert above - below in (0, step)
