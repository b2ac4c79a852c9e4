"""What a run reads of the ledger before it decides."""

import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import psycopg

from betteroms.adapters.postgres import facts, history, sent, tilts
from betteroms.adapters.postgres.columns import (
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    execution_from,
    order_from,
    select_list,
)
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.liquidity import Taken
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.news import FillName
from betteroms.domain.order import Order, placed_first
from betteroms.domain.position import Position, Quote
from betteroms.domain.risk import Account
from betteroms.domain.risk.history import NOTHING
from betteroms.domain.run import EarlierRun, RunStatus
from betteroms.domain.terms import Mode
from betteroms.ports import Snapshot

_POSITION_COLUMNS = ("token_id", "market_id", "size", "cost_basis", "realised", "fees", "opened_at")
_ALIVE = "status IN ('NEW', 'UNCONFIRMED', 'OPEN')"


def earlier_run(connection: psycopg.Connection[Any], mode: Mode, plan_id: str) -> EarlierRun | None:
    """The trade run that this planId has in this mode."""
    row = connection.execute(
        "SELECT status, content_hash, attempt, started_at, body, scheduled_at, "
        "((summary_json->'result'->'totals'->>'tiedUp')::numeric * 1000000)::bigint FROM runs "
        "LEFT JOIN book_snapshots ON payload_id = plan_payload_id "
        "WHERE mode = %s AND plan_id = %s AND runs.kind = 'trade'",
        (mode, plan_id),
    ).fetchone()
    if row is None:
        return None
    status, content_hash, attempt, started_at, plan, scheduled_at, tied_up = row
    return EarlierRun(
        status=RunStatus(status),
        content_hash=content_hash,
        attempt=attempt,
        started_at=started_at,
        plan=None if plan is None else zlib.decompress(plan),
        scheduled_at=scheduled_at,
        tied_up=tied_up,
    )


def snapshot(
    connection: psycopg.Connection[Any],
    mode: Mode,
    *,
    markets: Collection[MarketId],
    orders: Collection[OrderId],
    at: datetime | None,
    valued: bool,
) -> Snapshot:
    """The ledger's state over these markets and orders; see `ports.Snapshot`."""
    positions, quotes = _positions(connection, mode, markets)
    known = _known(connection, orders)
    resting = sent.with_signed(connection, _open_orders(connection, mode, markets))
    tilted = tilts.read(connection, mode, markets) if valued else tilts.NOTHING
    return Snapshot(
        mode=mode,
        account=_account(connection, mode, positions),
        positions={position.token_id: position for position in positions},
        open_orders=resting,
        taken=_taken(connection, mode, markets),
        known={order.order_id: order for order in known},
        executions=_executions(connection, [order.order_id for order in known if order.fills]),
        sequence=_one(connection, "SELECT last_value FROM ledger_sequence"),
        opening_cash=_opening_cash(connection, mode),
        rules=facts.rules(connection, mode, markets),
        bounds=facts.resting_bounds(connection, mode, markets) if resting else {},
        history=NOTHING if at is None else history.read(connection, mode, at=at, markets=markets),
        quotes=quotes,
        tilts=tilted.tilts,
        worths=tilted.worths,
        elsewhere=tilted.elsewhere,
        settlements=facts.settlements(connection, mode, markets),
        settling=sent.settling(
            connection,
            mode,
            markets=markets,
            alive=[order.order_id for order in resting if order.external_order_id],
        ),
        deposited=Usdc(
            _one(
                connection,
                "SELECT coalesce(sum(cash), 0) * 1000000 FROM ledger_entries "
                "WHERE mode = %s AND token_id IS NULL",
                (mode,),
            )
        ),
        fees=Usdc(
            _one(
                connection, "SELECT coalesce(sum(fees), 0) * 1000000 FROM positions WHERE mode = %s", (mode,)
            )
        ),
    )


def touched(connection: psycopg.Connection[Any], mode: Mode, *, settled_since: datetime) -> list[MarketId]:
    """See `ports.Ledger.touched`."""
    rows = connection.execute(
        f"SELECT market_id FROM orders WHERE mode = %(mode)s AND {_ALIVE} "  # noqa: S608
        "UNION SELECT market_id FROM positions WHERE mode = %(mode)s AND size <> 0 "
        "UNION SELECT market_id FROM ledger_entries "
        "WHERE mode = %(mode)s AND token_id IS NOT NULL AND at >= %(since)s "
        "UNION SELECT market_id FROM chain_states c JOIN orders USING (order_id) "
        f"WHERE c.mode = %(mode)s AND {sent.UNSETTLED} ORDER BY 1",
        {"mode": mode, "since": settled_since},
    )
    return [MarketId(market) for (market,) in rows]


def orders(connection: psycopg.Connection[Any], names: Collection[OrderId]) -> list[Order]:
    """The orders of these ids that exist."""
    rows = connection.execute(
        f"SELECT {select_list(ORDER_COLUMNS)} FROM orders WHERE order_id = ANY(%s::uuid[])",  # noqa: S608
        (list(names),),
    )
    return sent.with_signed(connection, [order_from(row) for row in rows])


def known_as(connection: psycopg.Connection[Any], names: Collection[str]) -> dict[str, Order]:
    """See `ports.Ledger.known_as`."""
    rows = connection.execute(
        f"SELECT {select_list(ORDER_COLUMNS)} FROM orders WHERE external_order_id = ANY(%s)",  # noqa: S608
        (list(names),),
    )
    found = sent.with_signed(connection, [order_from(row) for row in rows])
    return {order.external_order_id: order for order in found if order.external_order_id is not None}


