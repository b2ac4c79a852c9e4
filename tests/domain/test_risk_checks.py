"""Each refusal with its exact words, in its order of precedence, and nothing changed by asking."""

from dataclasses import replace
from typing import Any

import pytest

from betteroms.domain.book import Book
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import TokenId, order_id
from betteroms.domain.market import Outcome
from betteroms.domain.money import Size, Usdc
from betteroms.domain.risk import Limits, judge
from betteroms.domain.risk.checks import admissible
from betteroms.domain.rounding import Shaped, shape
from betteroms.domain.terms import Side, TimeInForce
from tests.domain.examples import (
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
from tests.domain.judging import BOOK, CENTS, FAK, SELL, allowed, exposure, refusal


def test_an_open_market_with_a_sane_book_is_admissible() -> None:
    assert admissible(a_market(), BOOK) is None
    assert admissible(a_market(), a_book()) is None
    assert admissible(a_market(), a_book(bids="0.50x1", asks="0.50x1")) is None


COMBINATION = TokenId(str(3 << 248 | 7 << 104))
ODD_FEES = FeeSchedule(rate=70_000, exponent=3)
INADMISSIBLE: list[tuple[dict[str, Any], Book | None, str]] = [
    (
        {"outcomes": (Outcome(token_id=YES, label="Yes"), Outcome(token_id=COMBINATION, label="No"))},
        BOOK,
        "COMBINATION_UNSUPPORTED: market=will-it-rain",
    ),
    ({"closed": True}, BOOK, "MARKET_CLOSED: market=will-it-rain closed=true acceptingOrders=true"),
    (
        {"accepting_orders": False},
        BOOK,
        "MARKET_CLOSED: market=will-it-rain closed=false acceptingOrders=false",
    ),
    ({}, None, "NO_BOOK: market=will-it-rain"),
    ({}, a_book(bids="0.51x9", asks="0.5x9"), "BOOK_CROSSED: bid=0.51 ask=0.5"),
    ({"fees": ODD_FEES}, BOOK, "FEE_SCHEDULE_UNKNOWN: exponent=3"),
]


@pytest.mark.parametrize(("changed", "book", "text"), INADMISSIBLE)
def test_what_cannot_be_traded_now_is_refused(changed: dict[str, Any], book: Book | None, text: str) -> None:
    assert str(admissible(a_market(**changed), book)) == text


def test_of_several_things_wrong_with_a_market_the_first_is_told() -> None:
    outcomes = (Outcome(token_id=COMBINATION, label="Yes"), Outcome(token_id=NO, label="No"))
    wrong: dict[str, Any] = {"fees": ODD_FEES, "closed": True, "outcomes": outcomes}
    crossed = a_book(bids="0.51x9", asks="0.50x9")
    codes = []
    for book in (None, crossed):
        for name in ("", "outcomes", "closed"):
            kept = {key: value for key, value in wrong.items() if key not in ("outcomes", "closed")}
            kept |= {"outcomes": outcomes} if name == "" else {}
            kept |= {"closed": True} if name in ("", "outcomes") else {}
            denial = admissible(a_market(**kept), book)
            assert denial is not None
            codes.append(denial.code)
    assert codes == [
        "COMBINATION_UNSUPPORTED",
        "MARKET_CLOSED",
        "NO_BOOK",
        "COMBINATION_UNSUPPORTED",
        "MARKET_CLOSED",
        "BOOK_CROSSED",
    ]


def test_an_order_below_the_minimum_size_is_never_bumped_up() -> None:
    assert refusal(an_intent(amount=shares("4.99"))) == "BELOW_MINIMUM_SIZE: size=4.99 min=5"
    assert refusal(an_intent(amount=dollars("2.49"))) == "BELOW_MINIMUM_SIZE: size=4.98 min=5"
    assert allowed(an_intent(amount=shares("5")))
    for tif in TimeInForce:
        tiny = an_intent(side=SELL, tif=tif, amount=shares("4.99"))
        assert refusal(tiny, exposure(yes="9")) == "BELOW_MINIMUM_SIZE: size=4.99 min=5"


def test_where_the_venue_has_no_minimum_an_order_for_nothing_is_still_none() -> None:
    free = replace(CENTS, minimum_size=Size(0))
    for side in Side:
        rounded_away = an_intent(side=side, at="0.45", amount=shares("0.009"))
        assert refusal(rounded_away, rules=free) == "BELOW_MINIMUM_SIZE: size=0 min=0.01"
    assert allowed(an_intent(side=SELL, amount=shares("0.01")), exposure(yes="1"), rules=free)


@pytest.mark.parametrize("tif", [TimeInForce.FOK, TimeInForce.FAK])
def test_a_buy_that_takes_must_be_worth_a_dollar(tif: TimeInForce) -> None:
    refused = "BELOW_MINIMUM_NOTIONAL: notional=0.99 min=1.00"
    assert refusal(an_intent(tif=tif, amount=dollars("0.99"))) == refused
    assert refusal(an_intent(tif=tif, amount=dollars("0.99")), book=a_book()) == refused
    assert allowed(an_intent(tif=tif, amount=dollars("1")))


def test_a_resting_buy_must_be_worth_a_dollar_only_where_it_would_take() -> None:
    cheap = a_book(asks="0.10x100")
    text = "BELOW_MINIMUM_NOTIONAL: notional=0.60 min=1.00"
    assert refusal(an_intent(at="0.10", amount=shares("6")), book=cheap) == text
    assert allowed(an_intent(at="0.09", amount=shares("6")), book=cheap)
    assert allowed(an_intent(at="0.10", amount=shares("6")), book=a_book(bids="0.05x9"))
    assert allowed(an_intent(at="0.10", amount=shares("6"), post_only=True), book=cheap)
    assert allowed(an_intent(at="0.10", amount=shares("10")), book=cheap)


def test_a_sell_has_no_minimum_in_dollars() -> None:
    assert allowed(
        an_intent(side=SELL, at="0.01", amount=shares("5"), tif=FAK),
        exposure(yes="5"),
        book=a_book(bids="0.01x9"),
    )


def test_a_guard_is_compared_with_the_exact_mid() -> None:
    book = a_book(bids="0.48x9", asks="0.51x9", tick_size=price("0.001"))  # mid 0.495
    assert (
        refusal(an_intent(price_ceil=price("0.494")), book=book) == "PRICE_ABOVE_CEIL: mid=0.495 ceil=0.494"
    )
    assert allowed(an_intent(price_ceil=price("0.495")), book=book)
    sell = an_intent(side=SELL, price_floor=price("0.496"))
    assert refusal(sell, exposure(yes="100"), book=book) == "PRICE_BELOW_FLOOR: mid=0.495 floor=0.496"
    assert allowed(replace(sell, price_floor=price("0.495")), exposure(yes="100"), book=book)


def test_a_midpoint_between_two_millionths_is_told_in_full() -> None:
    book = a_book(bids="0.480001x9", asks="0.510002x9")
    assert (
        refusal(an_intent(price_ceil=price("0.4")), book=book) == "PRICE_ABOVE_CEIL: mid=0.4950015 ceil=0.4"
    )


def test_a_guard_without_a_mid_refuses() -> None:
    assert refusal(an_intent(price_ceil=price("0.6")), book=a_book(asks="0.5x9")) == "MID_UNKNOWN: guard=0.6"
    sell = an_intent(side=SELL, price_floor=price("0.4"))
    assert refusal(sell, exposure(yes="100"), book=a_book(bids="0.5x9")) == "MID_UNKNOWN: guard=0.4"


def test_a_guard_for_the_other_side_is_not_asked() -> None:
    assert allowed(an_intent(price_floor=price("0.99")))
    assert allowed(an_intent(side=SELL, price_ceil=price("0.01")), exposure(yes="100"))


def test_the_same_instruction_twice_in_one_run_is_refused_and_names_its_twin() -> None:
    drawn = exposure()
    first, second = an_intent(line=0), an_intent(line=1)
    assert allowed(first, drawn)
    assert refusal(second, drawn) == f"DUPLICATE_INSTRUCTION: order={order_id(first.key)}"
    assert refusal(second, drawn) == f"DUPLICATE_INSTRUCTION: order={order_id(first.key)}"


def test_instructions_that_come_to_the_same_order_after_rounding_are_the_same() -> None:
    drawn = exposure()
    assert allowed(an_intent(line=0, at="0.501"), drawn)
    assert refusal(an_intent(line=1, at="0.509"), drawn).startswith("DUPLICATE_INSTRUCTION")


@pytest.mark.parametrize(
    "changed",
    [
        {"side": SELL},
        {"outcome_index": 1},
        {"at": "0.49"},
        {"amount": shares("99")},
        {"tif": TimeInForce.FOK},
        {"post_only": True},
        {"ref": "on-purpose"},
    ],
)
def test_instructions_that_differ_in_anything_are_not_duplicates(changed: dict[str, Any]) -> None:
    # FAK never rests, so that a SELL after it, or a BUY of the other outcome, cannot meet it.
    drawn = exposure(yes="500")
    assert allowed(an_intent(line=0, tif=FAK), drawn)
    assert allowed(an_intent(line=1, **{"tif": FAK, **changed}), drawn)


def test_a_refused_instruction_is_nobodys_twin() -> None:
    drawn = exposure(cash="10")
    assert refusal(an_intent(line=0), drawn) == "INSUFFICIENT_CASH: need=50.00 cash=10.00"
    assert refusal(an_intent(line=1), drawn) == "INSUFFICIENT_CASH: need=50.00 cash=10.00"


def test_the_first_refusal_wins() -> None:
    caps = Limits(order_notional_max=Usdc(1), run_notional_max=Usdc(1), run_orders_max=0)
    drawn = exposure(cash="0")
    first = an_intent(line=0, amount=shares("1"), price_ceil=price("0.10"))
    codes = [
        refusal(first, drawn, limits=caps),
        refusal(replace(first, wished_amount=shares("5")), drawn, limits=caps),
    ]
    plain = an_intent(line=0, amount=shares("5"))
    seen = exposure(cash="10")
    assert allowed(plain, seen)
    seen.cash = 0
    codes.append(refusal(an_intent(line=1, amount=shares("5")), seen, limits=caps))
    for limits in (
        caps,
        replace(caps, order_notional_max=None),
        replace(caps, order_notional_max=None, run_notional_max=None),
        Limits(),
    ):
        codes.append(refusal(plain, drawn, limits=limits))
    assert [code.partition(":")[0] for code in codes] == [
        "BELOW_MINIMUM_SIZE",
        "PRICE_ABOVE_CEIL",
        "DUPLICATE_INSTRUCTION",
        "NOTIONAL_EXCEEDS_LIMIT",
        "RUN_NOTIONAL_EXCEEDS_LIMIT",
        "RUN_ORDERS_EXCEED_LIMIT",
        "INSUFFICIENT_CASH",
    ]


def test_judging_changes_nothing() -> None:
    drawn = exposure(yes="100")
    form = shape(an_intent(), CENTS, BOOK)
    assert isinstance(form, Shaped)
    verdicts = {
        judge(
            an_intent(),
            form,
            market=a_market(),
            book=BOOK,
            rules=CENTS,
            exposure=drawn,
            limits=Limits(run_orders_max=1),
            now=NOW,
        )
        for _ in range(3)
    }
    assert len(verdicts) == 1
    assert (drawn.cash, drawn.orders, drawn.notional, drawn.seen) == (usdc("1000"), 0, 0, {})
    assert drawn.sellable(YES) == size("100")
