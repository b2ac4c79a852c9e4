"""`trade`, `preview` and `validate`: what is done with a plan."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say, tell
from betteroms.cli.options import Books, Json, PlanPath, command
from betteroms.cli.progress import Progress

if TYPE_CHECKING:
    from betteroms.jobs.trade import PlanFile

WAIT_SECONDS: Final = 120
WAIT_SECONDS_MAX: Final = 86_400
NOTES_MAX: Final = 10


def _scheduled(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-11-20T12:00:00Z")
    return at


At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="TIME",
        parser=_scheduled,
        help="The scheduled time, for {date}, {hour} and {minute} in the planId; else now.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Declare the three commands."""
    command(
        app,
        "trade",
        example="betteroms trade plans/june.json",
        does="Carry one plan out, once.",
        more="The books are the venue's as they are now, or recorded ones with --books. A plan whose run "
        "failed or was interrupted is taken up where it was. Exit code 5 says that some instructions were "
        "refused.",
    )(trade)
    command(
        app,
        "preview",
        example="betteroms preview plans/june.json",
        does="Show what a plan would do now, without writing an order.",
        more="The same as trade --preview.",
    )(preview)
    command(
        app,
        "validate",
        example="betteroms validate plans/june.json plans/july.json",
        does="Check plans, without network or database.",
        more="Every complaint is named at once, with its place in the file.",
    )(validate)


def trade(
    plan: PlanPath,
    preview: Annotated[bool, typer.Option("--preview", help="Show what would be done, and stop.")] = False,
    books: Books = None,
    yes: Annotated[  # noqa: ARG001 - accepted so that scripts need not change when live trading comes
        bool, typer.Option("--yes", help="Do not ask. Paper trading never asks.")
    ] = False,
    wait: Annotated[
        int,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            min=0,
            max=WAIT_SECONDS_MAX,
            help="How long to wait for another run to finish.",
        ),
    ] = WAIT_SECONDS,
    at: At = None,
    as_json: Json = False,
) -> None:
    from betteroms.jobs import preview as previewing
    from betteroms.jobs import trade as trading

    if preview:
        _carry("preview", previewing.preview, plan, books=books, wait=None, at=at, as_json=as_json)
    else:
        _carry("trade", trading.trade, plan, books=books, wait=wait, at=at, as_json=as_json)


def preview(plan: PlanPath, books: Books = None, at: At = None, as_json: Json = False) -> None:
    from betteroms.jobs import preview as previewing

    _carry("preview", previewing.preview, plan, books=books, wait=None, at=at, as_json=as_json)


def _carry(
    name: str,
    job: "Callable[..., dict[str, Any]]",
    path: Path,
    *,
    books: Path | None,
    wait: int | None,
    at: datetime | None,
    as_json: bool,
) -> None:
    from betteroms import wiring
    from betteroms.settings import load

    settings = load()
    source = _plan_file(path)
    with (
        ExitStack() as end,
        Progress() as progress,
        wiring.desk(
            settings,
            source.plan.mode,
            name=f"{name} {source.plan.plan_id}",
            books=books,
            lock_wait_seconds=wait,
            show=progress.show,
        ) as desk,
    ):
        try:
            told = job(desk, source, at=at)
        except Exception:
            # A file that was ignored is often why; as JSON, an error is one line and nothing else.
            if not as_json:
                end.callback(_talk, desk.notes())
            raise
        notes = desk.notes()
    result, timing = told["result"], told["timing"]
    _talk(notes)
    if as_json:
        render.document(name, result, timing)
    else:
        from betteroms.cli.summary import show_summary
        from betteroms.jobs.overview import overview

        show_summary(overview(result), result, timing)
    raise typer.Exit(exits.REFUSED if result["totals"]["denied"] else exits.DONE)


def _plan_file(path: Path) -> "PlanFile":
    from betteroms.jobs.trade import PlanFile
    from betteroms.sources.plan import plan_bytes, read_plan

    body = plan_bytes(path)
    return PlanFile(plan=read_plan(body, str(path)), name=str(path), body=body)


def _talk(notes: Sequence[str]) -> None:
    for note in notes[:NOTES_MAX]:
        say(f"note: {note}")
    if len(notes) > NOTES_MAX:
        say(f"note: … and {len(notes) - NOTES_MAX:,} more like these")


def validate(
    plans: Annotated[
        list[Path], typer.Argument(metavar="PLAN.json", readable=False, help="The trade plans.")
    ],
    as_json: Json = False,
) -> None:
    codes = [_validated(path, as_json) for path in plans]
    raise typer.Exit(exits.worst(codes))


def _validated(path: Path, as_json: bool) -> int:
    from betteroms.domain.errors import PlanInvalid
    from betteroms.sources.plan import load_plan

    row: dict[str, Any] = {"file": str(path), "valid": True, "problems": []}
    try:
        plan = load_plan(path)
    except PlanInvalid as fault:
        if not as_json:
            return tell(fault, json_wanted=False)
        render.lines([{**row, "valid": False, "problems": list(fault.problems)}])
        return exits.USAGE
    count = len(plan.instructions)
    if as_json:
        told = {"planId": plan.plan_id, "mode": plan.mode.value, "instructions": count}
        render.lines([{**row, **told}])
    else:
        words = f"{count:,} instruction{'s' if count != 1 else ''}"
        render.text(f"{path}: valid; planId {plan.plan_id}, mode {plan.mode.value}, {words}")
    return exits.DONE
