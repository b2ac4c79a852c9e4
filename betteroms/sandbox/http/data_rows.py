"""Positions, trades and activity as the Data API tells them, in its newer words and in its older ones.

Numbers are JSON floats there: made of whole millionths at the last moment. Source: VENUE 5.3,
shapes/data_api_v2_*.json, data/data_api.
"""

from collections.abc import Mapping
from typing import Any, Final

from betteroms.sandbox.activity import Activity, ActivityKind
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.holdings import Fill, Holding
from betteroms.sandbox.http.gamma_rows import iso, outcome_prices
from betteroms.sandbox.model import MICROS, Market, Protocol

NO_OUTCOME: Final = 999
"""The outcome index of what concerns both (QUIRKS 24)."""
RATIO_DECIMALS: Final = 10
"""Prices of fills and averages are ratios of amounts, off the tick (QUIRKS 23)."""
_NOBODY: Final = {"name": "", "pseudonym": "", "bio": "", "profile_image": "", "profile_image_optimized": ""}
_CAMEL: Final = {
    "proxy_wallet": "proxyWallet",
    "token_id": "asset",
    "condition_id": "conditionId",
    "transaction_hash": "transactionHash",
    "event_slug": "eventSlug",
    "outcome_index": "outcomeIndex",
    "usdc_size": "usdcSize",
    "profile_image": "profileImage",
    "profile_image_optimized": "profileImageOptimized",
}


def units(micros: int) -> float:
    return micros / MICROS


def trade_row(exchange: Exchange, fill: Fill) -> dict[str, Any]:
    return {
        "proxy_wallet": fill.wallet,
        "side": fill.side.value,
        "token_id": fill.market.token_ids[fill.outcome],
        "condition_id": fill.market.condition_id,
        "size": units(fill.shares),
        "price": ratio(fill.dollars, fill.shares),
        "timestamp": fill.at_ms // 1000,
        "transaction_hash": exchange.transaction_hash(fill.trade),
        **_named(fill.market),
        "outcome": fill.market.outcomes[fill.outcome],
        "outcome_index": fill.outcome,
        **_NOBODY,
    }


def trade_activity_row(exchange: Exchange, fill: Fill) -> dict[str, Any]:
    row = trade_row(exchange, fill)
    return row | {"type": "TRADE", "usdc_size": units(fill.dollars), "is_combo": False}


def activity_row(activity: Activity) -> dict[str, Any]:
    """A split, merge or redemption: of no side, no token, no price."""
    market = activity.market
    size = activity.dollars if activity.kind is ActivityKind.REDEEM else activity.shares[0]
    return {
        "proxy_wallet": activity.owner,
        "type": activity.kind.value,
        "side": "",
        "token_id": "",
        "condition_id": market.condition_id,
        "size": units(size),
        "usdc_size": units(activity.dollars),
        "price": 0,
        "timestamp": activity.at_ms // 1000,
        "transaction_hash": activity.transaction_hash,
        **_named(market),
        "outcome": "",
        "outcome_index": NO_OUTCOME,
        "is_combo": False,
        **_NOBODY,
    }


