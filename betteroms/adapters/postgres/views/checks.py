"""What `positions verify` compares: every fact, and every projection of it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import EXECUTION_COLUMNS, execution_from, select_list
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import Size, Usdc
from betteroms.domain.position import Position
from betteroms.domain.terms import Mode
from betteroms.records import OrderMismatch

BLOCK_ROWS: Final = 5_000
_POSITION: Final = ("mode", "token_id", "market_id", "size", "cost_basis", "realised", "fees", "opened_at")


def positions(connection: psycopg.Connection[Any]) -> Sequence[Position]:
    """See `records.Records.all_positions`."""
    rows = connection.execute(
        f"SELECT {select_list(_POSITION)} FROM positions ORDER BY mode, token_id"  # noqa: S608
    )
    return [_position(row) for row in rows]


def executions(connection: psycopg.Connection[Any]) -> Iterator[Execution]:
    """See `records.Records.all_executions`; the server keeps what is not yet wanted."""
    with connection.cursor(name="executions") as cursor:
        cursor.itersize = BLOCK_ROWS
        cursor.execute(
            f"SELECT {select_list(EXECUTION_COLUMNS)} FROM executions ORDER BY sequence"  # noqa: S608
        )
        for row in cursor:
            yield execution_from(row)


def order_mismatches(connection: psycopg.Connection[Any]) -> Sequence[OrderMismatch]:
    """See `records.Records.order_mismatches`. A reversal counts against what it reverses."""
    rows = connection.execute(
        """
        SELECT o.order_id::text, (o.filled_size * 1000000)::bigint, (o.filled_cash * 1000000)::bigint,
            o.fills, (coalesce(e.size, 0) * 1000000)::bigint, (coalesce(e.cash, 0) * 1000000)::bigint,
            coalesce(e.number, 0), coalesce(e.highest, 0)
        FROM orders o LEFT JOIN (
            SELECT order_id, sum(size) AS size, sum(sign(size) * abs(cash)) AS cash, count(*) AS number,
                max(number) AS highest
            FROM executions GROUP BY order_id
        ) e USING (order_id)
        WHERE (o.filled_size, o.filled_cash, o.fills::bigint) IS DISTINCT FROM
                (coalesce(e.size, 0), coalesce(e.cash, 0), coalesce(e.number, 0))
            OR coalesce(e.highest, 0) <> coalesce(e.number, 0)
        ORDER BY o.order_id
        """
    )
    return [
        OrderMismatch(
            order_id=OrderId(order_id),
            filled_size=Size(filled_size),
            filled_cash=Usdc(filled_cash),
            fills=fills,
            executed_size=Size(size),
            executed_cash=Usdc(cash),
            executions=number,
            highest_number=highest,
        )
        for order_id, filled_size, filled_cash, fills, size, cash, number, highest in rows
    ]


def order_count(connection: psycopg.Connection[Any]) -> int:
    """See `records.Records.order_count`."""
    row = connection.execute("SELECT count(*) FROM orders").fetchone()
    assert row is not None
    return int(row[0])


def _position(row: Sequence[Any]) -> Position:
    get = dict(zip(_POSITION, row, strict=True))
    return Position(
        **{
            **get,
            "mode": Mode(get["mode"]),
            "token_id": TokenId(get["token_id"]),
            "market_id": MarketId(get["market_id"]),
        }
    )
