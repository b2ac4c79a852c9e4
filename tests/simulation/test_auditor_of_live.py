"""The auditor knows what live orders do to the tables, and sees damage done to them."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.contracts.postgres_installation import PostgresInstallation
from tests.postgres.test_sent import lived
from tests.simulation.audit_money import check_positions
from tests.simulation.audit_orders import check_ends, check_lives
from tests.simulation.audit_settlement import check_settlements, check_signed
from tests.simulation.audit_tables import load

CHECKS = (check_lives, check_ends, check_positions, check_settlements, check_signed)


@pytest.fixture
def sql(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with live orders in it: one open, one that ended, a ghost, and one placed elsewhere."""
    at = PostgresInstallation(database_url)
    lived(at)
    at.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def complaints(sql: psycopg.Connection[Any]) -> list[str]:
    tables = load(sql)
    return [complaint for check in CHECKS for complaint in check(tables)]


def test_live_orders_are_no_damage(sql: psycopg.Connection[Any]) -> None:
    assert complaints(sql) == []


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("UPDATE chain_states SET state = 'MINED' WHERE state = 'FAILED'", "trade-2: is MINED, its events"),
        ("DELETE FROM chain_states WHERE state = 'CONFIRMED'", "trade-1: is None, its events say CONFIRMED"),
        ("DELETE FROM executions WHERE size < 0", "trade-2: is FAILED, taken back: False"),
        ("UPDATE executions SET size = size + 1 WHERE size < 0", "10000000 shares were bought or sold"),
        ("DELETE FROM audit_logs WHERE event_data->>'state' = 'FAILED'", "is MATCHED, taken back: True"),
        (
            "DELETE FROM executions WHERE external_execution_id = 'trade-3'",
            "settles and is not booked",
        ),
        ("DELETE FROM signed_orders", "is NEW, its bytes kept: False"),
        ("UPDATE orders SET status = 'OPEN' WHERE status = 'FILLED'", "is OPEN, its bytes kept: False"),
        ("UPDATE orders SET code = NULL WHERE source = 'external'", "has code None, its events say EXTERNAL"),
    ],
)
def test_damage_to_live_orders_is_seen(sql: psycopg.Connection[Any], damage: str, complaint: str) -> None:
    with sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        assert sql.execute(damage).rowcount
    assert any(complaint in found for found in complaints(sql)), complaints(sql)