def older(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a trade or an activity in the words of the first Data API."""
    return {_CAMEL.get(name, name): value for name, value in row.items() if name != "is_combo"}


def position_row(exchange: Exchange, holding: Holding, *, held: int, other: int) -> dict[str, Any]:
    """A position in the newer words. `held` and `other` are the balances of the token and its complement."""
    market, outcome = holding.market, holding.outcome
    price = current_price(exchange, holding)
    value = price * held // MICROS
    unrealized = value - holding.cost
    total = holding.realized + unrealized
    over = market.payouts is not None
    return {
        "proxy_wallet": holding.wallet,
        "token_id": holding.token_id,
        "condition_id": market.condition_id,
        "current_size": units(held),
        "avg_price": average(holding),
        "entry_cost_usdc": units(holding.cost),
        "entry_fees_usdc": units(holding.fees),
        "total_cost_usdc": units(holding.paid),
        "current_price": units(price),
        "current_value": units(value),
        "total_size": units(holding.got),
        "realized_pnl": units(holding.realized),
        "unrealized_pnl": units(unrealized),
        "total_pnl": units(total),
        "percent_pnl": percent(total, holding.paid),
        "percent_realized_pnl": percent(holding.realized, holding.paid),
        "status": status_of(market, held),
        "redeemable": over and held > 0,
        "mergeable": not over and held > 0 and other > 0,
        "negative_risk": market.neg_risk,
        "archived": False,
        "verified": True,
        **_named(market),
        "outcome": market.outcomes[outcome],
        "opposite_outcome": market.outcomes[1 - outcome],
        "outcome_index": outcome,
        "opposite_token_id": market.token_ids[1 - outcome],
        "event_id": market.event_id,
        "end_date": "" if market.ends_ms is None else iso(market.ends_ms)[:10],
        "last_event_at": holding.last_ms // 1000,
        "first_entry_at": holding.first_ms // 1000,
    }


def older_position_row(exchange: Exchange, holding: Holding, *, held: int, other: int) -> dict[str, Any]:
    """A position in the older words."""
    row = position_row(exchange, holding, held=held, other=other)
    unrealized = row["unrealized_pnl"]
    return {
        "proxyWallet": holding.wallet,
        "asset": holding.token_id,
        "conditionId": row["condition_id"],
        "size": row["current_size"],
        "avgPrice": row["avg_price"],
        "initialValue": row["entry_cost_usdc"],
        "currentValue": row["current_value"],
        "cashPnl": unrealized,
        "percentPnl": percent(round(unrealized * MICROS), holding.cost),
        "totalBought": row["total_size"],
        "realizedPnl": row["realized_pnl"],
        "percentRealizedPnl": row["percent_realized_pnl"],
        "curPrice": row["current_price"],
        "redeemable": row["redeemable"],
        "mergeable": row["mergeable"],
        "title": row["title"],
        "slug": row["slug"],
        "icon": row["icon"],
        "eventId": row["event_id"],
        "eventSlug": row["event_slug"],
        "outcome": row["outcome"],
        "outcomeIndex": row["outcome_index"],
        "oppositeOutcome": row["opposite_outcome"],
        "oppositeAsset": row["opposite_token_id"],
        "endDate": row["end_date"],
        "negativeRisk": row["negative_risk"],
    }


def closed_position_row(exchange: Exchange, holding: Holding) -> dict[str, Any]:
    """A position of which nothing is left, as `/closed-positions` tells it."""
    row = older_position_row(exchange, holding, held=0, other=0)
    names = (
        "proxyWallet asset conditionId avgPrice totalBought realizedPnl curPrice title slug icon eventSlug "
    )
    names += "outcome outcomeIndex oppositeOutcome oppositeAsset endDate"
    return {name: row[name] for name in names.split()} | {"timestamp": holding.last_ms // 1000}


def resolution_row(market: Market, now_ms: int) -> dict[str, Any]:
    """How far the end of a market has come; `payouts` in millionths of a dollar a share."""
    over = market.payouts is not None
    at_s = (market.resolved_ms if over and market.resolved_ms is not None else now_ms) // 1000
    return {
        "question_id": market.question_id or None,
        "condition_id": market.condition_id,
        "status": "resolved" if over else "initialized",
        "extended_review": False,
        "was_disputed": False,
        "new_version_q": False,
        "proposed_price": None,
        "reproposed_price": None,
        "price": units(market.payouts[0]) if market.payouts is not None else None,
        "transaction_hash": None,
        "log_index": None,
        "last_update_timestamp": at_s,
        "market_type": "INCREMENTAL_NEGRISK" if market.neg_risk else "BINARY",
        "payouts": list(market.payouts) if market.payouts is not None else None,
        "resolution_source": "reported" if over else None,
        "reporter": "UMA_OO" if over else None,
        "was_arbitrated": False if over else None,
        "resolved_block": None,
        "resolved_at": at_s if over else None,
    }


def token_row(market: Market, outcome: int) -> dict[str, Any]:
    """What a token is of."""
    position = market.protocol is Protocol.POSITION
    module = ("neg_risk" if market.neg_risk else "binary") if position else "v1_ctf"
    return {
        "token_id": market.token_ids[outcome],
        "condition_id": market.condition_id,
        "structural_condition_id": market.condition_id if position else None,
        "module": module,
        "outcome_index": outcome,
        "clob_index": outcome,
        "outcome": market.outcomes[outcome],
        "opposite_token_id": market.token_ids[1 - outcome],
        "resolved": market.payouts is not None,
        "final_price": units(market.payouts[outcome]) if market.payouts is not None else None,
        "title": market.question,
        "market_slug": market.slug,
        "closed": market.closed,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": market.group_id,
        "question_index": _question_index(market),
        "event_id": int(market.event_id) if market.event_id.isdecimal() else None,
        "event_slug": market.event_slug or None,
    }


def current_price(exchange: Exchange, holding: Holding) -> int:
    """What a share is worth now, in millionths: as Gamma shows it, or what it pays."""
    prices = outcome_prices(exchange, holding.market)
    return prices[holding.outcome] if prices is not None else 0


def status_of(market: Market, held: int) -> str:
    if not held:
        return "CLOSED"
    return "OPEN" if market.payouts is None else "REDEEMABLE"


def average(holding: Holding) -> float:
    """Dollars a share of what is held, else of all that was ever got."""
    if holding.size:
        return ratio(holding.cost, holding.size)
    return ratio(holding.paid, holding.got)


def ratio(dollars: int, shares: int) -> float:
    return round(dollars / shares, RATIO_DECIMALS) if shares else 0.0


def percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 4) if whole else 0.0


def _named(market: Market) -> dict[str, Any]:
    return {
        "title": market.question,
        "slug": market.slug,
        "icon": str(market.row.get("icon") or ""),
        "event_slug": market.event_slug,
    }


def _question_index(market: Market) -> int | None:
    """The last byte of a neg-risk question's id is its place in the group."""
    if market.group_id is None or len(market.question_id) != 66:
        return None
    return int(market.question_id[-2:], 16)
