"""The words of the trade."""

import pytest

from betteroms.domain.terms import TimeInForce


@pytest.mark.parametrize(("tif", "rests"), [("GTC", True), ("GTD", True), ("FOK", False), ("FAK", False)])
def test_only_good_till_orders_rest(tif: str, rests: bool) -> None:
    assert TimeInForce(tif).rests is rests
