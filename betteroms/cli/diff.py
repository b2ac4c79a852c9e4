"""A preview as a screen: what would be placed, what is done already, what would be refused and why."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from betteroms.cli import render, summary

if TYPE_CHECKING:
    from rich.console import RenderableType


def show_preview(seen: Mapping[str, Any], result: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
    """Print a preview; `seen` is what `jobs.diff.shown` made of its result."""
    diff, saved = result["diff"], result.get("saved")
    until = "" if saved is None else f", until {render.moment(saved['expiresAt'])}"
    render.show(
        f"{result['planId']} · {result['mode']} · {result['status']}",
        *_new(seen, diff),
        *_done(seen, diff),
        *_refused(seen, diff),
        *summary.settled(seen),
        *_worst_cases(seen, result),
        render.section("Totals", _totals(result)),
        render.section("Remarks", summary.remarks(seen, result, timing)),
        render.section("Saved", [f"betteroms trade --approved {saved['file']}{until}"] if saved else []),
        "",
        f"run {timing['runId'][:8]} · {timing['durationMs'] / 1000:.2f} s",
    )


def _new(seen: Mapping[str, Any], diff: Mapping[str, Any]) -> list["RenderableType | None"]:
    rows = seen["new"]
    if not rows:
        return []
    heads = render.columns(
        ">#", "~side", "order", ">limit", ">size", ">fills", ">average", ">cash", ">max fee"
    )
    shown: list[Any] = []
    market = None
    for row in rows:
        if row["marketId"] != market:
            market = row["marketId"]
            shown.append(render.Heading(render.market(market)))
        expected = row["expected"]
        shown.append(
            [
                str(row["line"]),
                f"{row['side']} {row['outcome']}",
                _order(row),
                render.number(row["limitPrice"]),
                render.size(row),
                render.number(expected["filledSize"]),
                render.average(expected["averagePrice"]),
                render.cents(expected["cash"]),
                render.cents(row["atMost"]["fee"]),
            ]
        )
    return [
        f"\n{_count(diff['new'])} would be placed; fills and cash with the books of now\n",
        render.table(heads, shown),
        _hidden(seen["newHidden"]),
    ]


def _order(row: Mapping[str, Any]) -> str:
    """Its time in force, and what else is special about it."""
    kind = "MARKET " if row["type"] == "MARKET" else "post-only " if row["postOnly"] else ""
    return f"{kind}{row['timeInForce']}"


def _done(seen: Mapping[str, Any], diff: Mapping[str, Any]) -> list["RenderableType | None"]:
    rows = seen["done"]
    if not rows:
        return []
    return [
        f"\n{_count(diff['done'])} carried out already\n",
        summary.orders(rows),
        _hidden(seen["doneHidden"]),
    ]


def _refused(seen: Mapping[str, Any], diff: Mapping[str, Any]) -> list["RenderableType | None"]:
    rows = seen["refused"]
    if not rows:
        return []
    return [
        render.section(f"{_count(diff['refused'])} would be refused", summary.reasons(rows)),
        _hidden(seen["refusedHidden"]),
    ]


def _count(number: int) -> str:
    return f"{number:,} instruction{'s' if number != 1 else ''}"


def _hidden(count: int) -> str | None:
    return f"… {count:,} more are not shown; --json has all of them" if count else None


def _worst_cases(seen: Mapping[str, Any], result: Mapping[str, Any]) -> list["RenderableType | None"]:
    if not result["diff"]["new"]:
        return []  # nothing changes
    heads = render.columns("~what may be lost at most", ">before", ">after")
    rows: Sequence[render.Row] = [
        [_name(row), render.cents(row["before"]), render.cents(row["after"])] for row in seen["worstCases"]
    ]
    account = result["worstCase"]["account"]
    foot = ("whole account", render.cents(account["before"]), render.cents(account["after"]))
    return [
        "\nWorst case (dollars; every buy at its limit, with the highest fee)\n",
        render.table(heads, rows, totals=foot, indent=2),
    ]


def _name(row: Mapping[str, Any]) -> str:
    return render.market(row["name"]) if row["what"] == "market" else f"event {render.market(row['name'])}"


def _totals(result: Mapping[str, Any]) -> list[str]:
    diff, cash = result["diff"], result["cash"]
    expected, most = diff["expected"], diff["atMost"]
    before, after = cash["before"], cash["after"]
    new = [
        f"new orders: cash {render.dollars(expected['cash'])}, fees {render.dollars(expected['fees'])} now; "
        f"at most they cost {render.dollars(most['cost'])}, fees {render.dollars(most['fees'])}"
    ]
    return [
        f"{_count(len(result['instructions']))}: {diff['new']:,} new, {diff['done']:,} done, "
        f"{diff['refused']:,} refused",
        *(new if diff["new"] else []),
        f"cash: {render.dollars(before['cash'])} before, {render.dollars(after['cash'])} after; free of it "
        f"{render.dollars(before['free'])} before, {render.dollars(after['free'])} after",
    ]
