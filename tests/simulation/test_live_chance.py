"""Whole lives by chance: whatever fails, and whenever a process dies, the venue's books and ours agree in the
end.

A few seeds are lived in the suite, more of them with `--soak 2000`; a seed that fails does so by itself, with
`-k seed-17`.
"""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import psycopg
import pytest

from tests.simulation.audit_tables import load
from tests.simulation.live_life import KINDS, Life
from tests.simulation.live_scenes import rest_at
from tests.simulation.live_stage import in_process

SUITE: Final = 10


def lived(seed: int, directory: Path, database: str) -> Counter[str]:
    """Lead the life of a seed; what it met. Raises AssertionError where the books differ in the end."""
    chance = Random(f"live {seed}")
    with in_process(directory, database, wallet=chance.choice(KINDS)) as operator:
        life = Life(operator=operator, directory=directory, chance=chance)
        life.lead()
        with psycopg.connect(database) as connection:
            tables = load(connection)
        assert rest_at(operator, tables).complaints == [], f"seed {seed}"
        life.met.update(row["event_type"] for row in tables.audit if row["entity_type"] == "order")
        posts = operator.venue.app.venue.auditor.document()["posts"]
        life.met["posts"] += sum(row["seen"] for row in posts)
        life.met["posts of what was there"] += sum(row["duplicates"] for row in posts)
        return life.met


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        lives = max(SUITE, metafunc.config.getoption("--soak"))
        metafunc.parametrize("seed", [pytest.param(seed, id=f"seed-{seed}") for seed in range(lives)])


def test_books_agree_in_the_end_whatever_happens(seed: int, tmp_path: Path, database_url: str) -> None:
    met = lived(seed, tmp_path, database_url)
    print(f"seed {seed}: {dict(sorted(met.items()))}")
