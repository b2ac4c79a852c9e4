"""A ledger as a few sums: what the random lives of real ledgers are compared with.

It shares no arithmetic with the product.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.external import ExternalFill
from betteroms.domain.ids import MarketId, OrderId, RunId, TokenId, key, order_id
from betteroms.domain.money import MICROS, Size, Usdc
from betteroms.domain.order import (
    Accepted,
    Canceled,
    ChainState,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Progressed,
    Rejected,
    Reversed,
    Sending,
    Unconfirmed,
)
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry, Position, Quote
from betteroms.domain.risk.history import RiskState
from betteroms.domain.rule import RuleRemoved, RuleSet
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Dollars, Mode, Shares, Side
from betteroms.ports import Fact, OrderBounds, RiskChanged
from tests.contracts import fact_builders
from tests.contracts.builders import MARKETS

FIRST_OUTCOMES = frozenset(market.outcomes[0].token_id for market in MARKETS)
NO_RUN = RunId("")
ALIVE = (OrderStatus.NEW, OrderStatus.UNCONFIRMED, OrderStatus.OPEN)


@dataclass(slots=True)
class Level:
    """What of a market is remembered: shares taken by price, and the newest stamp seen."""

    taken: dict[int, int] = field(default_factory=dict)
    stamp: int = 0


@dataclass(slots=True)
class Model:
    """What one ledger holds; `run_id` is of the run that is open."""

    run_id: RunId = NO_RUN
    orders: dict[OrderId, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    events: list[tuple[OrderId, str]] = field(default_factory=list)
    memory: dict[tuple[Mode, MarketId], Level] = field(default_factory=dict)
    entries: dict[str, LedgerEntry] = field(default_factory=dict)
    booked: list[Execution | LedgerEntry] = field(default_factory=list)
    rules: dict[tuple[Mode, TokenId], RuleSet] = field(default_factory=dict)
    bounds: dict[OrderId, OrderBounds] = field(default_factory=dict)
    snapshots: dict[tuple[Mode, datetime], PortfolioSnapshot] = field(default_factory=dict)
    switches: dict[Mode, RiskState] = field(default_factory=dict)
    quotes: dict[tuple[Mode, TokenId], Quote] = field(default_factory=dict)
    chain: dict[tuple[OrderId, str], ChainState] = field(default_factory=dict)
    proven: dict[str, frozenset[str]] = field(default_factory=dict)

    def copy(self) -> "Model":
        """An independent model; what is not remembered as a level does not outlive a run."""
        return Model(
            run_id=self.run_id,
            orders=dict(self.orders),
            executions=list(self.executions),
            events=list(self.events),
            memory={
                key: Level(taken=dict(level.taken), stamp=level.stamp)
                for key, level in self.memory.items()
                if level.taken
            },
            entries=dict(self.entries),
            booked=list(self.booked),
            rules=dict(self.rules),
            bounds=dict(self.bounds),
            snapshots=dict(self.snapshots),
            switches=dict(self.switches),
            quotes=dict(self.quotes),
            chain=dict(self.chain),
            proven=dict(self.proven),
        )

    def see(self, mode: Mode, book: Book) -> None:
        """DECISIONS 4.1, word for word."""
        level = self.memory.setdefault((mode, book.market_id), Level())
        if book.changed_at_ms <= level.stamp:
            return
        level.stamp = book.changed_at_ms
        first = book.token_id in FIRST_OUTCOMES
        shows = {
            (shown.price if first else MICROS - shown.price): shown.size for shown in (*book.bids, *book.asks)
        }
        for price, taken in list(level.taken.items()):
            level.taken[price] = min(taken, shows.get(price, 0))
            if not level.taken[price]:
                del level.taken[price]

    def price(self, mode: Mode, books: list[Book]) -> None:
        """What was read at the run's end: the prices of all that was ever held."""
        for book in books:
            if any((fact.mode, fact.token_id) == (mode, book.token_id) for fact in self.booked):
                quote = Quote(best_bid=book.best_bid, best_ask=book.best_ask, at=book.received_at)
                self.quotes[mode, book.token_id] = quote

    def note(self, fact: Fact) -> None:
        """Something besides orders."""
        if isinstance(fact, LedgerEntry):
            if fact.key not in self.entries:
                self.entries[fact.key] = fact
                if fact.token_id is not None:
                    self.booked.append(fact)
        elif isinstance(fact, RuleSet):
            self.rules[fact.mode, fact.token_id] = fact
        elif isinstance(fact, RuleRemoved):
            self.rules.pop((fact.mode, fact.token_id), None)
        elif isinstance(fact, OrderBounds):
            self.bounds[fact.bounds.order_id] = fact
        elif isinstance(fact, RiskChanged):
            self.switches[fact.mode] = fact.state
        elif isinstance(fact, Proven):
            self.proven[fact.wallet] = self.proven.get(fact.wallet, frozenset()) | {fact.domain}
        elif isinstance(fact, ExternalFill):
            self._adopt(fact)
        elif isinstance(fact, PortfolioSnapshot):
            self.snapshots.setdefault((fact.mode, fact.hour), fact)

    def _adopt(self, fact: ExternalFill) -> None:
        """DECISIONS 5.6: a row under the venue's hash where there is none yet, and the fill, once."""
        name = order_id(key(fact.mode, "external", fact.external_order_id))
        if fact.state is ChainState.FAILED or (name, fact.external_execution_id) in self.chain:
            return
        if name not in self.orders:
            self.orders[name] = fact_builders.synthetic(fact, self.run_id)
            self.tell(Accepted(order_id=name, at=fact.executed_at))
        execution = fact_builders.execution_of(fact, name, number=self.orders[name].fills + 1)
        self.tell(
            Filled(
                order_id=name,
                at=fact.executed_at,
                market_id=fact.market_id,
                executions=(execution,),
                complete=True,
            )
        )
        self.tell(
            Progressed(
                order_id=name,
                at=fact.executed_at,
                external_execution_id=fact.external_execution_id,
                state=fact.state,
            )
        )

    def settling(self, mode: Mode) -> list[Order]:
        """Orders with a fill that is neither confirmed nor failed."""
        final = (ChainState.CONFIRMED, ChainState.FAILED)
        names = {name for (name, _), state in self.chain.items() if state not in final}
        return [order for name, order in self.orders.items() if name in names and order.mode is mode]

    def named_fills(self, order: Order) -> dict[str, tuple[Execution, ChainState]]:
        """The order's fills by the venue's names, with how far each has come."""
        return {
            fill.external_execution_id: (fill, self.chain[order.order_id, fill.external_execution_id])
            for fill in self.executions
            if fill.order_id == order.order_id and fill.external_execution_id and fill.size > 0
        }

    def standing(self) -> list[Fact]:
        """Rules, bounds and snapshots, by what each is about."""
        return [
            *(rules for _, rules in sorted(self.rules.items())),
            *(bounds for _, bounds in sorted(self.bounds.items())),
            *(taken for _, taken in sorted(self.snapshots.items())),
        ]

    def touched(self, mode: Mode, since: datetime) -> list[MarketId]:
        """Markets with shares, with an order alive, or paid since."""
        found = {
            position.market_id for position in self.positions() if position.mode is mode and position.size
        }
        found |= {order.intent.market_id for order in (*self.alive(mode), *self.settling(mode))}
        found |= {
            entry.market_id
            for entry in self.entries.values()
            if entry.mode is mode and entry.market_id is not None and entry.at >= since
        }
        return sorted(found)

    def tell(self, event: OrderEvent) -> None:
        """Something new that the order's status allows."""
        order = self.orders[event.order_id]
        self.events.append((event.order_id, type(event).__name__))
        if isinstance(event, Accepted):
            order = replace(order, status=OrderStatus.OPEN, placed_at=event.at)
        elif isinstance(event, Unconfirmed):
            order = replace(order, status=OrderStatus.UNCONFIRMED, reason=event.reason)
        elif isinstance(event, Rejected):
            order = replace(order, status=OrderStatus.REJECTED, code=event.code, reason=event.reason)
        elif isinstance(event, Canceled):
            order = replace(order, status=OrderStatus.CANCELED, code=event.code)
        elif isinstance(event, Expired):
            order = replace(order, status=OrderStatus.EXPIRED)
        elif isinstance(event, Sending):
            order = replace(order, sending_at=event.at)
        elif isinstance(event, Progressed):
            self.chain[event.order_id, event.external_execution_id] = event.state
        elif isinstance(event, Filled | Reversed):
            order = self._filled(order, event)
        self.orders[event.order_id] = order if order.status in ALIVE else replace(order, signed=None)

    def _filled(self, order: Order, event: Filled | Reversed) -> Order:
        self.executions.extend(event.executions)
        self.booked.extend(event.executions)
        mine = [execution for execution in self.executions if execution.order_id == order.order_id]
        if isinstance(event, Filled):
            for fill in event.executions:
                if fill.external_execution_id:
                    self.chain[order.order_id, fill.external_execution_id] = ChainState.MATCHED
            for level in event.taken:
                taken = self.memory.setdefault((order.mode, event.market_id), Level()).taken
                taken[level.price] = taken.get(level.price, 0) + level.size
            if event.complete and order.status is OrderStatus.OPEN:
                order = replace(order, status=OrderStatus.FILLED)
        cash = sum(execution.cash for execution in mine)
        return replace(
            order,
            fills=len(mine),
            filled_size=Size(sum(execution.size for execution in mine)),
            filled_cash=Usdc(-cash if order.intent.side is Side.BUY else cash),
        )

    def cash_moved(self, mode: Mode) -> int:
        """Dollars that came by trading and by payouts, fees included."""
        fees = sum(execution.fee for execution in self.executions if execution.mode is mode)
        return sum(fact.cash for fact in self.booked if fact.mode is mode) - fees

    def deposited(self, mode: Mode) -> int:
        return sum(e.cash for e in self.entries.values() if e.mode is mode and e.token_id is None)

    def held(self, mode: Mode, token: TokenId) -> int:
        return sum(_brought(fact) for fact in self.booked if (fact.mode, fact.token_id) == (mode, token))

    def alive(self, mode: Mode) -> list[Order]:
        return [order for order in self.orders.values() if order.mode is mode and order.status in ALIVE]

    def placed(self, mode: Mode) -> list[Order]:
        """Alive orders that were placed, in the order of time, then of lines."""
        placed = [order for order in self.alive(mode) if order.placed_at is not None]
        return sorted(placed, key=lambda order: (order.placed_at, order.intent.line, order.order_id))

    def reserved_cash(self, mode: Mode) -> int:
        return sum(_may_spend(order) for order in self.alive(mode))

    def reserved_shares(self, mode: Mode) -> dict[TokenId, int]:
        shares: dict[TokenId, int] = {}
        for order in self.alive(mode):
            if order.intent.side is Side.SELL and isinstance(order.amount, Shares):
                left = max(order.amount.size - order.filled_size, 0)
                shares[order.intent.token_id] = shares.get(order.intent.token_id, 0) + left
        return {token: size for token, size in shares.items() if size}

    def positions(self) -> list[Position]:
        """The fold of everything, from nothing; by mode and token."""
        moved: dict[tuple[Mode, TokenId], list[Execution | LedgerEntry]] = {}
        for fact in self.booked:
            assert fact.token_id is not None
            moved.setdefault((fact.mode, fact.token_id), []).append(fact)
        return [_folded(mode, token, facts) for (mode, token), facts in sorted(moved.items())]

    def levels(self, mode: Mode) -> list[tuple[MarketId, int, int, int]]:
        """What is remembered: market, price, shares, stamp."""
        return sorted(
            (market, price, size, level.stamp)
            for (kept, market), level in self.memory.items()
            if kept is mode
            for price, size in level.taken.items()
        )


