"""Find out what became of live orders: their fills, how those settle, what is not ours, what differs.

Each answer of the venue is committed as it is booked, so that a poll that is interrupted loses nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from betteroms.domain.errors import CredentialsUnusable, LedgerBehindVenue
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId
from betteroms.domain.market import Market
from betteroms.domain.money import to_text
from betteroms.domain.order import OrderStatus
from betteroms.jobs import gather, summary, told
from betteroms.jobs.desk import Desk
from betteroms.jobs.live import reconcile, strangers
from betteroms.jobs.live.misnamed import stopped_if_misnamed
from betteroms.jobs.own_run import heralded, unplanned
from betteroms.jobs.passage import Passage, enter, note_consequences, opening_entries
from betteroms.pipeline import Outcome
from betteroms.ports import Run

SETTLED_WATCHED: Final = timedelta(days=90)
"""For so long after a payout a market's shares may still wait at the venue to be redeemed."""


def poll(desk: Desk, *, at: datetime | None = None, adopt: bool = False) -> dict[str, Any]:
    """Look at everything that is alive or settles still, and reconcile; the summary, which is kept.

    `adopt` takes in orders and fills of our own key that the ledger does not know. `at` is the scheduled
    time, where it is not now.

    Raises:
        CredentialsUnusable: the ledger's live books are another wallet's; nothing is written.
        VenueUnreachable: the run is written down as failed; what was told before is booked.
        OrderMisnamed: see `live.misnamed`.
    """
    _insist_own(desk)
    run = unplanned(desk, "poll", now=desk.clock.now(), at=at)

    def act(run: Run) -> dict[str, Any]:
        with stopped_if_misnamed(desk):  # what is sent again may meet that, too
            return _polled(desk, run, adopt=adopt)

    return heralded(desk, run, act, opening_entries(desk, run))


def insist_known(polled: Mapping[str, Any]) -> None:
    """Let nothing leave while the venue has orders of our key that the ledger does not know.

    Raises:
        LedgerBehindVenue: it does.
    """
    behind = polled["result"]["behind"]
    if behind["count"]:
        raise LedgerBehindVenue(
            f"the venue has {_strange(behind['count'])} of this API key that the ledger does not know",
            behind["shown"],
        )


def _insist_own(desk: Desk) -> None:
    """Keep the money of two wallets out of one ledger, which a setting changed by mistake would mix."""
    assert desk.member is not None, "only a live desk polls"
    before, now = desk.member.ledger_wallet(), desk.member.wallet
    if before is not None and before.lower() != now.lower():
        raise CredentialsUnusable(
            f"this database holds the live books of the wallet {before}, and the settings lead to {now}: "
            "every wallet needs a database of its own"
        )


def _polled(desk: Desk, run: Run, *, adopt: bool) -> dict[str, Any]:
    member = desk.member
    assert member is not None, "only a live desk polls"
    # From here on each call commits: facts that come before the first order's news, too.
    desk.ledger.apply([], sends_out=True)
    desk.show("asking for orders and fills")
    found = strangers.find(member, desk.ledger, since=member.known_until() or run.now)
    problems = strangers.take_in(desk, run, found, adopt=adopt)
    passage, outcome, missing = settled(desk, run)
    desk.ledger.note(member.newly_proven())
    touched = desk.ledger.touched(run.mode, settled_since=run.now - SETTLED_WATCHED)
    after = desk.ledger.snapshot(run.mode, markets=touched, orders=[])
    desk.show("comparing positions")
    agreed = reconcile.reconciled(member, after, at=desk.clock.now())
    unknown = 0 if adopt and not problems else found.count
    names = {market.market_id: market.name for market in passage.world.markets.values()}
    statuses = [order.status for order in after.open_orders]
    unsent = sum(o.status is OrderStatus.NEW and o.sending_at is None for o in after.open_orders)
    unconfirmed = sum(s in (OrderStatus.UNCONFIRMED, OrderStatus.NEW) for s in statuses) - unsent
    booked = [fill for fills in outcome.settled_executions.values() for fill in fills]
    remarks = [*_failed(booked), *_remarks(agreed, unknown, unconfirmed)]
    return {
        "kind": run.kind,
        "mode": run.mode.value,
        "status": "completed",
        "settled": [
            {
                **summary.settled(order, outcome.settled_executions.get(order.order_id, ())),
                "marketId": names.get(order.intent.market_id, order.intent.market_id),
            }
            for order in outcome.settled
        ],
        "instructions": [],
        "totals": {
            "moved": len(outcome.settled),
            "fills": sum(fill.size > 0 for fill in booked),
            "reversed": sum(fill.size < 0 for fill in booked),
            "open": sum(status is OrderStatus.OPEN for status in statuses),
            "unconfirmed": unconfirmed,
            "unsent": unsent,
            "settling": len(after.settling.orders),
            "external": len(found.elsewhere),
            "adopted": found.count - unknown,
        },
        "behind": {"count": unknown, "shown": found.told() if unknown else []},
        "reconciliation": agreed,
        "warnings": [*missing, *problems, *found.misfits, *remarks],
    }


def settled(desk: Desk, run: Run) -> tuple[Passage, Outcome, list[str]]:
    """Ask what became of everything that is alive or settles still; what could not be asked for, in words."""
    touched = desk.ledger.touched(run.mode, settled_since=run.now - SETTLED_WATCHED)
    markets = gather.by_id(desk.catalog.markets(touched).values()) if touched else {}
    snapshot = desk.ledger.snapshot(run.mode, markets=list(markets), orders=[], at=run.now)
    passage = enter(desk, desk.ledger, run, snapshot=snapshot, markets=markets, tokens=[], limits=desk.limits)
    passage.pipeline.settle()
    outcome = passage.pipeline.run([])
    note_consequences(passage, outcome, rules=snapshot.rules)
    return passage, outcome, _missing(touched, markets)


def _missing(touched: Any, markets: Mapping[MarketId, Market]) -> list[str]:
    return [
        f"the venue does not tell of market {name}: it is asked again"
        for name in touched
        if name not in markets
    ]


def _failed(booked: Iterable[Execution]) -> list[str]:
    """A line for each order of which fills failed on the chain: rare, and worth a look."""
    sizes: dict[OrderId, int] = {}
    for fill in booked:
        if fill.size < 0:
            sizes[fill.order_id] = sizes.get(fill.order_id, 0) - fill.size
    return [
        f"FILL_FAILED: {to_text(size)} shares of order {name[:8]} had matched and failed on the chain; "
        "they were taken back"
        for name, size in sizes.items()
    ]


def _strange(count: int) -> str:
    return "1 order or fill" if count == 1 else f"{count:,} orders or fills"


def _remarks(agreed: Mapping[str, Any], unknown: int, unconfirmed: int) -> list[str]:
    told_of = []
    if unknown:
        told_of.append(
            f"LEDGER_BEHIND_VENUE: the venue has {_strange(unknown)} of this API key that the ledger does "
            "not know; nothing is traded live until betteroms poll --adopt takes them in"
        )
    if unconfirmed:
        told_of.append(f"OUTCOME_UNKNOWN: {told.nobody_knows(unconfirmed)}; poll again")
    if agreed["status"] == "failed":
        told_of.append(f"not reconciled: {agreed['reason']}")
    return [*told_of, *agreed["differences"]]
