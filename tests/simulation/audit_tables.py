"""Everything the auditor reads: the tables as plain rows, money as whole millionths."""

import json
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
MICROS = 10**6
PAPER_LIKE = ("paper", "shadow")
"""Modes in which nothing leaves the process, so that a run is there whole or not at all."""

PASSES = ("trade", "maintain")
"""Kinds of runs that walk through the corridor."""
ENDS = ("order_canceled", "order_expired")
"""What ends an open order, besides its being filled."""

_QUERIES = {
    "runs": "SELECT * FROM runs ORDER BY run_id",
    "orders": "SELECT * FROM orders ORDER BY order_id",
    "executions": "SELECT * FROM executions ORDER BY sequence",
    "positions": "SELECT * FROM positions ORDER BY mode, token_id",
    "entries": "SELECT * FROM ledger_entries ORDER BY sequence",
    "audit": "SELECT * FROM audit_logs ORDER BY sequence",
    "taken": "SELECT * FROM liquidity_taken ORDER BY mode, market_id, price",
    "markets": "SELECT * FROM markets ORDER BY market_id",
    "payloads": "SELECT * FROM book_snapshots ORDER BY payload_id",
    "rules": "SELECT * FROM execution_rules ORDER BY mode, token_id",
    "bounds": "SELECT * FROM fill_bounds ORDER BY order_id",
    "portfolios": "SELECT * FROM portfolio_snapshots ORDER BY mode, hour",
    "settings": "SELECT * FROM settings ORDER BY name",
    "chain": "SELECT * FROM chain_states ORDER BY order_id, external_execution_id",
    "signed": "SELECT order_id FROM signed_orders ORDER BY order_id",
}


def micros(value: Decimal | str | int) -> int:
    """A number of units as whole millionths; anything finer is no amount of ours."""
    exact = Decimal(value) * MICROS
    whole = int(exact)
    if whole != exact:
        raise ValueError(f"{value} has more than six decimals")
    return whole


@dataclass(frozen=True, kw_only=True)
class Window:
    """The stretch of the ledger's sequence in which one completed pass, over a plan or to maintain, wrote."""

    run: Row
    first: int
    last: int

    def holds(self, sequence: int) -> bool:
        return self.first < sequence < self.last


@dataclass(frozen=True, kw_only=True)
class Tables:
    """One consistent look at a database."""

    runs: list[Row]
    orders: list[Row]
    executions: list[Row]
    positions: list[Row]
    entries: list[Row]
    audit: list[Row]
    taken: list[Row]
    markets: list[Row]
    payloads: list[Row]
    rules: list[Row]
    bounds: list[Row]
    portfolios: list[Row]
    settings: list[Row]
    chain: list[Row]
    signed: list[Row]
    last_sequence: int
    order: Mapping[str, Row]
    events: Mapping[str, list[Row]]
    fills: Mapping[str, list[Row]]
    market: Mapping[str, Row]
    windows: list[Window]
    bodies: Mapping[str, bytes]
    unreadable: list[str] = field(default_factory=list)

    def events_of(self, order_id: str) -> list[Row]:
        """The order's events, in the order in which they were written."""
        return self.events.get(order_id, [])

    def fills_of(self, order_id: str) -> list[Row]:
        return self.fills.get(order_id, [])

    def events_in(self, window: Window) -> list[Row]:
        """What was written down while the run was carried out, in its order."""
        return self.audit[bisect_right(self._places, window.first) : bisect_left(self._places, window.last)]

    @cached_property
    def _places(self) -> list[int]:
        return [event["sequence"] for event in self.audit]

    @cached_property
    def moves(self) -> list[Row]:
        """Everything that moves cash or shares, fills and entries, in the order of the sequence."""
        return sorted((*self.executions, *self.entries), key=lambda row: row["sequence"])

    @cached_property
    def events_of_run(self) -> Mapping[str, list[Row]]:
        """What was told of each run itself."""
        return _grouped((e["entity_id"], e) for e in self.audit if e["entity_type"] == "run")

    @cached_property
    def rule_events(self) -> list[Row]:
        """What was told of exit rules, in its order."""
        return [event for event in self.audit if event["entity_type"] == "rule"]

    @cached_property
    def lives(self) -> list[tuple[int, int, Row]]:
        """When each order was open: the places in the sequence at which that began and ended."""
        spans: list[tuple[int, int, Row]] = []
        for order in self.orders:
            since, until = 0, self.last_sequence + 1
            for event in self.events_of(order["order_id"]):
                kind = event["event_type"]
                if kind == "order_placed":
                    since = event["sequence"]
                elif kind in ENDS or (kind == "order_filled" and event["event_data"].get("complete")):
                    until = min(until, event["sequence"])
            if since:
                spans.append((since, until, order))
        return spans

    def open_at(self, mode: str, sequence: int) -> list[Row]:
        """The mode's orders that were open at a place in the sequence."""
        return [
            order for since, until, order in self.lives if since < sequence <= until and order["mode"] == mode
        ]

    @cached_property
    def market_of(self) -> Mapping[str, Row]:
        """The market of each outcome token."""
        return {o["tokenId"]: market for market in self.markets for o in market["outcomes"]}

    @cached_property
    def index_of(self) -> Mapping[str, int]:
        """Which outcome of its market each token is."""
        return {o["tokenId"]: index for market in self.markets for index, o in enumerate(market["outcomes"])}

    def document(self, payload_id: str | None) -> Any:
        """A kept payload as JSON with exact numbers; None where it is not kept or not JSON."""
        body = self.bodies.get(payload_id or "")
        if body is None:
            return None
        try:
            return json.loads(body, parse_float=Decimal)
        except ValueError:
            return None


