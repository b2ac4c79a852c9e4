"""A market knows its outcomes and whether it can be traded."""

import pytest

from betteroms.domain.ids import TokenId
from tests.domain.examples import MARKET_ID, NO, YES, a_market


def test_outcomes_are_numbered_in_the_venues_order() -> None:
    market = a_market()
    assert market.outcome_index(YES) == 0
    assert market.outcome_index(NO) == 1


def test_a_token_of_another_market_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        a_market().outcome_index(TokenId("1"))


@pytest.mark.parametrize(
    ("closed", "accepting", "tradable"),
    [(False, True, True), (True, True, False), (False, False, False), (True, False, False)],
)
def test_only_an_open_market_that_accepts_orders_is_traded(
    closed: bool, accepting: bool, tradable: bool
) -> None:
    assert a_market(closed=closed, accepting_orders=accepting).tradable is tradable


def test_a_market_is_called_by_its_slug_or_else_by_its_condition() -> None:
    assert a_market().name == "will-it-rain"
    assert a_market(slug=None).name == MARKET_ID
