"""Everything that is read back for people, in one moment of the database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from betteroms.adapters.postgres import history
from betteroms.adapters.postgres.views import (
    checks,
    exports,
    ledger_at,
    orders,
    positions,
    recordings,
    retold,
    rules,
    runs,
)
from betteroms.adapters.postgres.views.reckoning import PostgresReckoning
from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order, OrderEvent, OrderStatus
from betteroms.domain.position import Position
from betteroms.domain.risk import History
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Snapshot
from betteroms.records import (
    EventRecord,
    Exported,
    ExportKind,
    MarketRecord,
    OrderMismatch,
    OrderRecord,
    PositionRecord,
    Recording,
    RuleRecord,
    RunDetail,
    RunRecord,
    Settled,
)


class PostgresRecords(PostgresReckoning):
    """Keeps the promises of `records.Records`, with those of profit and loss that it inherits."""

    def runs(
        self, *, status: RunStatus | None, plan_id: str | None, limit: int, offset: int
    ) -> Sequence[RunRecord]:
        """See `records.Records.runs`."""
        return self._read(runs.listed, status=status, plan_id=plan_id, limit=limit, offset=offset)

    def runs_named(self, name: str) -> Sequence[RunRecord]:
        """See `records.Records.runs_named`."""
        return self._read(runs.named, name)

    def run(self, run_id: RunId) -> RunDetail:
        """See `records.Records.run`."""
        return self._read(runs.detail, run_id)

    def reconciliation(self) -> Mapping[str, Any] | None:
        """See `records.Records.reconciliation`."""
        return self._read(runs.reconciliation)

    def recording(self, run_id: RunId) -> Recording:
        """See `records.Records.recording`."""
        return self._read(recordings.recording, run_id)

    def touched_before(self, run_id: RunId, *, settled_since: datetime) -> Sequence[MarketId]:
        """See `records.Records.touched_before`."""
        return self._read(ledger_at.touched, run_id, settled_since=settled_since)

    def snapshot_before(
        self, run_id: RunId, *, markets: Collection[MarketId], orders: Collection[OrderId]
    ) -> Snapshot:
        """See `records.Records.snapshot_before`."""
        return self._read(ledger_at.snapshot, run_id, markets=markets, orders=orders)

    def told_in(self, run_id: RunId) -> Sequence[OrderEvent]:
        """See `records.Records.told_in`."""
        return self._read(retold.told_in, run_id)

    def settled(self, order_id: OrderId) -> Mapping[str, Settled]:
        """See `records.Records.settled`."""
        return self._read(retold.settled, order_id)

    def orders(
        self,
        *,
        statuses: Collection[OrderStatus],
        plan_id: str | None,
        token_prefix: str | None,
        limit: int,
        offset: int,
    ) -> Sequence[OrderRecord]:
        """See `records.Records.orders`."""
        return self._read(
            orders.listed,
            statuses=statuses,
            plan_id=plan_id,
            token_prefix=token_prefix,
            limit=limit,
            offset=offset,
        )

    def orders_named(self, prefix: str) -> Sequence[OrderRecord]:
        """See `records.Records.orders_named`."""
        return self._read(orders.named, prefix)

    def events(self, order_id: OrderId) -> Sequence[EventRecord]:
        """See `records.Records.events`."""
        return self._read(orders.events, order_id)

    def run_of(self, mode: Mode, event: EventRecord) -> RunId | None:
        """See `records.Records.run_of`."""
        return self._read(orders.run_of, mode, event)

    def rule_events(self, mode: Mode, token_id: TokenId) -> Sequence[EventRecord]:
        """See `records.Records.rule_events`."""
        return self._read(orders.rule_events, mode, token_id)

    def bounds(self, order_id: OrderId) -> FillBounds | None:
        """See `records.Records.bounds`."""
        return self._read(orders.bounds, order_id)

    def executions(self, order_id: OrderId) -> Sequence[Execution]:
        """See `records.Records.executions`."""
        return self._read(orders.executions, order_id)

    def payload(self, payload_id: BookId) -> bytes | None:
        """See `records.Records.payload`."""
        return self._read(orders.payload, payload_id)

    def payloads(self, payload_ids: Collection[BookId]) -> Mapping[BookId, bytes]:
        """See `records.Records.payloads`."""
        return self._read(recordings.payloads, payload_ids)

    def positions(self, mode: Mode) -> Sequence[PositionRecord]:
        """See `records.Records.positions`."""
        return self._read(positions.listed, mode)

    def rule_sets(self, mode: Mode) -> Sequence[RuleRecord]:
        """See `records.Records.rule_sets`."""
        return self._read(rules.listed, mode)

    def markets_named(self, name: str) -> Sequence[MarketRecord]:
        """See `records.Records.markets_named`."""
        return self._read(rules.markets_named, name)

    def alive_orders(self, mode: Mode) -> Iterable[Order]:
        """See `records.Records.alive_orders`."""
        return self._read(orders.alive, mode)

    def history(self, mode: Mode, *, at: datetime) -> History:
        """See `records.Records.history`."""
        return self._read(history.read, mode, at=at, markets=None)

    def market_names(self, markets: Collection[MarketId]) -> Mapping[MarketId, str]:
        """See `records.Records.market_names`."""
        return self._read(history.names, markets)

    def deposited(self, mode: Mode) -> Usdc:
        """See `records.Records.deposited`."""
        return self._read(positions.deposited, mode)

    def all_positions(self) -> Sequence[Position]:
        """See `records.Records.all_positions`."""
        return self._read(checks.positions)

    def order_mismatches(self) -> Sequence[OrderMismatch]:
        """See `records.Records.order_mismatches`."""
        return self._read(checks.order_mismatches)

    def order_count(self) -> int:
        """See `records.Records.order_count`."""
        return self._read(checks.order_count)

    def exported(
        self, kind: ExportKind, *, mode: Mode | None, since: datetime | None, until: datetime | None
    ) -> Exported:
        """See `records.Records.exported`."""
        return exports.exported(self._connection, kind, mode=mode, since=since, until=until)
