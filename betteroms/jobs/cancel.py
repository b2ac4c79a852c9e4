"""End orders because the operator says so, and tell what had filled before they ended."""

from collections.abc import Sequence
from typing import Any, Final

from betteroms.domain.ids import OrderId
from betteroms.domain.intent import Cancel
from betteroms.domain.money import to_text
from betteroms.domain.order import ALIVE, Order, OrderStatus
from betteroms.jobs import gather, summary
from betteroms.jobs.desk import Desk
from betteroms.jobs.own_run import heralded, unplanned
from betteroms.jobs.passage import enter, note_consequences, opening_entries
from betteroms.ports import Run

OPERATOR: Final = "OPERATOR_CANCEL"


def cancel(desk: Desk, wanted: Sequence[OrderId] | None) -> dict[str, Any]:
    """End these orders of the desk's mode, or all that are alive; the summary, which is kept.

    What became of each is asked for first and afterwards: a fill may race its cancel. One of which nobody
    knows whether it arrived is left to the next poll.

    Raises:
        VenueUnreachable: the run is written down as failed; what was told before is booked.
    """
    run = unplanned(desk, "cancel", now=desk.clock.now())
    return heralded(desk, run, lambda run: _canceled(desk, run, wanted), opening_entries(desk, run))


def _canceled(desk: Desk, run: Run, wanted: Sequence[OrderId] | None) -> dict[str, Any]:
    touched = desk.ledger.touched(run.mode, settled_since=run.now)
    markets = gather.by_id(desk.catalog.markets(touched).values()) if touched else {}
    snapshot = desk.ledger.snapshot(run.mode, markets=list(markets), orders=list(wanted or ()), at=run.now)
    passage = enter(desk, desk.ledger, run, snapshot=snapshot, markets=markets, tokens=[], limits=desk.limits)
    pipeline = passage.pipeline
    if wanted is None and desk.member is not None:
        # The operator has had the venue end them already: they ended for that reason.
        pipeline.cancel(
            Cancel(order_id=order.order_id, reason=OPERATOR)
            for order in snapshot.open_orders
            if order.status is OrderStatus.OPEN
        )
    pipeline.settle()
    # Some may have ended before we came to it: they were asked for all the same.
    names = [order.order_id for order in snapshot.open_orders] if wanted is None else wanted
    desk.show(f"cancelling {len(names)} orders")
    pipeline.cancel(Cancel(order_id=name, reason=OPERATOR) for name in names)
    outcome = pipeline.run([])
    note_consequences(passage, outcome, rules=snapshot.rules)
    now = {**snapshot.known, **{order.order_id: order for order in pipeline.open_orders}}
    now |= {order.order_id: order for order in outcome.settled}
    rows = [_row(now[name]) for name in names if name in now]
    alive = [row for row in rows if row["status"] in ALIVE]
    fills = outcome.settled_executions
    market_names = {market.market_id: market.name for market in markets.values()}
    return {
        "kind": run.kind,
        "mode": run.mode.value,
        "status": "completed",
        "orders": rows,
        "settled": [
            {
                **summary.settled(order, fills.get(order.order_id, ())),
                "marketId": market_names.get(order.intent.market_id, order.intent.market_id),
            }
            for order in outcome.settled
        ],
        "instructions": [],
        "totals": {
            "asked": len(rows),
            "canceled": sum(row["status"] == OrderStatus.CANCELED for row in rows),
            "filled": sum(row["filledSize"] != "0" for row in rows),
            "stillAlive": len(alive),
            "unconfirmed": sum(row["status"] != OrderStatus.OPEN for row in alive),
        },
        "warnings": [f"order {row['orderId']} is {row['status']} still" for row in alive],
    }


def _row(order: Order) -> dict[str, Any]:
    return {
        "orderId": order.order_id,
        "marketId": order.intent.market_id,
        "outcome": order.intent.outcome,
        "side": order.intent.side.value,
        "status": order.status.value,
        "code": order.code,
        "filledSize": to_text(order.filled_size),
        "remaining": to_text(order.remaining),
    }
