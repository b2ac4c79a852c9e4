"""Prints what was reached, as ratios to floors measured in the same run: `python -m tests.benchmarks.ratios`.

Nothing here passes or fails: machines are shared and noisy. Add `--large` for 100,000 instructions, and for
reports over 1,000,000 executions.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from betteroms.adapters.postgres import schema
from betteroms.adapters.postgres.embedded import EmbeddedServer
from betteroms.sources.plan import read_plan
from tests.benchmarks import floor, reading
from tests.benchmarks.measure import Measured, betteroms, process, python, repeated
from tests.benchmarks.worlds import write_world

CASH = "100000000"
_TEMPLATE = "bench_template"


@contextmanager
def bench_home() -> Iterator[Path]:
    """A short directory that other accounts may enter."""
    home = Path(tempfile.mkdtemp(prefix="boms"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home)


class Databases:
    """Fresh, migrated databases in one running server."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._url = server.url()
        self._number = 0
        self._admin = psycopg.connect(self._url, autocommit=True)
        self._admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        schema.migrate(self.named(_TEMPLATE), schema.HEAD)

    def named(self, name: str) -> str:
        return self._url.replace("/betteroms?", f"/{name}?")

    def fresh(self) -> Mapping[str, str]:
        """The environment of a run that starts from nothing."""
        self._number += 1
        name = f"bench_{self._number}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return {"DATABASE_URL": self.named(name), "BETTEROMS_PAPER_CASH": CASH}

    def copy_of(self, url: str) -> str:
        """Another database with the same content; nobody may be connected to the first."""
        self._number += 1
        name, source = f"bench_{self._number}", url.rpartition("/")[2].partition("?")[0]
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self.named(name)

    @property
    def last(self) -> str:
        return self.named(f"bench_{self._number}")


def paper_run(databases: Databases, directory: Path, instructions: int, times: int) -> Measured:
    """A whole paper run, from process start to exit with the server running."""
    plan, books = write_world(directory / str(instructions), instructions=instructions)
    words = ("trade", str(plan), "--books", str(books))
    return repeated(times, betteroms(*words), before=databases.fresh)


def copy_floor(databases: Databases, times: int) -> tuple[str, list[float]]:
    """The floor's shape, and the seconds of each repetition, in the database of the last run."""
    with psycopg.connect(databases.last, autocommit=True) as connection:
        rows = floor.read_rows(connection)
        return rows.shape, [
            floor.write_rows(connection, rows, repetition=number + 1) for number in range(times)
        ]


def writing_transactions(databases: Databases, directory: Path, instructions: int) -> int:
    """How many transactions wrote during one run: transaction ids are spent by writers alone."""
    plan, books = write_world(directory / f"count-{instructions}", instructions=instructions)
    environ = databases.fresh()

    def spent() -> int:
        with psycopg.connect(databases.last, autocommit=True) as connection:
            row = connection.execute(
                "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            ).fetchone()
            assert row is not None
            return int(row[0])

    before = spent()
    process(betteroms("trade", str(plan), "--books", str(books)), environ=environ)
    return spent() - before


def validation(directory: Path, instructions: int) -> tuple[float, float]:
    """Seconds of `json.loads` and of reading the same bytes as a plan, best of several, in process."""
    path, _ = write_world(directory / f"validate-{instructions}", instructions=instructions)
    text = path.read_bytes()
    return _best(lambda: json.loads(text)), _best(lambda: read_plan(text, "plan.json"))


def _best(work: Callable[[], Any], times: int = 9) -> float:
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def _row(what: str, reached: str, bound: str) -> None:
    print(f"{what:<58} {reached:>34}   {bound}", flush=True)


def start_up(databases: Databases, directory: Path) -> None:
    typer, base = repeated(7, python("import typer")), repeated(7, python("import pydantic, psycopg"))
    shown = repeated(7, betteroms("--help"))
    _row(
        "betteroms --help / import typer",
        f"{shown.best / typer.best:.2f}x ({shown.best * 1e3:.0f} ms)",
        "<= 3x",
    )
    small = paper_run(databases, directory, 5, 7)
    _row(
        "5 instructions / import pydantic, psycopg",
        f"{small.best / base.best:.2f}x ({small.best * 1e3:.0f} ms)",
        "<= 3x",
    )


def bundled_database(directory: Path) -> None:
    home = directory / "first"
    server = EmbeddedServer(home=home)
    first = _timed(server.ensure_running)
    attach = min(_timed(server.ensure_running) for _ in range(20))
    server.stop()
    cold = _timed(server.ensure_running)
    server.stop()
    _row("bundled database: first use", f"{first:.2f} s", "<= 1.5 s")
    _row("bundled database: cold start", f"{cold * 1e3:.0f} ms", "<= 500 ms")
    _row("bundled database: attach, over connecting", f"{attach * 1e3:.1f} ms", "<= 30 ms")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--large", action="store_true", help="100,000 instructions, 1,000,000 executions")
    words.add_argument("--times", type=int, default=5, help="repetitions of the 10,000-instruction run")
    chosen = words.parse_args()
    with bench_home() as directory:
        bundled_database(directory)
        server = EmbeddedServer(home=directory / "home")
        server.ensure_running()
        try:
            _report(Databases(server), directory, chosen)
        finally:
            server.stop()


def _report(databases: Databases, directory: Path, chosen: argparse.Namespace) -> None:
    start_up(databases, directory)
    plain, read = validation(directory, 10_000)
    _row("10,000 validated / json.loads", f"{read / plain:.2f}x ({read * 1e3:.0f} ms)", "<= 8x")
    run = paper_run(databases, directory, 10_000, chosen.times)
    shape, seconds = copy_floor(databases, 7)
    print(f"floor: {shape}; min {min(seconds) * 1e3:.0f} ms")
    _row(
        "10,000 instructions / COPY floor",
        f"{run.best / min(seconds):.2f}x ({run.best * 1e3:.0f} ms)",
        "<= 4x",
    )
    _row("10,000 instructions: peak", f"{run.peak_mib:.0f} MiB", "<= 250 MiB")
    for size in (1, 100, 10_000):
        count = writing_transactions(databases, directory, size)
        _row(f"writing transactions, {size:,} instructions", str(count), "<= 3")
    if chosen.large:
        large = paper_run(databases, directory, 100_000, 1)
        _row("100,000 / 10,000", f"{large.best / run.best:.2f}x ({large.best:.1f} s)", "<= 11x")
        _row("100,000 instructions: peak", f"{large.peak_mib:.0f} MiB", "<= 1,024 MiB")
        for row in reading.measured(databases.fresh, chosen.times):
            _row(*row)


if __name__ == "__main__":
    main()
