"""`run` and `maintain`: what cron calls."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say, tell
from betteroms.cli.journal import open_journal
from betteroms.cli.options import Books, Json, command
from betteroms.cli.progress import Progress
from betteroms.cli.trade import WAIT_SECONDS, WAIT_SECONDS_MAX, At, talk, time_said

if TYPE_CHECKING:
    from betteroms.domain.money import Usdc
    from betteroms.domain.terms import Mode
    from betteroms.jobs.desk import Desk
    from betteroms.jobs.rounds import Round
    from betteroms.jobs.run import Told
    from betteroms.settings import Settings

PLANS: Final = "plans"
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing unless something went wrong.")]
Scheduled = Annotated[
    datetime | None,
    typer.Option(
        "--at", metavar="TIME", parser=time_said, help="The scheduled time that is written down; else now."
    ),
]


def wait_option() -> Any:
    return typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        max=WAIT_SECONDS_MAX,
        help="How long to wait for another run to finish.",
    )


def _budget(text: str) -> "Usdc":
    from betteroms.domain.errors import InexactAmount
    from betteroms.domain.money import Usdc, to_micros

    try:
        micros = to_micros(text)
    except InexactAmount as wrong:
        raise typer.BadParameter(str(wrong)) from None
    if micros <= 0:
        raise typer.BadParameter(f"{text} is not an amount of dollars above 0")
    return Usdc(micros)


def add_to(app: typer.Typer) -> None:
    """Declare the two commands."""
    command(
        app,
        "run",
        example="betteroms run --plans plans",
        does="Carry out every plan that is due, then maintain: what cron calls hourly.",
        more="Plans come from a directory or object storage (--plans, which may be given several times) and "
        "from the database (betteroms plans), by priority, then name; each is carried out once in its "
        "period, whatever becomes of the others. The exit code is that of the worst thing that happened.",
    )(run)
    command(
        app,
        "maintain",
        example="betteroms maintain --dry-run",
        does="Settle, expire and fill what rests, apply exit rules: what cron calls every five minutes.",
        more="Each call is one transaction: whatever interrupts it, the next starts from what was there "
        "before.",
    )(maintain)


def run(
    plans: Annotated[
        list[str] | None,
        typer.Option(
            "--plans",
            metavar="DIR|URL",
            help="Where plans are: a directory, or a URL such as s3://bucket/prefix (default: ./plans, if it "
            "is there).",
        ),
    ] = None,
    budget: Annotated[
        Any,
        typer.Option(
            "--budget",
            metavar="USD",
            parser=_budget,
            help="The most that all plans together may newly tie up, in the order of their priority.",
        ),
    ] = None,
    books: Books = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Carry out live plans, too; else they are refused.")
    ] = False,
    wait: Annotated[int, wait_option()] = WAIT_SECONDS,
    at: At = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.cli.report_files import keep_report
    from betteroms.domain.terms import Mode
    from betteroms.jobs.run import run as carry_out
    from betteroms.jobs.supply import supply
    from betteroms.jobs.trade import scheduled
    from betteroms.settings import load

    settings = load()
    names = plans if plans else ([PLANS] if Path(PLANS).is_dir() else [])
    with open_desk(settings, "run", mode=Mode.PAPER, books=books, wait=wait, quiet=quiet) as desk:
        with wiring.stored_plans(settings, name="run plans") as shelf:
            stored = shelf.list()
            unfinished = [trade for mode in Mode for trade in shelf.unfinished(mode)]
        desk.show("reading plans")
        moment = scheduled(at or desk.clock.now())
        found = supply(wiring.plan_places(settings, names), stored, scheduled_at=moment)
        told = carry_out(desk, found, unfinished, at=at, budget=budget, live_agreed=yes)
        notes = desk.notes()
    keep_report(settings, told)
    _tell_run(told, notes, quiet=quiet, as_json=as_json)
    unknown = exits.OUTCOME_UNKNOWN if told.unknown else exits.DONE
    refused = exits.REFUSED if told.refused else exits.DONE
    codes = [exits.exit_for(fault).code for fault in told.faults]
    raise typer.Exit(exits.worst([*codes, unknown, refused]))


def _tell_run(told: "Told", notes: Sequence[str], *, quiet: bool, as_json: bool) -> None:
    if quiet:
        for name, fault in zip(_failed(told.result), told.faults, strict=True):
            tell(fault, json_wanted=as_json, about=name)
        return
    talk(notes)
    if as_json:
        render.document("run", told.result, told.timing)
    else:
        from betteroms.cli.course import show_run

        show_run(told.result, told.timing)


def _failed(result: "Mapping[str, Any]") -> list[str]:
    """What the faults of a run befell, in their order: plans, then maintenance."""
    names = [row["planId"] or row["file"] for row in result["plans"] if row["status"] == "failed"]
    maintenance = result["maintenance"]
    if maintenance and maintenance["status"] == "failed":
        names.append("maintenance")
    others = [row for row in result.get("others", ()) if row["status"] == "failed"]
    return [*names, *(f"{row['mode']} maintenance" for row in others)]


def maintain(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")
    ] = False,
    books: Books = None,
    wait: Annotated[int, wait_option()] = 0,
    at: Scheduled = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", help="Print nothing unless something went wrong; another run under way is no trouble."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    from betteroms.domain.errors import LockHeld
    from betteroms.domain.terms import Mode
    from betteroms.jobs.maintain import maintain as carry_out
    from betteroms.jobs.rounds import rounds
    from betteroms.settings import load

    settings = load()
    try:
        with open_desk(
            settings, "maintain", mode=Mode.PAPER, books=books, wait=None if dry_run else wait, quiet=quiet
        ) as desk:
            if not dry_run:
                desk.ledger.end_interrupted(desk.clock.now())
            told = carry_out(desk, at=at, keep=not dry_run)
            others = [] if dry_run else rounds(desk, at=at)
            notes = desk.notes()
    except LockHeld:
        if quiet:
            # A run that takes longer than five minutes maintains by itself at its end.
            raise typer.Exit(exits.DONE) from None
        raise
    if not quiet:
        talk(notes)
        _tell_maintenance(told, others, as_json=as_json)
    codes = [tell(each.fault, json_wanted=as_json, about=each.mode) for each in others if each.fault]
    refused = _refused(told["result"])
    raise typer.Exit(exits.worst([*codes, *map(_of_round, others), refused]))


def _tell_maintenance(told: "Mapping[str, Any]", others: "Sequence[Round]", *, as_json: bool) -> None:
    result, timing = told["result"], told["timing"]
    if as_json:
        rows = [each.told() for each in others]
        render.document("maintain", {**result, **({"others": rows} if rows else {})}, timing)
        return
    from betteroms.cli.course import show_maintenance

    show_maintenance(result, timing)
    _show_others(others)


def _show_others(others: "Sequence[Round]") -> None:
    """Print what maintaining the other modes came to."""
    from betteroms.cli.course import show_maintenance
    from betteroms.cli.polling import show_poll

    for each in others:
        for told, show in ((each.polled, show_poll), (each.maintained, show_maintenance)):
            if told is not None:
                render.text("")
                show(told["result"], told["timing"])


def _of_round(found: "Round") -> int:
    """What the maintenance of another mode ends a command with, faults apart."""
    polled = found.polled["result"] if found.polled else None
    codes = [exits.OUTCOME_UNKNOWN] if polled and polled["totals"]["unconfirmed"] else []
    refused = _refused(found.maintained["result"]) if found.maintained else exits.DONE
    return exits.worst([*codes, refused])


def _refused(result: "Mapping[str, Any]") -> int:
    from betteroms.jobs.summary import not_taken

    return exits.REFUSED if not_taken(result) else exits.DONE


@contextmanager
def open_desk(
    settings: "Settings", name: str, *, mode: "Mode", books: Path | None, wait: int | None, quiet: bool
) -> "Iterator[Desk]":
    """The desk of a command that is no plan's, with everything that tells of it."""
    from dataclasses import replace

    from betteroms import wiring

    with (
        open_journal(settings) as journal,
        Progress(wanted=not quiet) as progress,
        wiring.desk(
            settings,
            mode,
            name=name,
            books=books,
            lock_wait_seconds=wait,
            show=progress.show,
            herald=wiring.herald(settings, journal),
        ) as desk,
    ):
        yield replace(desk, unexpected=_unexpected)


def _unexpected(fault: BaseException) -> None:
    """A mistake of ours that one plan ran into: it is told at once, with where it came from."""
    import traceback

    say("".join(traceback.format_exception(fault)).rstrip())
