"""How the CLOB writes markets. Here, unlike in books, ticks and prices are JSON numbers.

Sources: VENUE 4 and 5.1, shapes/clob_market_info.json, recorded pages.
"""

import json
from datetime import UTC, datetime
from typing import Any

from betteroms.domain.money import to_text
from betteroms.sandbox.books import Sides, best
from betteroms.sandbox.model import MICROS, Market

Document = dict[str, Any]


def number(micros: int) -> int | float:
    """Millionths as a JSON number: whole where they are, else the float that prints as the exact decimal."""
    return micros // MICROS if micros % MICROS == 0 else float(to_text(micros))


def info(market: Market) -> Document:
    """GET /clob-markets/{condition_id}: the market in short names. No `fd`, no fee."""
    told: Document = {
        "c": market.condition_id,
        "t": [
            {"t": token, "o": outcome}
            for token, outcome in zip(market.token_ids, market.outcomes, strict=True)
        ],
        "mts": number(market.tick),
        "mos": number(market.minimum_size),
        "nr": market.neg_risk,
    }
    if market.fee_rate:
        told["fd"] = {"r": number(market.fee_rate), "e": market.fee_exponent, "to": True}
    return told | {"mbf": 0, "tbf": 0, "rfqe": False}


def full(market: Market, book: Sides) -> Document:
    """A row of GET /markets, and GET /markets/{condition_id}. What nobody knows is empty."""
    row = market.row
    return {
        "enable_order_book": not market.closed,
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": market.accepting_orders,
        "accepting_order_timestamp": row.get("acceptingOrdersTimestamp"),
        "minimum_order_size": number(market.minimum_size),
        "minimum_tick_size": number(market.tick),
        "condition_id": market.condition_id,
        "question_id": market.question_id,
        "question": market.question,
        "description": _text(row, "description"),
        "market_slug": market.slug,
        "end_date_iso": _moment(market.ends_ms),
        "game_start_time": _moment(market.game_starts_ms),
        "seconds_delay": market.seconds_delay,
        "fpmm": _text(row, "marketMakerAddress"),
        "maker_base_fee": 0,
        "taker_base_fee": 0,
        "notifications_enabled": True,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": market.group_id or "",
        "neg_risk_request_id": _text(row, "negRiskRequestID"),
        "icon": _text(row, "icon"),
        "image": _text(row, "image"),
        "rewards": _rewards(market),
        "is_50_50_outcome": market.payouts is not None and market.payouts[0] == market.payouts[1],
        "tokens": _tokens(market, book),
        "tags": [str(tag["label"]) for tag in market.event.get("tags") or [] if "label" in tag] or ["All"],
    }


def simplified(market: Market, book: Sides) -> Document:
    """A row of GET /simplified-markets."""
    return {
        "condition_id": market.condition_id,
        "rewards": _rewards(market),
        "tokens": _tokens(market, book),
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": market.accepting_orders,
    }


def is_rewarded(market: Market) -> bool:
    """Whether it belongs to the sampling pages: resting orders earn there."""
    return not market.closed and market.accepting_orders and bool(market.row.get("clobRewards"))


def _rewards(market: Market) -> Document:
    row = market.row
    rates = [
        {
            "asset_address": reward.get("assetAddress", ""),
            "rewards_daily_rate": reward.get("rewardsDailyRate", 0),
        }
        for reward in row.get("clobRewards") or []
    ]
    return {
        "rates": rates or None,
        "min_size": row.get("rewardsMinSize") or 0,
        "max_spread": row.get("rewardsMaxSpread") or 0,
    }


def _tokens(market: Market, book: Sides) -> list[Document]:
    first = _price(market, book)
    prices = (first, MICROS - first)
    return [
        {
            "token_id": token,
            "outcome": outcome,
            "price": number(price),
            "winner": market.payouts is not None and market.payouts[place] == MICROS,
        }
        for place, (token, outcome, price) in enumerate(
            zip(market.token_ids, market.outcomes, prices, strict=True)
        )
    ]


def _price(market: Market, book: Sides) -> int:
    """What the first outcome is worth: the payout, else the middle of the book, else the last trade."""
    if market.payouts is not None:
        return market.payouts[0]
    bid, ask = best(book, 0)
    if bid is not None and ask is not None:
        return (bid + ask) // 2
    return MICROS // 2 if market.last_price is None else market.last_price


def _moment(time_ms: int | None) -> str | None:
    return (
        None
        if time_ms is None
        else datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
