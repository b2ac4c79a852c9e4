"""What a day, a week, a month or all time came to: what was done, gained and paid, group by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from betteroms.domain.bounds_value import gain
from betteroms.domain.drawdown import deepest
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Usdc, to_text
from betteroms.domain.period import Period
from betteroms.domain.position import CAPITAL, LedgerEntry
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.holdings import AVERAGE, FIFO, Sums, by_owner
from betteroms.jobs.positions import MarkBy, Valued, valued
from betteroms.jobs.realised import Realised, by_token, lots
from betteroms.reckoning import Activity, By
from betteroms.records import Records

SOURCES: Final[Mapping[str, str]] = {"trade": "plan", "maintain": "rule"}
"""Which strategy the wishes of a run of each kind come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is about."""

    mode: Mode
    period: Period
    name: str
    by: By
    mark_by: MarkBy
    bounds: bool
    now: datetime

    @property
    def open_ended(self) -> bool:
        """Whether the period goes on, so that the account's end is what it is worth now."""
        return self.period.until is None or self.period.until > self.now


def report(records: Records, asked: Asked) -> dict[str, Any]:
    """The report as JSON tells it.

    Totals are at average cost, groups by market, too; groups by plan and strategy are first in, first out, so
    that they say who gained (DECISIONS 5.5). What is held is what is held now, whatever the period.
    """
    rows = [valued(record, asked.mark_by) for record in records.positions(asked.mode)]
    positions = {row.record.position.token_id: row.record.position for row in rows}
    realised = by_token(records, asked.mode, asked.period, positions)
    activity = records.activity(asked.mode, asked.by, asked.period)
    entries = records.entries(asked.mode, asked.period)
    sums = _sums(records, asked, rows, realised)
    whole = _whole(rows, realised)
    payouts = [entry for entry in entries if entry.kind not in CAPITAL]
    result: dict[str, Any] = {
        "mode": asked.mode.value,
        "period": {
            "name": asked.name,
            "since": told.maybe_instant(asked.period.since),
            "until": told.maybe_instant(asked.period.until),
        },
        "by": asked.by.value,
        "markBy": asked.mark_by.value,
        "method": {"groups": AVERAGE if asked.by is By.MARKET else FIFO, "totals": AVERAGE},
        "groups": _groups(records, asked, activity, sums, payouts),
        "totals": {
            **_told_activity(_added(activity)),
            **whole.told(asked.now),
            "slippage": _slippage(records, asked)[1],
            **_told_payouts(payouts),
        },
        "equity": _equity(records, asked, rows, entries),
    }
    if asked.bounds:
        result["bounds"] = _bounds(records, asked, rows, whole)
    return result


def _whole(rows: Sequence[Valued], realised: Mapping[TokenId, Realised]) -> Sums:
    whole = Sums(
        gross=sum(one.gross for one in realised.values()), fees=sum(one.fees for one in realised.values())
    )
    _hold(whole, rows)
    return whole


def _hold(sums: Sums, rows: Sequence[Valued]) -> None:
    for row in rows:
        if row.record.position.size > 0:
            sums.hold(row.record.position.cost_basis, row.value, row.record.marked_at)


def _sums(
    records: Records, asked: Asked, rows: Sequence[Valued], realised: Mapping[TokenId, Realised]
) -> dict[str | None, Sums]:
    """What each group gained in the period and holds now; by the group's own name."""
    if asked.by is not By.MARKET:
        held = {row.record.position.token_id for row in rows if row.record.position.size > 0}
        tokens = None if asked.period == Period() else held | realised.keys()
        folded = lots(records, asked.mode, owners=asked.by, period=asked.period, tokens=tokens)
        return by_owner(folded, {row.record.position.token_id: row.marked for row in rows})
    found: dict[str | None, Sums] = {}
    for one in realised.values():
        sums = found.setdefault(one.market_id, Sums())
        sums.gross += one.gross
        sums.fees += one.fees
    for row in rows:
        if row.record.position.size > 0:
            _hold(found.setdefault(row.record.position.market_id, Sums()), [row])
    return found


def _groups(
    records: Records,
    asked: Asked,
    activity: Sequence[Activity],
    sums: Mapping[str | None, Sums],
    payouts: Sequence[LedgerEntry],
) -> list[dict[str, Any]]:
    """A row for each group that did something or holds something, those that moved most dollars first."""
    done = {one.group: one for one in activity}
    slipped, _ = _slippage(records, asked)
    names: Mapping[str | None, str] = {}
    if asked.by is By.MARKET:
        known = records.market_names([MarketId(name) for name in {*done, *sums} if name is not None])
        names = dict(known.items())
    paid: dict[str | None, list[LedgerEntry]] = {}
    for entry in payouts:
        paid.setdefault(entry.market_id, []).append(entry)
    rows = []
    for name in {*done, *sums}:
        found, moved = done.get(name, Activity(group=name)), sums.get(name, Sums())
        row: dict[str, Any] = {"group": names.get(name, name)}
        if asked.by is By.MARKET:
            row["conditionId"] = name
        row |= {**_told_activity(found), **moved.told(asked.now), "slippage": slipped.get(name)}
        if asked.by is By.MARKET:
            row |= _told_payouts(paid.get(name, ()))
        rows.append((-found.notional, name is None, row["group"] or "", row))
    return [row for *_, row in sorted(rows, key=lambda found: found[:3])]


