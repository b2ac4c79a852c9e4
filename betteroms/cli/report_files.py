"""The report that each scheduled run leaves behind: for machines as JSON, for people as text."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render
from betteroms.cli.course import show_run
from betteroms.cli.faults import say

if TYPE_CHECKING:
    from betteroms.jobs.run import Told
    from betteroms.settings import Settings

KEPT_MAX: Final = 1_000
"""So many runs' reports stay, six weeks of hourly ones; the database keeps all of them."""


def keep_report(settings: "Settings", told: "Told") -> Path | None:
    """Write the report of a run into the home's `reports`; where it is, None if it could not be written.

    The run is over and in the database: that a report cannot be written is said and changes nothing.
    """
    directory = settings.home / "reports"
    started = str(told.timing["startedAt"]).replace("-", "").replace(":", "")
    name = f"{started.partition('.')[0].rstrip('Z')}Z-{str(told.timing['runId'])[:8]}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(directory / f"{name}.json", _machines(told.result, told.timing))
        _write(directory / f"{name}.txt", _people(told.result, told.timing))
        _let_go(directory)
    except OSError as fault:
        say(f"note: no report was written to {directory}: {fault.strerror or fault}")
        return None
    return directory / f"{name}.txt"


def _write(path: Path, text: str) -> None:
    from betteroms import wiring

    with wiring.whole_file(path, force=True) as file:
        file.write(text.encode())


def _machines(result: dict[str, Any], timing: dict[str, Any]) -> str:
    told = {"schemaVersion": render.SCHEMA_VERSION, "command": "run", "result": result, "timing": timing}
    return f"{json.dumps(told, indent=2)}\n"


def _people(result: dict[str, Any], timing: dict[str, Any]) -> str:
    return render.screen(lambda: show_run(result, timing))


def _let_go(directory: Path) -> None:
    """Remove the oldest reports beyond `KEPT_MAX`: their names sort by time."""
    names = sorted({path.stem for path in directory.glob("*Z-*.*") if path.suffix in (".json", ".txt")})
    for name in names[:-KEPT_MAX]:
        for suffix in (".json", ".txt"):
            (directory / f"{name}{suffix}").unlink(missing_ok=True)
