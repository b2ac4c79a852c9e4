"""Kinds of damage to a ledger, as SQL, and what the auditor must say of each.

`{e3}` stands for the order of the evening's line 3, `{m0}` for that of the morning's line 0, `{run}` for
the evening's run; what is said is a pattern that some complaint must contain.
"""

LAST = "(SELECT max(sequence) FROM audit_logs)"
NEW = "nextval('ledger_sequence')"
ORDER_COPY = """
    CREATE TEMP TABLE twin AS SELECT * FROM orders WHERE order_id = {e0};
    UPDATE twin SET order_id = '00000000-0000-5000-8000-000000000000', external_order_id = NULL{changes};
    INSERT INTO orders SELECT * FROM twin;
    DROP TABLE twin
"""

RUNS = {
    "attempt miscounted": ("UPDATE runs SET attempt = 3 WHERE run_id = {run}", "attempt 3, started 1 times"),
    "start forgotten": (
        "DELETE FROM audit_logs WHERE entity_id = {run}::text AND event_type = 'run_started'",
        "started 0 times",
    ),
    "end forgotten": (
        "DELETE FROM audit_logs WHERE entity_id = {run}::text AND event_type = 'run_completed'",
        r"is completed, its events end with \['run_started'\]",
    ),
    "end told twice": (
        "INSERT INTO audit_logs SELECT {new}, mode, run_id, event_type, entity_type, entity_id, event_data,"
        " actor, at FROM audit_logs WHERE entity_id = {run}::text AND event_type = 'run_completed'",
        "was completed 2 times",
    ),
    "failed after all": (
        "UPDATE runs SET status = 'failed', summary_json = NULL WHERE run_id = {run}",
        r"is failed and has 15 orders",
    ),
    "failure without a reason": (
        "UPDATE runs SET status = 'failed', summary_json = NULL WHERE run_id = {run}",
        "is failed with error None",
    ),
    "still running": (
        "UPDATE runs SET status = 'running', summary_json = NULL WHERE run_id = {run}",
        "is running, completed at 2",
    ),
    "ended before it began": (
        "UPDATE runs SET completed_at = started_at - interval '1 second' WHERE run_id = {run}",
        "ended before it began",
    ),
    "place taken twice": (
        "UPDATE executions SET sequence = (SELECT min(sequence) FROM audit_logs)"
        " WHERE order_id = {m0} AND number = 1",
        "1 places in the sequence are taken twice",
    ),
    "counter behind history": ("SELECT setval('ledger_sequence', 3)", "history goes to"),
    "runs at once": (
        "UPDATE audit_logs SET sequence = -sequence WHERE entity_id = {run}::text"
        " AND event_type = 'run_started'",
        "began before the run before it ended",
    ),
    "execution out of place": (
        "UPDATE executions SET sequence = {new} WHERE order_id = {e0}",
        "execution .* outside of every completed run",
    ),
    "order of another mode": (
        "UPDATE orders SET mode = 'live' WHERE order_id = {e0}",
        "is live, its run paper",
    ),
    "event of another mode": (
        "UPDATE audit_logs SET mode = 'live' WHERE entity_id = {e0}::text",
        "is live, its order paper",
    ),
    "event of another run": (
        "UPDATE audit_logs SET run_id = (SELECT run_id FROM runs WHERE plan_id = 'morning')"
        " WHERE entity_id = {e0}::text",
        "names another run than its order",
    ),
    "event of no run": (
        "UPDATE audit_logs SET run_id = gen_random_uuid() WHERE entity_type = 'entry'",
        "its run does not exist",
    ),
    "run deleted": ("DELETE FROM runs WHERE run_id = {run}", "has orders and no row"),
}

