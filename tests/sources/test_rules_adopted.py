"""Which order's exit rules are in force for a token: the latest, once it brings them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from betteroms.domain.intent import ExitRules
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.rule import RuleOrigin
from betteroms.domain.terms import Mode, Side
from betteroms.sources.rules import adopted, bringing
from tests.domain.examples import NOW, YES, an_intent, an_order, price, size
from tests.sources.test_rules import EARLIER, HOLD, STOP, TRAIL, a_set, latched


def bought(
    line: int | None = 0,
    *,
    rules: ExitRules | None = STOP,
    minutes: int = 0,
    filled: str = "10",
    **changed: Any,
) -> Order:
    """A BUY with rules, created so many minutes after twelve."""
    wish = replace(an_intent(line=line or 0, exit_rules=rules), line=line)
    at = NOW + timedelta(minutes=minutes)
    return an_order(wish, created_at=at, filled_size=size(filled), fills=1, **changed)


def test_a_filled_buy_brings_its_rules_into_force() -> None:
    order = bought(3)
    (rules,) = adopted([order], {}, mode=Mode.PAPER)
    assert rules == a_set(
        rule_id=rules.rule_id,
        origin=RuleOrigin.ORDER,
        set_at=NOW,
        order_id=order.order_id,
        line=3,
        opened_at=None,
    )
    assert adopted([order], {YES: rules}, mode=Mode.PAPER) == []
    more = replace(order, filled_size=size("20"), fills=2)
    assert adopted([more], {YES: rules}, mode=Mode.PAPER) == []
    # Where they were removed meanwhile the next fill brings them back, under another name.
    (back,) = adopted([more], {}, mode=Mode.PAPER)
    assert back.rule_id != rules.rule_id


@pytest.mark.parametrize(
    "order",
    [bought(filled="0"), bought(rules=None), bought(mode=Mode.LIVE), replace(bought(), mode=Mode.SHADOW)],
)
def test_other_orders_bring_none(order: Order) -> None:
    assert adopted([order], {}, mode=Mode.PAPER) == []


@pytest.mark.parametrize(("placed", "count"), [(NOW, 1), (None, 0)])
def test_a_sell_that_states_rules_brings_them_once_it_is_placed(placed: Any, count: int) -> None:
    order = an_order(an_intent(side=Side.SELL, exit_rules=STOP), placed_at=placed)
    assert len(adopted([order], {}, mode=Mode.PAPER)) == count


def test_the_latest_order_with_rules_wins() -> None:
    early, late = bought(1, minutes=1), bought(2, minutes=2, rules=TRAIL)
    high_line, low_line = bought(9, minutes=3, rules=HOLD), bought(8, minutes=3)
    (winner,) = adopted([late, early], {}, mode=Mode.PAPER)
    assert winner.order_id == late.order_id
    assert adopted([early], {YES: winner}, mode=Mode.PAPER) == []
    for orders in ([high_line, low_line], [low_line, high_line]):
        (winner,) = adopted(orders, {YES: winner}, mode=Mode.PAPER) or [winner]
        assert winner.order_id == high_line.order_id
    assert adopted([low_line], {YES: winner}, mode=Mode.PAPER) == []


def test_rules_of_the_operator_stand_until_a_later_order() -> None:
    standing = a_set(set_at=NOW)
    assert adopted([bought(minutes=-1)], {YES: standing}, mode=Mode.PAPER) == []
    assert len(adopted([bought(minutes=1)], {YES: standing}, mode=Mode.PAPER)) == 1


def test_orders_outside_a_plan_have_no_line() -> None:
    (rules,) = adopted([bought(None)], {}, mode=Mode.PAPER)
    assert rules.line is None
    (later,) = adopted([bought(0)], {YES: rules}, mode=Mode.PAPER)
    assert later.line == 0


def test_new_rules_take_over_what_was_seen_but_no_exit_under_way() -> None:
    before = latched(attempts=4, high=price("0.60"), dust=False)
    (rules,) = adopted([bought(minutes=1, rules=TRAIL)], {YES: before}, mode=Mode.PAPER)
    assert (rules.trigger, rules.attempts) == (None, 0)
    assert (rules.high, rules.opened_at, rules.stopped_at) == (price("0.60"), EARLIER, EARLIER)


def test_an_order_that_only_ends_brings_no_rules_back() -> None:
    buy = bought(1)
    sell = an_order(an_intent(line=2, side=Side.SELL, exit_rules=STOP), placed_at=NOW)
    plain = bought(3, rules=None)
    ended = [replace(order, status=OrderStatus.CANCELED) for order in (buy, sell, plain)]
    assert bringing(ended, before=[buy, sell, plain]) == []


def test_an_order_brings_rules_with_each_fill_or_once_it_is_placed() -> None:
    buy = bought(1)
    more = replace(buy, filled_size=size("20"), fills=2)
    sell = an_order(an_intent(line=2, side=Side.SELL, exit_rules=STOP), placed_at=NOW)
    assert bringing([more, sell], before=[buy, replace(sell, placed_at=None)]) == [more, sell]
    assert bringing([more], before=[]) == [more]
