"""`doctor`: one line for each thing that a run needs."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from betteroms.cli import exits, render
from betteroms.cli.options import Json, command

if TYPE_CHECKING:
    from betteroms.jobs.findings import Finding

STYLES: Final = {"ok": "green", "skipped": "dim", "warning": "yellow", "failed": "red"}


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "doctor",
        example="betteroms doctor",
        does="Look at settings, key, database, venue and clock, a line each.",
        more="The exit code is that of the worst that was found.",
    )(doctor)


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Leave the venue alone.")] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.cli.progress import Progress
    from betteroms.domain.errors import SettingsInvalid
    from betteroms.jobs.doctor import examine, settings_wrong
    from betteroms.settings import load

    found: list[Finding] = []
    with Progress() as progress:
        progress.show("looking")
        try:
            found.extend(examine(wiring.Ground(load()), offline=offline))
        except SettingsInvalid as fault:
            found.extend(settings_wrong(fault))
    if as_json:
        render.lines(
            {"check": finding.check, "level": finding.level.value, "text": finding.text} for finding in found
        )
    else:
        _show(found)
    raise typer.Exit(exits.worst(exits.code_of(finding.fault) for finding in found if finding.fault))


def _show(found: Iterable["Finding"]) -> None:
    from rich.text import Text

    for finding in found:
        level = finding.level.value
        render.show(Text.assemble((f"{level:<8}", STYLES[level]), f"{finding.check:<12}", finding.text))
