"""The migrations: up, down, equal to the tables, and honest about schemas they do not know."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.rows import dict_row
from sqlalchemy import create_engine, pool

from betteroms.adapters.postgres import columns, schema, tables
from betteroms.adapters.postgres.database import ready
from betteroms.adapters.postgres.sent import Settlement
from betteroms.domain.bounds import FillBounds
from betteroms.domain.errors import DatabaseUnavailable
from betteroms.domain.execution import Execution
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.order import ChainState, Order, Progressed, Rejected
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.rule import RuleSet, Trigger
from betteroms.domain.terms import Mode
from betteroms.ports import Run, StoredPlan
from tests.contracts.builders import (
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    inputs,
    order_of,
    payload,
    whole_snapshot,
)
from tests.contracts.builders import book as a_book_of
from tests.contracts.fact_builders import order_bounds, portfolio, rule_set, settlement
from tests.contracts.live_builders import bought, live_run, named, progressed
from tests.contracts.postgres_installation import PostgresInstallation
from tests.domain.examples import shares, size, usdc


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    # Tables change under it, and a plan that was kept for one shape of them is no plan for another.
    with psycopg.connect(empty_database_url, autocommit=True, prepare_threshold=None) as opened:
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


def content(connection: psycopg.Connection[Any]) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, column by column; the tables without rows are there too."""
    found: dict[str, list[dict[str, Any]]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        tables = cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        for table in sorted(row["relname"] for row in tables):
            rows = cursor.execute(f'SELECT * FROM "{table}"').fetchall()
            found[table] = rows
    del found["alembic_version"]
    return found


def common(
    rows: dict[str, list[dict[str, Any]]], columns: dict[str, list[str]]
) -> dict[str, list[dict[str, Any]]]:
    """What of the rows lies in these columns."""
    kept = {table: [{name: row[name] for name in columns[table]} for row in rows[table]] for table in columns}
    return {table: sorted(found, key=lambda row: repr(sorted(row.items()))) for table, found in kept.items()}


def columns_of(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name <> 'alembic_version' ORDER BY 1, 2"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found


def lived(connection: psycopg.Connection[Any], url: str, *, facts: bool) -> PostgresInstallation:
    """A database with a trade, orders that rest and what was read; with the later facts too, where wished."""
    at = PostgresInstallation(url)
    run = begin(at.ledger, a_run("june"))
    rests, ended = order_of(run), order_of(run, line=1, amount=shares("50"))
    seen = inputs(a_book_of(bids="0.40x10", asks="0.50x60"))
    at.ledger.observe(seen, [payload(b"a book")])
    at.ledger.record([rests, ended], [], sends_out=False)
    bites = [
        filled(rests, fill(rests, "30", "0.50"), taken="0.50x30"),
        filled(ended, fill(ended, "50", "0.50", fee="0.1"), complete=True),
    ]
    at.ledger.apply([accepted(rests), accepted(ended), *bites])
    if facts:
        at.ledger.note([rule_set(order_id=ended.order_id), order_bounds(rests), portfolio(run)])
    finish(at.ledger, run)
    assert all(content(connection)[table] for table in ("orders", "executions", "liquidity_taken", "markets"))
    return at


@pytest.mark.parametrize("facts", [False, True], ids=["as before", "with later facts"])
def test_a_ledger_goes_down_to_the_first_schema_and_up_again_with_all_that_fits_in_it(
    empty_database_url: str, connection: psycopg.Connection[Any], facts: bool
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    at = lived(connection, empty_database_url, facts=facts)
    before = content(connection)
    at.close()
    first = schema.REVISIONS[0]
    schema.migrate(empty_database_url, first)
    assert schema.revision(connection) == first
    old = columns_of(connection)
    assert common(content(connection), old) == common(before, old)
    schema.migrate(empty_database_url, schema.HEAD)
    after = content(connection)
    assert common(after, old) == common(before, old)
    later = {table: rows for table, rows in after.items() if table not in old}
    assert set(later) == {
        *("execution_rules", "fill_bounds", "plans", "portfolio_snapshots", "settings", "tilts"),
        *("chain_states", "signed_orders"),
    }
    assert not any(later.values())


def test_a_ledger_of_the_first_schema_trades_on_after_it_was_brought_up(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    lived(connection, empty_database_url, facts=False).close()
    schema.migrate(empty_database_url, schema.REVISIONS[0])
    assert ready_then_closed(empty_database_url) == schema.HEAD
    at = PostgresInstallation(empty_database_url)
    before = whole_snapshot(at.ledger)
    assert [order.filled_size for order in before.open_orders] == [size("30")]
    assert (before.account.cash, before.deposited) == (usdc("959.9"), usdc("1000"))
    [rests] = before.open_orders
    run = begin(at.ledger, a_run("july"))
    at.ledger.apply([filled(rests, fill(rests, "70", "0.50", number=2), complete=True)])
    at.ledger.note([settlement("150"), order_bounds(rests, at_once="30", pessimistic="30", optimistic="99")])
    finish(at.ledger, run)
    after = whole_snapshot(at.ledger)
    assert (list(after.open_orders), after.account.held) == ([], {})
    assert after.account.cash == usdc("1074.9")
    at.close()


def refusal(connection: psycopg.Connection[Any], url: str) -> str | None:
    """Go down by one revision; what kept it from that."""
    before = content(connection)
    try:
        schema.migrate(url, schema.REVISIONS[-2])
    except DatabaseUnavailable as refused:
        assert schema.revision(connection) == schema.HEAD
        assert content(connection) == before
        return str(refused)
    return None


@pytest.mark.parametrize("sent", [False, True], ids=["never sent", "being sent"])
def test_going_down_is_refused_while_a_live_order_is_alive(
    empty_database_url: str, connection: psycopg.Connection[Any], sent: bool
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    at = PostgresInstallation(empty_database_url)
    run = live_run(at)
    order = replace(named(run), sending_at=run.now if sent else None)
    at.ledger.record([order], [], sends_out=True)
    assert "a live order is alive" in (refusal(connection, empty_database_url) or "")
    over = Rejected(order_id=order.order_id, at=run.now, code="VENUE_REFUSED")
    at.ledger.apply([over])
    at.close()
    assert refusal(connection, empty_database_url) is None


def test_going_down_is_refused_while_a_fill_settles(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    at = PostgresInstallation(empty_database_url)
    order = bought(at, ("trade-1", ChainState.MINED), complete=True)
    assert "a fill settles still" in (refusal(connection, empty_database_url) or "")
    run = live_run(at, None, hours=1)
    at.ledger.apply([progressed(order, ChainState.CONFIRMED)], sends_out=True)
    finish(at.ledger, run)
    at.close()
    before = columns_of(connection)
    assert refusal(connection, empty_database_url) is None
    # Up again: what was bought is there, and nothing of it is asked after any more.
    schema.migrate(empty_database_url, schema.HEAD)
    assert columns_of(connection) == before
    at = PostgresInstallation(empty_database_url)
    snapshot = whole_snapshot(at.ledger, Mode.LIVE)
    assert snapshot.account.held == {order.intent.token_id: size("10")}
    assert (list(snapshot.settling.orders), snapshot.settling.booked) == ([], {})
    at.close()


def test_orders_that_rest_on_paper_keep_nobody_from_going_down(
    empty_database_url: str, connection: psycopg.Connection[Any]
) -> None:
    schema.migrate(empty_database_url, schema.HEAD)
    lived(connection, empty_database_url, facts=False).close()
    assert refusal(connection, empty_database_url) is None


def ready_then_closed(url: str) -> str | None:
    """Connect as every command does, which brings the schema up; the revision it then has."""
    with ready(url, name="test") as opened:
        return schema.revision(opened)


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
    # What is signed is money: it has a table of its own, for as long as the order is alive.
    order = (names(Order) - {"intent", "signed"}) | {"amount_unit"}
    assert set(columns.ORDER_COLUMNS) == intent | order
    assert set(columns.ORDER_COLUMNS) == set(tables.OrderRow.model_fields)


def test_an_execution_row_holds_what_an_execution_holds() -> None:
    assert set(columns.EXECUTION_COLUMNS) == names(Execution)
    assert set(tables.ExecutionRow.model_fields) == names(Execution) | {"sequence"}


def test_a_settlement_row_holds_what_is_told_of_a_settlement() -> None:
    assert set(tables.ChainStateRow.model_fields) == names(Settlement) == names(Progressed) | {"mode"}


def test_a_position_row_holds_a_position_and_its_last_seen_prices() -> None:
    marks = {"best_bid", "best_ask", "marked_at"}
    assert set(tables.PositionRow.model_fields) == names(Position) | marks


def test_an_audit_row_is_written_whole() -> None:
    assert set(columns.AUDIT_COLUMNS) == set(tables.AuditLogRow.model_fields) - {"sequence"}


def test_a_rules_row_holds_what_a_rule_set_holds() -> None:
    trigger = {f"trigger_{name}" for name in names(Trigger)}
    assert set(tables.ExecutionRuleRow.model_fields) == (names(RuleSet) - {"trigger"}) | trigger


def test_a_bounds_row_holds_what_fill_bounds_hold() -> None:
    assert set(tables.FillBoundsRow.model_fields) == names(FillBounds) | {"mode"}


def test_a_snapshot_row_holds_what_a_portfolio_snapshot_holds() -> None:
    assert set(tables.PortfolioSnapshotRow.model_fields) == names(PortfolioSnapshot)


def test_an_entry_row_holds_what_a_ledger_entry_holds() -> None:
    assert set(tables.LedgerEntryRow.model_fields) == names(LedgerEntry) | {"sequence"}


def test_a_plan_row_holds_what_a_stored_plan_holds() -> None:
    assert set(tables.PlanRow.model_fields) == names(StoredPlan)


def test_a_market_row_holds_what_a_market_holds() -> None:
    fees = {f"fee_{name}" for name in names(FeeSchedule)}
    assert set(tables.MarketRow.model_fields) == (names(Market) - {"fees"}) | fees | {"seen_at"}


def test_a_run_row_holds_what_a_run_holds() -> None:
    ends = {"completed_at", "summary_json", "error_message"}
    read = {"inputs", "state", "plan_payload_id", "ledger_sequence"}
    assert set(tables.RunRow.model_fields) == (names(Run) - {"plan"}) | ends | read
