"""Each cap with history: what it refuses and in which words, and what it lets through."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import Usdc
from betteroms.domain.order import Denial
from betteroms.domain.risk import History, Limits
from betteroms.domain.risk.history import RiskState, Stop, reset, tripped
from betteroms.domain.terms import TimeInForce
from tests.domain.examples import (
    CRYPTO_FEES,
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
    usdc,
)
from tests.domain.judging import FAK, SELL, allowed, judged, refusal
from tests.domain.stakes import a_stake, another_market, with_history

MINUTE = timedelta(minutes=1)


def test_the_days_orders_of_every_run_are_counted() -> None:
    caps, drawn = Limits(day_notional_max=usdc("50")), with_history(History(day_notional=usdc("10")))
    assert (
        refusal(an_intent(amount=shares("104")), drawn, limits=caps)
        == "DAY_NOTIONAL_EXCEEDS_LIMIT: notional=52.00 used=10.00 max=50.00"
    )
    assert allowed(an_intent(line=1, amount=shares("60")), drawn, limits=caps)
    third = an_intent(line=2, amount=shares("21"))
    assert (
        refusal(third, drawn, limits=caps)
        == "DAY_NOTIONAL_EXCEEDS_LIMIT: notional=10.50 used=40.00 max=50.00"
    )
    assert allowed(an_intent(line=3, amount=shares("20")), drawn, limits=caps)


def test_a_market_costs_what_is_held_and_bid_for_in_both_outcomes() -> None:
    past = History(stakes=[a_stake(held="100", cost="40", fees="2"), a_stake(token=NO, bids="15")])
    caps, drawn = Limits(market_notional_max=usdc("100")), with_history(past)
    assert (
        refusal(an_intent(amount=shares("92")), drawn, limits=caps)
        == "MARKET_NOTIONAL_EXCEEDS_LIMIT: notional=46.00 used=55.00 max=100.00"
    )
    assert allowed(an_intent(line=1, amount=shares("60")), drawn, limits=caps)
    second = an_intent(line=2, at="0.49", amount=shares("60"))
    assert refusal(second, drawn, limits=caps).endswith("notional=29.40 used=85.00 max=100.00")
    elsewhere = another_market(70)
    assert allowed(
        an_intent(line=3, market_id=elsewhere.market_id, token_id=TokenId("70")),
        drawn,
        market=elsewhere,
        limits=caps,
    )


def test_an_event_may_lose_its_cost_and_its_fees_and_no_more() -> None:
    caps = Limits(event_loss_max=usdc("100"))
    crypto = a_market(fees=CRYPTO_FEES)
    held = History(stakes=[a_stake(held="100", cost="40", fees="2")])
    assert (
        refusal(an_intent(amount=shares("120")), with_history(held), market=crypto, limits=caps)
        == "EVENT_LOSS_EXCEEDS_LIMIT: loss=104.10 before=42.00 max=100.00"
    )
    assert allowed(an_intent(amount=shares("112")), with_history(held), market=crypto, limits=caps)


def test_a_hedge_is_free_even_above_a_cap_that_was_lowered() -> None:
    caps = Limits(event_loss_max=usdc("10"))
    drawn = with_history(History(stakes=[a_stake(held="100", cost="40")]))
    assert refusal(an_intent(amount=shares("5")), drawn, limits=caps).startswith("EVENT_LOSS_EXCEEDS_LIMIT")
    hedge = an_intent(outcome_index=1, amount=shares("80"), tif=FAK)
    assert allowed(hedge, drawn, book=a_book(asks="0.50x100", token_id=NO), limits=caps)


def test_markets_of_an_exclusive_group_are_one_risk() -> None:
    one, other = (another_market(number, group_id="0xaa", event_slug="cup") for number in (70, 80))
    caps = Limits(event_loss_max=usdc("60"))
    drawn = with_history()

    def no_of(market: Any, line: int, amount: str) -> Any:
        return an_intent(
            line=line,
            at="0.50",
            market_id=market.market_id,
            token_id=market.outcomes[1].token_id,
            outcome_index=1,
            amount=shares(amount),
        )

    assert allowed(no_of(one, 0, "100"), drawn, market=one, limits=caps)
    # Bids are not payouts: either may fill, and its own market may win, but only one of them.
    assert allowed(no_of(other, 1, "100"), drawn, market=other, limits=caps)
    assert (
        refusal(no_of(one, 2, "24"), drawn, market=one, limits=caps)
        == "EVENT_LOSS_EXCEEDS_LIMIT: loss=62.00 before=50.00 max=60.00"
    )
    outside = another_market(90, event_slug="cup")
    assert (
        refusal(no_of(outside, 3, "24"), drawn, market=outside, limits=caps)
        == "EVENT_LOSS_EXCEEDS_LIMIT: loss=62.00 before=50.00 max=60.00"
    )


def test_only_so_many_positions_are_open_and_dust_is_none() -> None:
    past = History(
        stakes=[
            a_stake(held="100", cost="40"),
            a_stake(token=TokenId("8"), market_id=MarketId("0x8"), bids="3"),
            a_stake(token=TokenId("9"), market_id=MarketId("0x9"), held="4.99", cost="2"),
        ]
    )
    caps, drawn = Limits(open_positions_max=3), with_history(past)
    elsewhere = another_market(70)
    new = an_intent(line=0, market_id=elsewhere.market_id, token_id=TokenId("70"))
    assert allowed(new, drawn, market=elsewhere, limits=caps)
    other = an_intent(line=1, outcome_index=1, at="0.49")
    assert refusal(other, drawn, limits=caps) == "OPEN_POSITIONS_EXCEED_LIMIT: positions=3 max=3"
    assert allowed(an_intent(line=2), drawn, limits=caps)
    assert allowed(replace(new, ref="again"), drawn, market=elsewhere, limits=caps)


def test_without_a_stated_minimum_the_usual_one_tells_dust() -> None:
    for held, counted in (("4.99", True), ("5", False)):
        past = History(stakes=[a_stake(token=TokenId("9"), held=held, minimum_size=None)])
        verdict = judged(an_intent(), with_history(past), limits=Limits(open_positions_max=1))
        assert isinstance(verdict, Denial) is not counted, held


def test_after_a_stop_nothing_of_the_token_is_bought_for_a_while() -> None:
    past = History(stops={YES: Stop(at=NOW - 20 * MINUTE, cool_down_minutes=30)})
    assert refusal(an_intent(), with_history(past)) == "COOL_DOWN: until=2026-11-20T12:10:00Z"
    assert allowed(an_intent(), with_history(past), now=NOW + 10 * MINUTE)
    assert allowed(an_intent(outcome_index=1), with_history(past))
    assert allowed(an_intent(side=SELL), with_history(past, yes="100"))


def test_a_market_has_only_so_many_orders_a_day() -> None:
    three = ExitRules(daily_trades_max=3)
    drawn = with_history(History(day_orders={MARKET_ID: 2}), yes="100")
    assert allowed(an_intent(line=0, side=SELL, at="0.60"), drawn)
    wish = an_intent(line=1, exit_rules=three)
    assert refusal(wish, drawn) == "DAILY_TRADES_EXCEEDED: orders=3 max=3"
    assert allowed(replace(wish, exit_rules=ExitRules(daily_trades_max=4)), drawn)
    assert allowed(an_intent(line=2, at="0.40", exit_rules=ExitRules(stop_price=price("0.1"))), drawn)


def test_standing_rules_count_days_where_the_order_says_nothing() -> None:
    past = History(day_orders={MARKET_ID: 2}, daily_trades_max={YES: 2})
    assert refusal(an_intent(), with_history(past)) == "DAILY_TRADES_EXCEEDED: orders=2 max=2"
    assert allowed(an_intent(outcome_index=1), with_history(past))
    assert allowed(an_intent(exit_rules=ExitRules(daily_trades_max=3)), with_history(past))


def test_a_day_that_lost_enough_opens_nothing_more() -> None:
    past, caps = History(day_start=usdc("120"), equity=usdc("20")), Limits(daily_loss_max=usdc("100"))
    assert refusal(an_intent(), with_history(past), limits=caps) == (
        "DAILY_LOSS_EXCEEDED: loss=100.00 max=100.00"
    )
    assert allowed(an_intent(), with_history(replace(past, equity=usdc("20.01"))), limits=caps)
    assert allowed(an_intent(side=SELL), with_history(past, yes="100"), limits=caps)


FALLEN = History(peak=usdc("150"), equity=usdc("-50"))
DRAWDOWN = Limits(drawdown_max=usdc("200"))
DETAIL = "drawdown=200.00 peak=150.00 equity=-50.00 max=200.00"


def test_a_drawdown_refuses_from_the_moment_it_is_reached() -> None:
    assert refusal(an_intent(), with_history(FALLEN), limits=DRAWDOWN) == f"DRAWDOWN_TRIPPED: {DETAIL}"
    almost = replace(FALLEN, equity=usdc("-49.99"))
    assert allowed(an_intent(), with_history(almost), limits=DRAWDOWN)
    assert tripped(almost, DRAWDOWN, NOW) is None
    assert tripped(FALLEN, Limits(), NOW) is None


def test_once_tripped_it_stays_so_whatever_happens_then() -> None:
    state = tripped(FALLEN, DRAWDOWN, NOW)
    assert state == RiskState(tripped_at=NOW, detail=DETAIL)
    recovered = History(peak=usdc("150"), equity=usdc("150"), state=state)
    told = f"DRAWDOWN_TRIPPED: since=2026-11-20T12:00:00Z {DETAIL}"
    assert refusal(an_intent(), with_history(recovered), limits=DRAWDOWN) == told
    assert refusal(an_intent(), with_history(recovered)) == told
    assert tripped(replace(FALLEN, state=state), DRAWDOWN, NOW + MINUTE) is None
    assert allowed(an_intent(side=SELL), with_history(recovered, yes="100"))
    silent = History(state=RiskState(tripped_at=NOW))
    assert refusal(an_intent(), with_history(silent)) == "DRAWDOWN_TRIPPED: since=2026-11-20T12:00:00Z"


def test_a_reset_measures_from_what_there_is() -> None:
    state = reset(FALLEN, NOW)
    assert state == RiskState(reset_at=NOW, reset_equity=usdc("-50"))
    after = replace(FALLEN, peak=usdc("-50"), state=state)
    assert allowed(an_intent(), with_history(after), limits=DRAWDOWN)
    again = tripped(replace(after, equity=usdc("-250")), DRAWDOWN, NOW + MINUTE)
    assert again is not None
    assert (again.reset_at, again.reset_equity) == (NOW, usdc("-50"))


def test_nothing_is_opened_across_a_wide_spread() -> None:
    caps = Limits(spread_max=price("0.10"))
    wide = a_book(bids="0.40x100", asks="0.52x100")
    assert refusal(an_intent(), book=wide, limits=caps) == "SPREAD_TOO_WIDE: spread=0.12 max=0.1"
    assert allowed(an_intent(), book=a_book(bids="0.42x100", asks="0.52x100"), limits=caps)
    assert allowed(an_intent(), book=a_book(bids="0.01x100"), limits=caps)
    assert allowed(an_intent(), book=a_book(asks="0.99x100"), limits=caps)
    assert allowed(an_intent(side=SELL), with_history(yes="100"), book=wide, limits=caps)


def test_what_takes_needs_enough_on_display_up_to_its_limit() -> None:
    caps = Limits(depth_min=usdc("50"))
    thin = a_book(bids="0.48x100", asks="0.49x80 0.50x21.5 0.51x1000")
    assert refusal(an_intent(), book=thin, limits=caps) == "DEPTH_TOO_THIN: depth=49.95 min=50.00"
    assert allowed(an_intent(at="0.51"), book=thin, limits=caps)
    assert allowed(an_intent(at="0.48"), book=thin, limits=caps)
    assert allowed(an_intent(post_only=True), book=thin, limits=caps)
    assert allowed(an_intent(), book=a_book(bids="0.48x1"), limits=caps)
    assert allowed(an_intent(side=SELL), with_history(yes="100"), book=thin, limits=caps)


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_an_old_book_refuses_every_order(side: str) -> None:
    caps = Limits(book_age_max=timedelta(seconds=60))
    wish = an_intent() if side == "BUY" else an_intent(side=SELL)

    def at(seconds: float, **changed: Any) -> Any:
        book = replace(a_book(bids="0.48x100", asks="0.50x100"), **changed)
        now = NOW + timedelta(seconds=seconds)
        return judged(wish, with_history(yes="100"), book=book, limits=caps, now=now)

    assert str(at(75)) == "BOOK_STALE: age=75 max=60"
    assert str(at(60.001)) == "BOOK_STALE: age=61 max=60"
    assert not isinstance(at(60), Denial)
    assert not isinstance(at(-5), Denial)
    assert not isinstance(at(75, recorded=True), Denial)


def test_caps_are_asked_in_the_order_of_the_documents() -> None:
    past = History(
        day_notional=usdc("1"),
        day_orders={MARKET_ID: 9},
        stakes=[a_stake(token=TokenId("9"), market_id=MarketId("0x9"), held="100", cost="40")],
        equity=usdc("-10"),
        stops={YES: Stop(at=NOW, cool_down_minutes=1)},
        daily_trades_max={YES: 1},
    )
    one = Usdc(1)
    limits = Limits(
        run_notional_max=one,
        run_orders_max=0,
        day_notional_max=one,
        market_notional_max=one,
        event_loss_max=one,
        open_positions_max=1,
        daily_loss_max=one,
        drawdown_max=one,
        spread_max=price("0.001"),
        depth_min=usdc("1000"),
        order_notional_max=one,
    )
    lifts: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"order_notional_max": None}, {}),
        ({"run_notional_max": None}, {}),
        ({"run_orders_max": None}, {}),
        ({"day_notional_max": None}, {}),
        ({"market_notional_max": None}, {}),
        ({"event_loss_max": None}, {}),
        ({"open_positions_max": None}, {}),
        ({}, {"stops": {}}),
        ({}, {"daily_trades_max": {}}),
        ({"daily_loss_max": None}, {}),
        ({"drawdown_max": None}, {}),
        ({"spread_max": None}, {}),
        ({"depth_min": None}, {}),
    ]
    codes = [refusal(an_intent(), with_history(past, cash="0"), limits=limits)]
    for lifted, undone in lifts:
        limits, past = replace(limits, **lifted), replace(past, **undone)
        codes.append(refusal(an_intent(), with_history(past, cash="0"), limits=limits))
    assert [code.partition(":")[0] for code in codes] == [
        "NOTIONAL_EXCEEDS_LIMIT",
        "RUN_NOTIONAL_EXCEEDS_LIMIT",
        "RUN_ORDERS_EXCEED_LIMIT",
        "DAY_NOTIONAL_EXCEEDS_LIMIT",
        "MARKET_NOTIONAL_EXCEEDS_LIMIT",
        "EVENT_LOSS_EXCEEDS_LIMIT",
        "OPEN_POSITIONS_EXCEED_LIMIT",
        "COOL_DOWN",
        "DAILY_TRADES_EXCEEDED",
        "DAILY_LOSS_EXCEEDED",
        "DRAWDOWN_TRIPPED",
        "SPREAD_TOO_WIDE",
        "DEPTH_TOO_THIN",
        "INSUFFICIENT_CASH",
    ]


def test_dollars_and_orders_that_only_take_count_as_well() -> None:
    drawn, caps = with_history(), Limits(day_notional_max=usdc("30"), market_notional_max=usdc("30"))
    assert allowed(an_intent(line=0, tif=FAK, amount=dollars("20")), drawn, limits=caps)
    second = an_intent(line=1, tif=TimeInForce.FOK, amount=dollars("10.01"))
    assert refusal(second, drawn, limits=caps).startswith(
        "DAY_NOTIONAL_EXCEEDS_LIMIT: notional=10.01 used=20.00"
    )
    assert drawn.stakes.market(MARKET_ID) == usdc("20")
    assert drawn.stakes.events == drawn.stakes.markets == {MARKET_ID: usdc("20")}
    assert drawn.day_orders(MARKET_ID) == 1
