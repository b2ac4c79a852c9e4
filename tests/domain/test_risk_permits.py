"""What the venue itself bounds: dollars, shares, approvals, and whether anything may be opened."""

from typing import Any

import pytest

from betteroms.domain.money import Size, Usdc
from betteroms.domain.risk import Account, Exposure
from betteroms.domain.risk.permits import Permits
from tests.domain.examples import MARKET_ID, YES, an_intent, shares, size, usdc
from tests.domain.judging import SELL, allowed, refusal

CONTRACT = "0xe111"
HUNDRED = shares("100")
"""At 50 cents: 50 dollars."""


def permits(**changed: Any) -> Permits:
    fields: dict[str, Any] = {
        "cash": usdc("1000"),
        "contracts": {MARKET_ID: CONTRACT},
        "allowances": {CONTRACT: usdc("1000")},
        "shares": {YES: size("1000")},
        "sellable": frozenset({YES}),
    }
    return Permits(**fields | changed)


def drawn_on(
    bounds: Permits | None,
    *,
    cash: str = "1000",
    reserved: str = "0",
    held: str = "0",
    in_flight: str = "0",
) -> Exposure:
    moving: dict[Any, Size] = {YES: size(in_flight)} if size(in_flight) else {}
    return Exposure(
        Account(
            cash=usdc(cash),
            reserved_cash=usdc(reserved),
            held={YES: size(held)},
            reserved_shares={},
            in_flight=moving,
        ),
        permits=bounds,
    )


def test_where_nothing_leaves_the_process_only_the_ledger_bounds() -> None:
    on = drawn_on(None, held="100")
    assert on.allowed(MARKET_ID) is None
    allowed(an_intent(amount=HUNDRED), on)
    allowed(an_intent(side=SELL, at="0.48", amount=HUNDRED), drawn_on(None, held="100"))


def test_the_smaller_of_the_wallet_and_the_ledger_can_be_spent() -> None:
    said = refusal(an_intent(amount=HUNDRED), drawn_on(permits(cash=usdc("49.99"))))
    assert said == "INSUFFICIENT_CASH: need=50.00 cash=49.99"
    said = refusal(an_intent(amount=HUNDRED), drawn_on(permits(), cash="49.99"))
    assert said == "INSUFFICIENT_CASH: need=50.00 cash=49.99"
    allowed(an_intent(amount=HUNDRED), drawn_on(permits(cash=usdc("50")), cash="50"))


def test_each_order_draws_on_the_allowance_and_so_do_the_open_ones() -> None:
    on = drawn_on(permits(allowances={CONTRACT: usdc("110")}), reserved="10")
    allowed(an_intent(line=0, amount=shares("120")), on)
    allowed(an_intent(line=1, amount=shares("80")), on)
    assert on.allowed(MARKET_ID) == 0
    assert refusal(an_intent(line=2, amount=HUNDRED), on) == "ALLOWANCE_SHORT: need=50.00 allowed=0.00"


@pytest.mark.parametrize(
    ("bounds", "left"),
    [
        (permits(allowances={}), "0.00"),
        (permits(contracts={}), "0.00"),
        (permits(allowances={CONTRACT: usdc("49.999999")}), "49.999999"),
        (permits(allowances={CONTRACT: Usdc(0)}), "0.00"),
    ],
)
def test_a_contract_that_may_not_take_the_dollars_is_named_by_what_it_may(bounds: Permits, left: str) -> None:
    said = refusal(an_intent(amount=HUNDRED), drawn_on(bounds))
    assert said == f"ALLOWANCE_SHORT: need=50.00 allowed={left}"


def test_an_allowance_that_open_orders_have_used_up_is_told_as_none() -> None:
    on = drawn_on(permits(allowances={CONTRACT: usdc("5")}), reserved="10")
    assert refusal(an_intent(amount=HUNDRED), on) == "ALLOWANCE_SHORT: need=50.00 allowed=0.00"


def test_shares_that_their_contract_may_not_take_are_not_sold() -> None:
    sale = an_intent(side=SELL, at="0.48", amount=HUNDRED)
    said = refusal(sale, drawn_on(permits(sellable=frozenset()), held="100"))
    assert said == "ALLOWANCE_SHORT: shares of this market are not approved for 0xe111"
    said = refusal(sale, drawn_on(permits(sellable=frozenset(), contracts={}), held="100"))
    assert said == "ALLOWANCE_SHORT: shares of this market are not approved for none"
    allowed(sale, drawn_on(permits(), held="100"))


def test_only_shares_that_the_venue_has_seen_arrive_are_sold() -> None:
    sale = an_intent(side=SELL, at="0.48", amount=HUNDRED)
    said = refusal(sale, drawn_on(permits(shares={YES: size("99")}), held="100"))
    assert said == "INSUFFICIENT_SHARES: need=100 shares=99"
    allowed(sale, drawn_on(permits(shares={}), held="100"))


def test_shares_in_flight_are_held_back_once_and_not_twice() -> None:
    """The venue does not see them yet, and the ledger does not let them go yet: the rest can be sold."""
    on = drawn_on(permits(shares={YES: size("100")}), held="150", in_flight="50")
    assert on.sellable(YES) == size("100")


def test_an_account_that_may_only_close_sells_and_does_not_buy() -> None:
    bounds = permits(closed_only=True)
    said = refusal(an_intent(amount=HUNDRED), drawn_on(bounds))
    assert said == "CLOSED_ONLY: the venue lets this account close positions only"
    allowed(an_intent(side=SELL, at="0.48", amount=HUNDRED), drawn_on(bounds, held="100"))
