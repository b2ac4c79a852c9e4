"""Exit rules turn positions into sells: what is asked for, once each, until nothing is left to sell."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.domain.book import Book
from betteroms.domain.ids import TokenId
from betteroms.domain.intent import Cancel, ExitRules, Intent
from betteroms.domain.money import Price, Usdc, to_micros
from betteroms.domain.order import Denial, Order, OrderStatus
from betteroms.domain.position import Position
from betteroms.domain.rounding import Rules
from betteroms.domain.rule import Cause, RuleOrigin, RuleSet, Trigger
from betteroms.domain.terms import Mode, OrderType, Side, TimeInForce
from betteroms.sources.plan_model import SLIPPAGE_TICKS_DEFAULT
from betteroms.sources.rules import EXIT_SLIPPAGE_TICKS, Verdicts, evaluate
from tests.domain.examples import (
    MARKET_ID,
    NO,
    NOW,
    YES,
    a_book,
    a_market,
    an_intent,
    an_order,
    price,
    shares,
    size,
)

STOP = ExitRules(stop_loss_pct=to_micros("10"), cool_down_minutes=60)
TRAIL = ExitRules(trailing_stop_pct=to_micros("5"))
HOLD = ExitRules(hold_max_hours=to_micros("48"))
MINUTES = timedelta(minutes=5)
EARLIER = NOW - timedelta(hours=3)
TERMS = Rules(tick_size=price("0.01"), minimum_size=size("5"))
FALLEN = "0.38x40 0.36x500"


def a_set(rules: ExitRules = STOP, **changed: Any) -> RuleSet:
    """A set that the operator gave three hours ago, when the position was opened."""
    fields: dict[str, Any] = {
        "rule_id": "57b5639e-a316-5a83-a73b-67bb8269d6f0",
        "mode": Mode.PAPER,
        "market_id": MARKET_ID,
        "token_id": YES,
        "outcome": "Yes",
        "outcome_index": 0,
        "rules": rules,
        "origin": RuleOrigin.OPERATOR,
        "set_at": EARLIER,
        "opened_at": EARLIER,
    }
    return RuleSet(**fields | changed)


def latched(cause: Cause = Cause.STOP_LOSS, **changed: Any) -> RuleSet:
    trigger = Trigger(cause=cause, at=EARLIER, detail="bid=0.38 stop=0.405 cost=0.45 pct=10")
    return a_set(trigger=trigger, stopped_at=EARLIER, **changed)


def holding(amount: str = "100", **changed: Any) -> Position:
    """So many shares at 0.45 each."""
    held = size(amount)
    fields: dict[str, Any] = {
        "mode": Mode.PAPER,
        "market_id": MARKET_ID,
        "token_id": YES,
        "size": held,
        "cost_basis": Usdc(held * 45 // 100),
        "opened_at": EARLIER if held else None,
    }
    return Position(**fields | changed)


def asked(
    rules: RuleSet | None = None,
    bids: str = FALLEN,
    *,
    position: Position | None = None,
    sellable: str | None = None,
    orders: Iterable[Order] = (),
    book: Book | None = None,
    **changed: Any,
) -> Verdicts:
    """What one rule set over one position and one book asks for."""
    standing = a_set() if rules is None else rules
    held = holding() if position is None else position
    state: dict[str, Any] = {
        "now": NOW,
        "mode": Mode.PAPER,
        "positions": {YES: held},
        "sellable": {YES: held.size if sellable is None else size(sellable)},
        "books": {YES: book or a_book(bids=bids, asks="0.95x100")},
        "markets": {MARKET_ID: a_market()},
        "rules_in_force": {YES: TERMS, NO: TERMS},
        "open_orders": orders,
    }
    return evaluate({YES: standing}, **state | changed)


def ours(side: Side, at: str, *, line: int, outcome_index: int = 0, **changed: Any) -> Order:
    """A resting order of ours for ten shares."""
    wish = an_intent(side=side, at=at, amount=shares("10"), line=line, outcome_index=outcome_index)
    return an_order(wish, **changed)


def test_a_stop_sells_all_of_it_and_says_why() -> None:
    verdicts = asked()
    detail = "bid=0.368 stop=0.405 cost=0.45 pct=10"
    after = a_set(trigger=Trigger(cause=Cause.STOP_LOSS, at=NOW, detail=detail), attempts=1, stopped_at=NOW)
    assert verdicts.changed == [after]
    assert verdicts.remarks == []
    assert verdicts.wishes == [
        Intent(
            key=f'["paper","rule","{after.rule_id}","STOP_LOSS",1]',
            source="rule",
            plan_id=None,
            line=None,
            ref=None,
            market_id=MARKET_ID,
            token_id=YES,
            outcome="Yes",
            outcome_index=0,
            side=Side.SELL,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.FAK,
            post_only=False,
            wished_amount=shares("100"),
            wished_price=None,
            slippage_ticks=2,
            price_ceil=None,
            price_floor=None,
            lifetime_seconds=None,
            exit_rules=None,
            notes=f"STOP_LOSS: {detail}",
        )
    ]


def test_an_exit_slips_as_a_market_sell_of_a_plan_does() -> None:
    assert EXIT_SLIPPAGE_TICKS == SLIPPAGE_TICKS_DEFAULT


@pytest.mark.parametrize(
    ("rules", "bids", "cause", "stopped"),
    [
        (STOP, "0.41x500", None, False),
        (STOP, "0.40x500", "STOP_LOSS", True),
        (ExitRules(take_profit_price=price("0.60")), "0.60x500", "TAKE_PROFIT", False),
        (ExitRules(hold_max_hours=to_micros("3")), "0.50x500", "HOLD_MAX", False),
        (ExitRules(hold_max_hours=to_micros("3.01")), "0.50x500", None, False),
    ],
)
def test_each_rule_latches_its_cause(rules: ExitRules, bids: str, cause: str | None, stopped: bool) -> None:
    verdicts = asked(a_set(rules), bids)
    latches = [found.trigger.cause for found in verdicts.changed if found.trigger]
    assert latches == ([cause] if cause else [])
    assert len(verdicts.wishes) == len(latches)
    assert [found.stopped_at for found in verdicts.changed] == ([NOW if stopped else None] if cause else [])


def test_a_latched_exit_goes_on_though_the_price_came_back() -> None:
    verdicts = asked(latched(attempts=3), "0.60x500", position=holding("60"))
    (wish,) = verdicts.wishes
    assert isinstance(wish, Intent)
    assert wish.key.endswith('"STOP_LOSS",4]')
    assert wish.wished_amount == shares("60")
    assert verdicts.changed == [latched(attempts=4)]


def test_the_same_state_asks_for_the_same_order() -> None:
    once, again = asked(), asked()
    assert once == again


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.UNCONFIRMED, OrderStatus.OPEN])
def test_no_second_exit_while_one_is_under_way(status: OrderStatus) -> None:
    (wish,) = asked().wishes
    assert isinstance(wish, Intent)
    exit_order = an_order(wish, status=status)
    verdicts = asked(latched(attempts=1), orders=[exit_order])
    assert (verdicts.wishes, verdicts.changed) == ([], [])
    told = f"EXIT_WAITS: market=will-it-rain outcome=Yes order={exit_order.order_id} status={status}"
    assert verdicts.remarks == [told]


@pytest.mark.parametrize("position", [None, holding("0")])
def test_a_closed_position_clears_what_was_latched(position: Position | None) -> None:
    positions = {} if position is None else {YES: position}
    verdicts = asked(latched(attempts=2, high=price("0.60")), positions=positions)
    assert verdicts.changed == [a_set(opened_at=None, attempts=2, stopped_at=EARLIER)]
    assert (verdicts.wishes, verdicts.remarks) == ([], [])
    assert asked(verdicts.changed[0], positions=positions).changed == []


def test_a_position_that_was_opened_again_starts_afresh() -> None:
    again = holding(opened_at=NOW - MINUTES)
    verdicts = asked(latched(attempts=2, high=price("0.90")), "0.50x500", position=again)
    assert verdicts.changed == [a_set(opened_at=NOW - MINUTES, attempts=2, stopped_at=EARLIER)]
    assert verdicts.wishes == []


def test_a_position_opened_after_the_clock_was_set_back_is_not_sold_for_what_came_before_it() -> None:
    ahead = NOW + timedelta(hours=1)
    before = latched(opened_at=ahead, attempts=1)
    verdicts = asked(before, "0.46x500", position=holding(opened_at=NOW - MINUTES))
    assert verdicts.wishes == []
    assert verdicts.changed == [replace(before, trigger=None, opened_at=NOW - MINUTES)]
    # One that it was triggered for is left all the same.
    assert asked(before, "0.46x500", position=holding(opened_at=ahead)).wishes


@pytest.mark.parametrize("left", ["0.00409", "4.99", "5.004"])
def test_what_is_too_small_to_sell_is_left_and_told_once(left: str) -> None:
    minimum = Rules(tick_size=price("0.01"), minimum_size=size("5.01"))
    position = holding(left)
    verdicts = asked(latched(attempts=1), position=position, rules_in_force={YES: minimum})
    assert verdicts.changed == [a_set(dust=True, attempts=1, stopped_at=EARLIER)]
    assert verdicts.wishes == []
    assert verdicts.remarks == [f"DUST: market=will-it-rain outcome=Yes left={left} minimum=5.01"]
    later = asked(verdicts.changed[0], position=position, rules_in_force={YES: minimum})
    assert (later.changed, later.remarks) == ([], [])


def test_what_grows_again_from_dust_is_a_new_position_for_the_rules() -> None:
    """The fold knows one position, opened long ago; max hold would sell the new shares at once."""
    long_ago = NOW - timedelta(days=9)
    rules = a_set(HOLD, dust=True, opened_at=long_ago)
    verdicts = asked(rules, "0.50x500", position=holding(opened_at=long_ago))
    (grown,) = verdicts.changed
    assert (grown.dust, grown.opened_at, grown.trigger) == (False, NOW, None)
    at = NOW + timedelta(hours=48)
    (left,) = asked(grown, "0.50x500", position=holding(opened_at=long_ago), now=at).changed
    assert left.trigger is not None
    assert left.trigger.cause is Cause.HOLD_MAX


def test_the_high_rises_and_a_fall_from_it_sells() -> None:
    rules = a_set(TRAIL, opened_at=None)
    highs: list[Price | None] = []
    for bids in ("0.50x500", "0.60x500", "0.58x500", "0.90x10"):
        for changed in asked(rules, bids).changed:
            rules = changed
        highs.append(rules.high)
    # Ten shares at 0.90 are 0.09 for each of the hundred.
    assert highs == [price("0.50"), price("0.60"), price("0.60"), price("0.60")]
    (stopped,) = asked(rules, "0.57x500").changed
    assert stopped.trigger is not None
    assert stopped.trigger.detail == "bid=0.57 stop=0.57 high=0.6 pct=5"
    assert stopped.stopped_at == NOW


@pytest.mark.parametrize(
    ("book", "code"),
    [
        (None, "NO_BOOK"),
        (a_book(asks="0.50x100"), "NO_BID"),
        (a_book(bids="0.60x500", asks="0.50x100"), "BOOK_CROSSED"),
    ],
)
@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (a_set(), "prices cannot be judged"),
        (a_set(HOLD), None),
        (latched(), "exit waits"),
        (a_set(HOLD, opened_at=EARLIER - timedelta(days=9)), "exit waits"),
    ],
)
def test_without_a_bid_nothing_is_sold_and_it_is_told(
    book: Book | None, code: str, rules: RuleSet, told: str | None
) -> None:
    position = holding(opened_at=rules.opened_at)
    verdicts = asked(rules, position=position, books={} if book is None else {YES: book})
    assert verdicts.wishes == []
    expected = [] if told is None else [f"{code}: market=will-it-rain outcome=Yes {told}"]
    assert verdicts.remarks == expected
    # What time asks for is latched all the same, and sold when somebody bids.
    latches = [found.trigger.cause for found in verdicts.changed if found.trigger]
    assert latches == ([Cause.HOLD_MAX] if rules.opened_at != EARLIER else [])


def test_a_thin_book_does_not_hold_a_stop_up() -> None:
    verdicts = asked(bids="0.38x40")
    assert [type(wish) for wish in verdicts.wishes] == [Intent]
    assert verdicts.remarks == ["THIN_BIDS: market=will-it-rain outcome=Yes shown=40 size=100"]


def test_a_rule_before_the_close_of_a_market_without_an_end_is_told() -> None:
    verdicts = asked(a_set(ExitRules(exit_before_close_seconds=60)))
    assert verdicts.remarks == ["NO_END: market=will-it-rain outcome=Yes"]
    ending = {MARKET_ID: a_market(ends_at=NOW + timedelta(seconds=60))}
    (left,) = asked(a_set(ExitRules(exit_before_close_seconds=60)), markets=ending).changed
    assert left.trigger is not None
    assert left.trigger.cause is Cause.BEFORE_CLOSE


def test_a_closed_market_is_waited_for() -> None:
    verdicts = asked(markets={MARKET_ID: a_market(closed=True)})
    assert (verdicts.wishes, verdicts.changed) == ([], [])
    assert verdicts.remarks == ["MARKET_CLOSED: market=will-it-rain outcome=Yes"]


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({}, "MARKET_RULES_UNKNOWN: market=will-it-rain outcome=Yes"),
        ({YES: Denial(code="MARKET_RULES_UNKNOWN", detail="market=x")}, "MARKET_RULES_UNKNOWN: market=x"),
    ],
)
def test_without_the_venues_rules_nothing_is_sold(terms: dict[TokenId, Any], told: str) -> None:
    verdicts = asked(rules_in_force=terms)
    assert (verdicts.wishes, verdicts.changed) == ([], [])
    assert [remark.removesuffix(" outcome=Yes") for remark in verdicts.remarks] == [
        told.removesuffix(" outcome=Yes")
    ]


def test_markets_and_modes_that_are_not_looked_at_are_left_alone() -> None:
    assert asked(markets={}) == Verdicts()
    assert asked(mode=Mode.LIVE) == Verdicts()


def test_what_rests_is_cancelled_first_and_the_exit_takes_its_place() -> None:
    selling, buying = ours(Side.SELL, "0.55", line=1), ours(Side.BUY, "0.30", line=2)
    meeting = ours(Side.SELL, "0.60", line=3, outcome_index=1)  # asks 0.60 for No: bids 0.40 for Yes
    apart = ours(Side.SELL, "0.70", line=4, outcome_index=1)
    elsewhere = ours(Side.BUY, "0.60", line=5, outcome_index=1)
    over = replace(ours(Side.SELL, "0.50", line=6), status=OrderStatus.CANCELED)
    verdicts = asked(orders=[buying, selling, meeting, apart, elsewhere, over])
    *cancels, wish = verdicts.wishes
    assert cancels == [
        Cancel(order_id=order.order_id, reason="EXIT_STOP_LOSS") for order in (buying, selling, meeting)
    ]
    assert isinstance(wish, Intent)
    assert (wish.replaces, wish.wished_amount) == (selling.order_id, shares("100"))


@pytest.mark.parametrize(("status", "cancelled"), [(OrderStatus.UNCONFIRMED, True), (OrderStatus.NEW, False)])
def test_shares_of_an_order_of_unknown_outcome_are_left_for_later(
    status: OrderStatus, cancelled: bool
) -> None:
    unknown = ours(Side.SELL, "0.55", line=1, status=status)
    *cancels, wish = asked(orders=[unknown]).wishes
    assert len(cancels) == int(cancelled)
    assert isinstance(wish, Intent)
    assert (wish.replaces, wish.wished_amount) == (None, shares("90"))


def test_where_too_little_can_be_sold_now_the_exit_waits() -> None:
    stuck = replace(ours(Side.SELL, "0.55", line=1, status=OrderStatus.UNCONFIRMED), amount=shares("96"))
    resting = ours(Side.BUY, "0.30", line=2)
    verdicts = asked(orders=[stuck, resting])
    assert [type(wish) for wish in verdicts.wishes] == [Cancel, Cancel]
    assert verdicts.remarks == ["EXIT_WAITS: market=will-it-rain outcome=Yes sellable=4 minimum=5"]
    (changed,) = verdicts.changed
    assert (changed.attempts, changed.trigger is not None) == (0, True)


@pytest.mark.parametrize(
    ("sellable", "sold"), [("100", "100"), ("60.009", "60"), ("200", "100"), ("4", None), (None, None)]
)
def test_what_this_pass_bought_is_for_the_next_one_to_sell(sellable: str | None, sold: str | None) -> None:
    amounts = {} if sellable is None else {YES: size(sellable)}
    wishes = evaluate(
        {YES: a_set()},
        now=NOW,
        mode=Mode.PAPER,
        positions={YES: holding()},
        sellable=amounts,
        books={YES: a_book(bids=FALLEN)},
        markets={MARKET_ID: a_market()},
        rules_in_force={YES: TERMS},
        open_orders=(),
    ).wishes
    amounts_sold = [wish.wished_amount for wish in wishes if isinstance(wish, Intent)]
    assert amounts_sold == ([] if sold is None else [shares(sold)])
