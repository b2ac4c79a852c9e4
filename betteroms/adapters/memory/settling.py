"""Fills whose settlement is not final, as a memory ledger knows them."""

from collections.abc import Collection

from betteroms.adapters.memory.state import State
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId
from betteroms.domain.order import ALIVE, ChainState, Order, placed_first
from betteroms.domain.terms import Mode
from betteroms.ports import Settling, Snapshot


def unsettled(state: State, mode: Mode) -> list[Order]:
    """The orders with a fill whose settlement is not final."""
    return [
        state.orders[name]
        for name, fills in state.chain.items()
        if state.orders[name].mode is mode and any(not reached.final for reached in fills.values())
    ]


def settling(state: State, mode: Mode, markets: Collection[MarketId], alive: Collection[Order]) -> Settling:
    """See `ports.Settling`; `alive` are the orders of these markets that are."""
    waiting = unsettled(state, mode)
    ended = [o for o in waiting if o.status not in ALIVE and o.intent.market_id in markets]
    names = [order.order_id for order in alive if order.external_order_id is not None]
    names += [order.order_id for order in ended]
    return Settling(
        orders=sorted(ended, key=placed_first),
        booked={name: _booked(state, name) for name in sorted(names) if state.chain.get(name)},
    )


def seed(state: State, snapshot: Snapshot) -> None:
    """Let a state that begins with a snapshot know what that tells of settlements."""
    settling = snapshot.settling
    state.orders = {**{order.order_id: order for order in settling.orders}, **state.orders}
    for name, fills in settling.booked.items():
        state.chain[name] = {known: reached for known, (_, reached) in fills.items()}
        mine = {execution.number: execution for execution in state.fills.get(name, ())}
        mine |= {execution.number: execution for execution, _ in fills.values()}
        state.fills[name] = tuple(execution for _, execution in sorted(mine.items()))


def _booked(state: State, name: OrderId) -> dict[str, tuple[Execution, ChainState]]:
    reached = state.chain[name]
    return {
        execution.external_execution_id: (execution, reached[execution.external_execution_id])
        for execution in state.fills[name]
        if execution.external_execution_id in reached
    }
