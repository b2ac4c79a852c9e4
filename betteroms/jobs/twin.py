"""How live orders did beside their twins on paper: fill, price, fee and time, for each and in sum."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from betteroms.domain.money import to_text
from betteroms.domain.period import Period
from betteroms.jobs import told
from betteroms.reckoning import Filled, Reckoning, TwinRecord


def compared(records: Reckoning, period: Period) -> dict[str, Any]:
    """Every live order of the period that has a twin, and the sums.

    Compared is what an order took as it was submitted: what happened while it rested no twin can tell.
    Differences are live less paper.
    """
    found = records.twins(period)
    return {
        "period": {
            "since": told.maybe_instant(period.since),
            "until": told.maybe_instant(period.until),
        },
        "orders": [_row(record) for record in found],
        "totals": _totals(found),
    }


def _row(record: TwinRecord) -> dict[str, Any]:
    live, twin = record.live, record.twin
    return {
        "orderId": record.order_id,
        "planId": record.plan_id,
        "marketId": record.market_name,
        "outcome": record.outcome,
        "side": record.side,
        "live": _half(live),
        "twin": _half(twin),
        "difference": _difference(live, twin),
        "filledLater": to_text(record.later),
        "secondsToFill": _seconds(record),
        "agrees": (live.size, live.cash, live.fee) == (twin.size, twin.cash, twin.fee),
    }


def _half(half: Filled) -> dict[str, Any]:
    return {
        "status": half.status,
        "code": half.code,
        "size": to_text(half.size),
        "averagePrice": told.average(cash=half.cash, size=half.size),
        "cash": to_text(half.cash),
        "fee": to_text(half.fee),
    }


def _difference(live: Filled, twin: Filled) -> dict[str, str]:
    return {
        "size": to_text(live.size - twin.size),
        "cash": to_text(live.cash - twin.cash),
        "fee": to_text(live.fee - twin.fee),
    }


def _seconds(record: TwinRecord) -> int | None:
    """From leaving to the match; the venue tells whole seconds, so that it may seem to come before."""
    if record.sent_at is None or record.filled_at is None:
        return None
    return max((record.filled_at - record.sent_at) // timedelta(seconds=1), 0)


def _totals(found: Sequence[TwinRecord]) -> dict[str, Any]:
    sums = {
        name: {
            "size": to_text(sum(half.size for half in halves)),
            "cash": to_text(sum(half.cash for half in halves)),
            "fee": to_text(sum(half.fee for half in halves)),
        }
        for name, halves in (
            ("live", [record.live for record in found]),
            ("twin", [record.twin for record in found]),
        )
    }
    waits = [seconds for record in found if (seconds := _seconds(record)) is not None]
    return {
        "orders": len(found),
        "agreeing": sum(
            (each.live.size, each.live.cash, each.live.fee) == (each.twin.size, each.twin.cash, each.twin.fee)
            for each in found
        ),
        **sums,
        "secondsToFillMax": max(waits, default=None),
    }
