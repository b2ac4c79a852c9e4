"""Resolve, round, price and judge a plan without writing an order: the same corridor, thrown away."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from betteroms.domain.ids import order_id
from betteroms.jobs import gather
from betteroms.jobs.desk import Desk
from betteroms.jobs.trade import PlanFile, corridor, opening, refuse_if_repeated, wished


def preview(desk: Desk, source: PlanFile, *, at: datetime | None = None) -> dict[str, Any]:
    """What `trade` would do now, as its summary would tell it.

    Raises:
        PlanAlreadyRun, PlanChanged: so would `trade`.
        NotFound: markets or outcomes that do not exist, all of them named.
        VenueUnreachable: no usable answer.
    """
    run = opening(desk, source, at=at)
    refuse_if_repeated(desk, source, run)
    markets, intents = wished(desk, source.plan, run)
    snapshot = desk.ledger.snapshot(
        run.mode,
        markets=list(gather.by_id(markets)),
        orders=[order_id(intent.key) for intent in intents],
    )
    if snapshot.opening_cash is None:
        account = replace(snapshot.account, cash=desk.opening_cash)
        snapshot = replace(snapshot, account=account)
    ledger = desk.scratch(snapshot)
    return corridor(desk, ledger, source, ledger.open_run(run), markets, intents, keep=False)
