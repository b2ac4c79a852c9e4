"""Sums over what was done, by group and period: the server adds up, exactly, what is asked for."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import psycopg

from betteroms.domain.bounds_value import Tilt
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Size, Usdc
from betteroms.domain.period import Period
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.terms import Mode
from betteroms.reckoning import Activity, By, Slipped, TokenSum

_GROUPS: Final = {By.MARKET: "market_id", By.PLAN: "plan_id", By.STRATEGY: "source"}
_ORDERS: Final = ("orders", "filled", "partly", "resting", "canceled", "denied", "rejected")
_FILLS: Final = ("executions", "bought", "sold", "fees")
SNAPSHOT_MONEY: Final = (
    "cost_basis", "market_value", "realised", "unrealised", "fees", "cash", "deposited", "net_liquidation",
    "pessimistic", "optimistic",
)  # fmt: skip


def activity(connection: psycopg.Connection[Any], mode: Mode, by: By, period: Period) -> Sequence[Activity]:
    """See `reckoning.Reckoning.activity`."""
    group = _GROUPS[by]
    orders = connection.execute(
        f"""
        SELECT o.{group}, count(*), count(*) FILTER (WHERE o.status = 'FILLED'),
            count(*) FILTER (WHERE o.filled_size > 0 AND o.status <> 'FILLED'),
            count(*) FILTER (WHERE o.status IN ('NEW', 'UNCONFIRMED', 'OPEN')),
            count(*) FILTER (WHERE o.status IN ('CANCELED', 'EXPIRED')),
            count(*) FILTER (WHERE o.status = 'DENIED'), count(*) FILTER (WHERE o.status = 'REJECTED')
        FROM orders o WHERE o.mode = %(mode)s AND {within("o.created_at", period)} GROUP BY 1
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    found: dict[str | None, dict[str, int]] = {
        name: dict(zip(_ORDERS, counts, strict=True)) for name, *counts in orders
    }
    source, column = "executions e", f"e.{group}"
    if by is not By.MARKET:
        source, column = "executions e JOIN orders o USING (order_id)", f"o.{group}"
    fills = connection.execute(
        f"""
        SELECT {column}, count(*),
            (coalesce(-sum(e.cash) FILTER (WHERE e.side = 'BUY'), 0) * 1000000)::bigint,
            (coalesce(sum(e.cash) FILTER (WHERE e.side = 'SELL'), 0) * 1000000)::bigint,
            (sum(e.fee) * 1000000)::bigint
        FROM {source} WHERE e.mode = %(mode)s AND {within("e.executed_at", period)} GROUP BY 1
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    for name, *sums in fills:
        found.setdefault(name, {}).update(zip(_FILLS, sums, strict=True))
    return [_activity(name, numbers) for name, numbers in found.items()]


def _activity(name: str | None, numbers: dict[str, int]) -> Activity:
    return Activity(group=name, **numbers)  # type: ignore[arg-type]  # dollars among them are millionths


def token_sums(connection: psycopg.Connection[Any], mode: Mode, period: Period) -> Sequence[TokenSum]:
    """See `reckoning.Reckoning.token_sums`."""
    rows = connection.execute(
        f"""
        SELECT token_id, min(market_id), (sum(fee) * 1000000)::bigint, bool_or(parted) FROM (
            SELECT token_id, market_id, fee, side = 'SELL' OR size < 0 AS parted FROM executions
            WHERE mode = %(mode)s AND {within("executed_at", period)}
            UNION ALL
            SELECT token_id, market_id, 0, true FROM ledger_entries
            WHERE mode = %(mode)s AND token_id IS NOT NULL AND {within("at", period)}
        ) moved GROUP BY token_id
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    return [
        TokenSum(token_id=TokenId(token), market_id=MarketId(market), fees=Usdc(fees), parted=parted)
        for token, market, fees, parted in rows
    ]


def half_told(connection: psycopg.Connection[Any], mode: Mode, period: Period) -> Sequence[TokenId]:
    """See `reckoning.Reckoning.half_told`."""
    rows = connection.execute(
        f"""
        WITH left_in_period AS (
            SELECT token_id FROM executions
            WHERE mode = %(mode)s AND {within("executed_at", period)} AND (side = 'SELL' OR size < 0)
            UNION
            SELECT token_id FROM ledger_entries
            WHERE mode = %(mode)s AND token_id IS NOT NULL AND {within("at", period)}
        )
        SELECT token_id FROM executions JOIN left_in_period USING (token_id)
        WHERE mode = %(mode)s AND NOT ({within("executed_at", period)})
        UNION
        SELECT token_id FROM ledger_entries JOIN left_in_period USING (token_id)
        WHERE mode = %(mode)s AND NOT ({within("at", period)})
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    return [TokenId(token) for (token,) in rows]


def entries(connection: psycopg.Connection[Any], mode: Mode, period: Period) -> Sequence[LedgerEntry]:
    """See `reckoning.Reckoning.entries`."""
    rows = connection.execute(
        f"""
        SELECT key, kind, (cash * 1000000)::bigint, at, note, market_id, token_id, (size * 1000000)::bigint,
            (payout * 1000000)::bigint, (paid_for * 1000000)::bigint
        FROM ledger_entries WHERE mode = %(mode)s AND {within("at", period)} ORDER BY sequence
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    return [
        LedgerEntry(
            key=key,
            mode=mode,
            kind=EntryKind(kind),
            cash=Usdc(cash),
            at=at,
            note=note,
            market_id=market,
            token_id=token,
            size=Size(size),
            payout=payout,
            paid_for=Size(paid_for),
        )
        for key, kind, cash, at, note, market, token, size, payout, paid_for in rows
    ]


def slipped(connection: psycopg.Connection[Any], mode: Mode, period: Period) -> Sequence[Slipped]:
    """See `reckoning.Reckoning.slipped`; a run's totals are in its audit row, too, one row and no summary."""
    rows = connection.execute(
        f"""
        SELECT r.kind, r.plan_id, count(*),
            (coalesce(sum((a.event_data->>'slippage')::numeric), 0) * 1000000)::bigint
        FROM runs r, LATERAL (
            SELECT event_data FROM audit_logs WHERE entity_id = r.run_id::text
                AND event_type = 'run_completed' ORDER BY sequence DESC LIMIT 1
        ) a
        WHERE r.mode = %(mode)s AND r.status = 'completed' AND {within("r.now", period)}
            AND r.kind IN ('trade', 'maintain') AND a.event_data ? 'slippage'
        GROUP BY 1, 2 ORDER BY 1, 2
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    return [
        Slipped(kind=kind, plan_id=plan, runs=runs, slippage=Usdc(slippage))
        for kind, plan, runs, slippage in rows
    ]


def slippages(connection: psycopg.Connection[Any], mode: Mode, period: Period) -> Sequence[int]:
    """See `reckoning.Reckoning.slippages`; rounded up, against us."""
    rows = connection.execute(
        f"""
        SELECT ceil((line->>'slippage')::numeric / (line->>'filledSize')::numeric * 1000000)::bigint
        FROM runs r, json_array_elements(r.summary_json->'result'->'instructions') line
        WHERE r.mode = %(mode)s AND r.status = 'completed' AND {within("r.now", period)}
            AND r.kind IN ('trade', 'maintain') AND line->>'slippage' IS NOT NULL
            AND (line->>'filledSize')::numeric > 0
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    return [value for (value,) in rows]


def snapshots(
    connection: psycopg.Connection[Any], mode: Mode, period: Period, *, limit: int | None
) -> Sequence[PortfolioSnapshot]:
    """See `reckoning.Reckoning.snapshots`."""
    rows = connection.execute(
        f"""
        SELECT {SNAPSHOT_COLUMNS} FROM portfolio_snapshots
        WHERE mode = %(mode)s AND {within("taken_at", period)} ORDER BY taken_at DESC LIMIT %(limit)s
        """,  # noqa: S608 - our own names
        {**_bounds(mode, period), "limit": limit},
    )
    return [snapshot_from(row) for row in rows][::-1]


SNAPSHOT_COLUMNS: Final = ", ".join(
    [
        *("mode", "hour", "taken_at", "run_id::text", "positions"),
        *(f"({name} * 1000000)::bigint" for name in SNAPSHOT_MONEY),
    ]
)


def snapshot_from(row: Sequence[Any]) -> PortfolioSnapshot:
    """A snapshot from a row selected by `SNAPSHOT_COLUMNS`."""
    mode, hour, taken_at, run_id, positions, *money = row
    return PortfolioSnapshot(
        mode=Mode(mode),
        hour=hour,
        taken_at=taken_at,
        run_id=run_id,
        positions=positions,
        **dict(zip(SNAPSHOT_MONEY, money, strict=True)),
    )


def tilts(connection: psycopg.Connection[Any], mode: Mode, period: Period) -> Sequence[Tilt]:
    """See `reckoning.Reckoning.tilts`: `domain.bounds_value.tilt`, summed up."""
    differences = ", ".join(
        f"sum({sign} * (b.{bound} - o.filled_size)) * 1000000, "
        f"sum({sign} * (b.{bound} - o.filled_size) * o.limit_price) * 1000000000000"
        for sign in ("CASE o.side WHEN 'BUY' THEN 1 ELSE -1 END",)
        for bound in ("pessimistic", "optimistic")
    )
    rows = connection.execute(
        f"""
        SELECT o.token_id, {differences} FROM fill_bounds b JOIN orders o USING (order_id)
        WHERE b.mode = %(mode)s AND {within("o.created_at", period)}
            AND (b.pessimistic <> o.filled_size OR b.optimistic <> o.filled_size)
        GROUP BY o.token_id ORDER BY o.token_id
        """,  # noqa: S608 - our own names
        _bounds(mode, period),
    )
    return [
        Tilt(
            token_id=TokenId(token),
            pessimistic=int(less),
            pessimistic_paid=int(less_paid),
            optimistic=int(more),
            optimistic_paid=int(more_paid),
        )
        for token, less, less_paid, more, more_paid in rows
    ]


def payouts(connection: psycopg.Connection[Any], mode: Mode) -> Sequence[tuple[TokenId, int]]:
    """See `reckoning.Reckoning.payouts`."""
    rows = connection.execute(
        "SELECT DISTINCT ON (token_id) token_id, (payout * 1000000)::bigint FROM ledger_entries "
        "WHERE mode = %s AND kind = 'SETTLEMENT' ORDER BY token_id, sequence DESC",
        (mode,),
    )
    return [(TokenId(token), payout) for token, payout in rows]


def tokens_of(connection: psycopg.Connection[Any], mode: Mode, source: str) -> Collection[TokenId]:
    """See `reckoning.Reckoning.tokens_of`."""
    rows = connection.execute(
        "SELECT DISTINCT token_id FROM orders WHERE mode = %s AND source = %s", (mode, source)
    )
    return {TokenId(token) for (token,) in rows}


def within(column: str, period: Period) -> str:
    """The period's bounds on a column: only those there are, so that the planner knows what is asked."""
    conditions = [
        f"{column} {compared} %({name})s"
        for compared, name, bound in ((">=", "since", period.since), ("<", "until", period.until))
        if bound is not None
    ]
    return " AND ".join(conditions) or "true"


def _bounds(mode: Mode, period: Period) -> dict[str, Any]:
    return {"mode": mode, "since": period.since, "until": period.until}
