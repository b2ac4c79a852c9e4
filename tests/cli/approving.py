"""Saving previews and carrying them out, for the tests of `trade --approved`."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.test_trade import counts
from tests.cli.worlds import instruction, write_plan

Cli = Callable[..., Ran]
FILE = "june.approved.json"
RESTS = [("0.40", "200"), ("0.38", "500")]
"""The bids that all books start with."""


def a_market_order(side: str = "BUY", **fields: Any) -> dict[str, Any]:
    """A MARKET instruction, which has no price."""
    found = instruction(type="MARKET", side=side, **fields)
    del found["price"]
    return found


class Bench:
    """Saves previews of plans over the books, and carries them out."""

    def __init__(self, cli: Cli, directory: Path, books: Path, sql: psycopg.Connection[Any]) -> None:
        self._cli, self._sql = cli, sql
        self.directory, self.books = directory, books
        self.file = directory / FILE

    def save(self, *instructions: dict[str, Any], code: int = 0, **fields: Any) -> None:
        """Save a preview of the plan, which is then gone."""
        plan = write_plan(self.directory / "plan.json", *instructions, **fields)
        ran = self._cli("preview", str(plan), "--books", str(self.books), "--save", FILE, "--force")
        assert (ran.code, ran.err) == (code, "")
        plan.unlink()

    def apply(self, *words: str, **environment: str) -> Ran:
        """Carry out what was saved."""
        return self._cli(
            "trade", "--approved", FILE, "--books", str(self.books), "--json", *words, **environment
        )

    def trade(self, *instructions: dict[str, Any], code: int = 0, **fields: Any) -> None:
        """Carry another plan out, meanwhile."""
        plan = write_plan(self.directory / "other.json", *instructions, **{"planId": "other", **fields})
        assert self._cli("trade", str(plan), "--books", str(self.books)).code == code

    def refused(self, *words: str, **environment: str) -> list[str]:
        """Carry out what was saved, which must be refused without a trace: the differences that are named."""
        before = counts(self._sql)
        ran = self.apply(*words, **environment)
        assert (ran.code, ran.out) == (5, ""), ran
        assert (ran.error["code"], ran.error["exitCode"]) == ("APPROVAL_MISMATCH", 5)
        assert counts(self._sql) == before
        problems: list[str] = ran.error["problems"]
        assert problems
        assert all(problem in ran.error["message"] for problem in problems)
        return problems

    def resave(self, **changes: Any) -> None:
        """Change what the file says, and its checksum with it."""
        document = {**json.loads(self.file.read_text()), **changes}
        del document["checksum"]
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        checksum = sha256(canonical.encode()).hexdigest()
        self.file.write_text(json.dumps({**document, "checksum": checksum}))


@pytest.fixture
def bench(cli: Cli, tmp_path: Path, books: Path, sql: psycopg.Connection[Any]) -> Bench:
    return Bench(cli, tmp_path, books, sql)
