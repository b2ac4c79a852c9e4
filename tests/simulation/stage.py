"""Databases to die in, and a run of `trade` inside this process."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from betteroms import wiring
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.jobs.desk import Desk
from betteroms.jobs.trade import PlanFile, trade
from betteroms.settings import Settings
from betteroms.sources.plan import read_plan
from tests.simulation.audit_tables import Tables, load
from tests.simulation.auditor import digest_of, problems_of
from tests.simulation.worlds import Act

TABLES = (
    "runs",
    "markets",
    "book_snapshots",
    "liquidity_taken",
    "orders",
    "executions",
    "positions",
    "ledger_entries",
    "audit_logs",
    "plans",
    "execution_rules",
    "fill_bounds",
    "portfolio_snapshots",
    "settings",
    "signed_orders",
    "chain_states",
)
QUIET_SECONDS_MAX = 20.0


@dataclass(frozen=True)
class StoppedClock:
    """Always the same time."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def source_of(act: Act) -> PlanFile:
    body = act.plan.read_bytes()
    return PlanFile(plan=read_plan(body, act.plan.name), name=act.plan.name, body=body)


@contextmanager
def open_desk(act: Act, url: str, *, wait_seconds: float = 10) -> Iterator[Desk]:
    """The desk that the command would get."""
    settings = Settings(home=Path("/nonexistent"), database_url=Secret(url))
    with wiring.desk(
        settings, Mode.PAPER, name="trade", books=act.books, lock_wait_seconds=wait_seconds
    ) as desk:
        yield desk


def carry_out(act: Act, url: str, *, change: Callable[[Desk], Desk] = lambda desk: desk) -> dict[str, Any]:
    """Trade the plan in this process, at a desk that the test may change first."""
    with open_desk(act, url) as desk:
        return trade(change(desk), source_of(act))


def quiet(connection: psycopg.Connection[Any]) -> None:
    """Wait until nobody else is in the database: the server takes a moment to notice who died."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while connection.execute(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    ).fetchone():
        assert time.monotonic() < deadline, "somebody does not leave the database"
        time.sleep(0.001)


def inspect(url: str) -> tuple[list[str], str]:
    """What the auditor has to complain of, and the state digest, at one moment."""
    with psycopg.connect(url, autocommit=True) as connection:
        quiet(connection)
        tables = load(connection)
    return problems_of(tables), digest_of(tables)


class Rewindable:
    """A database that can be put back to how it was when this was made, faster than copied again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE SCHEMA kept")
        for table in TABLES:
            self._connection.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
        self._sequence = self._connection.execute(
            "SELECT last_value, is_called FROM ledger_sequence"
        ).fetchone()

    def rewind(self) -> None:
        """Put every row back; nobody else may be using the database."""
        quiet(self._connection)
        with self._connection.transaction():
            # History cannot be edited: only a session that plays the replica gets past the triggers.
            self._connection.execute("SET LOCAL session_replication_role = replica")
            for table in TABLES:
                self._connection.execute(f"DELETE FROM {table}")
                self._connection.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}")
            self._connection.execute("SELECT setval('ledger_sequence', %s, %s)", self._sequence)

    def tables(self) -> Tables:
        """Everything in it, once nobody else is."""
        quiet(self._connection)
        return load(self._connection)

    def inspect(self) -> tuple[list[str], str]:
        """See `inspect`."""
        tables = self.tables()
        return problems_of(tables), digest_of(tables)

    def statuses(self) -> dict[str, str]:
        """The status of each run, by planId."""
        return dict(self._connection.execute("SELECT plan_id, status FROM runs").fetchall())

    def close(self) -> None:
        self._connection.close()
