"""How the log looks to a person: one line as text, and the log that a command writes to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render
from betteroms.cli.faults import say

if TYPE_CHECKING:
    from betteroms.ports.journal import Journal
    from betteroms.settings import Settings

VERBOSE: Final[ContextVar[bool]] = ContextVar("verbose", default=False)
"""Whether --verbose was given to the command that runs."""
HEAD: Final = frozenset({"at", "level", "event", "runId", "orderId"})
ID_LENGTH: Final = 8


@contextmanager
def open_journal(settings: "Settings") -> "Iterator[Journal]":
    """The log of this home; with --verbose each line is said, too."""
    from betteroms import wiring

    def echo(row: Mapping[str, Any]) -> None:
        say(readable(row))

    with wiring.journal(settings, complain=say, echo=echo if VERBOSE.get() else None) as journal:
        yield journal


def readable(row: Mapping[str, Any]) -> str:
    """One line for people: when, how grave, what, and then whose and all the rest."""
    facts = {name: value for name, value in row.items() if name not in HEAD}
    names = {
        name: str(row[key])[:ID_LENGTH]
        for name, key in (("run", "runId"), ("order", "orderId"))
        if key in row
    }
    told = [f"{name}={_word(value)}" for name, value in {**names, **facts}.items()]
    at = render.moment(row["at"])
    return " ".join([f"{at} {row['level']:<7} {row['event']}", *told])


def _word(value: object) -> str:
    """A value that can be told from its neighbours."""
    text = str(value)
    return f'"{text}"' if not text or any(letter.isspace() for letter in text) else text
