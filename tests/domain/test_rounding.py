"""From a wish to the order as it would be sent: never worse for the operator, always reported."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.book import Book
from betteroms.domain.fees import ASSUMED
from betteroms.domain.intent import Intent
from betteroms.domain.money import CENT, LOT, MICROS, Price, Size, Usdc, to_micros, to_text
from betteroms.domain.order import Adjustment, Denial
from betteroms.domain.rounding import Rules, Shaped, rules_of, shape
from betteroms.domain.terms import Dollars, Shares, Side, TimeInForce
from tests.domain.examples import a_book, a_market, an_intent, dollars, price, shares, size
from tests.domain.strategies import TICKS

CENTS = Rules(tick_size=price("0.01"), minimum_size=size("5"))
BOOK = a_book(bids="0.48x100", asks="0.50x100")
SIDES = st.sampled_from(Side)
RESTING = st.sampled_from([TimeInForce.GTC, TimeInForce.GTD])
TICK_SIZES = st.sampled_from(TICKS).map(Price)
PRICES = st.integers(1, MICROS - 1).map(Price)


def shaped(intent: Intent, rules: Rules = CENTS, book: Book = BOOK) -> Shaped:
    answer = shape(intent, rules, book)
    assert isinstance(answer, Shaped), answer
    return answer


def refusal(intent: Intent, rules: Rules = CENTS, book: Book = BOOK) -> str:
    answer = shape(intent, rules, book)
    assert isinstance(answer, Denial), answer
    return str(answer)


def told(answer: Shaped) -> list[str]:
    return [str(adjustment) for adjustment in answer.adjustments]


def limit(intent: Intent, at: int) -> Intent:
    fields = {name: getattr(intent, name) for name in Intent.__dataclass_fields__}
    return Intent(**fields | {"wished_price": Price(at)})


@given(SIDES, RESTING, TICK_SIZES, PRICES, st.integers(1, 10**12))
def test_rounding_is_never_worse_for_the_operator(
    side: Side, tif: TimeInForce, tick: Price, wished: Price, amount: int
) -> None:
    intent = limit(an_intent(side=side, tif=tif, amount=Shares(size=Size(amount))), wished)
    answer = shape(intent, Rules(tick_size=tick, minimum_size=size("5")), BOOK)
    if isinstance(answer, Denial):
        assert answer.code == "PRICE_OFF_RANGE"
        assert wished < tick if side is Side.BUY else wished > MICROS - tick
        return
    assert answer.limit_price % tick == 0
    if side is Side.BUY:
        assert wished - tick < answer.limit_price <= wished
    else:
        assert wished <= answer.limit_price < wished + tick
    assert isinstance(answer.amount, Shares)
    assert answer.amount.size % LOT == 0
    assert amount - LOT < answer.amount.size <= amount
    changed = {adjustment.code for adjustment in answer.adjustments}
    assert ("PRICE_ROUNDED" in changed) == (answer.limit_price != wished)
    assert ("SIZE_ROUNDED" in changed) == (answer.amount.size != amount)


@given(RESTING, TICK_SIZES, PRICES, st.integers(1, 10**12))
def test_dollars_become_the_most_whole_lots_they_pay_for(
    tif: TimeInForce, tick: Price, wished: Price, spent: int
) -> None:
    intent = limit(an_intent(tif=tif, amount=Dollars(usdc=Usdc(spent))), wished)
    answer = shape(intent, Rules(tick_size=tick, minimum_size=size("5")), BOOK)
    if isinstance(answer, Denial):
        assert answer.code == "PRICE_OFF_RANGE"
        return
    assert isinstance(answer.amount, Shares)
    each = Fraction(answer.limit_price, MICROS)
    assert answer.amount.size * each <= spent < (answer.amount.size + LOT) * each
    assert answer.amount.size % LOT == 0


@given(TICK_SIZES, PRICES, st.sampled_from([TimeInForce.FOK, TimeInForce.FAK]), st.integers(1, 10**12))
def test_dollars_that_do_not_rest_stay_dollars_down_to_the_cent(
    tick: Price, wished: Price, tif: TimeInForce, spent: int
) -> None:
    intent = limit(an_intent(tif=tif, amount=Dollars(usdc=Usdc(spent))), wished)
    answer = shape(intent, Rules(tick_size=tick, minimum_size=size("5")), BOOK)
    if isinstance(answer, Denial):
        assert answer.code == "PRICE_OFF_RANGE"
        return
    assert isinstance(answer.amount, Dollars)
    assert answer.amount.usdc % CENT == 0
    assert spent - CENT < answer.amount.usdc <= spent
    assert ("AMOUNT_ROUNDED" in {a.code for a in answer.adjustments}) == (answer.amount.usdc != spent)


@given(TICK_SIZES, PRICES, st.sampled_from([TimeInForce.FOK, TimeInForce.FAK]), st.integers(1, 10**10))
def test_a_buy_in_shares_that_does_not_rest_is_whole_cents_or_told_which_sizes_are(
    tick: Price, wished: Price, tif: TimeInForce, wanted: int
) -> None:
    rules = Rules(tick_size=tick, minimum_size=size("5"))
    intent = limit(an_intent(tif=tif, amount=Shares(size=Size(wanted))), wished)
    answer = shape(intent, rules, BOOK)
    lots = wanted // LOT * LOT
    if isinstance(answer, Shaped):
        assert isinstance(answer.amount, Dollars)
        assert answer.amount.usdc % CENT == 0
        assert answer.amount.usdc * MICROS == lots * answer.limit_price
        return
    if answer.code == "PRICE_OFF_RANGE":
        return
    assert answer.code == "AMOUNT_PRECISION"
    named = re.search(r"nearest=([0-9.]+)(?: or ([0-9.]+))?$", answer.detail)
    assert named is not None
    nearest = [to_micros(text) for text in named.groups() if text is not None]
    assert all(abs(near - lots) > 0 for near in nearest)
    assert nearest == sorted(nearest)
    assert nearest[-1] > lots
    for near in nearest:
        again = shape(limit(an_intent(tif=tif, amount=Shares(size=Size(near))), wished), rules, BOOK)
        assert isinstance(again, Shaped), f"{near} was named as a size that works"
    between = range(nearest[0] + LOT, nearest[-1], LOT) if len(nearest) == 2 else range(LOT, nearest[0], LOT)
    for other in list(between)[:50]:
        missed = shape(limit(an_intent(tif=tif, amount=Shares(size=Size(other))), wished), rules, BOOK)
        assert isinstance(missed, Denial), f"{other} is nearer and works too"


def test_a_wish_on_the_grid_goes_out_as_it_is() -> None:
    answer = shaped(an_intent(at="0.42", amount=shares("500")))
    assert answer == Shaped(amount=shares("500"), limit_price=price("0.42"))


def test_the_price_is_rounded_first_and_then_the_shares_from_it() -> None:
    answer = shaped(an_intent(at="0.429", amount=dollars("500")))
    assert answer.limit_price == price("0.42")
    assert answer.amount == shares("1190.47")
    assert told(answer) == ["PRICE_ROUNDED: from=0.429 to=0.42"]


def test_what_was_rounded_is_told_with_its_numbers() -> None:
    sold = shaped(an_intent(side=Side.SELL, at="0.421", amount=shares("7.129")))
    assert sold.limit_price == price("0.43")
    assert told(sold) == ["PRICE_ROUNDED: from=0.421 to=0.43", "SIZE_ROUNDED: from=7.129 to=7.12"]
    spent = shaped(an_intent(tif=TimeInForce.FAK, amount=dollars("12.349")))
    assert spent.amount == dollars("12.34")
    assert told(spent) == ["AMOUNT_ROUNDED: from=12.349 to=12.34"]
    floored = shaped(an_intent(tif=TimeInForce.FOK, at="0.50", amount=shares("20.009")))
    assert floored.amount == dollars("10")
    assert told(floored) == ["SIZE_ROUNDED: from=20.009 to=20"]


@pytest.mark.parametrize(
    ("side", "wished", "text"),
    [
        (Side.BUY, "0.009", "PRICE_OFF_RANGE: price=0.009 rounded=0 tick=0.01"),
        (Side.SELL, "0.995", "PRICE_OFF_RANGE: price=0.995 rounded=1 tick=0.01"),
    ],
)
def test_a_price_that_lands_on_nothing_or_on_a_dollar_is_refused(side: Side, wished: str, text: str) -> None:
    assert refusal(an_intent(side=side, at=wished)) == text


def test_a_size_that_is_no_whole_cents_is_told_the_nearest_that_are() -> None:
    wish = an_intent(tif=TimeInForce.FAK, at="0.57", amount=shares("5.02"))
    assert refusal(wish) == "AMOUNT_PRECISION: size=5.02 price=0.57 is not whole cents; nearest=5 or 6"
    tiny = an_intent(tif=TimeInForce.FOK, at="0.57", amount=shares("0.5"))
    assert refusal(tiny) == "AMOUNT_PRECISION: size=0.5 price=0.57 is not whole cents; nearest=1"


@pytest.mark.parametrize(
    ("side", "changed", "worst"),
    [
        (Side.BUY, {}, "0.52"),
        (Side.BUY, {"slippage_ticks": 0}, "0.50"),
        (Side.BUY, {"slippage_ticks": 100}, "0.99"),
        (Side.BUY, {"price_ceil": price("0.51")}, "0.51"),
        (Side.BUY, {"price_ceil": price("0.517")}, "0.51"),
        (Side.BUY, {"price_ceil": price("0.90")}, "0.52"),
        (Side.BUY, {"price_floor": price("0.90")}, "0.52"),
        (Side.SELL, {}, "0.46"),
        (Side.SELL, {"slippage_ticks": 100}, "0.01"),
        (Side.SELL, {"price_floor": price("0.47")}, "0.47"),
        (Side.SELL, {"price_floor": price("0.463")}, "0.47"),
        (Side.SELL, {"price_floor": price("0.10")}, "0.46"),
    ],
)
def test_market_is_a_limit_at_the_worst_price_allowed(
    side: Side, changed: dict[str, int], worst: str
) -> None:
    amount = dollars("20") if side is Side.BUY else shares("20")
    answer = shaped(an_intent(side=side, at=None, tif=TimeInForce.FAK, amount=amount, **changed))
    assert answer.limit_price == price(worst)
    assert answer.adjustments == ()


@given(TICK_SIZES, st.integers(0, 300), st.none() | PRICES, st.data())
def test_market_never_reaches_past_its_slippage_or_its_guard(
    tick: Price, ticks: int, guard: Price | None, data: st.DataObject
) -> None:
    best = Price(data.draw(st.integers(1, MICROS // tick - 1)) * tick)
    rules = Rules(tick_size=tick, minimum_size=size("5"))
    at = to_text(best)
    buy = an_intent(
        at=None, tif=TimeInForce.FAK, amount=dollars("20"), slippage_ticks=ticks, price_ceil=guard
    )
    bought = shape(buy, rules, a_book(asks=f"{at}x10", tick_size=tick))
    if isinstance(bought, Shaped):
        assert bought.limit_price <= min(best + ticks * tick, guard or MICROS, MICROS - tick)
        assert bought.limit_price % tick == 0
    else:
        assert guard is not None
        assert guard < tick
    sell = an_intent(
        side=Side.SELL,
        at=None,
        tif=TimeInForce.FAK,
        amount=shares("20"),
        slippage_ticks=ticks,
        price_floor=guard,
    )
    sold = shape(sell, rules, a_book(bids=f"{at}x10", tick_size=tick))
    if isinstance(sold, Shaped):
        assert sold.limit_price >= max(best - ticks * tick, guard or 0, tick)
        assert sold.limit_price % tick == 0
    else:
        assert guard is not None
        assert guard > MICROS - tick


@pytest.mark.parametrize(
    ("side", "approved", "guard", "worst"),
    [
        (Side.BUY, "0.57", None, "0.57"),
        (Side.BUY, "0.49", None, "0.49"),
        (Side.BUY, "0.57", "0.55", "0.55"),
        (Side.SELL, "0.41", None, "0.41"),
        (Side.SELL, "0.49", None, "0.49"),
        (Side.SELL, "0.41", "0.45", "0.45"),
    ],
)
def test_an_approved_worst_price_stands_whatever_the_best_price_is_now(
    side: Side, approved: str, guard: str | None, worst: str
) -> None:
    buying = side is Side.BUY
    intent = an_intent(
        side=side,
        at=None,
        tif=TimeInForce.FAK,
        amount=dollars("20") if buying else shares("20"),
        price_ceil=price(guard) if guard and buying else None,
        price_floor=price(guard) if guard and not buying else None,
    )
    rules = Rules(tick_size=price("0.01"), minimum_size=size("5"))
    answer = shape(intent, rules, a_book(bids="0.48x100", asks="0.50x100"), approved=price(approved))
    assert isinstance(answer, Shaped)
    assert answer.limit_price == price(worst)


def test_an_approved_worst_price_changes_nothing_about_a_limit() -> None:
    rules = Rules(tick_size=price("0.01"), minimum_size=size("5"))
    answer = shape(an_intent(at="0.50"), rules, a_book(asks="0.50x100"), approved=price("0.60"))
    assert isinstance(answer, Shaped)
    assert answer.limit_price == price("0.50")


def test_market_needs_somebody_on_the_other_side() -> None:
    buy = an_intent(at=None, tif=TimeInForce.FAK, amount=dollars("20"))
    assert refusal(buy, book=a_book(bids="0.48x100")) == "NO_LIQUIDITY: asks=0"
    sell = an_intent(side=Side.SELL, at=None, tif=TimeInForce.FAK, amount=shares("20"))
    assert refusal(sell, book=a_book(asks="0.50x100")) == "NO_LIQUIDITY: bids=0"


def test_the_books_rules_are_fresher_than_the_market_rows() -> None:
    book = a_book(tick_size=price("0.001"), minimum_size=size("15"))
    assert rules_of(a_market(), book) == Rules(tick_size=price("0.001"), minimum_size=size("15"))
    silent = a_book(tick_size=None, minimum_size=None)
    assert rules_of(a_market(), silent) == CENTS
    assert rules_of(a_market(), None) == CENTS
    free = a_book(tick_size=None, minimum_size=size("0"))
    assert rules_of(a_market(), free) == Rules(tick_size=price("0.01"), minimum_size=size("0"))


def test_a_venue_that_states_no_rules_is_not_traded_on() -> None:
    for market in (a_market(tick_size=None), a_market(minimum_size=None)):
        for book in (None, a_book(tick_size=None, minimum_size=None)):
            assert rules_of(market, book) == Denial(code="MARKET_RULES_UNKNOWN", detail="market=will-it-rain")


@pytest.mark.parametrize("by", ["market", "book"])
def test_a_recording_may_do_without_rules_and_says_what_was_assumed(by: str) -> None:
    market = a_market(tick_size=None, minimum_size=None, recorded=by == "market")
    book = a_book(tick_size=None, minimum_size=None, recorded=by == "book")
    rules = rules_of(market, book)
    assert isinstance(rules, Rules)
    assert (rules.tick_size, rules.minimum_size) == (price("0.01"), size("5"))
    assert [str(assumed) for assumed in rules.assumed] == [
        "ASSUMED: tickSize=0.01",
        "ASSUMED: minimumSize=5",
    ]


def test_only_the_missing_rule_is_assumed() -> None:
    rules = rules_of(a_market(tick_size=None, recorded=True), None)
    assert isinstance(rules, Rules)
    assert [str(assumed) for assumed in rules.assumed] == ["ASSUMED: tickSize=0.01"]
    rules = rules_of(a_market(minimum_size=None, recorded=True), None)
    assert isinstance(rules, Rules)
    assert [str(assumed) for assumed in rules.assumed] == ["ASSUMED: minimumSize=5"]


def test_assumed_fees_are_told_with_every_order() -> None:
    rules = rules_of(a_market(fees=ASSUMED), None)
    assert isinstance(rules, Rules)
    flagged = Adjustment(code="FEES_ASSUMED", detail="rate=0.07")
    assert rules.assumed == (flagged,)
    assert shaped(an_intent(), rules).adjustments == (flagged,)
    assert told(shaped(an_intent(at="0.505"), rules)) == [
        "FEES_ASSUMED: rate=0.07",
        "PRICE_ROUNDED: from=0.505 to=0.5",
    ]
