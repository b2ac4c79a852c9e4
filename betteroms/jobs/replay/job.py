"""Compute a past run again from what it recorded, without network and without writing anything.

It is the same corridor as on its day, on a ledger that is thrown away: books and markets are what the run
read, the account is folded up to the run's place in the ledger, and the clock stands at the run's time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from betteroms.domain.bounds import FillBounds
from betteroms.domain.errors import NotFound, PlanInvalid, RecordingUnreadable, SettingsInvalid
from betteroms.domain.ids import BookId, OrderId, RunId, order_id
from betteroms.domain.money import Usdc, to_micros, to_text
from betteroms.domain.risk import Limits
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode, SellFrom
from betteroms.jobs import gather
from betteroms.jobs import run as scheduled
from betteroms.jobs.desk import Desk, MakeExecutor
from betteroms.jobs.lookup import the_run
from betteroms.jobs.maintain.job import SETTLED_WATCHED, carried_out
from betteroms.jobs.replay.changes import NONE, Changes
from betteroms.jobs.replay.compare import DIFFERENCES_SHOWN, canonical, differences, effect
from betteroms.jobs.replay.retold import Retold
from betteroms.jobs.replay.venue import KeptVenue, Reader
from betteroms.jobs.trade import PlanFile, corridor
from betteroms.ports import Ledger, Run, Snapshot
from betteroms.records import Recording, Records
from betteroms.sources.plan import market_names, read_plan
from betteroms.sources.wishes import intents as wishes_of

UNREADABLE: Final = (PlanInvalid, NotFound, RecordingUnreadable, SettingsInvalid)
"""What a run that was altered, or one of another version, may end in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a run is recomputed with, from its own settings; `executor` takes the bounds of what rested."""

    limits: Limits
    opening_cash: Usdc
    executor: Callable[[Mapping[OrderId, FillBounds]], MakeExecutor]
    scratch: Callable[[Snapshot], Ledger]
    engine_version: str
    sell_from: SellFrom = SellFrom.MINED


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The run's one time."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """A run computed again: its result, and what was kept of it that is not what it read."""

    result: dict[str, Any]
    altered: Sequence[dict[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    """What it takes, and what was computed already: a scheduled run and its parts tell of the same."""

    records: Records
    reader: Reader
    bench: Callable[[Mapping[str, str], Changes], Bench]
    done: dict[tuple[RunId, bool], _Again] = field(default_factory=dict)


def replay(
    records: Records,
    name: str,
    *,
    reader: Reader,
    bench: Callable[[Mapping[str, str], Changes], Bench],
    engine_version: str,
    changes: Changes | None = None,
) -> dict[str, Any]:
    """Compute the run of this planId, or whose id begins so, again; with `changes`, what would be different.

    Raises:
        NotFound, Ambiguous: see `lookup.the_run`.
    """
    tools = _Tools(records=records, reader=reader, bench=bench)
    recording = records.recording(the_run(records, name).run_id)
    told = {
        "runId": recording.run.run_id,
        "kind": recording.run.kind,
        "mode": recording.run.mode.value,
        "planId": recording.run.plan_id,
        "engineVersion": engine_version,
        "recordedEngineVersion": recording.run.engine_version,
    }
    nothing = _nothing(recording, changes)
    if nothing is not None:
        return {**told, "outcome": "nothing", "reason": nothing, "differences": []}
    if changes is not None:
        return {**told, **_changed(tools, recording, changes)}
    return {**told, **_compared(tools, recording)}


def _nothing(recording: Recording, changes: Changes | None) -> str | None:
    """Why there is nothing to compute again; None where there is."""
    run = recording.run
    if changes is not None and run.mode is Mode.LIVE:
        return "what the venue filled are facts: what if can be asked of runs on paper only"
    if run.kind not in _RECOMPUTED:
        return f"a run of kind {run.kind} holds nothing to compute: all it did is in the ledger"
    if run.status is not RunStatus.COMPLETED or recording.result is None:
        error = f" ({recording.error})" if recording.error else ""
        return f"the run is {run.status}{error}: it has no result to compare with"
    return None


def _compared(tools: _Tools, recording: Recording) -> dict[str, Any]:
    """The run computed again beside what was kept of it, and its parts likewise."""
    assert recording.result is not None, "a run that was completed has a result"
    kept = recording.result
    parts = [_part(tools, tools.records.recording(name)) for name in _part_names(recording)]
    try:
        again = _recomputed(tools, recording, NONE)
    except UNREADABLE as fault:
        unable = {"path": "result", "before": "(kept)", "after": f"cannot be computed: {fault}"}
        return _outcome([unable], kept, parts)
    found: list[dict[str, Any]] = list(again.altered)
    text = canonical(again.result)
    if text != kept:
        found += differences(json.loads(kept), json.loads(text))
        found = found or [{"path": "result", "before": kept, "after": text}]
    return _outcome(found, kept, parts)


def _outcome(found: Sequence[dict[str, Any]], kept: str, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    same = not found and all(part["outcome"] == "identical" for part in parts)
    return {
        "outcome": "identical" if same else "different",
        "bytes": len(kept.encode()),
        "differences": list(islice(found, DIFFERENCES_SHOWN)),
        "differenceCount": len(found),
        "parts": list(parts),
    }


def _part(tools: _Tools, recording: Recording) -> dict[str, Any]:
    run = recording.run
    return {"runId": run.run_id, "kind": run.kind, "planId": run.plan_id, **_compared(tools, recording)}


def _changed(tools: _Tools, recording: Recording, changes: Changes) -> dict[str, Any]:
    """What the changes do to the run; each part starts from the ledger as it was on its day."""
    alone = recording.run.kind != "run"
    names = _part_names(recording)
    recordings = [recording] if alone else [tools.records.recording(name) for name in names]
    parts = []
    for each in recordings:
        before, after = (_recomputed(tools, each, how).result for how in (NONE, changes))
        run = each.run
        told = {"runId": run.run_id, "kind": run.kind, "planId": run.plan_id}
        parts.append({**told, "bytes": len(canonical(before).encode()), **effect(before, after)})
    whole: dict[str, Any] = {"outcome": "whatIf", "changes": dict(changes.written or {})}
    if alone:
        return {**whole, **{name: parts[0][name] for name in ("orders", "totals", "pnl")}, "parts": []}
    # What parts hold overlaps; what the changes did in each of them does not.
    moved = to_text(sum(to_micros(part["pnl"]["effect"]) for part in parts))
    pnl: dict[str, str | None] = {"before": None, "after": None, "effect": moved}
    return {**whole, "orders": [], "totals": {}, "pnl": pnl, "parts": parts}


def _recomputed(tools: _Tools, recording: Recording, changes: Changes) -> _Again:
    run = recording.run
    asked = NONE if run.mode is Mode.LIVE else changes  # what the venue filled are facts
    name = (run.run_id, asked is NONE)
    if name not in tools.done:
        tools.done[name] = _RECOMPUTED[run.kind](tools, recording, asked)
    return tools.done[name]


def _trade(tools: _Tools, recording: Recording, changes: Changes) -> _Again:
    run, venue = recording.run, _venue(tools, recording, changes)
    if run.plan is None or run.plan_id is None:
        raise RecordingUnreadable("the plan is not kept any more")
    name = run.plan_file or run.plan_id
    source = PlanFile(plan=read_plan(run.plan.body, name), name=name, body=run.plan.body)
    found = venue.markets(market_names(source.plan))
    markets = gather.by_id(found.values())
    intents = wishes_of(source.plan, plan_id=run.plan_id, mode=run.mode, markets=found)
    snapshot = tools.records.snapshot_before(
        run.run_id,
        markets=list(markets),
        orders=[order_id(intent.key) for intent in intents] if run.attempt > 1 else [],
    )
    desk = _desk(tools, recording, venue, snapshot, changes)
    opened = _opened(desk.ledger, run)
    told = corridor(desk, desk.ledger, source, opened, list(markets.values()), intents)
    return _Again(result=told["result"], altered=venue.altered)


def _maintain(tools: _Tools, recording: Recording, changes: Changes) -> _Again:
    run, venue = recording.run, _venue(tools, recording, changes)
    touched = tools.records.touched_before(run.run_id, settled_since=run.now - SETTLED_WATCHED)
    snapshot = tools.records.snapshot_before(run.run_id, markets=touched, orders=[])
    desk = _desk(tools, recording, venue, snapshot, changes)
    told = carried_out(desk, desk.ledger, _opened(desk.ledger, run), keep=True)
    return _Again(result=told["result"], altered=venue.altered)


def _scheduled(tools: _Tools, recording: Recording, changes: Changes) -> _Again:
    """A scheduled run: what it says of its plans and its maintenance follows from those runs.

    Which plans there were, and why some could not be carried out, is as it was told.
    """
    kept = json.loads(recording.result or "{}")
    spent, rows = 0, []
    for row in kept["plans"]:
        if "runId" not in row:
            spent += _spent_before(tools.records, recording.run, row)
            rows.append(row)
            continue
        result = _recomputed(tools, tools.records.recording(row["runId"]), changes).result
        spent += to_micros(result["totals"]["tiedUp"])
        said = {name: row[name] for name in ("planId", "file", "priority", "mode")}
        rows.append(scheduled.plan_row(said, result, row["runId"]))
    maintenance = kept["maintenance"]
    if maintenance is not None and "runId" in maintenance:
        part = tools.records.recording(maintenance["runId"])
        result = _recomputed(tools, part, changes).result
        maintenance = scheduled.maintenance_row(result, maintenance["runId"])
    budget = kept["budget"]
    result = scheduled.result_of(
        recording.run,
        rows=rows,
        inactive=kept["inactive"],
        found=kept["found"],
        abandoned=kept["abandoned"],
        budget=None if budget is None else Usdc(to_micros(budget["given"])),
        spent=spent,
        maintenance=maintenance,
        others=kept.get("others", ()),
    )
    return _Again(result=result)


def _spent_before(records: Records, run: Run, row: Mapping[str, Any]) -> int:
    """What a plan had tied up that was carried out before this run came to it, at the same scheduled time."""
    if row["status"] != "done before":
        return 0
    for found in records.runs_named(row["planId"]):
        if (found.kind, found.mode.value) == ("trade", row["mode"]):
            earlier = records.recording(found.run_id)
            if earlier.result is not None and earlier.run.scheduled_at == run.scheduled_at:
                return to_micros(json.loads(earlier.result)["totals"]["tiedUp"])
    return 0


_RECOMPUTED: Final[Mapping[str, Callable[[_Tools, Recording, Changes], _Again]]] = {
    "trade": _trade,
    "maintain": _maintain,
    "run": _scheduled,
}
"""The kinds of runs that decide something from what they read."""


def _part_names(recording: Recording) -> list[RunId]:
    """The runs that a scheduled run consists of."""
    if recording.run.kind != "run" or recording.result is None:
        return []
    kept = json.loads(recording.result)
    rows = [*kept["plans"], *([kept["maintenance"]] if kept["maintenance"] else [])]
    return [RunId(row["runId"]) for row in rows if "runId" in row]


def _venue(tools: _Tools, recording: Recording, changes: Changes) -> KeptVenue:
    names: set[BookId] = {*recording.rows.values(), *(book.payload_id for book in recording.books.values())}
    return KeptVenue(recording, tools.records.payloads(names), tools.reader, changes)


def _desk(
    tools: _Tools, recording: Recording, venue: KeptVenue, snapshot: Snapshot, changes: Changes
) -> Desk:
    """The run's own desk, on a ledger that is thrown away."""
    run = recording.run
    bench = tools.bench(run.settings, changes)
    return Desk(
        mode=run.mode,
        ledger=bench.scratch(snapshot),
        scratch=bench.scratch,
        catalog=venue,
        market_data=venue,
        archive=venue,
        clock=_Stopped(run.now),
        executor=_executor(tools, bench, run, snapshot),
        limits=bench.limits,
        settings=run.settings,
        # Paper tells where its setting has changed since; in live it was the venue that told.
        opening_cash=_opened_with(snapshot, bench) if run.mode is Mode.LIVE else bench.opening_cash,
        engine_version=bench.engine_version,
        restated=lambda _: run.settings,
        sell_from=bench.sell_from,
    )


def _opened_with(snapshot: Snapshot, bench: Bench) -> Usdc:
    return bench.opening_cash if snapshot.opening_cash is None else snapshot.opening_cash


def _executor(tools: _Tools, bench: Bench, run: Run, snapshot: Snapshot) -> MakeExecutor:
    """Paper carries orders out as it did then; what the venue told is told again (DECISIONS 1.5)."""
    if run.mode is not Mode.LIVE:
        return bench.executor(snapshot.bounds)
    told = tools.records.told_in(run.run_id)
    return lambda _world, _memory, _now, _snapshot: Retold(told)


def _opened(ledger: Ledger, run: Run) -> Run:
    """The run as it stood when it began, its attempt included."""
    return replace(ledger.open_run(run), attempt=run.attempt)
