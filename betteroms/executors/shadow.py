"""Carries orders out in the shadow: signed as in live, filled by paper's rules, and nothing is sent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.intent import Cancel
from betteroms.domain.market import Market
from betteroms.domain.order import Order, OrderEvent
from betteroms.domain.rounding import Rules
from betteroms.ports import Executor
from betteroms.ports.trading import Signer


class ShadowExecutor:
    """Keeps the promises of `ports.Executor`; `signer` is asked for only when there is something to sign."""

    sends_out = False

    def __init__(
        self,
        paper: Executor,
        *,
        signer: Callable[[], Signer],
        markets: Mapping[MarketId, Market],
        rules: Mapping[TokenId, Rules],
    ) -> None:
        self._paper = paper
        self._signer = signer
        self._markets = markets
        self._rules = rules

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Sign each and keep its hash; a signature is money, and is forgotten at once (DECISIONS 7.8)."""
        return [replace(order, external_order_id=self._hash(order)) for order in orders]

    def _hash(self, order: Order) -> str:
        intent = order.intent
        tick = self._rules[intent.token_id].tick_size
        signed = self._signer().sign(order, self._markets[intent.market_id], tick=tick)
        return signed.external_order_id

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """See `executors.paper`."""
        return self._paper.submit(orders)

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """See `executors.paper`."""
        return self._paper.poll(orders)

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        """See `executors.paper`."""
        return self._paper.cancel(cancels, orders)
