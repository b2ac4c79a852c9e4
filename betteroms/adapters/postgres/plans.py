"""The plans kept in the database, and what became of plans: the table `plans`, and trade runs."""

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.database import faults_named
from betteroms.adapters.postgres.staging import ACTOR
from betteroms.domain.ids import RunId
from betteroms.domain.run import RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import StoredPlan
from betteroms.records import PlanRun, UnfinishedTrade
from betteroms.sources.plan_period import literal_beginning, pattern, recurs

_COLUMNS: Final = "mode, plan_id, priority, active, file, content_hash, body, added_at, changed_at"
_RUN: Final = "r.mode, r.plan_id, r.status, r.content_hash, r.started_at"


class PostgresPlans:
    """Keeps the promises of `ports.PlanShelf` and `records.PlanHistory` on a connection it does not own.

    No lock is needed: a run reads all plans at its start and keeps the file it carries out, so that a change
    meanwhile counts from the next run on; and two changes at once are kept apart by the row they change.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def list(self) -> Sequence[StoredPlan]:
        """See `ports.PlanShelf.list`."""
        with faults_named():
            rows = self._connection.execute(
                f'SELECT {_COLUMNS} FROM plans ORDER BY plan_id COLLATE "C", mode'  # noqa: S608 - our own list
            ).fetchall()
        return [_stored(row) for row in rows]

    def get(self, plan_id: str) -> Sequence[StoredPlan]:
        """See `ports.PlanShelf.get`."""
        with faults_named():
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM plans WHERE plan_id = %s ORDER BY mode",  # noqa: S608
                (plan_id,),
            ).fetchall()
        return [_stored(row) for row in rows]

    def put(self, plan: StoredPlan, *, replacing: StoredPlan | None) -> bool:
        """See `ports.PlanShelf.put`."""
        with faults_named(), self._connection.transaction():
            done = self._add(plan) if replacing is None else self._replace(plan, replacing)
            if done:
                told = _facts(plan)
                if replacing is not None:
                    told["before"] = _facts(replacing)
                kind = "plan_added" if replacing is None else "plan_replaced"
                self._audit(kind, plan, told, plan.changed_at)
        return done

    def set_active(self, plan: StoredPlan, *, active: bool, at: datetime) -> bool:
        """See `ports.PlanShelf.set_active`."""
        with faults_named(), self._connection.transaction():
            changed = self._connection.execute(
                "UPDATE plans SET active = %s, changed_at = %s "
                "WHERE mode = %s AND plan_id = %s AND active <> %s",
                (active, at, plan.mode, plan.plan_id, active),
            )
            done = changed.rowcount > 0
            if done:
                self._audit("plan_activated" if active else "plan_deactivated", plan, {}, at)
        return done

    def runs(self, names: Collection[tuple[Mode, str]]) -> Mapping[tuple[Mode, str], PlanRun]:
        """See `records.PlanHistory.runs`."""
        with faults_named():
            rows = self._connection.execute(
                f"""
                SELECT {_RUN} FROM unnest(%s::text[], %s::text[]) AS wanted (mode, plan_id)
                JOIN runs r ON r.mode = wanted.mode AND r.plan_id = wanted.plan_id AND r.kind = 'trade'
                """,  # noqa: S608
                ([mode.value for mode, _ in names], [plan_id for _, plan_id in names]),
            ).fetchall()
        found = [_plan_run(row) for row in rows]
        return {(run.mode, run.plan_id): run for run in found}

    def latest(self, templates: Collection[tuple[Mode, str]]) -> Mapping[tuple[Mode, str], PlanRun]:
        """See `records.PlanHistory.latest`."""
        found = dict(self.runs([name for name in templates if not recurs(name[1])]))
        recurring = [name for name in templates if recurs(name[1])]
        with faults_named():
            rows = self._connection.execute(
                f"""
                SELECT wanted.mode, wanted.template, r.* FROM
                    unnest(%s::text[], %s::text[], %s::text[], %s::text[])
                        AS wanted (mode, template, beginning, pattern)
                    CROSS JOIN LATERAL (
                        SELECT {_RUN} FROM runs r
                        WHERE r.kind = 'trade' AND r.mode = wanted.mode
                            AND starts_with(r.plan_id, wanted.beginning) AND r.plan_id ~ wanted.pattern
                        ORDER BY r.started_at DESC, r.plan_id DESC LIMIT 1
                    ) r
                """,  # noqa: S608
                (
                    [mode.value for mode, _ in recurring],
                    [template for _, template in recurring],
                    [literal_beginning(template) for _, template in recurring],
                    [pattern(template) for _, template in recurring],
                ),
            ).fetchall()
        found.update(((Mode(mode), template), _plan_run(row)) for mode, template, *row in rows)
        return found

    def unfinished(self, mode: Mode) -> Sequence[UnfinishedTrade]:
        """See `records.PlanHistory.unfinished`."""
        with faults_named():
            rows = self._connection.execute(
                """
                SELECT r.run_id::text, r.plan_id, r.status, r.scheduled_at, b.body FROM runs r
                LEFT JOIN book_snapshots b ON b.payload_id = r.plan_payload_id
                WHERE r.kind = 'trade' AND r.mode = %s AND r.status IN ('failed', 'running')
                ORDER BY r.scheduled_at, r.plan_id COLLATE "C"
                """,
                (mode,),
            ).fetchall()
        return [
            UnfinishedTrade(
                run_id=RunId(run_id),
                plan_id=plan_id,
                status=RunStatus(status),
                scheduled_at=scheduled_at,
                plan=None if body is None else zlib.decompress(body),
            )
            for run_id, plan_id, status, scheduled_at, body in rows
        ]

    def _add(self, plan: StoredPlan) -> bool:
        added = self._connection.execute(
            f"INSERT INTO plans ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) "  # noqa: S608
            "ON CONFLICT DO NOTHING RETURNING plan_id",
            (
                plan.mode,
                plan.plan_id,
                plan.priority,
                plan.active,
                plan.file,
                plan.content_hash,
                plan.body,
                plan.added_at,
                plan.changed_at,
            ),
        ).fetchone()
        return added is not None

    def _replace(self, plan: StoredPlan, before: StoredPlan) -> bool:
        changed = self._connection.execute(
            "UPDATE plans SET priority = %s, active = %s, file = %s, content_hash = %s, body = %s, "
            "changed_at = %s "
            "WHERE mode = %s AND plan_id = %s AND body = %s AND active = %s AND changed_at = %s",
            (
                plan.priority,
                plan.active,
                plan.file,
                plan.content_hash,
                plan.body,
                plan.changed_at,
                before.mode,
                before.plan_id,
                before.body,
                before.active,
                before.changed_at,
            ),
        )
        return changed.rowcount > 0

    def _audit(self, event_type: str, plan: StoredPlan, data: Mapping[str, Any], at: datetime) -> None:
        self._connection.execute(
            "INSERT INTO audit_logs (mode, event_type, entity_type, entity_id, event_data, actor, at) "
            "VALUES (%s, %s, 'plan', %s, %s, %s, %s)",
            (plan.mode, event_type, plan.plan_id, json.dumps(data), ACTOR, at),
        )


def _facts(plan: StoredPlan) -> dict[str, Any]:
    return {
        "file": plan.file,
        "priority": plan.priority,
        "active": plan.active,
        "contentHash": plan.content_hash,
    }


def _stored(row: Sequence[Any]) -> StoredPlan:
    mode, plan_id, priority, active, file, content_hash, body, added_at, changed_at = row
    return StoredPlan(
        mode=Mode(mode),
        plan_id=plan_id,
        priority=priority,
        active=active,
        file=file,
        content_hash=content_hash,
        body=body,
        added_at=added_at,
        changed_at=changed_at,
    )


def _plan_run(row: Sequence[Any]) -> PlanRun:
    mode, plan_id, status, content_hash, started_at = row
    return PlanRun(
        mode=Mode(mode),
        plan_id=plan_id,
        status=RunStatus(status),
        content_hash=content_hash,
        started_at=started_at,
    )
