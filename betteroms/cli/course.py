"""What a scheduled run and a pass of maintenance came to, as screens."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render
from betteroms.cli.faults import told_of

if TYPE_CHECKING:
    from rich.console import RenderableType

ROWS_MAX: Final = 40
ENDED: Final = {"CANCELED": "cancelled", "EXPIRED": "expired", "FILLED": "filled", "OPEN": "partly filled"}


def show_run(result: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
    """Print a scheduled run: a line for each plan, what maintenance did, the account."""
    rows = result["plans"]
    render.show(
        f"run · {result['mode']} · scheduled {render.moment(result['scheduledAt'], seconds=False)}",
        "" if rows else None,
        _plans(rows) if rows else "\nno plan is due",
        render.section("Not carried out", _failures(rows)),
        render.section("Abandoned: their period is over", _abandoned(result["abandoned"])),
        render.section("Budget", _budget(result["budget"])),
        *_maintenance(result["maintenance"]),
        "",
        f"run {timing['runId'][:8]} · {timing['durationMs'] / 1000:.2f} s",
    )


def _abandoned(run_ids: Sequence[str]) -> list[str]:
    return [f"run {short}" for short in render.short_ids(run_ids)]


def _plans(rows: Sequence[Mapping[str, Any]]) -> "RenderableType":
    heads = render.columns(">prio", "~plan", "status", ">filled", ">rest", ">denied", ">notional", ">fees")
    shown: list[Any] = []
    for row in rows[:ROWS_MAX]:
        totals = row.get("totals") or {}
        shown.append(
            [
                str(row.get("priority", render.NOTHING)),
                row["planId"] or row["file"],
                render.styled(row["status"]),
                *(
                    f"{totals[name]:,}" if totals else render.NOTHING
                    for name in ("filled", "resting", "denied")
                ),
                render.cents(totals.get("notional")),
                render.cents(totals.get("fees")),
            ]
        )
    return render.table(heads, shown)


def _count(totals: Mapping[str, Any], name: str) -> str:
    return f"{totals[name]:,}" if totals else render.NOTHING


def _failures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    told = [told_of(row["planId"] or row["file"], row["error"]) for row in rows if row["status"] == "failed"]
    for row in rows:
        refused = row.get("refused")
        if refused:
            codes = ", ".join(f"{code} {count:,}" for code, count in refused.items())
            told.append(f"{row['planId']}: refused {codes}")
    return told


def _budget(budget: Mapping[str, str] | None) -> list[str]:
    if budget is None:
        return []
    given, tied, left = (render.dollars(budget[name]) for name in ("given", "tiedUp", "left"))
    return [f"{tied} of {given} tied up, {left} left"]


def _maintenance(told: Mapping[str, Any] | None) -> list["RenderableType | None"]:
    if told is None:
        return []
    if told["status"] == "failed":
        return [render.section("Maintenance failed", [told["error"]])]
    return [
        render.section("Maintenance", _moved(told)),
        render.section("Exit rules", _triggered(told["rules"])),
        render.section("Account", _account(told)),
        render.section("Remarks", told["warnings"]),
    ]


def show_maintenance(result: Mapping[str, Any], timing: Mapping[str, Any]) -> None:
    """Print a pass of maintenance: what ended, filled, paid, and what the account is worth."""
    word = "would be done" if result["status"] == "previewed" else result["status"]
    render.show(
        f"maintain · {result['mode']} · {word}",
        *_settled(result["settled"]),
        *_exits(result["instructions"]),
        render.section("Paid by resolved markets", [_paid(entry) for entry in result["settlements"]]),
        render.section("Maintenance", _moved(result)),
        render.section("Exit rules", _triggered(result["rules"])),
        render.section("Account", _account(result)),
        render.section("Remarks", result["warnings"]),
        "",
        f"run {timing['runId'][:8]} · {timing['durationMs'] / 1000:.2f} s",
    )


def _settled(rows: Sequence[Mapping[str, Any]]) -> list["RenderableType | None"]:
    if not rows:
        return []
    heads = render.columns("order", "side", "~market", ">filled", "became")
    shorts = render.short_ids([row["orderId"] for row in rows])
    shown = [
        [
            short,
            row["side"],
            render.market(row["marketId"]),
            render.number(row["filledSize"]),
            ENDED.get(row["status"], row["status"].lower()) + (f": {row['code']}" if row["code"] else ""),
        ]
        for short, row in zip(shorts[:ROWS_MAX], rows, strict=False)
    ]
    return ["\nOrders that moved\n", render.table(heads, shown, indent=2), _more(rows)]


def _exits(rows: Sequence[Mapping[str, Any]]) -> list["RenderableType | None"]:
    if not rows:
        return []
    heads = render.columns("order", "~market", ">size", ">limit", ">filled", "status")
    shorts = render.short_ids([row["orderId"] for row in rows])
    shown: list[render.Row] = [
        [
            short,
            f"{render.market(row['marketId'])} {row['outcome']}",
            render.size(row),
            render.number(row["limitPrice"]),
            render.number(row["filledSize"]),
            render.status(row),
        ]
        for short, row in zip(shorts[:ROWS_MAX], rows, strict=False)
    ]
    return ["\nExit orders\n", render.table(heads, shown, indent=2), _more(rows)]


def _more(rows: Sequence[object]) -> str | None:
    hidden = len(rows) - ROWS_MAX
    return f"  … {hidden:,} more are not shown; --json tells all of them" if hidden > 0 else None


def _paid(entry: Mapping[str, Any]) -> str:
    did = "took back" if entry["kind"] == "REVERSAL" else "paid"
    return (
        f"{render.market(entry['marketId'])} {did} {render.dollars(entry['cash'])}: "
        f"{entry['size']} shares at {entry['payout']}"
    )


def _moved(told: Mapping[str, Any]) -> list[str]:
    totals = told["totals"]
    counts = (
        ("restingFilled", "resting order", " filled"),
        ("ended", "", "ended"),
        ("stillResting", "", "still resting"),
        ("settlements", "payout", " booked"),
        ("placed", "exit order", " placed"),
        ("denied", "exit order", " denied"),
    )
    said = [
        f"{render.counted(totals[name], one) if one else f'{totals[name]:,} '}{words}"
        for name, one, words in counts
        if totals[name]
    ]
    return [", ".join(said) or "nothing to do"]


def _triggered(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{render.market(row['marketId'])} {row['outcome']}: {row['cause']} ({row['detail']}), "
        f"attempt {row['attempts']}"
        for row in _acted_on(rules)
    ]


def _acted_on(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rule sets that are being acted on; the others only remember a price."""
    return [row for row in rules if row["cause"] is not None]


def _account(told: Mapping[str, Any]) -> list[str]:
    worth = told["portfolio"]
    realised, unrealised = worth["realised"], worth["unrealised"]
    lines = [
        f"net liquidation {render.dollars(worth['netLiquidation'])}: cash {render.dollars(worth['cash'])}, "
        f"{worth['positions']:,} position{'s' if worth['positions'] != 1 else ''} "
        f"{render.dollars(worth['marketValue'])}",
        f"realised {render.dollars(realised)}, unrealised {render.dollars(unrealised)}",
    ]
    if told["tripped"]:
        lines.append(f"DRAWDOWN_TRIPPED: {told['tripped']}; nothing is opened until betteroms risk reset")
    return lines
