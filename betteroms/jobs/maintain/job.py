"""Maintain what was traded: endings, expiry and resting fills, exit rules, marks, the hourly snapshot.

The order is DECISIONS 6.3. A pass is one run and, where nothing leaves the process, one transaction: whatever
interrupts it, the next pass starts from what was there before. A dry run is the same pass, thrown away.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from betteroms.domain.errors import DatabaseUnavailable, VenueUnreachable
from betteroms.domain.ids import MarketId, TokenId, run_id
from betteroms.domain.market import Market
from betteroms.domain.money import Size, Usdc
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.risk.history import tripped
from betteroms.domain.rule import RuleSet
from betteroms.domain.terms import Side
from betteroms.jobs import gather
from betteroms.jobs.desk import Desk
from betteroms.jobs.endings import endings
from betteroms.jobs.live.pretrade import permits_of, permitted
from betteroms.jobs.live.twins import twins
from betteroms.jobs.maintain import closing
from betteroms.jobs.maintain.told import Pass, result
from betteroms.jobs.maintain.valuing import bounded, portfolio, tilts_after, values_of
from betteroms.jobs.passage import (
    Passage,
    enter,
    finished,
    note_consequences,
    opening_entries,
    positions_after,
    timing,
)
from betteroms.ports import Fact, Ledger, RiskChanged, Run, Snapshot
from betteroms.sources.rules import Verdicts, adopted, bringing, evaluate

SETTLED_WATCHED: Final = timedelta(days=7)
"""For so long after a payout a market is still asked whether it was another."""


WAITING: Final = "exitRulesWait"
"""Where a run's settings keep why no exit rule was looked at."""


def maintain(
    desk: Desk, *, at: datetime | None = None, keep: bool = True, waiting: str | None = None
) -> dict[str, Any]:
    """One pass over everything that is held or alive; its summary, which is kept unless it is a dry run.

    `at` is the scheduled time, where it is not now. `waiting` is the code of why nothing may be sent now:
    then exit rules are left as they are.

    Raises:
        VenueUnreachable: the run is written down as failed.
    """
    run = _opening(desk, at)
    if not keep:
        return _dry(desk, run)
    if waiting is not None:
        run = replace(run, settings={**run.settings, WAITING: waiting})
    try:
        run = _permitted(desk, run)
    except VenueUnreachable as fault:
        run = desk.ledger.open_run(run, opening_entries(desk, run))
        desk.ledger.fail_run(run, str(fault), completed_at=finished(desk, run))
        desk.herald.failed(run, fault)
        raise
    run = desk.ledger.open_run(run, opening_entries(desk, run))
    desk.herald.began(run)
    try:
        told = carried_out(desk, desk.ledger, run, keep=True)
    except BaseException as fault:
        with suppress(DatabaseUnavailable):
            desk.ledger.fail_run(run, str(fault) or type(fault).__name__, completed_at=finished(desk, run))
        desk.herald.failed(run, fault)
        raise
    desk.herald.ended(run, told["result"])
    return told


def _permitted(desk: Desk, run: Run) -> Run:
    """The run with what the venue permits it to sell, where orders leave the process."""
    if desk.member is None:
        return run
    touched = desk.ledger.touched(run.mode, settled_since=run.now - SETTLED_WATCHED)
    markets = gather.by_id(desk.catalog.markets(touched).values()) if touched else {}
    snapshot = desk.ledger.snapshot(run.mode, markets=list(markets), orders=[])
    held = {token for token, position in snapshot.positions.items() if position.size > 0}
    return permitted(desk, run, markets, sorted(held & snapshot.rules.keys()))


def _opening(desk: Desk, at: datetime | None) -> Run:
    now = desk.clock.now()
    scheduled_at = (at or now).replace(second=0, microsecond=0)
    return Run(
        run_id=run_id(desk.mode, "maintain", now.isoformat()),
        kind="maintain",
        mode=desk.mode,
        plan_id=None,
        plan_file=None,
        content_hash=None,
        now=now,
        scheduled_at=scheduled_at,
        started_at=now,
        engine_version=desk.engine_version,
        settings=desk.settings,
    )


def _dry(desk: Desk, run: Run) -> dict[str, Any]:
    """The same pass on a ledger that is thrown away."""
    markets = desk.ledger.touched(run.mode, settled_since=run.now - SETTLED_WATCHED)
    snapshot = desk.ledger.snapshot(run.mode, markets=markets, orders=[], at=run.now, valued=True)
    if snapshot.opening_cash is None:
        account = replace(snapshot.account, cash=desk.opening_cash)
        snapshot = replace(snapshot, account=account, deposited=desk.opening_cash)
    ledger = desk.scratch(snapshot)
    return carried_out(desk, ledger, ledger.open_run(run), keep=False)


def carried_out(desk: Desk, ledger: Ledger, run: Run, *, keep: bool) -> dict[str, Any]:
    """The pass of a run that was opened, on whichever ledger is handed over."""
    desk.show("looking at what is held")
    touched = ledger.touched(run.mode, settled_since=run.now - SETTLED_WATCHED)
    markets = gather.by_id(desk.catalog.markets(touched).values()) if touched else {}
    snapshot = ledger.snapshot(run.mode, markets=touched, orders=[], at=run.now, valued=True)
    passage = enter(
        desk,
        ledger,
        run,
        snapshot=snapshot,
        markets=markets,
        tokens=_tokens(snapshot, markets),
        limits=desk.limits,
        permits=permits_of(run),
    )
    done = _walk(passage, markets)
    if desk.member is not None:
        ledger.note([*desk.member.newly_proven(), *twins(desk, passage, done.outcome)])
    told: dict[str, Any] = {"result": result(done, status="completed" if keep else "previewed")}
    end = finished(desk, run)
    told["timing"] = timing(run, end, world=passage.world)
    if keep:
        desk.show("writing")
        ledger.close_run(run, told, completed_at=end)
    return told


