"""What a person wants to see first of a run: its summary condensed, and the rows worth a line.

It works on the summary as it is kept, so that an old run shows as it did on its day.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from betteroms.domain.money import to_micros, to_text
from betteroms.jobs import told

ROWS_MAX: Final = 40
REMARKS_MAX: Final = 5


def overview(result: Mapping[str, Any], *, rows_max: int = ROWS_MAX) -> dict[str, Any]:
    """The instructions to show, in the plan's order, with their averages, and what to say of the rest.

    Where there are more than `rows_max`, those that were refused or filled are shown first.
    """
    instructions = result["instructions"]
    shown = worth_a_line(instructions, rows_max=rows_max)
    return {
        "rows": [_row(instruction) for instruction in shown],
        "hidden": len(instructions) - len(shown),
        "fills": sum(len(instruction["executions"]) for instruction in instructions),
        "remarks": _remarks(instructions),
        "settled": [_settled(order) for order in result["settled"][:rows_max]],
        "settledHidden": max(len(result["settled"]) - rows_max, 0),
        "positions": list(result["markets"][:rows_max]),
        "positionsHidden": max(len(result["markets"]) - rows_max, 0),
        "positionTotals": _position_totals(result["markets"]),
        "books": len(result["books"]),
        "recordedBooks": sum(1 for book in result["books"] if book["recorded"]),
        "hashMismatches": [book["tokenId"] for book in result["books"] if book["hashCheck"] == "mismatch"],
    }


def worth_a_line(
    instructions: Sequence[Mapping[str, Any]], *, rows_max: int = ROWS_MAX
) -> list[Mapping[str, Any]]:
    """At most `rows_max`: half for what went wrong, half for what was filled, then what only rests."""
    if len(instructions) <= rows_max:
        return list(instructions)
    wrong, filled, resting = [], [], []
    for index, instruction in enumerate(instructions):
        if instruction["status"] in ("DENIED", "REJECTED", "UNCONFIRMED"):
            wrong.append(index)
        elif instruction["executions"]:
            filled.append(index)
        else:
            resting.append(index)
    half = rows_max // 2
    ranked = wrong[:half] + filled[:half] + wrong[half:] + filled[half:] + resting
    return [instructions[index] for index in sorted(ranked[:rows_max])]


def _row(instruction: Mapping[str, Any]) -> dict[str, Any]:
    cash, size, fees = _sums(instruction["executions"])
    return {
        **instruction,
        "averagePrice": told.average(cash=cash, size=size),
        "fee": to_text(fees) if instruction["executions"] else None,
    }


def _settled(order: Mapping[str, Any]) -> dict[str, Any]:
    cash, size, fees = _sums(order["executions"])
    return {
        **order,
        "averagePrice": told.average(cash=cash, size=size),
        "fillSize": to_text(size),
        "fee": to_text(fees) if order["executions"] else None,
    }


def _sums(executions: Sequence[Mapping[str, str]]) -> tuple[int, int, int]:
    """Dollars (to the millionth, as the fills' prices have it), shares and fees of these fills."""
    notional = size = fees = 0
    for execution in executions:
        shares = to_micros(execution["size"])
        notional += to_micros(execution["price"]) * shares
        size += shares
        fees += to_micros(execution["fee"])
    return notional // 1_000_000, size, fees


def _remarks(instructions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was rounded or assumed, by code: how often, and the first few details."""
    found: dict[str, tuple[int, dict[str, None]]] = {}
    for instruction in instructions:
        for remark in instruction.get("adjustments", ()):
            code, _, detail = remark.partition(": ")
            count, details = found.get(code, (0, {}))
            if len(details) <= REMARKS_MAX:
                details[detail] = None
            found[code] = (count + 1, details)
    return [
        {
            "code": code,
            "count": count,
            "details": list(details)[:REMARKS_MAX],
            "more": len(details) > REMARKS_MAX,
        }
        for code, (count, details) in sorted(found.items())
    ]


def _position_totals(markets: Sequence[Mapping[str, Any]]) -> dict[str, str | None]:
    """Sums over the markets; None where one of them is not known, so that no part passes for the whole."""

    def total(name: str) -> str | None:
        values = [market[name] for market in markets]
        return None if None in values else to_text(sum(to_micros(value) for value in values))

    return {name: total(name) for name in ("costBasis", "realised", "fees", "unrealised")}
