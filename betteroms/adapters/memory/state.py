"""Everything in a memory ledger that a run can change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, MarketId, OrderId, TokenId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.order import ChainState, Filled, Order, OrderEvent, Progressed, Reversed
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Holding, LedgerEntry, Position, Quote
from betteroms.domain.risk.history import RiskState
from betteroms.domain.risk.past import MarketTerms, terms_of
from betteroms.domain.rule import RuleRemoved, RuleSet
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from betteroms.domain.twin import Twin
from betteroms.ports import OrderBounds, Payload, RiskChanged, RunInputs

Noted = LedgerEntry | RuleSet | RuleRemoved | RiskChanged | OrderBounds | PortfolioSnapshot | Proven | Twin
"""The facts that stand for themselves; an external fill is booked by the events that it makes."""


class State:
    """Everything that a run can change, kept together so that it can be dropped together."""

    __slots__ = (
        "bounds", "chain", "entries", "events", "executions", "fills", "memory", "orders", "payloads",
        "payouts", "positions", "proven", "quotes", "risk", "rules", "sequence", "snapshots", "terms",
        "twins",
    )  # fmt: skip

    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}
        self.fills: dict[OrderId, tuple[Execution, ...]] = {}
        self.executions: list[Execution] = []
        self.positions: dict[tuple[Mode, TokenId], Position] = {}
        self.memory: dict[Mode, LiquidityMemory] = {mode: LiquidityMemory() for mode in Mode}
        self.payloads: dict[BookId, Payload] = {}
        self.events: list[OrderEvent] = []
        self.entries: dict[str, LedgerEntry] = {}
        self.rules: dict[tuple[Mode, TokenId], RuleSet] = {}
        self.bounds: dict[OrderId, FillBounds] = {}
        self.snapshots: dict[tuple[Mode, datetime], PortfolioSnapshot] = {}
        self.risk: dict[Mode, RiskState] = {}
        self.terms: dict[MarketId, MarketTerms] = {}
        self.payouts: dict[TokenId, int] = {}
        self.quotes: dict[tuple[Mode, TokenId], Quote] = {}
        self.chain: dict[OrderId, dict[str, ChainState]] = {}
        self.proven: dict[str, dict[str, datetime]] = {}
        self.twins: dict[OrderId, Twin] = {}
        self.sequence = 0

    def copy(self) -> "State":
        """An independent state for a run to change."""
        twin = State()
        twin.orders = dict(self.orders)
        twin.fills = dict(self.fills)
        twin.executions = list(self.executions)
        twin.positions = dict(self.positions)
        # Through rows: stamps of markets that nothing was taken from do not outlive a run.
        twin.memory = {mode: LiquidityMemory(memory.rows()) for mode, memory in self.memory.items()}
        twin.payloads = dict(self.payloads)
        twin.events = list(self.events)
        twin.entries = dict(self.entries)
        twin.rules = dict(self.rules)
        twin.bounds = dict(self.bounds)
        twin.snapshots = dict(self.snapshots)
        twin.risk = dict(self.risk)
        twin.terms = dict(self.terms)
        twin.payouts = dict(self.payouts)
        twin.quotes = dict(self.quotes)
        twin.chain = {name: dict(fills) for name, fills in self.chain.items()}
        twin.proven = {wallet: dict(domains) for wallet, domains in self.proven.items()}
        twin.twins = dict(self.twins)
        twin.sequence = self.sequence
        return twin

    def fold(self, events: Iterable[OrderEvent]) -> dict[tuple[Mode, TokenId], Position]:
        """The positions as these events leave them; nothing is changed yet."""
        holdings: dict[tuple[Mode, TokenId], Holding] = {}
        for event in events:
            if not isinstance(event, Filled | Reversed):
                continue
            order = self.orders[event.order_id]
            mode, intent = order.mode, order.intent
            held = (mode, intent.token_id)
            if held not in holdings:
                nothing = Position(mode=mode, market_id=intent.market_id, token_id=intent.token_id)
                holdings[held] = Holding(self.positions.get(held, nothing))
            for execution in event.executions:
                holdings[held].book(execution)
        return {held: holding.position() for held, holding in holdings.items()}

    def append(self, events: Sequence[OrderEvent]) -> None:
        """Keep events with their executions, and remember what they took."""
        self.events.extend(events)
        self.sequence += len(events)
        for event in events:
            if isinstance(event, Progressed):
                self._progress(event.order_id, event.external_execution_id, event.state)
            if not isinstance(event, Filled | Reversed):
                continue
            self.executions.extend(event.executions)
            self.sequence += len(event.executions)
            self.fills[event.order_id] = (*self.fills.get(event.order_id, ()), *event.executions)
            if isinstance(event, Filled):
                for fill in event.executions:
                    if fill.external_execution_id is not None:
                        self._progress(event.order_id, fill.external_execution_id, ChainState.MATCHED)
                memory = self.memory[self.orders[event.order_id].mode]
                for level in event.taken:
                    memory.take(event.market_id, level.price, level.size)

    def _progress(self, order_id: OrderId, name: str, state: ChainState) -> None:
        self.chain.setdefault(order_id, {})[name] = state

    def known_as(self) -> dict[str, Order]:
        """The orders that the venue has a name for, by that name."""
        orders = self.orders.values()
        return {order.external_order_id: order for order in orders if order.external_order_id is not None}

    def keep(self, mode: Mode, inputs: RunInputs | None, payloads: Mapping[BookId, Payload]) -> None:
        """Keep what a run read: the prices of what is held by now, and what markets said of themselves."""
        for name, payload in payloads.items():
            self.payloads.setdefault(name, payload)
        if inputs is None:
            return
        for token, book in inputs.books.items():
            if (mode, token) in self.positions:
                quote = Quote(best_bid=book.best_bid, best_ask=book.best_ask, at=book.received_at)
                self.quotes[mode, token] = quote
        for market in inputs.markets.values():
            # A market made up from its books never overwrites what a market's row said.
            if market.row_id is not None or market.market_id not in self.terms:
                self.terms[market.market_id] = terms_of(market)
                if market.resolved and market.payouts is not None:
                    tokens = [outcome.token_id for outcome in market.outcomes]
                    self.payouts.update(zip(tokens, market.payouts, strict=True))

    def note(self, fact: Noted) -> None:
        """Keep one fact; see `ports.Ledger.note`."""
        match fact:
            case LedgerEntry():
                self._enter(fact)
            case RuleSet():
                self.rules[fact.mode, fact.token_id] = fact
            case RuleRemoved():
                self.rules.pop((fact.mode, fact.token_id), None)
            case RiskChanged():
                self.risk[fact.mode] = fact.state
            case OrderBounds():
                self.bounds[fact.bounds.order_id] = fact.bounds
            case PortfolioSnapshot():
                self.snapshots.setdefault((fact.mode, fact.hour), fact)
            case Twin():
                self.twins[fact.order_id] = fact
            case Proven():
                self.proven.setdefault(fact.wallet, {}).setdefault(fact.domain, fact.at)
        self.sequence += 1

    def _enter(self, entry: LedgerEntry) -> None:
        if entry.key in self.entries:
            return
        self.entries[entry.key] = entry
        if entry.token_id is None or entry.market_id is None:
            return
        held = (entry.mode, entry.token_id)
        nothing = Position(mode=entry.mode, market_id=entry.market_id, token_id=entry.token_id)
        holding = Holding(self.positions.get(held, nothing))
        holding.enter(entry)
        self.positions[held] = holding.position()
