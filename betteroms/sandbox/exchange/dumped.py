"""The exchange in plain JSON values, and back: markets, orders in their places, trades, what is held."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.exchange.book import Ladder
from betteroms.sandbox.exchange.floor import Floor
from betteroms.sandbox.exchange.holds import Holds, Key
from betteroms.sandbox.exchange.registry import Registry
from betteroms.sandbox.model import (
    Kind,
    MakerFill,
    Market,
    Order,
    OrderStatus,
    Protocol,
    Trade,
    TradeStatus,
)

_FIRST: Final = (
    "id",
    "number",
    "owner",
    "maker",
    "signer",
    "outcome",
    "maker_amount",
    "taker_amount",
    "price",
    "size",
    "post_only",
    "expiration",
    "signature_type",
    "created_ms",
)
"""What an order is made with, as it is written; then its market, side and kind."""
_LATER: Final = ("matched", "spent", "used", "reason")
order_dumped: Final = attrgetter(
    *_FIRST, "market.condition_id", "side", "time_in_force", *_LATER, "status", "trades"
)
"""An order as a row of values: there may be very many."""


def markets_dumped(markets: Mapping[str, Market]) -> dict[str, Any]:
    """Events are written once, however many markets each has."""
    events: list[dict[str, Any]] = []
    places: dict[int, int] = {}
    rows = []
    for market in markets.values():
        if id(market.event) not in places:
            places[id(market.event)] = len(events)
            events.append(market.event)
        row = {field.name: getattr(market, field.name) for field in fields(Market)}
        rows.append({**row, "event": places[id(market.event)]})
    return {"events": events, "rows": rows}


def markets_restored(state: Mapping[str, Any]) -> list[Market]:
    events = state["events"]
    return [_market(row, events) for row in state["rows"]]


def _market(row: Mapping[str, Any], events: list[dict[str, Any]]) -> Market:
    payouts, side = row["payouts"], row["last_side"]
    first, second = row["token_ids"]
    return Market(
        **{
            **row,
            "token_ids": (first, second),
            "outcomes": tuple(row["outcomes"]),
            "protocol": Protocol(row["protocol"]),
            "payouts": None if payouts is None else tuple(payouts),
            "last_side": None if side is None else Side(side),
            "event": events[row["event"]],
        }
    )


def order_restored(row: Sequence[Any], markets: Mapping[str, Market]) -> Order:
    count = len(_FIRST)
    condition_id, side, time_in_force = row[count : count + 3]
    order = Order(
        **dict(zip(_FIRST, row, strict=False)),
        market=markets[condition_id],
        side=Side(side),
        time_in_force=TimeInForce(time_in_force),
    )
    *later, status, trades = row[count + 3 :]
    for name, value in zip(_LATER, later, strict=True):
        setattr(order, name, value)
    order.status = OrderStatus(status)
    order.trades = tuple(trades)
    return order


def trade_dumped(trade: Trade) -> dict[str, Any]:
    return {
        "number": trade.number,
        "taker": trade.taker.id,
        "fills": [
            [fill.order.id, fill.kind.value, fill.shares, fill.dollars, fill.fee] for fill in trade.fills
        ],
        "shares": trade.shares,
        "dollars": trade.dollars,
        "fee": trade.fee,
        "matched_ms": trade.matched_ms,
        "updated_ms": trade.updated_ms,
        "bucket": trade.bucket,
        "status": trade.status.value,
        "attempt": trade.attempt,
    }


def trade_restored(row: Mapping[str, Any], orders: Mapping[str, Order]) -> Trade:
    fills = (
        MakerFill(order=orders[order_id], kind=Kind(kind), shares=shares, dollars=dollars, fee=fee)
        for order_id, kind, shares, dollars, fee in row["fills"]
    )
    trade = Trade(
        number=row["number"],
        taker=orders[row["taker"]],
        fills=tuple(fills),
        shares=row["shares"],
        dollars=row["dollars"],
        fee=row["fee"],
        matched_ms=row["matched_ms"],
        bucket=row["bucket"],
    )
    trade.updated_ms = row["updated_ms"]
    trade.status = TradeStatus(row["status"])
    trade.attempt = row["attempt"]
    return trade


def registry_dumped(registry: Registry) -> dict[str, Any]:
    return {
        "count": registry.count,
        "orders": list(map(order_dumped, registry.orders.values())),
        "trades": [trade_dumped(trade) for trade in registry.trades],
    }


def restore_registry(registry: Registry, state: Mapping[str, Any], markets: Mapping[str, Market]) -> None:
    """Fill an empty registry; its indexes follow."""
    registry.count = state["count"]
    for row in state["orders"]:
        order = order_restored(row, markets)
        registry.add(order)
        if order.status.alive:
            registry.opened(order)
    for row in state["trades"]:
        registry.traded(trade_restored(row, registry.orders))


def floor_dumped(floor: Floor) -> dict[str, Any]:
    """Who stands where in each line: an order that waited for its match may stand behind younger ones."""
    return {
        "books": {
            condition_id: [_ladder_dumped(book.buying), _ladder_dumped(book.selling)]
            for condition_id, book in floor.books.items()
        },
        "delayed": [order.id for order in floor.delayed.values()],
    }


def _ladder_dumped(ladder: Ladder) -> list[list[Any]]:
    return [[price, [order.id for order in level.orders.values()]] for price, level in ladder.levels.items()]


def restore_floor(floor: Floor, state: Mapping[str, Any], orders: Mapping[str, Order]) -> None:
    """Fill the books of markets that are there already."""
    for condition_id, sides in state["books"].items():
        book = floor.books[condition_id]
        for ladder, levels in zip((book.buying, book.selling), sides, strict=True):
            for price, order_ids in levels:
                for order_id in order_ids:
                    ladder.add(price, orders[order_id])
    floor.delayed.update({orders[order_id].number: orders[order_id] for order_id in state["delayed"]})


def holds_dumped(holds: Holds) -> dict[str, Any]:
    return {"open": _sums_dumped(holds.open), "unsettled": _sums_dumped(holds.unsettled)}


def restore_holds(holds: Holds, state: Mapping[str, Any]) -> None:
    for sums, rows in ((holds.open, state["open"]), (holds.unsettled, state["unsettled"])):
        sums.update({(wallet, token_id): amount for wallet, token_id, amount in rows})


def _sums_dumped(sums: Mapping[Key, int]) -> list[list[Any]]:
    return [[wallet, token_id, amount] for (wallet, token_id), amount in sums.items()]