PLANS = {
    "order lost": ("DELETE FROM orders WHERE order_id = {e9}", "instruction 9 has 0 orders"),
    "order doubled": (ORDER_COPY.replace("{changes}", ""), "instruction 0 has 2 orders"),
    "order of no instruction": (
        ORDER_COPY.replace("{changes}", ", line = 99"),
        r"1 orders belong to no instruction \(line 99\)",
    ),
    "plan lost": (
        "DELETE FROM book_snapshots WHERE payload_id ="
        " (SELECT plan_payload_id FROM runs WHERE plan_id = 'evening')",
        "its plan is not kept",
    ),
    "another plan": (
        "UPDATE runs SET plan_payload_id = (SELECT plan_payload_id FROM runs WHERE plan_id = 'morning')"
        " WHERE run_id = {run}",
        "its plan calls itself morning",
    ),
    "another token": (
        "UPDATE orders SET token_id = (SELECT token_id FROM orders WHERE order_id = {e3})"
        " WHERE order_id = {e0}",
        "instruction 0: trades token",
    ),
    "another key": ("UPDATE orders SET intent_key = '[]' WHERE order_id = {e1}", "its key is"),
    "another id": (
        "UPDATE orders SET order_id = gen_random_uuid() WHERE order_id = {e11}",
        "its order id does not follow from its key",
    ),
    "another wish": ("UPDATE orders SET wished_price = 0.51 WHERE order_id = {e0}", "wished_price is 510000"),
    "another amount": (
        "UPDATE orders SET wished_amount = 31 WHERE order_id = {e0}",
        "wished_amount is 31000000",
    ),
    "another guard": ("UPDATE orders SET price_ceil = 0.31 WHERE order_id = {e4}", "price_ceil is 310000"),
    "another life": ("UPDATE orders SET cancel_after = 7201 WHERE order_id = {e13}", "cancel_after is 7201"),
    "another remark": ("UPDATE orders SET notes = 'x' WHERE order_id = {e0}", "notes is x"),
}

LIVES = {
    "status ahead": (
        "UPDATE orders SET status = 'FILLED' WHERE order_id = {e2}",
        "is FILLED, its events say OPEN",
    ),
    "event lost": (
        "DELETE FROM audit_logs WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "is FILLED, its events say OPEN",
    ),
    "birth lost": (
        "DELETE FROM audit_logs WHERE entity_id = {e0}::text AND event_type = 'order_placed'",
        "NEW cannot meet order_filled",
    ),
    "born filled": (
        "DELETE FROM audit_logs WHERE entity_id = {e0}::text AND event_type = 'order_placed'",
        "its life begins with order_filled",
    ),
    "life lost": ("DELETE FROM audit_logs WHERE entity_id = {e7}::text", "nothing says what became of it"),
    "another code": ("UPDATE orders SET code = 'X' WHERE order_id = {e9}", "has code X"),
    "another hour": (
        "UPDATE orders SET placed_at = placed_at + interval '1 hour' WHERE order_id = {e2}",
        "placed_at is not when it was placed",
    ),
    "event of nothing": (
        "UPDATE audit_logs SET entity_id = gen_random_uuid()::text WHERE entity_id = {e2}::text",
        "order_placed of an order that does not exist",
    ),
    "event out of place": (
        "UPDATE audit_logs SET sequence = {new} WHERE entity_id = {e2}::text",
        "order_placed outside of every completed run",
    ),
    "event at another time": (
        "UPDATE audit_logs SET at = at + interval '1 second' WHERE entity_id = {e2}::text",
        "is not at its run's time",
    ),
    "denied and filled": (
        "UPDATE orders SET filled_size = 1 WHERE order_id = {e9}",
        "was denied and yet carried out",
    ),
    "rejected and filled": (
        "UPDATE orders SET filled_size = 1 WHERE order_id = {e7}",
        "is REJECTED and filled",
    ),
    "kill still open": ("UPDATE orders SET status = 'OPEN' WHERE order_id = {e6}", "FOK and still open"),
    "all or a part": (
        "UPDATE orders SET filled_size = 1 WHERE order_id = {e6}",
        "all or nothing, and canceled with a part",
    ),
    "overfilled": (
        "UPDATE orders SET amount = 59 WHERE order_id = {e0}",
        "filled 60000000 of 59000000 shares",
    ),
    "filled in part": (
        "UPDATE orders SET amount = 61 WHERE order_id = {e0}",
        "is FILLED with 60000000 of 61000000 shares",
    ),
    "overspent": ("UPDATE orders SET amount = 1 WHERE order_id = {e4}", "of 1000000 dollars"),
    "filled with money left": (
        "UPDATE orders SET status = 'FILLED' WHERE order_id = {e4}",
        "is FILLED with .* dollars unspent",
    ),
}

