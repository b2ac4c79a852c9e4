"""The plans in `plans/` run over the books beside them, and show what their notes say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import sha1
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.conftest import TEMPLATE, named
from tests.docs_blocks import OURS

ROOT: Final = Path(__file__).parent.parent
PLANS: Final = sorted((ROOT / "plans").glob("*.json"))
ROWS: Final = sorted((ROOT / "plans" / "books").glob("*.market.json"))
BOOKS: Final = sorted((ROOT / "plans" / "books").glob("*.books.json"))
HASHED: Final = (
    *("market", "asset_id", "timestamp", "hash", "bids", "asks"),
    *("min_order_size", "tick_size", "neg_risk", "last_trade_price"),
)
"""What a book's hash is over, in this order, with the hash itself empty."""

Document = Mapping[str, Any]


@pytest.fixture(scope="module")
def database(administrator: psycopg.Connection[Any], server_url: str) -> Iterator[str]:
    """One database for all plans, which find what the others left of the books."""
    administrator.execute(f"CREATE DATABASE plans TEMPLATE {TEMPLATE}")
    yield named(server_url, "plans")
    administrator.execute("DROP DATABASE plans WITH (FORCE)")


def betteroms(words: list[str], *, database: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own, in the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "betteroms", *words],
        cwd=ROOT,
        env={**kept, "BETTEROMS_HOME": str(home), "DATABASE_URL": database},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def runs(database: str, home: Path) -> Mapping[str, Document]:
    """What came of each plan, carried out one after the other in the order of their names."""
    told = {}
    for plan in PLANS:
        words = [
            "trade",
            f"plans/{plan.name}",
            "--books",
            "plans/books",
            "--json",
            "--at",
            "2026-11-20T12:00Z",
        ]
        ran = betteroms(words, database=database, home=home)
        assert ran.stderr == ""
        told[plan.stem] = {**json.loads(ran.stdout)["result"], "exitCode": ran.returncode}
    return told


@pytest.fixture(scope="module")
def demo(runs: Mapping[str, Document]) -> Mapping[str, Document]:
    """The demo's instructions by their refs."""
    return {line["ref"]: line for line in runs["demo"]["instructions"]}


def fills(line: Document) -> list[tuple[str, str]]:
    """Price and size of each execution."""
    return [(execution["price"], execution["size"]) for execution in line["executions"]]


def test_every_plan_is_valid(home: Path) -> None:
    ran = betteroms(["validate", *[f"plans/{plan.name}" for plan in PLANS]], database="", home=home)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count(": valid; ") == len(PLANS)


def test_every_plan_runs_to_its_end(runs: Mapping[str, Document]) -> None:
    assert {name: run["status"] for name, run in runs.items()} == dict.fromkeys(runs, "completed")
    assert {name: (run["planId"], run["exitCode"]) for name, run in runs.items()} == {
        "demo": ("demo", 5),
        "full": ("full-2026-11-20-1200", 5),
        "minimal": ("minimal", 0),
    }


def test_every_book_is_verified_by_its_hash(runs: Mapping[str, Document]) -> None:
    checks = {book["hashCheck"] for run in runs.values() for book in run["books"]}
    assert checks == {"verified"}


def test_a_schema_that_a_plan_names_is_there() -> None:
    for plan in PLANS:
        schema = json.loads(plan.read_bytes()).get("$schema")
        assert schema is None or (plan.parent / schema).is_file()


def test_the_demo_buys_through_two_levels(demo: Mapping[str, Document]) -> None:
    line = demo["two-levels"]
    assert (line["status"], line["size"], line["filledSize"]) == ("FILLED", "581.39", "581.39")
    assert fills(line) == [("0.42", "300"), ("0.43", "281.39")]


def test_the_demo_pays_less_than_it_may(demo: Mapping[str, Document]) -> None:
    line = demo["better-price"]
    assert (line["status"], line["limitPrice"], line["size"]) == ("FILLED", "0.55", "100")
    assert fills(line) == [("0.51", "100")]


def test_the_demo_lets_rest_what_is_not_on_offer(demo: Mapping[str, Document]) -> None:
    line = demo["part-rests"]
    assert (line["status"], line["size"], line["filledSize"]) == ("OPEN", "400", "80")
    assert fills(line) == [("0.124", "80")]


def test_the_demo_kills_what_it_cannot_take(demo: Mapping[str, Document]) -> None:
    line = demo["fill-and-kill"]
    assert (line["status"], line["code"], line["dollars"]) == ("CANCELED", "FAK_REMAINDER", "100")
    assert fills(line) == [("0.3", "120"), ("0.31", "50")]


def test_the_demo_has_an_order_that_may_only_rest(demo: Mapping[str, Document]) -> None:
    line = demo["post-only"]
    assert (line["status"], line["size"], fills(line)) == ("OPEN", "50", [])


