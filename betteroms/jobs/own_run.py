"""Runs that no plan asked for: how one is opened, kept together, and closed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from betteroms.domain.errors import DatabaseUnavailable
from betteroms.domain.ids import run_id
from betteroms.domain.position import LedgerEntry
from betteroms.jobs import told
from betteroms.jobs.desk import Desk
from betteroms.jobs.passage import finished
from betteroms.ports import Run


def unplanned(desk: Desk, kind: str, *, now: datetime, at: datetime | None = None) -> Run:
    """A run of this kind that begins now; `at` is the scheduled time, where it is another."""
    return Run(
        run_id=run_id(desk.mode, kind, now.isoformat()),
        kind=kind,
        mode=desk.mode,
        plan_id=None,
        plan_file=None,
        content_hash=None,
        now=now,
        scheduled_at=(at or now).replace(second=0, microsecond=0),
        started_at=now,
        engine_version=desk.engine_version,
        settings=desk.settings,
    )


def kept(
    desk: Desk, run: Run, act: Callable[[Run], dict[str, Any]], entries: Sequence[LedgerEntry] = ()
) -> dict[str, Any]:
    """Open the run, act, and close it with the result that `act` returns; or write down that it failed.

    Returned is the summary as it is kept.
    """
    run = desk.ledger.open_run(run, entries)

    def whole(run: Run) -> dict[str, Any]:
        done = act(run)
        return {"kind": run.kind, "mode": run.mode.value, "status": "completed", **done, "totals": {}}

    return _closed(desk, run, whole)


def heralded(
    desk: Desk, run: Run, act: Callable[[Run], dict[str, Any]], entries: Sequence[LedgerEntry] = ()
) -> dict[str, Any]:
    """As `kept`, where `act` returns the whole result; the herald hears how it begins and how it ends."""
    run = desk.ledger.open_run(run, entries)
    desk.herald.began(run)
    try:
        summary = _closed(desk, run, act)
    except BaseException as fault:
        desk.herald.failed(run, fault)
        raise
    desk.herald.ended(run, summary["result"])
    return summary


def _closed(desk: Desk, run: Run, act: Callable[[Run], dict[str, Any]]) -> dict[str, Any]:
    try:
        result = act(run)
        end = finished(desk, run)
        timing = {
            "startedAt": told.instant(run.started_at),
            "durationMs": (end - run.started_at) // timedelta(milliseconds=1),
            "attempt": run.attempt,
            "runId": run.run_id,
        }
        summary = {"result": result, "timing": timing}
        desk.ledger.close_run(run, summary, completed_at=end)
    except BaseException as fault:
        with suppress(DatabaseUnavailable):
            desk.ledger.fail_run(run, str(fault) or type(fault).__name__, completed_at=finished(desk, run))
        raise
    return summary
