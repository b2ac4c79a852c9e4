"""What became of a live order's twin: the same order on paper, on the very book that the order saw."""

from collections.abc import Sequence
from datetime import datetime

from betteroms.domain.execution import Execution
from betteroms.domain.fact import fact
from betteroms.domain.ids import OrderId
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.terms import Mode


@fact
class TwinFill:
    """A fill on paper."""

    price: Price
    size: Size
    fee: Usdc


@fact
class Twin:
    """What paper made of an order, up to the end of submitting; `cash` is dollars that changed hands.

    It is told beside the order and is none of its events: no row of any account knows it.
    """

    order_id: OrderId
    mode: Mode
    at: datetime
    status: OrderStatus
    code: str | None
    size: Size
    cash: Usdc
    fee: Usdc
    fills: tuple[TwinFill, ...]


def twin_of(order: Order, executions: Sequence[Execution], *, at: datetime) -> Twin:
    """The twin of an order, as paper left it."""
    return Twin(
        order_id=order.order_id,
        mode=order.mode,
        at=at,
        status=order.status,
        code=order.code,
        size=order.filled_size,
        cash=order.filled_cash,
        fee=Usdc(sum(fill.fee for fill in executions)),
        fills=tuple(TwinFill(price=fill.price, size=fill.size, fee=fill.fee) for fill in executions),
    )
