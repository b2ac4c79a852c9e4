"""How the bundled server's troubles are told to a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from betteroms.domain.errors import DatabaseUnavailable

TAIL_LINES_MAX = 15
TAIL_BYTES_MAX = 8_192

INSTEAD = "Set BETTEROMS_HOME to another place, or DATABASE_URL to a server of your own."

# What PostgreSQL says in its own words, and what the reader can do about it. First match wins.
_ADVICE = (
    ("No space left on device", "the disk is full: make room and try again"),
    ("Disk quota exceeded", "the disk quota is used up: make room and try again"),
    ("Read-only file system", f"the file system is read-only. {INSTEAD}"),
    ("could not look up effective user ID", "this user id has no name: add a line for it to /etc/passwd"),
    ("database files are incompatible", "the data was made by another version or kind of PostgreSQL"),
    ("could not create shared memory segment", "the machine gives no shared memory (see shm in its limits)"),
    ("could not bind Unix address", f"no socket can be made there. {INSTEAD}"),
    (
        "error while loading shared libraries",
        "the bundled PostgreSQL does not run on this system. " + INSTEAD,
    ),
    ("Permission denied", f"no permission. {INSTEAD}"),
    ("Operation not permitted", f"not permitted. {INSTEAD}"),
)


class EmbeddedServerError(DatabaseUnavailable):
    """The bundled server cannot be found, created, started, reached or stopped; the message says why."""


def tail(text: str) -> str:
    """The last lines of what a program or a log said."""
    return "\n".join(text.strip().splitlines()[-TAIL_LINES_MAX:])


def explained(trouble: str, said: str) -> EmbeddedServerError:
    """An error with what was tried, the advice that fits, and PostgreSQL's own last words."""
    advice = next((f": {words}" for sign, words in _ADVICE if sign in said), "")
    return EmbeddedServerError(f"{trouble}{advice}\n{tail(said)}".rstrip())


@contextmanager
def files_explained() -> Iterator[None]:
    """Turns what the operating system refuses into one readable sentence."""
    try:
        yield
    except OSError as e:
        place = e.filename if e.filename is not None else "a file or program of the embedded PostgreSQL"
        if isinstance(place, bytes):
            place = place.decode(errors="backslashreplace")
        raise EmbeddedServerError(f"{place}: {e.strerror or e}. {INSTEAD}") from e
