"""The command line as a user has it: in this process for breadth, in one of its own for the main paths."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from betteroms.adapters.postgres.embedded import EmbeddedServer
from betteroms.cli import app
from tests.cli.worlds import write_books, write_plan
from tests.sandbox.conftest import one_certificate as one_certificate

ROOT = Path(__file__).parents[2]
OURS = ("BETTEROMS_", "POLYMARKET_", "DATABASE_URL", "CRON_", "PG", "NO_COLOR", "FORCE_COLOR")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One JSON object per line of stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        """The JSON line on stderr."""
        return json.loads(self.err.splitlines()[-1])["error"]


@pytest.fixture
def surroundings(
    home: Path,
    database_url: str,
    tmp_path: Path,
    one_certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Mapping[str, str]:
    """A user's environment: an own database, 80 columns, a directory with plans and books.

    Nothing here is encrypted, and reading every authority takes a client longer than all its questions.
    """
    monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    ours = {"BETTEROMS_HOME": str(home), "DATABASE_URL": database_url, "COLUMNS": "80"}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    return ours


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A home without a server, whose server is stopped in the end."""
    base = Path(tempfile.mkdtemp(prefix="boms"))
    base.chmod(0o755)
    home = base / "home"
    yield home
    EmbeddedServer(home=home).stop()
    if (home / "postgres").is_symlink():
        shutil.rmtree((home / "postgres").resolve())
    shutil.rmtree(base)


@pytest.fixture
def cli(
    surroundings: Mapping[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Runs a command line in this process."""

    def run(*words: str, **environment: str) -> Ran:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            code = app.run(words)
        told = capsys.readouterr()
        return Ran(code=code, out=told.out, err=told.err)

    return run


@pytest.fixture
def start(surroundings: Mapping[str, str]) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a command line in a process of its own; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def popen(*words: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "betteroms", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def command(start: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., Ran]:
    """Runs a command line in a process of its own."""

    def run(*words: str, **environment: str) -> Ran:
        process = start(*words, **environment)
        out, err = process.communicate(timeout=60)
        return Ran(code=process.returncode, out=out, err=err)

    return run


@pytest.fixture
def sql(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A look past the program, into the test's database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """Recorded books of three markets: rain, snow and a closed one."""
    return write_books(tmp_path / "books")


@pytest.fixture
def traded(cli: Callable[..., Ran], tmp_path: Path, books: Path) -> Callable[..., Ran]:
    """Carries out a plan of these instructions over the books."""

    def trade(*instructions: Mapping[str, Any], words: tuple[str, ...] = (), **fields: Any) -> Ran:
        plan = write_plan(tmp_path / "plan.json", *instructions, **fields)
        return cli("trade", str(plan), "--books", str(books), *words)

    return trade