def _added(activity: Sequence[Activity]) -> Activity:
    counts = ("orders", "filled", "partly", "resting", "canceled", "denied", "rejected", "executions")
    return Activity(
        group=None,
        **{name: sum(getattr(one, name) for one in activity) for name in counts},
        bought=Usdc(sum(one.bought for one in activity)),
        sold=Usdc(sum(one.sold for one in activity)),
        fees=Usdc(sum(one.fees for one in activity)),
    )


def _told_activity(found: Activity) -> dict[str, Any]:
    return {
        "orders": found.orders,
        "filled": found.filled,
        "partlyFilled": found.partly,
        "resting": found.resting,
        "canceled": found.canceled,
        "denied": found.denied,
        "rejected": found.rejected,
        "executions": found.executions,
        "notional": to_text(found.notional),
        "bought": to_text(found.bought),
        "sold": to_text(found.sold),
    }


def _told_payouts(entries: Sequence[LedgerEntry]) -> dict[str, Any]:
    """What resolved markets paid, less what was taken back."""
    return {"settlements": len(entries), "settledCash": to_text(sum(entry.cash for entry in entries))}


def _slippage(records: Records, asked: Asked) -> tuple[dict[str | None, str], str]:
    """What runs told of slippage, by group as far as a run is of one, and in all."""
    told_by_runs = records.slipped(asked.mode, asked.period)
    found: dict[str | None, int] = {}
    for one in told_by_runs:
        name = one.plan_id if asked.by is By.PLAN else SOURCES[one.kind]
        found[name] = found.get(name, 0) + one.slippage
    groups = {} if asked.by is By.MARKET else {name: to_text(amount) for name, amount in found.items()}
    return groups, to_text(sum(one.slippage for one in told_by_runs))


def _equity(
    records: Records, asked: Asked, rows: Sequence[Valued], entries: Sequence[LedgerEntry]
) -> dict[str, Any]:
    """What the account was worth at both ends, what it gained of itself between, and its deepest fall.

    It starts from the last snapshot before the period, or from nothing where the account did not exist yet;
    where there is no snapshot so old, from the first there is.
    """
    since = asked.period.since
    earlier = [] if since is None else list(records.snapshots(asked.mode, Period(until=since), limit=1))
    series = [
        (found.taken_at, found.net_liquidation, found.deposited)
        for found in (*earlier, *records.snapshots(asked.mode, asked.period))
    ]
    if asked.open_ended:
        series.append(_worth_now(records, asked, rows))
    if not series:
        return {"start": None, "end": None, "deposited": None, "gained": None, "drawdown": None}
    new = since is None or (not earlier and not records.entries(asked.mode, Period(until=since)))
    if new and entries:
        series.insert(0, (entries[0].at, Usdc(0), Usdc(0)))
    first, last = series[0], series[-1]
    start_worth, start_deposited = (0, 0) if new else first[1:]
    fall = deepest((at, worth - deposited) for at, worth, deposited in series)
    return {
        "start": None if new else _point(first[0], first[1]),
        "end": _point(last[0], last[1]),
        "deposited": to_text(last[2] - start_deposited),
        "gained": to_text(last[1] - last[2] - (start_worth - start_deposited)),
        "drawdown": None
        if fall is None or fall.amount == 0
        else {
            "amount": to_text(fall.amount),
            "peakAt": told.instant(fall.peak_at),
            "troughAt": told.instant(fall.trough_at),
        },
    }


def _worth_now(records: Records, asked: Asked, rows: Sequence[Valued]) -> tuple[datetime, Usdc, Usdc]:
    """Now, net liquidation, and what was deposited."""
    moved = sum(row.record.position.realised - row.record.position.cost_basis for row in rows)
    deposited = records.deposited(asked.mode)
    return asked.now, Usdc(deposited + moved + sum(row.value for row in rows)), deposited


def _point(at: datetime, worth: Usdc) -> dict[str, str]:
    return {"at": told.instant(at), "netLiquidation": to_text(worth)}


def _bounds(records: Records, asked: Asked, rows: Sequence[Valued], whole: Sums) -> dict[str, Any]:
    """Profit and loss as it would be under the other two answers for orders taken on in the period."""
    worths = {row.record.position.token_id: row.mark.doubled for row in rows if row.record.marked_at}
    worths |= {token: 2 * payout for token, payout in records.payouts(asked.mode)}
    base = Usdc(whole.gross - whole.fees + whole.value - whole.cost)
    found = gain(base, records.tilts(asked.mode, asked.period), worths)
    return {
        "base": to_text(found.base),
        "pessimistic": to_text(found.pessimistic),
        "optimistic": to_text(found.optimistic),
        "unknownTokens": list(found.unknown),
    }
