"""Carry one plan out, once."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from betteroms.domain.errors import DatabaseUnavailable, PlanInvalid, VenueUnreachable
from betteroms.domain.ids import content_id, key, order_id, run_id
from betteroms.domain.intent import Intent
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import to_text
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.risk import tighter
from betteroms.domain.run import refuse_repetition
from betteroms.jobs import gather, summary
from betteroms.jobs.desk import Desk
from betteroms.pipeline import Outcome, Pipeline, World, see
from betteroms.ports import Ledger, Payload, PayloadKind, Run, RunInputs, Snapshot
from betteroms.sources.plan import (
    Plan,
    content_hash,
    differences,
    market_names,
    plan_limits,
    read_plan,
    resolved_plan_id,
)
from betteroms.sources.wishes import intents as wishes_of

EXIT_RULES_WAIT = "exit rules are recorded with their orders; this version does not act on them"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan with the file it came from: its name for people and its bytes for the archive."""

    plan: Plan
    name: str
    body: bytes


def scheduled(at: datetime) -> datetime:
    """The scheduled time of a run that starts at `at`: floored to the minute."""
    return at.replace(second=0, microsecond=0)


def trade(desk: Desk, source: PlanFile, *, at: datetime | None = None) -> dict[str, Any]:
    """Carry the plan out and keep its summary, which is returned.

    `at` is the scheduled time, where it is not now.

    Raises:
        PlanAlreadyRun, PlanChanged: see `domain.run`; nothing is written.
        NotFound: markets or outcomes that do not exist, all of them named; nothing is written.
        VenueUnreachable: the run is written down as failed.
    """
    run = opening(desk, source, at=at)
    refuse_if_repeated(desk, source, run)
    try:
        markets, intents = wished(desk, source.plan, run)
    except VenueUnreachable as fault:
        run = desk.ledger.open_run(run, _opening_entries(desk, run))
        desk.ledger.fail_run(run, str(fault), completed_at=_finished(desk, run))
        raise
    run = desk.ledger.open_run(run, _opening_entries(desk, run))
    try:
        return corridor(desk, desk.ledger, source, run, markets, intents)
    except BaseException as fault:
        # Whatever it was, Ctrl-C included: say so in the row if the database still listens, and let it pass.
        with suppress(DatabaseUnavailable):
            desk.ledger.fail_run(run, str(fault) or type(fault).__name__, completed_at=_finished(desk, run))
        raise


def _finished(desk: Desk, run: Run) -> datetime:
    """Now; never before the start, though the machine's clock may have been set back since."""
    return max(desk.clock.now(), run.started_at)


def opening(desk: Desk, source: PlanFile, *, at: datetime | None) -> Run:
    """The run's row before anything is known; here the run reads the clock, once."""
    now = desk.clock.now()
    scheduled_at = scheduled(at or now)
    plan_id = resolved_plan_id(source.plan, scheduled_at)
    return Run(
        run_id=run_id(desk.mode, "trade", plan_id),
        kind="trade",
        mode=desk.mode,
        plan_id=plan_id,
        plan_file=source.name,
        content_hash=content_hash(source.plan),
        now=now,
        scheduled_at=scheduled_at,
        started_at=now,
        engine_version=desk.engine_version,
        settings=desk.settings,
        plan=Payload(
            payload_id=content_id(source.body), kind=PayloadKind.PLAN, subject=plan_id, body=source.body
        ),
    )


def refuse_if_repeated(desk: Desk, source: PlanFile, run: Run) -> None:
    """Refuse what was completed, or started with another content; name what is different.

    Raises:
        PlanAlreadyRun, PlanChanged: see `domain.run`.
    """
    assert run.plan_id is not None
    earlier = desk.ledger.find_run(run.mode, run.plan_id)
    differing: list[str] = []
    if earlier is not None and earlier.plan is not None and earlier.content_hash != run.content_hash:
        # A plan kept by another version may break this one's rules; the hashes tell enough then.
        with suppress(PlanInvalid):
            differing = differences(read_plan(earlier.plan, source.name), source.plan)
    refuse_repetition(
        earlier, plan_id=run.plan_id, mode=run.mode, content_hash=run.content_hash, differing=differing
    )


