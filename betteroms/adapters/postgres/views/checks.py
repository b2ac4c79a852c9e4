"""What `positions verify` compares: every fact, and every projection of it."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import tilts
from betteroms.adapters.postgres.columns import select_list
from betteroms.adapters.postgres.views import reports
from betteroms.adapters.postgres.views.reports import SNAPSHOT_COLUMNS, snapshot_from
from betteroms.domain.bounds_value import Tilt
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import Size, Usdc
from betteroms.domain.period import Period
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Position
from betteroms.domain.terms import Mode
from betteroms.executors.live.fills import REVERSAL
from betteroms.reckoning import BoundsMismatch, SettlementMismatch, SignedMismatch, TiltMismatch
from betteroms.records import OrderMismatch

_POSITION: Final = ("mode", "token_id", "market_id", "size", "cost_basis", "realised", "fees", "opened_at")


def positions(connection: psycopg.Connection[Any]) -> Sequence[Position]:
    """See `records.Records.all_positions`."""
    rows = connection.execute(
        f"SELECT {select_list(_POSITION)} FROM positions ORDER BY mode, token_id"  # noqa: S608
    )
    return [_position(row) for row in rows]


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


def bounds_mismatches(connection: psycopg.Connection[Any]) -> Sequence[BoundsMismatch]:
    """See `reckoning.Reckoning.bounds_mismatches`."""
    rows = connection.execute(
        """
        SELECT order_id::text, (b.pessimistic * 1000000)::bigint, (o.filled_size * 1000000)::bigint,
            (b.optimistic * 1000000)::bigint
        FROM fill_bounds b JOIN orders o USING (order_id)
        WHERE NOT (b.pessimistic <= o.filled_size AND o.filled_size <= b.optimistic)
        ORDER BY order_id
        """
    )
    return [
        BoundsMismatch(
            order_id=OrderId(order_id), pessimistic=Size(least), filled=Size(filled), optimistic=Size(most)
        )
        for order_id, least, filled, most in rows
    ]


def tilt_mismatches(connection: psycopg.Connection[Any]) -> Sequence[TiltMismatch]:
    """See `reckoning.Reckoning.tilt_mismatches`."""
    found: list[TiltMismatch] = []
    for mode in Mode:
        stored = {one.token_id: one for one in tilts.stored(connection, mode)}
        summed = {one.token_id: one for one in reports.tilts(connection, mode, Period())}
        for token in sorted(stored.keys() | summed.keys()):
            level = Tilt(token_id=token)
            was, says = stored.get(token, level), summed.get(token, level)
            if was != says:
                found.append(TiltMismatch(mode=mode, stored=was, summed=says))
    return found


def settlement_mismatches(connection: psycopg.Connection[Any]) -> Sequence[SettlementMismatch]:
    """See `reckoning.Reckoning.settlement_mismatches`: what failed is taken back, and nothing else is."""
    rows = connection.execute(
        """
        SELECT order_id::text, fill, stored, told, taken_back FROM (
            SELECT f.order_id, f.fill, f.stored, CASE WHEN f.number IS NOT NULL THEN coalesce((
                    SELECT a.event_data->>'state' FROM audit_logs a
                    WHERE a.entity_id = f.order_id::text AND a.event_type = 'order_progressed'
                        AND a.event_data->>'execution' = f.fill
                    ORDER BY a.sequence DESC LIMIT 1), 'MATCHED') END AS told,
                EXISTS (SELECT FROM executions r WHERE r.order_id = f.order_id
                    AND r.external_execution_id = f.fill || %s) AS taken_back
            FROM (
                SELECT order_id, external_execution_id AS fill, c.state AS stored, e.number
                FROM (SELECT order_id, external_execution_id, number FROM executions
                    WHERE external_execution_id IS NOT NULL AND size > 0) e
                FULL JOIN chain_states c USING (order_id, external_execution_id)
            ) f
        ) fills
        WHERE stored IS DISTINCT FROM told OR (told = 'FAILED') <> taken_back
        ORDER BY 1, 2
        """,
        (REVERSAL.format(""),),
    )
    return [
        SettlementMismatch(
            order_id=OrderId(name), external_execution_id=fill, stored=stored, told=told, taken_back=undone
        )
        for name, fill, stored, told, undone in rows
    ]


def signed_mismatches(connection: psycopg.Connection[Any]) -> Sequence[SignedMismatch]:
    """See `reckoning.Reckoning.signed_mismatches`. Only live orders are signed and sent, and adopted ones
    were signed elsewhere.
    """
    rows = connection.execute(
        """
        SELECT order_id::text, s.order_id IS NOT NULL FROM orders o LEFT JOIN signed_orders s USING (order_id)
        WHERE (o.mode = 'live' AND o.source <> 'external' AND o.status IN ('NEW', 'UNCONFIRMED', 'OPEN'))
            <> (s.order_id IS NOT NULL)
        ORDER BY 1
        """
    )
    return [SignedMismatch(order_id=OrderId(name), kept=kept) for name, kept in rows]


def snapshot_mismatches(connection: psycopg.Connection[Any]) -> Sequence[PortfolioSnapshot]:
    """See `reckoning.Reckoning.snapshot_mismatches`; the other sums are checks of the table."""
    rows = connection.execute(
        f"SELECT {SNAPSHOT_COLUMNS} FROM portfolio_snapshots "  # noqa: S608 - our own names
        "WHERE cash <> deposited + realised - cost_basis ORDER BY mode, hour"
    )
    return [snapshot_from(row) for row in rows]


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
