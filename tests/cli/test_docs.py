"""docs/commands.md: every screen it shows is the one that comes out."""

import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Ran

PAGE = ROOT / "docs" / "commands.md"


def sessions(text: str) -> list[str]:
    """The console blocks, in the order of the page."""
    return re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(session: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, with the screen that follows it."""
    for part in session.split("$ ")[1:]:
        line, _, screen = part.partition("\n")
        yield line, screen


def masked(screen: str) -> str:
    """The screen without times, spans, sizes of disks, places, and blanks at the ends of lines."""
    for pattern, instead in (
        (r" +$", ""),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "<time>"),
        (r"\d\d-\d\d \d\d:\d\d", "<time>"),
        (r"\d+\.\d\d s$", "<span>"),
        (r"^run [0-9a-f]{8} · ", "run <id> · "),
        (r"\d+ (s|min|h|d)$", "<age>"),
        (r"(ok      home +).*", r"\1<home>"),
        (r"PostgreSQL \d+\.\d+", "PostgreSQL <version>"),
    ):
        screen = re.sub(pattern, instead, screen, flags=re.MULTILINE)
    return screen


def test_every_screen_is_the_one_that_comes_out(
    cli: Callable[..., Ran], own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("BETTEROMS_HOME", str(own_home))
    shutil.copytree(ROOT / "plans", tmp_path / "plans")
    told = [pair for session in sessions(PAGE.read_text(encoding="utf-8")) for pair in commands(session)]
    assert len(told) >= 10
    for line, screen in told:
        program, *words = shlex.split(line)
        assert program == "betteroms"
        ran = cli(*words)
        assert masked(ran.out) == masked(screen), line
        assert ran.err == "", line
