"""What events say that is not booked yet: the same fill told twice counts once, in every ledger."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId
from betteroms.domain.order import Filled, Order, OrderEvent, OrderStatus, Reversed, after

FillName = tuple[OrderId, int | str]
"""How a fill is told apart: its order, with its number or with the venue's id."""


def fill_names(executions: Iterable[Execution]) -> set[FillName]:
    """Every name that these fills go by."""
    names: set[FillName] = set()
    for execution in executions:
        names.add((execution.order_id, execution.number))
        if execution.external_execution_id is not None:
            names.add((execution.order_id, execution.external_execution_id))
    return names


def news(
    events: Sequence[OrderEvent], *, orders: Mapping[OrderId, Order], told: set[FillName]
) -> list[OrderEvent]:
    """The events that say something new, each without the fills in `told`, which the new ones join.

    `orders` are as they stand before these events.
    """
    found: list[OrderEvent] = []
    for event in events:
        if not isinstance(event, Filled | Reversed):
            found.append(event)
            continue
        fresh = _untold(event, told)
        if fresh is None:
            continue
        if fresh is not event and not fresh.executions:
            mine = [earlier for earlier in found if earlier.order_id == event.order_id]
            if after(orders[event.order_id], mine).status is not OrderStatus.OPEN:
                continue  # that it is complete is no news either
        found.append(fresh)
    return found


def _untold(event: Filled | Reversed, told: set[FillName]) -> Filled | Reversed | None:
    """The event without fills told before; None where it says nothing more.

    What a repetition took was counted when it was first told. That the order is complete may be news.
    """
    fresh: list[Execution] = []
    for execution in event.executions:
        names = fill_names([execution])
        if told.isdisjoint(names):
            fresh.append(execution)
            told |= names
    if len(fresh) == len(event.executions):
        return event
    if isinstance(event, Filled):
        return replace(event, executions=tuple(fresh), taken=()) if fresh or event.complete else None
    return replace(event, executions=tuple(fresh)) if fresh else None
