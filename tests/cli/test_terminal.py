"""What a person sees on a terminal: colour, the terminal's width, and a line that says what is going on."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import ROOT, Ran
from tests.cli.test_trade import LINES
from tests.cli.worlds import instruction, write_plan

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command on a terminal of 80 columns."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        unset = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "TERM")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "betteroms", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**unset, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
        )
        os.close(theirs)
        self._ours = ours
        self.shown = ""

    def read_until(self, words: str, *, seconds: float = 30) -> None:
        """Read until the words were shown; read all where they never are."""
        deadline = time.monotonic() + seconds
        while words not in self.shown and time.monotonic() < deadline:
            with suppress(OSError):
                if more := os.read(self._ours, 65_536):
                    self.shown += more.decode()
                    continue
            break

    def type(self, words: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{words}\n".encode())

    def finish(self) -> int:
        """Read what is left; the exit code."""
        self.read_until("\0")
        code = self.process.wait(timeout=60)
        os.close(self._ours)
        return code


@pytest.fixture
def june(traded: Callable[..., Ran]) -> Ran:
    """The plan of six lines, carried out."""
    return traded(*LINES)


@pytest.mark.usefixtures("june")
def test_statuses_have_colours_on_a_terminal_and_lines_fit_it() -> None:
    terminal = Terminal(("orders", "list"), {})
    assert terminal.finish() == 0
    assert "\x1b[32mfilled" in terminal.shown
    assert "\x1b[31mdenied" in terminal.shown
    lines = ESCAPE.sub("", terminal.shown).splitlines()
    assert any("f925abe0" in line for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.usefixtures("june")
def test_no_color_is_honoured() -> None:
    terminal = Terminal(("orders", "list"), {"NO_COLOR": "1"})
    assert terminal.finish() == 0
    assert "\x1b[3" not in terminal.shown


@pytest.mark.usefixtures("surroundings")
def test_what_takes_long_is_told_while_it_lasts_and_gone_afterwards(
    sql: psycopg.Connection[Any], books: Path, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path / "plan.json", instruction())
    sql.execute("SELECT pg_advisory_lock(%s)", (0x6F6D7302,))
    terminal = Terminal(("trade", str(plan), "--books", str(books)), {})
    terminal.read_until("waiting for")
    sql.execute("SELECT pg_advisory_unlock(%s)", (0x6F6D7302,))
    assert terminal.finish() == 0
    assert "waiting for" in terminal.shown
    assert "\x1b[2K" in terminal.shown
    assert "1 instruction: 1 filled" in terminal.shown


def test_a_key_that_is_typed_is_never_shown(surroundings: Mapping[str, str], tmp_path: Path) -> None:
    key, passphrase = "4f" * 32, "correct horse battery"
    # The blank after a question comes when the terminal no longer shows what is typed.
    terminal = Terminal(("keys", "import"), {**surroundings, "BETTEROMS_HOME": str(tmp_path / "kept")})
    terminal.read_until("private key: ")
    os.write(terminal._ours, f"{key}\n".encode())
    terminal.read_until("passphrase: ")
    os.write(terminal._ours, f"{passphrase}\n".encode())
    terminal.read_until("Repeat for confirmation: ")
    os.write(terminal._ours, f"{passphrase}\n".encode())
    assert terminal.finish() == 0, terminal.shown
    assert "is kept in" in terminal.shown
    assert key not in terminal.shown
    assert passphrase not in terminal.shown
    assert (tmp_path / "kept" / "keystore.json").stat().st_mode & 0o777 == 0o600
