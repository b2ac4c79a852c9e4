"""The twin holds what paper made of the same order, to the micro."""

from betteroms.domain.order import OrderStatus
from betteroms.domain.twin import TwinFill, twin_of
from tests.domain.examples import NOW, an_execution, an_order, price, size, usdc


def test_a_twin_has_the_order_as_paper_left_it_and_the_fees_in_sum() -> None:
    fills = [
        an_execution(at="0.50", filled="60", fee="0.10500"),
        an_execution(at="0.51", filled="40", fee="0.06997"),
    ]
    order = an_order(status=OrderStatus.FILLED, filled_size=size("100"), filled_cash=usdc("50.4"))
    twin = twin_of(order, fills, at=NOW)
    assert (twin.order_id, twin.mode, twin.at) == (order.order_id, order.mode, NOW)
    assert (twin.status, twin.code) == (OrderStatus.FILLED, None)
    assert (twin.size, twin.cash, twin.fee) == (size("100"), usdc("50.4"), usdc("0.17497"))
    assert twin.fills == (
        TwinFill(price=price("0.50"), size=size("60"), fee=usdc("0.105")),
        TwinFill(price=price("0.51"), size=size("40"), fee=usdc("0.06997")),
    )


def test_a_twin_that_paper_refused_has_no_fills_and_says_why() -> None:
    refused = an_order(status=OrderStatus.REJECTED, code="POST_ONLY_WOULD_CROSS")
    twin = twin_of(refused, [], at=NOW)
    assert (twin.status, twin.code, twin.fills) == (OrderStatus.REJECTED, "POST_ONLY_WOULD_CROSS", ())
    assert (twin.size, twin.cash, twin.fee) == (0, 0, 0)
