"""A run that was computed again, as a screen: the same bytes, the differences, or what a change would do."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render

if TYPE_CHECKING:
    from rich.console import RenderableType

VALUE_LENGTH_MAX: Final = 64
"""As long as a content id."""


def show_replay(told: Mapping[str, Any]) -> None:
    """Print what `jobs.replay` found."""
    name = f"{told['planId'] or told['kind']} · {told['mode']} · run {told['runId'][:8]}"
    match told["outcome"]:
        case "nothing":
            render.show(f"{name}: {told['reason']}")
        case "whatIf":
            render.show(*_what_if(name, told))
        case _:
            render.show(*_compared(name, told))


def _compared(name: str, told: Mapping[str, Any]) -> list["RenderableType | None"]:
    parts = told["parts"]
    engines = told["recordedEngineVersion"], told["engineVersion"]
    note = None
    if told["outcome"] == "different" and engines[0] != engines[1]:
        note = f"\nThe run was carried out by version {engines[0]}; this is {engines[1]}."
    return [
        f"{name}: {_verdict(told)}",
        render.section("Its parts", [_part(part) for part in parts]),
        *_differences(told),
        *(shown for part in parts for shown in _differences(part)),
        note,
    ]


def _verdict(told: Mapping[str, Any]) -> str:
    if told["outcome"] == "identical":
        return f"identical ({told['bytes']:,} bytes)"
    count = told["differenceCount"]
    return f"different ({count:,} difference{'s' if count != 1 else ''})"


def _part(part: Mapping[str, Any]) -> str:
    return f"{part['runId'][:8]}  {part['planId'] or part['kind']}: {_verdict(part)}"


def _differences(told: Mapping[str, Any]) -> list["RenderableType | None"]:
    found = told["differences"]
    if not found:
        return []
    rows = [f"{one['path']}: {_value(one['before'])} → {_value(one['after'])}" for one in found]
    hidden = told["differenceCount"] - len(found)
    more = [f"… and {hidden:,} more"] if hidden else []
    return [render.section(f"Kept → computed now, run {told['runId'][:8]}", [*rows, *more])]


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[: VALUE_LENGTH_MAX - 1]}…"


def _what_if(name: str, told: Mapping[str, Any]) -> list["RenderableType | None"]:
    changes = ", ".join(f"{name}={value}" for name, value in told["changes"].items())
    parts: Sequence[Mapping[str, Any]] = told["parts"] or [told]
    shown: list[RenderableType | None] = [f"{name}: what if {changes}"]
    for part in parts:
        if told["parts"]:
            shown.append(f"\n{part['planId'] or part['kind']} · run {part['runId'][:8]}")
        shown += _effect(part)
    if told["parts"]:
        effect = f"{_signed(told['pnl']['effect'])} of profit and loss"
        shown.append(render.section("All parts together, each from the ledger of its day", [effect]))
    return shown


def _effect(told: Mapping[str, Any]) -> list["RenderableType | None"]:
    orders = told["orders"]
    if not orders and not told["totals"]:
        return ["\n  nothing would have been different"]
    heads = render.columns("order", "~market", "side", ">filled", ">average", ">fee", "status")
    rows: list[Any] = []
    names = render.short_ids([order["orderId"] for order in orders])
    for short, order in zip(names, orders, strict=True):
        rows.append([short, order["marketId"], order["side"], *_cells(order["before"])])
        rows.append(["", "", "  →", *_cells(order["after"])])
    totals = [
        f"{name} {render.number(str(change['before']))} → {render.number(str(change['after']))}"
        for name, change in told["totals"].items()
    ]
    return [
        "" if rows else None,
        render.table(heads, rows, indent=2) if rows else None,
        render.section("Totals", totals),
        render.section("Profit and loss at the run's marks", _pnl(told["pnl"])),
    ]


def _cells(row: Mapping[str, Any] | None) -> list[Any]:
    if row is None:
        return [render.NOTHING, render.NOTHING, render.NOTHING, "no order"]
    return [
        render.number(row["fillSize"]),
        render.average(row["averagePrice"]),
        render.number(row["fee"]),
        render.status(row),
    ]


def _pnl(pnl: Mapping[str, str]) -> list[str]:
    before, after = render.dollars(pnl["before"]), render.dollars(pnl["after"])
    return [f"{before} → {after} ({_signed(pnl['effect'])})"]


def _signed(amount: str) -> str:
    return f"{'' if amount.startswith('-') else '+'}{render.dollars(amount)}"
