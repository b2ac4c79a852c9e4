"""How the CLOB writes orders, trades and what became of a post. Amounts are decimal texts.

Sources: VENUE 3.3 and 3.5, shapes/.
"""

from functools import lru_cache
from typing import Any, Final

from betteroms.domain.money import to_text
from betteroms.sandbox.exchange import Exchange, Placement
from betteroms.sandbox.hashing import checksum
from betteroms.sandbox.model import MakerFill, Order, Refused, Trade, TradeStatus
from betteroms.sandbox.prices import trade_price

Document = dict[str, Any]

TAKER: Final = "TAKER"
MAKER: Final = "MAKER"

written = lru_cache(maxsize=65_536)(checksum)
"""An address as the venue writes it; wallets come back again and again."""


def placed(placement: Placement, exchange: Exchange) -> Document:
    """The answer to POST /order. Amounts are empty while nothing is matched.

    Transaction hashes are never there yet; orders that do not rest lack even the empty list.
    """
    order = placement.order
    told: Document = {
        "success": True,
        "errorMsg": "",
        "orderID": order.id,
        "status": placement.status,
        "makingAmount": to_text(placement.making) if placement.making else "",
        "takingAmount": to_text(placement.taking) if placement.taking else "",
        "tradeIDs": [exchange.trade_id(trade) for trade in placement.trades],
    }
    if order.time_in_force.rests:
        told["transactionsHashes"] = []
    return told


def leg(placement: Placement, exchange: Exchange) -> Document:
    """One accepted order of POST /orders: without the lists where they would be empty."""
    return {name: value for name, value in placed(placement, exchange).items() if value != []}


def refused_leg(refused: Refused) -> Document:
    """One refused order of POST /orders. It says success all the same: that much the venue did understand."""
    return {
        "success": True,
        "errorMsg": refused.text,
        "orderID": "",
        "status": "",
        "makingAmount": "",
        "takingAmount": "",
    }


def order(order: Order, exchange: Exchange) -> Document:
    return {
        "id": order.id,
        "status": order.status.value,
        "market": order.market.condition_id,
        "asset_id": order.token_id,
        "owner": order.owner,
        "maker_address": written(order.maker),
        "side": order.side.value,
        "price": to_text(order.price),
        "original_size": to_text(order.size),
        "size_matched": to_text(order.matched),
        "outcome": order.market.outcomes[order.outcome],
        "order_type": order.time_in_force.value,
        "expiration": str(order.expiration),
        "associate_trades": [exchange.trade_id(exchange.trades[number]) for number in order.trades],
        "created_at": order.created_ms // 1000,
    }


def trade(trade: Trade, exchange: Exchange, *, seen_by: frozenset[str]) -> Document:
    """The trade as the taker made it; `trader_side` tells which part one of these API keys had in it."""
    taker = trade.taker
    broadcast = trade.status is not TradeStatus.MATCHED
    return {
        "id": exchange.trade_id(trade),
        "taker_order_id": taker.id,
        "market": taker.market.condition_id,
        "asset_id": taker.token_id,
        "side": taker.side.value,
        "size": to_text(trade.shares),
        "fee_rate_bps": "0",
        "price": trade_price(trade),
        "status": f"TRADE_STATUS_{trade.status.value}",
        "match_time": str(trade.matched_ms // 1000),
        "last_update": str(trade.updated_ms // 1000),
        "outcome": taker.market.outcomes[taker.outcome],
        "bucket_index": trade.bucket,
        "owner": taker.owner,
        "maker_address": written(taker.maker),
        "transaction_hash": exchange.transaction_hash(trade) if broadcast else "",
        "trader_side": TAKER if taker.owner in seen_by else MAKER,
        "maker_orders": [_maker_order(fill) for fill in trade.fills],
    }


def _maker_order(fill: MakerFill) -> Document:
    order = fill.order
    return {
        "order_id": order.id,
        "owner": order.owner,
        "maker_address": written(order.maker),
        "matched_amount": to_text(fill.shares),
        "price": to_text(order.price),
        "fee_rate_bps": "0",
        "asset_id": order.token_id,
        "outcome": order.market.outcomes[order.outcome],
        "side": order.side.value,
    }


def canceled(done: list[str], not_done: dict[str, str]) -> Document:
    return {"canceled": done, "not_canceled": not_done}
