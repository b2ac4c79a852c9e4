"""What a run has decided and not yet written, and the bulk writes that make it last."""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import (
    AUDIT_COLUMNS,
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    document,
    execution_line,
    instant,
    micros,
    order_line,
    text,
    time,
)
from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, OrderId, TokenId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    Denied,
    Expired,
    Filled,
    Order,
    OrderEvent,
    Rejected,
    Reversed,
    Unconfirmed,
)
from betteroms.domain.position import LedgerEntry, Position
from betteroms.ports import Payload, PayloadKind, Run, RunInputs

COPY_BLOCK_LINES: Final = 500
EVENT_TYPES: Final[dict[type, str]] = {
    Denied: "order_denied",
    Unconfirmed: "order_unconfirmed",
    Accepted: "order_placed",
    Rejected: "order_rejected",
    Filled: "order_filled",
    CancelRequested: "order_cancel_requested",
    Canceled: "order_canceled",
    Expired: "order_expired",
    Reversed: "order_reversed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMark:
    """The best prices a token was last seen at, and when."""

    best_bid: int | None
    best_ask: int | None
    at: datetime


def mark_of(book: Book) -> SeenMark:
    return SeenMark(best_bid=book.best_bid, best_ask=book.best_ask, at=book.received_at)


@dataclass(slots=True, kw_only=True)
class Staged:
    """Decided, not yet written. `at_once` says that each ledger call is a transaction of its own."""

    at_once: bool = False
    new: dict[OrderId, Order] = field(default_factory=dict)
    moved: dict[OrderId, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    held: set[TokenId] = field(default_factory=set)
    marks: dict[TokenId, SeenMark] = field(default_factory=dict)
    inputs: RunInputs | None = None
    payloads: dict[BookId, tuple[Payload, datetime]] = field(default_factory=dict)
    _audit: list[str] = field(default_factory=list)

    def execution_names(self) -> set[tuple[OrderId, int | str]]:
        """The names of staged fills of orders that could be told again."""
        if not self.moved and not self.executions:
            return set()
        return _names(self.executions)

    def order_event(self, order: Order, event: OrderEvent, actor: str) -> None:
        """Stage an order's event: its audit row is the only record of it."""
        self._audit.append(
            f"{order.mode}\t{order.run_id}\t{EVENT_TYPES[type(event)]}\torder\t{order.order_id}\t"
            f"{_event_data(event)}\t{actor}\t{instant(event.at)}"
        )

    def run_event(self, run: Run, event_type: str, actor: str, data: Any) -> None:
        self._audit.append(
            f"{run.mode}\t{run.run_id}\t{event_type}\trun\t{run.run_id}\t{document(data)}\t{actor}\t"
            f"{run.now.isoformat()}"
        )

    def entry_event(self, entry: LedgerEntry, run: Run, actor: str) -> None:
        data = document({"kind": entry.kind, "cash": f"{entry.cash}e-6", "note": entry.note})
        self._audit.append(
            f"{entry.mode}\t{run.run_id}\tledger_entry\tentry\t{text(entry.key)}\t{data}\t{actor}\t"
            f"{entry.at.isoformat()}"
        )

    def write_audit(self, connection: psycopg.Connection[Any]) -> None:
        _copy(connection, "audit_logs", AUDIT_COLUMNS, self._audit)
        self._audit = []

    def write(
        self,
        connection: psycopg.Connection[Any],
        run: Run,
        positions: Sequence[Position],
        memory: LiquidityMemory,
    ) -> None:
        """Write everything staged, in the caller's transaction."""
        self._write_inputs(connection)
        _copy(connection, "orders", ORDER_COLUMNS, map(order_line, self.new.values()))
        _move_orders(connection, self.moved.values())
        _copy(connection, "executions", EXECUTION_COLUMNS, map(execution_line, self.executions))
        self.write_audit(connection)
        _write_positions(connection, positions)
        _write_marks(connection, run, self.marks)
        _write_memory(connection, run, memory)

    def inputs_json(self) -> str | None:
        """What the run read, by content: enough to find every payload again."""
        if self.inputs is None:
            return None
        books = {
            token: {
                "id": book.book_id,
                "receivedAt": book.received_at.isoformat(),
                "hashCheck": book.hash_check,
                "recorded": book.recorded,
                "mirrored": book.mirrored,
            }
            for token, book in sorted(self.inputs.books.items())
        }
        markets = {market.market_id: market.row_id for market in self.inputs.markets.values()}
        return json.dumps({"books": books, "markets": dict(sorted(markets.items()))})

    def plan_payload_id(self) -> str | None:
        for payload, _ in self.payloads.values():
            if payload.kind is PayloadKind.PLAN:
                return payload.payload_id
        return None

    def _write_inputs(self, connection: psycopg.Connection[Any]) -> None:
        if self.payloads:
            kept = [p for p, _ in self.payloads.values()]
            connection.execute(
                """
                INSERT INTO book_snapshots (payload_id, kind, subject, received_at, body)
                SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::bytea[])
                ON CONFLICT (payload_id) DO NOTHING
                """,
                (
                    [p.payload_id for p in kept],
                    [p.kind.value for p in kept],
                    [p.subject for p in kept],
                    [at for _, at in self.payloads.values()],
                    [zlib.compress(p.body, 1) for p in kept],
                ),
            )
        if self.inputs is not None:
            at = [at for _, at in self.payloads.values()]
            _write_markets(connection, list(self.inputs.markets.values()), at[0] if at else None)


def _names(executions: Iterable[Execution]) -> set[tuple[OrderId, int | str]]:
    names: set[tuple[OrderId, int | str]] = set()
    for execution in executions:
        names.add((execution.order_id, execution.number))
        if execution.external_execution_id is not None:
            names.add((execution.order_id, execution.external_execution_id))
    return names


def _event_data(event: OrderEvent) -> str:
    if isinstance(event, Accepted | Expired):
        return "{}"
    if isinstance(event, Filled):
        # Written by hand: this is the longest loop of a run, and every value is a number or a hash.
        executions = ",".join(f"[{e.number},{e.price},{e.size},{e.fee}]" for e in event.executions)
        taken = ",".join(f"[{level.price},{level.size}]" for level in event.taken)
        return (
            f'{{"book":"{event.book_id}","complete":{str(event.complete).lower()},'
            f'"executions":[{executions}],"taken":[{taken}]}}'
        )
    if isinstance(event, Denied):
        return document({"code": event.denial.code, "detail": event.denial.detail})
    if isinstance(event, Rejected):
        return document({"code": event.code, "reason": event.reason})
    if isinstance(event, Canceled):
        return document({"code": event.code})
    if isinstance(event, Reversed):
        return document({"executions": [e.number for e in event.executions]})
    return document({"reason": event.reason})


def _copy(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """COPY lines in blocks, so that memory stays bounded and the server works while we format."""
    block: list[str] = []
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for line in lines:
            block.append(line)
            if len(block) >= COPY_BLOCK_LINES:
                copy.write("\n".join(block) + "\n")
                block.clear()
        if block:
            copy.write("\n".join(block) + "\n")


def _move_orders(connection: psycopg.Connection[Any], orders: Iterable[Order]) -> None:
    moved = list(orders)
    if not moved:
        return
    connection.execute(
        """
        UPDATE orders o SET status = n.status, code = n.code, reason = n.reason,
            filled_size = n.filled_size, filled_cash = n.filled_cash, fills = n.fills,
            placed_at = n.placed_at, sending_at = n.sending_at, external_order_id = n.external_order_id
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::numeric[],
            %s::integer[], %s::timestamptz[], %s::timestamptz[], %s::text[])
            AS n (order_id, status, code, reason, filled_size, filled_cash, fills, placed_at, sending_at,
                external_order_id)
        WHERE o.order_id = n.order_id
        """,
        (
            [order.order_id for order in moved],
            [order.status.value for order in moved],
            [order.code for order in moved],
            [order.reason for order in moved],
            [micros(order.filled_size) for order in moved],
            [micros(order.filled_cash) for order in moved],
            [order.fills for order in moved],
            [order.placed_at for order in moved],
            [order.sending_at for order in moved],
            [order.external_order_id for order in moved],
        ),
    )


def _write_positions(connection: psycopg.Connection[Any], positions: Sequence[Position]) -> None:
    if not positions:
        return
    connection.execute(
        """
        INSERT INTO positions (mode, token_id, market_id, size, cost_basis, realised, fees, opened_at)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::numeric[], %s::numeric[], %s::numeric[],
            %s::numeric[], %s::timestamptz[])
        ON CONFLICT (mode, token_id) DO UPDATE SET size = EXCLUDED.size, cost_basis = EXCLUDED.cost_basis,
            realised = EXCLUDED.realised, fees = EXCLUDED.fees, opened_at = EXCLUDED.opened_at
        """,
        (
            [position.mode.value for position in positions],
            [position.token_id for position in positions],
            [position.market_id for position in positions],
            [micros(position.size) for position in positions],
            [micros(position.cost_basis) for position in positions],
            [micros(position.realised) for position in positions],
            [micros(position.fees) for position in positions],
            [position.opened_at for position in positions],
        ),
    )


def _write_marks(connection: psycopg.Connection[Any], run: Run, marks: dict[TokenId, SeenMark]) -> None:
    """Remember the prices at which what we hold was last seen."""
    if not marks:
        return
    connection.execute(
        """
        UPDATE positions p SET best_bid = n.best_bid, best_ask = n.best_ask, marked_at = n.marked_at
        FROM unnest(%s::text[], %s::numeric[], %s::numeric[], %s::timestamptz[])
            AS n (token_id, best_bid, best_ask, marked_at)
        WHERE p.mode = %s AND p.token_id = n.token_id
        """,
        (
            list(marks),
            [_number(mark.best_bid) for mark in marks.values()],
            [_number(mark.best_ask) for mark in marks.values()],
            [mark.at for mark in marks.values()],
            run.mode,
        ),
    )


def _number(value: int | None) -> str | None:
    return None if value is None else micros(value)


def _write_memory(connection: psycopg.Connection[Any], run: Run, memory: LiquidityMemory) -> None:
    touched = sorted(memory.touched)
    if not touched:
        return
    connection.execute(
        "DELETE FROM liquidity_taken WHERE mode = %s AND market_id = ANY(%s)", (run.mode, touched)
    )
    rows = memory.rows(touched)
    lines = (
        f"{run.mode}\t{row.market_id}\t{row.price}e-6\t{row.size}e-6\t{row.changed_at_ms}" for row in rows
    )
    _copy(connection, "liquidity_taken", ("mode", "market_id", "price", "size", "changed_at_ms"), lines)


def _write_markets(
    connection: psycopg.Connection[Any], markets: Sequence[Market], seen_at: datetime | None
) -> None:
    """Refresh the registry. A synthesised market never overwrites what a market row said."""
    if not markets or seen_at is None:
        return
    columns = (
        "market_id", "slug", "question", "gamma_id", "event_slug", "outcomes", "tick_size", "minimum_size",
        "fee_rate", "fee_exponent", "fee_assumed", "neg_risk", "closed", "accepting_orders", "ends_at",
        "recorded", "row_id", "seen_at",
    )  # fmt: skip
    connection.execute("CREATE TEMP TABLE seen (LIKE markets) ON COMMIT DROP")
    _copy(connection, "seen", columns, (_market_line(market, seen_at) for market in markets))
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns[1:])
    names = ", ".join(columns)
    connection.execute(
        f"INSERT INTO markets ({names}) SELECT {names} FROM seen "  # noqa: S608 - our own names
        f"ON CONFLICT (market_id) DO UPDATE SET {updates} "
        "WHERE EXCLUDED.row_id IS NOT NULL AND EXCLUDED.row_id IS DISTINCT FROM markets.row_id"
    )


def _market_line(market: Market, seen_at: datetime) -> str:
    outcomes = [{"tokenId": outcome.token_id, "label": outcome.label} for outcome in market.outcomes]
    return "\t".join(
        (
            text(market.market_id),
            text(market.slug),
            text(market.question),
            text(market.gamma_id),
            text(market.event_slug),
            document(outcomes),
            micros(market.tick_size),
            micros(market.minimum_size),
            micros(market.fees.rate),
            str(market.fees.exponent),
            "t" if market.fees.assumed else "f",
            "t" if market.neg_risk else "f",
            "t" if market.closed else "f",
            "t" if market.accepting_orders else "f",
            time(market.ends_at),
            "t" if market.recorded else "f",
            text(market.row_id),
            seen_at.isoformat(),
        )
    )
