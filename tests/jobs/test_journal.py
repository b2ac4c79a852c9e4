"""What a run writes into the log, and which lines are found again."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from betteroms.domain.ids import OrderId, RunId
from betteroms.jobs.journal import EVENTS, ORDER_LINES_MAX, begun, failed, select, told
from tests.jobs.results import denied, order, result

RUN = RunId("8e8d28d0-0000-5000-8000-000000000000")


class Lines:
    """A journal in memory."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def note(
        self,
        event: str,
        /,
        *,
        level: str = "info",
        run_id: RunId | None = None,
        order_id: OrderId | None = None,
        **facts: str | int | None,
    ) -> None:
        named = {"run_id": run_id, "order_id": order_id, **facts}
        row = {name: value for name, value in named.items() if value is not None}
        self.rows.append({"event": event, "level": level, **row})


@pytest.fixture
def lines() -> Lines:
    return Lines()


def test_a_run_tells_of_its_orders_its_warnings_and_its_totals(lines: Lines) -> None:
    begun(lines, RUN, kind="trade", mode="paper", plan_id="june", attempt=1)
    told(lines, RUN, result(order(0), denied(1), warnings=["mind this"]))
    assert [(row["event"], row["level"]) for row in lines.rows] == [
        ("run_started", "info"),
        ("order_filled", "info"),
        ("order_denied", "warning"),
        ("run_warning", "warning"),
        ("run_completed", "info"),
    ]
    assert {row["run_id"] for row in lines.rows} == {RUN}
    assert lines.rows[1] == {
        "event": "order_filled",
        "level": "info",
        "run_id": RUN,
        "order_id": "00000000-0000-5000-8000-000000000000",
        "line": 0,
        "market": "will-x-happen",
        "outcome": "Yes",
        "side": "BUY",
        "price": "0.42",
        "size": "100",
        "filled": "100",
        "fills": 1,
    }
    assert (lines.rows[2]["code"], lines.rows[2]["reason"]) == ("BELOW_MINIMUM_SIZE", "size=1 min=5")
    last = lines.rows[-1]
    assert (last["plan_id"], last["filled"], last["denied"], last["notional"]) == ("june", 1, 1, "41")
    assert last["refused"] == "BELOW_MINIMUM_SIZE 1"
    assert "partly_filled" not in last


def test_a_maintenance_tells_what_it_settled_and_which_rules_fired(lines: Lines) -> None:
    market = {"marketId": "will-x-happen"}
    rule = {**market, "ruleId": "r-1", "detail": "bid=0.30", "attempts": 1}
    settled = {**market, "size": "100", "payout": "1", "cash": "100"}
    rules = [{**rule, "cause": "stop-loss"}, {**rule, "cause": None}]
    told(lines, RUN, {"mode": "paper", "settlements": [settled], "rules": rules})
    first, second, last = lines.rows
    assert (first["event"], first["market"], first["cash"]) == ("position_settled", "will-x-happen", "100")
    assert (second["event"], second["rule"], second["cause"]) == ("rule_triggered", "r-1", "stop-loss")
    assert last["event"] == "run_completed"


def test_a_run_that_failed_says_why(lines: Lines) -> None:
    failed(lines, RUN, error="no answer", code="VENUE_UNREACHABLE", plan_id="june")
    (row,) = lines.rows
    assert (row["event"], row["level"], row["error"]) == ("run_failed", "error", "no answer")


def test_of_many_orders_those_are_told_that_matter_and_the_rest_is_counted(lines: Lines) -> None:
    resting = [order(number, "OPEN") for number in range(ORDER_LINES_MAX)]
    told(lines, RUN, result(*resting, order(9_000), denied(9_001)))
    orders = [row for row in lines.rows if "order_id" in row]
    assert len(orders) == ORDER_LINES_MAX
    assert [row["event"] for row in orders[-2:]] == ["order_filled", "order_denied"]
    assert (lines.rows[-2]["event"], lines.rows[-2]["left_out"]) == ("orders_left_out", 2)


@pytest.mark.parametrize("status", EVENTS)
def test_every_status_has_its_word(status: str, lines: Lines) -> None:
    settled = {name: value for name, value in order(0, status).items() if name not in ("line", "outcome")}
    told(lines, RUN, {"settled": [settled]})
    assert [row["event"] for row in lines.rows] == [EVENTS[status], "run_completed"]


def row(at: str, event: str = "x", level: str = "info", **more: Any) -> dict[str, Any]:
    return {"at": f"2026-11-20T{at}Z", "level": level, "event": event, **more}


ROWS = [
    row("10:00:00.000", "run_started", runId="aaaaaaaa-1", planId="june"),
    row("10:00:01.000", "order_denied", "warning", runId="aaaaaaaa-1", orderId="0f0f0f0f-1"),
    row("11:00:00.000", "run_started", runId="bbbbbbbb-2", planId="july"),
    row("11:00:01.000", "run_failed", "error", runId="bbbbbbbb-2", planId="july"),
    row("12:00:00.000", "plan_refused", "error", planId="june"),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"run": "june"}, [0, 1, 4]),
        ({"run": "bbbbbbbb"}, [2, 3]),
        ({"run": "bbbb"}, []),
        ({"order": "0f0f"}, [1]),
        ({"level": "warning"}, [1, 3, 4]),
        ({"level": "error", "run": "july"}, [3]),
        ({"since": datetime(2026, 11, 20, 11, 0, 1, tzinfo=UTC)}, [3, 4]),
        ({"since": datetime(2026, 11, 20, 13, tzinfo=timezone(timedelta(hours=1)))}, [4]),
        ({"limit": 2}, [3, 4]),
    ],
)
def test_lines_are_found_by_run_order_gravity_and_time(wanted: dict[str, Any], found: list[int]) -> None:
    limit = wanted.pop("limit", 100)
    assert select(ROWS, limit=limit, **wanted) == [ROWS[index] for index in found]


def test_a_time_that_cannot_be_read_hides_no_line() -> None:
    odd = {"at": "soon", "level": "info", "event": "x"}
    bare = {"at": "2026-11-20T12:00:00", "level": "info", "event": "x"}
    assert select([odd, bare], since=datetime(2026, 11, 20, 12, tzinfo=UTC), limit=9) == [odd, bare]
