"""What a run kept so that it can be recomputed: itself, and by content what it read."""

import zlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg

from betteroms.adapters.postgres.state import market_from
from betteroms.domain.ids import BookId, MarketId, RunId, TokenId
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Payload, PayloadKind, Run
from betteroms.records import KeptBook, Recording


def recording(connection: psycopg.Connection[Any], run_id: RunId) -> Recording:
    """See `records.Records.recording`. The result is cut out of the text as it was written."""
    row = connection.execute(
        """
        SELECT r.kind, r.mode, r.plan_id, r.plan_file, r.content_hash, r.status, r.attempt, r.now,
            r.scheduled_at, r.started_at, r.engine_version, r.settings, r.plan_payload_id, p.body,
            r.error_message, r.inputs, (r.summary_json->'result')::text
        FROM runs r LEFT JOIN book_snapshots p ON p.payload_id = r.plan_payload_id
        WHERE r.run_id = %s
        """,
        (run_id,),
    ).fetchone()
    assert row is not None, "a run is asked for by an id that was just read"
    kind, mode, plan_id, plan_file, content_hash, status, attempt, now, scheduled_at, started_at = row[:10]
    version, settings, payload_id, plan, error, inputs, result = row[10:]
    inputs = inputs or {}
    return Recording(
        run=Run(
            run_id=run_id,
            kind=kind,
            mode=Mode(mode),
            plan_id=plan_id,
            plan_file=plan_file,
            content_hash=content_hash,
            # As the run's own clock told them: a session elsewhere may floor another hour.
            now=now.astimezone(UTC),
            scheduled_at=scheduled_at.astimezone(UTC),
            started_at=started_at.astimezone(UTC),
            engine_version=version,
            settings=settings,
            plan=None
            if plan is None
            else Payload(
                payload_id=BookId(payload_id),
                kind=PayloadKind.PLAN,
                subject=plan_id or "",
                body=zlib.decompress(plan),
            ),
            attempt=attempt,
            status=RunStatus(status),
        ),
        error=error,
        result=result,
        books={TokenId(token): _book(kept) for token, kept in sorted(inputs.get("books", {}).items())},
        rows={MarketId(name): BookId(row) for name, row in sorted(inputs.get("markets", {}).items()) if row},
        rowless={MarketId(name): market_from(kept) for name, kept in inputs.get("rowless", {}).items()},
        names={name: MarketId(market) for name, market in inputs.get("names", {}).items()},
        recorded=bool(inputs.get("recorded")),
    )


def _book(kept: Mapping[str, Any]) -> KeptBook:
    return KeptBook(
        payload_id=BookId(kept["id"]),
        received_at=datetime.fromisoformat(kept["receivedAt"]),
        recorded=kept["recorded"],
        mirrored=kept["mirrored"],
    )


def payloads(connection: psycopg.Connection[Any], names: Collection[BookId]) -> Mapping[BookId, bytes]:
    """See `records.Records.payloads`."""
    rows = connection.execute(
        "SELECT payload_id, body FROM book_snapshots WHERE payload_id = ANY(%s)", (list(names),)
    )
    return {BookId(name): zlib.decompress(body) for name, body in rows}
