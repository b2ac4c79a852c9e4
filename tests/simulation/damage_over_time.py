"""Kinds of damage to what time makes of a ledger, as SQL, and what the auditor must say of each.

Unlike in `damage`, rows are chosen by what they are, in a month that was pressed into a few days.
"""

from tests.simulation.damage import NEW


def _entry(change: str, where: str, pattern: str) -> tuple[str, str]:
    """Change the first entry like this."""
    first = f"(SELECT key FROM ledger_entries WHERE {where} ORDER BY sequence LIMIT 1)"
    return f"UPDATE ledger_entries SET {change} WHERE key = {first}", pattern


PAYMENT = "kind = 'SETTLEMENT' AND payout = 1 AND size < -1"
CORRECTED = "(SELECT token_id FROM ledger_entries WHERE kind = 'REVERSAL')"
ENTRY_COLUMNS = "mode, kind, cash, at, note, market_id, token_id, payout, paid_for"
SETTLED_RUN = (
    "(SELECT run_id FROM audit_logs WHERE entity_type = 'entry' AND event_data ->> 'kind' = 'SETTLEMENT'"
    " ORDER BY sequence LIMIT 1)"
)

PAYOUTS = {
    "paid twice": (
        f"INSERT INTO ledger_entries (key, sequence, {ENTRY_COLUMNS}) SELECT key || 'x', {NEW},"
        f" {ENTRY_COLUMNS} FROM ledger_entries WHERE {PAYMENT}",
        "paid anew what was not taken back",
    ),
    "paid short": _entry("cash = cash - 0.000001", PAYMENT, "paid [0-9]+ for [0-9]+ shares at 1000000"),
    "shares left behind": _entry("size = size + 1", PAYMENT, "took [0-9]+ shares and paid for"),
    "paid under another name": _entry("key = key || 'x'", PAYMENT, "its key is not that of payout 1"),
    "paid at another time": _entry("at = at - interval '1 hour'", PAYMENT, "is not at its run's time"),
    "another payout": _entry("payout = 0, cash = 0", PAYMENT, r"pays 0, the market \["),
    "payout lost": (
        f"DELETE FROM ledger_entries WHERE key = (SELECT key FROM ledger_entries WHERE {PAYMENT}"
        f" AND token_id NOT IN {CORRECTED} ORDER BY sequence LIMIT 1)",
        "are held though their market paid",
    ),
    "correction lost": (
        "DELETE FROM ledger_entries WHERE sequence >="
        " (SELECT min(sequence) FROM ledger_entries WHERE kind = 'REVERSAL')"
        f" AND token_id IN {CORRECTED}",
        "still stands at",
    ),
    "taken back in part": _entry(
        "cash = cash + 0.000001", "kind = 'REVERSAL' AND cash < 0", "is not the opposite of what was paid"
    ),
    "taken back unpaid": _entry("kind = 'REVERSAL'", PAYMENT, "takes back what was not paid"),
    "taken back with shares": _entry("size = -1", "kind = 'REVERSAL'", "moves -1000000 shares"),
    "paid anew as before": _entry(
        "payout = 1 - payout",
        f"kind = 'SETTLEMENT' AND size = 0 AND token_id IN {CORRECTED}",
        "paid anew for other shares, or the same",
    ),
    "paid too early": (
        "UPDATE runs SET inputs = jsonb_set(inputs::jsonb, '{markets}', '{}')"
        f" WHERE run_id = {SETTLED_RUN}",
        "pays before it is final what it pays",
    ),
    "paid by a plan": (
        f"UPDATE runs SET kind = 'trade', plan_id = 'x' WHERE run_id = {SETTLED_RUN}",
        "which is for maintenance to do",
    ),
    "withdrawn untold": (
        f"INSERT INTO ledger_entries (key, sequence, mode, kind, cash, at) VALUES ('w', {NEW}, 'paper',"
        " 'WITHDRAWAL', -1, now())",
        "entry w: is told by 0 events",
    ),
}


def _unended(code: str, pattern: str) -> tuple[str, str]:
    """Forget that orders ended so."""
    return (
        f"DELETE FROM audit_logs WHERE event_type = 'order_canceled' AND event_data ->> 'code' = '{code}'",
        pattern,
    )


