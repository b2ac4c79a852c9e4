"""Prints what the same small work costs as history grows: `python -m tests.benchmarks.growth`.

Ten orders rest in ten markets. A pass of maintenance, a plan of five instructions and the commands that read
are timed with nothing behind them, with 100,000 and with 1,000,000 executions, and with the passes and hourly
snapshots that go with them. Nothing here passes or fails: machines are shared.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from betteroms import wiring
from betteroms.adapters.postgres.embedded import EmbeddedServer
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.jobs.desk import Desk
from betteroms.jobs.maintain import maintain
from betteroms.jobs.trade import PlanFile, trade
from betteroms.settings import Settings
from betteroms.sources.plan import read_plan
from tests.benchmarks import history, past
from tests.benchmarks.measure import betteroms, repeated
from tests.benchmarks.ratios import Databases, bench_home
from tests.benchmarks.worlds import write_world

MARKETS: Final = 10
FIRST_MARKET: Final = 5_000
"""None of those that the history traded in."""
SIZES: Final = (0, history.RUNS // 10, history.RUNS)
"""Runs of ten thousand executions each."""
READ: Final = (
    "portfolio history",
    "portfolio show",
    "report --period day",
    "report --period month",
    "risk show",
    "runs list",
    "orders list",
    "positions list",
)


@dataclass(slots=True)
class Later:
    """A clock that stands, and is moved on."""

    time: datetime

    def now(self) -> datetime:
        return self.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A small world beside the history: its books, and where its database is."""

    books: Path
    url: str

    @contextmanager
    def desk(self, clock: Later) -> Iterator[Desk]:
        settings = Settings(home=Path("/nonexistent"), database_url=Secret(self.url))
        with wiring.desk(settings, Mode.PAPER, name="growth", books=self.books, lock_wait_seconds=0) as desk:
            yield replace(desk, clock=clock)


def measured(databases: Databases, directory: Path, runs: int, times: int) -> dict[str, float]:
    """Seconds of everything that is measured, over a history of so many runs; the best of several."""
    environ = databases.fresh()
    url = databases.last
    _, books = write_world(directory / str(runs), instructions=500, markets=MARKETS, first=FIRST_MARKET)
    small = Small(books=books, url=url)
    _fill(url, small, runs)
    found = _written(small, times)
    for words in (*READ, f"explain {_resting(url)}"):
        best = repeated(times, betteroms(*words.split()), environ=environ).best
        found[words.partition(" ")[0] if words.startswith("explain") else words] = best
    return found


def _fill(url: str, small: Small, runs: int) -> None:
    """The history, ten resting orders, and one pass of maintenance that stands for all that were."""
    with psycopg.connect(url, autocommit=True) as connection:
        if runs:
            history.load(connection, runs=runs)
            past.end_markets(connection)
        clock = Later(datetime.now(UTC))
        with small.desk(clock) as desk:
            trade(desk, _plan("resting", MARKETS, price="0.3"))
            maintain(desk)
        share = runs / history.RUNS
        past.repeat_pass(connection, runs=int(past.RUNS * share), hours=int(past.HOURS * share))


def _written(small: Small, times: int) -> dict[str, float]:
    """What writes, in this process, from opening the books to the commit; each pass in an hour of its own."""
    clock = Later(datetime.now(UTC))
    seconds: dict[str, list[float]] = {}
    for number in range(times + 1):
        clock.time += timedelta(hours=1)
        plan = _plan(f"small-{number}", 5, price="0.9")
        steps: Mapping[str, Callable[[Desk], object]] = {
            "trade, 5 instructions": lambda desk, plan=plan: trade(desk, plan),  # type: ignore[misc]
            "maintain, 10 resting, with the hour's snapshot": maintain,
            "maintain, 10 resting, later in the hour": maintain,
        }
        for what, step in steps.items():
            clock.time += timedelta(minutes=1)
            started = time.perf_counter()
            with small.desk(clock) as desk:
                step(desk)
            seconds.setdefault(what, []).append(time.perf_counter() - started)
    # The first of each loads modules.
    return {what: min(taken[1:]) for what, taken in seconds.items()}


def _plan(name: str, instructions: int, *, price: str) -> PlanFile:
    document: dict[str, Any] = {
        "planId": name,
        "mode": "paper",
        "tradeInstructions": [
            {
                "marketId": f"bench-market-{FIRST_MARKET + line}",
                "outcome": "YES",
                "side": "BUY",
                "price": price,
                "size": 7,
                "sizeUnit": "SHARES",
            }
            for line in range(instructions)
        ],
    }
    text = json.dumps(document).encode()
    return PlanFile(plan=read_plan(text, name), name=f"{name}.json", body=text)


def _resting(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT order_id::text FROM orders WHERE status = 'OPEN' LIMIT 1").fetchone()
    assert row is not None, "ten orders rest"
    return str(row[0])


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
            databases = Databases(server)
            found = [measured(databases, directory, runs, chosen.times) for runs in SIZES]
        finally:
            server.stop()
    executions = [f"{runs * history.ORDERS * history.FILLS:,}" for runs in SIZES]
    print(f"{'executions behind it':<48} " + " ".join(f"{count:>11}" for count in executions))
    for what in found[0]:
        seconds = [one[what] for one in found]
        shown = " ".join(f"{each * 1e3:8.0f} ms" for each in seconds)
        print(f"{what:<48} {shown}   {seconds[-1] / seconds[0]:.2f}x")


if __name__ == "__main__":
    main()
