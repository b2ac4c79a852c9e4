"""What the market channel says about an event, as plain documents. Source: VENUE 6, QUIRKS 10 to 13."""

from collections.abc import Sequence
from typing import Any

from betteroms.domain.money import to_text
from betteroms.domain.terms import Side
from betteroms.sandbox.books import Sides, best
from betteroms.sandbox.events import BookChanged, LevelChange, MarketAdded, MarketResolved, TickChanged
from betteroms.sandbox.model import MICROS, Market, Trade

Document = dict[str, Any]


def book(told: Document) -> Document:
    """A snapshot: what GET /book answers, less what the channel never sends (QUIRKS 6)."""
    return {
        "market": told["market"],
        "asset_id": told["asset_id"],
        "timestamp": told["timestamp"],
        "hash": told["hash"],
        "bids": told["bids"],
        "asks": told["asks"],
        "tick_size": told["tick_size"],
        "event_type": "book",
        "last_trade_price": told["last_trade_price"],
    }


def price_changes(event: BookChanged, sides: Sides, hashes: Sequence[str]) -> list[Document]:
    """One message per level, in the same millisecond, each with both outcomes' entries.

    Every one of them carries the hashes of the books after all the changes, so that a reader's own book is
    crossed for a moment while a sweep is being told (QUIRKS 12).
    """
    market = event.market
    return [
        {
            "market": market.condition_id,
            "price_changes": [_entry(market, sides, change, outcome, hashes[outcome]) for outcome in (0, 1)],
            "timestamp": str(event.at_ms),
            "event_type": "price_change",
        }
        for change in event.changes
    ]


def _entry(market: Market, sides: Sides, change: LevelChange, outcome: int, book_hash: str) -> Document:
    bid, ask = best_texts(sides, outcome)
    side = change.side if outcome == 0 else Side.SELL if change.side is Side.BUY else Side.BUY
    return {
        "asset_id": market.token_ids[outcome],
        "price": to_text(change.price if outcome == 0 else MICROS - change.price),
        "size": to_text(change.size),
        "side": side.value,
        "hash": book_hash,
        "best_bid": bid,
        "best_ask": ask,
    }


def best_texts(sides: Sides, outcome: int) -> tuple[str, str]:
    """The best bid, "0" where nobody bids, and the best ask, "1" where nobody offers."""
    bid, ask = best(sides, outcome)
    return to_text(bid or 0), to_text(MICROS if ask is None else ask)


def best_bid_ask(market: Market, sides: Sides, outcome: int, at_ms: int) -> Document:
    bid, ask = best(sides, outcome)
    bid_text, ask_text = best_texts(sides, outcome)
    return {
        "market": market.condition_id,
        "asset_id": market.token_ids[outcome],
        "best_bid": bid_text,
        "best_ask": ask_text,
        "spread": to_text((MICROS if ask is None else ask) - (bid or 0)),
        "timestamp": str(at_ms),
        "event_type": "best_bid_ask",
    }


def last_trade_price(trade: Trade, *, price: str, transaction_hash: str) -> Document:
    taker = trade.taker
    return {
        "market": taker.market.condition_id,
        "asset_id": taker.token_id,
        "price": price,
        "size": to_text(trade.shares),
        "fee_rate_bps": "0",
        "side": taker.side.value,
        "timestamp": str(trade.matched_ms),
        "transaction_hash": transaction_hash,
        "event_type": "last_trade_price",
    }


def tick_size_change(event: TickChanged, outcome: int) -> Document:
    return {
        "market": event.market.condition_id,
        "asset_id": event.market.token_ids[outcome],
        "old_tick_size": to_text(event.old),
        "new_tick_size": to_text(event.new),
        "timestamp": str(event.at_ms),
        "event_type": "tick_size_change",
    }


def new_market(event: MarketAdded) -> Document:
    market = event.market
    return {
        "id": market.gamma_id,
        "question": market.question,
        "market": market.condition_id,
        "condition_id": market.condition_id,
        "slug": market.slug,
        "description": str(market.row.get("description") or ""),
        "assets_ids": list(market.token_ids),
        "clob_token_ids": list(market.token_ids),
        "outcomes": list(market.outcomes),
        "active": market.accepting_orders,
        "order_price_min_tick_size": to_text(market.tick),
        "fees_enabled": market.fee_rate > 0,
        **_belonging(market),
        "timestamp": str(event.at_ms),
        "event_type": "new_market",
    }


def market_resolved(event: MarketResolved) -> Document:
    """Names a winner where there is one: after a split payout there is none."""
    market = event.market
    winner = market.payouts.index(MICROS) if market.payouts and MICROS in market.payouts else None
    winning = (
        {}
        if winner is None
        else {"winning_asset_id": market.token_ids[winner], "winning_outcome": market.outcomes[winner]}
    )
    return {
        "id": market.gamma_id,
        "market": market.condition_id,
        "assets_ids": list(market.token_ids),
        **winning,
        **_belonging(market),
        "timestamp": str(event.at_ms),
        "event_type": "market_resolved",
    }


def _belonging(market: Market) -> Document:
    tags = [str(tag.get("slug")) for tag in market.event.get("tags") or [] if tag.get("slug")]
    if not market.event_id:
        return {"tags": tags}
    message = {
        "id": market.event_id,
        "ticker": str(market.event.get("ticker") or market.event_slug),
        "slug": market.event_slug,
        "title": str(market.event.get("title") or market.question),
        "description": str(market.event.get("description") or ""),
    }
    return {"event_message": message, "tags": tags}
