"""An order's life is a table, and the table is tested whole."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.money import MICROS, Price, Size
from betteroms.domain.order import (
    ALIVE,
    NEXT_STATUS,
    Accepted,
    Adjustment,
    Canceled,
    CancelRequested,
    ChainState,
    Denial,
    Denied,
    Expired,
    Filled,
    ImpossibleTransition,
    Order,
    OrderEvent,
    OrderStatus,
    Progressed,
    Rejected,
    Reversed,
    Sending,
    Unconfirmed,
    after,
    reserved_cash,
    reserved_shares,
)
from betteroms.domain.order import OrderStatus as S
from betteroms.domain.terms import Side
from tests.domain.examples import (
    MARKET_ID,
    NOW,
    an_execution,
    an_intent,
    an_order,
    dollars,
    shares,
    size,
    usdc,
)

LATER = NOW + timedelta(seconds=30)
NAME = an_order().order_id


def filled(amount: str = "10", *, at: str = "0.50", number: int = 1, complete: bool = False) -> Filled:
    return Filled(
        order_id=NAME,
        at=LATER,
        market_id=MARKET_ID,
        executions=(an_execution(filled=amount, at=at, number=number, order=NAME),),
        complete=complete,
    )


def reversed_fill(amount: str = "10", *, number: int = 2) -> Reversed:
    undone = an_execution(filled=amount, number=number, order=NAME)
    opposite = replace(undone, size=Size(-undone.size), cash=usdc("5"))
    return Reversed(order_id=NAME, at=LATER, executions=(opposite,))


EXAMPLES: Final[dict[type, OrderEvent]] = {
    Denied: Denied(order_id=NAME, at=LATER, denial=Denial(code="NO_BOOK", detail="market=x")),
    Sending: Sending(order_id=NAME, at=LATER),
    Progressed: Progressed(order_id=NAME, at=LATER, external_execution_id="trade", state=ChainState.MINED),
    Unconfirmed: Unconfirmed(order_id=NAME, at=LATER, reason="no answer in 10 s"),
    Accepted: Accepted(order_id=NAME, at=LATER),
    Rejected: Rejected(order_id=NAME, at=LATER, code="POST_ONLY_WOULD_CROSS", reason="crosses"),
    Filled: filled(),
    CancelRequested: CancelRequested(order_id=NAME, at=LATER, reason="operator"),
    Canceled: Canceled(order_id=NAME, at=LATER, code="FAK_NO_MATCH"),
    Expired: Expired(order_id=NAME, at=LATER),
    Reversed: reversed_fill(),
}

# Written out apart from the code's own table: for each status the events it may meet, and what follows.
ALLOWED: Final[dict[OrderStatus, dict[type, OrderStatus]]] = {
    S.NEW: {
        Denied: S.DENIED,
        Rejected: S.REJECTED,
        Unconfirmed: S.UNCONFIRMED,
        Accepted: S.OPEN,
        Sending: S.NEW,
        CancelRequested: S.NEW,
    },
    S.DENIED: {},
    S.REJECTED: {Filled: S.REJECTED, Reversed: S.REJECTED, Progressed: S.REJECTED},
    S.UNCONFIRMED: {
        Accepted: S.OPEN,
        Rejected: S.REJECTED,
        Sending: S.UNCONFIRMED,
        Unconfirmed: S.UNCONFIRMED,
        CancelRequested: S.UNCONFIRMED,
    },
    S.OPEN: {
        Filled: S.OPEN,
        Reversed: S.OPEN,
        CancelRequested: S.OPEN,
        Canceled: S.CANCELED,
        Expired: S.EXPIRED,
        Progressed: S.OPEN,
    },
    S.FILLED: {Filled: S.FILLED, Reversed: S.FILLED, CancelRequested: S.FILLED, Progressed: S.FILLED},
    S.CANCELED: {
        Filled: S.CANCELED,
        Reversed: S.CANCELED,
        CancelRequested: S.CANCELED,
        Progressed: S.CANCELED,
    },
    S.EXPIRED: {
        Filled: S.EXPIRED,
        Reversed: S.EXPIRED,
        CancelRequested: S.EXPIRED,
        Progressed: S.EXPIRED,
    },
}


EVENTS: Final = get_args(OrderEvent)


def test_every_kind_of_event_is_tried() -> None:
    assert set(EVENTS) == set(EXAMPLES)
    assert set(ALLOWED) == set(OrderStatus)


@pytest.mark.parametrize(("status", "kind"), list(product(OrderStatus, EVENTS)))
def test_each_status_meets_each_event_as_the_table_says(status: OrderStatus, kind: type) -> None:
    order = an_order(status=status)
    expected = ALLOWED[status].get(kind)
    assert NEXT_STATUS.get((status, kind)) == expected
    if expected is None:
        with pytest.raises(
            ImpossibleTransition, match=rf"{order.order_id}: {status} cannot meet {kind.__name__}"
        ):
            after(order, [EXAMPLES[kind]])
        return
    assert after(order, [EXAMPLES[kind]]).status is expected


@pytest.mark.parametrize("status", OrderStatus)
def test_a_complete_fill_ends_an_open_order_only(status: OrderStatus) -> None:
    if Filled not in ALLOWED[status]:
        return
    ended = after(an_order(status=status), [filled(complete=True)])
    assert ended.status is (S.FILLED if status is S.OPEN else status)
    assert ended.filled_size == size("10")


@pytest.mark.parametrize("status", [S.CANCELED, S.EXPIRED, S.FILLED])
def test_a_late_fill_is_booked_and_the_status_stays(status: OrderStatus) -> None:
    order = an_order(status=status, filled_size=size("20"), filled_cash=usdc("10"), fills=1, code="X")
    late = after(order, [filled("5", number=2)])
    assert late.status is status
    assert (late.filled_size, late.filled_cash, late.fills) == (size("25"), usdc("12.5"), 2)
    assert late.code == "X"


def test_fills_are_counted_and_added_up() -> None:
    order = after(
        an_order(status=S.NEW),
        [EXAMPLES[Accepted], filled("10", at="0.40"), filled("90", at="0.50", number=2, complete=True)],
    )
    assert order.status is S.FILLED
    assert order.filled_size == size("100")
    assert order.filled_cash == usdc("49")
    assert order.fills == 2
    assert order.remaining == 0
    assert order.placed_at == LATER


def test_a_reversed_fill_is_taken_back_but_keeps_its_number() -> None:
    order = after(an_order(), [filled("100", complete=True), reversed_fill("10")])
    assert order.status is S.FILLED
    assert order.filled_size == size("90")
    assert order.filled_cash == usdc("45")
    assert order.fills == 2
    assert order.remaining == size("10")


def test_each_event_leaves_its_code_and_reason() -> None:
    denied = after(an_order(status=S.NEW), [EXAMPLES[Denied]])
    assert (denied.code, denied.reason, denied.placed_at) == ("NO_BOOK", "market=x", None)
    rejected = after(an_order(status=S.NEW), [EXAMPLES[Rejected]])
    assert (rejected.code, rejected.reason) == ("POST_ONLY_WOULD_CROSS", "crosses")
    silent = after(an_order(status=S.NEW), [EXAMPLES[Unconfirmed]])
    assert (silent.code, silent.reason) == (None, "no answer in 10 s")
    canceled = after(an_order(), [EXAMPLES[CancelRequested], EXAMPLES[Canceled]])
    assert canceled.code == "FAK_NO_MATCH"
    expired = after(an_order(), [EXAMPLES[Expired]])
    assert expired.code is None


def test_no_events_change_nothing_and_the_rest_of_the_order_is_kept() -> None:
    order = an_order(
        an_intent(lifetime_seconds=60),
        adjustments=(Adjustment(code="SIZE_ROUNDED"),),
        exempt=True,
        sending_at=NOW,
        external_order_id="0xabc",
    )
    assert after(order, []) == order
    moved = after(order, [EXAMPLES[Canceled]])
    assert replace(moved, status=order.status, code=order.code) == order


@given(st.lists(st.sampled_from([filled("1"), reversed_fill("1"), EXAMPLES[CancelRequested]]), max_size=8))
def test_folding_at_once_equals_folding_one_by_one(events: list[OrderEvent]) -> None:
    one_by_one = an_order()
    for event in events:
        one_by_one = after(one_by_one, [event])
    assert after(an_order(), events) == one_by_one


def test_a_refusal_reads_as_its_code_and_its_numbers() -> None:
    assert str(Denial(code="NO_BOOK")) == "NO_BOOK"
    assert str(Denial(code="NO_BOOK", detail="market=x")) == "NO_BOOK: market=x"
    assert str(Adjustment(code="ASSUMED", detail="tickSize=0.01")) == "ASSUMED: tickSize=0.01"
    assert str(Adjustment(code="ASSUMED")) == "ASSUMED"


@pytest.mark.parametrize("status", OrderStatus)
def test_only_alive_orders_reserve(status: OrderStatus) -> None:
    buy = an_order(an_intent(at="0.42", amount=shares("100")), status=status)
    sell = an_order(an_intent(side=Side.SELL, amount=shares("100")), status=status)
    alive = status in {S.NEW, S.UNCONFIRMED, S.OPEN}
    assert (status in ALIVE) is alive
    assert reserved_cash(buy) == (usdc("42") if alive else 0)
    assert reserved_shares(sell) == (size("100") if alive else 0)
    assert reserved_cash(sell) == 0
    assert reserved_shares(buy) == 0


def test_what_is_filled_is_no_longer_reserved() -> None:
    buy = an_order(an_intent(at="0.42"), filled_size=size("99.999999"), filled_cash=usdc("42"))
    assert reserved_cash(buy) == 1  # rounded up
    sell = an_order(an_intent(side=Side.SELL), filled_size=size("30"))
    assert reserved_shares(sell) == size("70")
    overfilled = an_order(filled_size=size("100.01"))
    assert overfilled.remaining == 0
    assert reserved_cash(overfilled) == 0


def test_an_order_in_dollars_reserves_the_dollars_it_has_not_spent() -> None:
    order = an_order(an_intent(amount=dollars("50")), filled_cash=usdc("20"), filled_size=size("40"))
    assert order.remaining == 0
    assert reserved_cash(order) == usdc("30")
    assert reserved_cash(replace(order, filled_cash=usdc("51"))) == 0


def test_an_order_refused_before_it_had_a_price_reserves_nothing() -> None:
    assert reserved_cash(an_order(limit_price=None)) == 0
    assert an_order(amount=None).remaining == 0


@given(st.integers(1, MICROS - 1), st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_reservation_covers_the_exact_cost_of_the_rest(limit: int, wanted: int, done: int) -> None:
    order: Order = replace(
        an_order(an_intent(amount=shares("1"))),
        limit_price=Price(limit),
        amount=replace(shares("1"), size=Size(wanted)),
        filled_size=Size(done),
    )
    rest = max(wanted - done, 0)
    assert 0 <= reserved_cash(order) * MICROS - limit * rest < MICROS
