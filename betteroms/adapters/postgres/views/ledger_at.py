"""The ledger as it stood when a run began, folded again from the facts up to the run's sequence.

Facts are appended and numbered, so that what was known at a moment is what has a number up to it. Only the
run's own markets are folded row by row; of the rest there are sums.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from betteroms.adapters.postgres.staging import EVENT_TYPES, RECORDED
from betteroms.adapters.postgres.state import decode
from betteroms.adapters.postgres.views import settling_at
from betteroms.adapters.postgres.views.moment import Moment
from betteroms.adapters.postgres.views.movements import follow
from betteroms.adapters.postgres.views.told_events import event
from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.external import SOURCE as EXTERNAL_SOURCE
from betteroms.domain.ids import MarketId, OrderId, RunId, TokenId
from betteroms.domain.money import MICROS, Size, Usdc
from betteroms.domain.order import (
    ALIVE,
    Canceled,
    Denied,
    Expired,
    Order,
    OrderStatus,
    Rejected,
    after,
    placed_first,
)
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.risk import Account
from betteroms.domain.terms import Mode, Side
from betteroms.ports import Settling, Snapshot

_ENDS: Final = [EVENT_TYPES[kind] for kind in (Denied, Rejected, Canceled, Expired)]
"""What ends an order's life, besides a fill that leaves nothing of it."""


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
        ) moved GROUP BY market_id, token_id HAVING sum(size) <> 0
        UNION
        SELECT market_id FROM ledger_entries
        WHERE mode = %(mode)s AND sequence <= %(sequence)s AND token_id IS NOT NULL AND at >= %(since)s
        """,
        since=settled_since,
    )
    settling = settling_at.markets_of(moment, settling_at.unsettled(moment).keys())
    return sorted({market for (market,) in rows} | {order.market_id for order in _alive(moment)} | settling)


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
    waiting = settling_at.unsettled(moment)
    known, fills = _orders(moment, [*resting, *orders, *waiting])
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
        settling=_settling(moment, markets, [known[name] for name in resting], [known[n] for n in waiting]),
        deposited=Usdc(deposited),
        fees=Usdc(fees),
    )


def _begin(connection: psycopg.Connection[Any], run_id: RunId) -> tuple[Moment, Mapping[str, Any] | None]:
    """Where the run stands in the ledger, and what it kept of its state."""
    row = connection.execute(
        "SELECT mode, ledger_sequence, state FROM runs WHERE run_id = %s", (run_id,)
    ).fetchone()
    assert row is not None, "a run is asked for by an id that was just read"
    mode, sequence, state = row
    return Moment(connection, Mode(mode), sequence), state


def _settling(
    moment: Moment, markets: Collection[MarketId], resting: Sequence[Order], waiting: Sequence[Order]
) -> Settling:
    """See `ports.Settling`; `waiting` are all orders that had fills whose settlement was not final."""
    ended = [o for o in waiting if o.status not in ALIVE and o.intent.market_id in markets]
    alive = [order.order_id for order in resting if order.external_order_id is not None]
    names = [*alive, *(order.order_id for order in ended)]
    return Settling(orders=sorted(ended, key=placed_first), booked=settling_at.booked(moment, names))


def _alive(moment: Moment) -> list[_Alive]:
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


def _deposits(moment: Moment) -> tuple[int, Usdc | None]:
    """Deposits less withdrawals, and the first of all entries: what the wallet was opened with."""
    deposited, opening = moment.row(
        """
        SELECT (coalesce(sum(cash) FILTER (WHERE token_id IS NULL), 0) * 1000000)::bigint,
            (array_agg((cash * 1000000)::bigint ORDER BY sequence))[1]
        FROM ledger_entries WHERE mode = %(mode)s AND sequence <= %(sequence)s
        """
    )
    return deposited, None if opening is None else Usdc(opening)


def _entries(moment: Moment, markets: Collection[MarketId]) -> list[LedgerEntry]:
    rows = moment.rows(
        f"SELECT {ENTRY_LIST} FROM ledger_entries "  # noqa: S608 - our own column list
        "WHERE mode = %(mode)s AND market_id = ANY(%(markets)s) AND sequence <= %(sequence)s "
        "ORDER BY sequence",
        markets=list(markets),
    )
    return [entry_from(moment.mode, row) for row in rows]


def _bounds(
    moment: Moment, resting: Collection[OrderId], kept: Mapping[OrderId, FillBounds]
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


def _positions(moment: Moment, markets: Collection[MarketId]) -> dict[TokenId, Position]:
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
    moment: Moment, names: Sequence[OrderId]
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
    begun: dict[OrderId, tuple[datetime, Mapping[str, Any]]] = {}
    rows = moment.rows(
        "SELECT entity_id, event_type, at, event_data FROM audit_logs WHERE entity_id = ANY(%(names)s) "
        "AND entity_type = 'order' AND sequence <= %(sequence)s ORDER BY sequence",
        names=list(names),
    )
    for name, kind, at, data in rows:
        events = told.setdefault(OrderId(name), [])
        if kind == RECORDED:
            # It never left and was written anew: what was told of it before is of another order.
            events.clear()
            begun[OrderId(name)] = at, data
        else:
            events.append((kind, at, data))
    rows = moment.rows(
        f"SELECT {select_list(ORDER_COLUMNS)} FROM orders "  # noqa: S608
        "WHERE order_id = ANY(%(names)s::uuid[]) AND mode = %(mode)s",
        names=list(told),
    )
    found: dict[OrderId, Order] = {}
    for order in map(order_from, rows):
        name = order.order_id
        news = [event(order, fills.get(name, {}), *said) for said in told[name]]
        found[name] = after(_begun(order, begun.get(name)), news)
    return found, fills


def _begun(order: Order, recorded: tuple[datetime, Mapping[str, Any]] | None) -> Order:
    """The order as it was first written down, before anything happened to it; without its signed bytes.

    `recorded` is when that was and what was told then, where it was to leave the process.
    """
    at, data = recorded or (order.created_at, {})
    sending = data.get("sendingAt")
    external = order.intent.source == EXTERNAL_SOURCE
    return replace(
        order,
        created_at=at,
        sending_at=None if sending is None else datetime.fromisoformat(sending),
        external_order_id=data.get("name", order.external_order_id),
        status=OrderStatus.NEW,
        code=order.code if external else None,
        reason=order.reason if external else None,
        filled_size=Size(0),
        filled_cash=Usdc(0),
        fills=0,
        placed_at=None,
    )
