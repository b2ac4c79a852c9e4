"""A person at a terminal is shown what a live plan may cost, and types a word or does not."""

import pytest

from tests.cli.test_terminal import Terminal
from tests.live.world import SNOW, TREATY, Operator, buy

COSTS = "type live to go on"


def at_a_terminal(operator: Operator, words: str) -> tuple[int, str]:
    plan = operator.plan(buy(SNOW, 0.45, 20), buy(TREATY, 0.05, 40))
    terminal = Terminal(("trade", str(plan)), {})
    terminal.read_until(COSTS)
    shown = terminal.shown
    terminal.type(words)
    return terminal.finish(), shown


def test_the_cost_is_shown_and_the_word_lets_orders_leave(operator: Operator) -> None:
    operator.ready()
    code, shown = at_a_terminal(operator, "live")
    assert code == 0
    assert "2 orders go to the venue for at most $11.00" in shown
    assert len(operator.orders()) == 2


@pytest.mark.parametrize("words", ["", "yes", "LIVE!"])
def test_any_other_word_sends_nothing(operator: Operator, words: str) -> None:
    operator.ready()
    code, _ = at_a_terminal(operator, words)
    assert (code, operator.orders()) == (5, [])