def fill_names(connection: psycopg.Connection[Any], names: Collection[OrderId]) -> set[FillName]:
    """The names of all fills booked for these orders: by number, and by the venue's id where it has one."""
    rows = connection.execute(
        "SELECT order_id::text, number, external_execution_id FROM executions "
        "WHERE order_id = ANY(%s::uuid[])",
        (list(names),),
    )
    told: set[FillName] = set()
    for name, number, external in rows:
        told.add((OrderId(name), number))
        if external is not None:
            told.add((OrderId(name), external))
    return told


def position(connection: psycopg.Connection[Any], mode: Mode, token_id: TokenId) -> Position | None:
    """What is held of one token, if it was ever traded."""
    row = connection.execute(
        f"SELECT {select_list(_POSITION_COLUMNS)} FROM positions WHERE mode = %s AND token_id = %s",  # noqa: S608
        (mode, token_id),
    ).fetchone()
    return _position(mode, row) if row else None


def _positions(
    connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId]
) -> tuple[list[Position], dict[TokenId, Quote]]:
    rows = connection.execute(
        f"SELECT {select_list((*_POSITION_COLUMNS, 'best_bid', 'best_ask'))}, marked_at "  # noqa: S608
        "FROM positions WHERE mode = %s AND market_id = ANY(%s) ORDER BY token_id",
        (mode, list(markets)),
    )
    positions: list[Position] = []
    quotes: dict[TokenId, Quote] = {}
    for *columns, bid, ask, marked_at in rows:
        positions.append(_position(mode, columns))
        if marked_at is not None:
            quotes[positions[-1].token_id] = Quote(best_bid=bid, best_ask=ask, at=marked_at)
    return positions, quotes


def _position(mode: Mode, row: Sequence[Any]) -> Position:
    return Position(mode=mode, **dict(zip(_POSITION_COLUMNS, row, strict=True)))


def _account(connection: psycopg.Connection[Any], mode: Mode, positions: Sequence[Position]) -> Account:
    # Cash needs no column of its own: by the ledger's invariant the cash that executions moved is
    # realised - cost basis, summed over all positions, closed ones too; entries of a token are in those.
    cash = _one(
        connection,
        """
        SELECT ((SELECT coalesce(sum(cash), 0) FROM ledger_entries
                WHERE mode = %(mode)s AND token_id IS NULL)
            + (SELECT coalesce(sum(realised - cost_basis), 0) FROM positions WHERE mode = %(mode)s))
            * 1000000
        """,
        {"mode": mode},
    )
    reserved = _one(
        connection,
        f"""
        SELECT coalesce(sum(CASE amount_unit
            WHEN 'DOLLARS' THEN greatest(amount - filled_cash, 0) * 1000000
            ELSE ceil(limit_price * greatest(amount - filled_size, 0) * 1000000) END), 0)
        FROM orders WHERE mode = %(mode)s AND side = 'BUY' AND {_ALIVE}
        """,  # noqa: S608
        {"mode": mode},
    )
    promised = connection.execute(
        f"""
        SELECT token_id, (sum(amount - filled_size) * 1000000)::bigint
        FROM orders WHERE mode = %s AND side = 'SELL' AND {_ALIVE} AND amount > filled_size
        GROUP BY token_id
        """,  # noqa: S608
        (mode,),
    )
    return Account(
        cash=Usdc(cash),
        reserved_cash=Usdc(reserved),
        held={position.token_id: position.size for position in positions if position.size},
        reserved_shares={TokenId(token): Size(size) for token, size in promised},
    )


def _opening_cash(connection: psycopg.Connection[Any], mode: Mode) -> Usdc | None:
    row = connection.execute(
        "SELECT (cash * 1000000)::bigint FROM ledger_entries WHERE mode = %s ORDER BY sequence LIMIT 1",
        (mode,),
    ).fetchone()
    return Usdc(row[0]) if row else None


def _open_orders(
    connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId]
) -> list[Order]:
    rows = connection.execute(
        f"SELECT {select_list(ORDER_COLUMNS)} FROM orders "  # noqa: S608
        f"WHERE mode = %s AND market_id = ANY(%s) AND {_ALIVE}",
        (mode, list(markets)),
    )
    # Sorted here: ten thousand rows of this width are more than the server sorts in memory.
    return sorted(map(order_from, rows), key=placed_first)


def _taken(connection: psycopg.Connection[Any], mode: Mode, markets: Collection[MarketId]) -> list[Taken]:
    rows = connection.execute(
        "SELECT market_id, (price * 1000000)::bigint, (size * 1000000)::bigint, changed_at_ms "
        "FROM liquidity_taken WHERE mode = %s AND market_id = ANY(%s) ORDER BY market_id, price",
        (mode, list(markets)),
    )
    return [
        Taken(market_id=MarketId(market), price=Price(price), size=Size(size), changed_at_ms=stamp)
        for market, price, size, stamp in rows
    ]


def _known(connection: psycopg.Connection[Any], names: Collection[OrderId]) -> list[Order]:
    return orders(connection, names) if names else []


def _executions(
    connection: psycopg.Connection[Any], names: Collection[OrderId]
) -> dict[OrderId, Sequence[Execution]]:
    found: dict[OrderId, list[Execution]] = {}
    if names:
        rows = connection.execute(
            f"SELECT {select_list(EXECUTION_COLUMNS)} FROM executions "  # noqa: S608
            "WHERE order_id = ANY(%s::uuid[]) ORDER BY order_id, number",
            (list(names),),
        )
        for row in rows:
            execution = execution_from(row)
            found.setdefault(execution.order_id, []).append(execution)
    return dict(found)


def _one(connection: psycopg.Connection[Any], query: str, parameters: Any = None) -> int:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return int(row[0])
