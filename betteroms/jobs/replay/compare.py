"""Two results side by side: where they differ, and what the difference comes to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from betteroms.domain.money import to_micros, to_text
from betteroms.jobs.told import average

DIFFERENCES_SHOWN: Final = 50
ABSENT: Final = "(absent)"


def canonical(result: Mapping[str, Any]) -> str:
    """A result as a run's row keeps it: compact, keys in the order in which they were told."""
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))


def differences(before: Any, after: Any, path: str = "result") -> Iterator[dict[str, Any]]:
    """Every place at which two JSON documents differ, as `path`, `before` and `after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), f"{path}.{name}")
        if before.keys() == after.keys() and list(before) != list(after):
            yield {"path": f"{path} (order of keys)", "before": list(before), "after": list(after)}
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else ABSENT
            other = after[index] if index < len(after) else ABSENT
            yield from differences(one, other, f"{path}[{index}]")
    elif before != after or type(before) is not type(after):
        yield {"path": path, "before": before, "after": after}


def effect(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What a change did: to each order that it touched, to the totals, and to profit and loss.

    Profit and loss are realised and unrealised together, at the run's own marks.
    """
    ours, theirs = _orders(before), _orders(after)
    names = [*ours, *(name for name in theirs if name not in ours)]
    gained, would_have = _gain(before), _gain(after)
    return {
        "orders": [
            _order(name, ours.get(name), theirs.get(name))
            for name in names
            if ours.get(name) != theirs.get(name)
        ],
        "totals": {
            name: {"before": value, "after": after["totals"][name]}
            for name, value in before["totals"].items()
            if value != after["totals"][name]
        },
        "pnl": {
            "before": to_text(gained),
            "after": to_text(would_have),
            "effect": to_text(would_have - gained),
        },
    }


def _gain(result: Mapping[str, Any]) -> int:
    worth = result.get("portfolio")
    rows: Sequence[Mapping[str, Any]] = result["markets"] if worth is None else [worth]
    return sum(to_micros(row["realised"]) + to_micros(row["unrealised"] or "0") for row in rows)


def _orders(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every order that a result tells of: of earlier runs first, then its own."""
    return {row["orderId"]: row for row in (*result["settled"], *result["instructions"])}


def _order(name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    known = after or before
    assert known is not None, "one of the two tells of it"
    return {
        "orderId": name,
        "line": known.get("line"),
        "marketId": known["marketId"],
        "side": known["side"],
        "before": _came_to(before),
        "after": _came_to(after),
    }


def _came_to(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    fills = [(to_micros(fill["price"]), to_micros(fill["size"])) for fill in row["executions"]]
    size = sum(size for _, size in fills)
    notional = sum(price * size for price, size in fills) // 1_000_000
    return {
        "status": row["status"],
        "code": row["code"],
        "filledSize": row["filledSize"],
        "fillSize": to_text(size),
        "averagePrice": average(cash=notional, size=size),
        "fee": to_text(sum(to_micros(fill["fee"]) for fill in row["executions"])),
    }
