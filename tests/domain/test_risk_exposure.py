"""What an order may draw on: shares held, caps, and cash with its worst fee."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.fees import FEE_STEP, FeeSchedule
from betteroms.domain.money import MICROS, Price, Size, Usdc, to_micros
from betteroms.domain.risk import Limits
from betteroms.domain.terms import Dollars, Shares
from tests.domain.examples import (
    CRYPTO_FEES,
    NO,
    a_book,
    a_market,
    an_intent,
    dollars,
    shares,
    usdc,
)
from tests.domain.judging import FAK, SELL, allowed, exposure, refusal


def test_shares_that_are_not_there_cannot_be_sold() -> None:
    sell = an_intent(side=SELL, amount=shares("100"))
    assert refusal(sell) == "INSUFFICIENT_SHARES: need=100 shares=0"
    assert refusal(sell, exposure(yes="99.99")) == "INSUFFICIENT_SHARES: need=100 shares=99.99"
    assert (
        refusal(sell, exposure(yes="150", promised="50.01")) == "INSUFFICIENT_SHARES: need=100 shares=99.99"
    )
    assert allowed(sell, exposure(yes="150", promised="50"))
    assert (
        refusal(replace(sell, token_id=NO), exposure(yes="100")) == "INSUFFICIENT_SHARES: need=100 shares=0"
    )


def test_what_one_line_sells_the_next_cannot() -> None:
    drawn = exposure(yes="100")
    assert allowed(an_intent(side=SELL, line=0, amount=shares("60")), drawn)
    second = an_intent(side=SELL, line=1, amount=shares("50"))
    assert refusal(second, drawn) == "INSUFFICIENT_SHARES: need=50 shares=40"
    assert allowed(an_intent(side=SELL, line=2, amount=shares("40")), drawn)


def test_a_sale_of_what_is_held_is_exempt_from_every_cap() -> None:
    nothing = Limits(order_notional_max=Usdc(0), run_notional_max=Usdc(0), run_orders_max=0)
    verdict = allowed(an_intent(side=SELL), exposure(cash="0", yes="100"), limits=nothing)
    assert verdict.exempt
    assert verdict.need == 0
    assert not allowed(an_intent()).exempt


def test_an_order_over_its_notional_cap_is_refused_whole() -> None:
    caps = Limits(order_notional_max=usdc("50"))
    assert (
        refusal(an_intent(amount=shares("104")), limits=caps)
        == "NOTIONAL_EXCEEDS_LIMIT: notional=52.00 max=50.00"
    )
    assert allowed(an_intent(amount=shares("100")), limits=caps)
    spending = an_intent(tif=FAK, amount=dollars("50.01"))
    assert refusal(spending, limits=caps) == "NOTIONAL_EXCEEDS_LIMIT: notional=50.01 max=50.00"


def test_a_line_over_the_runs_cap_is_refused_and_a_smaller_one_after_it_is_judged() -> None:
    caps, drawn = Limits(run_notional_max=usdc("100")), exposure()
    assert allowed(an_intent(line=0, amount=shares("150")), drawn, limits=caps)
    second = an_intent(line=1, amount=shares("60"))
    assert (
        refusal(second, drawn, limits=caps)
        == "RUN_NOTIONAL_EXCEEDS_LIMIT: notional=30.00 used=75.00 max=100.00"
    )
    assert allowed(an_intent(line=2, amount=shares("50")), drawn, limits=caps)


def test_only_so_many_orders_are_taken_on_in_a_run() -> None:
    caps, drawn = Limits(run_orders_max=2), exposure(yes="100")
    assert allowed(an_intent(line=0, amount=shares("10")), drawn, limits=caps)
    assert allowed(an_intent(line=1, amount=shares("11")), drawn, limits=caps)
    third = an_intent(line=2, amount=shares("12"))
    assert refusal(third, drawn, limits=caps) == "RUN_ORDERS_EXCEED_LIMIT: orders=2 max=2"
    assert allowed(an_intent(line=3, side=SELL, at="0.51"), drawn, limits=caps)


def test_cash_must_cover_the_order_at_its_limit_and_its_worst_fee() -> None:
    crypto = a_market(fees=CRYPTO_FEES)
    wish = an_intent(at="0.50", amount=shares("1000"))
    assert refusal(wish, exposure(cash="500"), market=crypto) == "INSUFFICIENT_CASH: need=517.50 cash=500.00"
    assert refusal(wish, exposure(cash="517.499999"), market=crypto).startswith("INSUFFICIENT_CASH")
    assert allowed(wish, exposure(cash="517.50"), market=crypto).need == usdc("517.50")


def test_what_open_orders_reserve_and_earlier_lines_need_is_gone() -> None:
    assert (
        refusal(an_intent(), exposure(cash="100", reserved="60"))
        == "INSUFFICIENT_CASH: need=50.00 cash=40.00"
    )
    drawn = exposure(cash="100")
    assert allowed(an_intent(line=0, amount=shares("120")), drawn)
    assert (
        refusal(an_intent(line=1, amount=shares("81")), drawn) == "INSUFFICIENT_CASH: need=40.50 cash=40.00"
    )
    assert allowed(an_intent(line=2, amount=shares("80")), drawn)
    assert refusal(an_intent(line=3, amount=shares("7")), drawn) == "INSUFFICIENT_CASH: need=3.50 cash=0.00"


def test_an_overdrawn_account_is_told_as_empty() -> None:
    assert (
        refusal(an_intent(), exposure(cash="10", reserved="11")) == "INSUFFICIENT_CASH: need=50.00 cash=0.00"
    )


def test_a_dollar_order_needs_the_fee_of_its_cheapest_fill() -> None:
    crypto = a_market(fees=CRYPTO_FEES)
    wish = an_intent(at="0.50", tif=FAK, amount=dollars("100"))
    cheap = a_book(bids="0.09x9", asks="0.10x100")
    assert allowed(wish, market=crypto, book=cheap).need == usdc("106.30")
    assert allowed(wish, market=crypto, book=a_book()).need == usdc("103.50")
    assert allowed(wish, market=crypto, book=a_book(asks="0.60x9")).need == usdc("103.50")


def test_what_a_line_sells_is_not_spendable_in_the_same_run() -> None:
    drawn = exposure(cash="0", yes="100")
    assert allowed(an_intent(line=0, side=SELL, at="0.51"), drawn)
    assert refusal(an_intent(line=1), drawn) == "INSUFFICIENT_CASH: need=50.00 cash=0.00"


@given(
    st.integers(1, 99).map(lambda step: Price(step * 10_000)),
    st.integers(500, 100_000).map(lambda lots: Size(lots * 10_000)),
    st.integers(0, 70_000),
    st.sampled_from([1, 2]),
    st.integers(1, 99).map(lambda step: Price(step * 10_000)),
)
def test_the_need_covers_the_order_wherever_it_fills(
    limit: Price, wanted: Size, rate: int, exponent: int, filled_at: Price
) -> None:
    schedule = FeeSchedule(rate=rate, exponent=exponent)
    wish = replace(an_intent(amount=Shares(size=wanted), post_only=True), wished_price=limit)
    need = allowed(wish, exposure(cash="1000000"), market=a_market(fees=schedule)).need
    at = min(filled_at, limit)
    likely = Fraction(at * (MICROS - at), MICROS**2)
    exact = Fraction(at * wanted, MICROS) + Fraction(wanted * rate, MICROS) * likely**exponent
    assert exact < need + FEE_STEP


def test_dollars_are_drawn_as_dollars() -> None:
    drawn = exposure(cash="100")
    assert allowed(an_intent(line=0, tif=FAK, amount=dollars("60")), drawn).need == usdc("60")
    assert drawn.cash == usdc("40")
    assert drawn.notional == usdc("60")
    assert isinstance(an_intent(amount=dollars("60")).wished_amount, Dollars)
    assert to_micros("60") == drawn.notional
