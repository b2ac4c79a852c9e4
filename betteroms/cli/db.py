"""`db`: the database, wherever it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.options import Json, command, group

if TYPE_CHECKING:
    from betteroms.settings import Settings

app = group("The database: the bundled server, or the one that DATABASE_URL names.")

ELSEWHERE: Final = "DATABASE_URL names the server; it is not ours to start or stop"
MEBIBYTE: Final = 2**20


def _told(name: str, result: Mapping[str, Any], words: str, watch: render.Stopwatch, as_json: bool) -> None:
    """Print what was done, or found."""
    if as_json:
        render.document(f"db {name}", result, watch.timing())
    else:
        render.text(words)


def _begun() -> "tuple[Settings, render.Stopwatch]":
    from betteroms import wiring
    from betteroms.settings import load

    return load(), render.Stopwatch(wiring.clock().now())


@command(
    app,
    "upgrade",
    example="betteroms db upgrade",
    does="Bring the database's schema up to date.",
    more="Other commands do that by themselves when they need it.",
)
def upgrade(as_json: Json = False) -> None:
    from betteroms import wiring

    settings, watch = _begun()
    done = wiring.upgrade(settings)
    words = f"migrated: {done}" if done else "nothing to do: the schema is up to date"
    _told("upgrade", {"done": done}, words, watch, as_json)


@command(
    app,
    "status",
    example="betteroms db status",
    does="Tell where the database is and how it is.",
    more="Nothing is started or changed.",
)
def status(as_json: Json = False) -> None:
    from betteroms import wiring

    settings, watch = _begun()
    told = wiring.database_status(settings)
    if as_json:
        render.document("db status", told, watch.timing())
        return
    words = {
        "server": told["server"],
        "running": "yes" if told["running"] else "no; the next command that needs it starts it",
        "PostgreSQL": told["version"],
        "process": told.get("pid"),
        "data": told.get("dataDirectory"),
        "log": told.get("logFile"),
        "size": f"{told['sizeBytes'] / MEBIBYTE:,.1f} MiB" if told["sizeBytes"] is not None else None,
        "database": told.get("database"),
        "schema": told.get("schema"),
    }
    render.show(*[f"{name:<10} {value}" for name, value in words.items() if value is not None])


@command(
    app,
    "backup",
    example="betteroms db backup betteroms.dump",
    does="Write everything to a file.",
    more="Works while other commands run. The file appears whole or not at all; an older one is replaced.",
)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")], as_json: Json = False
) -> None:
    from betteroms import wiring
    from betteroms.cli.progress import Progress

    settings, watch = _begun()
    with Progress() as progress:
        progress.show(f"writing {file}")
        size, restore = wiring.backup(settings, file)
    result = {"file": str(file), "sizeBytes": size, "restore": restore}
    words = f"{file}: {size:,} bytes\nto put it back, replacing what the database holds:\n{restore}"
    _told("backup", result, words, watch, as_json)


@command(
    app,
    "url",
    example='psql "$(betteroms db url)"',
    does="Print the database's URL, with its password if it has one.",
)
def url(as_json: Json = False) -> None:
    from betteroms import wiring

    settings, watch = _begun()
    found = wiring.database_url(settings)
    _told("url", {"url": found}, found, watch, as_json)


@command(
    app,
    "start",
    example="betteroms db start",
    does="Start the bundled server.",
    more="Other commands do that by themselves when they need it.",
)
def start(as_json: Json = False) -> None:
    from betteroms import wiring

    settings, watch = _begun()
    server = wiring.embedded_server(settings)
    if server is None:
        _told("start", {"started": False, "reason": ELSEWHERE}, ELSEWHERE, watch, as_json)
        return
    was_running = server.is_running()
    server.ensure_running()
    words = "it was running already" if was_running else "started"
    _told("start", {"started": not was_running}, words, watch, as_json)


@command(
    app,
    "stop",
    example="betteroms db stop",
    does="Stop the bundled server.",
    more="Runs in progress are broken off and rolled back; the next command starts it again.",
)
def stop(as_json: Json = False) -> None:
    from betteroms import wiring

    settings, watch = _begun()
    server = wiring.embedded_server(settings)
    if server is None:
        _told("stop", {"stopped": False, "reason": ELSEWHERE}, ELSEWHERE, watch, as_json)
        return
    stopped = server.stop()
    _told("stop", {"stopped": stopped}, "stopped" if stopped else "it was not running", watch, as_json)
