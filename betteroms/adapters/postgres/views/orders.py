"""Orders, as lists and one by one, with everything that happened to them."""

import re
import zlib
from collections.abc import Collection, Sequence
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import facts
from betteroms.adapters.postgres.columns import (
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    execution_from,
    order_from,
    select_list,
)
from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, OrderId, RunId, TokenId
from betteroms.domain.order import ALIVE, Order, OrderStatus
from betteroms.domain.terms import Mode
from betteroms.records import PREFIX_LENGTH_MIN, EventRecord, OrderRecord

CANDIDATES_MAX: Final = 10
_DIGITS_OF_AN_ID: Final = 32
# Whether eight characters are enough is one look at the primary key for each row shown.
_RECORD: Final = f"""
    {select_list(ORDER_COLUMNS, prefix="o.")},
    CASE WHEN EXISTS (SELECT FROM orders p WHERE p.order_id <> o.order_id AND p.order_id BETWEEN
            (left(o.order_id::text, 8) || '-0000-0000-0000-000000000000')::uuid AND
            (left(o.order_id::text, 8) || '-ffff-ffff-ffff-ffffffffffff')::uuid)
        THEN left(o.order_id::text, 18) ELSE left(o.order_id::text, 8) END,
    (SELECT coalesce(m.slug, m.market_id) FROM markets m WHERE m.market_id = o.market_id)
"""  # noqa: S608 - our own column list


def listed(
    connection: psycopg.Connection[Any],
    *,
    statuses: Collection[OrderStatus],
    plan_id: str | None,
    token_prefix: str | None,
    limit: int,
    offset: int,
) -> Sequence[OrderRecord]:
    """See `records.Records.orders`."""
    rows = connection.execute(
        f"""
        SELECT {_RECORD} FROM (
            SELECT o.*, r.started_at FROM orders o JOIN runs r USING (run_id)
            WHERE (%(statuses)s::text[] = '{{}}' OR o.status = ANY(%(statuses)s))
                AND (%(plan_id)s::text IS NULL OR o.plan_id = %(plan_id)s)
                AND (%(token)s::text IS NULL OR starts_with(o.token_id, %(token)s))
            ORDER BY r.started_at DESC, o.run_id, o.line, o.order_id
            LIMIT %(limit)s OFFSET %(offset)s
        ) o ORDER BY o.started_at DESC, o.run_id, o.line, o.order_id
        """,  # noqa: S608 - our own column list
        {
            "statuses": [status.value for status in statuses],
            "plan_id": plan_id,
            "token": token_prefix,
            "limit": limit,
            "offset": offset,
        },
    )
    return [_record(row) for row in rows]


def named(connection: psycopg.Connection[Any], prefix: str) -> Sequence[OrderRecord]:
    """See `records.Records.orders_named`; dashes may be left out."""
    digits = prefix.lower().replace("-", "")
    if not PREFIX_LENGTH_MIN <= len(digits) <= _DIGITS_OF_AN_ID or not re.fullmatch(r"[0-9a-f]+", digits):
        return []
    rows = connection.execute(
        f"SELECT {_RECORD} FROM orders o WHERE o.order_id BETWEEN %s::uuid AND %s::uuid "  # noqa: S608
        "ORDER BY o.order_id LIMIT %s",
        (digits.ljust(_DIGITS_OF_AN_ID, "0"), digits.ljust(_DIGITS_OF_AN_ID, "f"), CANDIDATES_MAX),
    )
    return [_record(row) for row in rows]


def alive(connection: psycopg.Connection[Any], mode: Mode) -> Sequence[Order]:
    """See `records.Records.alive_orders`."""
    rows = connection.execute(
        f"SELECT {select_list(ORDER_COLUMNS)} FROM orders "  # noqa: S608
        "WHERE mode = %s AND status = ANY(%s) ORDER BY order_id",
        (mode, [status.value for status in ALIVE]),
    )
    return [order_from(row) for row in rows]


def events(connection: psycopg.Connection[Any], order_id: OrderId) -> Sequence[EventRecord]:
    """See `records.Records.events`."""
    return _events(connection, "order", order_id, None)


def rule_events(connection: psycopg.Connection[Any], mode: Mode, token_id: TokenId) -> Sequence[EventRecord]:
    """See `records.Records.rule_events`."""
    return _events(connection, "rule", token_id, mode)


def _events(
    connection: psycopg.Connection[Any], kind: str, name: str, mode: Mode | None
) -> Sequence[EventRecord]:
    rows = connection.execute(
        "SELECT sequence, at, event_type, actor, run_id::text, event_data FROM audit_logs "
        "WHERE entity_id = %s AND entity_type = %s AND (%s::text IS NULL OR mode = %s) ORDER BY sequence",
        (name, kind, mode, mode),
    )
    return [
        EventRecord(
            sequence=sequence,
            at=at,
            event_type=event_type,
            actor=actor,
            run_id=None if run_id is None else RunId(run_id),
            data=data,
        )
        for sequence, at, event_type, actor, run_id, data in rows
    ]


def run_of(connection: psycopg.Connection[Any], mode: Mode, event: EventRecord) -> RunId | None:
    """See `records.Records.run_of`. An event carries its run's time, and comes after the run's beginning.

    What the venue told has a time of its own; it belongs to the run that had begun last.
    """
    row = connection.execute(
        """
        SELECT coalesce((
            SELECT run_id::text FROM runs WHERE mode = %(mode)s AND now = %(at)s
                AND ledger_sequence < %(sequence)s ORDER BY ledger_sequence DESC LIMIT 1), (
            SELECT entity_id FROM audit_logs WHERE event_type = 'run_started' AND mode = %(mode)s
                AND sequence < %(sequence)s ORDER BY sequence DESC LIMIT 1))
        """,
        {"mode": mode, "at": event.at, "sequence": event.sequence},
    ).fetchone()
    return None if row is None or row[0] is None else RunId(row[0])


def bounds(connection: psycopg.Connection[Any], order_id: OrderId) -> FillBounds | None:
    """See `records.Records.bounds`."""
    return facts.bounds(connection, [order_id]).get(order_id)


def executions(connection: psycopg.Connection[Any], order_id: OrderId) -> Sequence[Execution]:
    """See `records.Records.executions`."""
    rows = connection.execute(
        f"SELECT {select_list(EXECUTION_COLUMNS)} FROM executions "  # noqa: S608
        "WHERE order_id = %s ORDER BY number",
        (order_id,),
    )
    return [execution_from(row) for row in rows]


def payload(connection: psycopg.Connection[Any], payload_id: BookId) -> bytes | None:
    """See `records.Records.payload`."""
    row = connection.execute(
        "SELECT body FROM book_snapshots WHERE payload_id = %s", (payload_id,)
    ).fetchone()
    return None if row is None else zlib.decompress(row[0])


def _record(row: Sequence[Any]) -> OrderRecord:
    *columns, short_id, market_name = row
    order = order_from(columns)
    return OrderRecord(order=order, short_id=short_id, market_name=market_name or order.intent.market_id)
