"""Prints what a pass of maintenance costs: `python -m tests.benchmarks.maintenance`.

10,000 orders rest in 500 markets and half of them fill. The floor, in the same run: reading the same books
from their files as JSON, and writing the rows that the pass changed by bulk statements in one transaction,
with nothing decided or formatted in the timed part. Nothing here passes or fails: machines are shared.
"""

import argparse
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import psycopg

from betteroms import wiring
from betteroms.adapters.postgres.embedded import EmbeddedServer
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.jobs.maintain import maintain
from betteroms.settings import Settings
from tests.benchmarks import resting
from tests.benchmarks.measure import betteroms, process
from tests.benchmarks.ratios import Databases, bench_home


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--times", type=int, default=5)
    chosen = words.parse_args()
    gc.disable()
    sys.setswitchinterval(0.001)
    with bench_home() as directory:
        server = EmbeddedServer(home=directory / "home")
        server.ensure_running()
        try:
            _report(Databases(server), directory, chosen.times)
        finally:
            server.stop()


def _report(databases: Databases, directory: Path, times: int) -> None:
    plan, before, after = resting.write_world(directory / "world")
    environ = databases.fresh()
    prepared = databases.last
    # Its books are wide on purpose: nothing may fill before the measured pass.
    environ = {**environ, "BETTEROMS_MAX_SPREAD": "1"}
    process(betteroms("trade", str(plan), "--books", str(before)), environ=environ)
    passes, floors, wholes = [], [], []
    for _ in range(times):
        measured = databases.copy_of(prepared)
        passes.append(_maintain(measured, after))
        rows = _changed(measured)
        floors.append(_floor(databases.copy_of(prepared), after, rows))
        whole = {**environ, "DATABASE_URL": databases.copy_of(prepared)}
        wholes.append(process(betteroms("maintain", "--books", str(after)), environ=whole)[0])
    counted = {table: text.count(b"\n") for table, (_, text) in rows["copied"].items()}
    counts = ", ".join(f"{count:,} {table}" for table, count in counted.items())
    print(f"floor: 500 books read; {len(rows['orders'][0]):,} orders moved, {counts}")
    best, floor = min(passes), min(floors)
    whole_best = min(wholes)
    print(f"floor                     {floor * 1e3:6.0f} ms")
    print(f"maintain, after imports   {best * 1e3:6.0f} ms   {best / floor:.2f}x   <= 5x")
    print(f"maintain, whole process   {whole_best * 1e3:6.0f} ms   {whole_best / floor:.2f}x")


def _maintain(url: str, books: Path) -> float:
    """One pass in this process, from opening the books to the commit."""
    settings = Settings(home=Path("/nonexistent"), database_url=Secret(url))
    started = time.perf_counter()
    with wiring.desk(settings, Mode.PAPER, name="maintain", books=books, lock_wait_seconds=0) as desk:
        told = maintain(desk)
    seconds = time.perf_counter() - started
    assert told["result"]["totals"]["restingFilled"] == resting.ORDERS // 2, told["result"]["totals"]
    return seconds


_MOVED: Final = ("order_id", "status", "filled_size", "filled_cash", "fills")


def _changed(url: str) -> dict[str, Any]:
    """The rows that a pass changed, ready to be written: arrays for updates, `COPY` text for the rest."""
    with psycopg.connect(url, autocommit=True) as connection:
        latest = "(SELECT run_id FROM runs WHERE kind = 'maintain')"
        moved = connection.execute(
            f"SELECT {', '.join(_MOVED)} FROM orders WHERE status = 'FILLED' ORDER BY order_id"
        ).fetchall()
        positions = connection.execute(
            "SELECT mode, token_id, market_id, size, cost_basis, realised, fees, opened_at FROM positions"
        ).fetchall()
        sources = {
            "executions": "SELECT * FROM executions ORDER BY sequence",
            "audit_logs": "SELECT * FROM audit_logs WHERE event_type = 'order_filled' ORDER BY sequence",
            "liquidity_taken": "SELECT * FROM liquidity_taken",
            "book_snapshots": "SELECT * FROM book_snapshots WHERE payload_id IN (SELECT value->>'id' "
            f"FROM runs, jsonb_each(inputs->'books') WHERE run_id = {latest})",
        }
        copied = {}
        for table, query in sources.items():
            with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
                copied[table] = (query, b"".join(bytes(block) for block in copy))
    return {
        "orders": list(zip(*moved, strict=True)),
        "positions": list(zip(*positions, strict=True)),
        "copied": copied,
    }


def _floor(url: str, books: Path, rows: dict[str, Any]) -> float:
    """Read the books, and write what changed, durably; seconds taken."""
    with psycopg.connect(url, autocommit=True) as connection:
        started = time.perf_counter()
        for file in sorted(books.glob("*.json")):
            json.loads(file.read_bytes())
        with connection.transaction():
            connection.execute(
                "UPDATE orders o SET status = n.status, filled_size = n.filled_size, "
                "filled_cash = n.filled_cash, fills = n.fills FROM unnest(%s::uuid[], %s::text[], "
                "%s::numeric[], %s::numeric[], %s::integer[]) AS n (order_id, status, filled_size, "
                "filled_cash, fills) WHERE o.order_id = n.order_id",
                [list(column) for column in rows["orders"]],
            )
            connection.execute(
                "INSERT INTO positions (mode, token_id, market_id, size, cost_basis, realised, fees, "
                "opened_at) SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::numeric[], "
                "%s::numeric[], %s::numeric[], %s::numeric[], %s::timestamptz[])",
                [list(column) for column in rows["positions"]],
            )
            with connection.cursor() as cursor:
                for table, (_, text) in rows["copied"].items():
                    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        copy.write(text)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
