"""Whole tables for files: each row as plain values, in blocks, so that few of a million are held at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.database import faults_named
from betteroms.domain.terms import Mode
from betteroms.records import Cell, ExportColumn, Exported, ExportKind

BLOCK_ROWS: Final = 5_000
_MARKET: Final = (
    ("marketId", Cell.WORD, "coalesce(m.slug, {table}.market_id)"),
    ("conditionId", Cell.TEXT, "{table}.market_id"),
    ("tokenId", Cell.TEXT, "{table}.token_id"),
)
# A position knows its outcome by its token alone.
_OUTCOME: Final = """(SELECT o->>'label' FROM jsonb_array_elements(m.outcomes) o
    WHERE o->>'tokenId' = {table}.token_id LIMIT 1)"""
_ADJUSTMENTS: Final = """(SELECT string_agg(concat_ws(': ', a->>0, nullif(a->>1, '')), '; ')
    FROM jsonb_array_elements(o.adjustments) a)"""

_Columns = Sequence[tuple[str, Cell, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where a kind's rows come from; `table` is what mode and time are taken of."""

    columns: _Columns
    tables: str
    table: str
    time: str | None
    order: str


def _market(table: str) -> _Columns:
    return [(name, cell, sql.format(table=table)) for name, cell, sql in _MARKET]


_SOURCES: Final = {
    ExportKind.EXECUTIONS: _Source(
        columns=(
            ("sequence", Cell.WHOLE, "e.sequence"),
            ("orderId", Cell.TEXT, "e.order_id::text"),
            ("number", Cell.WHOLE, "e.number"),
            ("mode", Cell.WORD, "e.mode"),
            ("runId", Cell.TEXT, "o.run_id::text"),
            ("planId", Cell.WORD, "o.plan_id"),
            ("line", Cell.WHOLE, "o.line"),
            *_market("e"),
            ("outcome", Cell.WORD, "o.outcome"),
            ("side", Cell.WORD, "e.side"),
            ("price", Cell.PRICE, "e.price"),
            ("size", Cell.AMOUNT, "e.size"),
            ("cash", Cell.AMOUNT, "e.cash"),
            ("fee", Cell.AMOUNT, "e.fee"),
            ("liquidity", Cell.WORD, "e.liquidity"),
            ("at", Cell.TIME, "e.executed_at"),
            ("externalExecutionId", Cell.TEXT, "e.external_execution_id"),
        ),
        tables="executions e JOIN orders o USING (order_id) LEFT JOIN markets m ON m.market_id = e.market_id",
        table="e",
        time="e.executed_at",
        order="e.sequence",
    ),
    ExportKind.ORDERS: _Source(
        columns=(
            ("orderId", Cell.TEXT, "o.order_id::text"),
            ("mode", Cell.WORD, "o.mode"),
            ("runId", Cell.TEXT, "o.run_id::text"),
            ("source", Cell.WORD, "o.source"),
            ("planId", Cell.WORD, "o.plan_id"),
            ("line", Cell.WHOLE, "o.line"),
            ("ref", Cell.TEXT, "o.ref"),
            *_market("o"),
            ("outcome", Cell.WORD, "o.outcome"),
            ("side", Cell.WORD, "o.side"),
            ("type", Cell.WORD, "o.order_type"),
            ("timeInForce", Cell.WORD, "o.time_in_force"),
            ("postOnly", Cell.FLAG, "o.post_only"),
            ("wishedSize", Cell.AMOUNT, "CASE WHEN o.wished_unit = 'SHARES' THEN o.wished_amount END"),
            ("wishedDollars", Cell.AMOUNT, "CASE WHEN o.wished_unit = 'DOLLARS' THEN o.wished_amount END"),
            ("wishedPrice", Cell.PRICE, "o.wished_price"),
            ("priceCeil", Cell.PRICE, "o.price_ceil"),
            ("priceFloor", Cell.PRICE, "o.price_floor"),
            ("size", Cell.AMOUNT, "CASE WHEN o.amount_unit = 'SHARES' THEN o.amount END"),
            ("dollars", Cell.AMOUNT, "CASE WHEN o.amount_unit = 'DOLLARS' THEN o.amount END"),
            ("limitPrice", Cell.PRICE, "o.limit_price"),
            ("status", Cell.WORD, "o.status"),
            ("code", Cell.WORD, "o.code"),
            ("reason", Cell.TEXT, "nullif(o.reason, '')"),
            ("filledSize", Cell.AMOUNT, "o.filled_size"),
            ("filledCash", Cell.AMOUNT, "o.filled_cash"),
            ("fills", Cell.WHOLE, "o.fills"),
            ("adjustments", Cell.TEXT, _ADJUSTMENTS),
            ("exempt", Cell.FLAG, "o.exempt"),
            ("createdAt", Cell.TIME, "o.created_at"),
            ("placedAt", Cell.TIME, "o.placed_at"),
            ("expiresAt", Cell.TIME, "o.expires_at"),
            ("replaces", Cell.TEXT, "o.replaces::text"),
            ("externalOrderId", Cell.TEXT, "o.external_order_id"),
            ("notes", Cell.TEXT, "o.notes"),
        ),
        tables="orders o LEFT JOIN markets m ON m.market_id = o.market_id",
        table="o",
        time="o.created_at",
        order="o.created_at, o.run_id, o.line, o.order_id",
    ),
    ExportKind.POSITIONS: _Source(
        columns=(
            ("mode", Cell.WORD, "p.mode"),
            *_market("p"),
            ("outcome", Cell.WORD, _OUTCOME.format(table="p")),
            ("size", Cell.AMOUNT, "p.size"),
            ("costBasis", Cell.AMOUNT, "p.cost_basis"),
            ("realised", Cell.AMOUNT, "p.realised"),
            ("fees", Cell.AMOUNT, "p.fees"),
            ("openedAt", Cell.TIME, "p.opened_at"),
            ("bestBid", Cell.PRICE, "p.best_bid"),
            ("bestAsk", Cell.PRICE, "p.best_ask"),
            ("markedAt", Cell.TIME, "p.marked_at"),
        ),
        tables="positions p LEFT JOIN markets m ON m.market_id = p.market_id",
        table="p",
        time=None,
        order="p.mode, p.token_id",
    ),
    ExportKind.ENTRIES: _Source(
        columns=(
            ("sequence", Cell.WHOLE, "l.sequence"),
            ("key", Cell.TEXT, "l.key"),
            ("mode", Cell.WORD, "l.mode"),
            ("kind", Cell.WORD, "l.kind"),
            *_market("l"),
            ("outcome", Cell.WORD, _OUTCOME.format(table="l")),
            ("size", Cell.AMOUNT, "l.size"),
            ("payout", Cell.PRICE, "l.payout"),
            ("paidFor", Cell.AMOUNT, "l.paid_for"),
            ("cash", Cell.AMOUNT, "l.cash"),
            ("at", Cell.TIME, "l.at"),
            ("note", Cell.TEXT, "l.note"),
        ),
        tables="ledger_entries l LEFT JOIN markets m ON m.market_id = l.market_id",
        table="l",
        time="l.at",
        order="l.sequence",
    ),
    ExportKind.SNAPSHOTS: _Source(
        columns=(
            ("mode", Cell.WORD, "s.mode"),
            ("hour", Cell.TIME, "s.hour"),
            ("takenAt", Cell.TIME, "s.taken_at"),
            ("runId", Cell.TEXT, "s.run_id::text"),
            ("positions", Cell.WHOLE, "s.positions"),
            ("costBasis", Cell.AMOUNT, "s.cost_basis"),
            ("marketValue", Cell.AMOUNT, "s.market_value"),
            ("realised", Cell.AMOUNT, "s.realised"),
            ("unrealised", Cell.AMOUNT, "s.unrealised"),
            ("fees", Cell.AMOUNT, "s.fees"),
            ("cash", Cell.AMOUNT, "s.cash"),
            ("deposited", Cell.AMOUNT, "s.deposited"),
            ("netLiquidation", Cell.AMOUNT, "s.net_liquidation"),
            ("pessimistic", Cell.AMOUNT, "s.pessimistic"),
            ("optimistic", Cell.AMOUNT, "s.optimistic"),
        ),
        tables="portfolio_snapshots s",
        table="s",
        time="s.taken_at",
        order="s.mode, s.hour",
    ),
}


