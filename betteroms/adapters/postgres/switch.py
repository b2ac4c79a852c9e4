"""The live switch as a row of `settings`, read and turned in small transactions of their own."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.database import faults_named
from betteroms.adapters.postgres.staging import ACTOR
from betteroms.domain.switch import SwitchState
from betteroms.domain.terms import Mode

SETTING: Final = "live.switch"
REHEARSED: Final = "live.rehearsed"


class PostgresSwitch:
    """Keeps the promises of `ports.trading.Switch` and `Gate` on a connection that it does not own.

    No lock of the writer is needed: whoever sends looks again before each batch, so that a turn counts from
    the next one on, and two turns at once are kept apart by their row.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def state(self) -> SwitchState:
        """See `ports.trading.Switch.state`."""
        with faults_named():
            row = self._connection.execute(
                "SELECT value->>'state' FROM settings WHERE name = %s", (SETTING,)
            ).fetchone()
        return _state(row)

    def open(self) -> bool:
        """See `ports.trading.Gate.open`."""
        return self.state() is SwitchState.ON

    def turn(self, state: SwitchState, *, at: datetime) -> SwitchState:
        """See `ports.trading.Switch.turn`."""
        with faults_named(), self._connection.transaction():
            self._connection.execute(
                "INSERT INTO settings (name, value, changed_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (SETTING, json.dumps({"state": SwitchState.OFF}), at),
            )
            # Whoever turns it meanwhile waits here, so that each turn knows what it changes.
            before = _state(
                self._connection.execute(
                    "SELECT value->>'state' FROM settings WHERE name = %s FOR UPDATE", (SETTING,)
                ).fetchone()
            )
            if before is not state:
                self._connection.execute(
                    "UPDATE settings SET value = %s, changed_at = %s WHERE name = %s",
                    (json.dumps({"state": state}), at, SETTING),
                )
                self._audit({"before": before, "after": state}, at)
        return before

    def _audit(self, data: Mapping[str, str], at: datetime) -> None:
        self._connection.execute(
            "INSERT INTO audit_logs (mode, event_type, entity_type, entity_id, event_data, actor, at) "
            "VALUES (%s, 'live_switched', 'switch', %s, %s, %s, %s)",
            (Mode.LIVE, SETTING, json.dumps(data), ACTOR, at),
        )

    def rehearsed_at(self) -> datetime | None:
        """See `ports.trading.Switch.rehearsed_at`."""
        with faults_named():
            row = self._connection.execute(
                "SELECT changed_at FROM settings WHERE name = %s", (REHEARSED,)
            ).fetchone()
        return row[0] if row else None

    def rehearse(self, *, at: datetime) -> None:
        """See `ports.trading.Switch.rehearse`."""
        with faults_named():
            self._connection.execute(
                "INSERT INTO settings (name, value, changed_at) VALUES (%s, 'true', %s) ON CONFLICT (name) "
                "DO UPDATE SET changed_at = EXCLUDED.changed_at",
                (REHEARSED, at),
            )


def _state(row: tuple[Any, ...] | None) -> SwitchState:
    # What nobody set, or a later version set in words we do not know, lets nothing out.
    return SwitchState(row[0]) if row and row[0] in list(SwitchState) else SwitchState.OFF