ENDINGS = {
    "outlived its market": _unended("MARKET_CLOSED", "rests in a market that is closed"),
    "outlived the game": _unended("GAME_STARTED", "rests, though the game began"),
    "outlived its time": _unended("CANCEL_AFTER", "rests, though it ran out at"),
    "ran out early": (
        "UPDATE orders SET expires_at = expires_at + interval '9 days' WHERE status = 'EXPIRED'",
        "ran out before its time",
    ),
    "ran out without a time": (
        "UPDATE orders SET expires_at = NULL WHERE code = 'CANCEL_AFTER'",
        "ran out before its time",
    ),
    "expired for no reason": (
        "UPDATE orders SET time_in_force = 'GTC' WHERE status = 'EXPIRED'",
        "expired, and is GTC",
    ),
}

OUTLIVED = """(SELECT count(*) FROM executions e JOIN orders y USING (order_id)
    WHERE e.liquidity = 'MAKER' AND e.token_id = x.token_id AND e.side = x.side AND e.order_id <> x.order_id
    AND x.placed_at < e.executed_at AND e.executed_at < (SELECT max(at) FROM audit_logs
        WHERE entity_id = x.order_id::text AND event_type IN ('order_canceled', 'order_expired'))) > 0"""

TURNS = {
    "passed over": (
        f"UPDATE orders x SET limit_price = 0.99 WHERE side = 'BUY' AND {OUTLIVED}",
        "still waits though .*, behind it, was filled",
    ),
    "out of turn": (
        "UPDATE orders x SET placed_at = '2026-01-01'::timestamptz + (random() * interval '1 day')"
        " WHERE EXISTS (SELECT FROM executions e WHERE e.order_id = x.order_id AND e.liquidity = 'MAKER')",
        "resting orders were filled out of turn|placed_at is not when it was placed",
    ),
    "bounds lost": ("DELETE FROM fill_bounds", "the table holds None, the books make"),
    "bounds of nothing": (
        "INSERT INTO fill_bounds SELECT order_id, mode, 0, 0, 0, 0 FROM orders"
        " WHERE status = 'DENIED' LIMIT 1",
        "the table holds some, the books make None",
    ),
    "ahead miscounted": ("UPDATE fill_bounds SET ahead = ahead + 1", "ahead is .*, the books make"),
    "at once miscounted": (
        "UPDATE fill_bounds SET at_once = pessimistic WHERE pessimistic > at_once",
        "at_once is [0-9]+, the books make",
    ),
    "worst too good": (
        "UPDATE fill_bounds SET pessimistic = optimistic",
        r"[0-9]+ <= [0-9]+ <= [0-9]+ does not hold",
    ),
    "best too bad": (
        "UPDATE fill_bounds SET optimistic = pessimistic",
        "optimistic is .*, the books make",
    ),
    "bounds of another mode": ("UPDATE fill_bounds SET mode = 'live'", "bounds of .*: are live"),
}

EXIT = "(SELECT order_id FROM orders WHERE source = 'rule' ORDER BY created_at, order_id LIMIT 1)"
LATER = (
    "(SELECT order_id FROM orders WHERE source = 'rule' AND (intent_key::jsonb ->> 4)::int > 1"
    " ORDER BY created_at, order_id LIMIT 1)"
)

