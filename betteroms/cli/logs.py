"""`logs`: what runs wrote down of what they did."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from betteroms.cli import render
from betteroms.cli.export import since_time
from betteroms.cli.faults import say
from betteroms.cli.journal import readable
from betteroms.cli.options import LIMIT_DEFAULT, Json, command

STYLES = {"debug": "dim", "warning": "yellow", "error": "red"}


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "logs",
        example="betteroms logs --run june-dip --level warning",
        does="Read back what runs wrote into the log.",
        more="The last lines, the youngest at the end. What orders came to for good is told by explain.",
    )(logs)


def logs(
    run: Annotated[
        str | None,
        typer.Option("--run", metavar="RUN", help="Only a run: a planId, or the beginning of its id."),
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="ORDER", help="Only an order: the beginning of its id.")
    ] = None,
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option("--level", help="Only lines at least so grave."),
    ] = "debug",
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", metavar="TIME", parser=since_time, help="Only lines from this time or day on."
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="COUNT", min=1, max=1_000_000, help="At most so many lines.")
    ] = LIMIT_DEFAULT,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.jobs.journal import select
    from betteroms.settings import load

    everything = list(wiring.journal_lines(load()))
    rows = [row for row in everything if row is not None]
    found = select(rows, run=run, order=order, level=level, since=since, limit=limit)
    if len(rows) < len(everything):
        unread = render.counted(len(everything) - len(rows), "line")
        say(f"note: {unread} of the log cannot be read")
    if as_json:
        render.lines(found)
        return
    if not found:
        say("no lines")
        return
    from rich.text import Text

    from betteroms.cli.faults import clean

    out = render.console(width=render.WIDTH_MAX)
    for row in found:
        out.print(Text(clean(readable(row)), style=STYLES.get(row["level"], "")), soft_wrap=True)
