"""The stored plans: put on the shelf, switched on and off, listed with what is due next."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

from betteroms.domain.errors import Ambiguous, NotFound, PlanChanged, PlanInvalid
from betteroms.domain.run import DIFFERENCES_SHOWN, RunStatus
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.trade import PlanFile, scheduled
from betteroms.ports import PlanShelf, StoredPlan
from betteroms.records import PlanHistory, PlanRun
from betteroms.sources.plan import content_hash, differences, read_plan
from betteroms.sources.plan_period import pattern, resolved, upcoming

ATTEMPTS_MAX: Final = 10
"""How often a change is begun again because somebody else changed the plan meanwhile."""
CALLS_ASKED_FIRST: Final = 3
"""Of so many coming periods it is asked at once whether they have run; more are rarely needed."""

_STATES: Final = {
    RunStatus.COMPLETED: "done",
    RunStatus.FAILED: "failed",
    RunStatus.RUNNING: "running",
    RunStatus.ABANDONED: "abandoned",
}
_Name = tuple[Mode, str]
_Runs = Mapping[_Name, PlanRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What adding a plan came to: `added`, `replaced`, `updated` or `unchanged`.

    `updated` is the same plan with another priority, other notes or another switch.
    """

    plan: StoredPlan
    outcome: str


def add(shelf: PlanShelf, source: PlanFile, *, replacing: bool, inactive: bool, now: datetime) -> Put:
    """Put a plan on the shelf, or bring the one that is there up to date.

    The switch is the file's at first and the operator's from then on; `inactive` turns it off.

    Raises:
        PlanChanged: the planId is there with other content, and `replacing` was not asked for.
    """
    plan = source.plan
    for _ in range(ATTEMPTS_MAX):
        before = next((each for each in shelf.get(plan.plan_id) if each.mode is plan.mode), None)
        active = plan.active if before is None else before.active
        wanted = StoredPlan(
            mode=plan.mode,
            plan_id=plan.plan_id,
            priority=plan.priority,
            active=active and not inactive,
            file=source.name,
            content_hash=content_hash(plan),
            body=source.body,
            added_at=now if before is None else before.added_at,
            changed_at=now,
        )
        if before is None:
            outcome = "added"
        elif before.content_hash == wanted.content_hash:
            if (before.body, before.active) == (wanted.body, wanted.active):
                return Put(plan=before, outcome="unchanged")
            outcome = "updated"
        elif replacing:
            outcome = "replaced"
        else:
            raise _other_content(before, source)
        if shelf.put(wanted, replacing=before):
            return Put(plan=wanted, outcome=outcome)
    raise AssertionError(f"{plan.plan_id} was changed by others {ATTEMPTS_MAX} times in a row")


def the_plan(shelf: PlanShelf, plan_id: str, mode: Mode | None) -> StoredPlan:
    """The stored plan that a person means.

    Raises:
        NotFound: there is none.
        Ambiguous: the planId is stored in several modes, and none was named.
    """
    found = [plan for plan in shelf.get(plan_id) if mode in (None, plan.mode)]
    if len(found) == 1:
        return found[0]
    if found:
        candidates = [f"{plan.plan_id}  {plan.mode}" for plan in found]
        raise Ambiguous(f"{plan_id!r} is stored in several modes; --mode says which is meant", candidates)
    known = sorted({plan.plan_id for plan in shelf.list() if mode in (None, plan.mode)})
    made_of = [template for template in known if re.search(pattern(template), plan_id)]
    close = made_of or get_close_matches(plan_id, known, n=1)
    where = "" if mode is None else f" in mode {mode}"
    hint = f"; did you mean {close[0]}?" if close else ""
    raise NotFound([f"no stored plan{where} has the planId {plan_id!r}, as it is written in its file{hint}"])


def rows(
    plans: Sequence[StoredPlan], history: PlanHistory, *, now: datetime, interval: int
) -> list[dict[str, Any]]:
    """What is told of stored plans, in the order in which `run` takes them.

    `now` is given in the zone that cron lives in, which calls `run` every `interval` minutes.
    """
    ordered = sorted(plans, key=lambda each: (each.priority, PurePath(each.file).name, each.plan_id))
    latest = history.latest([(plan.mode, plan.plan_id) for plan in ordered])
    soon = {
        (plan.mode, plan_id)
        for plan in ordered
        for plan_id in (
            resolved(plan.plan_id, now),
            *(each for _, each in islice(_calls(plan, now, interval), CALLS_ASKED_FIRST)),
        )
    }
    runs = history.runs(soon)
    return [
        _row(plan, history, runs, latest.get((plan.mode, plan.plan_id)), now=now, interval=interval)
        for plan in ordered
    ]


def _row(
    plan: StoredPlan,
    history: PlanHistory,
    runs: _Runs,
    last: PlanRun | None,
    *,
    now: datetime,
    interval: int,
) -> dict[str, Any]:
    current = resolved(plan.plan_id, scheduled(now))
    due = _next(plan, history, runs, now=now, interval=interval) if plan.active else None
    return {
        "planId": plan.plan_id,
        "mode": plan.mode.value,
        "priority": plan.priority,
        "active": plan.active,
        "file": plan.file,
        "contentHash": plan.content_hash,
        "addedAt": told.instant(plan.added_at),
        "changedAt": told.instant(plan.changed_at),
        "period": {"planId": current, "state": _state(plan, runs.get((plan.mode, current)))},
        "next": None if due is None else {"at": told.instant(due[0]), "planId": due[1]},
        "lastRun": None
        if last is None
        else {
            "planId": last.plan_id,
            "status": last.status.value,
            "startedAt": told.instant(last.started_at),
        },
    }


def _state(plan: StoredPlan, run: PlanRun | None) -> str:
    """How the plan stands in the present period."""
    if not plan.active:
        return "inactive"
    if run is None:
        return "due"
    if run.status is not RunStatus.COMPLETED and run.content_hash != plan.content_hash:
        return "changed"
    return _STATES[run.status]


def _next(
    plan: StoredPlan, history: PlanHistory, runs: _Runs, *, now: datetime, interval: int
) -> tuple[datetime, str] | None:
    """The first of cron's calls at which the plan would be carried out, and its planId then."""
    calls = _calls(plan, now, interval)
    for at, plan_id in islice(calls, CALLS_ASKED_FIRST):
        if _would_run(plan, runs.get((plan.mode, plan_id))):
            return at, plan_id
    later = list(calls)
    if later:
        runs = history.runs([(plan.mode, plan_id) for _, plan_id in later])
    return next((call for call in later if _would_run(plan, runs.get((plan.mode, call[1])))), None)


def _calls(plan: StoredPlan, now: datetime, interval: int) -> Iterator[tuple[datetime, str]]:
    return upcoming(plan.plan_id, after=now, interval=interval)


def _would_run(plan: StoredPlan, run: PlanRun | None) -> bool:
    """Whether the next call carries it out: it has not run, or is taken up again with the same content."""
    if run is None:
        return True
    return run.status in (RunStatus.FAILED, RunStatus.RUNNING) and run.content_hash == plan.content_hash


def _other_content(before: StoredPlan, source: PlanFile) -> PlanChanged:
    try:
        places = differences(read_plan(before.body, before.file), source.plan)
    except PlanInvalid:
        places = []  # kept by a version with other rules
    more = len(places) - DIFFERENCES_SHOWN
    shown = ", ".join(places[:DIFFERENCES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return PlanChanged(
        f"planId already exists: {before.plan_id} is stored in mode {before.mode} (from {before.file}) with "
        f"other content{': it differs at ' + shown if shown else ''}; --replace puts this one in its place"
    )
