"""The ledger as it stood when a run began, folded again from the facts up to the run's sequence.

Facts are appended and numbered, so that what was known at a moment is what has a number up to it. Only the
run's own markets are folded row by row; of the rest there are sums.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import psycopg

from betteroms.adapters.postgres import facts
from betteroms.adapters.postgres.columns import (
    EXECUTION_COLUMNS,
    ORDER_COLUMNS,
    execution_from,
    order_from,
    select_list,
)
from betteroms.adapters.postgres.facts import ENTRY_LIST, entry_from
from betteroms.adapters.postgres.staging import EVENT_TYPES
from betteroms.adapters.postgres.state import decode
from betteroms.adapters.postgres.views.movements import follow
from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, RunId, TokenId
from betteroms.domain.money import MICROS, Size, Usdc
from betteroms.domain.order import (
    Accepted,
    Canceled,
    CancelRequested,
    Denial,
    Denied,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Rejected,
    Reversed,
    Unconfirmed,
    after,
)
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.risk import Account
from betteroms.domain.terms import Mode, Side
from betteroms.ports import Snapshot

_ENDS: Final = [EVENT_TYPES[kind] for kind in (Denied, Rejected, Canceled, Expired)]
"""What ends an order's life, besides a fill that leaves nothing of it."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """A place in the ledger: everything of this mode with a number up to `sequence`."""

    connection: psycopg.Connection[Any]
    mode: Mode
    sequence: int

    def rows(self, query: str, **given: Any) -> Iterable[tuple[Any, ...]]:
        """The rows of a query that names `mode` and `sequence`."""
        parameters = {"mode": self.mode, "sequence": self.sequence, **given}
        return self.connection.execute(query, parameters)

    def row(self, query: str) -> tuple[Any, ...]:
        """The one row of a query that sums something up."""
        (found,) = self.rows(query)
        return found


@dataclass(frozen=True, slots=True)
class _Alive:
    """An order that was alive, as far as reservations go; amounts in millionths."""

    order_id: OrderId
    market_id: MarketId
    token_id: TokenId
    side: Side
    reserved: int


def touched(
    connection: psycopg.Connection[Any], run_id: RunId, *, settled_since: datetime
) -> Sequence[MarketId]:
    """See `records.Records.touched_before`."""
    moment, _ = _begin(connection, run_id)
    rows = moment.rows(
        """
        SELECT market_id FROM (
            SELECT market_id, token_id, CASE side WHEN 'BUY' THEN size ELSE -size END AS size
            FROM executions WHERE mode = %(mode)s AND sequence <= %(sequence)s
            UNION ALL
            SELECT market_id, token_id, size FROM ledger_entries
            WHERE mode = %(mode)s AND sequence <= %(sequence)s AND token_id IS NOT NULL
        ) moved GROUP BY market_id, token_id HAVING sum(size) > 0
        UNION
        SELECT market_id FROM ledger_entries
        WHERE mode = %(mode)s AND sequence <= %(sequence)s AND token_id IS NOT NULL AND at >= %(since)s
        """,
        since=settled_since,
    )
    return sorted({market for (market,) in rows} | {order.market_id for order in _alive(moment)})


def snapshot(
    connection: psycopg.Connection[Any],
    run_id: RunId,
    *,
    markets: Collection[MarketId],
    orders: Collection[OrderId],
) -> Snapshot:
    """See `records.Records.snapshot_before`."""
    moment, kept = _begin(connection, run_id)
    state = decode(kept)
    positions = _positions(moment, markets)
    alive = _alive(moment)
    resting = [order.order_id for order in alive if order.market_id in frozenset(markets)]
    known, fills = _orders(moment, [*resting, *orders])
    deposited, opening_cash = _deposits(moment)
    moved, fees = moment.row(
        """
        SELECT ((coalesce(sum(cash - fee), 0) + (SELECT coalesce(sum(cash), 0) FROM ledger_entries
                WHERE mode = %(mode)s AND sequence <= %(sequence)s AND token_id IS NOT NULL))
            * 1000000)::bigint, (coalesce(sum(fee), 0) * 1000000)::bigint
        FROM executions WHERE mode = %(mode)s AND sequence <= %(sequence)s
        """
    )
    settlements: dict[TokenId, list[LedgerEntry]] = {}
    for entry in _entries(moment, markets):
        assert entry.token_id is not None, "entries of a market are about one of its tokens"
        settlements.setdefault(entry.token_id, []).append(entry)
    return Snapshot(
        mode=moment.mode,
        account=Account(
            cash=Usdc(deposited + moved),
            reserved_cash=Usdc(sum(order.reserved for order in alive if order.side is Side.BUY)),
            held={token: position.size for token, position in positions.items() if position.size},
            reserved_shares=_reserved_shares(alive),
        ),
        positions=positions,
        open_orders=[known[name] for name in resting],
        taken=state.taken,
        known={name: known[name] for name in orders if name in known},
        executions={name: list(fills[name].values()) for name in orders if name in fills},
        sequence=moment.sequence,
        opening_cash=opening_cash,
        rules=state.rules,
        bounds=_bounds(moment, resting, state.bounds),
        history=state.history,
        quotes=state.quotes,
        tilts=state.tilts,
        worths=state.worths,
        elsewhere=state.elsewhere,
        settlements=dict(sorted(settlements.items())),
        deposited=Usdc(deposited),
        fees=Usdc(fees),
    )


