"""Prints what reports cost over a long history: `python -m tests.benchmarks.reading`.

A million executions are loaded; whole processes are timed, best of several. The floor of `positions verify`
is measured in the same run: the executions read by `COPY` in Python, block by block, nothing parsed.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psycopg

from betteroms.adapters.postgres import schema
from betteroms.adapters.postgres.embedded import EmbeddedServer
from tests.benchmarks import history
from tests.benchmarks.measure import Measured, betteroms, repeated

REPORTS: Final = (
    ("positions report", "<= 3 s"),
    ("report --period all --by market", "<= 3 s"),
    ("report --period month --at 2026-10-20 --by market", "<= 3 s"),
    ("report --period day --at 2026-10-20 --by market", "<= 3 s"),
    ("report --period all --by plan", ""),
    ("positions report --by plan", ""),
    ("portfolio show", ""),
)
"""October is nine tenths of the history: everything that was sold in it is folded again."""
Row = tuple[str, str, str]


def measured(fresh: Callable[[], Mapping[str, str]], times: int) -> Iterator[Row]:
    """What was measured, what was reached, and its bound; `fresh` gives a migrated database's environment."""
    short = fresh()
    _load(short, runs=history.RUNS // 10)
    long = fresh()
    _load(long, runs=history.RUNS)
    for words, bound in REPORTS:
        over = [repeated(times, betteroms(*words.split()), environ=environ) for environ in (short, long)]
        yield f"1,000,000 executions: {words}", _reached(over[1]), bound
        yield "  over the same of 100,000", f"{_ratio(*over):.1f}x", ""
    verify, floors = [], []
    for _ in range(times):
        floors.append(_floor(long["DATABASE_URL"]))
        verify.append(repeated(1, betteroms("positions", "verify"), environ=long).best)
    yield "executions by COPY in Python", f"{min(floors):.2f} s", ""
    ratio = min(verify) / min(floors)
    yield "positions verify / COPY floor", f"{ratio:.2f}x ({min(verify):.2f} s)", "<= 5x"


def _load(environ: Mapping[str, str], *, runs: int) -> None:
    with psycopg.connect(environ["DATABASE_URL"], autocommit=True) as connection:
        history.load(connection, runs=runs)


def _reached(found: Measured) -> str:
    return f"{found.best:.2f} s, peak {found.peak_mib:.0f} MiB"


def _ratio(short: Measured, long: Measured) -> float:
    return long.best / short.best


def _floor(url: str) -> float:
    """Seconds to read every execution, as text, without a look at it."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        with cursor.copy("COPY executions TO STDOUT") as copy:
            for _ in copy:
                pass
        return time.perf_counter() - started


def main() -> None:
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="boms") as directory:
        home = Path(directory)
        home.chmod(0o755)
        server = EmbeddedServer(home=home / "home")
        server.ensure_running()
        made: list[str] = []

        def fresh() -> Mapping[str, str]:
            made.append(f"reading_{len(made)}")
            url = server.url()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {made[-1]}")
            mine = url.replace("/betteroms?", f"/{made[-1]}?")
            schema.migrate(mine, schema.HEAD)
            return {"DATABASE_URL": mine}

        try:
            for what, reached, bound in measured(fresh, times=3):
                sys.stdout.write(f"{what:<72} {reached:>26}   {bound}\n")
                sys.stdout.flush()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
