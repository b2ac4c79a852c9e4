"""The pages that people read, their code blocks, and a shell that runs those as a reader would type them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import typer

from betteroms.cli.app import app

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = (
    "README.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").iterdir()),
)
SHELL_LANGUAGES: Final = ("sh", "bash")
SETTINGS: Final = ("BETTEROMS_", "POLYMARKET_", "DATABASE_URL", "CRON_", "PG")
OURS: Final = (*SETTINGS, "PYTEST_", "PYTHON", "XDG_", "NO_COLOR")
"""Variables that a new user does not have, by their beginnings: settings, and what we and the tests set."""
TYPING_SECONDS_MAX: Final = 300


def page(name: str) -> str:
    """A page's text."""
    return (ROOT / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What stands between two fences; `line` is that of the first of its own lines, from 1."""

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        """How a failing test calls it."""
        return f"{self.page}:{self.line}"

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def commands(self) -> list[str]:
        """One entry per command: a line that ends in a backslash goes on in the next."""
        return re.sub(r"\\\n\s*", "", self.text).splitlines()


def blocks(*pages: str) -> list[Block]:
    """Every code block of these pages, in their order; of all pages if none is named."""
    return [block for name in pages or PAGES for block in _blocks(name, page(name))]


def _blocks(name: str, text: str) -> Iterator[Block]:
    opened: tuple[int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("```"):
            inside.append(line)
        elif opened is None:
            opened, inside = (number + 1, line[3:].strip()), []
        else:
            yield Block(page=name, line=opened[0], language=opened[1], text="\n".join([*inside, ""]))
            opened = None
    assert opened is None, f"{name}:{opened} is never closed"


def without_blocks(text: str) -> str:
    """The prose alone."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def unknown_words(line: str) -> str | None:
    """What in a command line beginning with `betteroms` names no command or option of ours, if anything.

    `…` stands for words that are left out.
    """
    command: Any = _program()
    options = _options(command)
    for word in line.split()[1:]:
        if word.startswith("--"):
            name = word.partition("=")[0]
            if name not in options:
                return name
        elif word in getattr(command, "commands", {}):
            command = command.commands[word]
            options |= _options(command)
        elif hasattr(command, "commands") and word != "…":
            return word
    return None


@cache
def _program() -> Any:
    return typer.main.get_command(app)


def _options(command: Any) -> set[str]:
    return {"--help"} | {name for parameter in command.params for name in parameter.opts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one command answered."""

    command: str
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Somebody who has installed the program and nothing else: a home, and the variables of their shell."""

    home: Path
    environment: Mapping[str, str]

    def types(self, commands: Sequence[str], *, directory: Path) -> list[Said]:
        """Let one `sh -eu` run the commands, which must all succeed, and tell what each one said."""
        log = Path(mkdtemp(dir=self.home))
        script = [
            line
            for number, command in enumerate(commands)
            for line in (f"exec >'{log}/{number}.out' 2>'{log}/{number}.err'", command)
        ]
        (log / "script").write_text("\n".join([*script, ""]), encoding="utf-8")
        done = self.run(["sh", "-eu", str(log / "script")], directory=directory)
        told = [
            Said(command=command, out=_read(log / f"{number}.out"), err=_read(log / f"{number}.err"))
            for number, command in enumerate(commands)
            if (log / f"{number}.out").exists()
        ]
        assert done.returncode == 0, f"{told[-1].command}: {told[-1].out}{told[-1].err}{done.stderr}"
        assert len(told) == len(commands)
        return told

    def run(self, command: Sequence[str], *, directory: Path) -> "subprocess.CompletedProcess[str]":
        """Run one program, which may fail."""
        return subprocess.run(
            command,
            cwd=directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=TYPING_SECONDS_MAX,
        )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@contextmanager
def new_user(**more: str) -> Iterator[NewUser]:
    """A user with an empty home and `betteroms` on the path; whatever server they start is stopped."""
    home = Path(mkdtemp(prefix="boms"))
    home.chmod(0o755)  # as root the bundled database runs as an account of its own, which has to get in
    programs, temporary = home / "bin", home / "tmp"
    programs.mkdir()
    temporary.mkdir()
    betteroms = programs / "betteroms"
    betteroms.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m betteroms "$@"\n')
    betteroms.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = f"{programs}{os.pathsep}{kept['PATH']}"
    ours = {"HOME": str(home), "TMPDIR": str(temporary), "PATH": path, "COLUMNS": "80", **more}
    user = NewUser(home=home, environment={**kept, **ours})
    try:
        yield user
    finally:
        user.run(["betteroms", "db", "stop"], directory=home)
        for link in home.rglob("postgres"):
            if link.is_symlink():  # the temporary directory lets no other account in
                shutil.rmtree(link.resolve())
        shutil.rmtree(home)
