"""Domain values as lines of a text `COPY`, and rows read back as domain values.

The column lists are in the order in which the lines are written; a test keeps them equal to the tables
and to the fields of the domain. Money is written as `420000e-6`, which PostgreSQL reads exactly and
Python prints without a division.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from betteroms.domain.execution import Execution
from betteroms.domain.intent import ExitRules, Intent
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import Adjustment, Order, OrderStatus
from betteroms.domain.terms import (
    Amount,
    Dollars,
    Liquidity,
    Mode,
    OrderType,
    Shares,
    Side,
    TimeInForce,
)

ORDER_COLUMNS: Final = (
    "order_id", "mode", "run_id", "source", "intent_key", "plan_id", "line", "ref", "market_id",
    "token_id", "outcome", "outcome_index", "side", "order_type", "time_in_force", "post_only",
    "wished_unit", "wished_amount", "wished_price", "slippage_ticks", "price_ceil", "price_floor",
    "cancel_after", "exit_rules", "notes", "replaces", "amount_unit", "amount", "limit_price", "status",
    "code", "reason", "filled_size", "filled_cash", "fills", "adjustments", "exempt", "created_at",
    "placed_at", "expires_at", "sending_at", "external_order_id",
)  # fmt: skip
EXECUTION_COLUMNS: Final = (
    "order_id", "number", "mode", "market_id", "token_id", "side", "price", "size", "cash", "fee",
    "liquidity", "executed_at", "external_execution_id",
)  # fmt: skip
AUDIT_COLUMNS: Final = (
    "mode", "run_id", "event_type", "entity_type", "entity_id", "event_data", "actor", "at",
)  # fmt: skip
MICROS_COLUMNS: Final = frozenset(
    {
        "wished_amount", "wished_price", "price_ceil", "price_floor", "amount", "limit_price",
        "filled_size", "filled_cash", "price", "size", "cash", "fee", "cost_basis", "realised", "fees",
        "best_bid", "best_ask",
    }
)  # fmt: skip

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b"})
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
NULL: Final = "\\N"
_MODES: Final = {mode.value: mode for mode in Mode}
_SIDES: Final = {side.value: side for side in Side}
_ORDER_TYPES: Final = {order_type.value: order_type for order_type in OrderType}
_TIMES_IN_FORCE: Final = {time_in_force.value: time_in_force for time_in_force in TimeInForce}
_STATUSES: Final = {status.value: status for status in OrderStatus}


def text(value: str | None) -> str:
    """A text field: backslashes and control characters escaped, None as null."""
    if value is None:
        return NULL
    # Almost everything is plain, and asking is cheaper than translating.
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def micros(value: int | None) -> str:
    """A number of millionths."""
    return NULL if value is None else f"{value}e-6"


def whole(value: int | None) -> str:
    return NULL if value is None else str(value)


@lru_cache(maxsize=256)
def instant(value: datetime) -> str:
    """A time; a run writes one and the same tens of thousands of times."""
    return value.isoformat()


def time(value: datetime | None) -> str:
    return NULL if value is None else instant(value)


def flag(value: bool) -> str:
    return "t" if value else "f"


def document(value: object) -> str:
    """A JSON field."""
    return _ENCODE(value).translate(_ESCAPES)


def order_line(order: Order) -> str:
    """One line of `COPY orders`."""
    intent = order.intent
    wished, amount = intent.wished_amount, order.amount
    return "\t".join(
        (
            order.order_id,
            order.mode,
            order.run_id,
            intent.source,
            text(intent.key),
            text(intent.plan_id),
            whole(intent.line),
            NULL if intent.ref is None else intent.ref,
            intent.market_id,
            intent.token_id,
            text(intent.outcome),
            str(intent.outcome_index),
            intent.side,
            intent.order_type,
            intent.time_in_force,
            "t" if intent.post_only else "f",
            *_amount_fields(wished),
            micros(intent.wished_price),
            str(intent.slippage_ticks),
            micros(intent.price_ceil),
            micros(intent.price_floor),
            whole(intent.lifetime_seconds),
            NULL if intent.exit_rules is None else rules_field(intent.exit_rules),
            text(intent.notes),
            NULL if intent.replaces is None else intent.replaces,
            *_amount_fields(amount),
            micros(order.limit_price),
            order.status,
            text(order.code),
            text(order.reason),
            f"{order.filled_size}e-6",
            f"{order.filled_cash}e-6",
            str(order.fills),
            _adjustments(order.adjustments) if order.adjustments else NULL,
            "t" if order.exempt else "f",
            instant(order.created_at),
            time(order.placed_at),
            time(order.expires_at),
            time(order.sending_at),
            text(order.external_order_id),
        )
    )


def execution_line(execution: Execution) -> str:
    """One line of `COPY executions`."""
    return (
        f"{execution.order_id}\t{execution.number}\t{execution.mode}\t{execution.market_id}\t"
        f"{execution.token_id}\t{execution.side}\t{execution.price}e-6\t{execution.size}e-6\t"
        f"{execution.cash}e-6\t{execution.fee}e-6\t{execution.liquidity}\t"
        f"{instant(execution.executed_at)}\t{text(execution.external_execution_id)}"
    )


def _amount_fields(amount: Amount | None) -> tuple[str, str]:
    if amount is None:
        return NULL, NULL
    if isinstance(amount, Shares):
        return "SHARES", f"{amount.size}e-6"
    return "DOLLARS", f"{amount.usdc}e-6"


def rules_field(rules: ExitRules) -> str:
    """Exit rules as a JSON field: those that are set."""
    return document({name: value for name, value in asdict(rules).items() if value is not None})


def _adjustments(adjustments: Sequence[Adjustment]) -> str:
    return document([[adjustment.code, adjustment.detail] for adjustment in adjustments])


def _adjustments_from(stored: Sequence[Sequence[str]]) -> tuple[Adjustment, ...]:
    return tuple([Adjustment(code=code, detail=detail) for code, detail in stored])


def select_list(columns: Sequence[str], *, prefix: str = "") -> str:
    """The columns for a SELECT, money as whole millionths and ids as text."""

    def one(name: str) -> str:
        if name in MICROS_COLUMNS:
            return f"({prefix}{name} * 1000000)::bigint"
        return f"{prefix}{name}::text" if name in ("order_id", "run_id", "replaces") else f"{prefix}{name}"

    return ", ".join(one(name) for name in columns)


def order_from(row: Sequence[Any]) -> Order:
    """An order from a row selected by `select_list(ORDER_COLUMNS)`.

    Maintenance reads every order that rests: values by their places, and words looked up rather than asked
    of their classes, take half the time of values by name.
    """
    (
        order_id, mode, run_id, source, intent_key, plan_id, line, ref, market_id,
        token_id, outcome, outcome_index, side, order_type, time_in_force, post_only,
        wished_unit, wished_amount, wished_price, slippage_ticks, price_ceil, price_floor,
        cancel_after, exit_rules, notes, replaces, amount_unit, amount, limit_price, status,
        code, reason, filled_size, filled_cash, fills, adjustments, exempt, created_at,
        placed_at, expires_at, sending_at, external_order_id,
    ) = row  # fmt: skip
    intent = Intent(
        key=intent_key,
        source=source,
        plan_id=plan_id,
        line=line,
        ref=ref,
        market_id=market_id,
        token_id=token_id,
        outcome=outcome,
        outcome_index=outcome_index,
        side=_SIDES[side],
        order_type=_ORDER_TYPES[order_type],
        time_in_force=_TIMES_IN_FORCE[time_in_force],
        post_only=post_only,
        wished_amount=_amount_from(wished_unit, wished_amount),
        wished_price=wished_price,
        slippage_ticks=slippage_ticks,
        price_ceil=price_ceil,
        price_floor=price_floor,
        lifetime_seconds=cancel_after,
        exit_rules=None if exit_rules is None else rules_from(exit_rules),
        notes=notes,
        replaces=replaces,
    )
    return Order(
        order_id=order_id,
        intent=intent,
        mode=_MODES[mode],
        run_id=run_id,
        created_at=created_at,
        status=_STATUSES[status],
        amount=None if amount_unit is None else _amount_from(amount_unit, amount),
        limit_price=limit_price,
        expires_at=expires_at,
        code=code,
        reason=reason,
        filled_size=filled_size,
        filled_cash=filled_cash,
        fills=fills,
        adjustments=_adjustments_from(adjustments) if adjustments else (),
        exempt=exempt,
        placed_at=placed_at,
        sending_at=sending_at,
        external_order_id=external_order_id,
    )


def execution_from(row: Sequence[Any]) -> Execution:
    """An execution from a row selected by `select_list(EXECUTION_COLUMNS)`."""
    get = dict(zip(EXECUTION_COLUMNS, row, strict=True))
    return Execution(
        **{
            **get,
            "mode": Mode(get["mode"]),
            "side": Side(get["side"]),
            "liquidity": Liquidity(get["liquidity"]),
        }
    )


def _amount_from(unit: str, value: int) -> Amount:
    return Shares(size=Size(value)) if unit == "SHARES" else Dollars(usdc=Usdc(value))


def rules_from(stored: Mapping[str, int]) -> ExitRules:
    """Exit rules read back from a JSON field; names of other versions are left out."""
    known = {field.name for field in fields(ExitRules)}
    given: dict[str, Any] = {name: value for name, value in stored.items() if name in known}
    for name in ("stop_price", "take_profit_price"):
        if name in given:
            given[name] = Price(given[name])
    return ExitRules(**given)
