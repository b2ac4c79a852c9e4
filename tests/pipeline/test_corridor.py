"""Every wish becomes an order or a denial, is written down, carried out and booked; once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from betteroms.domain.book import HashCheck, mirror
from betteroms.domain.ids import order_id
from betteroms.domain.money import Price
from betteroms.domain.order import Denial, OrderStatus
from betteroms.domain.risk import Limits
from betteroms.domain.risk.permits import Permits
from betteroms.domain.rounding import Rules
from betteroms.domain.terms import Side, TimeInForce
from betteroms.pipeline import see
from tests.domain.examples import (
    MARKET_ID,
    NO,
    NOW,
    YES,
    a_book,
    a_market,
    an_intent,
    dollars,
    price,
    shares,
    size,
    usdc,
)
from tests.pipeline.runs import Attempt, a_ledger, dollars_left, names

BOOK = a_book(bids="0.48x500", asks="0.50x500")
S = OrderStatus


def test_the_world_holds_the_rules_of_every_outcome() -> None:
    market = a_market()
    finer = a_book(tick_size=price("0.001"))
    world = see([market], {YES: finer})
    assert world.markets == {market.market_id: market}
    assert world.rules[YES] == Rules(tick_size=price("0.001"), minimum_size=size("5"))
    assert world.rules[NO] == Rules(tick_size=price("0.01"), minimum_size=size("5"))
    silent = see([replace(market, tick_size=None)], {YES: finer})
    assert silent.rules[NO] == Denial(code="MARKET_RULES_UNKNOWN", detail="market=will-it-rain")


def test_wishes_become_orders_in_their_order_whatever_becomes_of_them() -> None:
    wishes = [
        an_intent(line=0, amount=shares("10")),
        an_intent(line=1, amount=shares("1")),
        an_intent(line=2, at="0.40"),
        an_intent(line=3, at="0.50", tif=TimeInForce.FOK, amount=dollars("900")),
    ]
    ledger = a_ledger()
    outcome = Attempt(ledger, book=BOOK).carry_out(wishes)
    assert [order.order_id for order in outcome.orders] == names(wishes)
    assert [(order.status, order.code) for order in outcome.orders] == [
        (S.FILLED, None),
        (S.DENIED, "BELOW_MINIMUM_SIZE"),
        (S.OPEN, None),
        (S.CANCELED, "FOK_NOT_FILLED"),
    ]
    assert sorted(outcome.orders, key=lambda order: order.order_id) == ledger.orders()
    fills = outcome.executions[outcome.orders[0].order_id]
    assert list(fills) == ledger.executions()
    assert set(outcome.executions) == {outcome.orders[0].order_id}


def test_an_order_says_what_it_was_taken_on_as() -> None:
    wish = an_intent(
        at="0.509", amount=shares("10.009"), lifetime_seconds=90, notes="kept", tif=TimeInForce.GTD
    )
    attempt = Attempt(a_ledger(), book=BOOK)
    (order,) = attempt.carry_out([wish]).orders
    assert order.intent is wish
    assert order.run_id == attempt.run.run_id
    assert (order.amount, order.limit_price) == (shares("10"), price("0.50"))
    assert [adjustment.code for adjustment in order.adjustments] == ["PRICE_ROUNDED", "SIZE_ROUNDED"]
    assert order.expires_at == NOW + timedelta(seconds=90)
    assert (order.created_at, order.placed_at) == (NOW, NOW)
    assert not order.exempt


def test_only_an_order_that_rests_expires() -> None:
    wish = an_intent(tif=TimeInForce.FAK, amount=dollars("10"), lifetime_seconds=90)
    (order,) = Attempt(a_ledger(), book=BOOK).carry_out([wish]).orders
    assert order.expires_at is None
    (patient,) = Attempt(a_ledger(), book=BOOK).carry_out([an_intent(at="0.40")]).orders
    assert patient.expires_at is None


def test_a_denial_before_there_is_a_price_has_neither_price_nor_amount() -> None:
    ledger = a_ledger()
    no_book, off = an_intent(line=0, outcome_index=1), an_intent(line=1, at="0.001")
    outcome = Attempt(ledger, book=BOOK).carry_out([no_book, off])
    assert [(o.code, o.reason, o.amount, o.limit_price) for o in outcome.orders] == [
        ("NO_BOOK", "market=will-it-rain", None, None),
        ("PRICE_OFF_RANGE", "price=0.001 rounded=0 tick=0.01", None, None),
    ]
    assert len(ledger.orders()) == 2


def test_a_denial_by_risk_keeps_what_would_have_been_sent() -> None:
    (order,) = Attempt(a_ledger(cash="1"), book=BOOK).carry_out([an_intent(at="0.509")]).orders
    assert (order.status, order.code, order.reason) == (S.DENIED, "INSUFFICIENT_CASH", "need=50.00 cash=1.00")
    assert (order.amount, order.limit_price) == (shares("100"), price("0.50"))
    assert [adjustment.code for adjustment in order.adjustments] == ["PRICE_ROUNDED"]


def test_a_market_without_rules_denies_its_own_instructions() -> None:
    market = a_market(tick_size=None)
    book = replace(BOOK, tick_size=None)
    (order,) = Attempt(a_ledger(), book=book, market=market).carry_out([an_intent()]).orders
    assert (order.code, order.reason) == ("MARKET_RULES_UNKNOWN", "market=will-it-rain")


def test_a_closed_market_denies_its_own_instructions() -> None:
    market = a_market(closed=True)
    (order,) = Attempt(a_ledger(), book=BOOK, market=market).carry_out([an_intent()]).orders
    assert order.code == "MARKET_CLOSED"


def test_a_book_that_is_not_what_it_claims_to_be_is_good_enough_for_paper_only() -> None:
    """Where orders leave the process, a hash that does not fit refuses; one that none can check does not."""
    wish = an_intent(at="0.50", amount=shares("100"))
    bounds = Permits(
        cash=usdc("1000"),
        contracts={MARKET_ID: "0xe111"},
        allowances={"0xe111": usdc("1000")},
        shares={},
        sellable=frozenset(),
    )
    codes = []
    for check in (HashCheck.UNVERIFIABLE, HashCheck.MISMATCH):
        for permits in (None, bounds):
            book = replace(a_book(bids="0.48x500", asks="0.50x500"), hash_check=check)
            [order] = Attempt(a_ledger(), book=book, permits=permits).carry_out([wish]).orders
            codes.append((order.code, order.reason))
    assert codes[:3] == [(None, None)] * 3
    assert codes[3] == ("BOOK_HASH_MISMATCH", f"book={book.book_id[:12]}")


def test_a_refused_instruction_does_not_stop_the_others() -> None:
    wishes = [an_intent(line=0, amount=shares("1")), an_intent(line=1, amount=shares("10"))]
    outcome = Attempt(a_ledger(), book=BOOK).carry_out(wishes)
    assert [order.status for order in outcome.orders] == [S.DENIED, S.FILLED]


def test_a_refused_instruction_stops_the_others_where_the_plan_says_so() -> None:
    wishes = [
        an_intent(line=0, amount=shares("10")),
        an_intent(line=1, amount=shares("1")),
        an_intent(line=2, amount=shares("11")),
        an_intent(line=3, amount=shares("2")),
    ]
    outcome = Attempt(a_ledger(), book=BOOK, stop_on_refusal=True).carry_out(wishes)
    assert [(order.status, order.code) for order in outcome.orders] == [
        (S.FILLED, None),
        (S.DENIED, "BELOW_MINIMUM_SIZE"),
        (S.DENIED, "STOPPED_ON_REFUSAL"),
        (S.DENIED, "STOPPED_ON_REFUSAL"),
    ]
    assert outcome.orders[2].reason == "an earlier instruction was refused"


def test_the_caps_of_the_run_are_asked() -> None:
    caps = Limits(order_notional_max=usdc("40"))
    (order,) = Attempt(a_ledger(), book=BOOK, limits=caps).carry_out([an_intent()]).orders
    assert (order.code, order.reason) == ("NOTIONAL_EXCEEDS_LIMIT", "notional=50.00 max=40.00")


def test_a_sale_of_what_is_held_is_marked_exempt() -> None:
    ledger = a_ledger(held={YES: size("100")})
    (order,) = Attempt(ledger, book=BOOK).carry_out([an_intent(side=Side.SELL, at="0.48")]).orders
    assert (order.status, order.exempt) == (S.FILLED, True)


def test_what_a_run_buys_it_cannot_spend_or_sell() -> None:
    ledger = a_ledger(cash="100")
    wishes = [
        an_intent(line=0, amount=shares("100")),
        an_intent(line=1, amount=shares("101")),
        an_intent(line=2, side=Side.SELL, at="0.48"),
    ]
    outcome = Attempt(ledger, book=BOOK).carry_out(wishes)
    assert [order.code for order in outcome.orders] == [None, "INSUFFICIENT_CASH", "INSUFFICIENT_SHARES"]
    assert dollars_left(ledger) == (usdc("50"), 0)


def test_the_same_key_twice_in_one_pass_is_one_wish() -> None:
    ledger = a_ledger()
    wish = an_intent(amount=shares("10"))
    refused = an_intent(line=1, amount=shares("1"))
    outcome = Attempt(ledger, book=BOOK).carry_out([wish, refused, wish, refused])
    assert [order.order_id for order in outcome.orders] == names([wish, refused, wish, refused])
    assert [order.status for order in outcome.orders] == [S.FILLED, S.DENIED, S.FILLED, S.DENIED]
    assert len(ledger.orders()) == 2
    assert len(ledger.executions()) == 1


def test_what_was_carried_out_before_keeps_its_result() -> None:
    ledger = a_ledger()
    wishes = [
        an_intent(line=0, amount=shares("10")),
        an_intent(line=1, amount=shares("1")),
        an_intent(line=2, at="0.40"),
    ]
    first = Attempt(ledger, book=BOOK).carry_out(wishes)
    again = Attempt(ledger, book=BOOK, name="another", asking=names(wishes)).carry_out(wishes)
    assert again.orders == first.orders
    assert again.executions == {name: tuple(fills) for name, fills in first.executions.items()}
    assert len(ledger.orders()) == 3


def test_a_run_without_wishes_is_a_run() -> None:
    ledger = a_ledger()
    outcome = Attempt(ledger, book=BOOK).carry_out([])
    assert (list(outcome.orders), dict(outcome.executions), list(outcome.settled)) == ([], {}, [])
    assert ledger.runs()[0].run.status == "completed"


def test_the_same_run_comes_to_the_same_bytes() -> None:
    wishes = [an_intent(line=line, at=f"0.{40 + line}", amount=shares("10")) for line in range(12)]
    outcomes = [Attempt(a_ledger(), book=BOOK).carry_out(wishes) for _ in range(2)]
    assert outcomes[0] == outcomes[1]
    assert repr(outcomes[0]) == repr(outcomes[1])


def test_both_outcomes_are_traded_over_their_own_books() -> None:
    ledger = a_ledger()
    attempt = Attempt(ledger, book=mirror(BOOK, NO))
    (order,) = attempt.carry_out([an_intent(outcome_index=1, at="0.52", amount=shares("10"))]).orders
    assert order.status is S.FILLED
    assert [fill.price for fill in ledger.executions()] == [price("0.52")]
    assert order.order_id == order_id(order.intent.key)


def test_a_market_order_keeps_the_worst_price_that_was_approved() -> None:
    wishes = [
        an_intent(line=line, at=None, tif=TimeInForce.FAK, amount=dollars(spent))
        for line, spent in enumerate(("10", "20"))
    ]
    approved = {names(wishes)[0]: price("0.57")}
    outcome = Attempt(a_ledger(), book=BOOK, approved=approved).carry_out(wishes)
    assert [order.limit_price for order in outcome.orders] == [price("0.57"), price("0.52")]


@pytest.mark.parametrize("limit", ["0.50", "0.99"])
def test_a_better_price_than_the_limit_stays_in_the_account(limit: str) -> None:
    ledger = a_ledger(cash="100")
    (order,) = Attempt(ledger, book=BOOK).carry_out([an_intent(at=limit, amount=shares("100"))]).orders
    assert order.limit_price == Price(price(limit))
    assert dollars_left(ledger) == (usdc("50"), 0)
