"""What an audit row calls a change of a rule set."""

from dataclasses import replace

import pytest

from betteroms.domain.intent import ExitRules
from betteroms.domain.rule import Cause, RuleOrigin, RuleSet, Trigger, event_of
from betteroms.domain.terms import Mode
from tests.domain.examples import MARKET_ID, NOW, YES, price

SET = RuleSet(
    rule_id="57b5639e-a316-5a83-a73b-67bb8269d6f0",
    mode=Mode.PAPER,
    market_id=MARKET_ID,
    token_id=YES,
    outcome="Yes",
    outcome_index=0,
    rules=ExitRules(stop_loss_pct=10_000_000),
    origin=RuleOrigin.OPERATOR,
    set_at=NOW,
)
TRIGGERED = replace(SET, trigger=Trigger(cause=Cause.STOP_LOSS, at=NOW, detail="bid=0.38"), attempts=1)


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (None, SET, "rule_set"),
        (replace(SET, rule_id="another"), SET, "rule_set"),
        (SET, TRIGGERED, "rule_triggered"),
        (TRIGGERED, replace(TRIGGERED, attempts=2), "exit_attempted"),
        (SET, replace(SET, high=price("0.60")), None),
        (TRIGGERED, replace(TRIGGERED, trigger=None), None),
    ],
)
def test_only_what_matters_is_an_audit_row(before: RuleSet | None, after: RuleSet, event: str | None) -> None:
    assert event_of(before, after) == event


@pytest.mark.parametrize("cause", Cause)
def test_only_stops_are_followed_by_a_cool_down(cause: Cause) -> None:
    assert cause.stops_a_loss == (cause in (Cause.STOP_LOSS, Cause.TRAILING_STOP))