def load(connection: psycopg.Connection[Any]) -> Tables:
    """Read every table at one moment."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tables = {
            name: [_plain(row) for row in cursor.execute(query).fetchall()]
            for name, query in _QUERIES.items()
        }
        found = cursor.execute("SELECT last_value FROM ledger_sequence").fetchone()
    assert found is not None
    bodies, unreadable = _bodies(tables["payloads"])
    return Tables(
        **tables,
        last_sequence=found["last_value"],
        order={row["order_id"]: row for row in tables["orders"]},
        events=_grouped((row["entity_id"], row) for row in tables["audit"] if row["entity_type"] == "order"),
        fills=_grouped((row["order_id"], row) for row in tables["executions"]),
        market={row["market_id"]: row for row in tables["markets"]},
        windows=_windows(tables["runs"], tables["audit"]),
        bodies=bodies,
        unreadable=unreadable,
    )


def _plain(row: Mapping[str, Any]) -> Row:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return micros(value)
    return str(value) if isinstance(value, UUID) else value


def _grouped(pairs: Iterator[tuple[str, Row]]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for name, row in pairs:
        groups.setdefault(name, []).append(row)
    return groups


def _windows(runs: list[Row], audit: list[Row]) -> list[Window]:
    """Completed passes with the stretch between their last start and their end, in the order they ended.

    A scheduled run only holds passes: it writes nothing of its own but its row.
    """
    started: dict[str, int] = {}
    completed: dict[str, int] = {}
    for row in audit:
        if row["entity_type"] == "run" and row["event_type"] == "run_started":
            started[row["entity_id"]] = row["sequence"]
        elif row["entity_type"] == "run" and row["event_type"] == "run_completed":
            completed[row["entity_id"]] = row["sequence"]
    windows = [
        Window(run=run, first=started[run["run_id"]], last=completed[run["run_id"]])
        for run in runs
        if run["kind"] in PASSES
        and run["status"] == "completed"
        and run["run_id"] in started
        and run["run_id"] in completed
    ]
    return sorted(windows, key=lambda window: window.last)


def _bodies(payloads: list[Row]) -> tuple[dict[str, bytes], list[str]]:
    bodies: dict[str, bytes] = {}
    unreadable: list[str] = []
    for row in payloads:
        name = row["payload_id"]
        try:
            body = zlib.decompress(row["body"])
        except zlib.error:
            unreadable.append(f"payload {name}: cannot be decompressed")
            continue
        bodies[name] = body
        if sha256(body).hexdigest() != name:
            unreadable.append(f"payload {name}: its content has another hash")
    return bodies, unreadable
