"""`runs list`, `runs show`, `runs replay` and `runs report`: what was carried out, and when."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say
from betteroms.cli.options import LIMIT_DEFAULT, Json, Limit, Offset, command, group

app = group("Past runs.")


@command(
    app,
    "list",
    example="betteroms runs list --status failed",
    does="List runs, the latest first.",
)
def list_(
    status: Annotated[
        Literal["running", "completed", "failed", "abandoned"] | None,
        typer.Option("--status", help="Only runs that stand so."),
    ] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="PLANID", help="Only runs of this plan.")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.run import RunStatus
    from betteroms.jobs import told
    from betteroms.settings import load

    wanted = RunStatus(status) if status else None
    with wiring.records(load(), name="runs list") as records:
        found = records.runs(status=wanted, plan_id=plan, limit=limit + 1, offset=offset)
    rows = [told.run(record) for record in found[:limit]]
    if as_json:
        render.lines(rows)
        return
    if not rows:
        say("no runs")
        return
    heads = render.columns(
        "run", "started", "~plan", "mode", "status", ">orders", ">filled", ">denied", ">fees"
    )
    wide = render.console().width >= render.WIDE
    render.show(render.table(heads, [_row(row, wide) for row in rows]))
    render.more(found, limit, offset)


def _row(row: Mapping[str, Any], wide: bool) -> list[Any]:
    totals = row["totals"] or {}
    started = render.moment(row["startedAt"], seconds=wide)
    return [
        row["shortId"],
        started if wide else started[5:],
        row["planId"] or row["kind"],
        row["mode"],
        render.styled(row["status"]),
        _count(totals, "placed"),
        _count(totals, "filled"),
        _count(totals, "denied"),
        render.cents(totals.get("fees")),
    ]


def _count(totals: Mapping[str, Any], name: str) -> str:
    return f"{totals[name]:,}" if name in totals else render.NOTHING


@command(
    app,
    "show",
    example="betteroms runs show june-dip",
    does="Show one run as it was told on its day.",
    more="RUN is a planId, or the beginning of a run's id (8 characters or more).",
)
def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A planId, or the beginning of a run's id.")],
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.jobs import told
    from betteroms.jobs.lookup import the_run
    from betteroms.settings import load

    watch = render.Stopwatch(wiring.clock().now())
    with wiring.records(load(), name="runs show") as records:
        row = told.run_detail(records.run(the_run(records, run).run_id))
    if as_json:
        render.document("runs show", row, watch.timing())
        return
    if row["summary"] is not None:
        _told(row["kind"], row["summary"]["result"], row["summary"]["timing"])
    render.show(*_facts(row))


def _told(kind: str, result: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
    """The summary as it was printed on its day."""
    if kind == "trade":
        from betteroms.cli.summary import show_summary
        from betteroms.jobs.overview import overview

        show_summary(overview(result), result, timing)
    elif kind == "maintain":
        from betteroms.cli.course import show_maintenance

        show_maintenance(result, timing)
    elif kind == "run":
        from betteroms.cli.course import show_run

        show_run(result, timing)
    else:
        line = _line(kind, result)
        if line is None:
            return
        render.text(line)
    render.show("")


def _line(kind: str, result: Mapping[str, Any]) -> str | None:
    """What a small run came to; None for a kind that this version does not know."""
    from betteroms.cli import portfolio, risk, rules

    lines = {"rules": rules.changed, "portfolio": portfolio.moved, "risk": risk.was_reset}
    return lines[kind](result) if kind in lines else None


def _facts(row: Mapping[str, Any]) -> list[str]:
    facts = {
        "run": row["runId"],
        "kind": row["kind"] if row["planId"] is None else None,
        "plan": f"{row['planId']} ({row['planFile']})" if row["planId"] is not None else None,
        "status": f"{row['status']}, attempt {row['attempt']}",
        "started": render.moment(row["startedAt"]),
        "completed": render.moment(row["completedAt"]),
        "scheduled": render.moment(row["scheduledAt"]),
        "error": row["error"],
        "content": row["contentHash"],
        "engine": row["engineVersion"],
    }
    return [f"{name:<10} {value}" for name, value in facts.items() if value]


@command(
    app,
    "replay",
    example="betteroms runs replay june-dip --what-if fees=free,fill=pessimistic",
    does="Compute a past run again from what it recorded, or as it would have been.",
    more="RUN is a planId, or the beginning of a run's id. Nothing is asked, and nothing written: the "
    "result must have the same bytes as on its day, else the differences are shown and the exit code is 1. "
    "With --what-if the differences are what the changes would have done.",
)
def replay(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A planId, or the beginning of a run's id.")],
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="CHANGES",
            help="fees=0.05|free|assumed, liquidityFraction=0.5, fill=pessimistic|base|optimistic, "
            "slippageTicks=1; several with commas between them.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    from betteroms import __version__, wiring
    from betteroms.jobs.replay import ChangeUnknown, read_changes
    from betteroms.jobs.replay import replay as compute
    from betteroms.settings import load

    watch = render.Stopwatch(wiring.clock().now())
    try:
        changes = read_changes(what_if) if what_if else None
    except ChangeUnknown as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--what-if") from None
    with wiring.records(load(), name="runs replay") as records:
        told = compute(
            records,
            run,
            reader=wiring.Payloads(),
            bench=wiring.bench,
            engine_version=__version__,
            changes=changes,
        )
    if as_json:
        render.document("runs replay", told, watch.timing())
    else:
        from betteroms.cli.replayed import show_replay

        show_replay(told)
    same_engine = told["engineVersion"] == told["recordedEngineVersion"]
    failed = told["outcome"] == "different" and same_engine
    raise typer.Exit(exits.UNEXPECTED if failed else exits.DONE)


@command(
    app,
    "report",
    example="betteroms runs report june-dip --html june-dip.html",
    does="Write a page about one run that opens offline in any browser.",
    more="RUN is a planId, or the beginning of a run's id. The page holds the run as it was told on its day, "
    "and what has become of its orders since.",
)
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A planId, or the beginning of a run's id.")],
    html: Annotated[Path, typer.Option("--html", metavar="FILE", help="Where to write it.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.cli.page import run_page as page
    from betteroms.jobs.run_page import run_page
    from betteroms.settings import load

    now = wiring.clock().now()
    watch = render.Stopwatch(now)
    with wiring.records(load(), name="runs report") as records:
        told = run_page(records, run, now=now)
    body = page(told).encode()
    with wiring.whole_file(html, force=force) as stream:
        stream.write(body)
    if as_json:
        result = {"runId": told["run"]["runId"], "file": str(html), "sizeBytes": len(body)}
        render.document("runs report", result, watch.timing())
    else:
        render.text(f"{html}: {len(body):,} bytes")
