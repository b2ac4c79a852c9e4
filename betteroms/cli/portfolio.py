"""`portfolio show|history|deposit|withdraw`: what the account is worth, and cash in and out of it."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Annotated, Any, Final, Literal

import typer

from betteroms.cli import render
from betteroms.cli.drawing import Chart, Force, Plot, draw
from betteroms.cli.export import in_order
from betteroms.cli.faults import say
from betteroms.cli.options import LIMIT_MAX, Json, command, group
from betteroms.cli.positions import Mark
from betteroms.cli.progress import Progress
from betteroms.cli.report import Moment, moment_option
from betteroms.cli.trade import WAIT_SECONDS, WAIT_SECONDS_MAX

app = group("What the account is worth, and cash in and out of it.")

HOURS_DEFAULT: Final = 168
NO_SNAPSHOTS: Final = "no snapshots: run and maintain take one in each hour"
ROWS_MAX: Final = 40
ModeName = Annotated[Literal["paper", "shadow", "live"], typer.Option("--mode", help="Whose account.")]
CashMode = Annotated[
    Literal["paper", "shadow", "live"], typer.Option("--mode", help="Whose account's ledger.")
]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="Dollars, exactly: 250 or 99.50.")]
Wait = Annotated[
    int,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        max=WAIT_SECONDS_MAX,
        help="How long to wait for another run to finish.",
    ),
]


@command(
    app,
    "show",
    example="betteroms portfolio show",
    does="Show what the account is worth, and where it is exposed.",
    more="At the prices that the last run saw; their age is told.",
)
def show(
    mode: ModeName = "paper",
    mark: Mark = "mid",
    chart: Chart = False,
    plot: Plot = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import portfolio
    from betteroms.jobs.positions import MarkBy
    from betteroms.settings import load

    now = wiring.clock().now()
    watch = render.Stopwatch(now)
    with wiring.records(load(), name="portfolio show") as records:
        told = portfolio.shown(records, Mode(mode), now=now, by=MarkBy(mark))
    bars = portfolio.bars(told)
    if plot is not None:
        draw(plot, lambda pictures: pictures.exposure(bars), force=force)
    if as_json:
        render.document("portfolio show", told, watch.timing())
        return
    if chart:
        from betteroms.cli import charts

        render.show(*charts.exposure(bars))
        return
    rows = told["exposure"]
    heads = render.columns("~exposure", ">cost", ">value", ">unrealised", ">bids", "seen")
    shown = [[render.market(row["marketId"]), *_worth(row)] for row in rows[:ROWS_MAX]]
    hidden = len(rows) - ROWS_MAX
    render.show(
        render.table(heads, shown, totals=["total", *_worth(told)]) if rows else "nothing is held",
        f"… {hidden:,} more markets; --json has them all" if hidden > 0 else None,
        render.section("Account", _account(told)),
        render.section("At the venue, which counts", _at_the_venue(told)),
    )


def _at_the_venue(told: Mapping[str, Any]) -> list[str]:
    """The venue's positions, when they were read, and where our books differ; nothing but in live."""
    if "venue" not in told:
        return []
    found = told["venue"]
    if found is None:
        return ["not compared yet: betteroms poll does"]
    cash = found["cash"]
    rows = [
        f"{render.market(row['marketId'])} {render.token(row['tokenId'])}: {row['venue']} shares"
        + (f", but {row['ledger']} in our ledger" if row["differs"] else "")
        for row in found["positions"][:ROWS_MAX]
    ]
    ours = f", but {render.dollars(cash['ledger'])} in our ledger" if cash["differs"] else ""
    return [
        f"as of {render.moment(found['at'], seconds=True)}",
        f"cash {render.dollars(cash['venue'])}{ours}",
        *rows,
    ]


def _worth(row: Mapping[str, Any]) -> list[Any]:
    return [
        render.cents(row["costBasis"]),
        render.cents(row["marketValue"]),
        render.gain(row["unrealised"]),
        render.cents(row["reservedCash"]),
        render.age(row["oldestMarkAgeSeconds"]),
    ]


def _account(told: Mapping[str, Any]) -> list[str]:
    reserved = told["reservedCash"]
    held = f", {render.dollars(reserved)} of it reserved by open orders" if reserved != "0" else ""
    return [
        f"net liquidation {render.dollars(told['netLiquidation'])}, marked at the {told['markBy']}",
        f"cash {render.dollars(told['cash'])}{held}",
        f"deposited {render.dollars(told['deposited'])}, gained since {render.dollars(told['gained'])}: "
        f"realised {render.dollars(told['realised'])}, unrealised {render.dollars(told['unrealised'])}",
        f"most ever gained {render.dollars(told['peakGained'])}, "
        f"now {render.dollars(told['drawdown'])} below it",
    ]


