"""`report`: what a day, a week, a month or all time came to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from betteroms.cli import render
from betteroms.cli.drawing import Force, Plot, draw
from betteroms.cli.export import in_order, since_time
from betteroms.cli.options import Json, command
from betteroms.cli.positions import Mark
from betteroms.cli.twins import report_twins

if TYPE_CHECKING:
    from rich.console import RenderableType

    from betteroms.domain.period import Period

ROWS_MAX: Final = 40
SPAN: Final = "span"
INSTANT: Final = timedelta(microseconds=1)
Moment = datetime | None


Slippage = Annotated[
    bool, typer.Option("--chart", help="Draw how the slippage of orders was distributed instead.")
]


ModeName = Annotated[Literal["paper", "shadow", "live"], typer.Option("--mode", help="Whose trades.")]
Bounds = Annotated[
    bool,
    typer.Option("--bounds", help="Add what profit would be had resting orders filled worse, or better."),
]
Twin = Annotated[
    bool, typer.Option("--twin", help="Compare live orders with the same orders on paper instead.")
]


def moment_option(name: str, does: str) -> Any:
    """An option for a time, or for a day."""
    return typer.Option(name, metavar="TIME", parser=since_time, help=does)


def add_to(app: typer.Typer) -> None:
    """Declare the command."""
    command(
        app,
        "report",
        example="betteroms report --period week --by plan",
        does="Report what a day, a week, a month or all time came to.",
        more="Days are UTC: since midnight, since Monday, since the first. Orders count when they were taken "
        "on, fills, payouts and profit when they happened. What is held is what is held now, at the prices "
        "the last run saw.",
    )(report)


def report(
    period: Annotated[
        Literal["day", "week", "month", "all"] | None,
        typer.Option("--period", help="Which span of time (default: day, or all that lies before --until)."),
    ] = None,
    by: Annotated[
        Literal["market", "plan", "strategy"],
        typer.Option("--by", help="What to sum up by; a strategy is where wishes came from: plan, rule."),
    ] = "market",
    mode: ModeName = "paper",
    at: Annotated[
        Moment, moment_option("--at", "Report the whole day, week or month in which this time lies.")
    ] = None,
    since: Annotated[Moment, moment_option("--since", "Report from this time on.")] = None,
    until: Annotated[Moment, moment_option("--until", "Report what came before this time.")] = None,
    mark: Mark = "mid",
    bounds: Bounds = False,
    twin: Twin = False,
    chart: Slippage = False,
    plot: Plot = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import report as job
    from betteroms.jobs.positions import MarkBy
    from betteroms.reckoning import By
    from betteroms.settings import load

    now = wiring.clock().now()
    watch = render.Stopwatch(now)
    name = _named(period, at, since, until)
    span = _span(name, at or (until - INSTANT if until else now), since, until)
    if twin:
        report_twins(span, watch, as_json=as_json)
        return
    asked = job.Asked(
        mode=Mode(mode),
        period=span,
        name=name if since is None and until is None else SPAN,
        by=By(by),
        mark_by=MarkBy(mark),
        bounds=bounds,
        now=now,
    )
    with wiring.records(load(), name="report") as records:
        told = job.report(records, asked)
        slippages = records.slippages(asked.mode, asked.period) if chart or plot is not None else ()
    if plot is not None:
        draw(plot, lambda pictures: pictures.slippage(slippages), force=force)
    if as_json:
        render.document("report", told, watch.timing())
        return
    if chart:
        from betteroms.cli import charts

        render.show(*charts.slippage(slippages))
        return
    _show(told)


def _show(told: Mapping[str, Any]) -> None:
    render.show(
        _title(told),
        "",
        *_done(told),
        *_held(told),
        render.section("Account", _account(told)),
        render.section("Fill bounds", _bounds(told)),
        render.section("How it is counted", _method(told)),
    )


def _named(period: str | None, at: Moment, since: Moment, until: Moment) -> str:
    """Which period the words mean, where they do not say it."""
    if since is not None and (period is not None or at is not None):
        raise typer.BadParameter("--since begins a span of its own: no --period or --at")
    return period or ("day" if until is None or at is not None else "all")


def _span(name: str, at: datetime, since: Moment, until: Moment) -> "Period":
    """The named period around `at`, or what the bounds leave of it."""
    from betteroms.domain.period import Period, PeriodName, period_of

    in_order(since, until)
    found = period_of(PeriodName(name), at)
    begun = since or found.since
    if begun is not None and until is not None and begun >= until:
        raise typer.BadParameter("the period that --at names begins at or after --until")
    return Period(since=begun, until=until or (None if since is not None else found.until))


def _title(told: Mapping[str, Any]) -> str:
    period = told["period"]
    ends = [
        f"{word} {render.moment(period[name], seconds=False)}"
        for word, name in (("from", "since"), ("to", "until"))
        if period[name] is not None
    ]
    span = " ".join(ends) if ends else "all time"
    return f"report · {told['mode']} · {period['name']} · {span}"


def _done(told: Mapping[str, Any]) -> list["RenderableType | None"]:
    """What each group did and gained."""
    rows = [row for row in told["groups"] if row["orders"] or row["executions"] or row["realised"] != "0"]
    if not rows:
        return ["nothing was traded in this time"]
    heads = render.columns(
        told["by"], ">orders", ">filled", ">refused", ">fills", ">notional", ">gross", ">fees", ">net"
    )
    shown: list[render.Row | render.Heading] = []
    for row in rows[:ROWS_MAX]:
        shown += [render.Heading(_name(row)), ["", *_numbers(row)]]
    return [render.table(heads, shown, totals=["total", *_numbers(told["totals"])]), _more(len(rows))]


def _numbers(row: Mapping[str, Any]) -> list[Any]:
    return [
        f"{row['orders']:,}",
        f"{row['filled']:,}",
        f"{row['denied'] + row['rejected']:,}",
        f"{row['executions']:,}",
        render.cents(row["notional"]),
        render.gain(row["realisedGross"]),
        render.cents(row["fees"]),
        render.gain(row["realised"]),
    ]


def _held(told: Mapping[str, Any]) -> list["RenderableType | None"]:
    """What each group holds now."""
    rows = [row for row in told["groups"] if row["costBasis"] != "0" or row["marketValue"] != "0"]
    if not rows:
        return []
    heads = render.columns(f"~held now, by {told['by']}", ">cost", ">value", ">unrealised", "seen")
    shown = [[_name(row), *_worth(row)] for row in rows[:ROWS_MAX]]
    return ["", render.table(heads, shown, totals=["total", *_worth(told["totals"])]), _more(len(rows))]


def _worth(row: Mapping[str, Any]) -> list[Any]:
    return [
        render.cents(row["costBasis"]),
        render.cents(row["marketValue"]),
        render.gain(row["unrealised"]),
        render.age(row["oldestMarkAgeSeconds"]),
    ]


def _more(count: int) -> str | None:
    hidden = count - ROWS_MAX
    return f"… {hidden:,} more are not shown, but counted; --json has them all" if hidden > 0 else None


def _name(row: Mapping[str, Any]) -> str:
    return render.market(row["group"]) if row["group"] else render.NONE


def _account(told: Mapping[str, Any]) -> list[str]:
    equity, totals = told["equity"], told["totals"]
    lines = []
    if equity["end"] is not None:
        start = equity["start"]
        began = "nothing" if start is None else _point(start)
        lines.append(f"from {began} to {_point(equity['end'])}")
        lines.append(
            f"deposited {render.dollars(equity['deposited'])}, gained of itself "
            f"{render.dollars(equity['gained'])}"
        )
    if equity["drawdown"] is not None:
        fall = equity["drawdown"]
        lines.append(
            f"deepest fall {render.dollars(fall['amount'])}, from {render.moment(fall['peakAt'])} "
            f"to {render.moment(fall['troughAt'])}"
        )
    if totals["settlements"]:
        lines.append(
            f"{render.counted(totals['settlements'], 'payout')} of {render.dollars(totals['settledCash'])}"
        )
    lines.append(f"slippage against mid {render.dollars(totals['slippage'])}")
    return lines


def _point(point: Mapping[str, str]) -> str:
    return f"{render.dollars(point['netLiquidation'])} ({render.moment(point['at'], seconds=False)})"


def _bounds(told: Mapping[str, Any]) -> list[str]:
    if "bounds" not in told:
        return []
    found = told["bounds"]
    lines = [
        f"profit, realised and unrealised: {render.dollars(found['base'])}",
        f"had resting orders filled as late as they may: {render.dollars(found['pessimistic'])}",
        f"had they filled as early as they may: {render.dollars(found['optimistic'])}",
    ]
    if found["unknownTokens"]:
        count = len(found["unknownTokens"])
        have = "has" if count == 1 else "have"
        lines.append(
            f"{render.counted(count, 'token')} never held {have} no price here and "
            f"count{'s' if count == 1 else ''} with nothing"
        )
    return lines


def _method(told: Mapping[str, Any]) -> list[str]:
    groups, totals = told["method"]["groups"], told["method"]["totals"]
    if groups == totals:
        return [f"profit at {totals}, every fee charged when it was paid"]
    return [
        f"profit by {told['by']}: {groups}, to whoever bought; fees to whose order paid them",
        f"totals: {totals}; the two agree over what is closed",
    ]
