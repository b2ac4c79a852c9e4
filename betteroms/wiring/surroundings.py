"""What lies around a run: the clock, files, the crontab, the log, messages, places of plans."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from betteroms.jobs.herald import Herald
from betteroms.ports import Clock, PlanPlace
from betteroms.ports.journal import Journal, Notifier
from betteroms.settings import Settings, to_be_handed_on

if TYPE_CHECKING:
    from betteroms.adapters.crontab import Crontab
    from betteroms.adapters.logs import JournalFile
    from betteroms.adapters.notify import Services
    from betteroms.adapters.pictures import Pictures
    from betteroms.jobs.export import Sink
    from betteroms.jobs.schedule import Surroundings


def clock() -> Clock:
    """The machine's clock."""
    from betteroms.adapters.system import SystemClock

    return SystemClock()


def pictures() -> "Pictures":
    """What draws charts as PNG; raises ExtraMissing where matplotlib is not installed."""
    from betteroms.adapters.pictures import Pictures

    return Pictures()


def whole_file(target: Path, *, force: bool) -> AbstractContextManager[BinaryIO]:
    """A file to write to that appears as `target` whole or not at all; see `adapters.whole_file`."""
    from betteroms.adapters.whole_file import whole_file

    return whole_file(target, force=force)


def export_sink(form: str, stream: BinaryIO) -> "Sink":
    """What writes rows as csv, json or parquet; raises ExtraMissing where that needs pyarrow and has none."""
    from betteroms.adapters.exports import FORMATS

    return FORMATS[form](stream)


def plan_places(settings: Settings, names: Sequence[str]) -> list[PlanPlace]:
    """Where plans are looked for: each name is a directory, or the URL of a prefix in object storage."""
    return [_plan_place(settings, name) for name in names]


def _plan_place(settings: Settings, name: str) -> PlanPlace:
    if "://" not in name:
        from betteroms.adapters.directory import PlanDirectory

        return PlanDirectory(Path(name))
    from betteroms.adapters.objects import Access, PlanObjects

    access = Access(
        timeout=settings.http_timeout, attempts=settings.http_attempts, s3_endpoint=settings.s3_endpoint_url
    )
    return PlanObjects(name, access)


def crontab() -> "Crontab":
    """The crontab of whoever calls."""
    from betteroms.adapters.crontab import Crontab

    return Crontab()


def cron_surroundings(settings: Settings) -> "Surroundings":
    """What cron's lines must say, so that commands called from there work as they would here.

    Raises:
        SettingsInvalid: the environment sets a secret, which no crontab should hold.
    """
    from betteroms.adapters.crontab import python_path
    from betteroms.adapters.logs import CRON_LOG, log_directory
    from betteroms.jobs.schedule import Surroundings

    here, python = Path.cwd(), sys.executable
    environment = to_be_handed_on(settings, cwd=here)
    if found_by_us_alone := python_path(python, here):
        environment["PYTHONPATH"] = os.pathsep.join(found_by_us_alone)
    log = log_directory(settings.home) / CRON_LOG
    return Surroundings(python=python, directory=here, log=log, environment=environment)


@contextmanager
def journal(
    settings: Settings,
    *,
    complain: Callable[[str], None],
    echo: Callable[[Mapping[str, Any]], None] | None = None,
) -> "Iterator[JournalFile]":
    """The log of this home, written out on the way out.

    `complain` is told once if it cannot be written; `echo` sees each line, too.
    """
    from betteroms.adapters.logs import JournalFile, log_directory

    found = JournalFile(
        log_directory(settings.home), clock=clock(), secrets=settings.secrets(), complain=complain, echo=echo
    )
    found.bound_cron_log()
    try:
        yield found
    finally:
        found.flush()


def prepare_logs(settings: Settings) -> None:
    """Make the directory that cron's lines write to."""
    from betteroms.adapters.logs import make_directory

    make_directory(settings.home)


def journal_lines(settings: Settings) -> "Iterator[dict[str, Any] | None]":
    """Every line of this home's log, the oldest first; None for one that cannot be read."""
    from betteroms.adapters.logs import log_directory, read

    return read(log_directory(settings.home))


def notifier(settings: Settings, journal: Journal) -> Notifier:
    """What tells the operator; it says nothing where no service was set."""
    from betteroms.adapters.notify import Nobody

    return services(settings, journal) or Nobody()


def herald(settings: Settings, journal: Journal) -> Herald:
    """What tells of runs: the log, and the services that the settings name."""
    told = services(settings, journal)
    return Herald(journal=journal, notifier=told, wanted=settings.notify_events)


def services(settings: Settings, journal: Journal) -> "Services | None":
    """The services that pass messages on; None where none was set."""
    if settings.notify_urls is None:
        return None
    from betteroms.adapters.notify import Services

    return Services(settings.notify_urls, journal=journal, secrets=settings.secrets())