@command(
    app,
    "history",
    example="betteroms portfolio history --since 2026-11-01",
    does="List hourly snapshots of the account, the oldest first.",
    more="The latest week of them, unless something else is asked for.",
)
def history(
    mode: ModeName = "paper",
    since: Annotated[Moment, moment_option("--since", "From this time or day on.")] = None,
    until: Annotated[Moment, moment_option("--until", "Before this time or day.")] = None,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="COUNT", min=1, max=LIMIT_MAX, help="At most so many, the latest."),
    ] = HOURS_DEFAULT,
    chart: Chart = False,
    plot: Plot = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.period import Period
    from betteroms.domain.terms import Mode
    from betteroms.jobs import portfolio
    from betteroms.settings import load

    in_order(since, until)
    period = Period(since=since, until=until)
    with wiring.records(load(), name="portfolio history") as records:
        found = portfolio.history(records, Mode(mode), period, limit=limit + 1)
        points, moves = portfolio.course(records, Mode(mode), period, limit=limit)
    rows = found[-limit:]
    if plot is not None:
        draw(plot, lambda pictures: pictures.equity_curve(points, moves), force=force)
    if as_json:
        render.lines(rows)
        return
    if not rows:
        say(NO_SNAPSHOTS)
        return
    if chart:
        from betteroms.cli import charts

        render.show(*charts.equity(points, moves))
        return
    heads = render.columns("hour", ">held", ">value", ">cash", ">worth", ">realised", ">unrealised", ">fees")
    render.show(render.table(heads, [_snapshot(row) for row in rows]))
    if len(found) > limit:
        say(f"there are older ones: --until {rows[0]['hour']}, or a greater --limit")


def _snapshot(row: Mapping[str, Any]) -> list[Any]:
    return [
        render.moment(row["hour"], seconds=False)[5:],
        f"{row['positions']:,}",
        render.cents(row["marketValue"]),
        render.cents(row["cash"]),
        render.cents(row["netLiquidation"]),
        render.gain(row["realised"]),
        render.gain(row["unrealised"]),
        render.cents(row["fees"]),
    ]


@command(
    app,
    "deposit",
    example="betteroms portfolio deposit 500",
    does="Bring cash into the paper wallet.",
    more="Each call brings it once more. Profit, loss and drawdown leave it out. With --mode live it only "
    "tells the ledger of dollars that you sent to the wallet: no money is moved.",
)
def deposit(
    amount: Amount, mode: CashMode = "paper", wait: Wait = WAIT_SECONDS, as_json: Json = False
) -> None:
    from betteroms.domain.position import EntryKind

    _move("portfolio deposit", EntryKind.DEPOSIT, amount, mode=mode, wait=wait, as_json=as_json)


@command(
    app,
    "withdraw",
    example="betteroms portfolio withdraw 99.50",
    does="Take cash out of the paper wallet.",
    more="No more than is free of what open orders reserve: else exit code 5. With --mode live it only tells "
    "the ledger of dollars that you took out of the wallet: no money is moved.",
)
def withdraw(
    amount: Amount, mode: CashMode = "paper", wait: Wait = WAIT_SECONDS, as_json: Json = False
) -> None:
    from betteroms.domain.position import EntryKind

    _move("portfolio withdraw", EntryKind.WITHDRAWAL, amount, mode=mode, wait=wait, as_json=as_json)


def _move(name: str, kind: Any, text: str, *, mode: str, wait: int, as_json: bool) -> None:
    from betteroms import wiring
    from betteroms.domain.money import Usdc, to_micros
    from betteroms.domain.terms import Mode
    from betteroms.jobs import portfolio
    from betteroms.settings import load

    amount = to_micros(text)
    if not 0 < amount <= portfolio.MOVED_MAX:
        raise typer.BadParameter(f"{text} is not an amount of dollars above 0 and up to a billion")
    with ExitStack() as stack:
        progress = stack.enter_context(Progress())
        desk = stack.enter_context(
            wiring.desk(load(), Mode(mode), name=name, lock_wait_seconds=wait, show=progress.show)
        )
        told = portfolio.move(desk, kind, Usdc(amount))
    result = told["result"]
    if as_json:
        render.document(name, result, told["timing"])
        return
    render.text(moved(result))


def moved(result: Mapping[str, Any]) -> str:
    """What a deposit or a withdrawal came to, in a line."""
    did = "withdrawn" if result["moved"].startswith("-") else "deposited"
    return (
        f"{did} {render.dollars(result['moved'].lstrip('-'))}: cash {render.dollars(result['cash'])}, "
        f"{render.dollars(result['freeCash'])} of it free"
    )
