"""`runs list` and `runs show`: what was carried out, and when."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from betteroms.cli import render
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
    summary = row["summary"]
    if summary is not None:
        from betteroms.cli.summary import show_summary
        from betteroms.jobs.overview import overview

        show_summary(overview(summary["result"]), summary["result"], summary["timing"])
        render.show("")
    render.show(*_facts(row))


def _facts(row: Mapping[str, Any]) -> list[str]:
    facts = {
        "run": row["runId"],
        "plan": f"{row['planId']} ({row['planFile']})",
        "status": f"{row['status']}, attempt {row['attempt']}",
        "started": render.moment(row["startedAt"]),
        "completed": render.moment(row["completedAt"]),
        "scheduled": render.moment(row["scheduledAt"]),
        "error": row["error"],
        "content": row["contentHash"],
        "engine": row["engineVersion"],
    }
    return [f"{name:<10} {value}" for name, value in facts.items() if value]