MONEY = {
    "execution lost": ("DELETE FROM executions WHERE order_id = {e0}", "execution 1, which does not exist"),
    "execution doubled": (
        "INSERT INTO executions SELECT order_id, 2, {new}, mode, market_id, token_id, side, price, size,"
        " cash, fee, liquidity, executed_at, external_execution_id FROM executions WHERE order_id = {e0}",
        "/2: is told by 0 events",
    ),
    "execution of nothing": (
        "UPDATE executions SET order_id = gen_random_uuid() WHERE order_id = {e0}",
        "its order does not exist",
    ),
    "execution of another side": (
        "UPDATE executions SET side = 'SELL' WHERE order_id = {e0}",
        "side is SELL, its order's is BUY",
    ),
    "beyond the limit": (
        "UPDATE executions SET price = 0.51 WHERE order_id = {e0}",
        "price 510000 is beyond the limit 500000",
    ),
    "better than the limit": (
        "UPDATE executions SET price = 0.46 WHERE order_id = {m3}",
        "filled at 460000 and not at its limit 470000",
    ),
    "post-only that took": (
        "UPDATE orders SET post_only = true WHERE order_id = {e0}",
        "a post-only order took",
    ),
    "a micro too much": (
        "UPDATE executions SET cash = cash - 0.000001 WHERE order_id = {e0}",
        "cash is .*, price times size says",
    ),
    "fee rounded up": (
        "UPDATE executions SET fee = fee + 0.00001 WHERE order_id = {e0}",
        "fee is .*, the formula says",
    ),
    "market lost": (
        "DELETE FROM markets WHERE slug = 'will-it-rain'",
        "execution .*: its market is not in the registry",
    ),
    "sums behind": (
        "UPDATE orders SET filled_cash = filled_cash - 1 WHERE order_id = {e0}",
        "filled_cash is .*, its executions make",
    ),
    "misnumbered": (
        "UPDATE executions SET number = 7 WHERE order_id = {e0} AND number = 1",
        r"its executions are numbered \[7\]",
    ),
    "fill of nothing": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{executions}}', '[]')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "tells of a fill without executions",
    ),
    "told otherwise": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{executions,0,1}}', '1')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "tells execution 1 otherwise than it is",
    ),
    "fill at another time": (
        "UPDATE executions SET executed_at = executed_at - interval '1 second' WHERE order_id = {e0}",
        "execution 1 happened at another time",
    ),
    "position lost": (
        "DELETE FROM positions WHERE token_id = (SELECT token_id FROM orders WHERE order_id = {e0})",
        "position .*: is missing",
    ),
    "position of nothing": (
        "INSERT INTO positions SELECT mode, '1', market_id, size, cost_basis, realised, fees, opened_at,"
        " best_bid, best_ask, marked_at FROM positions LIMIT 1",
        "no execution made it",
    ),
    "position off by a micro": (
        "UPDATE positions SET size = size + 0.000001",
        "size is .*, its executions make",
    ),
    "profit moved": (
        "UPDATE positions SET realised = realised + 0.000001",
        "realised - cost basis is .*, cash flows less fees are",
    ),
    "no deposit": ("DELETE FROM ledger_entries", "traded without an opening deposit"),
    "spent what was not there": (
        "UPDATE ledger_entries SET cash = 20",
        "cash is -[0-9]+ after sequence",
    ),
    "reserved what was not there": (
        "UPDATE ledger_entries SET cash = 200",
        "open buys may spend",
    ),
    "promised what was not there": (
        "UPDATE orders SET amount = 4000 WHERE order_id = {e2}",
        "open sells promise",
    ),
    "sold short": (
        "UPDATE executions SET size = 5000 WHERE order_id = {e1}",
        "short of token",
    ),
    "entry untold": ("DELETE FROM audit_logs WHERE entity_type = 'entry'", "is told by 0 events"),
    "entry told elsewhere": (
        "UPDATE audit_logs SET mode = 'live' WHERE entity_type = 'entry'",
        "is told in another mode",
    ),
    "entry told otherwise": ("UPDATE ledger_entries SET cash = 10001", "is told with another amount"),
    "entry lost": ("DELETE FROM ledger_entries", "is told and does not exist"),
    "opened twice": (
        "INSERT INTO ledger_entries SELECT 'x', {new}, mode, kind, cash, at, note FROM ledger_entries",
        "a mode was opened twice",
    ),
}

