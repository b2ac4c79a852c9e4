"""Audit rows of an order, read back as the events that they tell of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from betteroms.domain.execution import Execution
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    ChainState,
    Denial,
    Denied,
    Expired,
    Filled,
    Order,
    OrderEvent,
    Progressed,
    Rejected,
    Reversed,
    Sending,
    Unconfirmed,
)


def event(
    order: Order, fills: Mapping[int, Execution], kind: str, at: datetime, data: Mapping[str, Any]
) -> OrderEvent:
    """What an audit row of an order tells, as the event that it was."""
    return _READ[kind](order, fills, at, data)


_READ: Final[
    Mapping[str, Callable[[Order, Mapping[int, Execution], datetime, Mapping[str, Any]], OrderEvent]]
] = {
    "order_denied": lambda order, _, at, data: Denied(
        order_id=order.order_id, at=at, denial=Denial(code=data["code"], detail=data["detail"])
    ),
    "order_unconfirmed": lambda order, _, at, data: Unconfirmed(
        order_id=order.order_id, at=at, reason=data["reason"]
    ),
    "order_placed": lambda order, _, at, __: Accepted(order_id=order.order_id, at=at),
    "order_rejected": lambda order, _, at, data: Rejected(
        order_id=order.order_id, at=at, code=data["code"], reason=data["reason"]
    ),
    "order_filled": lambda order, fills, at, data: Filled(
        order_id=order.order_id,
        at=at,
        market_id=order.intent.market_id,
        executions=tuple(fills[number] for number, *_ in data["executions"]),
        complete=data["complete"],
    ),
    "order_cancel_requested": lambda order, _, at, data: CancelRequested(
        order_id=order.order_id, at=at, reason=data["reason"]
    ),
    "order_canceled": lambda order, _, at, data: Canceled(order_id=order.order_id, at=at, code=data["code"]),
    "order_sending": lambda order, _, at, __: Sending(order_id=order.order_id, at=at),
    "order_progressed": lambda order, _, at, data: Progressed(
        order_id=order.order_id,
        at=at,
        external_execution_id=data["execution"],
        state=ChainState(data["state"]),
        transaction_hash=data["transaction"],
    ),
    "order_expired": lambda order, _, at, __: Expired(order_id=order.order_id, at=at),
    "order_reversed": lambda order, fills, at, data: Reversed(
        order_id=order.order_id, at=at, executions=tuple(fills[number] for number in data["executions"])
    ),
}
