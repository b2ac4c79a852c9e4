"""What is held, what it cost and what it is worth at the prices it was last seen at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from betteroms.domain.external import EXTERNAL
from betteroms.domain.ids import TokenId
from betteroms.domain.lots import Lots
from betteroms.domain.market import MINIMUM_SIZE_ASSUMED
from betteroms.domain.money import half_to_text, to_text
from betteroms.domain.order import reserved_cash
from betteroms.domain.position import Mark, Position, mark, market_value
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.holdings import AVERAGE, FIFO, Marked, Sums, by_owner, named, told_lots, total
from betteroms.jobs.realised import lots as lots_of
from betteroms.reckoning import By
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

    @property
    def marked(self) -> Marked:
        return Marked(mark=self.mark, marked_at=self.record.marked_at)


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
    strategy: str | None = None,
    market: str | None,
    order_by: OrderBy,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """The positions that pass the filters; `market` is a slug or a condition id.

    `strategy` is where the wish of some order for the token came from: `plan`, `rule`.
    """
    traded = None if strategy is None else records.tokens_of(mode, strategy)
    rows = [
        row
        for row in (valued(record, by) for record in records.positions(mode))
        if status in (None, row.status)
        and market in (None, row.record.market_name, row.record.position.market_id)
        and (traded is None or row.record.position.token_id in traded)
    ]
    rows.sort(key=_SORTS[order_by])
    return [_told(row, now) for row in rows[offset : offset + limit]]


def report(
    records: Records,
    mode: Mode,
    *,
    now: datetime,
    by: MarkBy,
    group: By | None = None,
    with_lots: bool = False,
) -> dict[str, Any]:
    """Every position ever held with its profit and loss, the totals, and what the account is worth.

    `group` adds sums by market, or by the plan that bought; `with_lots` the lots of what is held.
    """
    rows = [valued(record, by) for record in records.positions(mode)]
    moved = sum(row.record.position.realised - row.record.position.cost_basis for row in rows)
    # By the ledger's invariant, realised - cost basis is the cash that executions and payouts moved.
    cash = records.deposited(mode) + moved
    reserved = sum(reserved_cash(order) for order in records.alive_orders(mode))
    value = sum(row.value for row in rows)
    told_rows = [_told(row, now) for row in rows]
    result = {
        "mode": mode.value,
        "markBy": by.value,
        "positions": told_rows,
        "totals": _totals(rows),
        "cash": to_text(cash),
        "reservedCash": to_text(reserved),
        "marketValue": to_text(value),
        "netLiquidation": to_text(cash + value),
    }
    lots: Mapping[TokenId, Lots] = {}
    if with_lots or group is By.PLAN:
        held = [row.record.position.token_id for row in rows if _held(row)]
        lots = lots_of(records, mode, tokens=None if group is By.PLAN else held)
    if with_lots:
        for row, told_row in zip(rows, told_rows, strict=True):
            mine = lots.get(row.record.position.token_id)
            if _held(row) and mine is not None:
                told_row["lots"] = told_lots(mine, row.marked)
    if group is not None:
        result |= _grouped(rows, lots, group, now)
    return result


def _held(row: Valued) -> bool:
    return row.record.position.size > 0


def _grouped(
    rows: Sequence[Valued], lots: Mapping[TokenId, Lots], group: By, now: datetime
) -> dict[str, Any]:
    if group is By.MARKET:
        sums = _by_market(rows)
    else:
        sums = by_owner(lots, {row.record.position.token_id: row.marked for row in rows})
    return {
        "by": group.value,
        "method": AVERAGE if group is By.MARKET else FIFO,
        "groups": list(named(sums, now)),
        "groupTotals": total(sums.values()).told(now),
    }


def _by_market(rows: Sequence[Valued]) -> dict[str | None, Sums]:
    found: dict[str | None, Sums] = {}
    for row in rows:
        sums, position = found.setdefault(row.record.market_name, Sums()), row.record.position
        sums.gross += row.gross
        sums.fees += position.fees
        if _held(row):
            sums.hold(position.cost_basis, row.value, row.record.marked_at)
    return found


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
    if record.external:
        flags.append(EXTERNAL)
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
