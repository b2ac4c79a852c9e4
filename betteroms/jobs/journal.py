"""What a run writes into the log, and which of those lines somebody wants to see again.

The log is for reading; what counts is in the ledger. So a run of thousands of orders tells of the first few
hundred that matter, and how many it left out.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from betteroms.domain.ids import OrderId, RunId
from betteroms.ports.journal import Journal

ORDER_LINES_MAX: Final = 500
LEVELS: Final = ("debug", "info", "warning", "error")
RUN_NAME_LENGTH_MIN: Final = 8
"""From so many characters on, a name may be the beginning of a run's id."""
EVENTS: Final[Mapping[str, str]] = {
    "NEW": "order_recorded",
    "UNCONFIRMED": "order_unconfirmed",
    "OPEN": "order_placed",
    "FILLED": "order_filled",
    "CANCELED": "order_canceled",
    "EXPIRED": "order_expired",
    "DENIED": "order_denied",
    "REJECTED": "order_rejected",
}
"""How an order that stands so is told, in the words of the audit log."""
WRONG: Final = frozenset({"DENIED", "REJECTED", "UNCONFIRMED"})


def begun(
    journal: Journal, run_id: RunId, *, kind: str, mode: str, plan_id: str | None, attempt: int
) -> None:
    """A run has begun."""
    journal.note("run_started", run_id=run_id, kind=kind, mode=mode, plan_id=plan_id, attempt=attempt)


def told(journal: Journal, run_id: RunId, result: Mapping[str, Any]) -> None:
    """A run has come to its end: its orders, its warnings, its totals; `result` is that of `jobs.summary`."""
    orders = [*result.get("settled", ()), *result.get("instructions", ())]
    chosen = worth_a_line(orders)
    for order in chosen:
        _order(journal, run_id, order)
    if len(orders) > len(chosen):
        journal.note("orders_left_out", run_id=run_id, told=len(chosen), left_out=len(orders) - len(chosen))
    for entry in result.get("settlements", ())[:ORDER_LINES_MAX]:
        facts = {name: entry[name] for name in ("size", "payout", "cash")}
        _note(journal, "position_settled", "info", run_id, None, {"market": entry["marketId"], **facts})
    for rule in result.get("rules", ())[:ORDER_LINES_MAX]:
        if rule["cause"]:
            facts = {"market": rule["marketId"], "rule": rule["ruleId"], "cause": rule["cause"]}
            detail = {"detail": rule["detail"], "attempts": rule["attempts"]}
            _note(journal, "rule_triggered", "info", run_id, None, {**facts, **detail})
    for warning in result.get("warnings", ()):
        journal.note("run_warning", level="warning", run_id=run_id, text=warning)
    # Nothing is most of what there is to tell of most passes.
    totals = {
        _snake(name): value for name, value in result.get("totals", {}).items() if value not in (0, "0")
    }
    refused = ", ".join(f"{code} {count}" for code, count in result.get("refused", {}).items())
    facts = {
        "plan_id": result.get("planId"),
        "mode": result.get("mode"),
        **totals,
        "refused": refused or None,
    }
    _note(journal, f"run_{result.get('status', 'completed')}", "info", run_id, None, facts)


def failed(
    journal: Journal, run_id: RunId | None, *, error: str, code: str, plan_id: str | None = None
) -> None:
    """A run has failed, or could not begin; `code` names the fault as the command line does."""
    journal.note("run_failed", level="error", run_id=run_id, plan_id=plan_id, code=code, error=error)


def worth_a_line(orders: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most `ORDER_LINES_MAX`: what went wrong before what was filled before the rest, in their order."""
    if len(orders) <= ORDER_LINES_MAX:
        return list(orders)
    ranked = sorted(range(len(orders)), key=lambda index: _rank(orders[index]))
    return [orders[index] for index in sorted(ranked[:ORDER_LINES_MAX])]


def _rank(order: Mapping[str, Any]) -> int:
    return 0 if order["status"] in WRONG else 1 if order["executions"] else 2


def _order(journal: Journal, run_id: RunId, order: Mapping[str, Any]) -> None:
    status = order["status"]
    fills = len(order["executions"])
    facts = {
        "line": order.get("line"),
        "market": order["marketId"],
        "outcome": order.get("outcome"),
        "side": order["side"],
        "price": order.get("limitPrice"),
        "size": order.get("size"),
        "dollars": order.get("dollars"),
        "filled": order["filledSize"] if fills else None,
        "fills": fills or None,
        "code": order["code"],
        "reason": order.get("reason"),
    }
    event = EVENTS.get(status, f"order_{status.lower()}")
    level = "warning" if status in WRONG else "info"
    _note(journal, event, level, run_id, OrderId(order["orderId"]), facts)


def _note(
    journal: Journal,
    event: str,
    level: str,
    run_id: RunId,
    order_id: OrderId | None,
    facts: Mapping[str, Any],
) -> None:
    """Write a line with those of the facts that a line can hold."""
    plain: dict[str, Any] = {name: value for name, value in facts.items() if isinstance(value, str | int)}
    journal.note(event, level=level, run_id=run_id, order_id=order_id, **plain)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def select(
    rows: Iterable[Mapping[str, Any]],
    *,
    run: str | None = None,
    order: str | None = None,
    level: str = LEVELS[0],
    since: datetime | None = None,
    limit: int,
) -> list[Mapping[str, Any]]:
    """The last `limit` lines that are about this run and order, at least so grave, and not older.

    A run is named by its planId or by the beginning of its id, an order by the beginning of its id.
    """
    wanted = frozenset(LEVELS[LEVELS.index(level) :])
    earliest = None if since is None else since.astimezone(UTC)
    runs: set[str] = set()
    found: deque[Mapping[str, Any]] = deque(maxlen=limit)
    for row in rows:
        # The lines between do not name the plan, but the first line of a run does.
        if run is not None and row.get("planId") == run and "runId" in row:
            runs.add(row["runId"])
        if (
            row["level"] in wanted
            and (order is None or row.get("orderId", "").startswith(order))
            and (run is None or _of_run(row, run, runs))
            and (earliest is None or _at(row) >= earliest)
        ):
            found.append(row)
    return list(found)


def _of_run(row: Mapping[str, Any], run: str, runs: set[str]) -> bool:
    name = row.get("runId", "")
    begins = len(run) >= RUN_NAME_LENGTH_MIN and name.startswith(run)
    return begins or name in runs or row.get("planId") == run


def _at(row: Mapping[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(row["at"])
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
