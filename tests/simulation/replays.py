"""Every run of a database computed again: what the command does, without a command for each."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from betteroms import __version__, wiring
from betteroms.domain.secret import Secret
from betteroms.jobs.replay import replay
from betteroms.settings import Settings

Told = dict[str, Any]


def replayed(url: str, runs: Iterable[str]) -> dict[str, Told]:
    """What `runs replay` tells of each of these runs; what one told as its part is not asked for again."""
    settings = Settings(home=Path("/nonexistent"), database_url=Secret(url))
    found: dict[str, Told] = {}
    with wiring.records(settings, name="runs replay") as records:
        for name in runs:
            if name not in found:
                told = replay(
                    records, name, reader=wiring.Payloads(), bench=wiring.bench, engine_version=__version__
                )
                found |= {name: told, **{part["runId"]: part for part in told.get("parts", ())}}
    return found


def differences(told: Mapping[str, Told]) -> list[str]:
    """Where these runs, or their parts, differ from what they were."""
    return [
        f"{run['kind']} {name}: {one['path']} was {one['before']}, is {one['after']}"
        for name, run in told.items()
        for one in run["differences"]
    ]


def replay_all(url: str) -> list[str]:
    """What is wrong with the runs of a database: nothing, where each has the same bytes again."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT run_id::text FROM runs ORDER BY ledger_sequence, run_id").fetchall()
    told = replayed(url, [name for (name,) in rows])
    others = [name for name, run in told.items() if run["outcome"] not in ("identical", "nothing")]
    return [*differences(told), *(f"{name} is not identical" for name in others)]
