"""The scheduled run: every plan that is due, by priority, each apart from the others; then maintenance.

Its own row in `runs` tells what became of each; the plans and the maintenance have rows of their own.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from betteroms.domain.errors import (
    BetterOmsError,
    DatabaseUnavailable,
    LiveUnconfirmed,
    LockHeld,
    ModeUnavailable,
    PlanAlreadyRun,
)
from betteroms.domain.ids import RunId, run_id
from betteroms.domain.money import Usdc, to_micros, to_text
from betteroms.domain.risk import Limits, tighter
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.desk import Desk
from betteroms.jobs.live.switching import effective
from betteroms.jobs.live.trading import carefully, make_ready, rehearsed
from betteroms.jobs.maintain import maintain
from betteroms.jobs.passage import finished
from betteroms.jobs.rounds import Round, rounds
from betteroms.jobs.summary import not_taken
from betteroms.jobs.supply import Supply, to_abandon
from betteroms.jobs.trade import PlanFile, scheduled, trade
from betteroms.ports import Run
from betteroms.records import UnfinishedTrade
from betteroms.sources.plan import resolved_plan_id

STOPS: Final = (DatabaseUnavailable, LockHeld)
"""After these nothing else can be tried: whatever follows would meet the same."""


@dataclass(slots=True)
class Course:
    """How a run is going: a row for each plan, the faults behind them, and what of the budget is spent."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    refused: int = 0
    unknown: int = 0
    spent: int = 0

    def fail(self, row: dict[str, Any], fault: BaseException) -> None:
        """A plan, or the maintenance, could not be carried out."""
        self.faults.append(fault)
        message = str(fault) or type(fault).__name__
        self.rows.append({**row, "status": "failed", "error": message, "fault": type(fault).__name__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run came to: for people and machines, and the faults that decide how the command ends."""

    result: dict[str, Any]
    timing: dict[str, Any]
    faults: Sequence[BaseException]
    refused: int
    unknown: int = 0


def run(
    desk: Desk,
    supply: Supply,
    unfinished: Sequence[UnfinishedTrade],
    *,
    at: datetime | None = None,
    budget: Usdc | None = None,
    live_agreed: bool = False,
) -> Told:
    """Carry out what is due at the scheduled time `at` (now, where it is None), then maintain.

    Live plans are refused unless `live_agreed` says that the operator agreed to them beforehand. `budget`
    caps what all plans together may newly tie up, spent in their order. `unfinished` are trade runs that did
    not end; those whose period is over are abandoned. Nothing that happens to one plan keeps the others from
    being tried, but for a database that is gone.
    """
    opened = _opening(desk, at)
    desk.ledger.end_interrupted(opened.now)
    abandoned = to_abandon(unfinished, scheduled_at=opened.scheduled_at)
    for name in abandoned:
        desk.ledger.abandon_run(name, at=opened.now)
    opened = desk.ledger.open_run(opened)
    desk.herald.began(opened)
    try:
        return _carried_out(desk, supply, opened, abandoned, budget, Places(desk, live_agreed))
    except BaseException as fault:
        with suppress(DatabaseUnavailable):
            desk.ledger.fail_run(
                opened, str(fault) or type(fault).__name__, completed_at=finished(desk, opened)
            )
        desk.herald.failed(opened, fault)
        raise


def _opening(desk: Desk, at: datetime | None) -> Run:
    now = desk.clock.now()
    return Run(
        run_id=run_id(desk.mode, "run", now.isoformat()),
        kind="run",
        mode=desk.mode,
        plan_id=None,
        plan_file=None,
        content_hash=None,
        now=now,
        scheduled_at=scheduled(at or now),
        started_at=now,
        engine_version=desk.engine_version,
        settings=desk.settings,
    )


@dataclass(slots=True)
class Places:
    """The desks that plans are carried out at: by their mode, and in live by the switch."""

    desk: Desk
    live_agreed: bool
    ready: bool = False

    def of(self, mode: Mode) -> Desk:
        """The desk for a plan of this mode; in live after a look at what is alive, once in a run.

        Raises:
            LiveOff: a live plan, and the switch is off.
            LiveUnconfirmed: a live plan, and nobody agreed to those beforehand.
            CredentialsUnusable, VenueUnfit, LedgerBehindVenue, VenueUnreachable: live, and it cannot be.
        """
        if mode is self.desk.mode:
            return self.desk
        if self.desk.sibling is None or self.desk.switch is None:
            raise ModeUnavailable(f"the plan's mode is {mode}; this run trades on {self.desk.mode}")
        effective_mode = effective(mode, self.desk.switch)
        if effective_mode is Mode.LIVE and not self.live_agreed:
            raise LiveUnconfirmed("a live plan, and run was not told --yes: nothing of it was done")
        there = self.desk.sibling(effective_mode)
        if not self.ready:
            make_ready(there)
            self.ready = there.member is not None
        return there


def _carried_out(
    desk: Desk, supply: Supply, opened: Run, abandoned: Sequence[RunId], budget: Usdc | None, places: Places
) -> Told:
    course = Course()
    for refused in supply.refused:
        course.fail({"planId": None, "file": refused.name}, refused.fault)
        desk.herald.could_not_begin(refused.name, refused.fault)
    for source in supply.plans:
        _plan(places, source, opened, course, budget)
    maintenance = _maintenance(desk, opened, course)
    others = [_other(found, course) for found in rounds(desk, at=opened.scheduled_at)]
    result = result_of(
        opened,
        rows=course.rows,
        inactive=[{"planId": off.plan_id, "files": list(off.names)} for off in supply.inactive],
        found=supply.found,
        abandoned=abandoned,
        budget=budget,
        spent=course.spent,
        maintenance=maintenance,
        others=others,
    )
    end = finished(desk, opened)
    timing = {
        "startedAt": told.instant(opened.started_at),
        "durationMs": int((end - opened.started_at).total_seconds() * 1000),
        "runId": opened.run_id,
    }
    desk.ledger.close_run(opened, {"result": result, "timing": timing}, completed_at=end)
    desk.herald.ended(opened, result)
    return Told(
        result=result, timing=timing, faults=course.faults, refused=course.refused, unknown=course.unknown
    )


def _other(found: Round, course: Course) -> dict[str, Any]:
    """A row for the maintenance of another mode."""
    if found.fault is not None:
        course.faults.append(found.fault)
    if found.polled is not None:
        course.unknown += found.polled["result"]["totals"]["unconfirmed"]
    if found.maintained is not None:
        course.refused += not_taken(found.maintained["result"])
    return found.told()


def _plan(places: Places, source: PlanFile, opened: Run, course: Course, budget: Usdc | None) -> None:
    """Carry one plan out; whatever becomes of it, the next one is tried."""
    desk = places.desk
    plan_id = resolved_plan_id(source.plan, opened.scheduled_at)
    row: dict[str, Any] = {
        "planId": plan_id,
        "file": source.name,
        "priority": source.plan.priority,
        "mode": source.plan.mode.value,
    }
    limits = desk.limits
    if budget is not None:
        limits = tighter(limits, Limits(run_notional_max=Usdc(max(budget - course.spent, 0))))
    desk.show(plan_id)
    try:
        there = places.of(source.plan.mode)
        row["mode"] = there.mode.value
        done = carefully(there.limited(limits), lambda each: trade(each, source, at=opened.scheduled_at))
        rehearsed(there)
    except PlanAlreadyRun:
        # That is what a file with a planId of its period is for.
        course.spent += _tied_up_before(desk, Mode(row["mode"]), plan_id, opened)
        course.rows.append({**row, "status": "done before", "error": None})
    except STOPS:
        raise
    except Exception as fault:
        if not isinstance(fault, BetterOmsError | OSError):
            desk.unexpected(fault)
        course.fail(row, fault)
    else:
        result, timing = done["result"], done["timing"]
        course.spent += to_micros(result["totals"]["tiedUp"])
        course.refused += not_taken(result)
        course.unknown += result["totals"].get("unconfirmed", 0)
        course.rows.append(plan_row(row, result, timing["runId"]))


def _tied_up_before(desk: Desk, mode: Mode, plan_id: str, opened: Run) -> int:
    """What a plan tied up earlier in this very run, before it was interrupted and started again."""
    earlier = desk.ledger.find_run(mode, plan_id)
    if earlier is None or earlier.scheduled_at != opened.scheduled_at or earlier.tied_up is None:
        return 0
    return earlier.tied_up


def _maintenance(desk: Desk, opened: Run, course: Course) -> dict[str, Any] | None:
    desk.show("maintaining")
    try:
        done = maintain(desk, at=opened.scheduled_at)
    except STOPS:
        raise
    except Exception as fault:
        if not isinstance(fault, BetterOmsError | OSError):
            desk.unexpected(fault)
        course.faults.append(fault)
        return {
            "status": "failed",
            "error": str(fault) or type(fault).__name__,
            "fault": type(fault).__name__,
        }
    result = done["result"]
    course.refused += not_taken(result)
    return maintenance_row(result, done["timing"]["runId"])


def result_of(
    opened: Run,
    *,
    rows: Sequence[dict[str, Any]],
    inactive: Sequence[Mapping[str, Any]],
    found: Mapping[str, int],
    abandoned: Sequence[str],
    budget: Usdc | None,
    spent: int,
    maintenance: dict[str, Any] | None,
    others: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The run's result, from what its plans and its maintenance came to; `spent` is what plans tied up.

    `others` tells how other modes than the run's own were maintained, where there was anything to do.
    """
    left = None if budget is None else to_text(max(budget - spent, 0))
    return {
        "kind": opened.kind,
        "mode": opened.mode.value,
        "status": "completed",
        "scheduledAt": told.instant(opened.scheduled_at),
        "plans": list(rows),
        "inactive": list(inactive),
        "found": dict(found),
        "abandoned": list(abandoned),
        "budget": None
        if budget is None
        else {"given": to_text(budget), "tiedUp": to_text(spent), "left": left},
        "maintenance": maintenance,
        **({"others": list(others)} if others else {}),
        "totals": _totals(rows, maintenance),
    }


def plan_row(row: Mapping[str, Any], result: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """A plan that was carried out: `row` says which, `result` what its own run came to."""
    kept = {name: result[name] for name in ("totals", "refused", "warnings")}
    return {**row, "status": result["status"], "runId": run_id, "error": None, **kept}


def maintenance_row(result: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """The maintenance: what its own run came to."""
    kept = ("status", "totals", "refused", "portfolio", "tripped", "settlements", "rules", "warnings")
    return {"runId": run_id, **{name: result[name] for name in kept}}


_COUNTS: Final = ("placed", "filled", "partlyFilled", "resting", "canceled", "rejected", "denied")
_AMOUNTS: Final = ("notional", "fees", "slippage", "tiedUp")


def _totals(rows: Sequence[dict[str, Any]], maintenance: dict[str, Any] | None) -> dict[str, Any]:
    """The sums over everything that was carried out now."""
    every = [row["totals"] for row in rows if "totals" in row]
    if maintenance is not None and "totals" in maintenance:
        every.append(maintenance["totals"])
    return {
        "plans": sum(1 for row in rows if "totals" in row),
        "failed": sum(1 for row in rows if row["status"] == "failed"),
        **{name: sum(totals[name] for totals in every) for name in _COUNTS},
        **{name: to_text(sum(to_micros(totals[name]) for totals in every)) for name in _AMOUNTS},
    }
