"""The row of a run: opened, completed or failed."""

import json
from datetime import datetime
from typing import Any

import psycopg

from betteroms.domain.money import to_text
from betteroms.domain.position import LedgerEntry
from betteroms.ports import Run, RunInputs


def write_opening(connection: psycopg.Connection[Any], run: Run) -> None:
    """Write the run down as running; a later attempt takes the row over."""
    connection.execute(
        """
        INSERT INTO runs (run_id, kind, mode, plan_id, plan_file, content_hash, status, attempt, now,
            scheduled_at, started_at, engine_version, settings, plan_payload_id, ledger_sequence)
        VALUES (%s, %s, %s, %s, %s, %s, 'running', %s, %s, %s, %s, %s, %s, %s,
            (SELECT last_value FROM ledger_sequence))
        ON CONFLICT (run_id) DO UPDATE SET plan_file = EXCLUDED.plan_file, status = 'running',
            attempt = EXCLUDED.attempt, now = EXCLUDED.now, scheduled_at = EXCLUDED.scheduled_at,
            started_at = EXCLUDED.started_at, completed_at = NULL, error_message = NULL,
            engine_version = EXCLUDED.engine_version, settings = EXCLUDED.settings,
            plan_payload_id = EXCLUDED.plan_payload_id,
            ledger_sequence = EXCLUDED.ledger_sequence
        """,
        (
            run.run_id,
            run.kind,
            run.mode,
            run.plan_id,
            run.plan_file,
            run.content_hash,
            run.attempt,
            run.now,
            run.scheduled_at,
            run.started_at,
            run.engine_version,
            json.dumps(dict(run.settings)),
            None if run.plan is None else run.plan.payload_id,
        ),
    )


def enter(connection: psycopg.Connection[Any], entry: LedgerEntry) -> bool:
    """Append a ledger entry, unless its key is there already; whether it was new."""
    row = connection.execute(
        "INSERT INTO ledger_entries (key, mode, kind, cash, at, note) "
        "VALUES (%s, %s, %s, %s::numeric, %s, %s) ON CONFLICT (key) DO NOTHING RETURNING key",
        (entry.key, entry.mode, entry.kind, to_text(entry.cash), entry.at, entry.note),
    ).fetchone()
    return row is not None


def write_completion(
    connection: psycopg.Connection[Any],
    run: Run,
    *,
    summary: str,
    inputs: RunInputs | None,
    completed_at: datetime,
) -> None:
    """Complete the run with its summary and what it read, by content."""
    connection.execute(
        "UPDATE runs SET status = 'completed', completed_at = %s, summary_json = %s, inputs = %s "
        "WHERE run_id = %s",
        (
            completed_at,
            summary,
            None if inputs is None else _inputs(inputs),
            run.run_id,
        ),
    )


def write_failure(
    connection: psycopg.Connection[Any], run: Run, *, error: str, completed_at: datetime
) -> bool:
    """Write down that the run failed, and why; False where it was completed, which is never taken back."""
    changed = connection.execute(
        "UPDATE runs SET status = 'failed', completed_at = %s, error_message = %s "
        "WHERE run_id = %s AND status = 'running'",
        (completed_at, error, run.run_id),
    )
    return changed.rowcount > 0


def _inputs(inputs: RunInputs) -> str:
    """Enough to find every payload again, and to read it as this run did."""
    books = {
        token: {
            "id": book.book_id,
            "receivedAt": book.received_at.isoformat(),
            "hashCheck": book.hash_check.value,
            "recorded": book.recorded,
            "mirrored": book.mirrored,
        }
        for token, book in sorted(inputs.books.items())
    }
    markets = {market.market_id: market.row_id for market in inputs.markets.values()}
    return json.dumps({"books": books, "markets": dict(sorted(markets.items()))})