EXITS = {
    "exit of nothing": (
        f'UPDATE orders SET intent_key = \'["paper","rule"]\' WHERE order_id = {EXIT}',
        "its key is",
    ),
    "exit for another cause": (
        "UPDATE orders SET intent_key = jsonb_set(intent_key::jsonb, '{3}', '\"WHIM\"')"
        f" WHERE order_id = {EXIT}",
        "no rule .* asked for attempt 1 because of WHIM",
    ),
    "exit under another name": (
        f"UPDATE orders SET order_id = gen_random_uuid() WHERE order_id = {EXIT}",
        "its id does not follow from its key|is told and does not exist|of an order that does not exist",
    ),
    "exit that buys": (
        f"UPDATE orders SET side = 'BUY' WHERE order_id = {EXIT}",
        r"exit order .* is \('BUY'",
    ),
    "exit of a plan": (f"UPDATE orders SET plan_id = 'x' WHERE order_id = {EXIT}", "of plan x"),
    "attempt lost": (
        "DELETE FROM orders WHERE source = 'rule' AND (intent_key::jsonb ->> 4)::int = 1",
        r"its attempts are numbered \[2",
    ),
    "attempt forgotten": (
        f"UPDATE orders SET source = 'plan' WHERE order_id = {LATER}",
        "are to be left, somebody bids, and no attempt was made",
    ),
    "exits at once": (
        "DELETE FROM audit_logs a USING orders o WHERE a.entity_id = o.order_id::text AND o.source = 'rule'"
        " AND a.event_type IN ('order_canceled', 'order_filled')",
        "two exit orders were alive",
    ),
    "rules untold": (
        "DELETE FROM audit_logs WHERE entity_type = 'rule'",
        "nothing says that they are in force",
    ),
    "rules removed": (
        "UPDATE audit_logs SET event_type = 'rule_removed' WHERE entity_type = 'rule'",
        "nothing says that they are in force",
    ),
    "triggered in silence": (
        "UPDATE execution_rules SET trigger_cause = 'STOP_LOSS', trigger_at = now()"
        " WHERE trigger_cause IS NULL",
        "triggered by STOP_LOSS, last told of as rule_set",
    ),
    "attempts miscounted": (
        "UPDATE execution_rules SET attempts = attempts + 1",
        "[0-9]+ attempts, [0-9]+ orders",
    ),
    "rules told otherwise": (
        "UPDATE execution_rules SET rule_id = gen_random_uuid()",
        "are told of otherwise than they stand",
    ),
    "rules of no order": (
        "UPDATE execution_rules SET order_id = gen_random_uuid()",
        "the order that set them does not exist",
    ),
}

PORTFOLIO = {
    "snapshot lost": (
        "DELETE FROM portfolio_snapshots WHERE hour = (SELECT min(hour) FROM portfolio_snapshots)",
        "portfolio paper .*: is missing",
    ),
    "snapshot of no hour": (
        "UPDATE portfolio_snapshots SET hour = hour + interval '1 year'",
        "no pass of that hour took it",
    ),
    "snapshot at another time": (
        "UPDATE portfolio_snapshots SET taken_at = taken_at + interval '1 second'",
        "was not taken by the hour's first pass",
    ),
    "snapshot of another run": (
        "UPDATE portfolio_snapshots SET run_id = (SELECT run_id FROM runs WHERE plan_id = 'once')",
        "was not taken by the hour's first pass",
    ),
    "richer than it was": (
        "UPDATE portfolio_snapshots SET cash = cash + 1, net_liquidation = net_liquidation + 1",
        "cash is .*, the ledger makes",
    ),
    "worth more than it was": (
        "UPDATE portfolio_snapshots SET market_value = market_value + 1, unrealised = unrealised + 1,"
        " net_liquidation = net_liquidation + 1",
        "market_value is .*, the ledger makes",
    ),
    "gained more than it did": (
        "UPDATE portfolio_snapshots SET realised = realised + 1",
        "realised and deposited are not cash and cost basis",
    ),
    "a position too many": (
        "UPDATE portfolio_snapshots SET positions = positions + 1",
        "positions is .*, the ledger makes",
    ),
}

SWEEPS = {
    "left running": (
        "UPDATE runs SET status = 'running', completed_at = NULL, summary_json = NULL WHERE plan_id = 'once'",
        "trade once: says that it runs, and others came later",
    ),
    "left running on schedule": (
        "UPDATE runs SET status = 'running', completed_at = NULL, summary_json = NULL"
        " WHERE run_id = (SELECT run_id FROM runs WHERE kind = 'run' ORDER BY now LIMIT 1)",
        "run .*: says that it runs, and others came later",
    ),
    "abandoned in silence": (
        "UPDATE runs SET status = 'abandoned', summary_json = NULL WHERE plan_id = 'once'",
        "is abandoned, its events end with",
    ),
}

DAMAGE: dict[str, tuple[str, str]] = {
    **PAYOUTS, **ENDINGS, **TURNS, **EXITS, **PORTFOLIO, **SWEEPS
}  # fmt: skip
