"""Orders of our own never meet: what rests, lines of one plan, the two outcomes of a market."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.ids import MarketId, TokenId, order_id
from betteroms.domain.intent import Intent
from betteroms.domain.money import MICROS, Price, to_text
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.risk import Allowed
from betteroms.domain.risk.selfcross import Resting, crossed, rests
from betteroms.domain.terms import Side, TimeInForce
from tests.domain.examples import MARKET_ID, a_book, an_intent, an_order, price, shares, size
from tests.domain.judging import FAK, SELL, allowed, judged, refusal
from tests.domain.stakes import a_resting, another_market, with_history

BUY = Side.BUY


def buy(outcome: int, at: str, *, line: int = 0, tif: TimeInForce = TimeInForce.GTC) -> Intent:
    return an_intent(line=line, side=BUY, outcome_index=outcome, at=at, tif=tif)


def sell(outcome: int, at: str, *, line: int = 0, tif: TimeInForce = TimeInForce.GTC) -> Intent:
    return an_intent(line=line, side=SELL, outcome_index=outcome, at=at, tif=tif)


MEETINGS = [
    (sell(0, "0.52", line=90), buy(0, "0.52"), buy(0, "0.51")),
    (buy(0, "0.52", line=90), sell(0, "0.52"), sell(0, "0.53")),
    (buy(0, "0.45", line=90), buy(1, "0.55"), buy(1, "0.54")),
    (buy(1, "0.45", line=90), buy(0, "0.55"), buy(0, "0.54")),
    (sell(0, "0.45", line=90), sell(1, "0.55"), sell(1, "0.56")),
    (sell(1, "0.45", line=90), sell(0, "0.55"), sell(0, "0.56")),
]


@pytest.mark.parametrize(("resting", "meets", "passes"), MEETINGS)
def test_an_order_that_would_meet_one_of_ours_is_refused(
    resting: Intent, meets: Intent, passes: Intent
) -> None:
    on_the_book = an_order(resting)
    assert resting.wished_price is not None
    told = f"SELF_CROSS: order={on_the_book.order_id} price={to_text(resting.wished_price)}"
    for tif in (TimeInForce.GTC, FAK):
        drawn = with_history(resting=(on_the_book,), yes="500")
        assert refusal(replace(meets, time_in_force=tif), drawn, book=a_book()) == told
        assert allowed(replace(passes, time_in_force=tif), drawn, book=a_book())


@pytest.mark.parametrize(("first", "meets", "passes"), MEETINGS)
def test_so_is_a_line_that_would_meet_an_earlier_one(first: Intent, meets: Intent, passes: Intent) -> None:
    drawn = with_history(yes="500")
    assert allowed(first, drawn, book=a_book())
    assert refusal(meets, drawn, book=a_book()).startswith(f"SELF_CROSS: order={order_id(first.key)}")
    assert allowed(passes, drawn, book=a_book())


def test_two_that_only_take_cannot_meet() -> None:
    drawn = with_history(yes="500")
    assert allowed(buy(0, "0.60", line=0, tif=FAK), drawn)
    assert allowed(sell(0, "0.40", line=1, tif=FAK), drawn)
    assert allowed(buy(1, "0.60", line=2), drawn)
    assert refusal(buy(0, "0.41", line=3, tif=FAK), drawn).startswith("SELF_CROSS")


def test_the_best_of_ours_is_named_and_other_markets_do_not_matter() -> None:
    near, far = a_resting(line=91, at="0.53", side=SELL), a_resting(line=92, at="0.55", side=SELL)
    drawn = with_history(resting=(far, near))
    assert refusal(buy(0, "0.56"), drawn) == f"SELF_CROSS: order={near.order_id} price=0.53"
    elsewhere = another_market(70)
    wish = an_intent(at="0.56", market_id=elsewhere.market_id, token_id=TokenId("70"))
    assert allowed(wish, drawn, market=elsewhere)


def test_what_ended_or_never_rests_is_not_on_the_book() -> None:
    order = a_resting(at="0.50")
    assert rests(order)
    assert rests(replace(order, status=OrderStatus.NEW))
    assert not rests(replace(order, status=OrderStatus.CANCELED))
    assert not rests(replace(order, limit_price=None))
    assert not rests(replace(order, filled_size=size("100")))
    assert not rests(an_order(an_intent(tif=FAK)))
    assert (
        Resting([replace(order, status=OrderStatus.EXPIRED)]).met_by(sell(0, "0.10"), price("0.10")) is None
    )


def test_an_exit_names_what_has_to_go_before_it() -> None:
    orders = [
        a_resting(line=91, at="0.50"),
        a_resting(line=92, at="0.40"),
        a_resting(line=93, at="0.55", outcome_index=1, side=SELL),
        a_resting(line=94, at="0.60", side=SELL),
        a_resting(line=95, at="0.50", market_id=MarketId("0x1")),
        replace(a_resting(line=96, at="0.50"), status=OrderStatus.CANCELED),
    ]
    found = crossed(orders, market_id=MARKET_ID, side=SELL, outcome_index=0, limit_price=price("0.45"))
    assert [order.intent.line for order in found] == [91, 93]
    drawn = with_history(resting=tuple(order for order in orders if order not in found), yes="100")
    assert allowed(sell(0, "0.45"), drawn, book=a_book())


LINES = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(0, 1),
        st.integers(1, 99),
        st.sampled_from([TimeInForce.GTC, TimeInForce.GTD, TimeInForce.FAK]),
    ),
    max_size=12,
)


def bid_and_price(order: Intent, limit: int) -> tuple[bool, int]:
    """Of the first outcome: what buys it or sells the second is a bid."""
    if order.outcome_index:
        return order.side is SELL, MICROS - limit
    return order.side is BUY, limit


@given(LINES)
def test_whatever_was_taken_on_nothing_of_it_can_meet(
    lines: list[tuple[Side, int, int, TimeInForce]],
) -> None:
    drawn = with_history(cash="1000000", yes="10000")
    taken_on: list[tuple[Intent, int]] = []
    orders: list[Order] = []
    for number, (side, outcome, cents, tif) in enumerate(lines):
        wish = an_intent(
            line=number,
            side=side,
            outcome_index=outcome,
            tif=tif,
            amount=shares("100"),
            ref=str(number),
        )
        limit = Price(cents * 10_000)
        wish = replace(wish, wished_price=limit)
        meets = [
            met
            for met, other in taken_on
            if met.time_in_force.rests
            and bid_and_price(met, other)[0] is not bid_and_price(wish, limit)[0]
            and (
                bid_and_price(wish, limit)[1] >= bid_and_price(met, other)[1]
                if bid_and_price(wish, limit)[0]
                else bid_and_price(wish, limit)[1] <= bid_and_price(met, other)[1]
            )
        ]
        found = crossed(
            orders,
            market_id=MARKET_ID,
            side=side,
            outcome_index=outcome,
            limit_price=limit,
        )
        assert [order.intent.line for order in found] == [met.line for met in meets]
        verdict = judged(wish, drawn, book=a_book())
        assert isinstance(verdict, Allowed) is not bool(meets), verdict
        if isinstance(verdict, Allowed):
            taken_on.append((wish, limit))
            orders.append(an_order(wish))