def test_the_demo_cannot_sell_what_nobody_holds(demo: Mapping[str, Document]) -> None:
    line = demo["no-shares"]
    assert (line["status"], line["code"]) == ("DENIED", "INSUFFICIENT_SHARES")
    assert line["reason"] == "need=50 shares=0"


def test_the_demo_cannot_trade_a_market_that_has_ended(demo: Mapping[str, Document]) -> None:
    line = demo["closed"]
    assert (line["status"], line["code"], line["executions"]) == ("DENIED", "MARKET_CLOSED", [])


def test_the_demo_adds_up(runs: Mapping[str, Document]) -> None:
    run = runs["demo"]
    executions = [each for line in run["instructions"] for each in line["executions"]]
    cost = sum((Decimal(each["price"]) * Decimal(each["size"]) for each in executions), Decimal(0))
    assert run["totals"] == run["totals"] | {
        "placed": 5, "filled": 2, "partlyFilled": 2, "resting": 2, "canceled": 1, "denied": 2,
        "notional": f"{cost.normalize():f}", "fees": str(sum(Decimal(each["fee"]) for each in executions)),
    }  # fmt: skip
    assert sum(Decimal(market["costBasis"]) for market in run["markets"]) == cost


def test_the_full_plan_names_a_market_in_each_of_the_four_ways(runs: Mapping[str, Document]) -> None:
    lines = {line["ref"] or line["line"]: line for line in runs["full"]["instructions"]}
    became = {ref: (line["status"], line["code"]) for ref, line in lines.items()}
    assert became == {
        "by-slug": ("OPEN", None),
        "by-condition-id": ("FILLED", None),
        "by-gamma-id": ("OPEN", None),
        "by-token-id": ("CANCELED", "FAK_NO_MATCH"),
        "take-some-off": ("DENIED", "INSUFFICIENT_SHARES"),
        5: ("FILLED", None),
    }


def test_what_one_plan_took_is_gone_for_the_next(runs: Mapping[str, Document]) -> None:
    """The demo and the full plan emptied 0.42, so that the minimal plan's order only rests."""
    (line,) = runs["minimal"]["instructions"]
    assert (line["status"], line["filledSize"]) == ("OPEN", "0")


def test_the_full_plan_has_every_key_there_is() -> None:
    plan = json.loads((ROOT / "plans" / "full.json").read_bytes())
    schema = json.loads((ROOT / "schemas" / "trade-plan-v1.schema.json").read_bytes())
    parts = schema["$defs"]
    lines = plan["tradeInstructions"]
    used = {
        "plan": set(plan),
        "defaults": set(plan["defaults"]),
        "limits": set(plan["limits"]),
        "instruction": {key for line in lines for key in line},
    }
    known = {name.lower(): set(part["properties"]) for name, part in parts.items() if "properties" in part}
    assert used["plan"] == set(schema["properties"])
    assert used["defaults"] == known["defaults"]
    assert used["limits"] == known["planlimits"]
    assert used["instruction"] == known["instruction"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_a_book_is_what_its_hash_says(path: Path) -> None:
    for book in json.loads(path.read_bytes()):
        hashed = {name: book[name] for name in HASHED} | {"hash": ""}
        assert sha1(json.dumps(hashed, separators=(",", ":")).encode()).hexdigest() == book["hash"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_the_complements_book_is_the_mirror(path: Path) -> None:
    """An offer of the one outcome at p is a bid for the other at 1 - p, for the same number of shares."""
    first, second = json.loads(path.read_bytes())
    for side, other in (("bids", "asks"), ("asks", "bids")):
        mirrored = [(1 - Decimal(level["price"]), level["size"]) for level in first[side]]
        assert mirrored == [(Decimal(level["price"]), level["size"]) for level in second[other]]
    assert {first[name] == second[name] for name in ("market", "timestamp", "tick_size", "neg_risk")} == {
        True
    }


@pytest.mark.parametrize("path", ROWS, ids=lambda path: path.name)
def test_a_market_has_the_books_of_its_two_outcomes_unless_it_is_closed(path: Path) -> None:
    row = json.loads(path.read_bytes())
    tokens = row.get("positionIds") or json.loads(row["clobTokenIds"])
    beside = path.with_name(f"{row['slug']}.books.json")
    assert path.name == f"{row['slug']}.market.json"
    assert beside.exists() != row["closed"]
    if beside.exists():
        books = json.loads(beside.read_bytes())
        assert [book["asset_id"] for book in books] == tokens
        assert {book["market"] for book in books} == {row["conditionId"]}
        best = [Decimal(books[0][side][-1]["price"]) for side in ("bids", "asks")]
        assert best == [Decimal(str(row["bestBid"])), Decimal(str(row["bestAsk"]))]


def test_every_recorded_market_is_invented() -> None:
    for path in ROWS:
        assert (
            json.loads(path.read_bytes())["description"]
            == "An invented market for the examples of BetterOMS."
        )
