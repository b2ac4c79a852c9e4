"""Prints what a pass of maintenance costs: `python -m tests.benchmarks.maintenance`.

10,000 orders rest in 500 markets and half of them fill. The floor, in the same run: reading the same books
from their file as JSON, and writing every row that the pass changed, in whichever table, by bulk statements
in one transaction (`COPY` of new rows, one `UPDATE` from such a copy where rows move), with nothing decided
or formatted in the timed part. Nothing here passes or fails: machines are shared.
"""

import argparse
import gc
import json
import sys
import time
from dataclasses import dataclass
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
    read, written = min(floors, key=sum)
    best, floor, whole_best = min(passes), read + written, min(wholes)
    print(f"floor: {read * 1e3:.0f} ms to read {resting.MARKETS} books by json.loads, and")
    print(f"{written * 1e3:.0f} ms to write by bulk statements in one transaction: {rows.shape}")
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


_MOVED: Final = {
    "orders": ("order_id", "status", "filled_size", "filled_cash", "fills"),
    "fill_bounds": ("order_id", "pessimistic", "optimistic"),
}
"""What is told of rows that were there before: the key, then what moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows that a pass changed, as `COPY` text by table: new ones, and those that were there before."""

    new: dict[str, bytes]
    moved: dict[str, bytes]

    @property
    def shape(self) -> str:
        texts = {f"{table} moved": text for table, text in self.moved.items()} | self.new
        counts = {name: text.count(b"\n") for name, text in texts.items()}
        return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _changed(url: str) -> Rows:
    """Every row that the last pass changed, in whichever table, ready to be written again."""
    latest = "(SELECT run_id FROM runs WHERE kind = 'maintain')"
    before = "(SELECT ledger_sequence FROM runs WHERE kind = 'maintain')"
    moved = {
        "orders": "orders WHERE status = 'FILLED'",
        "fill_bounds": "fill_bounds WHERE pessimistic <> at_once OR optimistic <> at_once",
    }
    new = {
        "runs": f"runs WHERE run_id = {latest}",
        "executions": "executions ORDER BY sequence",
        "audit_logs": f"audit_logs WHERE sequence > {before} ORDER BY sequence",
        "positions": "positions",
        "liquidity_taken": "liquidity_taken",
        "book_snapshots": "book_snapshots WHERE payload_id IN (SELECT value->>'id' "
        f"FROM runs, jsonb_each(inputs->'books') WHERE run_id = {latest})",
        "portfolio_snapshots": "portfolio_snapshots",
    }
    with psycopg.connect(url, autocommit=True) as connection:
        return Rows(
            new={table: _copied(connection, f"SELECT * FROM {source}") for table, source in new.items()},
            moved={
                table: _copied(connection, f"SELECT {', '.join(_MOVED[table])} FROM {source}")
                for table, source in moved.items()
            },
        )


def _copied(connection: psycopg.Connection[Any], query: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        return b"".join(bytes(block) for block in copy)


def _floor(url: str, books: Path, rows: Rows) -> tuple[float, float]:
    """Read the books, and write what changed, durably; seconds taken by each."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        json.loads((books / "books.json").read_bytes())
        read = time.perf_counter()
        with connection.transaction():
            for table, text in rows.moved.items():
                _move(cursor, table, text)
            for table, text in rows.new.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(text)
        return read - started, time.perf_counter() - read


def _move(cursor: psycopg.Cursor[Any], table: str, text: bytes) -> None:
    """Move rows that are there, by one statement."""
    key, *columns = _MOVED[table]
    cursor.execute(
        f"CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT {', '.join((key, *columns))} FROM {table} LIMIT 0"
    )
    with cursor.copy("COPY moved FROM STDIN") as copy:
        copy.write(text)
    moves = ", ".join(f"{name} = n.{name}" for name in columns)
    cursor.execute(f"UPDATE {table} t SET {moves} FROM moved n WHERE t.{key} = n.{key}")
    cursor.execute("DROP TABLE moved")


if __name__ == "__main__":
    main()
