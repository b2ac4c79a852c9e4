"""Everything that is read back for people, in one moment of the database."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel

from betteroms.adapters.postgres.database import faults_named
from betteroms.adapters.postgres.views import checks, orders, positions, runs
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, OrderId, RunId
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.position import Position
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.records import (
    EventRecord,
    OrderMismatch,
    OrderRecord,
    PositionRecord,
    RunDetail,
    RunRecord,
)

T = TypeVar("T")


class PostgresRecords:
    """Keeps the promises of `records.Records` on a connection that it sets to read only.

    All reads see the database as it was at the first of them, whatever is written meanwhile.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        connection.autocommit = False
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        self._connection = connection

    def _read(self, read: Callable[..., T], *arguments: object, **named: object) -> T:
        with faults_named():
            return read(self._connection, *arguments, **named)

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

    def executions(self, order_id: OrderId) -> Sequence[Execution]:
        """See `records.Records.executions`."""
        return self._read(orders.executions, order_id)

    def payload(self, payload_id: BookId) -> bytes | None:
        """See `records.Records.payload`."""
        return self._read(orders.payload, payload_id)

    def positions(self, mode: Mode) -> Sequence[PositionRecord]:
        """See `records.Records.positions`."""
        return self._read(positions.listed, mode)

    def alive_orders(self, mode: Mode) -> Iterable[Order]:
        """See `records.Records.alive_orders`."""
        return self._read(orders.alive, mode)

    def deposited(self, mode: Mode) -> Usdc:
        """See `records.Records.deposited`."""
        return self._read(positions.deposited, mode)

    def all_positions(self) -> Sequence[Position]:
        """See `records.Records.all_positions`."""
        return self._read(checks.positions)

    def all_executions(self) -> Iterable[Execution]:
        """See `records.Records.all_executions`."""
        with faults_named():
            yield from checks.executions(self._connection)

    def order_mismatches(self) -> Sequence[OrderMismatch]:
        """See `records.Records.order_mismatches`."""
        return self._read(checks.order_mismatches)

    def order_count(self) -> int:
        """See `records.Records.order_count`."""
        return self._read(checks.order_count)
