"""Shares that were bought and are not to be sold yet: their settlement has not come far enough."""

from collections.abc import Iterable, Mapping
from typing import Final

from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.money import Size
from betteroms.domain.order import ChainState, OrderEvent, Progressed
from betteroms.domain.terms import SellFrom, Side

# A settlement that is tried again has no shares to show, whatever it had reached before.
_REACHED: Final[Mapping[SellFrom, frozenset[ChainState]]] = {
    SellFrom.MATCHED: frozenset(set(ChainState) - {ChainState.FAILED}),
    SellFrom.MINED: frozenset({ChainState.MINED, ChainState.CONFIRMED}),
    SellFrom.CONFIRMED: frozenset({ChainState.CONFIRMED}),
}
Settled = Mapping[OrderId, Mapping[str, tuple[Execution, ChainState]]]
"""Fills by order and by the venue's name, with how far the settlement of each has come."""


class InFlight:
    """The purchases of a run's start that settle still, as the news of the run moves them.

    One that fails in the run stays in flight: its shares counted as held at the start, and are not there.
    """

    __slots__ = ("_fills", "_reached", "_states")

    def __init__(self, settled: Settled, sell_from: SellFrom) -> None:
        self._reached = _REACHED[sell_from]
        self._fills: dict[tuple[OrderId, str], Execution] = {}
        self._states: dict[tuple[OrderId, str], ChainState] = {}
        for order_id, fills in settled.items():
            for name, (execution, state) in fills.items():
                # What had failed before was taken back by a row of its own and is not held.
                if execution.side is Side.BUY and state is not ChainState.FAILED:
                    self._fills[order_id, name] = execution
                    self._states[order_id, name] = state

    def tell(self, events: Iterable[OrderEvent]) -> None:
        """Take news in; fills that the start did not know are not in what was held then either."""
        if not self._fills:
            return
        for event in events:
            if isinstance(event, Progressed):
                fill = event.order_id, event.external_execution_id
                if fill in self._fills:
                    self._states[fill] = event.state

    def shares(self) -> dict[TokenId, Size]:
        """By token, what of the shares held at the start is not to be sold yet."""
        found: dict[TokenId, int] = {}
        for fill, execution in self._fills.items():
            if self._states[fill] not in self._reached:
                found[execution.token_id] = found.get(execution.token_id, 0) + execution.size
        return {token: Size(size) for token, size in sorted(found.items())}
