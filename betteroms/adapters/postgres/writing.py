"""The bulk statements that make a run's decisions last; each belongs to the caller's transaction."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg

from betteroms.adapters.postgres.columns import NULL, document, micros, text, time
from betteroms.domain.book import Book
from betteroms.domain.ids import OrderId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.position import Position
from betteroms.domain.terms import Mode
from betteroms.ports import Payload

_MARKET_COLUMNS: Final = (
    "market_id", "slug", "question", "gamma_id", "event_slug", "outcomes", "tick_size", "minimum_size",
    "fee_rate", "fee_exponent", "fee_assumed", "neg_risk", "closed", "accepting_orders", "ends_at",
    "recorded", "row_id", "seen_at", "group_id", "resolved", "payouts", "game_starts_at",
)  # fmt: skip


class CopyText(NamedTuple):
    """Rows of one table, formatted."""

    statement: str
    rows: bytes


def copy_text(table: str, columns: Sequence[str], lines: Iterable[str]) -> CopyText:
    """Format rows for `COPY`; the names are ours, never a user's."""
    text = "\n".join(lines)
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    return CopyText(statement, f"{text}\n".encode() if text else b"")


def send(connection: psycopg.Connection[Any], texts: Iterable[CopyText]) -> None:
    """Append formatted rows, in the transaction that is open."""
    for statement, rows in texts:
        if rows:
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(rows)


def remove_unsent(connection: psycopg.Connection[Any], orders: Sequence[OrderId]) -> None:
    """Make room for orders that were written down, provably never left, and are written anew."""
    if orders:
        connection.execute(
            "DELETE FROM orders WHERE order_id = ANY(%s::uuid[]) AND status = 'NEW' AND sending_at IS NULL",
            (list(orders),),
        )


def write_positions(connection: psycopg.Connection[Any], positions: Sequence[Position]) -> None:
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


def write_marks(connection: psycopg.Connection[Any], mode: Mode, books: Sequence[Book]) -> None:
    """Remember the prices at which what we hold was last seen."""
    if not books:
        return
    connection.execute(
        """
        UPDATE positions p SET best_bid = n.best_bid, best_ask = n.best_ask, marked_at = n.marked_at
        FROM unnest(%s::text[], %s::numeric[], %s::numeric[], %s::timestamptz[])
            AS n (token_id, best_bid, best_ask, marked_at)
        WHERE p.mode = %s AND p.token_id = n.token_id
        """,
        (
            [book.token_id for book in books],
            [_number(book.best_bid) for book in books],
            [_number(book.best_ask) for book in books],
            [book.received_at for book in books],
            mode,
        ),
    )


def _number(value: int | None) -> str | None:
    return None if value is None else micros(value)


def write_memory(connection: psycopg.Connection[Any], mode: Mode, memory: LiquidityMemory) -> None:
    touched = sorted(memory.touched)
    if not touched:
        return
    connection.execute("DELETE FROM liquidity_taken WHERE mode = %s AND market_id = ANY(%s)", (mode, touched))
    rows = memory.rows(touched)
    lines = (f"{mode}\t{row.market_id}\t{row.price}e-6\t{row.size}e-6\t{row.changed_at_ms}" for row in rows)
    send(
        connection,
        [copy_text("liquidity_taken", ("mode", "market_id", "price", "size", "changed_at_ms"), lines)],
    )


def write_payloads(connection: psycopg.Connection[Any], payloads: Sequence[Payload], at: datetime) -> None:
    """Keep what was read, compressed, once each."""
    if not payloads:
        return
    connection.execute(
        """
        INSERT INTO book_snapshots (payload_id, kind, subject, received_at, body)
        SELECT payload_id, kind, subject, %s, body
        FROM unnest(%s::text[], %s::text[], %s::text[], %b::bytea[]) AS n (payload_id, kind, subject, body)
        ON CONFLICT (payload_id) DO NOTHING
        """,
        (
            at,
            [payload.payload_id for payload in payloads],
            [payload.kind.value for payload in payloads],
            [payload.subject for payload in payloads],
            [zlib.compress(payload.body, level=1) for payload in payloads],
        ),
    )


def write_markets(connection: psycopg.Connection[Any], markets: Sequence[Market], seen_at: datetime) -> None:
    """Refresh the registry. A synthesised market never overwrites what a market row said."""
    if not markets:
        return
    connection.execute("CREATE TEMP TABLE seen (LIKE markets) ON COMMIT DROP")
    lines = (_market_line(market, seen_at) for market in markets)
    send(connection, [copy_text("seen", _MARKET_COLUMNS, lines)])
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in _MARKET_COLUMNS[1:])
    names = ", ".join(_MARKET_COLUMNS)
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
            text(market.group_id),
            "t" if market.resolved else "f",
            NULL if market.payouts is None else document(market.payouts),
            time(market.game_starts_at),
        )
    )