def _tokens(snapshot: Snapshot, markets: Mapping[MarketId, Market]) -> list[TokenId]:
    """What needs a book: tokens held or with an order alive, in markets that still trade."""
    wanted = {token for token, position in snapshot.positions.items() if position.size > 0}
    wanted.update(order.intent.token_id for order in snapshot.open_orders)
    alive = {o.token_id for market in markets.values() if not market.closed for o in market.outcomes}
    return sorted(wanted & alive)


def _walk(passage: Passage, markets: Mapping[MarketId, Market]) -> Pass:
    """The steps, in their order."""
    run, snapshot, pipeline = passage.run, passage.snapshot, passage.pipeline
    entries = closing.settlements(run, snapshot, markets)
    passage.ledger.note(entries)
    pipeline.cancel(endings(pipeline.open_orders, markets, run.now))
    pipeline.settle()
    held = _with(entries, positions_after(run, snapshot, (pipeline.settled_executions(),)))
    # Rules come with the fills of this pass and are judged in it; what they remember is kept first.
    traded = bringing(pipeline.settled, before=snapshot.open_orders)
    brought = adopted(traded, snapshot.rules, mode=run.mode)
    rules = {**snapshot.rules, **{found.token_id: found for found in brought}}
    verdicts = _verdicts(passage, {} if run.settings.get(WAITING) else rules, held, entries)
    passage.ledger.note([*brought, *verdicts.changed])
    outcome = pipeline.run(verdicts.wishes)
    in_force = {**rules, **{found.token_id: found for found in verdicts.changed}}
    changed = note_consequences(passage, outcome, rules=in_force)
    fills = (outcome.settled_executions, outcome.executions)
    after = _with(entries, positions_after(run, snapshot, fills))
    values = values_of(after, passage.world.books, snapshot.quotes)
    tilts = tilts_after(snapshot, {order.order_id: order for order in outcome.settled}, changed)
    worth = portfolio(
        run, snapshot, after=after, values=values, bounded=bounded(tilts, snapshot, passage.world)
    )
    facts: list[Fact] = [worth]
    equity = Usdc(worth.net_liquidation - worth.deposited)
    now_known = replace(snapshot.history, equity=equity, peak=max(snapshot.history.peak, equity))
    trip = tripped(now_known, pipeline.limits, run.now)
    if trip is not None:
        facts.append(RiskChanged(mode=run.mode, state=trip, at=run.now))
    passage.ledger.note(facts)
    return Pass(
        passage=passage,
        entries=entries,
        verdicts=verdicts,
        outcome=outcome,
        after=after,
        values=values,
        portfolio=worth,
        trip=trip,
        remarks=[*_waiting(run, rules), *closing.remarks(snapshot, markets), *verdicts.remarks],
    )


def _waiting(run: Run, rules: Mapping[TokenId, RuleSet]) -> list[str]:
    """Why exit rules were not looked at, if that is so and there are any."""
    why = run.settings.get(WAITING)
    return [f"{why}: exit rules wait, since nothing may be sent now"] if why and rules else []


def _verdicts(
    passage: Passage,
    rules: Mapping[TokenId, RuleSet],
    held: Mapping[TokenId, Position],
    entries: Sequence[LedgerEntry],
) -> Verdicts:
    """What the exit rules say now, of what is held after the fills of this pass."""
    pipeline = passage.pipeline
    return evaluate(
        rules,
        positions=held,
        sellable=_sellable(passage, entries),
        books=passage.world.books,
        markets=passage.world.markets,
        rules_in_force=passage.world.rules,
        open_orders=pipeline.open_orders,
        now=passage.run.now,
        mode=passage.run.mode,
    )


def _sellable(passage: Passage, entries: Sequence[LedgerEntry]) -> dict[TokenId, Size]:
    """Shares that were there at the start and still are: what this pass bought is for the next to sell."""
    left = {token: int(position.size) for token, position in passage.snapshot.positions.items()}
    for executions in passage.pipeline.settled_executions().values():
        for execution in executions:
            if execution.side is Side.SELL:
                left[execution.token_id] = left.get(execution.token_id, 0) - execution.size
    for entry in entries:
        if entry.token_id is not None:
            left[entry.token_id] = left.get(entry.token_id, 0) + entry.size
    for token, size in passage.pipeline.in_flight.items():
        left[token] = left.get(token, 0) - size
    return {token: Size(size) for token, size in left.items()}


def _with(entries: Sequence[LedgerEntry], positions: Mapping[TokenId, Position]) -> dict[TokenId, Position]:
    """The positions once these entries are booked."""
    after = dict(positions)
    for entry in entries:
        if entry.token_id is None or entry.market_id is None:
            continue
        nothing = Position(mode=entry.mode, market_id=entry.market_id, token_id=entry.token_id)
        holding = Holding(after.get(entry.token_id, nothing))
        holding.enter(entry)
        after[entry.token_id] = holding.position()
    return after
