"""Makers of live runs and of orders that leave the process, with their names and signed bytes."""

from dataclasses import replace
from datetime import timedelta

from betteroms.domain.order import ChainState, Order, OrderEvent, Progressed
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.ports import Run, Snapshot
from tests.contracts.builders import (
    NOON,
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    order_of,
    whole_snapshot,
)
from tests.contracts.ledgers import Installation

LATER = timedelta(hours=1)
SOON = timedelta(seconds=1)


def named(run: Run, line: int = 0, **changed: object) -> Order:
    """A live order with its name and its signed bytes, as it is written down; not marked as being sent."""
    order = order_of(run, line=line, **changed)  # type: ignore[arg-type]
    return replace(order, external_order_id=f"0x{line:064x}", signed=Secret(f"signed {line}"))


def live_run(at: Installation, plan: str | None = "june", hours: int = 0) -> Run:
    return begin(at.ledger, a_run(plan, mode=Mode.LIVE, at=NOON + hours * LATER))


def three(run: Run) -> list[Order]:
    """Three orders of which the first is about to leave."""
    orders = [named(run, line) for line in range(3)]
    return [replace(orders[0], sending_at=NOON), *orders[1:]]


def now(at: Installation, *orders: Order) -> Snapshot:
    return whole_snapshot(at.ledger, Mode.LIVE, orders=[order.order_id for order in orders])


def seen(at: Installation) -> dict[int, Order]:
    """What is committed, by line."""
    found = {order.intent.line or 0: order for order in at.reader.orders()}
    return dict(sorted(found.items()))


def names(at: Installation) -> list[str]:
    return [name for _, name in at.reader.events()]


def progressed(order: Order, state: ChainState, *, name: str = "trade-1", at: timedelta = SOON) -> Progressed:
    return Progressed(
        order_id=order.order_id,
        at=NOON + at,
        external_execution_id=name,
        state=state,
        transaction_hash=f"0x{state}",
    )


def bought(at: Installation, *fills: tuple[str, ChainState], line: int = 0, complete: bool = False) -> Order:
    """A completed live run whose order bought 10 shares with each of these fills."""
    run = live_run(at, f"plan-{line}", hours=line)
    order = named(run, line)
    at.ledger.record([order], [], sends_out=True)
    events: list[OrderEvent] = [accepted(order)]
    for number, (name, state) in enumerate(fills, start=1):
        one = fill(order, "10", "0.50", number=number, fee="0.01", external_execution_id=name)
        events += [filled(order, one), progressed(order, state, name=name)]
    if complete:
        events.append(filled(order, complete=True))
    at.ledger.apply(events)
    finish(at.ledger, run)
    return order


def states(snapshot: Snapshot, order: Order) -> dict[str, ChainState]:
    return {name: state for name, (_, state) in snapshot.settling.booked[order.order_id].items()}