def _begin(connection: psycopg.Connection[Any], run_id: RunId) -> tuple[_Moment, Mapping[str, Any] | None]:
    """Where the run stands in the ledger, and what it kept of its state."""
    row = connection.execute(
        "SELECT mode, ledger_sequence, state FROM runs WHERE run_id = %s", (run_id,)
    ).fetchone()
    assert row is not None, "a run is asked for by an id that was just read"
    mode, sequence, state = row
    return _Moment(connection, Mode(mode), sequence), state


def _alive(moment: _Moment) -> list[_Alive]:
    """The orders that reserved something then: those of today, and those that ended since."""
    rows = moment.rows(
        f"""
        SELECT o.order_id::text, o.market_id, o.token_id, o.side, o.amount_unit,
            (o.amount * 1000000)::bigint, (o.limit_price * 1000000)::bigint,
            (coalesce(e.size, 0) * 1000000)::bigint, (coalesce(e.cash, 0) * 1000000)::bigint
        FROM orders o LEFT JOIN LATERAL (
            SELECT sum(size) AS size, sum(sign(size) * abs(cash)) AS cash FROM executions
            WHERE order_id = o.order_id AND sequence <= %(sequence)s
        ) e ON true
        WHERE o.mode = %(mode)s AND o.amount IS NOT NULL
            AND o.order_id IN (
                SELECT order_id FROM orders
                WHERE mode = %(mode)s AND status IN ('NEW', 'UNCONFIRMED', 'OPEN')
                UNION ALL
                SELECT entity_id::uuid FROM audit_logs
                WHERE sequence > %(sequence)s AND entity_type = 'order' AND {_ENDED})
            AND EXISTS (SELECT FROM audit_logs WHERE entity_id = o.order_id::text
                AND sequence <= %(sequence)s)
            AND NOT EXISTS (SELECT FROM audit_logs WHERE entity_id = o.order_id::text
                AND sequence <= %(sequence)s AND {_ENDED})
        """,  # noqa: S608 - our own words
        ends=_ENDS,
    )
    found: list[_Alive] = []
    for name, market, token, side, unit, amount, limit, size, cash in rows:
        left = max(amount - (cash if unit == "DOLLARS" else size), 0)
        if side == Side.BUY and unit != "DOLLARS":
            left = -(-limit * left // MICROS)
        found.append(_Alive(OrderId(name), MarketId(market), TokenId(token), Side(side), left))
    return found


_ENDED: Final = (
    "(event_type = ANY(%(ends)s) OR event_type = 'order_filled' AND (event_data->>'complete')::boolean)"
)


def _reserved_shares(alive: Iterable[_Alive]) -> dict[TokenId, Size]:
    shares: dict[TokenId, int] = {}
    for order in alive:
        if order.side is Side.SELL:
            shares[order.token_id] = shares.get(order.token_id, 0) + order.reserved
    return {token: Size(size) for token, size in shares.items() if size}


def _deposits(moment: _Moment) -> tuple[int, Usdc | None]:
    """Deposits less withdrawals, and the first of all entries: what the wallet was opened with."""
    deposited, opening = moment.row(
        """
        SELECT (coalesce(sum(cash) FILTER (WHERE token_id IS NULL), 0) * 1000000)::bigint,
            (array_agg((cash * 1000000)::bigint ORDER BY sequence))[1]
        FROM ledger_entries WHERE mode = %(mode)s AND sequence <= %(sequence)s
        """
    )
    return deposited, None if opening is None else Usdc(opening)


def _entries(moment: _Moment, markets: Collection[MarketId]) -> list[LedgerEntry]:
    rows = moment.rows(
        f"SELECT {ENTRY_LIST} FROM ledger_entries "  # noqa: S608 - our own column list
        "WHERE mode = %(mode)s AND market_id = ANY(%(markets)s) AND sequence <= %(sequence)s "
        "ORDER BY sequence",
        markets=list(markets),
    )
    return [entry_from(moment.mode, row) for row in rows]


def _bounds(
    moment: _Moment, resting: Collection[OrderId], kept: Mapping[OrderId, FillBounds]
) -> dict[OrderId, FillBounds]:
    """The bounds of what rested: as the run kept them, else as they were when the order came to rest."""
    today = facts.bounds(moment.connection, resting) if resting else {}
    begun = {
        name: replace(found, pessimistic=found.at_once, optimistic=found.at_once)
        for name, found in today.items()
    }
    return {**begun, **kept}


class _Followed:
    """A position that follows its token's movements; see `reckoning.Follower`."""

    __slots__ = ("holding",)

    def __init__(self, mode: Mode, market_id: MarketId, token_id: TokenId) -> None:
        self.holding = Holding(Position(mode=mode, market_id=market_id, token_id=token_id))

    def buy(self, size: int, cash: int, fee: int, at: datetime, _owner: str | None) -> None:
        self.holding.buy(size, cash, fee, at)

    def sell(self, size: int, cash: int, fee: int, _at: datetime, _owner: str | None) -> None:
        self.holding.sell(size, cash, fee)

    def leave(self, size: int, cash: int, _at: datetime) -> None:
        self.holding.leave(size, cash)


def _positions(moment: _Moment, markets: Collection[MarketId]) -> dict[TokenId, Position]:
    """The fold of everything that happened to these markets' tokens, in its order."""
    found: dict[TokenId, _Followed] = {}

    def following(mode: Mode, market_id: MarketId, token_id: TokenId) -> _Followed:
        return found.setdefault(token_id, _Followed(mode, market_id, token_id))

    follow(
        moment.connection,
        following,
        mode=moment.mode,
        owners=None,
        tokens=None,
        markets=markets,
        until=moment.sequence,
    )
    return {token: followed.holding.position() for token, followed in sorted(found.items())}


def _orders(
    moment: _Moment, names: Sequence[OrderId]
) -> tuple[dict[OrderId, Order], dict[OrderId, dict[int, Execution]]]:
    """These orders as they stood, of those that existed; and their fills by number."""
    if not names:
        return {}, {}
    fills: dict[OrderId, dict[int, Execution]] = {}
    rows = moment.rows(
        f"SELECT {select_list(EXECUTION_COLUMNS)} FROM executions "  # noqa: S608
        "WHERE order_id = ANY(%(names)s::uuid[]) AND sequence <= %(sequence)s ORDER BY order_id, number",
        names=list(names),
    )
    for execution in map(execution_from, rows):
        fills.setdefault(execution.order_id, {})[execution.number] = execution
    told: dict[OrderId, list[Any]] = {}
    rows = moment.rows(
        "SELECT entity_id, event_type, at, event_data FROM audit_logs WHERE entity_id = ANY(%(names)s) "
        "AND entity_type = 'order' AND sequence <= %(sequence)s ORDER BY sequence",
        names=list(names),
    )
    for name, *event in rows:
        told.setdefault(OrderId(name), []).append(event)
    rows = moment.rows(
        f"SELECT {select_list(ORDER_COLUMNS)} FROM orders "  # noqa: S608
        "WHERE order_id = ANY(%(names)s::uuid[]) AND mode = %(mode)s",
        names=list(told),
    )
    found: dict[OrderId, Order] = {}
    for order in map(order_from, rows):
        name = order.order_id
        events = [_event(order, fills.get(name, {}), *event) for event in told[name]]
        found[name] = after(_begun(order), events)
    return found, fills


def _begun(order: Order) -> Order:
    """The order as it was first written down, before anything happened to it."""
    return replace(
        order,
        status=OrderStatus.NEW,
        code=None,
        reason=None,
        filled_size=Size(0),
        filled_cash=Usdc(0),
        fills=0,
        placed_at=None,
    )


def _event(
    order: Order, fills: Mapping[int, Execution], kind: str, at: datetime, data: Mapping[str, Any]
) -> OrderEvent:
    """What an audit row of an order tells, as the event that it was."""
    return _READ[kind](order, fills, at, data)


_READ: Final[
    Mapping[str, Callable[[Order, Mapping[int, Execution], datetime, Mapping[str, Any]], OrderEvent]]
] = {
    "order_denied": lambda order, _, at, data: Denied(
        order_id=order.order_id, at=at, denial=Denial(code=data["code"], detail=data["detail"])
    ),
    "order_unconfirmed": lambda order, _, at, data: Unconfirmed(
        order_id=order.order_id, at=at, reason=data["reason"]
    ),
    "order_placed": lambda order, _, at, __: Accepted(order_id=order.order_id, at=at),
    "order_rejected": lambda order, _, at, data: Rejected(
        order_id=order.order_id, at=at, code=data["code"], reason=data["reason"]
    ),
    "order_filled": lambda order, fills, at, data: Filled(
        order_id=order.order_id,
        at=at,
        market_id=order.intent.market_id,
        executions=tuple(fills[number] for number, *_ in data["executions"]),
        complete=data["complete"],
    ),
    "order_cancel_requested": lambda order, _, at, data: CancelRequested(
        order_id=order.order_id, at=at, reason=data["reason"]
    ),
    "order_canceled": lambda order, _, at, data: Canceled(order_id=order.order_id, at=at, code=data["code"]),
    "order_expired": lambda order, _, at, __: Expired(order_id=order.order_id, at=at),
    "order_reversed": lambda order, fills, at, data: Reversed(
        order_id=order.order_id, at=at, executions=tuple(fills[number] for number in data["executions"])
    ),
}
