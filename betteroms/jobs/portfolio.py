"""What the account is worth, now and over time; and cash brought into the paper wallet or taken out of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from betteroms.domain.errors import CashShort
from betteroms.domain.figures import Bar, CashMove, EquityPoint
from betteroms.domain.ids import MarketId, key
from betteroms.domain.money import MICROS, Usdc, dollars_to_text, to_micros, to_text
from betteroms.domain.order import reserved_cash
from betteroms.domain.period import Period
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import CAPITAL, EntryKind, LedgerEntry
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.desk import Desk
from betteroms.jobs.holdings import Sums
from betteroms.jobs.own_run import kept, unplanned
from betteroms.jobs.passage import opening_entries
from betteroms.jobs.positions import MarkBy, valued
from betteroms.ports import Run
from betteroms.records import Records

MOVED_MAX: Final = Usdc(1_000_000_000 * MICROS)
"""More than this at once is a slip of the finger, and would not fit the tables for long."""


def shown(records: Records, mode: Mode, *, now: datetime, by: MarkBy) -> dict[str, Any]:
    """What the account is worth at the prices that were last seen, and where it is exposed."""
    rows = [valued(record, by) for record in records.positions(mode)]
    moved = sum(row.record.position.realised - row.record.position.cost_basis for row in rows)
    deposited = records.deposited(mode)
    bids: dict[MarketId, int] = {}
    for order in records.alive_orders(mode):
        market = order.intent.market_id
        bids[market] = bids.get(market, 0) + reserved_cash(order)
    reserved = sum(bids.values())
    history = records.history(mode, at=now)
    held = [row for row in rows if row.record.position.size > 0]
    exposure = {market: Sums() for market, bid in bids.items() if bid}
    whole = Sums()
    for row in held:
        sums = exposure.setdefault(row.record.position.market_id, Sums())
        for one in (sums, whole):
            one.hold(row.record.position.cost_basis, row.value, row.record.marked_at)
    names = records.market_names(exposure.keys())
    cash = deposited + moved
    compared = {"venue": _compared(records)} if mode is Mode.LIVE else {}
    return {
        "mode": mode.value,
        "markBy": by.value,
        "netLiquidation": to_text(cash + whole.value),
        "cash": to_text(cash),
        "reservedCash": to_text(reserved),
        "freeCash": to_text(cash - reserved),
        "deposited": to_text(deposited),
        "positions": len(held),
        **_worth(whole, now),
        "gained": to_text(cash + whole.value - deposited),
        "realised": to_text(moved + whole.cost),
        "peakGained": to_text(history.peak),
        "drawdown": to_text(max(history.peak - (cash + whole.value - deposited), 0)),
        "exposure": [
            {
                "marketId": names.get(market, market),
                "conditionId": market,
                **_worth(sums, now),
                "reservedCash": to_text(bids.get(market, 0)),
            }
            for market, sums in sorted(exposure.items(), key=lambda item: (-item[1].value, item[0]))
        ],
        **compared,
    }


def _compared(records: Records) -> dict[str, Any] | None:
    """The venue's positions, which are the authority, as of the last comparison; None before the first."""
    found = records.reconciliation()
    if found is None:
        return None
    names = records.market_names({MarketId(row["marketId"]) for row in found["positions"]})
    rows = [{**row, "marketId": names.get(row["marketId"], row["marketId"])} for row in found["positions"]]
    return {**found, "positions": rows}


def _worth(sums: Sums, now: datetime) -> dict[str, Any]:
    figures = sums.told(now)
    names = ("costBasis", "marketValue", "unrealised", "oldestMarkAgeSeconds")
    return {name: figures[name] for name in names}


def history(records: Records, mode: Mode, period: Period, *, limit: int) -> list[dict[str, Any]]:
    """The latest snapshots of the period, oldest first."""
    return [told_snapshot(found) for found in records.snapshots(mode, period, limit=limit)]


def course(
    records: Records, mode: Mode, period: Period, *, limit: int
) -> tuple[list[EquityPoint], list[CashMove]]:
    """The same as points of a curve, and the cash that came and went between them."""
    found = records.snapshots(mode, period, limit=limit)
    points = [
        EquityPoint(
            at=one.taken_at,
            net_liquidation=one.net_liquidation,
            pessimistic=Usdc(one.deposited + one.pessimistic),
            optimistic=Usdc(one.deposited + one.optimistic),
        )
        for one in found
    ]
    if not points:
        return [], []
    entries = records.entries(mode, Period(since=points[0].at, until=period.until))
    return points, [CashMove(at=entry.at, cash=entry.cash) for entry in entries if entry.kind in CAPITAL]


def bars(told: Mapping[str, Any]) -> list[Bar]:
    """What is held by market, as bars of a chart."""
    return [
        Bar(
            name=row["marketId"],
            cost=Usdc(to_micros(row["costBasis"])),
            value=Usdc(to_micros(row["marketValue"])),
        )
        for row in told["exposure"]
        if row["costBasis"] != "0" or row["marketValue"] != "0"
    ]


def told_snapshot(found: PortfolioSnapshot) -> dict[str, Any]:
    """A snapshot as JSON tells it."""
    return {
        "mode": found.mode.value,
        "hour": told.instant(found.hour),
        "takenAt": told.instant(found.taken_at),
        "runId": found.run_id,
        "positions": found.positions,
        "costBasis": to_text(found.cost_basis),
        "marketValue": to_text(found.market_value),
        "realised": to_text(found.realised),
        "unrealised": to_text(found.unrealised),
        "fees": to_text(found.fees),
        "cash": to_text(found.cash),
        "deposited": to_text(found.deposited),
        "netLiquidation": to_text(found.net_liquidation),
        "pessimistic": to_text(found.pessimistic),
        "optimistic": to_text(found.optimistic),
    }


def move(desk: Desk, kind: EntryKind, amount: Usdc) -> dict[str, Any]:
    """Bring cash in or take it out, in a small run of its own; each call is another movement.

    Raises:
        CashShort: more is to be withdrawn than is free; nothing is written.
    """
    now = desk.clock.now()
    before = desk.ledger.snapshot(desk.mode, markets=[], orders=[])
    # The wallet is opened by whatever comes first, a withdrawal too.
    opening = desk.opening_cash if before.opening_cash is None else 0
    cash, reserved = before.account.cash + opening, before.account.reserved_cash
    signed = amount if kind is EntryKind.DEPOSIT else -amount
    if signed < 0 and cash - reserved < amount:
        raise CashShort(
            f"INSUFFICIENT_CASH: need={dollars_to_text(amount)} free={dollars_to_text(cash - reserved)} "
            f"cash={dollars_to_text(cash)} reserved={dollars_to_text(reserved)}"
        )
    run = unplanned(desk, "portfolio", now=now)
    entry = LedgerEntry(
        # The run's id follows from the moment, and so does the key: told twice, it counts once.
        key=key(desk.mode.value, kind.value.lower(), run.run_id),
        mode=desk.mode,
        kind=kind,
        cash=Usdc(signed),
        at=now,
        note="by the operator",
    )

    def book(_: Run) -> dict[str, Any]:
        desk.ledger.note([entry])
        return {
            "moved": to_text(signed),
            "cashBefore": to_text(cash),
            "cash": to_text(cash + signed),
            "freeCash": to_text(cash + signed - reserved),
            "warnings": [],
        }

    return kept(desk, run, book, opening_entries(desk, run))