def _may_spend(order: Order) -> int:
    if order.intent.side is Side.SELL or order.limit_price is None:
        return 0
    if isinstance(order.amount, Dollars):
        return max(order.amount.usdc - order.filled_cash, 0)
    assert order.amount is not None
    left = max(order.amount.size - order.filled_size, 0)
    whole, rest = divmod(order.limit_price * left, MICROS)
    return whole + (1 if rest else 0)


def _brought(fact: Execution | LedgerEntry) -> int:
    """Shares that came; below zero where they left."""
    if isinstance(fact, LedgerEntry) or fact.side is Side.BUY:
        return fact.size
    return -fact.size


def _folded(mode: Mode, token: TokenId, facts: list[Execution | LedgerEntry]) -> Position:
    """DECISIONS 5.1 and 5.2: what is bought has its cost, what leaves takes its part of it along."""
    size = cost = realised = fees = 0
    opened_at: datetime | None = None
    for fact in facts:
        brought = _brought(fact)
        fee = fact.fee if isinstance(fact, Execution) else 0
        realised, fees = realised - fee, fees + fee
        if isinstance(fact, Execution) and fact.side is Side.BUY:
            opened_at = opened_at if size else fact.executed_at
            cost -= fact.cash
        else:
            whole, rest = divmod(-cost * brought, size) if size else (0, 0)
            part = cost if size + brought == 0 and brought else whole + (1 if rest else 0)
            cost, realised = cost - part, realised + fact.cash - part
        size += brought
        if size == 0:
            cost, realised, opened_at = 0, realised - cost, None
    market = facts[0].market_id
    assert market is not None
    return Position(
        mode=mode,
        market_id=market,
        token_id=token,
        size=Size(size),
        cost_basis=Usdc(cost),
        realised=Usdc(realised),
        fees=Usdc(fees),
        opened_at=opened_at,
    )
