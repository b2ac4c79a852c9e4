"""The ledger in PostgreSQL: what a run decides is staged in memory and written by `COPY`.

Where nothing leaves the process (paper) a run is two transactions: the run opens, and everything else.
Where orders do leave, each `record` and `apply` is a transaction of its own.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import reading
from betteroms.adapters.postgres.database import faults_named
from betteroms.adapters.postgres.staging import Staged, mark_of
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.money import to_text
from betteroms.domain.order import (
    Denial,
    Denied,
    Filled,
    Order,
    OrderEvent,
    Reversed,
    after,
)
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.run import EarlierRun, RunStatus, refuse_repetition
from betteroms.domain.terms import Mode
from betteroms.ports import Payload, Run, RunInputs, Snapshot

ACTOR: Final = "operator"


class PostgresLedger:
    """Keeps the promises of `ports.Ledger` on one connection, which it does not own."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._run: Run | None = None
        self._staged = Staged()
        self._memory = LiquidityMemory()
        self._holdings: dict[TokenId, Holding] = {}
        self._orders: dict[OrderId, Order] = {}

    def find_run(self, mode: Mode, plan_id: str) -> EarlierRun | None:
        """See `ports.Ledger.find_run`."""
        with faults_named():
            row = self._connection.execute(
                "SELECT status, content_hash, attempt, started_at FROM runs "
                "WHERE mode = %s AND plan_id = %s AND kind = 'trade'",
                (mode, plan_id),
            ).fetchone()
        if row is None:
            return None
        return EarlierRun(status=RunStatus(row[0]), content_hash=row[1], attempt=row[2], started_at=row[3])

    def open_run(self, run: Run, entries: Sequence[LedgerEntry] = ()) -> Run:
        """See `ports.Ledger.open_run`."""
        self._forget()
        if run.plan_id is not None:
            earlier = self.find_run(run.mode, run.plan_id)
            refuse_repetition(earlier, plan_id=run.plan_id, mode=run.mode, content_hash=run.content_hash)
            run = replace(run, attempt=earlier.attempt + 1 if earlier else 1)
        with faults_named(), self._connection.transaction():
            added = [entry for entry in entries if self._enter(entry)]
            self._write_run(run)
            self._staged.run_event(run, "run_started", ACTOR, {"attempt": run.attempt})
            for entry in added:
                self._staged.entry_event(entry, run, ACTOR)
            self._staged.write_audit(self._connection)
        self._run = run
        return run

    def snapshot(self, mode: Mode, *, markets: Collection[MarketId], orders: Collection[OrderId]) -> Snapshot:
        """See `ports.Ledger.snapshot`. What this run has staged is not in it."""
        with faults_named(), self._connection.transaction():
            found = reading.snapshot(self._connection, mode, markets=markets, orders=orders)
        self._memory = LiquidityMemory(found.taken)
        self._holdings = {token: Holding(position) for token, position in found.positions.items()}
        self._orders.update((order.order_id, order) for order in found.open_orders)
        self._orders.update(found.known)
        return found

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        """See `ports.Ledger.observe`."""
        run = self._opened()
        self._memory.observe_all(inputs.books.values(), inputs.markets)
        self._staged.marks.update((token, mark_of(book)) for token, book in inputs.books.items())
        self._staged.inputs = inputs
        for payload in payloads:
            self._staged.payloads[payload.payload_id] = (payload, run.now)

    def record(self, orders: Sequence[Order], denied: Sequence[Order], *, sends_out: bool) -> None:
        """See `ports.Ledger.record`."""
        for order in orders:
            self._orders[order.order_id] = order
            self._staged.new[order.order_id] = order
        for order in denied:
            self._orders[order.order_id] = order
            self._staged.new[order.order_id] = order
            refusal = Denial(code=order.code or "", detail=order.reason or "")
            self._staged.order_event(
                order, Denied(order_id=order.order_id, at=order.created_at, denial=refusal), ACTOR
            )
        self._staged.at_once = sends_out
        if sends_out:
            self._flush()

    def apply(self, events: Sequence[OrderEvent]) -> Sequence[Order]:
        """See `ports.Ledger.apply`."""
        grouped: dict[OrderId, list[OrderEvent]] = {}
        for event in events:
            grouped.setdefault(event.order_id, []).append(event)
        self._load([name for name in grouped if name not in self._orders])
        told = self._told_before(grouped)
        moved: list[Order] = []
        for name, mine in grouped.items():
            if told:
                mine = [kept for event in mine if (kept := _untold(event, told)) is not None]
            order = after(self._orders[name], mine)
            self._orders[name] = order
            (self._staged.new if name in self._staged.new else self._staged.moved)[name] = order
            moved.append(order)
            for event in mine:
                self._book(order, event)
        if self._staged.at_once:
            self._flush()
        return moved

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        """See `ports.Ledger.close_run`."""
        self._staged.run_event(run, "run_completed", ACTOR, summary["result"]["totals"])
        with faults_named(), self._connection.transaction():
            self._write_staged()
            self._connection.execute(
                "UPDATE runs SET status = 'completed', completed_at = %s, summary_json = %s, inputs = %s, "
                "plan_payload_id = %s WHERE run_id = %s",
                (
                    completed_at,
                    json.dumps(summary, ensure_ascii=False, separators=(",", ":")),
                    self._staged.inputs_json(),
                    self._staged.plan_payload_id(),
                    run.run_id,
                ),
            )
        self._forget()

    def fail_run(self, run: Run, error: str, *, completed_at: datetime) -> None:
        """See `ports.Ledger.fail_run`."""
        self._forget()
        with faults_named(), self._connection.transaction():
            self._connection.execute(
                "UPDATE runs SET status = 'failed', completed_at = %s, error_message = %s WHERE run_id = %s",
                (completed_at, error, run.run_id),
            )
            self._staged.run_event(run, "run_failed", ACTOR, {"error": error})
            self._staged.write_audit(self._connection)
        self._forget()

    def _opened(self) -> Run:
        assert self._run is not None, "the run is opened before anything is written"
        return self._run

    def _forget(self) -> None:
        self._staged = Staged()
        self._memory = LiquidityMemory()
        self._holdings = {}
        self._orders = {}

    def _write_run(self, run: Run) -> None:
        self._connection.execute(
            """
            INSERT INTO runs (run_id, kind, mode, plan_id, plan_file, content_hash, status, attempt, now,
                scheduled_at, started_at, engine_version, settings, ledger_sequence)
            VALUES (%s, %s, %s, %s, %s, %s, 'running', %s, %s, %s, %s, %s, %s,
                (SELECT last_value FROM ledger_sequence))
            ON CONFLICT (run_id) DO UPDATE SET plan_file = EXCLUDED.plan_file, status = 'running',
                attempt = EXCLUDED.attempt, now = EXCLUDED.now, scheduled_at = EXCLUDED.scheduled_at,
                started_at = EXCLUDED.started_at, completed_at = NULL, error_message = NULL,
                engine_version = EXCLUDED.engine_version, settings = EXCLUDED.settings,
                ledger_sequence = EXCLUDED.ledger_sequence
            """,
            (
                run.run_id,
                run.kind,
                run.mode,
                run.plan_id,
                run.plan_file,
                run.content_hash,
                run.attempt,
                run.now,
                run.scheduled_at,
                run.started_at,
                run.engine_version,
                json.dumps(dict(run.settings)),
            ),
        )

    def _enter(self, entry: LedgerEntry) -> bool:
        return bool(
            self._connection.execute(
                "INSERT INTO ledger_entries (key, mode, kind, cash, at, note) "
                "VALUES (%s, %s, %s, %s::numeric, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING key",
                (entry.key, entry.mode, entry.kind, to_text(entry.cash), entry.at, entry.note),
            ).fetchone()
        )

    def _load(self, names: Collection[OrderId]) -> None:
        if not names:
            return
        with faults_named():
            found = reading.orders(self._connection, names)
        self._orders.update((order.order_id, order) for order in found)
        missing = set(names) - {order.order_id for order in found}
        if missing:
            raise KeyError(f"an event for orders that were never recorded: {sorted(missing)}")

    def _told_before(self, grouped: Mapping[OrderId, Sequence[OrderEvent]]) -> set[tuple[OrderId, int | str]]:
        """Names of fills of these orders that are booked already; new orders cannot have any."""
        filled = [
            name
            for name, events in grouped.items()
            if name not in self._staged.new and any(isinstance(e, Filled | Reversed) for e in events)
        ]
        told = {name for name in self._staged.execution_names() if name[0] in grouped}
        if filled:
            with faults_named():
                told |= reading.execution_names(self._connection, filled)
        return told

    def _book(self, order: Order, event: OrderEvent) -> None:
        self._staged.order_event(order, event, ACTOR)
        if not isinstance(event, Filled | Reversed):
            return
        holding = self._holding(order)
        for execution in event.executions:
            holding.book(execution)
        self._staged.executions.extend(event.executions)
        self._staged.held.add(order.intent.token_id)
        if isinstance(event, Filled):
            for level in event.taken:
                self._memory.take(event.market_id, level.price, level.size)

    def _holding(self, order: Order) -> Holding:
        token = order.intent.token_id
        holding = self._holdings.get(token)
        if holding is None:
            with faults_named():
                position = reading.position(self._connection, order.mode, token)
            holding = Holding(
                position or Position(mode=order.mode, market_id=order.intent.market_id, token_id=token)
            )
            self._holdings[token] = holding
        return holding

    def _flush(self) -> None:
        with faults_named(), self._connection.transaction():
            self._write_staged()
        self._staged = Staged(at_once=self._staged.at_once)

    def _write_staged(self) -> None:
        run = self._opened()
        positions = [self._holdings[token].position() for token in sorted(self._staged.held)]
        self._staged.write(self._connection, run, positions, self._memory)


def _untold(event: OrderEvent, told: Collection[tuple[OrderId, int | str]]) -> OrderEvent | None:
    """The event without executions that are booked already; None where nothing is left of it."""
    if not isinstance(event, Filled | Reversed):
        return event
    kept = tuple(
        execution
        for execution in event.executions
        if (execution.order_id, execution.number) not in told
        and (execution.order_id, execution.external_execution_id or "") not in told
    )
    return replace(event, executions=kept) if kept else None