def wished(desk: Desk, plan: Plan, run: Run) -> tuple[Sequence[Market], list[Intent]]:
    """The plan's markets and its intents."""
    assert run.plan_id is not None
    desk.show("resolving markets")
    names = market_names(plan)
    found = desk.catalog.markets(names)
    markets = list(gather.by_id(found.values()).values())
    return markets, wishes_of(plan, plan_id=run.plan_id, mode=run.mode, markets=found)


def corridor(
    desk: Desk,
    ledger: Ledger,
    source: PlanFile,
    run: Run,
    markets: Sequence[Market],
    intents: Sequence[Intent],
    *,
    keep: bool = True,
) -> dict[str, Any]:
    """Gather, settle, decide, act and tell, on whichever ledger is handed over."""
    known = gather.by_id(markets)
    # A first attempt has no orders to find: their keys hold the planId, which no run had before.
    earlier = [order_id(intent.key) for intent in intents] if run.attempt > 1 or not keep else []
    snapshot = ledger.snapshot(run.mode, markets=list(known), orders=earlier)
    desk.show("reading books")
    tokens = gather.tokens_touched(intents, snapshot.open_orders)
    books = gather.books_of(desk.market_data, tokens, known)
    world = see(markets, books)
    ledger.observe(RunInputs(books=books, markets=known), desk.archive.payloads())
    memory = LiquidityMemory(snapshot.taken)
    memory.observe_all(books.values(), known)
    desk.show(f"carrying out {len(intents)} instructions")
    pipeline = Pipeline(
        run=run,
        world=world,
        snapshot=snapshot,
        ledger=ledger,
        executor=desk.executor(world, memory, run.now),
        limits=tighter(desk.limits, plan_limits(source.plan)),
        stop_on_refusal=source.plan.on_refusal == "stop",
    )
    pipeline.settle()
    outcome = pipeline.run(intents)
    told = _told(desk, source, run, outcome, world, snapshot, "completed" if keep else "previewed")
    finished = _finished(desk, run)
    told["timing"] = _timing(run, finished, books=world)
    if keep:
        desk.show("writing")
        ledger.close_run(run, told, completed_at=finished)
    return told


def _told(
    desk: Desk,
    source: PlanFile,
    run: Run,
    outcome: Outcome,
    world: World,
    snapshot: Snapshot,
    status: str,
) -> dict[str, Any]:
    warnings = []
    if any(order.intent.exit_rules is not None for order in outcome.orders):
        warnings.append(EXIT_RULES_WAIT)
    if snapshot.opening_cash is not None and snapshot.opening_cash != desk.opening_cash:
        warnings.append(
            f"the paper wallet was opened with {to_text(snapshot.opening_cash)}; "
            f"that BETTEROMS_PAPER_CASH is {to_text(desk.opening_cash)} now changes nothing"
        )
    result = summary.result(
        run,
        outcome,
        world=world,
        snapshot=snapshot,
        names=[instruction["marketId"] for instruction in source.plan.instructions],
        warnings=warnings,
        status=status,
    )
    return {"result": result}


def _timing(run: Run, finished: datetime, *, books: World) -> dict[str, Any]:
    oldest = min((book.received_at for book in books.books.values()), default=None)
    quiet = [
        run.now - datetime.fromtimestamp(book.changed_at_ms / 1000, tz=run.now.tzinfo)
        for book in books.books.values()
        if book.changed_at_ms
    ]
    return {
        "startedAt": _rfc3339(run.started_at),
        "durationMs": (finished - run.started_at) // timedelta(milliseconds=1),
        "oldestBookAgeMs": None
        if oldest is None
        else max((finished - oldest) // timedelta(milliseconds=1), 0),
        "longestQuietSeconds": max((span // timedelta(seconds=1) for span in quiet), default=None),
        "attempt": run.attempt,
        "runId": run.run_id,
    }


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _opening_entries(desk: Desk, run: Run) -> list[LedgerEntry]:
    """The paper wallet's starting cash: a deposit at first use, the same one for ever after."""
    return [
        LedgerEntry(
            key=key(desk.mode.value, "opening"),
            mode=desk.mode,
            kind=EntryKind.DEPOSIT,
            cash=desk.opening_cash,
            at=run.now,
            note="opening cash",
        )
    ]
