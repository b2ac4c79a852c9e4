"""Every movement of every token in the ledger's sequence, told by its bare numbers: a million in seconds."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import psycopg

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.terms import Mode
from betteroms.reckoning import By, Follower, Following

_OWNERS: Final = {By.PLAN: "o.plan_id", By.STRATEGY: "o.source", By.MARKET: "e.market_id"}
_NO_OWNER: Final = b"\\N"


def follow(
    connection: psycopg.Connection[Any],
    following: Following,
    *,
    mode: Mode | None,
    owners: By | None,
    tokens: Collection[TokenId] | None,
    markets: Collection[MarketId] | None = None,
    until: int | None = None,
) -> None:
    """See `reckoning.Reckoning.follow`; up to a place in the ledger where one is given.

    `COPY` as text and not rows: NUMERIC(18,6) always prints six decimals, so that a number without its dot is
    millionths. What names a token stands last and is looked up as it came.
    """
    named: dict[bytes, Follower] = {}
    moments: dict[bytes, datetime] = {}
    bounds = {
        "mode": mode,
        "tokens": None if tokens is None else list(tokens),
        "markets": None if markets is None else list(markets),
        "until": until,
    }
    with connection.cursor() as cursor, cursor.copy(_statement(owners), bounds) as rows:
        for row in rows:
            size, cash, fee, at, side, owner, name = bytes(row).split(b"\t", 6)
            follower = named.get(name)
            if follower is None:
                follower = named[name] = _follower(name, following)
            moment = moments.get(at)
            if moment is None:
                moment = moments[at] = datetime.fromisoformat(at.decode())
            shares, dollars = int(size.replace(b".", b"")), int(cash.replace(b".", b""))
            if side == b"BUY":
                follower.buy(shares, dollars, int(fee.replace(b".", b"")), moment, _owner(owner))
            elif side == b"SELL":
                follower.sell(shares, dollars, int(fee.replace(b".", b"")), moment, _owner(owner))
            else:
                follower.leave(shares, dollars, moment)


def _statement(owners: By | None) -> str:
    """Everything in it is of this file."""
    owner = "NULL" if owners is None else _OWNERS[owners]
    joined = "executions e" if owners in (None, By.MARKET) else "executions e JOIN orders o USING (order_id)"
    where = (
        "(%(mode)s::text IS NULL OR {0}.mode = %(mode)s) "
        "AND (%(tokens)s::text[] IS NULL OR {0}.token_id = ANY(%(tokens)s)) "
        "AND (%(markets)s::text[] IS NULL OR {0}.market_id = ANY(%(markets)s)) "
        "AND (%(until)s::bigint IS NULL OR {0}.sequence <= %(until)s)"
    )
    return f"""
        COPY (SELECT size, cash, fee, at, side, owner, mode, market_id, token_id FROM (
            SELECT e.sequence, e.size, e.cash, e.fee, e.executed_at AS at, e.side, {owner}::text AS owner,
                e.mode, e.market_id, e.token_id
            FROM {joined} WHERE {where.format("e")}
            UNION ALL
            SELECT l.sequence, -l.size, l.cash, 0, l.at, 'LEAVE', NULL, l.mode, l.market_id, l.token_id
            FROM ledger_entries l WHERE l.token_id IS NOT NULL AND {where.format("l")}
        ) moved ORDER BY sequence) TO STDOUT
        """  # noqa: S608


def _follower(name: bytes, following: Following) -> Follower:
    mode, market, token = name.decode().rstrip("\n").split("\t")
    return following(Mode(mode), MarketId(market), TokenId(token))


@lru_cache(maxsize=65_536)
def _owner(text: bytes) -> str | None:
    """A planId or a source as it was before `COPY` escaped it: of what may stand in one, only backslashes."""
    return None if text == _NO_OWNER else text.decode().replace("\\\\", "\\")
