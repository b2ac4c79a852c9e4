"""What the fill bounds are worth: the difference in shares at their worth, less what they cost."""

from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.bounds import FillBounds
from betteroms.domain.bounds_value import BoundedGain, Tilt, gain, summed, tilt
from betteroms.domain.money import Price, Size
from betteroms.domain.order import Order
from betteroms.domain.terms import Side
from tests.domain.examples import NO, ORDER_ID, YES, an_intent, an_order, price, shares, size, usdc


def an_open_order(side: Side, *, limit: str, filled: str) -> Order:
    order = an_order(an_intent(side=side, amount=shares("100"), at=limit))
    return replace(order, limit_price=price(limit), filled_size=size(filled))


def bounds(pessimistic: str, optimistic: str) -> FillBounds:
    return FillBounds(
        order_id=ORDER_ID,
        at_once=Size(0),
        ahead=Size(0),
        pessimistic=size(pessimistic),
        optimistic=size(optimistic),
    )


@pytest.mark.parametrize(
    ("side", "worth", "pessimistic", "optimistic"),
    [
        # 40 filled at 0.40, worth 0.50 now: 30 fewer would have gained 3 less, 60 more 6 more.
        (Side.BUY, "0.50", "7", "16"),
        # Worth 0.30: what was bought lost, so that less of it loses less.
        (Side.BUY, "0.30", "13", "4"),
        (Side.SELL, "0.30", "7", "16"),
        (Side.SELL, "0.50", "13", "4"),
    ],
)
def test_a_bound_is_worth_its_shares_less_what_they_would_have_cost(
    side: Side, worth: str, pessimistic: str, optimistic: str
) -> None:
    order = an_open_order(side, limit="0.40", filled="40")
    found = gain(usdc("10"), [tilt(order, bounds("10", "100"))], {YES: 2 * price(worth)})
    assert found == BoundedGain(
        base=usdc("10"), pessimistic=usdc(pessimistic), optimistic=usdc(optimistic), unknown=()
    )


def test_a_difference_is_rounded_against_us_once_for_each_token() -> None:
    one = Tilt(token_id=YES, pessimistic=-1, pessimistic_paid=0, optimistic=1, optimistic_paid=0)
    found = gain(usdc("0"), [one, one, one], {YES: 1})
    assert (found.pessimistic, found.optimistic) == (-1, 0)


def test_a_token_nobody_knows_the_worth_of_counts_with_nothing_and_is_named() -> None:
    order = an_open_order(Side.BUY, limit="0.40", filled="40")
    nothing = Tilt(token_id=NO)
    found = gain(usdc("10"), [tilt(order, bounds("10", "100")), nothing], {})
    assert found == BoundedGain(
        base=usdc("10"), pessimistic=usdc("10"), optimistic=usdc("10"), unknown=(YES,)
    )


def test_an_order_without_a_limit_costs_nothing() -> None:
    order = replace(an_open_order(Side.BUY, limit="0.40", filled="40"), limit_price=None)
    assert tilt(order, bounds("40", "41")) == Tilt(token_id=YES, optimistic=1_000_000)


def test_sums_are_kept_by_token_and_can_be_taken_back() -> None:
    order = an_open_order(Side.BUY, limit="0.40", filled="40")
    one, other = tilt(order, bounds("10", "100")), Tilt(token_id=NO, optimistic=1)
    assert summed([one, other, -one]) == {YES: Tilt(token_id=YES), NO: other}


@given(
    st.sampled_from(Side),
    st.integers(1, 999_999),
    st.integers(0, 2_000_000),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
)
def test_a_bound_agrees_with_a_reckoning_in_fractions(
    side: Side, limit: int, worth: int, less: int, filled: int, more: int
) -> None:
    order = replace(
        an_open_order(side, limit="0.40", filled="40"), limit_price=Price(limit), filled_size=Size(filled)
    )
    told = replace(bounds("0", "0"), pessimistic=Size(less), optimistic=Size(more))
    found = gain(usdc("0"), [tilt(order, told)], {YES: worth})
    sign = 1 if side is Side.BUY else -1
    for bound, reached in ((less, found.pessimistic), (more, found.optimistic)):
        exact = sign * (bound - filled) * (Fraction(worth, 2) - limit) / 1_000_000
        assert reached == floor(exact)
