"""A run's summary as a screen: orders, what was refused and why, positions, totals, remarks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render

if TYPE_CHECKING:
    from rich.console import RenderableType

QUIET_SECONDS: Final = 3_600
"""A book that has not changed for so long is worth a remark."""


def show_summary(seen: Mapping[str, Any], result: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
    """Print a run; `seen` is what `jobs.overview` made of its result."""
    rows = seen["rows"]
    render.show(
        f"{result['planId']} · {result['mode']} · {result['status']}",
        "" if rows else None,
        orders(rows) if rows else None,
        _hidden(seen["hidden"], rows, "instructions", f"betteroms orders list --plan {result['planId']}"),
        render.section("Not carried out as wished", reasons(rows)),
        *settled(seen),
        *_positions(seen),
        render.section("Totals", _totals(seen, result)),
        render.section("Remarks", remarks(seen, result, timing)),
        "",
        f"run {timing['runId'][:8]} · {timing['durationMs'] / 1000:.2f} s",
    )


def orders(rows: Sequence[Mapping[str, Any]]) -> "RenderableType":
    """The instructions, with the market as a heading wherever it changes."""
    heads = render.columns(">#", "order", "~side", ">limit", ">size", ">filled", ">average", ">fee", "status")
    shown: list[Any] = []
    market = None
    for short, row in zip(render.short_ids([row["orderId"] for row in rows]), rows, strict=True):
        if row["marketId"] != market:
            market = row["marketId"]
            shown.append(render.Heading(render.market(market)))
        shown.append(
            [
                str(row["line"]),
                short,
                f"{row['side']} {row['outcome']}",
                render.number(row["limitPrice"]),
                render.size(row),
                render.number(row["filledSize"]),
                render.average(row["averagePrice"]),
                render.number(row["fee"]),
                render.status(row),
            ]
        )
    return render.table(heads, shown)


def _hidden(count: int, rows: Sequence[object], what: str, how: str) -> str | None:
    """What to say of rows that are not shown, and which command shows all of them."""
    return f"… {count:,} more {what} are not shown; {how} --limit {count + len(rows)}" if count else None


def reasons(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each order ran into, with the numbers of it."""
    told = []
    for row in rows:
        if row["code"]:
            reason = f": {row['reason']}" if row["reason"] else ""
            told.append(f"{row['line']}  {row['code']}{reason}")
    return told


def settled(seen: Mapping[str, Any]) -> list["RenderableType | None"]:
    rows = seen["settled"]
    if not rows:
        return []
    heads = render.columns("order", "side", "~token", ">filled now", ">average", ">fee", "status")
    shown = [
        [
            short,
            row["side"],
            render.token(row["tokenId"]),
            render.number(row["fillSize"]),
            render.average(row["averagePrice"]),
            render.number(row["fee"]),
            render.status(row),
        ]
        for short, row in zip(render.short_ids([row["orderId"] for row in rows]), rows, strict=True)
    ]
    return [
        "\nEarlier orders that moved\n",
        render.table(heads, shown, indent=2),
        _hidden(seen["settledHidden"], rows, "orders", "betteroms orders list"),
    ]


def _positions(seen: Mapping[str, Any]) -> list["RenderableType | None"]:
    """What is held now of the markets that the run touched."""
    rows = seen["positions"]
    if not rows:
        return []
    heads = render.columns("~position", ">size", ">cost", ">unrealised", ">realised", ">fees")
    shown: list[render.Row] = [
        [
            f"{render.market(row['marketId'])} {row['outcome']}",
            render.number(row["size"]),
            render.cents(row["costBasis"]),
            render.gain(row["unrealised"]),
            render.gain(row["realised"]),
            render.cents(row["fees"]),
        ]
        for row in rows
    ]
    totals = seen["positionTotals"]
    foot = (
        "total",
        "",
        render.cents(totals["costBasis"]),
        render.gain(totals["unrealised"]),
        render.gain(totals["realised"]),
        render.cents(totals["fees"]),
    )
    return [
        "\nPositions in these markets (dollars; realised is net of fees)\n",
        render.table(heads, shown, totals=foot, indent=2),
        _hidden(seen["positionsHidden"], rows, "positions", "betteroms positions list"),
    ]


def _totals(seen: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    totals = result["totals"]
    counts = [
        f"{totals[name]:,} {words}"
        for name, words in (
            ("filled", "filled"),
            ("resting", "resting"),
            ("canceled", "cancelled"),
            ("rejected", "rejected"),
            ("denied", "denied"),
            ("unconfirmed", "unconfirmed: nobody knows yet whether they arrived"),
        )
        if totals.get(name)
    ]
    # Those that rest or were cancelled with something filled count there, too.
    partly = f"; {totals['partlyFilled']:,} partly filled" if totals["partlyFilled"] else ""
    count = len(result["instructions"])
    refused = [f"{code} {number:,}" for code, number in result["refused"].items()]
    return [
        f"{count:,} instruction{'s' if count != 1 else ''}: {', '.join(counts) or 'nothing to do'}{partly}",
        f"{seen['fills']:,} fill{'s' if seen['fills'] != 1 else ''} for "
        f"{render.dollars(totals['notional'])}, fees {render.dollars(totals['fees'])}, "
        f"slippage against mid {render.dollars(totals['slippage'])}",
        *([f"refused: {', '.join(refused)}"] if refused else []),
    ]


def remarks(seen: Mapping[str, Any], result: Mapping[str, Any], timing: Mapping[str, Any]) -> list[str]:
    """What was rounded or assumed, what is odd about the books, and the run's warnings."""
    told = [_remark(remark) for remark in seen["remarks"]]
    if seen["hashMismatches"]:
        tokens = ", ".join(render.token(token) for token in seen["hashMismatches"][:5])
        count = len(seen["hashMismatches"])
        more = "…" if count > 5 else ""
        told.append(
            f"HASH_MISMATCH: {count} of {seen['books']} books are not what they claim: {tokens}{more}"
        )
    quiet = timing.get("longestQuietSeconds")
    if seen["recordedBooks"]:
        told.append(f"recorded books stood in for the venue's: {seen['recordedBooks']} of {seen['books']}")
    elif quiet is not None and quiet >= QUIET_SECONDS:
        told.append(f"QUIET_BOOK: one of the books has not changed for {render.age(quiet)}")
    return [*told, *result["warnings"]]


def _remark(remark: Mapping[str, Any]) -> str:
    details = "; ".join(detail for detail in remark["details"] if detail)
    count = remark["count"]
    times = f"on {count:,} instruction{'s' if count != 1 else ''}"
    return f"{remark['code']} {times}{': ' if details else ''}{details}{'; …' if remark['more'] else ''}"
