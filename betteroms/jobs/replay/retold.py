"""Carries nothing out: what the venue told in a past run is told once more, in its order."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from betteroms.domain.ids import OrderId
from betteroms.domain.intent import Cancel
from betteroms.domain.order import CancelRequested, Order, OrderEvent


class Retold:
    """Keeps the promises of `ports.Executor` for a past run whose orders left the process.

    The answers of the venue cannot be computed again, so they are taken from what was written of them; what
    is computed is what we asked for, and what its answers come to. `told` is all that happened to orders.
    """

    sends_out = True

    def __init__(self, told: Sequence[OrderEvent]) -> None:
        self._left = list(told)

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        """The orders as they are: their signatures are gone, and no result tells of them."""
        return orders

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """What became of these."""
        return [self._told({order.order_id for order in orders})]

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """What became of these before anybody asked that they end."""
        names = {order.order_id for order in orders}
        told: list[OrderEvent] = []
        left: list[OrderEvent] = []
        for event in self._left:
            if isinstance(event, CancelRequested):
                names.discard(event.order_id)
            (told if event.order_id in names else left).append(event)
        self._left = left
        return [told]

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:  # noqa: ARG002
        """What became of these once they had been asked to end."""
        return self._told({cancel.order_id for cancel in cancels})

    def _told(self, names: Collection[OrderId]) -> list[OrderEvent]:
        """Take out what is left to tell of these."""
        mine = [event for event in self._left if event.order_id in names]
        self._left = [event for event in self._left if event.order_id not in names]
        # That somebody asked is told by the one who asks.
        return [event for event in mine if not isinstance(event, CancelRequested)]
