"""The ledger in PostgreSQL: what a run decides is gathered in batches and written by `COPY`.

Where nothing leaves the process (paper) a run is two transactions: the run opens, and everything else, sent
in the background while the run goes on deciding. Where orders do leave, each `record` and `apply` is a
transaction of its own.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import facts, reading, writing
from betteroms.adapters.postgres.background import Background
from betteroms.adapters.postgres.columns import AUDIT_COLUMNS, document, instant
from betteroms.adapters.postgres.database import faults_named
from betteroms.adapters.postgres.runs import (
    abandon,
    end_interrupted,
    write_completion,
    write_failure,
    write_opening,
)
from betteroms.adapters.postgres.staging import ACTOR, Batch
from betteroms.adapters.postgres.state import encode
from betteroms.domain.external import ExternalFill, adopt
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.news import FillName, fill_names, news
from betteroms.domain.order import Denial, Denied, Filled, Order, OrderEvent, Progressed, Reversed, after
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.rule import RuleRemoved, RuleSet
from betteroms.domain.run import INTERRUPTED, EarlierRun, refuse_repetition
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from betteroms.domain.twin import Twin
from betteroms.ports import Fact, OrderBounds, Payload, RiskChanged, Run, RunInputs, Snapshot

BATCH_ROWS: Final = 4_000
"""So many rows are gathered before they are sent in the background."""


class PostgresLedger:
    """Keeps the promises of `ports.Ledger` on one connection, which it does not own."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._run: Run | None = None
        self._forget()

    def _forget(self) -> None:
        """Start from nothing: no order known, nothing gathered, no transaction of a run begun."""
        self._batch = Batch()
        self._recorded: dict[OrderId, Order] = {}
        self._background = Background()
        self._begun = False
        self._orders: dict[OrderId, Order] = {}
        self._holdings: dict[TokenId, Holding] = {}
        self._moved_holdings: set[TokenId] = set()
        self._markets: frozenset[MarketId] = frozenset()
        self._memory = LiquidityMemory()
        self._inputs: RunInputs | None = None
        self._payloads: dict[BookId, Payload] = {}
        self._sends_out = False
        self._snapshot: Snapshot | None = None
        self._rules: dict[TokenId, RuleSet] = {}

    def _drop(self) -> None:
        """Lose what a run has pending, as if the process had died."""
        self._background.abandon()
        with faults_named():
            self._connection.rollback()
        self._forget()

    def find_run(self, mode: Mode, plan_id: str) -> EarlierRun | None:
        """See `ports.Ledger.find_run`."""
        with faults_named():
            return reading.earlier_run(self._connection, mode, plan_id)

    def open_run(self, run: Run, entries: Sequence[LedgerEntry] = ()) -> Run:
        """See `ports.Ledger.open_run`."""
        self._drop()
        if run.plan_id is not None:
            earlier = self.find_run(run.mode, run.plan_id)
            refuse_repetition(earlier, plan_id=run.plan_id, mode=run.mode, content_hash=run.content_hash)
        told = Batch()
        with faults_named(), self._connection.transaction():
            added = facts.enter_all(self._connection, entries)
            run = replace(run, attempt=write_opening(self._connection, run))
            writing.write_payloads(self._connection, [] if run.plan is None else [run.plan], run.now)
            told.run_event(run, "run_started", {"attempt": run.attempt})
            for entry in added:
                told.entry_event(entry, run)
            told.write(self._connection)
        self._run = run
        return run

    def touched(self, mode: Mode, *, settled_since: datetime) -> Sequence[MarketId]:
        """See `ports.Ledger.touched`."""
        with faults_named():
            return reading.touched(self._connection, mode, settled_since=settled_since)

    def snapshot(
        self,
        mode: Mode,
        *,
        markets: Collection[MarketId],
        orders: Collection[OrderId],
        at: datetime | None = None,
        valued: bool = False,
    ) -> Snapshot:
        """See `ports.Ledger.snapshot`."""
        with faults_named(), self._connection.transaction():
            found = reading.snapshot(
                self._connection, mode, markets=markets, orders=orders, at=at, valued=valued
            )
        self._snapshot = found
        self._rules = dict(found.rules)
        self._memory = LiquidityMemory(found.taken)
        self._holdings = {token: Holding(position) for token, position in found.positions.items()}
        self._markets = frozenset(markets)
        self._orders.update((order.order_id, order) for order in found.open_orders)
        self._orders.update(found.known)
        return found

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        """See `ports.Ledger.observe`."""
        self._memory.observe_all(inputs.books.values(), inputs.markets)
        self._inputs = inputs
        self._payloads.update((payload.payload_id, payload) for payload in payloads)

    def known_as(self, names: Collection[str]) -> Mapping[str, Order]:
        """See `ports.Ledger.known_as`."""
        with faults_named(), self._connection.transaction():
            return reading.known_as(self._connection, names)

    def proven(self, wallet: str) -> frozenset[str]:
        """See `ports.Ledger.proven`."""
        with faults_named():
            return facts.proven(self._connection, wallet)

    def record(self, orders: Sequence[Order], denied: Sequence[Order], *, sends_out: bool) -> None:
        """See `ports.Ledger.record`."""
        self._sends_out = sends_out
        # What was written down and never left may be written anew: it was judged again.
        again = [order.order_id for order in (*orders, *denied) if order.order_id in self._orders]
        self._batch.again.extend(again)
        self._recorded.update((order.order_id, order) for order in orders)
        self._orders.update(self._recorded)
        if sends_out:
            for order in orders:
                self._batch.recorded(order)
        for order in denied:
            self._orders[order.order_id] = order
            self._batch.new[order.order_id] = order
            refusal = Denial(code=order.code or "", detail=order.reason or "")
            self._batch.order_event(
                order, Denied(order_id=order.order_id, at=order.created_at, denial=refusal)
            )
        self._write_soon()

    def apply(self, events: Sequence[OrderEvent], *, sends_out: bool = False) -> Sequence[Order]:
        """See `ports.Ledger.apply`."""
        self._sends_out = self._sends_out or sends_out
        self._load({event.order_id for event in events} - self._orders.keys())
        told = self._told_before(events)
        fresh_events = news(events, orders=self._orders, told=told)
        grouped: dict[OrderId, list[OrderEvent]] = {}
        for event in fresh_events:
            grouped.setdefault(event.order_id, []).append(event)
        moved = {name: after(self._orders[name], mine) for name, mine in grouped.items()}
        self._orders.update(moved)
        for name, order in moved.items():
            # On paper an order is written once, as its first events leave it.
            fresh = self._recorded.pop(name, None) is not None or name in self._batch.new
            (self._batch.new if fresh else self._batch.moved)[name] = order
        for event in fresh_events:
            self._book(self._orders[event.order_id], event)
        self._write_soon()
        return list(moved.values())

    def note(self, told: Sequence[Fact], /) -> None:
        """See `ports.Ledger.note`."""
        assert self._run is not None, "a run is opened before anything is written"
        for _, alike in groupby(told, type):
            some = list(alike)
            external = [fact for fact in some if isinstance(fact, ExternalFill)]
            if external:
                self._adopt(external, self._run)
            else:
                self._note(some, self._run)
        self._write_soon()

    def _note(self, told: Sequence[Fact], run: Run) -> None:
        for fact in told:
            match fact:
                case LedgerEntry():
                    self._enter(fact, run)
                case RuleSet() | RuleRemoved():
                    before = self._rules.pop(fact.token_id, None)
                    self._batch.rule_event(fact, before, run)
                    self._batch.rules[fact.token_id] = fact
                    if isinstance(fact, RuleSet):
                        self._rules[fact.token_id] = fact
                case OrderBounds():
                    self._batch.bounds[fact.bounds.order_id] = fact
                case RiskChanged():
                    self._batch.risk.append(fact)
                    self._batch.risk_event(fact, run)
                case PortfolioSnapshot():
                    self._batch.portfolios.append(fact)
                case Proven():
                    self._batch.proven.append(fact)
                    self._batch.proven_event(fact, run)
                case Twin():
                    self._batch.twin_event(fact, run)

    def end_interrupted(self, at: datetime) -> Sequence[RunId]:
        """See `ports.Ledger.end_interrupted`."""
        with faults_named(), self._connection.transaction():
            ended = end_interrupted(self._connection, at)
            for name, mode in ended:
                self._tell_of_run(name, mode, "run_failed", {"error": INTERRUPTED}, at)
        return [name for name, _ in ended]

    def abandon_run(self, run_id: RunId, *, at: datetime) -> None:
        """See `ports.Ledger.abandon_run`."""
        with faults_named(), self._connection.transaction():
            mode = abandon(self._connection, run_id, at)
            if mode is not None:
                self._tell_of_run(run_id, mode, "run_abandoned", {}, at)

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        """See `ports.Ledger.close_run`."""
        self._batch.run_event(run, "run_completed", summary["result"]["totals"])
        text = json.dumps(summary, ensure_ascii=False, separators=(",", ":"))
        with faults_named():
            self._begin()
            self._background.finish()
            self._write_gathered()
            if self._inputs is not None:
                books, markets = self._inputs.books.values(), self._inputs.markets.values()
                writing.write_marks(self._connection, run.mode, list(books))
                writing.write_markets(self._connection, list(markets), run.now)
            payloads = list(self._payloads.values())
            writing.write_payloads(self._connection, payloads, run.now)
            write_completion(
                self._connection,
                run,
                summary=text,
                inputs=self._inputs,
                state=None if self._snapshot is None else encode(self._snapshot),
                completed_at=completed_at,
            )
            self._connection.commit()
        self._forget()

    def fail_run(self, run: Run, error: str, *, completed_at: datetime) -> None:
        """See `ports.Ledger.fail_run`."""
        told = Batch()
        told.run_event(run, "run_failed", {"error": error})
        with faults_named():
            self._drop()
            with self._connection.transaction():
                if write_failure(self._connection, run, error=error, completed_at=completed_at):
                    told.write(self._connection)

    def _write_soon(self) -> None:
        """Where orders leave, write before anything else happens; else in the background, by and by."""
        if self._sends_out:
            with faults_named():
                # Earlier news may be under way already, in a transaction that must not stay open either.
                self._begin()
                self._background.finish()
                self._write_gathered()
                self._connection.commit()
                self._begun = False
        elif self._batch.rows >= BATCH_ROWS:
            self._send()

    def _send(self) -> None:
        """Send what is ready to be sent, in the background."""
        batch, self._batch = self._batch, self._batch.rest(self._recorded)
        texts = batch.texts()
        with faults_named():
            self._begin()
            self._background.put(lambda: batch.store(self._connection, texts))

    def _begin(self) -> None:
        if not self._begun:
            self._connection.execute("BEGIN")
            self._begun = True

    def _write_gathered(self) -> None:
        """Write everything gathered, in the transaction that is open."""
        assert self._run is not None, "a run is opened before anything is written"
        batch, self._batch = self._batch, Batch()
        batch.new.update(self._recorded)
        self._recorded.clear()
        batch.write(self._connection)
        positions = [self._holdings[token].position() for token in sorted(self._moved_holdings)]
        writing.write_positions(self._connection, positions)
        writing.write_memory(self._connection, self._run.mode, self._memory)
        self._moved_holdings.clear()
        self._memory.touched.clear()

    def _load(self, names: Collection[OrderId]) -> None:
        if not names:
            return
        with faults_named():
            self._background.finish()
            found = reading.orders(self._connection, names)
        self._orders.update((order.order_id, order) for order in found)
        missing = sorted(set(names) - {order.order_id for order in found})
        if missing:
            raise KeyError(f"events of orders that were never recorded: {', '.join(missing)}")

    def _told_before(self, events: Sequence[OrderEvent]) -> set[FillName]:
        """The names of fills of these orders that are booked already; only orders with fills can have any."""
        named = {event.order_id for event in events if isinstance(event, Filled | Reversed)}
        filled = [name for name in named if self._orders[name].fills]
        if not filled:
            return set()
        with faults_named():
            self._background.finish()
            return reading.fill_names(self._connection, filled) | fill_names(self._batch.executions)

    def _book(self, order: Order, event: OrderEvent) -> None:
        self._batch.order_event(order, event)
        if isinstance(event, Progressed):
            self._batch.settle(order, event)
        if not isinstance(event, Filled | Reversed):
            return
        holding = self._holding(order.mode, order.intent.token_id, order.intent.market_id)
        named = False
        for execution in event.executions:
            holding.book(execution)
            named = named or execution.external_execution_id is not None
        self._batch.executions.extend(event.executions)
        self._moved_holdings.add(order.intent.token_id)
        if isinstance(event, Filled):
            if named:
                self._batch.settle(order, event)
            for level in event.taken:
                self._memory.take(event.market_id, level.price, level.size)

    def _adopt(self, fills: Sequence[ExternalFill], run: Run) -> None:
        """Book fills that no order of ours explains; what waits in this run's own batch is known, too."""
        with faults_named():
            self._background.finish()
            stored = reading.known_as(self._connection, {fill.external_order_id for fill in fills})
            told = reading.fill_names(self._connection, [order.order_id for order in stored.values()])
        self._orders = {**{order.order_id: order for order in stored.values()}, **self._orders}
        known = {o.external_order_id: o for o in self._orders.values() if o.external_order_id is not None}
        told |= fill_names(self._batch.executions)
        orders, events = adopt(fills, known=known, told=told, run_id=run.run_id, at=run.now)
        self._recorded.update((order.order_id, order) for order in orders)
        self._orders.update(self._recorded)
        self.apply(events)

    def _enter(self, entry: LedgerEntry, run: Run) -> None:
        if entry.key in self._batch.entries:
            return
        with faults_named():
            self._background.finish()
            if facts.entered(self._connection, [entry.key]):
                return
        if self._batch.executions:
            # A batch is written with its entries first, and whoever folds anew goes by the order written.
            self._send()
        self._batch.entries[entry.key] = entry
        self._batch.entry_event(entry, run)
        if entry.token_id is not None and entry.market_id is not None:
            self._holding(entry.mode, entry.token_id, entry.market_id).enter(entry)
            self._moved_holdings.add(entry.token_id)

    def _tell_of_run(
        self, run_id: RunId, mode: Mode, event: str, data: Mapping[str, Any], at: datetime
    ) -> None:
        line = f"{mode}\t{run_id}\t{event}\trun\t{run_id}\t{document(data)}\t{ACTOR}\t{instant(at)}"
        writing.send(self._connection, [writing.copy_text("audit_logs", AUDIT_COLUMNS, [line])])

    def _holding(self, mode: Mode, token: TokenId, market: MarketId) -> Holding:
        holding = self._holdings.get(token)
        if holding is None:
            position = None
            if market not in self._markets:
                with faults_named():
                    self._background.finish()
                    position = reading.position(self._connection, mode, token)
            holding = Holding(position or Position(mode=mode, market_id=market, token_id=token))
            self._holdings[token] = holding
        return holding
