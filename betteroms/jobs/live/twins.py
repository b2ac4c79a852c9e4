"""Runs the twins of live orders: the same orders on paper, on the books they saw, on a ledger thrown away."""

from collections.abc import Sequence
from dataclasses import replace

from betteroms.domain.execution import Execution
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.money import Size, Usdc
from betteroms.domain.order import Filled, Order, OrderEvent, OrderStatus, after
from betteroms.domain.twin import Twin, twin_of
from betteroms.jobs.desk import Desk
from betteroms.jobs.passage import Passage
from betteroms.pipeline import Outcome


def twins(desk: Desk, passage: Passage, outcome: Outcome) -> list[Twin]:
    """The twin of every order that this pass sent; none where nothing leaves the process."""
    if desk.member is None or desk.rehearsal is None:
        return []
    snapshot, world, run = passage.snapshot, passage.world, passage.run
    sent = [
        _anew(order)
        for order in outcome.orders
        if order.sending_at is not None and not _was_sent_before(order, passage)
    ]
    if not sent:
        return []
    memory = LiquidityMemory(snapshot.taken)
    memory.observe_all(world.books.values(), world.markets)
    executor = desk.rehearsal(world, memory, run.now, snapshot)
    happened: dict[str, list[OrderEvent]] = {}
    for events in executor.submit(executor.prepare(sent)):
        for event in events:
            happened.setdefault(event.order_id, []).append(event)
    return [_twin(order, happened.get(order.order_id, [])) for order in sent]


def _was_sent_before(order: Order, passage: Passage) -> bool:
    """Whether an earlier attempt of the run sent it."""
    known = passage.snapshot.known.get(order.order_id)
    return known is not None and known.sending_at is not None


def _anew(order: Order) -> Order:
    """The order as it was before anything happened to it."""
    return replace(
        order,
        status=OrderStatus.NEW,
        code=None,
        reason=None,
        filled_size=Size(0),
        filled_cash=Usdc(0),
        fills=0,
        placed_at=None,
    )


def _twin(order: Order, events: Sequence[OrderEvent]) -> Twin:
    fills: list[Execution] = [
        fill for event in events if isinstance(event, Filled) for fill in event.executions
    ]
    return twin_of(after(order, events), fills, at=order.created_at)
