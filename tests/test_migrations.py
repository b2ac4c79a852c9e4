"""The migrations: up, down, equal to the tables, and honest about schemas they do not know."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

from betteroms.adapters.postgres import columns, schema, tables
from betteroms.adapters.postgres.database import ready
from betteroms.domain.errors import DatabaseUnavailable
from betteroms.domain.execution import Execution
from betteroms.domain.intent import Intent
from betteroms.domain.order import Order
from betteroms.domain.position import Position


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(empty_database_url, autocommit=True) as opened:
        yield opened


def relations(connection: psycopg.Connection[Any]) -> set[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
    )
    return {row[0] for row in rows}


def test_the_program_knows_exactly_the_revisions_that_exist() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.migrations()))
    config.set_main_option("path_separator", "os")
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(known)) == schema.REVISIONS


def test_first_use_migrates_and_second_use_does_nothing(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    assert schema.ensure_current(connection, empty_database_url) == f"schema empty -> {schema.HEAD}"
    assert schema.ensure_current(connection, empty_database_url) is None


def test_the_migrated_database_is_what_the_tables_say(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(empty_database_url), poolclass=pool.NullPool
    )
    with engine.connect() as opened:
        context = MigrationContext.configure(opened, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_each_revision_goes_down_and_up_again(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    full = relations(connection)
    schema.migrate(empty_database_url, schema.BASE)
    assert relations(connection) == {"alembic_version"}
    for revision in schema.REVISIONS:
        schema.migrate(empty_database_url, revision)
        assert schema.revision(connection) == revision
    assert relations(connection) == full


def test_a_newer_schema_is_refused_and_left_alone(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match=r"schema 9999, which is newer than this program"):
        ready(empty_database_url, name="test")
    assert schema.revision(connection) == "9999"


def test_a_failing_migration_changes_nothing_and_says_why(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("CREATE TABLE markets (in_the_way integer)")
    with pytest.raises(DatabaseUnavailable, match=r"changed nothing"):
        ready(empty_database_url, name="test")
    assert relations(connection) == {"markets"}


@pytest.mark.parametrize("table", ["executions", "audit_logs", "ledger_entries"])
def test_history_cannot_be_edited_even_by_hand(
    empty_database_url: str, connection: psycopg.Connection[Any], table: str
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    for statement in (f"UPDATE {table} SET mode = 'live'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement)


def names(shape: type) -> set[str]:
    return {field.name for field in fields(shape)}


def test_an_order_row_holds_what_an_order_and_its_intent_hold() -> None:
    renamed = {"key": "intent_key", "lifetime_seconds": "cancel_after"}
    intent = {renamed.get(name, name) for name in names(Intent)} | {"wished_unit"}
    order = (names(Order) - {"intent"}) | {"amount_unit"}
    assert set(columns.ORDER_COLUMNS) == intent | order
    assert set(columns.ORDER_COLUMNS) == set(tables.OrderRow.model_fields)


def test_an_execution_row_holds_what_an_execution_holds() -> None:
    assert set(columns.EXECUTION_COLUMNS) == names(Execution)
    assert set(tables.ExecutionRow.model_fields) == names(Execution) | {"sequence"}


def test_a_position_row_holds_a_position_and_its_last_seen_prices() -> None:
    marks = {"best_bid", "best_ask", "marked_at"}
    assert set(tables.PositionRow.model_fields) == names(Position) | marks


def test_an_audit_row_is_written_whole() -> None:
    assert set(columns.AUDIT_COLUMNS) == set(tables.AuditLogRow.model_fields) - {"sequence"}
