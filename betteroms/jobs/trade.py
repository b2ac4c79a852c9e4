"""Carry one plan out, once."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from betteroms.domain.errors import DatabaseUnavailable, PlanInvalid, VenueUnreachable
from betteroms.domain.ids import OrderId, content_id, order_id, run_id
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Price, to_micros, to_text
from betteroms.domain.risk import tighter
from betteroms.domain.risk.history import tripped
from betteroms.domain.run import refuse_repetition
from betteroms.jobs import gather, summary
from betteroms.jobs.desk import Desk
from betteroms.jobs.endings import endings
from betteroms.jobs.live.pretrade import permits_of, permitted, sold
from betteroms.jobs.live.twins import twins
from betteroms.jobs.passage import Passage, enter, finished, note_consequences, opening_entries, timing
from betteroms.pipeline import Outcome
from betteroms.ports import Ledger, Payload, PayloadKind, RiskChanged, Run
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

APPROVED: Final = "approved"
"""Where a run's settings keep which saved preview it carried out, for whoever computes it again."""


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
        run = permitted(desk, run, gather.by_id(markets), sold(intents))
    except VenueUnreachable as fault:
        run = desk.ledger.open_run(run, opening_entries(desk, run))
        desk.ledger.fail_run(run, str(fault), completed_at=finished(desk, run))
        desk.herald.failed(run, fault)
        raise
    return carry_out(desk, source, run, markets, intents)


def carry_out(
    desk: Desk, source: PlanFile, run: Run, markets: Sequence[Market], intents: Sequence[Intent]
) -> dict[str, Any]:
    """Open the run, walk the corridor and keep the summary, which is returned."""
    run = desk.ledger.open_run(run, opening_entries(desk, run))
    desk.herald.began(run)
    try:
        told = corridor(desk, desk.ledger, source, run, markets, intents)
    except BaseException as fault:
        # Whatever it was, Ctrl-C included: say so in the row if the database still listens, and let it pass.
        with suppress(DatabaseUnavailable):
            desk.ledger.fail_run(run, str(fault) or type(fault).__name__, completed_at=finished(desk, run))
        desk.herald.failed(run, fault)
        raise
    desk.herald.ended(run, told["result"])
    return told


def approved_prices(run: Run) -> dict[OrderId, Price]:
    """The worst prices of MARKET orders that were approved for this run; none where nothing was."""
    told = run.settings.get(APPROVED, {})
    return {OrderId(name): Price(to_micros(text)) for name, text in told.get("worstPrices", {}).items()}


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
) -> dict[str, Any]:
    """Gather, settle, decide, act, tell and keep, in whichever ledger is handed over."""
    # A first attempt has no orders to find: their keys hold the planId, which no run had before.
    earlier = [order_id(intent.key) for intent in intents] if run.attempt > 1 else []
    walked = walk(desk, ledger, source, run, markets, intents, earlier=earlier)
    told = tell(desk, source, walked, status="completed")
    end = finished(desk, run)
    told["timing"] = timing(run, end, world=walked.passage.world)
    desk.show("writing")
    ledger.close_run(run, told, completed_at=end)
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """A walk through the corridor: how it was entered, and what became of the wishes."""

    passage: Passage
    outcome: Outcome


def walk(
    desk: Desk,
    ledger: Ledger,
    source: PlanFile,
    run: Run,
    markets: Sequence[Market],
    intents: Sequence[Intent],
    *,
    earlier: Sequence[OrderId],
    settle: bool = True,
) -> Walked:
    """Gather, settle, decide and act; the ledger's run stays open.

    `earlier` names the orders that an earlier attempt may have left.
    """
    known = gather.by_id(markets)
    limits = tighter(desk.limits, plan_limits(source.plan))
    snapshot = ledger.snapshot(run.mode, markets=list(known), orders=earlier, at=run.now)
    passage = enter(
        desk,
        ledger,
        run,
        snapshot=snapshot,
        markets=known,
        tokens=gather.tokens_touched(intents, snapshot.open_orders),
        limits=limits,
        stop_on_refusal=source.plan.on_refusal == "stop",
        approved=approved_prices(run),
        permits=permits_of(run),
        names={
            source.plan.instructions[intent.line]["marketId"]: intent.market_id
            for intent in intents
            if intent.line is not None
        },
    )
    desk.show(f"carrying out {len(intents)} instructions")
    if settle:
        # Nobody may have maintained since a market ended or a game began: what rested there is gone.
        passage.pipeline.cancel(endings(passage.pipeline.open_orders, known, run.now))
        passage.pipeline.settle()
    outcome = passage.pipeline.run(intents)
    note_consequences(passage, outcome, rules=snapshot.rules)
    if desk.member is not None:
        ledger.note([*desk.member.newly_proven(), *twins(desk, passage, outcome)])
    trip = tripped(snapshot.history, desk.limits, run.now)
    if trip is not None:
        ledger.note([RiskChanged(mode=run.mode, state=trip, at=run.now)])
    return Walked(passage=passage, outcome=outcome)


def tell(desk: Desk, source: PlanFile, walked: Walked, *, status: str) -> dict[str, Any]:
    """What the walk came to, as a summary tells it."""
    passage, warnings = walked.passage, []
    snapshot = passage.snapshot
    if snapshot.opening_cash is not None and snapshot.opening_cash != desk.opening_cash:
        warnings.append(
            f"the paper wallet was opened with {to_text(snapshot.opening_cash)}; "
            f"that BETTEROMS_PAPER_CASH is {to_text(desk.opening_cash)} now changes nothing"
        )
    result = summary.result(
        passage.run,
        walked.outcome,
        world=passage.world,
        snapshot=snapshot,
        names=[instruction["marketId"] for instruction in source.plan.instructions],
        warnings=warnings,
        status=status,
    )
    return {"result": result}
