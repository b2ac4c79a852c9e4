"""Exit rules as text: the bounds and words of a plan, without the plan."""

import pytest

from betteroms.domain.errors import PlanInvalid
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import Price
from betteroms.sources.plan_model import ExitRuleKeys
from betteroms.sources.rule_fields import read_rules

EVERYTHING = {
    "stopLossPct": "10",
    "takeProfitPct": "25.5",
    "trailingStopPct": "0.000001",
    "stopPrice": "0.40",
    "takeProfitPrice": "0.80",
    "maxHoldHours": "1.5",
    "exitBeforeCloseSec": "3600",
    "coolDownMinutes": "60",
    "maxDailyTrades": "5",
}


def test_every_rule_can_be_said_and_is_read_exactly() -> None:
    assert set(EVERYTHING) == set(ExitRuleKeys.__annotations__)
    assert read_rules(EVERYTHING) == ExitRules(
        stop_loss_pct=10_000_000,
        take_profit_pct=25_500_000,
        trailing_stop_pct=1,
        stop_price=Price(400_000),
        take_profit_price=Price(800_000),
        hold_max_hours=1_500_000,
        exit_before_close_seconds=3_600,
        cool_down_minutes=60,
        daily_trades_max=5,
    )


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        ({}, ["no rule is given"]),
        ({"stopLossPct": "100"}, ['stopLossPct: "100" is not between 0 and 100']),
        ({"maxHoldHours": "soon"}, ['maxHoldHours: "soon" is not a number']),
        ({"stopPrice": "0.1234567"}, ["stopPrice: 0.1234567 has more than six decimals"]),
        (
            {"stopPrice": "0.6", "takeProfitPrice": "0.5"},
            ["stopPrice: stopPrice 0.6 is not below takeProfitPrice 0.5"],
        ),
        (
            {"coolDownMinutes": "1.5", "maxDailyTrades": "0"},
            [
                'coolDownMinutes: "1.5" is not a whole number from 1 to 5256000',
                'maxDailyTrades: "0" is not a whole number from 1 to 1000000',
            ],
        ),
    ],
)
def test_all_that_is_wrong_is_told_at_once(written: dict[str, str], problems: list[str]) -> None:
    with pytest.raises(PlanInvalid) as raised:
        read_rules(written)
    assert list(raised.value.problems) == problems
