"""The row of a run: opened, completed or failed."""

import json
from datetime import datetime
from typing import Any

import psycopg

from betteroms.adapters.postgres.state import market_document
from betteroms.domain.ids import RunId
from betteroms.domain.run import INTERRUPTED
from betteroms.domain.terms import Mode
from betteroms.ports import Run, RunInputs


def write_opening(connection: psycopg.Connection[Any], run: Run) -> int:
    """Write the run down as running, and which attempt it is; a later attempt takes the row over."""
    row = connection.execute(
        """
        INSERT INTO runs (run_id, kind, mode, plan_id, plan_file, content_hash, status, attempt, now,
            scheduled_at, started_at, engine_version, settings, plan_payload_id, ledger_sequence)
        VALUES (%s, %s, %s, %s, %s, %s, 'running', %s, %s, %s, %s, %s, %s, %s,
            (SELECT last_value FROM ledger_sequence))
        ON CONFLICT (run_id) DO UPDATE SET plan_file = EXCLUDED.plan_file, status = 'running',
            attempt = runs.attempt + 1, now = EXCLUDED.now, scheduled_at = EXCLUDED.scheduled_at,
            started_at = EXCLUDED.started_at, completed_at = NULL, error_message = NULL,
            engine_version = EXCLUDED.engine_version, settings = EXCLUDED.settings,
            plan_payload_id = EXCLUDED.plan_payload_id,
            ledger_sequence = EXCLUDED.ledger_sequence, summary_json = NULL, inputs = NULL, state = NULL
        RETURNING attempt
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
    ).fetchone()
    assert row is not None
    return int(row[0])


def write_completion(
    connection: psycopg.Connection[Any],
    run: Run,
    *,
    summary: str,
    inputs: RunInputs | None,
    state: str | None,
    completed_at: datetime,
) -> None:
    """Complete the run with its summary and what it read: the venue by content, the ledger as `state`."""
    connection.execute(
        "UPDATE runs SET status = 'completed', completed_at = %s, summary_json = %s, inputs = %s, state = %s "
        "WHERE run_id = %s",
        (
            completed_at,
            summary,
            None if inputs is None else _inputs(inputs),
            state,
            run.run_id,
        ),
    )


def end_interrupted(connection: psycopg.Connection[Any], at: datetime) -> list[tuple[RunId, Mode]]:
    """Write down as failed what still says that it runs; which runs these were."""
    rows = connection.execute(
        "UPDATE runs SET status = 'failed', completed_at = greatest(%s, started_at), error_message = %s "
        "WHERE status = 'running' RETURNING run_id::text, mode",
        (at, INTERRUPTED),
    )
    return [(RunId(name), Mode(mode)) for name, mode in rows]


def abandon(connection: psycopg.Connection[Any], run_id: RunId, at: datetime) -> Mode | None:
    """Write down that a failed run is never taken up again; its mode, None where it had not failed."""
    row = connection.execute(
        "UPDATE runs SET status = 'abandoned', completed_at = greatest(%s, started_at) "
        "WHERE run_id = %s AND status = 'failed' RETURNING mode",
        (at, run_id),
    ).fetchone()
    return Mode(row[0]) if row else None


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
            "marketId": book.market_id,
        }
        for token, book in sorted(inputs.books.items())
    }
    markets = {market.market_id: market.row_id for market in inputs.markets.values()}
    rowless = {m.market_id: market_document(m) for m in inputs.markets.values() if m.row_id is None}
    told: dict[str, Any] = {"books": books, "markets": dict(sorted(markets.items()))}
    if rowless:
        told["rowless"] = dict(sorted(rowless.items()))
    if inputs.names:
        told["names"] = dict(inputs.names)
    if any(market.recorded for market in inputs.markets.values()):
        told["recorded"] = True
    return json.dumps(told, default=str)
