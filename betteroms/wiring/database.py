"""The database: where it is, connections to it, what is read back from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from betteroms.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from betteroms.adapters.postgres.embedded import EmbeddedServer
    from betteroms.adapters.postgres.plans import PostgresPlans
    from betteroms.adapters.postgres.switch import PostgresSwitch
    from betteroms.records import Records


def embedded_server(settings: Settings) -> "EmbeddedServer | None":
    """The bundled database of this home; None where DATABASE_URL names another."""
    from betteroms.adapters.postgres.embedded import EmbeddedServer

    return None if settings.database_url else EmbeddedServer(home=settings.home)


def conninfo(settings: Settings) -> str:
    """Where the database is, started if it is ours and does not run."""
    if settings.database_url:
        return settings.database_url.reveal()
    server = embedded_server(settings)
    assert server is not None
    return server.ensure_running()


@contextmanager
def database(settings: Settings, *, name: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection to a database with the schema this program needs; `name` is what others see."""
    from betteroms.adapters.postgres.database import ready

    connection = ready(conninfo(settings), name=name)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def records(settings: Settings, *, name: str) -> "Iterator[Records]":
    """Everything that is read back for people, as of one moment; no lock is taken."""
    from betteroms.adapters.postgres.views.records import PostgresRecords

    with database(settings, name=name) as connection:
        yield PostgresRecords(connection)


@contextmanager
def stored_plans(settings: Settings, *, name: str) -> "Iterator[PostgresPlans]":
    """The plans kept in the database, and what became of plans; no lock is taken."""
    from betteroms.adapters.postgres.plans import PostgresPlans

    with database(settings, name=name) as connection:
        yield PostgresPlans(connection)


@contextmanager
def switch(settings: Settings, *, name: str) -> "Iterator[PostgresSwitch]":
    """The live switch; no lock is taken."""
    from betteroms.adapters.postgres.switch import PostgresSwitch

    with database(settings, name=name) as connection:
        yield PostgresSwitch(connection)


def upgrade(settings: Settings) -> str | None:
    """Bring the schema up to date; what was done, in words, or None."""
    from betteroms.adapters.postgres.database import connect
    from betteroms.adapters.postgres.schema import ensure_current

    address = conninfo(settings)
    with connect(address, name="upgrade") as connection:
        return ensure_current(connection, address)


def backup(settings: Settings, target: Path) -> tuple[int, str]:
    """Write the database to a file; its size in bytes, and the command that puts it back."""
    from betteroms.adapters.postgres.backup import dump, restore_command

    return dump(conninfo(settings), target), restore_command(target)


def database_url(settings: Settings) -> str:
    """Where the database is, as a URL; nothing is started."""
    server = embedded_server(settings)
    if server is not None:
        return server.url()
    assert settings.database_url is not None
    return settings.database_url.reveal()


def database_status(settings: Settings) -> dict[str, Any]:
    """How the database is; nothing is started, and an own server is only asked if it runs."""
    from betteroms.adapters.postgres.views.health import health

    told: dict[str, Any] = {"server": "DATABASE_URL", "running": True, "version": None, "sizeBytes": None}
    server = embedded_server(settings)
    if server is not None:
        found = server.status()
        told |= {
            "server": "bundled",
            "running": found.running,
            "version": found.version,
            "pid": found.pid,
            "dataDirectory": str(found.data_dir),
            "logFile": str(found.log_file),
            "sizeBytes": found.size_bytes,
        }
    if not told["running"]:
        return told
    seen = health(server.conninfo() if server is not None else database_url(settings))
    return {
        **told,
        "version": seen.version,
        "sizeBytes": told["sizeBytes"] or seen.size_bytes,
        "database": seen.name,
        "schema": seen.revision,
        "schemaState": seen.state,
    }
