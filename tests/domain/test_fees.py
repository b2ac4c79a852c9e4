"""The taker fee: the venue's formula, floored at five decimals, as it is found on chain."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.fees import ASSUMED, FREE, FeeSchedule, fee, worst_fee_of_dollars
from betteroms.domain.money import MICROS, Price, Size, Usdc, to_micros, to_text
from betteroms.domain.terms import Liquidity
from tests.domain.examples import price, size, usdc

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "chain" / "orderfilled_taker_fees.json"
RATES = st.sampled_from([0, 1, 20_000, 50_000, 70_000, 250_000])
PRICES = st.integers(1, MICROS - 1).map(Price)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded fills are not beside this checkout")
def test_every_fee_recorded_on_chain_is_found_again() -> None:
    rows = json.loads(RECORDED.read_text())
    assert len(rows) >= 14
    for row in rows:
        bought = row["side"] == "BUY"
        filled = Size(int(row["taker_amount_filled" if bought else "maker_amount_filled"]))
        schedule = FeeSchedule(rate=to_micros(row["fee_rate"]))
        charged = fee(schedule, price=price(row["price"]), size=filled, liquidity=Liquidity.TAKER)
        assert charged == int(row["fee"]), row


@pytest.mark.parametrize(
    ("rate", "exponent", "at", "filled", "charged"),
    [
        ("0.07", 1, "0.50", "100", "1.75"),
        ("0.07", 1, "0.50", "1000", "17.5"),
        ("0.07", 1, "0.10", "100", "0.63"),
        ("0.05", 1, "0.71", "7.042251", "0.07249"),  # 0.0724999…: half-up would say 0.0725
        ("0.07", 1, "0.41", "1190.47", "20.15822"),
        ("0.04", 1, "0.41", "1190.47", "11.51898"),
        ("0.07", 2, "0.50", "100", "0.4375"),
        ("0.07", 2, "0.10", "100", "0.0567"),
        ("0.07", 1, "0.999", "0.01", "0.00001"),  # the least that is charged
        ("0.000001", 2, "0.001", "0.000001", "0.00001"),
        ("0", 1, "0.50", "100", "0"),
        ("0", 7, "0.50", "100", "0"),
    ],
)
def test_takers_pay_the_formula(rate: str, exponent: int, at: str, filled: str, charged: str) -> None:
    schedule = FeeSchedule(rate=to_micros(rate), exponent=exponent)
    assert to_text(fee(schedule, price=price(at), size=size(filled), liquidity=Liquidity.TAKER)) == charged


@given(RATES, st.sampled_from([1, 2]), PRICES, st.integers(0, 10**13).map(Size))
def test_the_fee_is_the_floor_of_the_exact_formula(rate: int, exponent: int, at: Price, filled: Size) -> None:
    charged = fee(FeeSchedule(rate=rate, exponent=exponent), price=at, size=filled, liquidity=Liquidity.TAKER)
    likely = Fraction(at, MICROS) * (1 - Fraction(at, MICROS))
    exact = Fraction(filled) * Fraction(rate, MICROS) * likely**exponent
    assert charged % 10 == 0
    assert charged == (max(exact // 10, 1) * 10 if rate else 0)


@given(RATES, PRICES, st.integers(0, 10**13).map(Size))
def test_makers_pay_nothing(rate: int, at: Price, filled: Size) -> None:
    assert fee(FeeSchedule(rate=rate), price=at, size=filled, liquidity=Liquidity.MAKER) == 0


def test_only_formulas_we_can_compute_are_known() -> None:
    assert FREE.known
    assert ASSUMED.known
    assert FeeSchedule(rate=1, exponent=2).known
    assert FeeSchedule(rate=0, exponent=9).known
    assert not FeeSchedule(rate=1, exponent=3).known
    assert not FeeSchedule(rate=1, exponent=0).known


@given(
    RATES,
    st.sampled_from([1, 2]),
    st.integers(1, 10**7).map(lambda cents: Usdc(cents * 10_000)),
    st.lists(st.integers(1, MICROS - 1), min_size=1, max_size=3),
    PRICES,
    PRICES,
)
def test_no_fill_of_a_dollar_order_is_charged_more_than_its_worst_fee(
    rate: int, exponent: int, spent: Usdc, inner: list[int], best: Price, limit: Price
) -> None:
    schedule = FeeSchedule(rate=rate, exponent=exponent)
    worst = worst_fee_of_dollars(schedule, usdc=spent, best=best, limit=limit)
    low, high = min(best, limit), max(best, limit)
    for at in {low, high, *(max(low, min(high, other)) for other in inner)}:
        bought = Size(spent * MICROS // at)
        assert fee(schedule, price=Price(at), size=bought, liquidity=Liquidity.TAKER) <= worst


def test_with_the_square_of_the_formula_the_worst_price_lies_between_best_and_limit() -> None:
    squared = FeeSchedule(rate=to_micros("0.07"), exponent=2)
    across = worst_fee_of_dollars(squared, usdc=usdc("100"), best=price("0.10"), limit=price("0.90"))
    at_the_ends = max(
        worst_fee_of_dollars(squared, usdc=usdc("100"), best=price(end), limit=price(end))
        for end in ("0.10", "0.90")
    )
    assert across > at_the_ends
    assert to_text(across) == "1.03703"


def test_the_worst_fee_of_a_dollar_order_is_at_its_cheapest_fill() -> None:
    schedule = FeeSchedule(rate=to_micros("0.07"))
    worst = worst_fee_of_dollars(schedule, usdc=usdc("100"), best=price("0.10"), limit=price("0.50"))
    assert to_text(worst) == "6.3"
