"""`plans`: the plans kept in the database, and when `run` takes each of them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say, tell
from betteroms.cli.options import Json, command, group
from betteroms.domain.terms import Mode

if TYPE_CHECKING:
    from betteroms.jobs.trade import PlanFile
    from betteroms.ports import PlanShelf
    from betteroms.settings import Settings

app = group("The stored plans, which run takes beside those in its directory.")

STATES: Final[Mapping[str, str]] = {
    "done": "green",
    "due": "cyan",
    "failed": "red",
    "changed": "red",
    "running": "yellow",
    "abandoned": "yellow",
    "inactive": "dim",
}
"""How a plan stands in the present period, and the colour of the word."""

PlanId = Annotated[
    str, typer.Argument(metavar="PLANID", help="The planId as its file has it, braces included.")
]
InMode = Annotated[
    Mode | None,
    typer.Option("--mode", help="Which one, where the planId is stored in several modes."),
]


def _begun() -> "tuple[Settings, datetime, render.Stopwatch]":
    """The settings, and now: in the zone of this machine, by which cron goes."""
    from betteroms import wiring
    from betteroms.settings import load

    settings, now = load(), wiring.clock().now()
    return settings, now.astimezone(), render.Stopwatch(now)


@command(
    app,
    "add",
    example="betteroms plans add plans/june.json",
    does="Store plans in the database, for run to carry out.",
    more="Each is checked as validate checks it. The same planId with other content is refused unless "
    "--replace is given; the same content again changes nothing.",
)
def add(
    files: Annotated[
        list[Path], typer.Argument(metavar="PLAN.json", readable=False, help="The trade plans.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put a changed plan in the place of the stored one.")
    ] = False,
    inactive: Annotated[
        bool, typer.Option("--inactive", help="Store it switched off; plans activate switches it on.")
    ] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.errors import PlanInvalid

    settings, now, _ = _begun()
    codes: list[int] = []
    valid: list[PlanFile] = []
    for path in files:
        try:
            valid.append(_plan_file(path))
        except PlanInvalid as fault:
            codes.append(_not_added(path, fault, "invalid", as_json))
    if valid:
        with wiring.stored_plans(settings, name="plans add") as shelf:
            for source in valid:
                codes.append(_added(shelf, source, replace=replace, inactive=inactive, now=now, json=as_json))
    raise typer.Exit(exits.worst(codes))


def _plan_file(path: Path) -> "PlanFile":
    from betteroms.jobs.trade import PlanFile
    from betteroms.sources.plan import plan_bytes, read_plan
    from betteroms.sources.plan_files import name_shown

    body, name = plan_bytes(path), name_shown(str(path))
    return PlanFile(plan=read_plan(body, name), name=name, body=body)


def _added(
    shelf: "PlanShelf", source: "PlanFile", *, replace: bool, inactive: bool, now: datetime, json: bool
) -> int:
    from betteroms.domain.errors import PlanChanged
    from betteroms.jobs.plans import add as put

    try:
        done = put(shelf, source, replacing=replace, inactive=inactive, now=now)
    except PlanChanged as fault:
        return _not_added(Path(source.name), fault, "refused", json)
    plan = done.plan
    if json:
        told: dict[str, Any] = {
            "file": source.name,
            "outcome": done.outcome,
            "planId": plan.plan_id,
            "mode": plan.mode.value,
            "priority": plan.priority,
            "active": plan.active,
            "contentHash": plan.content_hash,
            "problems": [],
        }
        render.lines([told])
        return exits.DONE
    outcome = "nothing to do, it is stored" if done.outcome == "unchanged" else done.outcome
    named = f"planId {plan.plan_id}, mode {plan.mode}, priority {plan.priority}"
    render.text(f"{source.name}: {outcome}; {named}, {'active' if plan.active else 'inactive'}")
    return exits.DONE


def _not_added(path: Path, fault: Exception, outcome: str, as_json: bool) -> int:
    if not as_json:
        return tell(fault, json_wanted=False)
    problems = list(getattr(fault, "problems", ())) or [str(fault)]
    render.lines([{"file": str(path), "outcome": outcome, "problems": problems}])
    return exits.exit_for(fault).code


@command(
    app,
    "activate",
    example="betteroms plans activate june-dip",
    does="Switch a stored plan on.",
    more="The next run takes it, unless it has run in its period.",
)
def activate(plan_id: PlanId, mode: InMode = None, as_json: Json = False) -> None:
    _switch("activate", plan_id, mode, active=True, as_json=as_json)


@command(
    app,
    "deactivate",
    example="betteroms plans deactivate june-dip",
    does="Switch a stored plan off.",
    more="A run that has begun is not stopped. The same plan in a directory is off as well.",
)
def deactivate(plan_id: PlanId, mode: InMode = None, as_json: Json = False) -> None:
    _switch("deactivate", plan_id, mode, active=False, as_json=as_json)


def _switch(name: str, plan_id: str, mode: Mode | None, *, active: bool, as_json: bool) -> None:
    from betteroms import wiring
    from betteroms.jobs.plans import the_plan

    settings, now, watch = _begun()
    with wiring.stored_plans(settings, name=f"plans {name}") as shelf:
        plan = the_plan(shelf, plan_id, mode)
        changed = shelf.set_active(plan, active=active, at=now)
    if as_json:
        result = {"planId": plan.plan_id, "mode": plan.mode.value, "active": active, "changed": changed}
        render.document(f"plans {name}", result, watch.timing())
        return
    word = "active" if active else "inactive"
    render.text(f"{plan.plan_id} ({plan.mode}) {'is now' if changed else 'was already'} {word}")


@command(
    app,
    "list",
    example="betteroms plans list",
    does="List the stored plans, with what is due next.",
    more="In the order in which run takes them. CRON_INTERVAL_MINUTES says how often it is called.",
)
def list_(as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs.plans import rows

    settings, now, _ = _begun()
    with wiring.stored_plans(settings, name="plans list") as shelf:
        told = rows(shelf.list(), shelf, now=now, interval=settings.cron_interval_minutes)
    if as_json:
        render.lines(told)
        return
    if not told:
        say("no stored plans")
        return
    heads = render.columns("~plan", "mode", ">priority", "this period", "next", "last run")
    render.show(render.table(heads, [_row(row) for row in told]))


def _row(row: Mapping[str, Any]) -> list[Any]:
    from rich.text import Text

    wide = render.console().width >= render.WIDE
    state, coming, last = row["period"]["state"], row["next"], row["lastRun"]
    started = render.moment(last and last["startedAt"], seconds=False)
    return [
        row["planId"],
        row["mode"],
        str(row["priority"]),
        Text(state, style=STATES[state]),
        render.moment(coming and coming["at"], seconds=False)[0 if wide else 5 :] or render.NOTHING,
        f"{last['status']} {started[0 if wide else 5 :]}" if last else render.NOTHING,
    ]


@command(
    app,
    "show",
    example="betteroms plans show june-dip",
    does="Show a stored plan: how it stands, and its file.",
)
def show(plan_id: PlanId, mode: InMode = None, as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.jobs.plans import rows, the_plan

    settings, now, watch = _begun()
    with wiring.stored_plans(settings, name="plans show") as shelf:
        plan = the_plan(shelf, plan_id, mode)
        (row,) = rows([plan], shelf, now=now, interval=settings.cron_interval_minutes)
    text = plan.body.decode("utf-8")
    if as_json:
        render.document("plans show", {**row, "text": text}, watch.timing())
        return
    period, coming, last = row["period"], row["next"], row["lastRun"]
    facts = {
        "plan": f"{row['planId']} ({row['mode']})",
        "priority": str(row["priority"]),
        "file": row["file"],
        "added": render.moment(row["addedAt"]),
        "changed": render.moment(row["changedAt"]) if row["changedAt"] != row["addedAt"] else None,
        "content": row["contentHash"],
        "period": f"{period['planId']}: {period['state']}",
        "next": _next(row["planId"], coming) if plan.active else None,
        "last run": f"{last['planId']}: {last['status']}, started {render.moment(last['startedAt'])}"
        if last
        else None,
    }
    render.show(*[f"{name:<10} {value}" for name, value in facts.items() if value], "", text.rstrip("\n"))


def _next(template: str, coming: Mapping[str, Any] | None) -> str:
    if coming is None:
        return "never"
    return render.moment(coming["at"]) + (f", as {coming['planId']}" if coming["planId"] != template else "")
