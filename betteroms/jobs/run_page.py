"""What a page about one run tells: its summary as it was kept, and what has become of its orders since."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from betteroms.domain.money import to_micros, to_text
from betteroms.jobs import told
from betteroms.jobs.lookup import the_run
from betteroms.jobs.overview import overview
from betteroms.records import Records, RunDetail

ROWS_MAX: Final = 2_000
"""Rows of a page that a browser still scrolls through with ease."""


def run_page(records: Records, name: str, *, now: datetime) -> dict[str, Any]:
    """Everything that is told of the run with this planId, or whose id begins so.

    `seen` is None where the run has no summary of instructions: it was not completed, or it traded no plan.

    Raises:
        NotFound, Ambiguous: see `lookup.the_run`.
    """
    detail = records.run(the_run(records, name).run_id)
    row = told.run_detail(detail)
    summary = row.pop("summary") or {}
    result: Any = summary.get("result")
    # Maintenance has instructions, too: those of its exits. Only a plan's run tells of its markets.
    traded = result is not None and "markets" in result
    return {
        "run": row,
        "timing": summary.get("timing"),
        "result": result,
        "seen": overview(result, rows_max=ROWS_MAX) if traded else None,
        "orders": _orders(records, detail),
        "positions": [_position(market, detail) for market in result["markets"][:ROWS_MAX]] if traded else [],
        "books": _books(result, detail) if traded else [],
        "slippage": _slippage(result["instructions"]) if traded else [],
        "madeAt": told.instant(now),
    }


def _orders(records: Records, detail: RunDetail) -> dict[str, dict[str, Any]]:
    """The run's orders as they stand now, by id; a plan runs once, so they are its plan's."""
    plan_id = detail.record.plan_id
    if plan_id is None:
        return {}
    found = records.orders(statuses=(), plan_id=plan_id, token_prefix=None, limit=ROWS_MAX, offset=0)
    return {
        record.order.order_id: told.order(record)
        for record in found
        if record.order.run_id == detail.record.run_id
    }


def _position(market: Mapping[str, Any], detail: RunDetail) -> dict[str, Any]:
    """A position as the run left it, with what it was worth and how old the price was by then."""
    unrealised = market["unrealised"]
    value = None if unrealised is None else to_micros(market["costBasis"]) + to_micros(unrealised)
    read_at = _read_at(detail, market["tokenId"])
    return {
        **market,
        "marketValue": None if value is None else to_text(value),
        "markedAt": None if read_at is None else told.instant(read_at),
        "markAgeSeconds": None if read_at is None else max(int((detail.now - read_at).total_seconds()), 0),
    }


def _books(result: Mapping[str, Any], detail: RunDetail) -> list[dict[str, Any]]:
    """The books that were read, with the instruction's name for each, where there was one."""
    names = {
        instruction["tokenId"]: f"{instruction['marketId']} {instruction['outcome']}"
        for instruction in result["instructions"]
    }
    return [
        {
            **book,
            "name": names.get(book["tokenId"]),
            "receivedAt": told.maybe_instant(_read_at(detail, book["tokenId"])),
        }
        for book in result["books"][:ROWS_MAX]
    ]


def _read_at(detail: RunDetail, token_id: str) -> datetime | None:
    entry = (detail.inputs or {}).get("books", {}).get(token_id)
    return None if entry is None else datetime.fromisoformat(entry["receivedAt"])


def _slippage(instructions: Sequence[Mapping[str, Any]]) -> list[int]:
    """Millionths of a dollar per share, instruction by instruction, rounded against us."""
    found = []
    for instruction in instructions:
        size = sum(to_micros(execution["size"]) for execution in instruction["executions"])
        if instruction.get("slippage") is not None and size > 0:
            found.append(-(-to_micros(instruction["slippage"]) * 1_000_000 // size))
    return found
