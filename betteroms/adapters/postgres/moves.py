"""Rows that move by the thousand: how orders stand, what bounds their fills, and what those add up to."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres.columns import micros, text, time
from betteroms.adapters.postgres.writing import CopyText, copy_text, send
from betteroms.domain.ids import OrderId
from betteroms.domain.order import Order
from betteroms.ports import OrderBounds

_MOVED_COLUMNS: Final = (
    "order_id", "status", "code", "reason", "filled_size", "filled_cash", "fills", "placed_at", "sending_at",
    "external_order_id",
)  # fmt: skip
_BOUNDED_COLUMNS: Final = ("order_id", "mode", "at_once", "ahead", "pessimistic", "optimistic")
# Arrays as parameters would be quoted element by element in Python: half the cost of thousands.
_TABLES: Final = """
CREATE TEMP TABLE moved (order_id uuid, status text, code text, reason text, filled_size numeric,
    filled_cash numeric, fills integer, placed_at timestamptz, sending_at timestamptz,
    external_order_id text) ON COMMIT DROP;
CREATE TEMP TABLE bounded (LIKE fill_bounds) ON COMMIT DROP
"""
# Without a look at how few they are, the server reads every order there ever was to find them.
_COUNTED: Final = "ANALYZE moved (order_id); ANALYZE bounded (order_id)"
# By how much more the bounds will differ from what was filled than they do now; see `domain.bounds_value`.
_TILTED: Final = """
INSERT INTO tilts AS t
SELECT mode, token_id, min(market_id), sum(sign * less), sum(sign * less * limit_price), sum(sign * more),
    sum(sign * more * limit_price)
FROM (
    SELECT o.mode, o.token_id, o.market_id, coalesce(o.limit_price, 0) AS limit_price,
        CASE o.side WHEN 'BUY' THEN 1 ELSE -1 END AS sign,
        coalesce(n.pessimistic, b.pessimistic) - coalesce(m.filled_size, o.filled_size)
            - coalesce(b.pessimistic - o.filled_size, 0) AS less,
        coalesce(n.optimistic, b.optimistic) - coalesce(m.filled_size, o.filled_size)
            - coalesce(b.optimistic - o.filled_size, 0) AS more
    FROM (SELECT order_id FROM moved UNION SELECT order_id FROM bounded) named
        JOIN orders o USING (order_id) LEFT JOIN fill_bounds b USING (order_id)
        LEFT JOIN moved m USING (order_id) LEFT JOIN bounded n USING (order_id)
) differing
WHERE less <> 0 OR more <> 0 GROUP BY mode, token_id
ON CONFLICT (mode, token_id) DO UPDATE SET pessimistic = t.pessimistic + EXCLUDED.pessimistic,
    pessimistic_paid = t.pessimistic_paid + EXCLUDED.pessimistic_paid,
    optimistic = t.optimistic + EXCLUDED.optimistic,
    optimistic_paid = t.optimistic_paid + EXCLUDED.optimistic_paid
"""
_MOVED: Final = """
UPDATE orders o SET status = n.status, code = n.code, reason = n.reason, filled_size = n.filled_size,
    filled_cash = n.filled_cash, fills = n.fills, placed_at = n.placed_at, sending_at = n.sending_at,
    external_order_id = n.external_order_id
FROM moved n WHERE o.order_id = n.order_id
"""
_BOUNDED: Final = """
INSERT INTO fill_bounds SELECT * FROM bounded
ON CONFLICT (order_id) DO UPDATE SET pessimistic = EXCLUDED.pessimistic, optimistic = EXCLUDED.optimistic
"""


def moved_text(orders: Iterable[Order]) -> CopyText:
    """How orders stand now, for `write`."""
    return copy_text("moved", _MOVED_COLUMNS, map(_moved_line, orders))


def bounded_text(bounds: Mapping[OrderId, OrderBounds]) -> CopyText:
    """How orders might have filled, as far as that is known now, for `write`."""
    return copy_text("bounded", _BOUNDED_COLUMNS, map(_bounded_line, bounds.values()))


def write(connection: psycopg.Connection[Any], moved: CopyText, bounded: CopyText) -> None:
    """Write how orders and their fill bounds stand now, and count them into the sums.

    In the transaction that is open; the orders are there already.
    """
    if not moved.rows and not bounded.rows:
        return
    connection.execute(_TABLES)
    send(connection, [moved, bounded])
    connection.execute(_COUNTED)
    connection.execute(_TILTED)
    connection.execute(_MOVED)
    connection.execute(_BOUNDED)
    connection.execute("DROP TABLE moved, bounded")


def _moved_line(order: Order) -> str:
    return "\t".join(
        (
            order.order_id,
            order.status,
            text(order.code),
            text(order.reason),
            micros(order.filled_size),
            micros(order.filled_cash),
            str(order.fills),
            time(order.placed_at),
            time(order.sending_at),
            text(order.external_order_id),
        )
    )


def _bounded_line(found: OrderBounds) -> str:
    bounds = found.bounds
    return "\t".join(
        (
            bounds.order_id,
            found.mode,
            micros(bounds.at_once),
            micros(bounds.ahead),
            micros(bounds.pessimistic),
            micros(bounds.optimistic),
        )
    )
