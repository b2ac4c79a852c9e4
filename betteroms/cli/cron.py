"""`cron`: the crontab lines that let it trade by itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import render
from betteroms.cli.faults import say
from betteroms.cli.options import Json, command, group

if TYPE_CHECKING:
    from betteroms.jobs.schedule import Entry
    from betteroms.settings import Settings

app = group("The crontab lines that call run and maintain.")

PLANS: Final = "plans"
Plans = Annotated[
    list[str] | None,
    typer.Option(
        "--plans",
        metavar="DIR|URL",
        help="Where plans are; may be given several times (default: ./plans, if it is there).",
    ),
]
Live = Annotated[bool, typer.Option("--live", help="Let cron trade live plans, too, without asking.")]


def _entries(settings: "Settings", plans: Sequence[str] | None, live: bool) -> "list[Entry]":
    from betteroms import wiring
    from betteroms.jobs.schedule import entries

    places = [_place(each) for each in plans or ()] or _usual()
    surroundings = wiring.cron_surroundings(settings)
    return entries(surroundings, interval=settings.cron_interval_minutes, plans=places, live=live)


def _place(plans: str) -> str:
    """A directory in full, or the URL of an object store as it is."""
    from betteroms.domain.errors import NotFound

    if "://" in plans:
        return plans
    place = Path(plans).absolute()
    if not place.is_dir():
        raise NotFound([f"{place} is no directory"])
    return str(place)


def _usual() -> list[str]:
    place = Path(PLANS).absolute()
    if place.is_dir():
        return [str(place)]
    say(f"note: there is no directory {place} yet; cron runs stored plans, and that one once it is there")
    return []


@command(
    app,
    "show",
    example="betteroms cron show",
    does="Show the lines that install would write, and those that are there.",
    more="Works without a crontab program, too: put the lines wherever your scheduler keeps them.",
)
def show(plans: Plans = None, live: Live = False, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import CrontabUnusable
    from betteroms.jobs import schedule
    from betteroms.settings import load

    settings, watch = load(), render.Stopwatch(wiring.clock().now())
    wanted = [entry.line for entry in _entries(settings, plans, live)]
    found: list[str] | None = None
    reason = None
    try:
        found = schedule.installed(wiring.crontab().read())
    except CrontabUnusable as fault:
        reason = str(fault)
    if as_json:
        result = {"lines": wanted, "installed": found, "current": found == wanted, "reason": reason}
        render.document("cron show", result, watch.timing())
        return
    render.show("Lines that betteroms cron install writes:\n", *wanted, _there(wanted, found, reason))


def _there(wanted: Sequence[str], found: Sequence[str] | None, reason: str | None) -> str:
    """What to say of the lines that are installed."""
    if found is None:
        return f"\nInstalled now: not known; {reason}"
    if not found:
        return "\nInstalled now: nothing"
    if found == wanted:
        return "\nInstalled now: these"
    return "\n".join(["\nInstalled now, and different:\n", *found])


@command(
    app,
    "install",
    example="betteroms cron install --plans plans",
    does="Have cron call run every hour and maintain every five minutes.",
    more="Replaces own lines and touches no others. CRON_INTERVAL_MINUTES says how often run is called.",
)
def install(plans: Plans = None, live: Live = False, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs import schedule
    from betteroms.settings import load

    settings, watch = load(), render.Stopwatch(wiring.clock().now())
    wanted = _entries(settings, plans, live)
    crontab = wiring.crontab()
    before = crontab.read()
    after = schedule.install(before, wanted)
    wiring.prepare_logs(settings)
    if after != before:
        crontab.write(after)
    if live:
        say("note: live plans will be traded without asking")
    lines = [entry.line for entry in wanted]
    result = {"changed": after != before, "lines": lines}
    _told("install", result, "installed:" if after != before else "installed already:", lines, watch, as_json)


@command(
    app,
    "remove",
    example="betteroms cron remove",
    does="Take exactly those lines out again.",
    more="What has begun ends in order; nothing new is started.",
)
def remove(as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs import schedule

    watch = render.Stopwatch(wiring.clock().now())
    crontab = wiring.crontab()
    before = crontab.read()
    after, lines = schedule.remove(before), schedule.installed(before)
    if after != before:
        crontab.write(after)
    words = "removed:" if lines else "nothing to do: no lines of ours are there"
    _told("remove", {"changed": after != before, "lines": lines}, words, lines, watch, as_json)


def _told(
    name: str,
    result: dict[str, Any],
    words: str,
    lines: Sequence[str],
    watch: render.Stopwatch,
    as_json: bool,
) -> None:
    if as_json:
        render.document(f"cron {name}", result, watch.timing())
    else:
        render.show(words, *lines)
