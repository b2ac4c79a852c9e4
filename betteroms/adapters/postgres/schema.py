"""Which schema the database has, told without importing Alembic, and how it is brought up to date."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import psycopg

from betteroms.domain.errors import DatabaseUnavailable

REVISIONS: Final = ("0001", "0002", "0003", "0004")
"""Every revision this program knows, oldest first; the last one is what it needs."""
HEAD: Final = REVISIONS[-1]
BASE: Final = "base"
"""Alembic's name for no schema at all."""
_MIGRATION_LOCK: Final = 0x6F6D7301


class SchemaState(StrEnum):
    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def revision(connection: psycopg.Connection[Any]) -> str | None:
    """The database's revision; None where there is no schema yet."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return str(row[0]) if row else None


def state(found: str | None) -> SchemaState:
    """How a revision relates to the one this program needs; an unknown one is newer."""
    if found is None:
        return SchemaState.EMPTY
    if found == HEAD:
        return SchemaState.CURRENT
    return SchemaState.OLDER if found in REVISIONS else SchemaState.NEWER


def ensure_current(connection: psycopg.Connection[Any], url: str) -> str | None:
    """Migrate if needed; what was done, in words, or None.

    Raises:
        DatabaseUnavailable: the schema is newer than this program.
    """
    found = revision(connection)
    if state(found) is SchemaState.CURRENT:
        return None
    # Two first uses at once: the second waits here and then finds the work done.
    connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
    try:
        found = revision(connection)
        was = state(found)
        if was is SchemaState.CURRENT:
            return None
        if was is SchemaState.NEWER:
            raise DatabaseUnavailable(
                f"the database has schema {found}, which is newer than this program (it knows up to {HEAD}); "
                "update betteroms, or point DATABASE_URL at another database"
            )
        migrate(url, HEAD)
        return f"schema {found or 'empty'} -> {HEAD}"
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def migrate(url: str, target: str) -> None:
    """Run the migrations up or down to `target`; all of it or nothing.

    `url` is a libpq URL or conninfo. Raises DatabaseUnavailable where the database refuses.
    """
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, pool
    from sqlalchemy.exc import SQLAlchemyError

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.set_main_option("path_separator", "os")
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=pool.NullPool
    )
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            if target == BASE or (target in REVISIONS and REVISIONS.index(target) < _index(connection)):
                command.downgrade(config, target)
            else:
                command.upgrade(config, target)
    except SQLAlchemyError as error:
        raise DatabaseUnavailable(f"the migration failed and changed nothing: {error}") from error


def _index(connection: Any) -> int:
    found = connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar()
    if found is None:
        return -1
    number = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return REVISIONS.index(number) if number in REVISIONS else -1


def migrations() -> Path:
    """Where the migration scripts are: in the package once installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    bundled = package / "migrations"
    return bundled if bundled.is_dir() else package.parent / "migrations"
