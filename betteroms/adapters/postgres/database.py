"""A connection to the database, the writer's lock, and psycopg's errors in our words."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import schema
from betteroms.domain.errors import DatabaseUnavailable, LockHeld

CONNECT_TIMEOUT_SECONDS: Final = 10
LOCK_POLL_SECONDS: Final = 0.1
_WRITER_LOCK: Final = 0x6F6D7302
_HALF: Final = 0xFFFFFFFF
_NAME_LENGTH_MAX: Final = 63


@contextmanager
def faults_named() -> Iterator[None]:
    """Turn whatever the database does to us into DatabaseUnavailable.

    A broken constraint is a bug of ours and passes through.
    """
    try:
        yield
    except (psycopg.IntegrityError, psycopg.ProgrammingError):
        raise
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"the database failed: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def connect(conninfo: str, *, name: str) -> psycopg.Connection[Any]:
    """Open a connection that says who it is; times are UTC, commits durable.

    Raises:
        DatabaseUnavailable: nobody answers, or they refuse us. The password is never in the message.
    """
    label = f"betteroms {os.getpid()} {name}"[:_NAME_LENGTH_MAX]
    try:
        connection = psycopg.connect(
            conninfo,
            # A transaction is opened by name where one is meant; a stray read cannot leave one open, inside
            # which a later `transaction()` would only be a savepoint that nobody commits.
            autocommit=True,
            application_name=label,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            options="-c timezone=UTC -c synchronous_commit=on",
        )
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"cannot connect to the database: {_first_line(error)}") from error
    # Statements of one run differ; preparing them would cost a round trip each.
    connection.prepare_threshold = None
    return connection


def ready(conninfo: str, *, name: str) -> psycopg.Connection[Any]:
    """A connection to a database whose schema is the one this program needs, migrated on first use."""
    connection = connect(conninfo, name=name)
    try:
        with faults_named():
            schema.ensure_current(connection, conninfo)
    except BaseException:
        connection.close()
        raise
    return connection


def take_writer_lock(connection: psycopg.Connection[Any], *, wait_seconds: float) -> None:
    """Become the one writer until the connection closes, waiting so long for another to finish.

    Raises:
        LockHeld: another still writes; the message says which and since when.
    """
    _take(connection, _WRITER_LOCK, "another run is writing", wait_seconds)


def take_wallet_lock(connection: psycopg.Connection[Any], wallet: str, *, wait_seconds: float) -> None:
    """Be the only one that trades for this wallet until the connection closes.

    Raises:
        LockHeld: another does; the message says which and since when.
    """
    number = int.from_bytes(sha256(wallet.lower().encode()).digest()[:8], "big", signed=True)
    _take(connection, number, f"another run trades for {wallet}", wait_seconds)


def _take(connection: psycopg.Connection[Any], lock: int, complaint: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    with faults_named():
        while True:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone()
            if row and row[0]:
                return
            if time.monotonic() >= deadline:
                raise LockHeld(f"{complaint}: {_holder(connection, lock)}")
            time.sleep(LOCK_POLL_SECONDS)


def _holder(connection: psycopg.Connection[Any], lock: int) -> str:
    row = connection.execute(
        """
        SELECT a.application_name, to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = %s AND l.objid::bigint = %s
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        (lock >> 32 & _HALF, lock & _HALF),
    ).fetchone()
    return f"{row[0]}, connected since {row[1]}" if row else "it finished just now; try again"
