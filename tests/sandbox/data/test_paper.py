"""BetterOMS on paper against the sandbox: the same answers as from the recordings that it was seeded with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.world import World
from tests.sandbox.data.asking import BOOKS, ROOT
from tests.sandbox.running import Venue, sandbox_venue

OURS = ("BETTEROMS_", "POLYMARKET_", "DATABASE_URL", "PG")
AT = ("--at", "2026-11-30T12:00:00Z")
DECIDED = ("instructions", "totals", "refused", "markets")
"""What must be the same from the sandbox and from the recordings; books are named by their times too."""


def with_the_recordings(world: World) -> None:
    assert seed_world(world, BOOKS) == []


def command(*words: str, home: Path, database_url: str, venue: Venue) -> Any:
    """What a command of its own process tells with --json."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment |= {
        "BETTEROMS_HOME": str(home),
        "DATABASE_URL": database_url,
        "BETTEROMS_CLOB_URL": venue.url,
        "BETTEROMS_GAMMA_URL": f"{venue.url}/gamma",
        "PYTHONPATH": str(ROOT),
    }
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "betteroms", *words, "--json"],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=60,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)["result"]


@pytest.mark.parametrize("plan", ["demo", "full"])
def test_a_plan_is_decided_as_on_the_recordings(plan: str, home: Path, database_url: str) -> None:
    path = str(ROOT / "plans" / f"{plan}.json")
    with sandbox_venue(with_the_recordings) as venue:

        def previewed(*words: str) -> Any:
            return command("preview", path, *AT, *words, home=home, database_url=database_url, venue=venue)

        there, recorded = previewed(), previewed("--books", str(BOOKS))
    assert {name: there[name] for name in DECIDED} == {name: recorded[name] for name in DECIDED}
    assert {book["hashCheck"] for book in there["books"]} == {"verified"}
    assert not any(book["recorded"] for book in there["books"])
    assert there["warnings"] == []


def test_a_plan_is_traded(home: Path, database_url: str) -> None:
    with sandbox_venue(with_the_recordings) as venue:
        told = command(
            "trade", str(ROOT / "plans" / "demo.json"), home=home, database_url=database_url, venue=venue
        )
    lines = {line["ref"]: line for line in told["instructions"]}
    assert [fill["price"] for fill in lines["two-levels"]["executions"]] == ["0.42", "0.43"]
    assert (lines["part-rests"]["status"], lines["part-rests"]["filledSize"]) == ("OPEN", "80")
    assert lines["closed"]["code"] == "MARKET_CLOSED"
