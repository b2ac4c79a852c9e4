"""How long a live plan of a thousand instructions takes, over what the venue's own limits make it take.

    python -m tests.benchmarks.live_thousand

The whole command is timed, in a process of its own: its start, a poll, the books, a thousand signatures, the
posts and the bookkeeping. The sandbox answers at once and enforces the venue's limits. The floor is what
remains of the orders after the burst, at 40 a second; the bound is 1.15 times the floor, and three seconds.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from betteroms.adapters.postgres.embedded import EmbeddedServer
from betteroms.sandbox.seeding import test_wallets
from tests.live.world import CUP, MOON, SNOW, TREATY, buy, environment, sandbox

ORDERS: Final = 1_000
BURST: Final = 60
PER_SECOND: Final = 40
"""The venue's bucket of a signer of the Standard tier. Source: VENUE 7."""
MARKETS: Final = (SNOW, CUP, MOON, TREATY)
REPOSITORY: Final = Path(__file__).resolve().parents[2]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="boms") as place:
        directory = Path(place)
        directory.chmod(0o755)
        home = directory / "home"
        try:
            sys.stdout.write("\n".join(measured(directory, home)) + "\n")
        finally:
            EmbeddedServer(home=home).stop()


def measured(directory: Path, home: Path) -> list[str]:
    """Trade the plan once; what to print."""
    with sandbox(rate_limited=True) as venue:
        wallet = next(each for each in test_wallets(0) if each.name == "deposit")
        venue.told("fund", wallet=wallet.address, dollars="1000000", approve=True, seen=True)
        surroundings = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BETTEROMS_")},
            **environment(venue, "deposit"),
            "BETTEROMS_HOME": str(home),
        }
        plan = directory / "thousand.json"
        plan.write_text(json.dumps(a_plan()))
        for words in (["db", "upgrade"], ["preview", str(plan)], ["live", "on", "--yes"]):
            command(words, surroundings)
        began = time.perf_counter()
        told = command(["trade", str(plan), "--yes", "--json"], surroundings)
        took = time.perf_counter() - began
        posts = venue.get("/sandbox/audit?section=posts&limit=10000")["rows"]
    totals = json.loads(told)["result"]["totals"]
    landed = sum(row["seen"] == 1 for row in posts)
    assert landed == ORDERS, (landed, totals)
    floor = (ORDERS - BURST) / PER_SECOND
    bound = 1.15 * floor + 3
    return [
        f"{ORDERS} instructions, {landed} orders at the venue, each posted once",
        f"floor {floor:.1f} s, bound {bound:.1f} s, taken {took:.1f} s: {took / bound:.2f} of the bound",
    ]


def a_plan() -> dict[str, Any]:
    """Bids that rest, no two of them alike."""
    instructions = [
        buy(MARKETS[number % len(MARKETS)], 0.01, 500 + number // len(MARKETS)) for number in range(ORDERS)
    ]
    return {"planId": "thousand", "mode": "live", "tradeInstructions": instructions}


def command(words: list[str], surroundings: dict[str, str]) -> str:
    """What a command says, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "betteroms", *words],
        capture_output=True,
        text=True,
        env=surroundings,
        cwd=REPOSITORY,
        check=False,
    )
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


if __name__ == "__main__":
    main()
