"""`trade`, `preview` and `validate`: what is done with a plan."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say
from betteroms.cli.journal import open_journal
from betteroms.cli.options import Books, Json, PlanPath, command
from betteroms.cli.progress import Progress
from betteroms.cli.validating import validate

if TYPE_CHECKING:
    from betteroms.domain.terms import Mode
    from betteroms.jobs.desk import Desk
    from betteroms.jobs.preview import Look
    from betteroms.jobs.trade import PlanFile
    from betteroms.sources.plan import Plan

T = TypeVar("T")
WAIT_SECONDS: Final = 120
WAIT_SECONDS_MAX: Final = 86_400
AGE_SECONDS_MAX: Final = 86_400
NOTES_MAX: Final = 10


def time_said(text: str) -> datetime:
    """A time with its zone."""
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
        parser=time_said,
        help="The scheduled time, for {date}, {hour} and {minute} in the planId; else now.",
    ),
]
Approved = Annotated[
    Path | None,
    typer.Option(
        "--approved",
        metavar="FILE",
        readable=False,
        help="Carry out what preview --save wrote to this file, or nothing.",
    ),
]
AgeMax = Annotated[
    int | None,
    typer.Option(
        "--max-age",
        metavar="SECONDS",
        min=1,
        max=AGE_SECONDS_MAX,
        help="With --approved: how old the saved preview may be (default: 900).",
    ),
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Send the orders of a live plan without asking. Paper never asks.")
]
Detailed = Annotated[
    bool,
    typer.Option("--detailed-exitcode", help="End with 11 where something would be placed, and 0 where not."),
]


def add_to(app: typer.Typer) -> None:
    """Declare the three commands."""
    command(
        app,
        "trade",
        example="betteroms trade plans/june.json",
        does="Carry one plan out, once.",
        more="The books are the venue's as they are now, or recorded ones with --books. A plan whose run "
        "failed or was interrupted is taken up where it was. With --approved the plan is that of a saved "
        "preview, which is carried out only if plan, account and prices still match it. Exit code 5 says "
        "that some instructions were refused, or that a saved preview does not match.",
    )(trade)
    command(
        app,
        "preview",
        example="betteroms preview plans/june.json",
        does="Show what a plan would do now, without writing an order.",
        more="Each instruction is new, done or refused. With --save it is kept for trade --approved. "
        "Exit code 5 says that something would be refused.",
    )(preview)
    command(
        app,
        "validate",
        example="betteroms validate plans/june.json plans/july.json",
        does="Check plans, without network or database.",
        more="Every complaint is named at once, with its place in the file.",
    )(validate)


def trade(
    plan: Annotated[
        Path | None, typer.Argument(metavar="[PLAN.json]", readable=False, help="The trade plan.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show what would be done, and stop.")] = False,
    approved: Approved = None,
    age_max: AgeMax = None,
    books: Books = None,
    yes: Yes = False,
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
    detailed: Detailed = False,
    as_json: Json = False,
) -> None:
    if age_max is not None and approved is None:
        raise typer.BadParameter("--max-age is about a saved preview: it needs --approved FILE")
    if detailed and not preview:
        raise typer.BadParameter("--detailed-exitcode is about a preview: it needs --preview")
    if approved is not None:
        if plan is not None or preview or at is not None:
            raise typer.BadParameter(
                "--approved FILE holds the plan and its time: no PLAN, --preview or --at"
            )
        _apply(approved, age_max, books=books, wait=wait, yes=yes, as_json=as_json)
    elif plan is None:
        raise typer.BadParameter("name a plan, or with --approved a saved preview")
    elif preview:
        _preview(plan, books=books, at=at, detailed=detailed, as_json=as_json)
    else:
        _trade(plan, books=books, wait=wait, at=at, yes=yes, as_json=as_json)


def preview(
    plan: PlanPath,
    books: Books = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FILE", readable=False, help="Write it to a file, for trade --approved FILE."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    at: At = None,
    detailed: Detailed = False,
    as_json: Json = False,
) -> None:
    if force and save is None:
        raise typer.BadParameter("--force is about the file to write: it needs --save FILE")
    if save is not None and save.resolve() == plan.resolve():
        raise typer.BadParameter("--save FILE would replace the plan itself")
    _preview(plan, books=books, at=at, detailed=detailed, as_json=as_json, save=save, force=force)


def _trade(
    path: Path, *, books: Path | None, wait: int, at: datetime | None, yes: bool, as_json: bool
) -> None:
    from betteroms.jobs.trade import trade as carry_out

    source = _plan_file(path)
    told = _carried_out(
        lambda desk: carry_out(desk, source, at=at),
        source,
        books=books,
        wait=wait,
        at=at,
        yes=yes,
        as_json=as_json,
    )
    _tell_trade(told, as_json)


def _apply(
    path: Path, age_max: int | None, *, books: Path | None, wait: int, yes: bool, as_json: bool
) -> None:
    from datetime import timedelta

    from betteroms.jobs.approval import AGE_MAX, read
    from betteroms.jobs.approved import apply

    approval = read(path)
    most = AGE_MAX if age_max is None else timedelta(seconds=age_max)
    told = _carried_out(
        lambda desk: apply(desk, approval, str(path), age_max=most),
        approval.source(),
        books=books,
        wait=wait,
        at=approval.scheduled_at,
        yes=yes,
        as_json=as_json,
    )
    _tell_trade(told, as_json)


def _carried_out(
    job: "Callable[[Desk], dict[str, Any]]",
    source: "PlanFile",
    *,
    books: Path | None,
    wait: int,
    at: datetime | None,
    yes: bool,
    as_json: bool,
) -> "dict[str, Any]":
    """Do a job that places orders, in the mode that the live switch leaves to the plan."""
    from betteroms.cli.confirming import admitted
    from betteroms.jobs.live.trading import carefully, make_ready, rehearsed

    def careful(desk: "Desk") -> "dict[str, Any]":
        # What a poll finds it tells once, and this one was asked for by nobody.
        talk(make_ready(desk))
        done = carefully(desk, job)
        rehearsed(desk)
        return done

    return _at_desk(
        careful,
        "trade",
        source.plan,
        mode=admitted(source, at=at, yes=yes),
        books=books,
        wait=wait,
        as_json=as_json,
    )


def _tell_trade(told: "dict[str, Any]", as_json: bool) -> None:
    result, timing = told["result"], told["timing"]
    if as_json:
        render.document("trade", result, timing)
    else:
        from betteroms.cli.summary import show_summary
        from betteroms.jobs.overview import overview

        show_summary(overview(result), result, timing)
        _hint(result)
    raise typer.Exit(traded(result))


def traded(result: "Mapping[str, Any]") -> int:
    """What a run ends with that came to this."""
    from betteroms.jobs.summary import not_taken

    codes = [exits.REFUSED] if not_taken(result) else []
    return exits.worst([*codes, exits.OUTCOME_UNKNOWN] if result["totals"].get("unconfirmed") else codes)


def _hint(result: "Mapping[str, Any]") -> None:
    """Say what to do next about orders that were refused, or that nobody answered."""
    from betteroms.cli.refusals import next_steps
    from betteroms.domain.errors import OutcomeUnknown

    unknown = exits.FAULTS[OutcomeUnknown].hint
    steps = next_steps(result["refused"])
    for step in [unknown, *steps] if result["totals"].get("unconfirmed") else steps:
        say(f"hint: {step}")


def _preview(
    path: Path,
    *,
    books: Path | None,
    at: datetime | None,
    detailed: bool,
    as_json: bool,
    save: Path | None = None,
    force: bool = False,
) -> None:
    from betteroms.jobs.preview import preview as look

    source = _plan_file(path)
    with ExitStack() as end:
        file = None
        if save is not None:
            from betteroms import wiring

            file = end.enter_context(wiring.whole_file(save, force=force))
        told, seen = _at_desk(
            lambda desk: _looked(desk, look(desk, source, at=at)),
            "preview",
            source.plan,
            mode=source.plan.mode,
            books=books,
            wait=None,
            as_json=as_json,
        )
        result, timing = told["result"], told["timing"]
        if file is not None:
            from betteroms.jobs.approval import approve, written

            approval = approve(seen)
            file.write(written(approval))
            result["saved"] = {"file": str(save), **approval.times()}
    if as_json:
        render.document("preview", result, timing)
    else:
        from betteroms.cli.diff import show_preview
        from betteroms.jobs.diff import shown

        show_preview(shown(result), result, timing)
        _hint(result)
    raise typer.Exit(_preview_code(result["diff"], detailed))


def _looked(desk: "Desk", found: "tuple[dict[str, Any], Look]") -> "tuple[dict[str, Any], Look]":
    """Remember that a live plan was looked at: the switch goes on for the first time only after that."""
    from betteroms.domain.terms import Mode

    if desk.mode is Mode.LIVE and desk.switch is not None:
        desk.switch.rehearse(at=desk.clock.now())
    return found


def _preview_code(diff: "dict[str, Any]", detailed: bool) -> int:
    """What was refused by us ends it with 5; else with 11 what would be placed, if that was asked for."""
    denied = any(row.get("by") == "us" for row in diff["instructions"])
    codes = [exits.REFUSED] if denied else []
    return exits.worst([*codes, exits.PLACES] if detailed and diff["new"] else codes)


def _at_desk(
    job: "Callable[[Desk], T]",
    verb: str,
    plan: "Plan",
    *,
    mode: "Mode",
    books: Path | None,
    wait: int | None,
    as_json: bool,
) -> T:
    """Do a job at the plan's desk. With `wait` it is one that writes: the log and the operator hear of it."""
    from betteroms import wiring
    from betteroms.jobs.herald import SILENT
    from betteroms.settings import load

    settings = load()
    with ExitStack() as end:
        herald = SILENT
        if wait is not None:
            herald = wiring.herald(settings, end.enter_context(open_journal(settings)))
        progress = end.enter_context(Progress())
        desk = end.enter_context(
            wiring.desk(
                settings,
                mode,
                name=f"{verb} {plan.plan_id}",
                books=books,
                lock_wait_seconds=wait,
                show=progress.show,
                herald=herald,
            )
        )
        try:
            done = job(desk)
        except Exception:
            # A file that was ignored is often why; as JSON, an error is one line and nothing else.
            if not as_json:
                end.callback(talk, desk.notes())
            raise
        notes = desk.notes()
    talk(notes)
    return done


def _plan_file(path: Path) -> "PlanFile":
    from betteroms.jobs.trade import PlanFile
    from betteroms.sources.plan import plan_bytes, read_plan

    body = plan_bytes(path)
    return PlanFile(plan=read_plan(body, str(path)), name=str(path), body=body)


def talk(notes: Sequence[str]) -> None:
    """What the venue's side had to say."""
    for note in notes[:NOTES_MAX]:
        say(f"note: {note}")
    if len(notes) > NOTES_MAX:
        say(f"note: … and {len(notes) - NOTES_MAX:,} more like these")
