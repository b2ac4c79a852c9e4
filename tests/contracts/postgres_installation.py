"""The Postgres ledger, read past by SQL of its own and on a connection of its own."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import psycopg

from betteroms.adapters.postgres import database, facts
from betteroms.adapters.postgres.columns import (
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    execution_from,
    order_from,
    select_list,
)
from betteroms.adapters.postgres.ledger import PostgresLedger
from betteroms.adapters.postgres.staging import EVENT_TYPES, RECORDED
from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId
from betteroms.domain.liquidity import Taken
from betteroms.domain.money import Price, Size
from betteroms.domain.order import Order
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import EntryKind, LedgerEntry, Position
from betteroms.domain.run import RunStatus
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, Ledger, OrderBounds, Payload, PayloadKind
from tests.contracts.ledgers import RunSeen

TABLES = (
    "plans, execution_rules, fill_bounds, tilts, portfolio_snapshots, settings, "
    "runs, markets, book_snapshots, liquidity_taken, "
    "signed_orders, chain_states, orders, executions, positions, ledger_entries, audit_logs"
)
_POSITION = ("mode", "token_id", "market_id", "size", "cost_basis", "realised", "fees", "opened_at")
_ENTRY = ("key", "cash", "at", "note", "market_id", "token_id", "size", "payout", "paid_for")
_SNAPSHOT = tuple(field.name for field in fields(PortfolioSnapshot))
_EVENT_NAMES = {kept: event.__name__ for event, kept in EVENT_TYPES.items()}


class PostgresReader:
    """Keeps the promise of `ledgers.Reader`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def orders(self) -> Sequence[Order]:
        rows = self._rows(f"SELECT {select_list(ORDER_COLUMNS)} FROM orders ORDER BY order_id::text")
        signed = {
            name: Secret(body) for name, body in self._rows("SELECT order_id::text, body FROM signed_orders")
        }
        return [replace(order, signed=signed.get(order.order_id)) for order in map(order_from, rows)]

    def executions(self) -> Sequence[Execution]:
        rows = self._rows(f"SELECT {select_list(EXECUTION_COLUMNS)} FROM executions ORDER BY sequence")
        return [execution_from(row) for row in rows]

    def positions(self) -> Sequence[Position]:
        rows = self._rows(f"SELECT {select_list(_POSITION)} FROM positions ORDER BY mode, token_id")
        return [Position(**{**dict(zip(_POSITION, row, strict=True)), "mode": Mode(row[0])}) for row in rows]

    def entries(self) -> Sequence[LedgerEntry]:
        return [entry for _, entry in self._numbered_entries()]

    def _numbered_entries(self) -> list[tuple[int, LedgerEntry]]:
        rows = self._rows(
            "SELECT sequence, mode, kind, key, (cash * 1000000)::bigint, at, note, market_id, token_id, "
            "(size * 1000000)::bigint, (payout * 1000000)::bigint, (paid_for * 1000000)::bigint "
            "FROM ledger_entries ORDER BY sequence"
        )
        return [
            (
                sequence,
                LedgerEntry(mode=Mode(mode), kind=EntryKind(kind), **dict(zip(_ENTRY, rest, strict=True))),
            )
            for sequence, mode, kind, *rest in rows
        ]

    def facts(self) -> Sequence[Fact]:
        rules = [
            found for mode in sorted(Mode) for found in facts.rules(self._connection, mode, None).values()
        ]
        return [*rules, *self._bounds(), *self._snapshots()]

    def _bounds(self) -> list[Fact]:
        rows = self._rows(
            "SELECT order_id::text, mode, (at_once * 1000000)::bigint, (ahead * 1000000)::bigint, "
            "(pessimistic * 1000000)::bigint, (optimistic * 1000000)::bigint "
            "FROM fill_bounds ORDER BY order_id::text"
        )
        return [
            OrderBounds(
                mode=Mode(mode),
                bounds=FillBounds(
                    order_id=OrderId(name),
                    at_once=Size(at_once),
                    ahead=Size(ahead),
                    pessimistic=Size(pessimistic),
                    optimistic=Size(optimistic),
                ),
            )
            for name, mode, at_once, ahead, pessimistic, optimistic in rows
        ]

    def _snapshots(self) -> list[Fact]:
        money = ", ".join(f"({name} * 1000000)::bigint" for name in _SNAPSHOT[5:])
        rows = self._rows(
            f"SELECT mode, hour, taken_at, run_id::text, positions, {money} FROM portfolio_snapshots "
            "ORDER BY mode, hour"
        )
        return [
            PortfolioSnapshot(**{**dict(zip(_SNAPSHOT, row, strict=True)), "mode": Mode(row[0])})
            for row in rows
        ]

    def movements(self) -> list[Execution | LedgerEntry]:
        """What moved a position, by its number in the ledger: executions, and the entries of tokens."""
        rows = self._rows(f"SELECT sequence, {select_list(EXECUTION_COLUMNS)} FROM executions")
        moved: list[tuple[int, Execution | LedgerEntry]] = [
            (sequence, execution_from(row)) for sequence, *row in rows
        ]
        moved += [(number, entry) for number, entry in self._numbered_entries() if entry.token_id is not None]
        return [fact for _, fact in sorted(moved, key=lambda row: row[0])]

    def audit(self) -> list[tuple[str, str, str]]:
        """Audit rows that are not of orders, in their order: event, kind of thing, which one."""
        return [
            (event, kind, name)
            for event, kind, name in self._rows(
                "SELECT event_type, entity_type, entity_id FROM audit_logs "
                "WHERE entity_type <> 'order' ORDER BY sequence"
            )
        ]

    def taken(self) -> Mapping[Mode, Sequence[Taken]]:
        found: dict[Mode, list[Taken]] = {mode: [] for mode in Mode}
        rows = self._rows(
            "SELECT mode, market_id, (price * 1000000)::bigint, (size * 1000000)::bigint, changed_at_ms "
            'FROM liquidity_taken ORDER BY market_id COLLATE "C", price'
        )
        for mode, market, price, size, stamp in rows:
            found[Mode(mode)].append(
                Taken(market_id=MarketId(market), price=Price(price), size=Size(size), changed_at_ms=stamp)
            )
        return found

    def runs(self) -> Sequence[RunSeen]:
        rows = self._rows(
            "SELECT run_id::text, kind, mode, plan_id, content_hash, status, attempt, now, completed_at, "
            "error_message, summary_json FROM runs ORDER BY run_id::text"
        )
        seen = []
        for run_id, kind, mode, plan_id, content_hash, status, attempt, now, completed_at, *ended in rows:
            error, summary = ended
            seen.append(
                RunSeen(
                    run_id=RunId(run_id),
                    kind=kind,
                    mode=Mode(mode),
                    plan_id=plan_id,
                    content_hash=content_hash,
                    status=RunStatus(status),
                    attempt=attempt,
                    now=now,
                    completed_at=completed_at,
                    error=error,
                    summary=summary,
                )
            )
        return seen

    def events(self) -> Sequence[tuple[OrderId, str]]:
        rows = self._rows(
            "SELECT entity_id, event_type FROM audit_logs WHERE entity_type = 'order' "
            f"AND event_type <> '{RECORDED}' ORDER BY sequence"
        )
        return [(OrderId(name), _EVENT_NAMES[kind]) for name, kind in rows]

    def payloads(self) -> Sequence[Payload]:
        rows = self._rows("SELECT payload_id, kind, subject, body FROM book_snapshots ORDER BY payload_id")
        return [
            Payload(
                payload_id=BookId(name), kind=PayloadKind(kind), subject=subject, body=zlib.decompress(body)
            )
            for name, kind, subject, body in rows
        ]


class PostgresInstallation:
    """A database, and the connection of the process that works on it now."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._watching = database.connect(conninfo, name="reader")
        self.reader = PostgresReader(self._watching)
        self._open()

    @property
    def ledger(self) -> Ledger:
        return self._ledger

    def state_of(self, run_id: RunId) -> Any:
        """What is kept of the ledger's state with this run, as JSON reads."""
        row = self._watching.execute("SELECT state FROM runs WHERE run_id = %s", (run_id,)).fetchone()
        assert row is not None
        return row[0]

    def die(self) -> None:
        """The connection goes with the process, and with it everything uncommitted."""
        # A process takes its threads along. Here one that is still sending would go on with a closed
        # connection, whose descriptor may be that of the next one by then.
        self._ledger._background.abandon()
        self._connection.close()
        self._open()

    def close(self) -> None:
        self._connection.close()
        self._watching.close()

    def _open(self) -> None:
        self._connection = database.connect(self._conninfo, name="ledger")
        self._ledger = PostgresLedger(self._connection)


def emptied(conninfo: str) -> None:
    """Take everything out of a database, quicker than making another; a superuser may."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"TRUNCATE {TABLES}")
        connection.execute("ALTER SEQUENCE ledger_sequence RESTART")
