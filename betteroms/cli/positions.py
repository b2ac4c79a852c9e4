"""`positions report`, `positions list` and `positions verify`: what is held, and whether it adds up."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from betteroms.cli import exits, render
from betteroms.cli.faults import say
from betteroms.cli.options import LIMIT_DEFAULT, Json, Limit, Offset, command, group

if TYPE_CHECKING:
    from rich.console import RenderableType

app = group("What is held, what it cost, and what it is worth.")

ROWS_MAX: Final = 40
LOTS_MAX: Final = 20
UNUSED: Final = "nothing was traded yet; the first run brings in the starting cash (BETTEROMS_PAPER_CASH)"
Mark = Annotated[
    Literal["mid", "bid"],
    typer.Option("--mark", help="Value shares at the mid of a narrow spread (else the bid), or at the bid."),
]
Status = Literal["open", "closed", "dust"]
OrderBy = Literal["market", "size", "cost", "value", "unrealised", "realised", "opened"]


@command(
    app,
    "report",
    example="betteroms positions report --mark bid",
    does="Report positions with profit and loss, cash and net liquidation.",
    more="The prices are those that the last run saw; their age is told.",
)
def report(
    mark: Mark = "mid",
    by: Annotated[
        Literal["market", "plan"] | None,
        typer.Option("--by", help="Sum up by market too, or by the plan that bought."),
    ] = None,
    lots: Annotated[
        Literal["fifo"] | None,
        typer.Option("--lots", help="Show what is held lot by lot, first in, first out."),
    ] = None,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import positions
    from betteroms.reckoning import By
    from betteroms.settings import load

    now = wiring.clock().now()
    watch = render.Stopwatch(now)
    with wiring.records(load(), name="positions report") as records:
        told = positions.report(
            records,
            Mode.PAPER,
            now=now,
            by=positions.MarkBy(mark),
            group=By(by) if by else None,
            with_lots=lots is not None,
        )
    if as_json:
        render.document("positions report", told, watch.timing())
        return
    rows = told["positions"]
    held = [row for row in rows if row["status"] != "closed"]
    render.show(
        *_held(held, told["totals"]),
        *_realised(rows, told["totals"]),
        *_lots(held),
        *_groups(told),
        render.section("Account", _account(told)),
        render.section("Remarks", _remarks(held) if rows else [UNUSED]),
    )


def _held(rows: Sequence[Mapping[str, Any]], totals: Mapping[str, str]) -> list["RenderableType | None"]:
    if not rows:
        return ["nothing is held"]
    heads = render.columns("held", ">size", ">average", ">cost", ">mark", ">value", ">unrealised", "seen")
    foot = (
        "total",
        "",
        "",
        render.cents(totals["costBasis"]),
        "",
        render.cents(totals["marketValue"]),
        render.gain(totals["unrealised"]),
        "",
    )
    shown: list[render.Row | render.Heading] = []
    for row in rows[:ROWS_MAX]:
        shown += [render.Heading(_name(row)), _held_row(row)]
    return [render.table(heads, shown, totals=foot), _hidden(rows)]


def _held_row(row: Mapping[str, Any]) -> list[Any]:
    return [
        "",
        render.number(row["size"]),
        render.average(row["averagePrice"]),
        render.cents(row["costBasis"]),
        render.average(row["mark"]),
        render.cents(row["marketValue"]),
        render.gain(row["unrealised"]),
        render.age(row["markAgeSeconds"]),
    ]


def _realised(rows: Sequence[Mapping[str, Any]], totals: Mapping[str, str]) -> list["RenderableType | None"]:
    if not rows:
        return []
    heads = render.columns("~realised", ">gross", ">fees", ">net")
    foot = (
        "total",
        render.gain(totals["realisedGross"]),
        render.cents(totals["fees"]),
        render.gain(totals["realised"]),
    )
    shown: list[render.Row] = [
        [
            _name(row),
            render.gain(row["realisedGross"]),
            render.cents(row["fees"]),
            render.gain(row["realised"]),
        ]
        for row in rows[:ROWS_MAX]
    ]
    return ["", render.table(heads, shown, totals=foot), _hidden(rows)]


def _lots(rows: Sequence[Mapping[str, Any]]) -> list["RenderableType | None"]:
    """The lots of what is held, oldest first."""
    shown: list[render.Row | render.Heading] = []
    for row in rows[:ROWS_MAX]:
        if row.get("lots"):
            shown.append(render.Heading(_name(row)))
            shown += [_lot(lot) for lot in row["lots"][:LOTS_MAX]]
            hidden = len(row["lots"]) - LOTS_MAX
            if hidden > 0:
                shown.append(render.Heading(f"… {hidden:,} more lots; --json has them all"))
    if not shown:
        return []
    heads = render.columns(
        "~lot of plan", "bought", ">size", ">average", ">cost", ">value", ">unrealised", ">gross"
    )
    return ["", render.table(heads, shown)]


def _lot(lot: Mapping[str, Any]) -> list[Any]:
    return [
        lot["planId"] or render.NONE,
        render.moment(lot["openedAt"], seconds=False)[5:],
        render.number(lot["size"]),
        render.average(lot["averagePrice"]),
        render.cents(lot["costBasis"]),
        render.cents(lot["marketValue"]),
        render.gain(lot["unrealised"]),
        render.gain(lot["realisedGross"]),
    ]


def _groups(told: Mapping[str, Any]) -> list["RenderableType | None"]:
    """What is held and was realised, by market or plan."""
    if "groups" not in told or not told["groups"]:
        return []
    heads = render.columns(
        f"~by {told['by']}", ">cost", ">value", ">unrealised", ">gross", ">fees", ">net", "seen"
    )
    rows, totals = told["groups"], told["groupTotals"]
    shown = [[render.market(row["group"] or render.NONE), *_group(row)] for row in rows[:ROWS_MAX]]
    words = [f"profit by {told['by']}: {told['method']}"]
    if totals["realised"] != told["totals"]["realised"]:
        words.append(
            "its sum differs from the total above, which is at average cost: other shares count as sold; "
            "once nothing is held the two agree"
        )
    hidden = len(rows) - ROWS_MAX
    return [
        "",
        render.table(heads, shown, totals=["total", *_group(totals)]),
        f"… {hidden:,} more are not shown, but counted; --json has them all" if hidden > 0 else None,
        render.section("How it is counted", words),
    ]


def _group(row: Mapping[str, Any]) -> list[Any]:
    return [
        render.cents(row["costBasis"]),
        render.cents(row["marketValue"]),
        render.gain(row["unrealised"]),
        render.gain(row["realisedGross"]),
        render.cents(row["fees"]),
        render.gain(row["realised"]),
        render.age(row["oldestMarkAgeSeconds"]),
    ]


def _hidden(rows: Sequence[object]) -> str | None:
    count = len(rows) - ROWS_MAX
    if count <= 0:
        return None
    return f"… {count:,} more are not shown, but counted: betteroms positions list --limit {len(rows)}"


def _name(row: Mapping[str, Any]) -> str:
    flags = f" ({', '.join(row['flags'])})" if row["flags"] else ""
    return f"{render.market(row['marketId'])} {row['outcome']}{flags}"


def _account(told: Mapping[str, Any]) -> list[str]:
    reserved = told["reservedCash"]
    held = f", {render.dollars(reserved)} of it reserved by open orders" if reserved != "0" else ""
    return [
        f"cash {render.dollars(told['cash'])}{held}",
        f"positions {render.dollars(told['marketValue'])}, marked at the {told['markBy']}",
        f"net liquidation {render.dollars(told['netLiquidation'])}",
    ]


def _remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    found = {flag for row in rows for flag in row["flags"]}
    words = {
        "NO_BID": "NO_BID: nobody bids, so it is valued at nothing",
        "EXTERNAL": "EXTERNAL: some of it was traded by orders that were not placed from here",
        "DUST": "DUST: less than the market's smallest order, so it cannot be sold there",
    }
    return [words[flag] for flag in sorted(found)]


@command(
    app,
    "list",
    example="betteroms positions list --status open --order-by value",
    does="List positions.",
)
def list_(
    status: Annotated[Status | None, typer.Option("--status", help="Only positions that stand so.")] = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", metavar="NAME", help="Only what orders from there traded: plan, rule."),
    ] = None,
    market: Annotated[
        str | None, typer.Option("--market", metavar="MARKET", help="Only this slug or condition id.")
    ] = None,
    order_by: Annotated[OrderBy, typer.Option("--order-by", help="What to sort by.")] = "market",
    mark: Mark = "mid",
    limit: Limit = LIMIT_DEFAULT,
    offset: Offset = 0,
    as_json: Json = False,
) -> None:
    from betteroms import wiring
    from betteroms.domain.terms import Mode
    from betteroms.jobs import positions
    from betteroms.settings import load

    now = wiring.clock().now()
    with wiring.records(load(), name="positions list") as records:
        found = positions.listed(
            records,
            Mode.PAPER,
            now=now,
            by=positions.MarkBy(mark),
            status=positions.PositionStatus(status) if status else None,
            strategy=strategy,
            market=market,
            order_by=positions.OrderBy(order_by),
            limit=limit + 1,
            offset=offset,
        )
    rows = found[:limit]
    if as_json:
        render.lines(rows)
        return
    if not rows:
        say("no positions")
        return
    heads = render.columns("~position", ">size", ">average", ">cost", ">value", ">unrealised", ">realised")
    render.show(render.table(heads, [_row(row) for row in rows]))
    render.more(found, limit, offset)


def _row(row: Mapping[str, Any]) -> list[Any]:
    return [
        _name(row),
        render.number(row["size"]),
        render.average(row["averagePrice"]),
        render.cents(row["costBasis"]),
        render.cents(row["marketValue"]),
        render.gain(row["unrealised"]),
        render.gain(row["realised"]),
    ]


@command(
    app,
    "verify",
    example="betteroms positions verify",
    does="Fold every execution and payout again and compare with what is stored.",
    more="Exit code 1 names each difference.",
)
def verify(as_json: Json = False) -> None:
    from betteroms import wiring
    from betteroms.cli.progress import Progress
    from betteroms.jobs.verify import verify as compare
    from betteroms.settings import load

    watch = render.Stopwatch(wiring.clock().now())
    with Progress() as progress, wiring.records(load(), name="positions verify") as records:
        progress.show("folding executions")
        told = compare(records)
    differences = told["differences"]
    if as_json:
        render.document("positions verify", told, watch.timing())
    else:
        kinds = ("execution", *(["payout"] if told["payouts"] else []), "position", "order")
        counted = [render.counted(told[f"{kind}s"], kind) for kind in kinds]
        found = render.counted(len(differences), "difference")
        render.text(f"{', '.join(counted)}: {found if differences else 'all agree'}")
        # Each stands on one line whatever the width, so that it can be searched for.
        for difference in differences:
            render.text(f"  {difference}")
    raise typer.Exit(exits.UNEXPECTED if differences else exits.DONE)
