"""An account's past, read in a handful of sums: what the caps ask of it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import facts
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.position import Position
from betteroms.domain.risk.history import History
from betteroms.domain.risk.past import Bid, Held, MarketTerms, Marks, Traded, day_of, history_of
from betteroms.domain.terms import Mode

_ALIVE: Final = "status IN ('NEW', 'UNCONFIRMED', 'OPEN')"


def read(
    connection: psycopg.Connection[Any], mode: Mode, *, at: datetime, markets: Collection[MarketId] | None
) -> History:
    """The history of the mode's account as of `at`, with what a run over these markets (None: all) needs.

    In the transaction that is open. Everything is summed up where it lies, but for what is held and bid for.
    """
    held, bids = _held(connection, mode), _bids(connection, mode)
    state = facts.risk(connection, mode)
    staked = {one.position.market_id for one in held} | {one.market_id for one in bids}
    return history_of(
        markets=markets,
        traded=_traded(connection, mode, at),
        held=held,
        moved=_moved(connection, mode),
        bids=bids,
        terms=_terms(connection, staked),
        marks=_marks(connection, mode, at, state.reset_at),
        state=state,
        rules=facts.rules(connection, mode, markets).values(),
    )


def names(connection: psycopg.Connection[Any], markets: Iterable[MarketId]) -> dict[MarketId, str]:
    """What people call these markets, as far as the registry knows a slug."""
    rows = connection.execute(
        "SELECT market_id, slug FROM markets WHERE market_id = ANY(%s) AND slug IS NOT NULL",
        (sorted(set(markets)),),
    )
    return {MarketId(market): slug for market, slug in rows}


def _traded(connection: psycopg.Connection[Any], mode: Mode, at: datetime) -> list[Traded]:
    start, end = day_of(at)
    rows = connection.execute(
        """
        SELECT market_id, count(*), (coalesce(sum(CASE amount_unit
            WHEN 'DOLLARS' THEN amount * 1000000
            ELSE ceil(limit_price * amount * 1000000) END) FILTER (WHERE side = 'BUY'), 0))::bigint
        FROM orders
        WHERE mode = %s AND created_at >= %s AND created_at < %s AND status NOT IN ('DENIED', 'REJECTED')
        GROUP BY market_id
        """,
        (mode, start, end),
    )
    return [
        Traded(market_id=MarketId(market), orders=orders, notional=Usdc(notional))
        for market, orders, notional in rows
    ]


def _held(connection: psycopg.Connection[Any], mode: Mode) -> list[Held]:
    rows = connection.execute(
        """
        SELECT market_id, token_id, (size * 1000000)::bigint, (cost_basis * 1000000)::bigint,
            (realised * 1000000)::bigint, (fees * 1000000)::bigint, opened_at,
            (best_bid * 1000000)::bigint, (best_ask * 1000000)::bigint
        FROM positions WHERE mode = %s AND size > 0
        """,
        (mode,),
    )
    return [
        Held(
            position=Position(
                mode=mode,
                market_id=MarketId(market),
                token_id=TokenId(token),
                size=Size(size),
                cost_basis=Usdc(cost),
                realised=Usdc(realised),
                fees=Usdc(fees),
                opened_at=opened_at,
            ),
            best_bid=None if bid is None else Price(bid),
            best_ask=None if ask is None else Price(ask),
        )
        for market, token, size, cost, realised, fees, opened_at, bid, ask in rows
    ]


def _moved(connection: psycopg.Connection[Any], mode: Mode) -> Usdc:
    row = connection.execute(
        "SELECT (coalesce(sum(realised - cost_basis), 0) * 1000000)::bigint FROM positions WHERE mode = %s",
        (mode,),
    ).fetchone()
    assert row is not None
    return Usdc(row[0])


def _bids(connection: psycopg.Connection[Any], mode: Mode) -> list[Bid]:
    rows = connection.execute(
        f"""
        SELECT * FROM (
            SELECT market_id, token_id, (sum(CASE amount_unit
                WHEN 'DOLLARS' THEN greatest(amount - filled_cash, 0) * 1000000
                ELSE ceil(limit_price * greatest(amount - filled_size, 0) * 1000000) END))::bigint AS cost
            FROM orders WHERE mode = %s AND side = 'BUY' AND {_ALIVE} AND limit_price IS NOT NULL
            GROUP BY market_id, token_id
        ) open WHERE cost > 0
        """,  # noqa: S608 - our own words
        (mode,),
    )
    return [
        Bid(market_id=MarketId(market), token_id=TokenId(token), cost=Usdc(cost))
        for market, token, cost in rows
    ]


def _terms(connection: psycopg.Connection[Any], markets: Iterable[MarketId]) -> dict[MarketId, MarketTerms]:
    rows = connection.execute(
        """
        SELECT market_id, outcomes->1->>'tokenId', group_id, event_slug,
            (minimum_size * 1000000)::bigint, (fee_rate * 1000000)::bigint, fee_exponent
        FROM markets WHERE market_id = ANY(%s)
        """,
        (sorted(markets),),
    )
    return {
        MarketId(market): MarketTerms(
            second_token=second,
            group_id=group,
            event_slug=event,
            minimum_size=None if minimum is None else Size(minimum),
            fees=FeeSchedule(rate=rate, exponent=exponent),
        )
        for market, second, group, event, minimum, rate, exponent in rows
    }


def _marks(connection: psycopg.Connection[Any], mode: Mode, at: datetime, since: datetime | None) -> Marks:
    start, _ = day_of(at)
    row = connection.execute(
        """
        WITH known AS (
            SELECT taken_at, ((net_liquidation - deposited) * 1000000)::bigint AS gain
            FROM portfolio_snapshots WHERE mode = %(mode)s AND taken_at <= %(at)s
        )
        SELECT coalesce(
            (SELECT gain FROM known WHERE taken_at >= %(start)s ORDER BY taken_at LIMIT 1),
            (SELECT gain FROM known WHERE taken_at < %(start)s ORDER BY taken_at DESC LIMIT 1)),
            (SELECT max(gain) FROM known WHERE %(since)s::timestamptz IS NULL OR taken_at >= %(since)s)
        """,
        {"mode": mode, "at": at, "start": start, "since": since},
    ).fetchone()
    assert row is not None
    day_start, peak = row
    return Marks(
        day_start=None if day_start is None else Usdc(day_start), peak=None if peak is None else Usdc(peak)
    )
