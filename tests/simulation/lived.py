"""The month, lived once without troubles: a database that tests may read, and copy, but not change."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import psycopg

from tests.simulation.audit_tables import Tables, load
from tests.simulation.auditor import digest_of
from tests.simulation.month import CALM, Script, carry_out
from tests.simulation.stage import quiet

SUITE: Final = Script(seed=1, days=28, crontab=CALM)
WAIT_SECONDS_MAX: Final = 400.0


@dataclass(frozen=True, kw_only=True)
class LivedRun:
    """One row of `runs`; `plan_id` is None where it was no plan's."""

    run_id: str
    kind: str
    plan_id: str | None


@dataclass(frozen=True, kw_only=True)
class LivedMonth:
    """A month that is over."""

    url: str
    script: Script

    @cached_property
    def tables(self) -> Tables:
        """Everything that is in its database."""
        return looked_at(self.url)

    @cached_property
    def digest(self) -> str:
        """Its state, times and all."""
        return digest_of(self.tables, scripted=True)

    @cached_property
    def runs(self) -> Sequence[LivedRun]:
        """Every run of the month, in the order in which they began."""
        rows = sorted(self.tables.runs, key=lambda row: row["ledger_sequence"])
        return [LivedRun(run_id=row["run_id"], kind=row["kind"], plan_id=row["plan_id"]) for row in rows]


def looked_at(url: str) -> Tables:
    """The database once nobody is in it any more."""
    with psycopg.connect(url, autocommit=True) as connection:
        quiet(connection)
        return load(connection)


def live(script: Script, url: str, nothing: Path) -> LivedMonth:
    """Carry out every act; nothing goes wrong."""
    for act in script.acts:
        carry_out(script.month, act, url, nothing)
    return LivedMonth(url=url, script=script)


class Shared:
    """The digest of the month, told by the first of several test processes that lives it."""

    def __init__(self, basetemp: Path) -> None:
        several = "PYTEST_XDIST_WORKER" in os.environ
        self._told = basetemp.parent / "month-digest" if several else None

    def claim(self) -> None:
        """Say that this process is about to live the month."""
        if self._told is not None:
            self._told.with_suffix(".claimed").touch()

    def tell(self, digest: str) -> None:
        """Say what came of it."""
        if self._told is not None:
            part = self._told.with_suffix(f".{os.getpid()}")
            part.write_text(digest, encoding="ascii")
            part.replace(self._told)

    def wait(self) -> str | None:
        """What another process found out, if one is at it; None if it is for this one to do."""
        told = self._told
        if told is None or not (told.exists() or told.with_suffix(".claimed").exists()):
            return None
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not told.exists():
            assert time.monotonic() < deadline, "the process that lives the month does not come to its end"
            time.sleep(0.1)
        return told.read_text(encoding="ascii")
