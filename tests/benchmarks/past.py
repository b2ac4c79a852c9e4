"""What a year leaves behind besides executions: passes by the ten thousand, snapshots by the hour, what paid.

One real pass, as it was kept, is told again and again with other names and times: rows of their true size.
"""

from typing import Any, Final

import psycopg

RUNS: Final = 10_000
"""A little more than a month of passes, one every five minutes."""
HOURS: Final = 8_760
_ENDED: Final = """
INSERT INTO ledger_entries (key, mode, kind, cash, at, note, market_id, token_id, size, payout, paid_for)
SELECT 'bench-' || token_id, mode, 'SETTLEMENT', size * won, now() - interval '8 days', 'bench', market_id,
    token_id, -size, won, size
FROM positions p JOIN markets m USING (market_id),
    LATERAL (SELECT (m.outcomes->0->>'tokenId' = p.token_id)::integer AS won) paid
WHERE size > 0;
UPDATE positions p SET realised = realised + e.cash - cost_basis, size = 0, cost_basis = 0, opened_at = NULL
FROM ledger_entries e WHERE e.token_id = p.token_id;
UPDATE markets SET closed = true, resolved = true, payouts = '[1000000, 0]'
"""
"""Everything that is held was paid for, more than a week ago."""
_TOLD: Final = """
INSERT INTO audit_logs (mode, run_id, event_type, entity_type, entity_id, event_data, actor, at)
SELECT mode, run_id, event, 'order', order_id::text, data, 'operator', placed_at
FROM orders, (VALUES ('order_placed', '{}'::jsonb), ('order_filled', '{"complete": true}')) AS n (event, data)
WHERE status = 'FILLED' ORDER BY placed_at, line;
INSERT INTO fill_bounds (order_id, mode, at_once, ahead, pessimistic, optimistic)
SELECT order_id, mode, 0, 100, filled_size / 2, filled_size FROM orders WHERE status = 'FILLED';
INSERT INTO tilts
SELECT mode, token_id, min(market_id), sum(-less), sum(-less * limit_price), 0, 0
FROM (SELECT *, CASE side WHEN 'BUY' THEN 1 ELSE -1 END * filled_size / 2 AS less FROM orders) o
WHERE status = 'FILLED' GROUP BY mode, token_id
"""
"""Every order that was filled had rested, and would be half filled in the pessimistic world."""
_PASSES: Final = """
INSERT INTO runs (run_id, kind, mode, status, attempt, now, scheduled_at, started_at, completed_at,
    engine_version, settings, inputs, ledger_sequence, summary_json, state)
SELECT gen_random_uuid(), kind, mode, status, attempt, now - back, scheduled_at - back, started_at - back,
    completed_at - back, engine_version, settings, inputs, ledger_sequence, summary_json, state
FROM runs, generate_series(1, %(runs)s) AS number, LATERAL (SELECT number * interval '5 minutes' AS back) n
WHERE kind = 'maintain';
"""
_STEPS: Final = """
INSERT INTO audit_logs (mode, run_id, event_type, entity_type, entity_id, event_data, actor, at)
SELECT r.mode, r.run_id, a.event_type, 'run', r.run_id::text, a.event_data, a.actor, r.now
FROM runs r, audit_logs a WHERE r.kind = 'maintain' AND a.event_type IN ('run_started', 'run_completed')
    AND a.run_id = (SELECT run_id FROM runs WHERE kind = 'maintain' ORDER BY now DESC LIMIT 1)
    AND a.run_id <> r.run_id
ORDER BY r.now, a.sequence
"""
_WORTH: Final = (
    "positions, cost_basis, market_value, realised, unrealised, fees, cash, deposited, net_liquidation, "
    "pessimistic, optimistic"
)
_SNAPSHOTS: Final = f"""
INSERT INTO portfolio_snapshots (mode, hour, taken_at, run_id, {_WORTH})
SELECT mode, hour - back, taken_at - back, run_id, {_WORTH} FROM portfolio_snapshots,
    generate_series(1, %(hours)s) AS number, LATERAL (SELECT number * interval '1 hour' AS back) n
"""


def end_markets(connection: psycopg.Connection[Any]) -> None:
    """Let everything that a loaded history left behind have been paid, and its orders have rested."""
    with connection.transaction():
        connection.execute(_ENDED)
        connection.execute(_TOLD)


def repeat_pass(connection: psycopg.Connection[Any], *, runs: int, hours: int) -> None:
    """Let the one pass that there was have happened so often before, and so many hours have been kept."""
    with connection.transaction():
        connection.execute(_PASSES, {"runs": runs})
        connection.execute(_STEPS)
        connection.execute(_SNAPSHOTS, {"hours": hours})
    connection.execute("VACUUM ANALYZE")
