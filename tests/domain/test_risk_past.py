"""An account's history from its rows: the day's orders, what is at stake, where gains are measured from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import LOT, Size, Usdc, to_text
from betteroms.domain.order import OrderStatus
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Position, fold
from betteroms.domain.risk.history import History, RiskState, Stop
from betteroms.domain.risk.past import (
    Bid,
    Held,
    Marks,
    Traded,
    bids_of,
    day_of,
    history_of,
    marks_of,
    terms_of,
    traded_of,
)
from betteroms.domain.rule import RuleOrigin, RuleSet
from betteroms.domain.terms import Liquidity, Mode, Side
from tests.domain.examples import (
    CRYPTO_FEES,
    MARKET_ID,
    NO,
    NOW,
    RUN_ID,
    YES,
    a_market,
    an_execution,
    an_intent,
    an_order,
    dollars,
    price,
    shares,
    size,
    usdc,
)
from tests.domain.judging import FAK, SELL

HOUR = timedelta(hours=1)
FRESH = Marks(day_start=None, peak=None)


def a_held(
    token: TokenId = YES, *, held: str = "100", cost: str = "40", fees: str = "0", bid: str | None = "0.5"
) -> Held:
    return Held(
        position=Position(
            mode=Mode.PAPER,
            market_id=MARKET_ID,
            token_id=token,
            size=size(held),
            cost_basis=usdc(cost),
            fees=usdc(fees),
            opened_at=NOW,
        ),
        best_bid=None if bid is None else price(bid),
        best_ask=None if bid is None else price(bid),
    )


def a_history(**changed: Any) -> History:
    """Of an account that holds nothing and did nothing, unless said otherwise."""
    fields: dict[str, Any] = {
        "markets": {MARKET_ID},
        "traded": (),
        "held": (),
        "moved": Usdc(0),
        "bids": (),
        "terms": {MARKET_ID: terms_of(a_market(group_id="g", event_slug="cup"))},
        "marks": FRESH,
        "state": RiskState(),
        "rules": (),
    }
    return history_of(**fields | changed)


def a_snapshot(at: datetime, gain: str, deposited: str = "1000") -> PortfolioSnapshot:
    nothing = Usdc(0)
    return PortfolioSnapshot(
        mode=Mode.PAPER,
        hour=at.replace(minute=0),
        taken_at=at,
        run_id=RUN_ID,
        positions=0,
        cost_basis=nothing,
        market_value=nothing,
        realised=usdc(gain),
        unrealised=nothing,
        fees=nothing,
        cash=Usdc(usdc(deposited) + usdc(gain)),
        deposited=usdc(deposited),
        net_liquidation=Usdc(usdc(deposited) + usdc(gain)),
        pessimistic=nothing,
        optimistic=nothing,
    )


def test_an_account_without_a_past_has_none() -> None:
    assert a_history() == History()


def test_a_day_is_the_days_in_utc() -> None:
    zone = timezone(timedelta(hours=9))
    start = datetime(2026, 11, 19, tzinfo=UTC)
    assert day_of(datetime(2026, 11, 20, 3, tzinfo=zone)) == (start, start + 24 * HOUR)


def test_the_days_orders_are_those_that_we_and_the_venue_took() -> None:
    start, end = day_of(NOW)
    other = MarketId("0x7")
    orders = [
        an_order(an_intent(line=0, amount=shares("100")), created_at=start),
        an_order(an_intent(line=1, tif=FAK, amount=dollars("30")), status=OrderStatus.CANCELED),
        an_order(an_intent(line=2, side=SELL), status=OrderStatus.FILLED),
        an_order(an_intent(line=3, at="0.333333", amount=shares("0.01"), market_id=other)),
        an_order(an_intent(line=4), created_at=end),
        an_order(an_intent(line=5), created_at=start - timedelta(microseconds=1)),
        an_order(an_intent(line=6), status=OrderStatus.DENIED, amount=None, limit_price=None),
        an_order(an_intent(line=7), status=OrderStatus.REJECTED),
        an_order(an_intent(line=8), limit_price=None),
    ]
    assert traded_of(orders, NOW) == [
        Traded(market_id=MARKET_ID, orders=4, notional=usdc("80")),
        Traded(market_id=other, orders=1, notional=Usdc(3_334)),
    ]


def test_of_the_days_orders_a_run_needs_those_of_its_own_markets_and_the_sum_of_all() -> None:
    other = Traded(market_id=MarketId("0x7"), orders=9, notional=usdc("7"))
    mine = Traded(market_id=MARKET_ID, orders=2, notional=usdc("5"))
    found = a_history(traded=[other, mine])
    assert found.day_notional == usdc("12")
    assert found.day_orders == {MARKET_ID: 2}


def test_open_buys_are_summed_up_by_token_and_sales_are_none() -> None:
    orders = [
        an_order(an_intent(line=0, at="0.50"), filled_size=size("60")),
        an_order(an_intent(line=1, at="0.40", amount=shares("10"))),
        an_order(an_intent(line=2, side=SELL)),
        an_order(an_intent(line=3, outcome_index=1), status=OrderStatus.CANCELED),
        an_order(an_intent(line=4, outcome_index=1), filled_size=size("100")),
    ]
    assert bids_of(orders) == [Bid(market_id=MARKET_ID, token_id=YES, cost=usdc("24"))]


def test_a_stake_is_what_is_held_and_bid_for_with_its_markets_terms() -> None:
    bids = [
        Bid(market_id=MARKET_ID, token_id=NO, cost=usdc("7")),
        Bid(market_id=MarketId("0x7"), token_id=TokenId("7"), cost=usdc("3")),
    ]
    first, third, second = a_history(held=[a_held(), a_held(NO, held="5", cost="1")], bids=bids).stakes
    assert (first.token_id, first.outcome_index, first.size, first.bids) == (NO, 1, size("5"), usdc("7"))
    assert (second.token_id, second.outcome_index, second.cost, second.bids) == (YES, 0, usdc("40"), 0)
    assert (first.group_id, first.event_slug, first.minimum_size) == ("g", "cup", size("5"))
    assert (third.token_id, third.bids, third.size, third.group_id) == (TokenId("7"), usdc("3"), 0, None)
    assert third.minimum_size is None


def test_a_market_of_one_recorded_book_has_no_second_outcome() -> None:
    market = a_market()
    pieced_together = replace(market, outcomes=market.outcomes[:1])
    assert terms_of(market).second_token == NO
    assert terms_of(pieced_together).second_token is None


def test_where_nothing_was_sold_its_fees_are_those_that_were_charged() -> None:
    terms = {MARKET_ID: terms_of(a_market(fees=CRYPTO_FEES))}
    (stake,) = a_history(held=[a_held(fees="1.2")], terms=terms).stakes
    assert stake.fees == usdc("1.2")


@given(
    st.lists(st.tuples(st.integers(1, 99), st.integers(500, 50_000)), min_size=1, max_size=6),
    st.integers(0, 100),
)
def test_the_fees_of_what_is_held_are_never_more_than_all_and_all_of_them_before_a_sale(
    fills: list[tuple[int, int]], sold_percent: int
) -> None:
    bought = [
        an_execution(at=f"0.{cents:02}", filled=to_text(lots * LOT), number=number)
        for number, (cents, lots) in enumerate(fills)
    ]
    charged = [
        replace(one, fee=fee(CRYPTO_FEES, price=one.price, size=one.size, liquidity=Liquidity.TAKER))
        for one in bought
    ]
    start = Position(mode=Mode.PAPER, market_id=MARKET_ID, token_id=YES)
    whole = fold(start, charged)
    terms = {MARKET_ID: terms_of(a_market(fees=CRYPTO_FEES))}

    def fees_of(position: Position) -> int:
        held = Held(position=position, best_bid=None, best_ask=None)
        (stake,) = a_history(held=[held], terms=terms).stakes
        return stake.fees

    # Fees are whole hundred-thousandths of a dollar: the average may round to one less.
    assert whole.fees - 10 <= fees_of(whole) <= whole.fees
    out = Size(whole.size * sold_percent // 100)
    if 0 < out < whole.size:
        sale = an_execution(side=Side.SELL, at="0.50", number=99)
        part = fold(whole, [replace(sale, size=out, cash=Usdc(out // 2))])
        assert fees_of(part) <= fees_of(whole)


def test_fees_that_no_schedule_explains_count_whole() -> None:
    odd = {MARKET_ID: terms_of(a_market(fees=FeeSchedule(rate=1, exponent=9)))}
    for terms, cost in ((odd, "40"), ({}, "40"), ({MARKET_ID: terms_of(a_market())}, "100")):
        (stake,) = a_history(held=[a_held(cost=cost, fees="3")], terms=terms).stakes
        assert stake.fees == usdc("3")


def test_what_is_held_counts_at_its_last_mark() -> None:
    held = [a_held(bid="0.50"), a_held(NO, held="10", cost="5", bid=None)]
    found = a_history(held=held, moved=usdc("-45"))
    assert found.equity == usdc("5")
    assert (found.day_start, found.peak) == (0, usdc("5"))
    assert (found.day_loss, found.drawdown) == (usdc("-5"), 0)


def test_the_peak_is_the_best_there_was_and_what_is_now() -> None:
    marks = Marks(day_start=usdc("70"), peak=usdc("90"))
    found = a_history(moved=usdc("40"), marks=marks)
    assert (found.day_loss, found.drawdown) == (usdc("30"), usdc("50"))
    assert a_history(moved=usdc("95"), marks=marks).drawdown == 0
    assert a_history(moved=usdc("-20")).drawdown == usdc("20")


def test_after_a_reset_the_account_is_measured_from_what_it_was_then() -> None:
    state = RiskState(reset_at=NOW, reset_equity=usdc("-100"))
    assert a_history(moved=usdc("-130"), state=state).drawdown == usdc("30")
    better = Marks(day_start=None, peak=usdc("-90"))
    assert a_history(moved=usdc("-130"), state=state, marks=better).drawdown == usdc("40")


def test_snapshots_tell_the_days_start_and_the_peak() -> None:
    start, _ = day_of(NOW)
    snapshots = [
        a_snapshot(start - 3 * HOUR, "500"),
        a_snapshot(start + HOUR, "30", deposited="2000"),
        a_snapshot(start - HOUR, "80"),
        a_snapshot(start + 2 * HOUR, "60"),
        a_snapshot(NOW + HOUR, "9000"),
    ]

    def known(at: datetime = NOW, since: datetime | None = None) -> tuple[int | None, int | None]:
        found = marks_of(snapshots, at=at, since=since)
        return found.day_start, found.peak

    assert known() == (usdc("30"), usdc("500"))
    assert known(since=start) == (usdc("30"), usdc("60"))
    assert known(since=NOW) == (usdc("30"), None)
    assert known(at=start) == (usdc("80"), usdc("500"))
    assert known(at=start - 4 * HOUR) == (None, None)


def test_standing_rules_bring_their_stops_and_their_number_of_trades() -> None:
    def rules(token: TokenId, market: MarketId = MARKET_ID, **changed: Any) -> RuleSet:
        stopped = changed.pop("stopped_at", None)
        return RuleSet(
            rule_id="9d0b3c1a-52d4-5c0e-8f6b-7a1e2d3c4b5a",
            mode=Mode.PAPER,
            market_id=market,
            token_id=token,
            outcome="Yes",
            outcome_index=0,
            rules=ExitRules(**changed),
            origin=RuleOrigin.OPERATOR,
            set_at=NOW,
            stopped_at=stopped,
        )

    found = a_history(
        rules=[
            rules(YES, cool_down_minutes=30, stopped_at=NOW),
            rules(NO, cool_down_minutes=30, daily_trades_max=4),
            rules(TokenId("1"), stopped_at=NOW),
            rules(TokenId("2"), MarketId("0x7"), daily_trades_max=1, cool_down_minutes=1, stopped_at=NOW),
        ]
    )
    assert found.stops == {YES: Stop(at=NOW, cool_down_minutes=30)}
    assert found.daily_trades_max == {NO: 4}
