"""The venue's fills as executions of ours, and how far their settlement has come."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from betteroms.domain.execution import Execution
from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.ids import OrderId
from betteroms.domain.money import Size, Usdc
from betteroms.domain.order import (
    ChainState,
    Filled,
    Order,
    OrderEvent,
    Progressed,
    Reversed,
)
from betteroms.domain.terms import Shares, Side
from betteroms.ports.trading import VenueFill

FILL_DRIFT_MAX: Final = Size(10_000)
"""So many shares may an order end short of, or beyond, what it asked for (DECISIONS 2.7)."""
REVERSAL: Final = "{}:reversed"
"""The name of the row that takes a failed fill back."""

Booked = Mapping[str, tuple[Execution, ChainState]]
"""What is booked of one order: by the venue's name of the fill, with how far it has come."""


def fits(order: Order, fill: VenueFill) -> bool:
    """Whether it can be this order's at all: another token or side is never booked (DECISIONS 7.7)."""
    return (fill.token_id, fill.side) == (order.intent.token_id, order.intent.side)


def told(
    order: Order, fills: Sequence[VenueFill], booked: Booked, fees: FeeSchedule, at: datetime
) -> list[OrderEvent]:
    """What these fills say that is not booked yet. A fill that failed before we saw it moved nothing."""
    events: list[OrderEvent] = []
    number = order.fills
    filled = int(order.filled_size)
    for fill in fills:
        before = booked.get(fill.fill_id)
        if before is None:
            if fill.state is ChainState.FAILED:
                continue
            number += 1
            execution = _execution(order, fill, number, fees)
            filled += execution.size
            events.append(
                Filled(
                    order_id=order.order_id,
                    at=at,
                    market_id=fill.market_id,
                    executions=(execution,),
                    complete=_complete(order, filled),
                )
            )
            events.append(_progressed(order.order_id, fill, at))
            continue
        execution, state = before
        if state.final or state is fill.state:
            continue
        events.append(_progressed(order.order_id, fill, at))
        if fill.state is ChainState.FAILED:
            number += 1
            events.append(
                Reversed(order_id=order.order_id, at=at, executions=(_undone(execution, number, at),))
            )
    return events


def _complete(order: Order, filled: int) -> bool:
    """Whether a share-sized order has what it asked for; a dollar-sized one ends when the venue says so."""
    amount = order.amount
    return isinstance(amount, Shares) and filled >= amount.size - FILL_DRIFT_MAX


def _execution(order: Order, fill: VenueFill, number: int, fees: FeeSchedule) -> Execution:
    """The fill as booked: with the venue's dollars, which may be a millionth off our own (DECISIONS 2.6)."""
    return Execution(
        order_id=order.order_id,
        number=number,
        mode=order.mode,
        market_id=fill.market_id,
        token_id=fill.token_id,
        side=fill.side,
        price=fill.price,
        size=fill.size,
        cash=Usdc(-fill.dollars if fill.side is Side.BUY else fill.dollars),
        fee=fee(fees, price=fill.price, size=fill.size, liquidity=fill.liquidity),
        liquidity=fill.liquidity,
        executed_at=fill.matched_at,
        external_execution_id=fill.fill_id,
    )


def _undone(execution: Execution, number: int, at: datetime) -> Execution:
    """The same fill with opposite signs: a row of its own, since executions are never edited."""
    return Execution(
        order_id=execution.order_id,
        number=number,
        mode=execution.mode,
        market_id=execution.market_id,
        token_id=execution.token_id,
        side=execution.side,
        price=execution.price,
        size=Size(-execution.size),
        cash=Usdc(-execution.cash),
        fee=Usdc(-execution.fee),
        liquidity=execution.liquidity,
        executed_at=at,
        external_execution_id=REVERSAL.format(execution.external_execution_id),
    )


def _progressed(order_id: OrderId, fill: VenueFill, at: datetime) -> Progressed:
    return Progressed(
        order_id=order_id,
        at=at,
        external_execution_id=fill.fill_id,
        state=fill.state,
        transaction_hash=fill.transaction_hash,
    )
