"""Orders that leave the process, as rows: what one transaction holds, and where signed bytes never are."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from betteroms.adapters.postgres.views.records import PostgresRecords
from betteroms.domain.errors import DatabaseUnavailable
from betteroms.domain.order import Canceled, ChainState, Order, OrderEvent, Reversed, Sending
from betteroms.domain.secret import Secret
from betteroms.domain.switch import Proven
from betteroms.domain.terms import Mode
from betteroms.jobs.verify import verify
from betteroms.records import ExportKind
from tests.contracts.builders import (
    NOON,
    a_run,
    accepted,
    begin,
    fill,
    filled,
    finish,
    inputs,
    opposite,
    order_of,
)
from tests.contracts.builders import book as a_book_of
from tests.contracts.fact_builders import external_fill
from tests.contracts.live_builders import SOON, bought, live_run, named, now, progressed, three
from tests.contracts.postgres_installation import PostgresInstallation

BYTES = "0xdeadbeef signed by nobody"


@pytest.fixture
def at(database_url: str) -> Iterator[PostgresInstallation]:
    installation = PostgresInstallation(database_url)
    yield installation
    installation.close()


@pytest.fixture
def sql(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def everything(sql: psycopg.Connection[Any]) -> dict[str, str]:
    """Every row of every table, as text."""
    tables = sql.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    ).fetchall()
    return {
        table: "\n".join(row[0] for row in sql.execute(f"SELECT t::text FROM {table} t").fetchall())
        for (table,) in tables
    }


def signed(order: Order) -> Order:
    return replace(order, signed=Secret(BYTES))


def test_answers_and_the_marks_of_the_next_batch_are_one_transaction(
    at: PostgresInstallation, sql: psycopg.Connection[Any]
) -> None:
    orders = three(live_run(at))
    at.ledger.record(orders, [], sends_out=True)
    written = sql.execute("SELECT DISTINCT xmin::text FROM orders").fetchall()
    assert len(written) == 1
    ended = Canceled(order_id=orders[0].order_id, at=NOON, code="FAK_NO_MATCH")
    news: list[OrderEvent] = [
        accepted(orders[0]),
        ended,
        Sending(order_id=orders[1].order_id, at=NOON + SOON),
    ]
    at.ledger.apply(news)
    moved = sql.execute("SELECT DISTINCT xmin::text FROM orders WHERE line < 2").fetchall()
    told = sql.execute(
        "SELECT DISTINCT xmin::text FROM audit_logs WHERE event_type IN "
        "('order_placed', 'order_canceled', 'order_sending')"
    ).fetchall()
    assert len(moved) == 1
    assert moved == told != written
    assert sql.execute("SELECT count(*) FROM signed_orders").fetchone() == (2,)


def test_a_connection_that_is_lost_before_the_answers_are_written_leaves_what_was_sent_marked(
    at: PostgresInstallation, sql: psycopg.Connection[Any]
) -> None:
    orders = three(live_run(at))
    at.ledger.record(orders, [], sends_out=True)
    sql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE 'betteroms % ledger'"
    )
    with pytest.raises(DatabaseUnavailable):
        at.ledger.apply([accepted(orders[0]), Sending(order_id=orders[1].order_id, at=NOON)])
    at.die()
    assert [order.sending_at for order in now(at, *orders).known.values()] == [NOON, None, None]
    assert {order.status.value for order in at.reader.orders()} == {"NEW"}


def test_signed_bytes_are_in_one_table_while_the_order_is_alive_and_then_nowhere(
    at: PostgresInstallation, sql: psycopg.Connection[Any]
) -> None:
    run = live_run(at)
    order = signed(named(run))
    at.ledger.observe(inputs(a_book_of(bids="0.40x10", asks="0.50x60")), [])
    at.ledger.record([order], [], sends_out=True)
    one = fill(order, "10", "0.50", external_execution_id="trade-1")
    at.ledger.apply([accepted(order), filled(order, one), progressed(order, ChainState.MINED)])
    at.ledger.note([Proven(wallet="0xa", domain="ctf", at=NOON), external_fill("5")])
    finish(at.ledger, run)
    assert [table for table, rows in everything(sql).items() if BYTES in rows] == ["signed_orders"]
    run = live_run(at, None, hours=1)
    at.ledger.apply([Canceled(order_id=order.order_id, at=NOON, code="BY_HAND")], sends_out=True)
    finish(at.ledger, run)
    assert not any(BYTES in rows for rows in everything(sql).values())


def test_signed_bytes_are_in_no_reading_for_people(at: PostgresInstallation, database_url: str) -> None:
    run = live_run(at)
    order = signed(named(run))
    at.ledger.record([order], [], sends_out=True)
    finish(at.ledger, run)
    with psycopg.connect(database_url) as connection:
        records = PostgresRecords(connection)
        [record] = records.orders_named(order.order_id[:8])
        told: list[object] = [
            record,
            record.order.signed,
            records.events(order.order_id),
            list(records.alive_orders(Mode.LIVE)),
            records.recording(run.run_id),
            records.run(run.run_id),
        ]
        for kind in ExportKind:
            blocks = records.exported(kind, mode=None, since=None, until=None).blocks
            told.append(list(blocks))
    assert BYTES not in repr(told)
    assert record.order.signed is None


def test_that_an_order_was_written_down_is_audited_with_its_name_and_its_mark(
    at: PostgresInstallation, sql: psycopg.Connection[Any]
) -> None:
    orders = three(live_run(at))
    at.ledger.record(orders, [], sends_out=True)
    rows = sql.execute(
        "SELECT entity_id, event_data, at FROM audit_logs WHERE event_type = 'order_recorded' "
        "ORDER BY sequence"
    ).fetchall()
    assert rows == [
        (
            order.order_id,
            {
                "name": order.external_order_id,
                "sendingAt": None if order.sending_at is None else order.sending_at.isoformat(),
            },
            order.created_at,
        )
        for order in orders
    ]


def test_paper_writes_nothing_of_all_this(at: PostgresInstallation, sql: psycopg.Connection[Any]) -> None:
    run = begin(at.ledger, a_run())
    order = order_of(run)
    at.ledger.record([order], [], sends_out=False)
    at.ledger.apply([accepted(order), filled(order, fill(order, "10", "0.50"))])
    finish(at.ledger, run)
    found = everything(sql)
    assert (found["signed_orders"], found["chain_states"]) == ("", "")
    assert "order_recorded" not in found["audit_logs"]


def verified(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        differences: list[str] = verify(PostgresRecords(connection))["differences"]
    return differences


def lived(at: PostgresInstallation) -> Order:
    """A live order that is open, and one that ended with a fill confirmed, one failed and one settling."""
    run = live_run(at)
    at.ledger.record([named(run, 9)], [], sends_out=True)
    finish(at.ledger, run)
    order = bought(
        at,
        ("trade-1", ChainState.CONFIRMED),
        ("trade-2", ChainState.MATCHED),
        ("trade-3", ChainState.MINED),
        line=1,
        complete=True,
    )
    _, ghost, _ = at.reader.executions()
    run = live_run(at, None, hours=2)
    undone = replace(opposite(ghost, number=4), external_execution_id="trade-2:reversed")
    news: list[OrderEvent] = [
        progressed(order, ChainState.FAILED, name="trade-2"),
        Reversed(order_id=order.order_id, at=NOON, executions=(undone,)),
    ]
    at.ledger.apply(news, sends_out=True)
    at.ledger.note([external_fill("5", order="0xe1", fill="trade-8")])
    finish(at.ledger, run)
    return order


def test_verify_agrees_with_a_live_ledger(at: PostgresInstallation, database_url: str) -> None:
    lived(at)
    assert verified(database_url) == []


@pytest.mark.parametrize(
    ("tampering", "difference"),
    [
        (
            "UPDATE chain_states SET state = 'CONFIRMED' WHERE external_execution_id = 'trade-3'",
            "order {order}, fill trade-3: its settlement is CONFIRMED, its events say MINED",
        ),
        (
            "DELETE FROM chain_states WHERE external_execution_id = 'trade-1'",
            "order {order}, fill trade-1: its settlement is not kept, its events say CONFIRMED",
        ),
        (
            "INSERT INTO chain_states SELECT order_id, 'trade-7', mode, state, NULL, at FROM chain_states "
            "WHERE external_execution_id = 'trade-3'",
            "order {order}, fill trade-7: its settlement is MINED, its events say nothing",
        ),
        (
            "UPDATE executions SET external_execution_id = 'odd' "
            "WHERE external_execution_id = 'trade-2:reversed'",
            "order {order}, fill trade-2: it failed, and no execution takes it back",
        ),
        (
            "UPDATE executions SET external_execution_id = 'trade-1:reversed' "
            "WHERE external_execution_id = 'trade-2:reversed'",
            "order {order}, fill trade-1: it was taken back, though it did not fail",
        ),
        (
            "INSERT INTO signed_orders SELECT order_id, 'money' FROM orders WHERE status = 'FILLED' "
            "AND source = 'plan'",
            "order {order}: has ended, and its signed bytes are kept",
        ),
        (
            "DELETE FROM signed_orders",
            "order {open}: is alive without its signed bytes",
        ),
    ],
)
def test_verify_names_what_of_a_live_ledger_was_tampered_with(
    at: PostgresInstallation,
    sql: psycopg.Connection[Any],
    database_url: str,
    tampering: str,
    difference: str,
) -> None:
    order = lived(at)
    [alive] = [found for found in at.reader.orders() if found.signed is not None]
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        sql.execute(tampering)
    assert difference.format(order=order.order_id, open=alive.order_id) in verified(database_url)
