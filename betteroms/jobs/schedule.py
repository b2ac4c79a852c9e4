"""What cron is to call, as lines of a crontab: a crontab's text in, a crontab's text out.

Each line stands between two markers of ours, and nothing else in the text is ever touched. New lines go to
the front, where no `SHELL=` or `PATH=` of somebody's acts on them, and where it does not matter whether the
text ends with a line break.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from betteroms.domain.errors import CrontabUnusable

BEGIN: Final = "# betteroms begin "
END: Final = "# betteroms end"
MINUTES_PER_HOUR: Final = 60
HOURS_PER_DAY: Final = 24
MAINTAIN_WHEN: Final = "2-57/5 * * * *"
"""Between the runs, which begin at minute 0. Source: DECISIONS 6.3."""
_UNWRITABLE: Final = re.compile(r"[\\\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a command needs to run as it would run here, though cron gives it next to nothing.

    `environment` is written into the crontab, where others may read it: it holds no secret.
    """

    python: str
    directory: Path
    log: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of ours: its name in the markers, when cron calls it, and what."""

    name: str
    when: str
    command: str

    @property
    def line(self) -> str:
        """The line as the crontab has it."""
        return f"{self.when} {self.command}"

    @property
    def block(self) -> str:
        """The line between its markers."""
        return f"{BEGIN}{self.name}\n{self.line}\n{END}\n"


def entries(surroundings: Surroundings, *, interval: int, plans: Sequence[str], live: bool) -> list[Entry]:
    """The lines that trade by themselves: the plans every `interval` minutes, and what keeps them in order.

    `plans` are directories and URLs of object stores; without any, `run` looks for itself. With `live`, live
    plans are traded without asking.

    Raises:
        CrontabUnusable: some path cannot be written into a crontab.
    """
    places = [word for place in plans for word in ("--plans", place)]
    run = ["run", *places, "--quiet", *(["--yes"] if live else [])]
    return [
        Entry(name="run", when=every(interval), command=command_line(surroundings, run)),
        Entry(
            name="maintain", when=MAINTAIN_WHEN, command=command_line(surroundings, ["maintain", "--quiet"])
        ),
    ]


def every(minutes: int) -> str:
    """When cron calls something each so many minutes: a divisor of an hour, or of a day in whole hours."""
    if minutes == 1:
        return "* * * * *"
    if minutes < MINUTES_PER_HOUR:
        return f"*/{minutes} * * * *"
    hours = minutes // MINUTES_PER_HOUR
    return {1: "0 * * * *", HOURS_PER_DAY: "0 0 * * *"}.get(hours, f"0 */{hours} * * *")


def command_line(surroundings: Surroundings, words: Sequence[str]) -> str:
    """A command for cron's shell: it names everything in full, since cron has no PATH of ours.

    Raises:
        CrontabUnusable: some word cannot be written into a crontab.
    """
    variables = [f"{name}={_quoted(text)}" for name, text in sorted(surroundings.environment.items())]
    program = [_quoted(surroundings.python), "-m", "betteroms"]
    call = " ".join([*variables, *program, *(_quoted(word) for word in words)])
    # The log comes first, so that also a directory that is gone is told there.
    return (
        f"exec >>{_quoted(str(surroundings.log))} 2>&1; cd {_quoted(str(surroundings.directory))} && {call}"
    )


def _quoted(word: str) -> str:
    """The word for the shell; `%`, which cron takes for the end of the command, stands escaped and unquoted.

    So it reads the same whether a cron takes the backslash away, as most do, or leaves it to the shell.
    """
    if _UNWRITABLE.search(word):
        raise CrontabUnusable(f"a crontab cannot hold the backslash or control character in {word!r}")
    parts = [shlex.quote(part) if part else "" for part in word.split("%")]
    return "\\%".join(parts) if word else "''"


def installed(text: str) -> list[str]:
    """Our lines in a crontab, without their markers.

    Raises:
        CrontabUnusable: somebody wrote into our markers.
    """
    return [part.split("\n")[1].rstrip() for name, part in _parts(text) if name is not None]


def install(text: str, wanted: Sequence[Entry]) -> str:
    """The crontab with exactly these lines of ours; what was there already stays where it is.

    Raises:
        CrontabUnusable: somebody wrote into our markers.
    """
    missing = {entry.name: entry.block for entry in wanted}
    kept = [part if name is None else missing.pop(name, "") for name, part in _parts(text)]
    return "".join([*missing.values(), *kept])


def remove(text: str) -> str:
    """The crontab without anything of ours, the rest of it to the last byte.

    Raises:
        CrontabUnusable: somebody wrote into our markers.
    """
    return "".join(part for name, part in _parts(text) if name is None)


def _parts(text: str) -> Iterator[tuple[str | None, str]]:
    """The text in pieces: ours, with the marker's name, and everybody else's."""
    lines = re.split(r"(?<=\n)", text)
    at = 0
    while at < len(lines):
        if not lines[at].startswith(BEGIN):
            yield None, lines[at]
            at += 1
            continue
        if END not in [line.rstrip() for line in lines[at + 2 : at + 3]]:
            raise CrontabUnusable(
                f"line {at + 1} of the crontab is {lines[at].rstrip()!r}, and not the second next "
                f"{END!r}: somebody wrote there; set it right, or take all of it out, with crontab -e"
            )
        yield lines[at].removeprefix(BEGIN).rstrip(), "".join(lines[at : at + 3])
        at += 3
