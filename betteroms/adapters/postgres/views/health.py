"""How a database is: its version, its schema, and whether something stands between it and us."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg

from betteroms.adapters.postgres import schema
from betteroms.adapters.postgres.database import connect, faults_named


class Pooling(StrEnum):
    """What we talk to: the server itself, or a pooler that keeps our session or does not."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHealth:
    """What can be told without changing anything; `revision` is None where there is no schema yet."""

    version: str
    name: str
    size_bytes: int
    revision: str | None
    known_revision: str
    state: str
    pooling: str


def health(conninfo: str) -> DatabaseHealth:
    """Look at a database; nothing is migrated.

    Raises:
        DatabaseUnavailable: nobody answers, or they refuse us.
    """
    with connect(conninfo, name="doctor") as one, connect(conninfo, name="doctor") as other, faults_named():
        found = schema.revision(one)
        row = one.execute(
            "SELECT current_setting('server_version'), current_database(), "
            "pg_database_size(current_database())"
        ).fetchone()
        assert row is not None
        return DatabaseHealth(
            version=str(row[0]).split(" ")[0],
            name=row[1],
            size_bytes=row[2],
            revision=found,
            known_revision=schema.HEAD,
            state=schema.state(found).value,
            pooling=_pooling(one, other).value,
        )


def pooling(conninfo: str) -> Pooling:
    """Whether something stands between the database and us, and whether it keeps a session.

    Raises:
        DatabaseUnavailable: nobody answers, or they refuse us.
    """
    with connect(conninfo, name="look") as one, connect(conninfo, name="look") as other, faults_named():
        return _pooling(one, other)


def _pooling(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> Pooling:
    """Whether two sessions of ours are really two.

    A pooler answers a session's start itself, so the process it names there is none of the server's. One
    in transaction mode hands the process of our finished transaction to whoever asks next: while the other
    session is in a transaction, it sits on the very process that was ours.
    """
    ours = _process(one)
    with other.transaction():
        theirs = _process(other)
        again = _process(one)
    if theirs == ours or again != ours:
        return Pooling.TRANSACTION
    return Pooling.NONE if one.info.backend_pid == ours else Pooling.SESSION


def _process(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])
