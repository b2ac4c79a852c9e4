"""Runs, as lists and one by one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg

from betteroms.domain.ids import BookId, RunId
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.records import PREFIX_LENGTH_MIN, RunDetail, RunRecord

CANDIDATES_MAX: Final = 10
# A run's totals are also in its audit row, where they need not be dug out of the whole summary.
_RECORD: Final = """
    r.run_id::text,
    CASE WHEN EXISTS (SELECT FROM runs o WHERE o.run_id <> r.run_id
            AND left(o.run_id::text, 8) = left(r.run_id::text, 8))
        THEN left(r.run_id::text, 18) ELSE left(r.run_id::text, 8) END,
    r.kind, r.mode, r.plan_id, r.plan_file, r.status, r.attempt, r.started_at, r.completed_at,
    (SELECT a.event_data FROM audit_logs a WHERE a.entity_id = r.run_id::text
        AND a.event_type = 'run_completed' AND r.status = 'completed' ORDER BY a.sequence DESC LIMIT 1),
    r.error_message
"""
_RECORD_LENGTH: Final = 12


def listed(
    connection: psycopg.Connection[Any],
    *,
    status: RunStatus | None,
    plan_id: str | None,
    limit: int,
    offset: int,
) -> Sequence[RunRecord]:
    """See `records.Records.runs`."""
    rows = connection.execute(
        f"""
        SELECT {_RECORD} FROM runs r
        WHERE (%(status)s::text IS NULL OR r.status = %(status)s)
            AND (%(plan_id)s::text IS NULL OR r.plan_id = %(plan_id)s)
        ORDER BY r.started_at DESC, r.run_id LIMIT %(limit)s OFFSET %(offset)s
        """,  # noqa: S608 - our own column list
        {"status": status, "plan_id": plan_id, "limit": limit, "offset": offset},
    )
    return [_record(row) for row in rows]


def named(connection: psycopg.Connection[Any], name: str) -> Sequence[RunRecord]:
    """See `records.Records.runs_named`."""
    by_plan = connection.execute(
        f"SELECT {_RECORD} FROM runs r WHERE r.plan_id = %s ORDER BY r.mode LIMIT %s",  # noqa: S608
        (name, CANDIDATES_MAX),
    ).fetchall()
    if by_plan:
        return [_record(row) for row in by_plan]
    prefix = name.lower()
    if len(prefix) < PREFIX_LENGTH_MIN or not re.fullmatch(r"[0-9a-f-]+", prefix):
        return []
    rows = connection.execute(
        f"SELECT {_RECORD} FROM runs r WHERE starts_with(r.run_id::text, %s) "  # noqa: S608
        "ORDER BY r.run_id LIMIT %s",
        (prefix, CANDIDATES_MAX),
    )
    return [_record(row) for row in rows]


def detail(connection: psycopg.Connection[Any], run_id: RunId) -> RunDetail:
    """See `records.Records.run`."""
    row = connection.execute(
        f"""
        SELECT {_RECORD}, r.scheduled_at, r.now, r.engine_version, r.content_hash, r.plan_payload_id,
            r.settings, r.inputs, r.summary_json
        FROM runs r WHERE r.run_id = %s
        """,  # noqa: S608
        (run_id,),
    ).fetchone()
    assert row is not None, "a run is asked for by an id that was just read"
    scheduled_at, now, version, content_hash, plan, settings, inputs, summary = row[_RECORD_LENGTH:]
    return RunDetail(
        record=_record(row[:_RECORD_LENGTH]),
        scheduled_at=scheduled_at,
        now=now,
        engine_version=version,
        content_hash=content_hash,
        plan_payload_id=None if plan is None else BookId(plan),
        settings=settings,
        inputs=inputs,
        summary=summary,
    )


def reconciliation(connection: psycopg.Connection[Any]) -> Mapping[str, Any] | None:
    """What the last live poll found that could compare our books with the venue's."""
    row = connection.execute(
        "SELECT summary_json->'result'->'reconciliation' FROM runs WHERE mode = 'live' AND kind = 'poll' "
        "AND status = 'completed' AND summary_json->'result'->'reconciliation'->>'status' = 'done' "
        "ORDER BY now DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def _record(row: Sequence[Any]) -> RunRecord:
    (run_id, short_id, kind, mode, plan_id, plan_file, status, attempt, started, completed, totals, error) = (
        row
    )
    return RunRecord(
        run_id=RunId(run_id),
        short_id=short_id,
        kind=kind,
        mode=Mode(mode),
        plan_id=plan_id,
        plan_file=plan_file,
        status=RunStatus(status),
        attempt=attempt,
        started_at=started,
        completed_at=completed,
        totals=totals,
        error=error,
    )
