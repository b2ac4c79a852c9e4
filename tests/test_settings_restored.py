"""The settings that a run kept, read back: whatever is set today."""

from pathlib import Path

import pytest

from betteroms.domain.errors import SettingsInvalid
from betteroms.domain.money import Usdc
from betteroms.domain.risk.limits import Limits
from betteroms.settings import VARIABLES, load, restored

SAID = {
    "BETTEROMS_HOME": "/srv/betteroms",
    "BETTEROMS_PAPER_CASH": "1234.5",
    "BETTEROMS_PAPER_LIQUIDITY_FRACTION": "0.25",
    "BETTEROMS_PAPER_SLIPPAGE_TICKS": "3",
    "BETTEROMS_MAX_ORDER_NOTIONAL_USD": "50.25",
    "BETTEROMS_MAX_ORDERS_PER_RUN": "7",
    "BETTEROMS_MAX_SPREAD": "0.2",
    "BETTEROMS_MIN_DEPTH_USD": "12",
    "BETTEROMS_MAX_BOOK_AGE_SECONDS": "90",
    "BETTEROMS_HTTP_TIMEOUT_SECONDS": "2.5",
    "BETTEROMS_NOTIFY_EVENTS": "trips,failures",
    "POLYMARKET_API_KEY": "not-to-be-kept",
}


def test_what_a_run_kept_is_what_was_set_but_for_the_secrets(tmp_path: Path) -> None:
    settings = load(SAID, cwd=tmp_path)
    again = restored(settings.public())
    assert (again.limits(), again.paper(), again.paper_cash) == (
        settings.limits(),
        settings.paper(),
        settings.paper_cash,
    )
    assert again.public() == settings.public()
    assert again.api_key is None


def test_nothing_of_today_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BETTEROMS_MAX_ORDER_NOTIONAL_USD", "1")
    assert restored({}).order_notional_max is None


def test_what_another_version_knew_and_a_budget_that_is_spent_are_no_trouble(tmp_path: Path) -> None:
    spent = load({}, cwd=tmp_path).capped(Limits(run_notional_max=Usdc(0)))
    kept = {**spent.public(), "BETTEROMS_NO_SUCH_THING": "1"}
    assert "BETTEROMS_NO_SUCH_THING" not in VARIABLES
    assert restored(kept).run_notional_max == 0


def test_values_that_nobody_could_have_set_are_all_named() -> None:
    with pytest.raises(SettingsInvalid) as told:
        restored({"BETTEROMS_PAPER_CASH": "much", "BETTEROMS_MAX_SPREAD": "2"})
    assert [problem.split(",")[0] for problem in told.value.problems] == [
        "BETTEROMS_MAX_SPREAD",
        "BETTEROMS_PAPER_CASH",
    ]
