"""Whatever is asked in whatever order, what was accepted is within every cap, and no sale is capped."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Usdc
from betteroms.domain.order import Denial
from betteroms.domain.risk import Allowed, Exposure, History, Limits
from betteroms.domain.risk.groups import AtStake, worst_case
from betteroms.domain.risk.history import RiskState, Stop
from betteroms.domain.terms import Side, TimeInForce
from tests.domain.examples import MARKET_ID, NOW, YES, a_book, a_market, an_intent, price, shares, usdc
from tests.domain.judging import SELL, allowed, judged
from tests.domain.stakes import a_stake, another_market, with_history

MARKETS = [
    a_market(event_slug="cup", group_id="g"),
    another_market(70, event_slug="cup", group_id="g"),
    another_market(80, event_slug="cup"),
    another_market(90),
]
CAP = st.none() | st.integers(1, 200).map(lambda dollars: Usdc(dollars * 1_000_000))
COUNT = st.none() | st.integers(1, 6)
LIMITS = st.builds(
    Limits,
    order_notional_max=CAP,
    run_notional_max=CAP,
    run_orders_max=COUNT,
    day_notional_max=CAP,
    market_notional_max=CAP,
    event_loss_max=CAP,
    open_positions_max=COUNT,
)
WISHES = st.lists(
    st.tuples(st.sampled_from(MARKETS), st.integers(0, 1), st.integers(1, 40), st.integers(5, 300)),
    max_size=15,
)
BEFORE = st.integers(0, 100).map(lambda dollars: usdc(str(dollars)))


def wish(number: int, market: Market, outcome: int, cents: int, amount: int) -> Intent:
    return an_intent(
        line=number,
        ref=str(number),
        at=f"0.{cents:02}",
        market_id=market.market_id,
        token_id=market.outcomes[outcome].token_id,
        outcome_index=outcome,
        amount=shares(str(amount)),
        tif=TimeInForce.GTC,
    )


@given(LIMITS, WISHES, BEFORE)
def test_what_was_accepted_is_within_every_cap(
    limits: Limits, wishes: list[tuple[Market, int, int, int]], before: Usdc
) -> None:
    past = History(
        day_notional=before,
        stakes=[a_stake(held="50", cost="20", group_id="g", event_slug="cup")],
    )
    drawn = with_history(past, cash="1000000")
    book = a_book()
    taken: list[tuple[Market, int, int]] = []
    for number, (market, outcome, cents, amount) in enumerate(wishes):
        verdict = judged(
            wish(number, market, outcome, cents, amount), drawn, market=market, book=book, limits=limits
        )
        if isinstance(verdict, Allowed):
            assert limits.order_notional_max is None or verdict.notional <= limits.order_notional_max
            taken.append((market, outcome, verdict.notional))
    spent = sum(cost for _, _, cost in taken)
    assert limits.run_notional_max is None or spent <= limits.run_notional_max
    assert limits.run_orders_max is None or len(taken) <= limits.run_orders_max
    assert limits.day_notional_max is None or not taken or before + spent <= limits.day_notional_max
    _within_stakes(limits, taken)


def _within_stakes(limits: Limits, taken: list[tuple[Market, int, int]]) -> None:
    """Markets, events and positions, counted once more from nothing but what was accepted."""
    parts = {market.market_id: AtStake(group_id=market.group_id) for market in MARKETS}
    parts[MARKET_ID] = parts[MARKET_ID].with_holding(0, size=50_000_000, cost=20_000_000)
    start = dict(parts)
    for market, outcome, cost in taken:
        parts[market.market_id] = parts[market.market_id].with_bid(outcome, cost)
    for market in MARKETS:
        part = parts[market.market_id]
        added = part != start[market.market_id]
        most = limits.market_notional_max
        assert most is None or not added or part.cost + sum(part.bids) <= most
    for event in (MARKETS[:3], MARKETS[3:]):
        worst = worst_case(parts[market.market_id] for market in event)
        before = worst_case(start[market.market_id] for market in event)
        assert limits.event_loss_max is None or worst <= max(limits.event_loss_max, before)
    tokens = {YES} | {market.outcomes[outcome].token_id for market, outcome, _ in taken}
    assert limits.open_positions_max is None or len(tokens) <= max(limits.open_positions_max, 1)


@given(WISHES, LIMITS)
def test_an_order_that_fits_alone_is_only_ever_refused_for_what_came_before(
    wishes: list[tuple[Market, int, int, int]], limits: Limits
) -> None:
    for number, (market, outcome, cents, amount) in enumerate(wishes):
        one = wish(number, market, outcome, cents, amount)
        alone = judged(one, with_history(), market=market, book=a_book(), limits=limits)
        whole = judged(one, with_history(), market=market, book=a_book())
        if isinstance(alone, Denial):
            assert isinstance(whole, Denial) or alone.code.endswith("EXCEEDS_LIMIT")
        else:
            assert alone == whole


WORST = History(
    day_notional=usdc("1000000"),
    day_orders={MARKET_ID: 1_000_000},
    stakes=[a_stake(held="100", cost="99")],
    equity=usdc("-1000000"),
    state=RiskState(tripped_at=NOW, detail="drawdown=1"),
    stops={YES: Stop(at=NOW, cool_down_minutes=1_000)},
    daily_trades_max={YES: 1},
)
STRICTEST = Limits(
    order_notional_max=Usdc(0),
    run_notional_max=Usdc(0),
    run_orders_max=0,
    day_notional_max=Usdc(0),
    market_notional_max=Usdc(0),
    event_loss_max=Usdc(0),
    open_positions_max=0,
    daily_loss_max=Usdc(1),
    drawdown_max=Usdc(1),
    spread_max=price("0.000001"),
    depth_min=usdc("1000000"),
    book_age_max=timedelta(seconds=1),
)


@given(st.integers(1, 99), st.integers(5, 100), st.sampled_from(TimeInForce))
def test_no_cap_ever_stops_a_sale_of_what_is_held(cents: int, amount: int, tif: TimeInForce) -> None:
    book = a_book(bids="0.10x1", asks="0.90x1")
    sale = an_intent(side=SELL, at=f"0.{cents:02}", amount=shares(str(amount)), tif=tif)
    assert allowed(sale, with_history(WORST, yes="100"), book=book, limits=STRICTEST).exempt
    opening = replace(sale, side=Side.BUY)
    assert isinstance(judged(opening, with_history(WORST), book=book, limits=STRICTEST), Denial)


def test_judging_asks_and_only_accepting_counts() -> None:
    drawn: Exposure = with_history(replace(WORST, state=RiskState()))
    before = (drawn.stakes.positions, drawn.stakes.market(MARKET_ID), drawn.day_orders(MARKET_ID))
    for _ in range(3):
        assert isinstance(judged(an_intent(), drawn, limits=STRICTEST), Denial)
    assert before == (drawn.stakes.positions, drawn.stakes.market(MARKET_ID), drawn.day_orders(MARKET_ID))
