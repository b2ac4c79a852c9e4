"""What was bought is sold only once its settlement has come far enough (DECISIONS 7.7)."""

from itertools import product
from typing import Final

import pytest

from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.in_flight import InFlight
from betteroms.domain.order import ChainState, Filled, Progressed
from betteroms.domain.terms import SellFrom, Side
from tests.domain.examples import MARKET_ID, NO, NOW, YES, an_execution, an_order, size

NAME = an_order().order_id
C = ChainState
SELLABLE: Final = {
    SellFrom.MATCHED: {C.MATCHED, C.MINED, C.CONFIRMED, C.RETRYING},
    SellFrom.MINED: {C.MINED, C.CONFIRMED},
    SellFrom.CONFIRMED: {C.CONFIRMED},
}
"""Written out apart from the code's own table."""


def bought(shares: str = "10", *, side: Side = Side.BUY, token: TokenId = YES, number: int = 1) -> Execution:
    return an_execution(
        side=side,
        filled=shares,
        number=number,
        order=NAME,
        token_id=token,
        external_execution_id=f"trade-{number}",
    )


def flying(*fills: tuple[Execution, ChainState], sell_from: SellFrom = SellFrom.MINED) -> InFlight:
    return InFlight(
        {NAME: {fill.external_execution_id or "": (fill, state) for fill, state in fills}}, sell_from
    )


def progressed(number: int, state: ChainState, *, name: OrderId = NAME) -> Progressed:
    return Progressed(order_id=name, at=NOW, external_execution_id=f"trade-{number}", state=state)


@pytest.mark.parametrize(
    ("sell_from", "state"),
    list(product(SellFrom, [state for state in ChainState if state is not ChainState.FAILED])),
)
def test_shares_fly_until_their_settlement_has_come_as_far_as_is_asked_for(
    sell_from: SellFrom, state: ChainState
) -> None:
    held_back = {} if state in SELLABLE[sell_from] else {YES: size("10")}
    assert flying((bought(), state), sell_from=sell_from).shares() == held_back
    moved = flying((bought(), C.MATCHED), sell_from=sell_from)
    moved.tell([progressed(1, state)])
    assert moved.shares() == held_back


def test_shares_add_up_by_token_and_sales_are_none() -> None:
    fills = [
        (bought("10", number=1), C.MATCHED),
        (bought("2.5", number=2), C.RETRYING),
        (bought("7", number=3), C.MINED),
        (bought("1", token=NO, number=4), C.MATCHED),
        (bought("4", side=Side.SELL, number=5), C.MATCHED),
    ]
    assert flying(*fills).shares() == {YES: size("12.5"), NO: size("1")}


@pytest.mark.parametrize("sell_from", SellFrom)
def test_what_had_failed_before_the_run_is_not_held_and_so_does_not_fly(sell_from: SellFrom) -> None:
    assert flying((bought(), C.FAILED), sell_from=sell_from).shares() == {}


@pytest.mark.parametrize("sell_from", SellFrom)
@pytest.mark.parametrize("state", [C.MATCHED, C.MINED, C.RETRYING])
def test_what_fails_in_the_run_was_counted_as_held_and_cannot_be_sold(
    sell_from: SellFrom, state: ChainState
) -> None:
    moved = flying((bought(), state), sell_from=sell_from)
    moved.tell([progressed(1, C.FAILED)])
    assert moved.shares() == {YES: size("10")}


def test_fills_of_this_run_were_not_held_at_its_start_so_they_do_not_fly() -> None:
    moved = flying((bought(), C.MATCHED))
    fresh = bought("99", number=2)
    moved.tell(
        [
            Filled(order_id=NAME, at=NOW, market_id=MARKET_ID, executions=(fresh,)),
            progressed(2, C.MATCHED),
            progressed(1, C.MINED, name=OrderId("another")),
        ]
    )
    assert moved.shares() == {YES: size("10")}


def test_nothing_settles_on_paper() -> None:
    nothing = InFlight({}, SellFrom.MINED)
    nothing.tell([progressed(1, C.MATCHED)])
    assert nothing.shares() == {}
