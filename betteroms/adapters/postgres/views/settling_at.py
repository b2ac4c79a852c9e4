"""How far fills had settled at a moment of the past, told from what was written of each."""

from collections.abc import Collection, Mapping

from betteroms.adapters.postgres.columns import EXECUTION_COLUMNS, execution_from, select_list
from betteroms.adapters.postgres.sent import UNSETTLED
from betteroms.adapters.postgres.views.moment import Moment
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId
from betteroms.domain.order import ChainState

Fills = Mapping[str, tuple[Execution, ChainState]]


def unsettled(moment: Moment) -> dict[OrderId, Fills]:
    """The orders that had a fill whose settlement was not final, with all their fills by the venue's name."""
    # What settles now, and what has gone on settling since: of all the others everything was final.
    rows = moment.rows(
        f"""
        SELECT order_id::text FROM chain_states WHERE mode = %(mode)s AND {UNSETTLED}
        UNION
        SELECT entity_id FROM audit_logs
        WHERE sequence > %(sequence)s AND mode = %(mode)s AND event_type = 'order_progressed'
        """  # noqa: S608 - our own words
    )
    found = booked(moment, [OrderId(name) for (name,) in rows])
    return {
        name: fills for name, fills in found.items() if any(not state.final for _, state in fills.values())
    }


def booked(moment: Moment, names: Collection[OrderId]) -> dict[OrderId, Fills]:
    """The fills of these orders that have a name of the venue's, with how far each had come."""
    found: dict[OrderId, dict[str, tuple[Execution, ChainState]]] = {}
    if not names:
        return {}
    rows = moment.rows(
        f"""
        SELECT {select_list(EXECUTION_COLUMNS, prefix="e.")}, coalesce((
            SELECT a.event_data->>'state' FROM audit_logs a
            WHERE a.entity_id = e.order_id::text AND a.event_type = 'order_progressed'
                AND a.sequence <= %(sequence)s AND a.event_data->>'execution' = e.external_execution_id
            ORDER BY a.sequence DESC LIMIT 1), 'MATCHED')
        FROM executions e
        WHERE e.order_id = ANY(%(names)s::uuid[]) AND e.sequence <= %(sequence)s
            AND e.external_execution_id IS NOT NULL AND e.size > 0
        ORDER BY e.order_id, e.number
        """,  # noqa: S608 - our own column list
        names=list(names),
    )
    for *row, state in rows:
        execution = execution_from(row)
        fills = found.setdefault(execution.order_id, {})
        fills[execution.external_execution_id or ""] = (execution, ChainState(state))
    return dict(found)


def markets_of(moment: Moment, names: Collection[OrderId]) -> set[MarketId]:
    """The markets of these orders."""
    if not names:
        return set()
    rows = moment.rows(
        "SELECT DISTINCT market_id FROM orders WHERE order_id = ANY(%(names)s::uuid[])", names=list(names)
    )
    return {MarketId(market) for (market,) in rows}