BOOKS = {
    "book lost": ("DELETE FROM book_snapshots WHERE kind = 'book'", "read payload .*, which is not kept"),
    "market row lost": (
        "DELETE FROM book_snapshots WHERE kind = 'market'",
        "read payload .*, which is not kept",
    ),
    "payload spoilt": (
        "UPDATE book_snapshots SET body = '\\x00' WHERE kind = 'market'",
        "cannot be decompressed",
    ),
    "payload changed": (
        "UPDATE book_snapshots SET body = (SELECT body FROM book_snapshots WHERE kind = 'plan' LIMIT 1)"
        " WHERE kind = 'market'",
        "its content has another hash",
    ),
    "another book": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{book}}', '\"x\"')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "names a book that its run did not read",
    ),
    "took too little": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{taken,0,1}}', '1')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "took another number of shares than it filled",
    ),
    "took too much": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{taken,0,1}}', '999000000')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "taken at 480000, where 90000000 was ours to take",
    ),
    "took the worse first": (
        "UPDATE audit_logs SET event_data ="
        " jsonb_set(event_data, '{{taken}}', '[[500000,1],[480000,59999999]]')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "did not take the best level first",
    ),
    "took beyond": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{taken,0,0}}', '520000')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "took from a level beyond the limit",
    ),
    "level and price differ": (
        "UPDATE audit_logs SET event_data = jsonb_set(event_data, '{{taken,0,0}}', '500000')"
        " WHERE entity_id = {e0}::text AND event_type = 'order_filled'",
        "the levels were at",
    ),
    "filled when over": (
        "UPDATE orders SET expires_at = created_at WHERE order_id = {m3}",
        "filled an order that had expired",
    ),
    "fill forgotten": (
        "UPDATE orders SET limit_price = 0.99 WHERE order_id = {e8}",
        "rests at 990000 though",
    ),
    "memory lost": ("DELETE FROM liquidity_taken", "the table holds None, the fills make"),
    "memory short": ("UPDATE liquidity_taken SET size = size / 2", "the table holds .*, the fills make"),
    "memory out of date": (
        "UPDATE liquidity_taken SET changed_at_ms = changed_at_ms - 1",
        "the table holds .*, the fills make",
    ),
    "memory of nothing": (
        "INSERT INTO liquidity_taken VALUES ('paper', '0x01', 0.5, 1, 1)",
        "the fills make None",
    ),
    "order of no market": (
        "DELETE FROM markets WHERE slug = 'was-it-foggy'",
        "order .*: its market is not in the registry",
    ),
}

TOTALS = "(SELECT summary_json::jsonb FROM runs WHERE run_id = {run})"


def _told(path: str, value: str, pattern: str) -> tuple[str, str]:
    """Another value in the evening's summary; braces are doubled because the statement is a template."""
    changed = f"jsonb_set(summary_json::jsonb, '{{{{result,{path}}}}}', '{value}')::json"
    return f"UPDATE runs SET summary_json = {changed} WHERE run_id = {{run}}", pattern


SUMMARIES = {
    "summary empty": ("UPDATE runs SET summary_json = '{{}}' WHERE run_id = {run}", "summary is missing"),
    "another plan told": _told("planId", '"x"', "planId is x, the row says evening"),
    "a line untold": _told("instructions", "[]", "tells of 0 instructions, there are 15 orders"),
    "a status mistold": _told(
        "instructions,0,status", '"OPEN"', "line 0: status is OPEN, the tables say FILLED"
    ),
    "a fee mistold": _told(
        "instructions,0,executions,0,fee", '"0"', "line 0: executions is .*, the tables say"
    ),
    "a count mistold": _told("totals,filled", "5", "totals: filled is 5"),
    "a sum mistold": _told("totals,fees", '"0"', "totals: fees is 0"),
    "slippage mistold": _told("totals,slippage", '"0"', "totals: slippage is 0"),
    "refusals mistold": _told("refused", "{{}}", "refused is {}, the tables say"),
    "a settled order untold": _told("settled", "[]", "tells of 0 settled orders, 3 moved"),
    "a settled order mistold": _told("settled,0,status", '"OPEN"', "settled .*: status is OPEN"),
    "a position of nothing told": _told("markets,0,tokenId", '"1"', "tells of token 1, which was never"),
    "a position mistold": _told("markets,0,size", '"7"', "size is 7, executions make"),
    "a position untold": _told("markets", "[]", "does not tell of token"),
}

DAMAGE: dict[str, tuple[str, str]] = {
    **RUNS, **PLANS, **LIVES, **MONEY, **BOOKS, **SUMMARIES
}  # fmt: skip
