"""Look at everything a run needs, one finding per thing, and change nothing."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from betteroms.domain.errors import DatabaseUnavailable, SettingsInvalid, VenueUnreachable
from betteroms.jobs.findings import Finding, Level
from betteroms.jobs.live_checks import LiveGround, examine_live, key_line

CLOCK_DRIFT_MAX: Final = timedelta(seconds=5)
FREE_BYTES_MIN: Final = 500 * 1024 * 1024


class DatabaseSeen(Protocol):
    """What is told of a database that answered."""

    @property
    def version(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def known_revision(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def pooling(self) -> str: ...


class VenueSeen(Protocol):
    """What is told of a venue that answered; `drift` is how far our clock is ahead of its."""

    @property
    def url(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def drift(self) -> timedelta: ...


class Ground(Protocol):
    """What there is to look at. `where` says in words which database it is."""

    @property
    def home(self) -> Path: ...
    @property
    def where(self) -> str: ...
    @property
    def key_place(self) -> str | None:
        """Where the private key is; None where there is none."""
        ...

    def database(self) -> DatabaseSeen:
        """Raises DatabaseUnavailable."""
        ...

    def venue(self) -> VenueSeen:
        """Raises VenueUnreachable."""
        ...

    def live(self) -> LiveGround:
        """What live trading needs, where there is a key."""
        ...


def settings_wrong(fault: SettingsInvalid) -> list[Finding]:
    """What there is to say where the settings cannot be read: nothing else can be looked at."""
    return [
        Finding(check="settings", level=Level.FAILED, text=problem, fault=SettingsInvalid)
        for problem in fault.problems
    ]


def examine(ground: Ground, *, offline: bool) -> Iterator[Finding]:
    """One finding after the other, as they come; `offline` leaves the venue alone."""
    yield Finding(check="settings", level=Level.OK, text="every variable can be read")
    if ground.key_place is None:
        yield Finding(check="key", level=Level.OK, text="none set; paper trading needs none")
    else:
        yield key_line(ground.live(), ground.key_place)
    yield _home(ground.home)
    yield from _database(ground)
    if offline:
        yield Finding(check="venue", level=Level.SKIPPED, text="not asked (--offline)")
        yield Finding(check="clock", level=Level.SKIPPED, text="the venue's time is not known (--offline)")
    else:
        yield from _venue(ground)
    if ground.key_place is not None:
        yield from examine_live(ground.live(), offline=offline)


def _home(home: Path) -> Finding:
    place = home
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        text = f"{home}: {place} is not a directory"
        return Finding(check="home", level=Level.FAILED, text=text, fault=DatabaseUnavailable)
    if not os.access(place, os.W_OK | os.X_OK):
        text = f"{home}: nothing can be written in {place}"
        return Finding(check="home", level=Level.FAILED, text=text, fault=DatabaseUnavailable)
    free = shutil.disk_usage(place).free
    text = f"{home}, {free // 2**20:,} MiB free"
    if free < FREE_BYTES_MIN:
        return Finding(check="home", level=Level.WARNING, text=f"{text}: make room")
    return Finding(check="home", level=Level.OK, text=text)


def _database(ground: Ground) -> Iterator[Finding]:
    try:
        seen = ground.database()
    except DatabaseUnavailable as fault:
        text = f"{ground.where}: {str(fault).splitlines()[0]}"
        yield Finding(check="database", level=Level.FAILED, text=text, fault=DatabaseUnavailable)
        for check in ("schema", "session"):
            yield Finding(check=check, level=Level.SKIPPED, text="the database does not answer")
        return
    yield Finding(
        check="database",
        level=Level.OK,
        text=f"{ground.where}: PostgreSQL {seen.version}, database {seen.name}",
    )
    yield _schema(seen)
    yield _session(seen)


def _schema(seen: DatabaseSeen) -> Finding:
    match seen.state:
        case "current":
            return Finding(check="schema", level=Level.OK, text=f"{seen.revision}, as this program needs it")
        case "newer":
            text = (
                f"{seen.revision} is newer than this program, which knows up to {seen.known_revision}: "
                "update betteroms"
            )
            return Finding(check="schema", level=Level.FAILED, text=text, fault=DatabaseUnavailable)
        case _:
            was = seen.revision or "none yet"
            text = f"{was}; the next command that needs it brings it to {seen.known_revision}"
            return Finding(check="schema", level=Level.OK, text=text)


def _session(seen: DatabaseSeen) -> Finding:
    if seen.pooling == "transaction":
        text = (
            "a pooler in transaction mode is in between: a run's lock does not hold there; "
            "use its session mode, or the server's own port"
        )
        return Finding(check="session", level=Level.FAILED, text=text, fault=DatabaseUnavailable)
    told = {"session": "through a pooler that keeps it", "none": "straight to the server"}
    return Finding(check="session", level=Level.OK, text=told[seen.pooling])


def _venue(ground: Ground) -> Iterator[Finding]:
    try:
        seen = ground.venue()
    except VenueUnreachable as fault:
        text = f"unreachable: {str(fault).splitlines()[0]}"
        yield Finding(check="venue", level=Level.FAILED, text=text, fault=VenueUnreachable)
        yield Finding(check="clock", level=Level.SKIPPED, text="the venue's time is not known")
        return
    yield Finding(check="venue", level=Level.OK, text=f"{seen.url} answers {seen.answer}")
    seconds = abs(seen.drift) // timedelta(seconds=1)
    if abs(seen.drift) > CLOCK_DRIFT_MAX:
        side = "ahead of" if seen.drift > timedelta(0) else "behind"
        text = f"{seconds:,} s {side} the venue's: set this machine's clock; nothing is sent live meanwhile"
        yield Finding(check="clock", level=Level.WARNING, text=text)
        return
    yield Finding(check="clock", level=Level.OK, text=f"within {max(seconds, 1)} s of the venue's")
