"""What is kept of orders that leave the process: signed bytes while they are alive, and how fills settle.

Paper has neither, and pays nothing for them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import (
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    execution_from,
    order_from,
    select_list,
)
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId
from betteroms.domain.order import ALIVE, ChainState, Order, placed_first
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Mode
from betteroms.ports import Settling

UNSETTLED: Final = "state NOT IN ('CONFIRMED', 'FAILED')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How far the settlement of a fill has come, as a row."""

    order_id: OrderId
    external_execution_id: str
    mode: Mode
    state: ChainState
    transaction_hash: str | None
    at: datetime


def write(
    connection: psycopg.Connection[Any],
    *,
    new: Iterable[Order],
    moved: Iterable[Order],
    settlements: Collection[Settlement],
) -> None:
    """Keep the signed bytes of new orders that are alive, erase those that ended, note how fills settle.

    In the transaction that is open; the orders are there already.
    """
    signed = [(order.order_id, order.signed) for order in new if order.signed is not None]
    ended = [o.order_id for o in moved if o.external_order_id is not None and o.status not in ALIVE]
    if signed:
        connection.execute(
            "INSERT INTO signed_orders SELECT * FROM unnest(%s::uuid[], %s::text[])",
            ([name for name, _ in signed], [body.reveal() for _, body in signed]),
        )
    if ended:
        connection.execute("DELETE FROM signed_orders WHERE order_id = ANY(%s::uuid[])", (ended,))
    if settlements:
        connection.execute(
            """
            INSERT INTO chain_states (order_id, external_execution_id, mode, state, transaction_hash, at)
            SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[],
                %s::timestamptz[])
            ON CONFLICT (order_id, external_execution_id) DO UPDATE SET state = EXCLUDED.state,
                transaction_hash = EXCLUDED.transaction_hash, at = EXCLUDED.at
            """,
            (
                [row.order_id for row in settlements],
                [row.external_execution_id for row in settlements],
                [row.mode.value for row in settlements],
                [row.state.value for row in settlements],
                [row.transaction_hash for row in settlements],
                [row.at for row in settlements],
            ),
        )


def with_signed(connection: psycopg.Connection[Any], orders: Sequence[Order]) -> list[Order]:
    """The orders with their signed bytes, where those are kept."""
    names = [order.order_id for order in orders if order.external_order_id is not None]
    if not names:
        return list(orders)
    rows = connection.execute(
        "SELECT order_id::text, body FROM signed_orders WHERE order_id = ANY(%s::uuid[])", (names,)
    )
    bodies = {name: Secret(body) for name, body in rows}
    return [replace(order, signed=bodies.get(order.order_id)) for order in orders]


def unwanted(connection: psycopg.Connection[Any], mode: Mode) -> frozenset[OrderId]:
    """Orders of which nobody knows whether they arrived, and that nobody wants any more.

    Their run was given up meanwhile, or they were to be cancelled.
    """
    rows = connection.execute(
        "SELECT order_id::text FROM orders JOIN runs USING (run_id) WHERE orders.mode = %s "
        "AND orders.status IN ('NEW', 'UNCONFIRMED') AND (runs.status = 'abandoned' OR EXISTS ("
        "SELECT FROM audit_logs WHERE entity_id = order_id::text AND event_type = 'order_cancel_requested'))",
        (mode,),
    )
    return frozenset(name for (name,) in rows)


def known_until(connection: psycopg.Connection[Any]) -> datetime | None:
    """When the last poll began after which every order of our key was in the ledger.

    Where there was none yet, when anything was first done in live; None where nothing ever was.
    """
    row = connection.execute(
        "SELECT coalesce(max(now) FILTER (WHERE kind = 'poll' AND status = 'completed' "
        "AND (summary_json->'result'->'behind'->>'count')::int = 0), min(now)) FROM runs "
        "WHERE mode = 'live'"
    ).fetchone()
    return row[0] if row else None


def wallet_of(connection: psycopg.Connection[Any]) -> str | None:
    """Whose live books these are: the wallet that the last poll compared them with. None before the first."""
    row = connection.execute(
        "SELECT summary_json->'result'->'reconciliation'->>'wallet' FROM runs WHERE mode = 'live' "
        "AND kind = 'poll' AND status = 'completed' "
        "AND summary_json->'result'->'reconciliation'->>'wallet' IS NOT NULL ORDER BY now DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def settling(
    connection: psycopg.Connection[Any],
    mode: Mode,
    *,
    markets: Collection[MarketId],
    alive: Collection[OrderId],
) -> Settling:
    """Orders of these markets that ended with fills still settling; what is booked of them and of `alive`."""
    # Asked first and alone: on paper there is nothing, which one look at the index tells.
    unsettled = [
        name
        for (name,) in connection.execute(
            f"SELECT DISTINCT order_id::text FROM chain_states WHERE mode = %s AND {UNSETTLED}",  # noqa: S608
            (mode,),
        )
    ]
    ended: list[Order] = []
    if unsettled:
        rows = connection.execute(
            f"SELECT {select_list(ORDER_COLUMNS)} FROM orders "  # noqa: S608 - our own column list
            "WHERE order_id = ANY(%s::uuid[]) AND market_id = ANY(%s)",
            (unsettled, list(markets)),
        )
        found = sorted(map(order_from, rows), key=placed_first)
        ended = [order for order in found if order.status not in ALIVE]
    names = [*alive, *(order.order_id for order in ended)]
    return Settling(orders=ended, booked=_booked(connection, names))


def _booked(
    connection: psycopg.Connection[Any], names: Sequence[OrderId]
) -> Mapping[OrderId, Mapping[str, tuple[Execution, ChainState]]]:
    """The fills of these orders by the venue's name, with how far their settlement has come."""
    found: dict[OrderId, dict[str, tuple[Execution, ChainState]]] = {}
    if not names:
        return found
    rows = connection.execute(
        f"SELECT {select_list(EXECUTION_COLUMNS, prefix='e.')}, state FROM executions e "  # noqa: S608
        "JOIN chain_states c USING (order_id, external_execution_id) WHERE e.order_id = ANY(%s::uuid[]) "
        "ORDER BY e.order_id, e.number",
        (list(names),),
    )
    for *row, state in rows:
        execution = execution_from(row)
        fills = found.setdefault(execution.order_id, {})
        fills[execution.external_execution_id or ""] = (execution, ChainState(state))
    return found
