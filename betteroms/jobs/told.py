"""Facts as JSON tells them: amounts as exact text, times as RFC 3339 in UTC."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from betteroms.domain.execution import Execution
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import MICROS, to_text
from betteroms.domain.order import Order
from betteroms.domain.terms import Amount, Dollars, Shares
from betteroms.records import OrderRecord, RunDetail, RunRecord


def instant(at: datetime) -> str:
    """`2026-11-20T12:00:00Z`, with a fraction only where there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def maybe_instant(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def maybe_text(micros: int | None) -> str | None:
    return None if micros is None else to_text(micros)


def average(*, cash: int, size: int) -> str | None:
    """Dollars per share, rounded half up at six decimals: a ratio for reading, stored nowhere."""
    if size <= 0:
        return None
    return to_text((2 * abs(cash) * MICROS + size) // (2 * size))


def nobody_knows(count: int) -> str:
    """What is to be said of orders that were sent, and that nobody answered."""
    if count == 1:
        return "of 1 order nobody knows yet whether it arrived"
    return f"of {count:,} orders nobody knows yet whether they arrived"


def run(record: RunRecord) -> dict[str, Any]:
    """One line of `runs list`."""
    return {
        "runId": record.run_id,
        "shortId": record.short_id,
        "kind": record.kind,
        "mode": record.mode.value,
        "planId": record.plan_id,
        "planFile": record.plan_file,
        "status": record.status.value,
        "attempt": record.attempt,
        "startedAt": instant(record.started_at),
        "completedAt": maybe_instant(record.completed_at),
        "totals": None if record.totals is None else dict(record.totals),
        "error": record.error,
    }


def run_detail(detail: RunDetail) -> dict[str, Any]:
    """Everything kept of a run; its summary as the run told it."""
    inputs = detail.inputs or {}
    return {
        **run(detail.record),
        "scheduledAt": instant(detail.scheduled_at),
        "now": instant(detail.now),
        "engineVersion": detail.engine_version,
        "contentHash": detail.content_hash,
        "planPayloadId": detail.plan_payload_id,
        "settings": dict(detail.settings),
        "inputs": {"books": len(inputs.get("books", ())), "markets": len(inputs.get("markets", ()))},
        "summary": None if detail.summary is None else dict(detail.summary),
    }


def order(record: OrderRecord) -> dict[str, Any]:
    """One line of `orders list`."""
    found, intent = record.order, record.order.intent
    return {
        "orderId": found.order_id,
        "shortId": record.short_id,
        "mode": found.mode.value,
        "runId": found.run_id,
        "source": intent.source,
        "planId": intent.plan_id,
        "line": intent.line,
        "ref": intent.ref,
        "marketId": record.market_name,
        "conditionId": intent.market_id,
        "tokenId": intent.token_id,
        "outcome": intent.outcome,
        "side": intent.side.value,
        "type": intent.order_type.value,
        "timeInForce": intent.time_in_force.value,
        "postOnly": intent.post_only,
        "status": found.status.value,
        "code": found.code,
        "reason": found.reason or None,
        "limitPrice": maybe_text(found.limit_price),
        **amount(found.amount),
        "filledSize": to_text(found.filled_size),
        "filledCash": to_text(found.filled_cash),
        "averagePrice": average(cash=found.filled_cash, size=found.filled_size),
        "fills": found.fills,
        "adjustments": [str(adjustment) for adjustment in found.adjustments],
        "exempt": "EXEMPT_REDUCING" if found.exempt else None,
        "createdAt": instant(found.created_at),
        "sendingAt": maybe_instant(found.sending_at),
        "externalOrderId": found.external_order_id,
        "placedAt": maybe_instant(found.placed_at),
        "expiresAt": maybe_instant(found.expires_at),
        "notes": intent.notes,
    }


def amount(found: Amount | None) -> dict[str, str | None]:
    """Shares or dollars, the other one null."""
    return {
        "size": to_text(found.size) if isinstance(found, Shares) else None,
        "dollars": to_text(found.usdc) if isinstance(found, Dollars) else None,
    }


def execution(found: Execution) -> dict[str, Any]:
    """One fill. `cash` is what entered us, fee apart: negative for a BUY."""
    return {
        "number": found.number,
        "at": instant(found.executed_at),
        "price": to_text(found.price),
        "size": to_text(found.size),
        "cash": to_text(found.cash),
        "fee": to_text(found.fee),
        "liquidity": found.liquidity.value,
        "externalExecutionId": found.external_execution_id,
    }


def wished(found: Order) -> dict[str, Any]:
    """The wish as it was understood, before any rounding."""
    intent = found.intent
    return {
        **amount(intent.wished_amount),
        "price": maybe_text(intent.wished_price),
        "priceCeil": maybe_text(intent.price_ceil),
        "priceFloor": maybe_text(intent.price_floor),
        "lifetimeSeconds": intent.lifetime_seconds,
        "slippageTicks": intent.slippage_ticks if intent.wished_price is None else None,
    }


_PLAIN_RULES = ("exit_before_close_seconds", "cool_down_minutes", "daily_trades_max")
_RULE_NAMES = {
    "stop_loss_pct": "stopLossPct",
    "take_profit_pct": "takeProfitPct",
    "trailing_stop_pct": "trailingStopPct",
    "stop_price": "stopPrice",
    "take_profit_price": "takeProfitPrice",
    "hold_max_hours": "maxHoldHours",
    "exit_before_close_seconds": "exitBeforeCloseSec",
    "cool_down_minutes": "coolDownMinutes",
    "daily_trades_max": "maxDailyTrades",
}


def exit_rules(rules: ExitRules | None) -> dict[str, Any]:
    """The rules that are set, by the names a plan gives them."""
    if rules is None:
        return {}
    found: dict[str, Any] = {}
    for field in fields(ExitRules):
        value = getattr(rules, field.name)
        if value is not None:
            found[_RULE_NAMES[field.name]] = value if field.name in _PLAIN_RULES else to_text(value)
    return found
