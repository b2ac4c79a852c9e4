"""Our tables beside what happened at the venue: no order twice, none forgotten, every fill booked once.

It reads the tables by SQL and the venue's own account of itself (`/sandbox/audit`), and imports nothing of
the product.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from tests.simulation.audit_money import at_the_end
from tests.simulation.audit_tables import Row, Tables
from tests.simulation.auditor import digest_of

Key = tuple[str, str]
"""An order's hash and a trade's id."""
LIVE = "live"
GTD_MARGIN_S = 60
"""The venue ends an order a minute before its expiration: so much later is it asked for."""
REVERSED = ":reversed"
QUIET = {"order_recorded", "order_sending", "order_unconfirmed", "order_progressed"}
"""What tells of the way and not of the end: whoever was disturbed went another way."""
NAMES = ("external_execution_id",)
MARKS = ("best_bid", "best_ask", "marked_at")
ENDS = {
    "LIVE": {"OPEN"},
    "DELAYED": {"OPEN"},
    "MATCHED": {"FILLED"},
    "CANCELED": {"CANCELED", "EXPIRED"},
    "CANCELED_MARKET_RESOLVED": {"CANCELED"},
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the venue tells of itself, of one wallet alone. Amounts are whole millionths."""

    document: Mapping[str, Any]
    wallet: str

    @cached_property
    def orders(self) -> Mapping[str, Row]:
        return {row["id"]: row for row in self.document["orders"] if row["maker"] == self.wallet}

    @property
    def arrived(self) -> list[str]:
        """The wallet's orders, in the order in which the venue took them on."""
        return sorted(self.orders, key=lambda name: self.orders[name]["number"])

    @cached_property
    def trades(self) -> Mapping[int, Row]:
        return {row["number"]: row for row in self.document["trades"]}

    @cached_property
    def fills(self) -> Mapping[Key, Row]:
        """Each order's part in each trade."""
        return {
            (row["order"], self.trades[row["trade"]]["id"]): row
            for row in self.document["fills"]
            if row["order"] in self.orders
        }

    @cached_property
    def holdings(self) -> Mapping[str | None, int]:
        """What the wallet holds of each token; of dollars under None."""
        return {row["token_id"]: row["amount"] for row in self.document["balances"] if self._owns(row)}

    def _owns(self, row: Row) -> bool:
        return bool(row["owner"] == self.wallet)


def disagreements(tables: Tables, told: Told) -> list[str]:
    """Every complaint; empty where the two agree and nothing is left to become of anything."""
    ours = {row["external_order_id"]: row for row in tables.orders if row["external_order_id"] is not None}
    checks = (
        _about_itself(told),
        _names(tables),
        _orders(ours, told),
        _posts(ours, told),
        _fills(tables, ours, told),
        _chain(tables, ours, told),
        _holdings(tables, told),
    )
    return [complaint for check in checks for complaint in check]


def _about_itself(told: Told) -> Iterator[str]:
    for each in told.document["invariants"]:
        if not each["holds"]:
            yield f"the venue's own books: {each['name']}: {each['complaints']}"
    if told.document["more"]:
        yield f"the venue's account is cut: {told.document['more']}"
    for row in told.document["late"]:
        if row["task"] == "late_landing":
            yield f"an order is still on its way to the venue: {row}"


def _names(tables: Tables) -> Iterator[str]:
    for row in tables.orders:
        if row["mode"] != LIVE:
            continue
        if row["status"] in ("NEW", "UNCONFIRMED"):
            yield f"order {row['order_id']}: is {row['status']} in the end"
        if row["external_order_id"] is None and row["status"] != "DENIED":
            yield f"order {row['order_id']}: is {row['status']} and has no name"


def _orders(ours: Mapping[str, Row], told: Told) -> Iterator[str]:
    for name in told.orders.keys() - ours.keys():
        yield f"order {name}: is at the venue and not in the ledger"
    for name, row in ours.items():
        there = told.orders.get(name)
        if there is None:
            if row["placed_at"] is not None and row["code"] not in ("FOK_NOT_FILLED", "FAK_NO_MATCH"):
                yield f"order {name}: is {row['status']} here, and the venue never had it"
            continue
        if row["status"] == "REJECTED" and there["status"].startswith("CANCELED"):
            continue  # written off as lost; it had arrived, and ended before anybody saw it
        # Where a fill failed before anybody saw it, what is left of the order is that it ended.
        ghosts = any(key[0] == name and fill["status"] == "FAILED" for key, fill in told.fills.items())
        if row["status"] not in ENDS[there["status"]] | (ENDS["CANCELED"] if ghosts else set()):
            yield f"order {name}: is {row['status']} here and {there['status']} there"
        for field, value in _terms(row).items():
            if there[field] != value:
                yield f"order {name}: {field} is {there[field]} there, we wanted {value}"


def _terms(row: Row) -> dict[str, Any]:
    """What the venue should have been asked for."""
    buys, dollars = row["side"] == "BUY", row["amount_unit"] == "DOLLARS"
    ends = None if row["time_in_force"] != "GTD" else int(row["expires_at"].timestamp()) + GTD_MARGIN_S
    amounts = {"maker_amount": row["amount"]} if dollars or not buys else {"taker_amount": row["amount"]}
    return {
        "token_id": row["token_id"],
        "market": row["market_id"],
        "side": row["side"],
        "time_in_force": row["time_in_force"],
        "post_only": row["post_only"],
        "expiration": ends or 0,
        **amounts,
    }


