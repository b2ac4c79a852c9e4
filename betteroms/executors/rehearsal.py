"""Stands in for live where all is thrown away: new orders fill by paper's rules, and what rests rests."""

from collections.abc import Iterable, Mapping, Sequence

from betteroms.domain.ids import OrderId
from betteroms.domain.intent import Cancel
from betteroms.domain.order import Order, OrderEvent, OrderStatus
from betteroms.ports import Executor


class RehearsalExecutor:
    """Keeps the promises of `ports.Executor`, and tells nothing of orders that it did not carry out."""

    sends_out = False

    def __init__(self, paper: Executor) -> None:
        self._paper = paper

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Nothing is named: the names would be those of orders that are never sent."""
        return orders

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """See `executors.paper`."""
        return self._paper.submit(orders)

    def poll(self, _: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """What became of live orders, only the venue knows."""
        return ()

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        """End those that are known to rest."""
        there = {name: order for name, order in orders.items() if order.status is OrderStatus.OPEN}
        return self._paper.cancel([each for each in cancels if each.order_id in there], there)
