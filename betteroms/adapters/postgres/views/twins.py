"""Live orders beside their twins on paper, as the audit rows tell of these."""

from collections.abc import Sequence
from typing import Any

import psycopg

from betteroms.adapters.postgres.views.reports import within
from betteroms.domain.money import Size, Usdc, to_micros
from betteroms.domain.period import Period
from betteroms.domain.terms import Mode
from betteroms.reckoning import Filled, TwinRecord


def listed(connection: psycopg.Connection[Any], period: Period) -> Sequence[TwinRecord]:
    """See `reckoning.Reckoning.twins`; what a reversal took back counts against what was taken."""
    rows = connection.execute(
        f"""
        SELECT o.order_id::text, o.plan_id, o.market_id, coalesce(m.slug, o.market_id), o.outcome, o.side,
            o.status, o.code, t.event_data, o.sending_at,
            coalesce(sum(e.size) FILTER (WHERE e.liquidity = 'TAKER'), 0) * 1000000,
            abs(coalesce(sum(e.cash) FILTER (WHERE e.liquidity = 'TAKER'), 0)) * 1000000,
            coalesce(sum(e.fee) FILTER (WHERE e.liquidity = 'TAKER'), 0) * 1000000,
            coalesce(sum(e.size) FILTER (WHERE e.liquidity = 'MAKER'), 0) * 1000000,
            max(e.executed_at) FILTER (WHERE e.liquidity = 'TAKER')
        FROM audit_logs t JOIN orders o ON o.order_id = t.entity_id::uuid
            LEFT JOIN markets m ON m.market_id = o.market_id
            LEFT JOIN executions e ON e.order_id = o.order_id
        WHERE t.entity_type = 'twin' AND t.event_type = 'order_twinned' AND {within("o.created_at", period)}
        GROUP BY t.sequence, t.event_data, o.order_id, m.slug ORDER BY t.sequence
        """,  # noqa: S608 - our own names
        {"mode": Mode.LIVE, "since": period.since, "until": period.until},
    )
    return [_record(row) for row in rows]


def _record(row: Sequence[Any]) -> TwinRecord:
    name, plan_id, market, market_name, outcome, side, status, code, twin, sent_at, *figures = row
    size, cash, fee, later, filled_at = figures
    return TwinRecord(
        order_id=name,
        plan_id=plan_id,
        market_id=market,
        market_name=market_name,
        outcome=outcome,
        side=side,
        live=Filled(status=status, code=code, size=Size(int(size)), cash=Usdc(int(cash)), fee=Usdc(int(fee))),
        later=Size(int(later)),
        twin=Filled(
            status=twin["status"],
            code=twin["code"],
            size=Size(to_micros(twin["size"])),
            cash=Usdc(to_micros(twin["cash"])),
            fee=Usdc(to_micros(twin["fee"])),
        ),
        sent_at=sent_at,
        filled_at=filled_at,
    )
