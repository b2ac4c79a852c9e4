"""Real servers in fresh homes, and other processes that use them."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from betteroms.adapters.postgres.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def make_server() -> Iterator[Callable[..., EmbeddedServer]]:
    """Servers in short directories that other accounts may enter, unlike pytest's own."""
    bases: list[Path] = []
    servers: list[EmbeddedServer] = []

    def make(name: str = "home") -> EmbeddedServer:
        base = Path(tempfile.mkdtemp(prefix="boms"))
        base.chmod(0o755)
        bases.append(base)
        servers.append(EmbeddedServer(home=base / name))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()
        if (server.home / "postgres").is_symlink():
            shutil.rmtree((server.home / "postgres").resolve())
    for base in bases:
        shutil.rmtree(base)


@pytest.fixture(scope="session")
def spawn() -> Callable[..., "subprocess.Popen[str]"]:
    """Runs Python code in a process of its own, with nothing of our environment."""

    def python(code: str, *arguments: object, path: Path | None = None) -> "subprocess.Popen[str]":
        repository = Path(__file__).parents[2]
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=repository,
            env={"PYTHONPATH": os.pathsep.join(str(p) for p in (path, repository) if p), "LC_ALL": "C"},
        )

    return python
