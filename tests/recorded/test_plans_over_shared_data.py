"""A plan over every book of the recordings beside a checkout, where they are: through the real command."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.recorded.test_shared_data import BOOK_FILES, DATA, books_in

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no shared recordings beside this checkout")
REPOSITORY = Path(__file__).parents[2]


def latest_books() -> dict[str, dict[str, Any]]:
    """The newest book of each token, found without our own code; of equals the last, by name of the file."""
    newest: dict[str, dict[str, Any]] = {}
    for name in sorted(BOOK_FILES, key=lambda name: Path(name).name):
        for book in books_in(name):
            known = newest.get(book["asset_id"])
            if known is None or int(book.get("timestamp", 0)) >= int(known.get("timestamp", 0)):
                newest[book["asset_id"]] = book
    return newest


def best_ask(book: dict[str, Any]) -> Decimal | None:
    return min((Decimal(level["price"]) for level in book["asks"] if Decimal(level["size"])), default=None)


def instructions(book: dict[str, Any]) -> list[dict[str, Any]]:
    """One that takes whatever is there, and one that waits far below."""
    token = book["asset_id"]
    # A made-up token id as short as a Gamma id cannot stand for itself: its market and last digits do.
    named = {"marketId": token} if len(token) > 20 else {"marketId": book["market"], "outcome": token[-6:]}
    return [
        {**named, "side": "BUY", "price": 0.99, "size": 25, "timeInForce": "FAK"},
        {**named, "side": "BUY", "price": 0.01, "size": 5000, "sizeUnit": "SHARES"},
    ]


def test_a_plan_over_every_recorded_book_runs(database_url: str, tmp_path: Path) -> None:
    books, recordings = latest_books(), tmp_path / "recordings"
    recordings.mkdir()
    for name in BOOK_FILES:
        (recordings / Path(name).name).symlink_to(DATA / name)
    tokens = sorted(books)
    assert len(tokens) > 20
    plan = tmp_path / "plan.json"
    # What takes comes first: an order that waits at 0.01 would be met by a BUY of the other outcome at 0.99.
    takers, waiters = zip(*(instructions(books[token]) for token in tokens), strict=True)
    lines = [*takers, *waiters]
    plan.write_text(json.dumps({"planId": "every-book", "mode": "paper", "tradeInstructions": lines}))
    ran = subprocess.run(
        [sys.executable, "-m", "betteroms", "trade", str(plan), "--books", str(recordings), "--json"],
        # Some of the books are as wide as they can be, and here they are all to be traded on.
        env={
            **os.environ,
            "DATABASE_URL": database_url,
            "BETTEROMS_HOME": str(tmp_path),
            "BETTEROMS_MAX_SPREAD": "1",
        },
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 5), ran.stderr
    told = json.loads(ran.stdout)["result"]["instructions"]
    assert len(told) == 2 * len(tokens)
    seen: set[str] = set()
    for takes, waits in zip(told[: len(tokens)], told[len(tokens) :], strict=True):
        book = books[takes["tokenId"]]
        ask, first = best_ask(book), book["market"] not in seen
        seen.add(book["market"])
        if ask is None or ask > Decimal("0.99"):
            assert (takes["status"], takes["code"]) == ("CANCELED", "FAK_NO_MATCH")
        elif takes["status"] != "DENIED":
            # The other outcome's turn: where both books were locked, its best level is taken already.
            paid = Decimal(takes["executions"][0]["price"])
            assert paid == ask if first else paid >= ask
            spent = sum(Decimal(e["price"]) * Decimal(e["size"]) for e in takes["executions"])
            assert 0 < spent <= 25
        if ask is not None and ask > Decimal("0.01"):
            assert (waits["status"], waits["filledSize"]) == ("OPEN", "0")
    refused = {takes["code"] for takes in told if takes["status"] == "DENIED"}
    assert refused <= {"BOOK_CROSSED", "BELOW_MINIMUM_SIZE", "INSUFFICIENT_CASH"}
    verified = subprocess.run(
        [sys.executable, "-m", "betteroms", "positions", "verify"],
        env={**os.environ, "DATABASE_URL": database_url, "BETTEROMS_HOME": str(tmp_path)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout
