"""`export`: everything of a kind, as CSV, JSON or Parquet."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from betteroms.cli import render
from betteroms.cli.options import Json, command

if TYPE_CHECKING:
    from typing import BinaryIO

STDOUT: Final = "-"
SUFFIXES: Final[Mapping[str, str]] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}
ONE: Final[Mapping[str, str]] = {"entries": "entry"}

What = Literal["executions", "orders", "positions", "entries", "snapshots"]
Format = Literal["csv", "json", "parquet"]


def since_time(text: str) -> datetime:
    """A time with its zone, or a day, which begins at midnight UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is None and len(text) <= len("2026-11-20"):
        at = at.replace(tzinfo=UTC)
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-11-20 or 2026-11-20T12:00:00Z")
    return at


def in_order(since: datetime | None, until: datetime | None) -> None:
    """Refuse a span that ends before it begins."""
    if since is not None and until is not None and since >= until:
        raise typer.BadParameter("--since must lie before --until")


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "export",
        example="betteroms export executions --to executions.csv",
        does="Write executions, orders, positions, ledger entries or snapshots to a file.",
        more="As CSV, JSON (one object per line) or Parquet, by the file's name; - is stdout. The file "
        "appears whole or not at all. Amounts are exact, times are UTC.",
    )(export)


def export(
    what: Annotated[
        What, typer.Argument(metavar="WHAT", help="executions, orders, positions, entries or snapshots.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="A .csv, .json or .parquet file, or - for stdout.")
    ] = STDOUT,
    form: Annotated[
        Format | None, typer.Option("--format", help="Where the file's name does not say it; else csv.")
    ] = None,
    mode: Annotated[
        Literal["paper", "shadow", "live"] | None, typer.Option("--mode", help="Only this mode; else all.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", metavar="TIME", parser=since_time, help="From this time or day on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", metavar="TIME", parser=since_time, help="Before this time or day."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.cli.progress import Progress
    from betteroms.domain.terms import Mode
    from betteroms.jobs.export import export as write
    from betteroms.records import ExportKind
    from betteroms.settings import load

    kind = ExportKind(what)
    chosen = _format(to, form, as_json)
    if kind is ExportKind.POSITIONS and (since or until):
        raise typer.BadParameter("positions are as they stand now: --since and --until do not apply")
    in_order(since, until)
    settings = load()
    watch = render.Stopwatch(wiring.clock().now())
    with ExitStack() as end:
        progress = end.enter_context(Progress())
        stream = end.enter_context(wiring.whole_file(Path(to), force=force)) if to != STDOUT else _stdout()
        sink = wiring.export_sink(chosen, stream)
        records = end.enter_context(wiring.records(settings, name="export"))
        progress.show(f"writing {what}")
        told = write(
            records,
            kind,
            sink,
            mode=Mode(mode) if mode else None,
            since=since,
            until=until,
            show=progress.show,
        )
    if to != STDOUT:
        _tell(told, Path(to), chosen, watch, as_json)


def _format(to: str, form: str | None, as_json: bool) -> str:
    """What is asked for, else what the file's name says; what comes to stdout with --json is JSON."""
    if to == STDOUT:
        chosen = form or ("json" if as_json else "csv")
        if chosen == "parquet":
            raise typer.BadParameter("Parquet is no text: name a file with --to")
        if as_json and chosen != "json":
            raise typer.BadParameter("--json and --format csv exclude each other without --to FILE")
        return chosen
    found = form or SUFFIXES.get(Path(to).suffix.lower())
    if found is None:
        names = ", ".join(SUFFIXES)
        raise typer.BadParameter(f"{to!r} does not end in {names}: say what it is to be with --format")
    return found


def _stdout() -> "BinaryIO":
    """The bytes below stdout, so that the format's own encoding and line ends come out."""
    if sys.stdout is None:
        raise OSError("there is no stdout to write to")
    sys.stdout.flush()
    return sys.stdout.buffer


def _tell(told: Mapping[str, Any], file: Path, form: str, watch: render.Stopwatch, as_json: bool) -> None:
    size = file.stat().st_size
    if as_json:
        result = {"file": str(file), "format": form, "sizeBytes": size, **told}
        render.document("export", result, watch.timing())
        return
    rows, what = told["rows"], told["what"]
    words = what if rows != 1 else ONE.get(what, what.removesuffix("s"))
    render.text(f"{file}: {rows:,} {words}, {size:,} bytes")
