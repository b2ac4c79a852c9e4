"""What a sandbox tells auditors, as a page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render
from betteroms.domain.money import to_text

if TYPE_CHECKING:
    from rich.console import RenderableType

ROWS_MAX: Final = 20
"""The members' youngest orders and fills, and the richest wallets; `--json` has them all."""
ID_LENGTH: Final = 10
BROKEN: Final = "BROKEN"

Row = Mapping[str, Any]


def show_audit(told: Mapping[str, Any]) -> None:
    """Print counts, what members did, dollars by wallet, and what must hold and does not."""
    dollars = [row for row in told["balances"] if row["token_id"] is None]
    orders = [row for row in told["orders"] if row["owner"]]
    own = {row["id"] for row in orders}
    fills = [row for row in told["fills"] if row["order"] in own]
    render.show(
        *_counts(told["counts"]),
        *_table("Orders", orders[-ROWS_MAX:], ORDERS, _order),
        *_table("Fills", fills[-ROWS_MAX:], FILLS, _fill),
        *_table("Dollars", sorted(dollars, key=lambda row: -row["amount"])[:ROWS_MAX], BALANCES, _balance),
        render.section("What must hold", [line for each in told["invariants"] for line in _invariant(each)]),
    )


ORDERS: Final = ("order", "maker", "side", ">price", ">size", ">matched", "status")
FILLS: Final = ("order", "role", "side", ">shares", ">dollars", ">fee", "status")
BALANCES: Final = ("wallet", ">dollars")


def _counts(counts: Mapping[str, Any]) -> Iterator[str]:
    statuses = ", ".join(
        f"{count:,} {name.lower().replace('_', ' ')}"
        for name, count in counts["orders_by_status"].items()
        if count
    )
    yield f"{render.counted(counts['markets'], 'market')}, {render.counted(counts['requests'], 'request')}"
    yield f"{render.counted(counts['orders'], 'order')}{f': {statuses}' if statuses else ''}"
    yield render.counted(counts["trades"], "trade")


def _table(
    title: str, rows: Sequence[Row], heads: Sequence[str], cells: Callable[[Row], Sequence[str]]
) -> "Iterator[RenderableType]":
    if rows:
        yield f"\n{title}"
        yield render.table(render.columns(*heads), [cells(row) for row in rows], indent=2)


def _order(row: Row) -> Sequence[str]:
    amounts = (_amount(row[name]) for name in ("price", "size", "matched"))
    return _short(row["id"]), _short(row["maker"]), row["side"], *amounts, _words(row["status"])


def _fill(row: Row) -> Sequence[str]:
    amounts = (_amount(row[name]) for name in ("shares", "dollars", "fee"))
    return _short(row["order"]), _words(row["role"]), row["side"], *amounts, _words(row["status"])


def _balance(row: Row) -> Sequence[str]:
    return row["owner"], _amount(row["amount"])


def _invariant(each: Row) -> Iterator[str]:
    yield f"{'ok    ' if each['holds'] else BROKEN} {each['name']}"
    yield from (f"{BROKEN} {complaint}" for complaint in each["complaints"])


def _amount(millionths: int) -> str:
    return render.number(to_text(millionths))


def _words(status: str) -> str:
    return status.lower().replace("_", " ")


def _short(hexadecimal: str) -> str:
    return hexadecimal[:ID_LENGTH]
