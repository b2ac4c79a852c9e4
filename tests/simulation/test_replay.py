"""Every run of the month computed again: the same bytes, and others where what it recorded was altered."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import named
from tests.simulation.lived import LivedMonth
from tests.simulation.replays import replayed

Sql = psycopg.Connection[Any]
ALTERED_RUNS = 4
FILLED_AT_ONCE = """
    SELECT e.order_id::text, r.run_id::text, r.inputs->'books'->e.token_id->>'id' AS book,
        r.inputs->'markets'->>e.market_id AS market, trim_scale(e.price)::text AS price,
        (r.inputs->'books'->e.token_id->>'mirrored')::boolean AS mirrored
    FROM executions e JOIN orders o USING (order_id) JOIN runs r ON r.run_id = o.run_id
    WHERE e.liquidity = 'TAKER' AND e.fee > 0 AND e.side = 'BUY' AND e.size > 1 AND e.number = 1
        AND r.kind = 'trade' AND NOT (r.inputs->'books'->e.token_id->>'mirrored')::boolean
    ORDER BY md5(e.order_id::text) LIMIT %s
"""
"""Some fills whose level, fee and limit mattered, in an order that means nothing."""


def test_every_run_of_a_month_has_the_same_bytes_again(month: LivedMonth) -> None:
    told = replayed(month.url, [run.run_id for run in month.runs])
    different = {name: run["differences"] for name, run in told.items() if run["outcome"] != "identical"}
    assert different == {}
    assert len(told) == len(month.runs)
    assert {run["kind"] for run in told.values()} == {"trade", "maintain", "run"}


@pytest.fixture(scope="module")
def copy(month: LivedMonth, administrator: Sql, server_url: str) -> Iterator[str]:
    """The month's database once more, for what must not happen to the other."""
    name = month.url.rpartition("/")[2].partition("?")[0]
    administrator.execute(f"CREATE DATABASE {name}_altered TEMPLATE {name}")
    yield named(server_url, f"{name}_altered")
    administrator.execute(f"DROP DATABASE {name}_altered WITH (FORCE)")


@pytest.fixture(scope="module")
def sql(copy: str) -> Iterator[Sql]:
    """A session that may change what is never to be changed."""
    with psycopg.connect(copy, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def rewritten(sql: Sql, payload: str, change: Any) -> bytes:
    """Change the document kept under this name; what it was."""
    row = sql.execute("SELECT body FROM book_snapshots WHERE payload_id = %s", (payload,)).fetchone()
    assert row is not None
    document = json.loads(zlib.decompress(row[0]))
    change(document)
    put(sql, payload, zlib.compress(json.dumps(document, separators=(",", ":")).encode()))
    return bytes(row[0])


def put(sql: Sql, payload: str, body: bytes) -> None:
    sql.execute("UPDATE book_snapshots SET body = %s WHERE payload_id = %s", (body, payload))


def places(url: str, run: str) -> list[str]:
    """Where a run differs; it must."""
    told = replayed(url, [run])[run]
    assert told["outcome"] == "different"
    return [difference["path"] for difference in told["differences"]]


def test_one_altered_level_fee_or_limit_is_found(copy: str, sql: Sql) -> None:
    fills = sql.execute(FILLED_AT_ONCE, (ALTERED_RUNS,)).fetchall()
    assert len(fills) == ALTERED_RUNS
    for _, run, book, market, price, _ in fills:

        def thin(document: Any, price: str = price) -> None:
            (level,) = [each for each in document["asks"] if float(each["price"]) == float(price)]
            level["size"] = "0.5"

        was = rewritten(sql, book, thin)
        assert any(".executions" in place for place in places(copy, run))
        put(sql, book, was)

        def dear(document: Any) -> None:
            document["feeSchedule"]["rate"] = 0.08

        was = rewritten(sql, market, dear)
        assert any(place.endswith(".fee") for place in places(copy, run))
        put(sql, market, was)

        kept = sql.execute("SELECT settings FROM runs WHERE run_id = %s", (run,)).fetchone()
        assert kept is not None
        tighter = {**kept[0], "BETTEROMS_MAX_ORDER_NOTIONAL_USD": "0.01"}
        settings = "UPDATE runs SET settings = %s WHERE run_id = %s"
        sql.execute(settings, (json.dumps(tighter), run))
        assert any(place.endswith(".status") for place in places(copy, run))
        sql.execute(settings, (json.dumps(kept[0]), run))
        assert replayed(copy, [run])[run]["outcome"] == "identical"