def _posts(ours: Mapping[str, Row], told: Told) -> Iterator[str]:
    """What was ever posted is one of ours, under its one name, and was taken on once at most."""
    for row in told.document["posts"]:
        if row["accepted"] > 1:
            yield f"order {row['id']}: was taken on {row['accepted']} times"
        if row["id"] not in ours:
            yield f"order {row['id']}: was posted, and is in no row"


def _fills(tables: Tables, ours: Mapping[str, Row], told: Told) -> Iterator[str]:
    booked: dict[Key, list[Row]] = {}
    undone: dict[Key, list[Row]] = {}
    for name, row in ours.items():
        for fill in tables.fills_of(row["order_id"]):
            trade, _, rest = fill["external_execution_id"].partition(REVERSED)
            into = undone if fill["external_execution_id"].endswith(REVERSED) else booked
            into.setdefault((name, trade.partition("@")[0]), []).append(fill)
            if rest:
                yield f"order {name}: a fill is called {fill['external_execution_id']}"
    for key in booked.keys() - told.fills.keys():
        yield f"fill {key}: is booked and never was"
    for key, there in told.fills.items():
        failed = there["status"] == "FAILED"
        if key not in booked:
            if not failed:
                yield f"fill {key}: of {there['shares']} is not booked"
            continue
        yield from _wrong_fill(key, booked[key], there)
        taken_back = undone.pop(key, [])
        if failed != bool(taken_back) or (failed and not _mirrored(booked[key], taken_back)):
            yield f"fill {key}: is {there['status']}, and taken back by {len(taken_back)} rows"
    for key in undone:
        yield f"fill {key}: is taken back and was never booked"


def _wrong_fill(key: Key, booked: Sequence[Row], there: Row) -> Iterator[str]:
    """Our rows of one order's part in one trade: a taker has one for each price that it met."""
    sums = {
        "shares": sum(fill["size"] for fill in booked),
        "dollars": sum(abs(fill["cash"]) for fill in booked),
        "fee": sum(fill["fee"] for fill in booked),
    }
    for field, value in sums.items():
        if there[field] != value:
            yield f"fill {key}: {field} is {value} here and {there[field]} there"
    for fill in booked:
        for field, value in (("liquidity", there["role"]), ("side", there["side"])):
            if fill[field] != value:
                yield f"fill {key}: {field} is {fill[field]} here and {value} there"


def _mirrored(booked: Sequence[Row], undone: Sequence[Row]) -> bool:
    def moved(fills: Sequence[Row], sign: int) -> list[tuple[int, int, int]]:
        return sorted((sign * fill["size"], sign * fill["cash"], sign * fill["fee"]) for fill in fills)

    return moved(booked, 1) == moved(undone, -1)


def _chain(tables: Tables, ours: Mapping[str, Row], told: Told) -> Iterator[str]:
    names = {row["order_id"]: name for name, row in ours.items()}
    for row in tables.chain:
        key = names[row["order_id"]], row["external_execution_id"].partition("@")[0]
        there = told.fills.get(key)
        if there is not None and row["state"] != there["status"]:
            yield f"fill {key}: its settlement is {row['state']} here and {there['status']} there"


def _holdings(tables: Tables, told: Told) -> Iterator[str]:
    """Once everything has settled the wallet holds what our books say, to the millionth."""
    account = at_the_end(tables)
    ours = {token: held.size for (mode, token), held in account.held.items() if mode == LIVE and held.size}
    dollars = account.cash.get(LIVE, 0)
    theirs = dict(told.holdings)
    if theirs.pop(None, 0) != dollars:
        yield f"the wallet holds {told.holdings.get(None, 0)} millionths, the ledger says {dollars}"
    if theirs != ours:
        yield f"the wallet holds {theirs}, the ledger says {ours}"


def rest_of(tables: Tables, *, named: bool = True) -> str:
    """The state in which live trading came to rest: the same however often it was disturbed on the way.

    Marks of positions are left out: they hang on when the books were read, if at all. Without `named` so are
    the venue's names of trades, which hang on the order in which orders reached it.
    """
    told = replace(
        tables,
        audit=[row for row in tables.audit if row["event_type"] not in QUIET],
        orders=[_at_rest(row) for row in tables.orders],
        executions=tables.executions if named else _without(NAMES, tables.executions),
        positions=_without(MARKS, tables.positions),
        settings=[],
    )
    chain = tables.chain if named else _without(NAMES, tables.chain)
    settled = sorted([row["order_id"], row["external_execution_id"] or "", row["state"]] for row in chain)
    return sha256(json.dumps([digest_of(told), settled]).encode()).hexdigest()


def _at_rest(row: Row) -> Row:
    """An order without what was said of it while nobody knew where it was."""
    return row if row["status"] in ("DENIED", "REJECTED") else {**row, "reason": None}


def _without(names: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    return [{**row, **dict.fromkeys(names)} for row in rows]
