"""What happened to orders in one run, read back in the order in which it was told."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from betteroms.adapters.postgres import reading
from betteroms.adapters.postgres.columns import EXECUTION_COLUMNS, execution_from, select_list
from betteroms.adapters.postgres.staging import RECORDED
from betteroms.adapters.postgres.views.told_events import event
from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId, RunId
from betteroms.domain.order import ChainState, OrderEvent
from betteroms.records import Settled


def told_in(connection: psycopg.Connection[Any], run_id: RunId) -> Sequence[OrderEvent]:
    """See `records.Records.told_in`. One run of a mode writes at a time, so its rows lie between its own."""
    rows = connection.execute(
        """
        WITH run AS (
            SELECT max(sequence) FILTER (WHERE event_type = 'run_started') AS first, max(sequence) AS last
            FROM audit_logs WHERE entity_id = %s AND entity_type = 'run'
        )
        SELECT entity_id, event_type, at, event_data FROM audit_logs a, run
        WHERE a.sequence > run.first AND a.sequence < run.last AND entity_type = 'order'
            AND mode = (SELECT mode FROM runs WHERE run_id = %s) AND event_type <> %s
        ORDER BY a.sequence
        """,
        (run_id, run_id, RECORDED),
    ).fetchall()
    names = list({OrderId(row[0]) for row in rows})
    orders = {order.order_id: order for order in reading.orders(connection, names)}
    fills: dict[OrderId, dict[int, Execution]] = {name: {} for name in names}
    booked = connection.execute(
        f"SELECT {select_list(EXECUTION_COLUMNS)} FROM executions WHERE order_id = ANY(%s::uuid[])",  # noqa: S608
        (names,),
    )
    for execution in map(execution_from, booked):
        fills[execution.order_id][execution.number] = execution
    return [event(orders[name], fills[name], *told) for name, *told in rows]


def settled(connection: psycopg.Connection[Any], order_id: OrderId) -> Mapping[str, Settled]:
    """See `records.Records.settled`."""
    rows = connection.execute(
        "SELECT external_execution_id, state, transaction_hash FROM chain_states WHERE order_id = %s",
        (order_id,),
    )
    return {
        name: Settled(state=ChainState(state), transaction_hash=transaction)
        for name, state, transaction in rows
    }
