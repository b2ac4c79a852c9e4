"""What is held, what it cost and what it is worth at the prices it was last seen at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from betteroms.domain.market import MINIMUM_SIZE_ASSUMED
from betteroms.domain.money import half_to_text, to_text
from betteroms.domain.order import reserved_cash
from betteroms.domain.position import Mark, Position, mark, market_value
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.records import PositionRecord, Records


class PositionStatus(StrEnum):
    """Whether anything is held, and whether the venue would take an order for it."""

    OPEN = "open"
    CLOSED = "closed"
    DUST = "dust"


class MarkBy(StrEnum):
    """What a share is valued at: the mid of a trusted spread (else the bid), or always the bid."""

    MID = "mid"
    BID = "bid"


class OrderBy(StrEnum):
    MARKET = "market"
    SIZE = "size"
    COST = "cost"
    VALUE = "value"
    UNREALISED = "unrealised"
    REALISED = "realised"
    OPENED = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """A position at its mark."""

    record: PositionRecord
    mark: Mark
    value: int
    status: PositionStatus

    @property
    def unrealised(self) -> int:
        return self.value - self.record.position.cost_basis

    @property
    def gross(self) -> int:
        """What was realised before fees; the position keeps the net."""
        return self.record.position.realised + self.record.position.fees


def status_of(position: Position, minimum_size: int | None) -> PositionStatus:
    """Dust is a remainder below the market's smallest order (DECISIONS 2.4)."""
    if position.size == 0:
        return PositionStatus.CLOSED
    minimum = MINIMUM_SIZE_ASSUMED if minimum_size is None else minimum_size
    return PositionStatus.DUST if position.size < minimum else PositionStatus.OPEN


def valued(record: PositionRecord, by: MarkBy) -> Valued:
    """Put a mark on a position."""
    marked = mark(best_bid=record.best_bid, best_ask=record.best_ask, by=by.value)
    return Valued(
        record=record,
        mark=marked,
        value=market_value(marked, record.position.size),
        status=status_of(record.position, record.minimum_size),
    )


# Numbers largest first, names and times in their order; the order of the rows breaks ties.
_SORTS: Final[dict[OrderBy, Callable[[Valued], Any]]] = {
    OrderBy.MARKET: lambda row: (row.record.market_name, row.record.outcome),
    OrderBy.SIZE: lambda row: -row.record.position.size,
    OrderBy.COST: lambda row: -row.record.position.cost_basis,
    OrderBy.VALUE: lambda row: -row.value,
    OrderBy.UNREALISED: lambda row: -row.unrealised,
    OrderBy.REALISED: lambda row: -row.record.position.realised,
    OrderBy.OPENED: lambda row: (
        row.record.position.opened_at is None,
        row.record.position.opened_at.timestamp() if row.record.position.opened_at else 0,
    ),
}


def listed(
    records: Records,
    mode: Mode,
    *,
    now: datetime,
    by: MarkBy,
    status: PositionStatus | None,
    market: str | None,
    order_by: OrderBy,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """The positions that pass the filters; `market` is a slug or a condition id."""
    rows = [
        row
        for row in (valued(record, by) for record in records.positions(mode))
        if status in (None, row.status)
        and market in (None, row.record.market_name, row.record.position.market_id)
    ]
    rows.sort(key=_SORTS[order_by])
    return [_told(row, now) for row in rows[offset : offset + limit]]


def report(records: Records, mode: Mode, *, now: datetime, by: MarkBy) -> dict[str, Any]:
    """Every position ever held with its profit and loss, the totals, and what the account is worth."""
    rows = [valued(record, by) for record in records.positions(mode)]
    moved = sum(row.record.position.realised - row.record.position.cost_basis for row in rows)
    # By the ledger's invariant, realised - cost basis is the cash that executions moved.
    cash = records.deposited(mode) + moved
    reserved = sum(reserved_cash(order) for order in records.alive_orders(mode))
    value = sum(row.value for row in rows)
    return {
        "mode": mode.value,
        "markBy": by.value,
        "positions": [_told(row, now) for row in rows],
        "totals": _totals(rows),
        "cash": to_text(cash),
        "reservedCash": to_text(reserved),
        "marketValue": to_text(value),
        "netLiquidation": to_text(cash + value),
    }


def _totals(rows: Sequence[Valued]) -> dict[str, str]:
    positions = [row.record.position for row in rows]
    return {
        "costBasis": to_text(sum(position.cost_basis for position in positions)),
        "marketValue": to_text(sum(row.value for row in rows)),
        "unrealised": to_text(sum(row.unrealised for row in rows)),
        "realisedGross": to_text(sum(row.gross for row in rows)),
        "fees": to_text(sum(position.fees for position in positions)),
        "realised": to_text(sum(position.realised for position in positions)),
    }


def _told(row: Valued, now: datetime) -> dict[str, Any]:
    record, position = row.record, row.record.position
    held = position.size > 0
    flags = [row.mark.flag] if held and row.mark.flag else []
    if row.status is PositionStatus.DUST:
        flags.append("DUST")
    age = None if record.marked_at is None else max((now - record.marked_at) // timedelta(seconds=1), 0)
    return {
        "mode": position.mode.value,
        "marketId": record.market_name,
        "conditionId": position.market_id,
        "outcome": record.outcome,
        "tokenId": position.token_id,
        "status": row.status.value,
        "size": to_text(position.size),
        "averagePrice": told.average(cash=position.cost_basis, size=position.size),
        "costBasis": to_text(position.cost_basis),
        "mark": half_to_text(row.mark.doubled) if held else None,
        "markedAt": told.maybe_instant(record.marked_at),
        "markAgeSeconds": age,
        "marketValue": to_text(row.value),
        "unrealised": to_text(row.unrealised),
        "realisedGross": to_text(row.gross),
        "fees": to_text(position.fees),
        "realised": to_text(position.realised),
        "openedAt": told.maybe_instant(position.opened_at),
        "flags": flags,
    }
