"""`report --twin`: live orders beside the same orders on paper."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render
from betteroms.cli.faults import say

if TYPE_CHECKING:
    from betteroms.domain.period import Period

ROWS_MAX: Final = 40


def report_twins(period: "Period", watch: render.Stopwatch, *, as_json: bool) -> None:
    """Print how live orders of the period did beside their twins."""
    from betteroms import wiring
    from betteroms.jobs.twin import compared
    from betteroms.settings import load

    with wiring.records(load(), name="report --twin") as records:
        told = compared(records, period)
    if as_json:
        render.document("report", told, watch.timing())
    else:
        _show(told)


def _show(told: Mapping[str, Any]) -> None:
    rows = told["orders"]
    if not rows:
        say("no live order of this period has a twin")
        return
    heads = render.columns(
        "order", "side", "~market", ">live", ">paper", ">live at", ">paper at", ">fees", "wait"
    )
    shorts = render.short_ids([row["orderId"] for row in rows])
    shown = [_cells(short, row) for short, row in zip(shorts[:ROWS_MAX], rows, strict=False)]
    hidden = len(rows) - ROWS_MAX
    render.show(
        render.table(heads, shown),
        f"… {hidden:,} more; --json has them all" if hidden > 0 else None,
        render.section("In sum", _sums(told["totals"])),
    )


def _cells(short: str, row: Mapping[str, Any]) -> render.Row:
    live, twin = row["live"], row["twin"]
    return [
        short,
        row["side"],
        f"{render.market(row['marketId'])} {row['outcome']}",
        render.number(live["size"]),
        render.number(twin["size"]),
        render.average(live["averagePrice"]),
        render.average(twin["averagePrice"]),
        render.number(row["difference"]["fee"]),
        render.age(row["secondsToFill"]),
    ]


def _sums(totals: Mapping[str, Any]) -> list[str]:
    live, twin = totals["live"], totals["twin"]
    return [
        f"{totals['agreeing']:,} of {render.counted(totals['orders'], 'order')} came to the same at once",
        f"live: {live['size']} for {render.dollars(live['cash'])}, fees {render.dollars(live['fee'])}",
        f"paper: {twin['size']} for {render.dollars(twin['cash'])}, fees {render.dollars(twin['fee'])}",
    ]
