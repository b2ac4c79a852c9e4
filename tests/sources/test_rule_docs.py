"""docs/exit-rules.md: its worked numbers are what the rules make of those books."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.domain.intent import Cancel, ExitRules, Intent
from betteroms.domain.money import MICROS, Size, Usdc, to_micros, to_text
from betteroms.domain.order import Order
from betteroms.domain.position import Position
from betteroms.domain.rounding import Rules
from betteroms.domain.rule import RuleOrigin, RuleSet
from betteroms.domain.terms import Mode, Side
from betteroms.domain.trigger import sight
from betteroms.sources.rules import EXIT_SLIPPAGE_TICKS, evaluate
from tests.domain.examples import (
    MARKET_ID,
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

PAGE: Final = (Path(__file__).parents[2] / "docs" / "exit-rules.md").read_text(encoding="utf-8")
KEYS: Final = {
    "stopLossPct": "stop_loss_pct",
    "takeProfitPct": "take_profit_pct",
    "trailingStopPct": "trailing_stop_pct",
}
TICK: Final = price("0.01")


def rows(after: str) -> list[list[str]]:
    """The cells of the first table below this sentence, without its head."""
    lines = PAGE.partition(after)[2].partition("\n|---")[2].splitlines()[1:]
    table = [line for line in lines[: lines.index("")] if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


EXAMPLES: Final = rows("A hundred shares that cost 0.45 each:")
PASSES: Final = rows("The hundred shares again")


def a_set(rules: ExitRules) -> RuleSet:
    return RuleSet(
        rule_id="57b5639e-a316-5a83-a73b-67bb8269d6f0",
        mode=Mode.PAPER,
        market_id=MARKET_ID,
        token_id=YES,
        outcome="Yes",
        outcome_index=0,
        rules=rules,
        origin=RuleOrigin.OPERATOR,
        set_at=NOW,
    )


def hundred() -> Position:
    return Position(
        mode=Mode.PAPER,
        market_id=MARKET_ID,
        token_id=YES,
        size=size("100"),
        cost_basis=Usdc(45 * MICROS),
        opened_at=NOW,
    )


def judged(
    rules: RuleSet, position: Position, bids: str, orders: list[Order]
) -> tuple[RuleSet, list[Cancel | Intent], list[str]]:
    verdicts = evaluate(
        {YES: rules},
        now=NOW,
        mode=Mode.PAPER,
        positions={YES: position},
        sellable={YES: position.size},
        books={YES: a_book(bids=bids)},
        markets={MARKET_ID: a_market()},
        rules_in_force={YES: Rules(tick_size=TICK, minimum_size=size("5"))},
        open_orders=orders,
    )
    return next(iter(verdicts.changed), rules), verdicts.wishes, verdicts.remarks


@pytest.mark.parametrize("row", EXAMPLES, ids=[f"{row[0]} {row[1]}" for row in EXAMPLES])
def test_each_example_is_judged_as_the_page_says(row: list[str]) -> None:
    bids, rule, average, outcome = row
    key, percent = re.fullmatch(r"`(\w+)` (\d+)", rule).groups()  # type: ignore[union-attr]
    changed: dict[str, Any] = {KEYS[key]: to_micros(percent)}
    rules = a_set(ExitRules(**changed))
    now, _, before = bids.partition(", after ")
    if before:
        rules, _, _ = judged(rules, hundred(), before, [])
    seen = sight(a_book(bids=now), size("100"))
    assert seen is not None
    said, _, of = average.partition(" of ")
    assert said == (to_text(seen.high) if of == "all" else seen.average)
    assert of in ("", "all", f"{to_text(seen.shown)} shares", f"{to_text(seen.shown)} share")
    after, _, _ = judged(rules, hundred(), now, [])
    expected = re.match(r"`(\w+)`", outcome)
    assert (after.trigger and after.trigger.cause) == (expected and expected[1])


def test_the_worked_exit_goes_as_the_page_says() -> None:
    rules, position = a_set(ExitRules(stop_loss_pct=to_micros("10"))), hundred()
    resting = an_order(an_intent(side=Side.SELL, at="0.60", amount=shares("100")))
    orders, attempts = [resting], 0
    for _, bids, said, left in PASSES:
        shown = "" if bids == "–" else bids
        rules, wishes, remarks = judged(rules, position, shown, orders)
        ended = [wish.order_id for wish in wishes if isinstance(wish, Cancel)]
        assert bool(ended) == ("Cancels" in said)
        orders = [order for order in orders if order.order_id not in ended]
        assert any("NO_BID" in remark for remark in remarks) == ("NO_BID" in said)
        for wish in wishes:
            if isinstance(wish, Intent):
                attempts += 1
                position = _sold(position, wish, shown, said)
        assert to_text(position.size) == left
        assert rules.attempts == attempts
    assert attempts == 3
    assert rules.trigger is not None
    assert f"`{rules.trigger.detail}`" in PAGE


def _sold(position: Position, wish: Intent, bids: str, said: str) -> Position:
    """Fill what the bids take, at worst two ticks below the best one."""
    book = a_book(bids=bids)
    assert book.best_bid is not None
    assert wish.wished_amount == shares(to_text(position.size))
    worst = book.best_bid - EXIT_SLIPPAGE_TICKS * TICK
    if "at worst" in said:
        assert f"at worst {to_text(worst)}" in said
    taken = min(sum(level.size for level in book.bids if level.price >= worst), position.size)
    assert f"sells {to_text(taken)}" in said
    left = Size(position.size - taken)
    return replace(position, size=left, opened_at=position.opened_at if left else None)
