"""The user's crontab, read and replaced whole through the `crontab` program."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from betteroms.domain.errors import CrontabUnusable

PROGRAM: Final = "crontab"
ANSWER_SECONDS_MAX: Final = 30
CRONS_PATH: Final = "/usr/bin:/bin"
SHOWN_RETURN: Final = "\\r"
"""How Debian's program shows a carriage return, and everybody's a backslash before an r."""
_EDITOR: Final = '#!/bin/sh\ncat "$1" >%s\n'
_NONE_YET: Final = re.compile(r"no crontab for|can't open .*(No such file|crontab)", re.IGNORECASE)
"""How the programs say that this user has no crontab: those of Debian, Red Hat, the BSDs and busybox."""


class Crontab:
    """The crontab of whoever calls. Bytes that are no UTF-8 come and go as they are."""

    def read(self) -> str:
        """Its text; empty where the user has none.

        Raises:
            CrontabUnusable: there is no such program, or it does not answer.
        """
        done = _run("-l")
        if done.returncode == 0:
            shown = _text(done.stdout)
            return _exactly(shown) if SHOWN_RETURN in shown else shown
        if _NONE_YET.search(_text(done.stderr)):
            return ""
        raise CrontabUnusable(f"the crontab cannot be read: {_complaint(done)}")

    def write(self, text: str) -> None:
        """Replace it; with nothing left to say, take it away.

        Raises:
            CrontabUnusable: it was refused; the old one is in force.
        """
        if not text:
            done = _run("-r")
        else:
            done = _run("-", given=text)
            if done.returncode and not text.endswith("\n"):
                # Most programs insist on the last line break, also where one has been living without.
                done = _run("-", given=f"{text}\n")
        if done.returncode:
            raise CrontabUnusable(f"the crontab was not taken, the old one stays: {_complaint(done)}")


def python_path(python: str, directory: Path) -> list[str]:
    """Where this process finds its modules, and the same Python as cron calls it, from there, would not.

    Empty for an installed program. A checkout, or a PYTHONPATH of the caller's, is otherwise found by nobody.
    """
    done = subprocess.run(  # noqa: S603 - the interpreter that runs us
        [python, "-c", "import sys; sys.stdout.write(chr(10).join(sys.path))"],
        cwd=directory,
        env={"HOME": str(Path.home()), "PATH": CRONS_PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=ANSWER_SECONDS_MAX,
    )
    there = {*_text(done.stdout).split("\n"), str(directory), ""}
    return [place for place in sys.path if place not in there and Path(place).exists()]


def _exactly(shown: str) -> str:
    """The crontab that is shown like this: an editor gets the true bytes, and this one only copies them."""
    with TemporaryDirectory() as place:
        copy, editor = Path(place) / "copy", Path(place) / "editor"
        editor.write_text(_EDITOR % shlex.quote(str(copy)))
        editor.chmod(0o700)
        _run("-e", environment=(f"VISUAL={editor}", f"EDITOR={editor}"))
        told = _text(copy.read_bytes()) if copy.exists() else shown
    return told if told.replace("\r", SHOWN_RETURN) == shown else shown


def _run(
    *words: str, given: str | None = None, environment: Sequence[str] = ()
) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which(PROGRAM)
    if program is None:
        raise CrontabUnusable("there is no program called crontab here")
    # In English, since its words tell what went wrong.
    command: Sequence[str] = ("env", "LC_ALL=C", *environment, program, *words)
    try:
        return subprocess.run(  # noqa: S603 - a program found on the user's own PATH
            command,
            input=b"" if given is None else given.encode(errors="surrogateescape"),
            capture_output=True,
            check=False,
            timeout=ANSWER_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        raise CrontabUnusable(f"{program} did not answer in {ANSWER_SECONDS_MAX} s") from None


def _text(told: bytes) -> str:
    return told.decode(errors="surrogateescape")


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    words = (done.stderr or done.stdout).decode(errors="replace").strip()
    return words or f"{PROGRAM} ended with code {done.returncode}"