def exported(
    connection: psycopg.Connection[Any],
    kind: ExportKind,
    *,
    mode: Mode | None,
    since: datetime | None,
    until: datetime | None,
) -> Exported:
    """See `records.Records.exported`."""
    source = _SOURCES[kind]
    bounds = {"mode": mode, "since": since, "until": until} if source.time else {"mode": mode}
    return Exported(
        columns=[ExportColumn(name=name, cell=cell) for name, cell, _ in source.columns],
        blocks=_blocks(connection, _statement(source), bounds),
    )


def _statement(source: _Source) -> str:
    """Everything in it is of this file."""
    columns = ", ".join(
        f"(({sql}) * 1000000)::bigint" if cell in (Cell.PRICE, Cell.AMOUNT) else sql
        for _, cell, sql in source.columns
    )
    where = f"(%(mode)s::text IS NULL OR {source.table}.mode = %(mode)s)"
    if source.time:
        where += (
            f" AND (%(since)s::timestamptz IS NULL OR {source.time} >= %(since)s)"
            f" AND (%(until)s::timestamptz IS NULL OR {source.time} < %(until)s)"
        )
    return f"SELECT {columns} FROM {source.tables} WHERE {where} ORDER BY {source.order}"  # noqa: S608


def _blocks(
    connection: psycopg.Connection[Any], statement: str, bounds: dict[str, Any]
) -> Iterator[Sequence[Sequence[Any]]]:
    """The server keeps what is not yet wanted."""
    with faults_named(), connection.cursor(name="export") as cursor:
        cursor.execute(statement, bounds)
        while block := cursor.fetchmany(BLOCK_ROWS):
            yield block
