"""Resolve, round, price and judge a plan without writing an order: the same corridor, thrown away."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from betteroms.domain.errors import PlanAlreadyRun
from betteroms.domain.ids import order_id
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.risk import Account
from betteroms.jobs import diff, gather
from betteroms.jobs.desk import Desk
from betteroms.jobs.live.pretrade import permitted, sold
from betteroms.jobs.passage import finished, timing
from betteroms.jobs.trade import PlanFile, Walked, opening, refuse_if_repeated, tell, walk, wished
from betteroms.ports import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a plan would do now, and the account before and after it."""

    source: PlanFile
    walked: Walked
    changes: Sequence[diff.Change]
    after: Account

    @property
    def run(self) -> Run:
        """The run that it would be."""
        return self.walked.passage.run

    @property
    def before(self) -> Account:
        """The account as it is now."""
        return self.walked.passage.snapshot.account


def preview(desk: Desk, source: PlanFile, *, at: datetime | None = None) -> tuple[dict[str, Any], Look]:
    """What `trade` would do now, as its summary would tell it and as a diff; and the look behind it.

    Of a plan that was completed everything is done, and nothing else would happen.

    Raises:
        PlanChanged: so would `trade`.
        NotFound: markets or outcomes that do not exist, all of them named.
        VenueUnreachable: no usable answer.
    """
    run = opening(desk, source, at=at)
    completed = False
    try:
        refuse_if_repeated(desk, source, run)
    except PlanAlreadyRun:
        completed = True
    markets, intents = wished(desk, source.plan, run)
    run = permitted(desk, run, gather.by_id(markets), sold(intents))
    seen = look(desk.rehearsing(), source, run, markets, intents, settle=not completed)
    return told(desk, seen), seen


def look(
    desk: Desk,
    source: PlanFile,
    run: Run,
    markets: Sequence[Market],
    intents: Sequence[Intent],
    *,
    settle: bool = True,
) -> Look:
    """Walk the corridor on a scratch ledger; `settle` lets resting orders meet the books first."""
    earlier = [order_id(intent.key) for intent in intents]
    names = list(gather.by_id(markets))
    snapshot = desk.ledger.snapshot(run.mode, markets=names, orders=earlier, at=run.now)
    if snapshot.opening_cash is None:
        account = replace(snapshot.account, cash=desk.opening_cash)
        snapshot = replace(snapshot, account=account)
    ledger = desk.scratch(snapshot)
    walked = walk(
        desk, ledger, source, ledger.open_run(run), markets, intents, earlier=earlier, settle=settle
    )
    ledger.close_run(run, {}, completed_at=finished(desk, run))
    return Look(
        source=source,
        walked=walked,
        changes=diff.changes(walked),
        after=ledger.snapshot(run.mode, markets=names, orders=[]).account,
    )


def told(desk: Desk, seen: Look) -> dict[str, Any]:
    """The look as a summary, JSON-ready."""
    passage = seen.walked.passage
    summary = tell(desk, seen.source, seen.walked, status="previewed")
    summary["result"] |= {
        "diff": diff.diff(seen.changes),
        "worstCase": diff.worst_cases(passage.snapshot.history.stakes, seen.changes),
        "cash": diff.cash(seen.before, seen.after),
    }
    end = finished(desk, seen.run)
    return {**summary, "timing": timing(seen.run, end, world=passage.world)}
