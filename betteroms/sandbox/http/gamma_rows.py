"""Markets and events as Gamma tells them: the recorded row, and over it what is so by now.

Source: VENUE 5.2, data/gamma.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from betteroms.domain.money import MICROS, to_text
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.model import Market, Protocol

ROW_BASE_FEE: Final = 1000
"""Rows carry it for both sides and it means nothing (VENUE 4)."""
REBATE_RATE: Final = 0.25
_NOT_IN_MARKETS: Final = ("tags", "markets")
"""What an event does not tell where it is told as part of a market."""


def number(micros: int) -> int | float:
    """Millionths as a number of JSON; whole numbers without a dot."""
    whole, rest = divmod(micros, MICROS)
    return micros / MICROS if rest else whole


def market_document(exchange: Exchange, market: Market, *, with_events: bool = True) -> dict[str, Any]:
    """A market's row. Missing fields are common at the venue, and so they are here."""
    row = _described(market) | market.row
    if with_events and not row.get("events") and market.event_id:
        row["events"] = [event_part(market)]
    if not with_events:
        row.pop("events", None)
    return _brought_up_to_date(row, exchange, market)


def event_part(market: Market) -> dict[str, Any]:
    """The event as it is told within its market."""
    told = _event_described([market])
    return {name: value for name, value in told.items() if name not in _NOT_IN_MARKETS}


def event_document(exchange: Exchange, markets: Sequence[Market]) -> dict[str, Any]:
    """An event with its markets, which are at least one."""
    told = _event_described(markets)
    told["markets"] = [market_document(exchange, market, with_events=False) for market in markets]
    return told


def outcome_prices(exchange: Exchange, market: Market) -> tuple[int, int] | None:
    """What Gamma shows as the outcomes' prices, in millionths: what they paid, or the middle of the book.

    None for a market that is closed and not resolved.
    """
    if market.payouts is not None:
        return market.payouts
    if market.closed:
        return None
    book = exchange.book(market)
    bid, ask = book.best_bid, book.best_ask
    if bid is None and ask is None:
        first = market.last_price if market.last_price is not None else MICROS // 2
    else:
        # A side that is empty counts as the end of the scale (QUIRKS 3).
        first = ((bid or 0) + (ask if ask is not None else MICROS)) // 2
    return first, MICROS - first


def iso(ms: int) -> str:
    """A moment as Gamma writes most of them."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _described(market: Market) -> dict[str, Any]:
    """What can be said of any market without a recorded row."""
    row: dict[str, Any] = {
        "id": market.gamma_id,
        "question": market.question,
        "conditionId": market.condition_id,
        "slug": market.slug,
        "resolutionSource": "",
        "description": "",
        "version": "v2" if market.protocol is Protocol.POSITION else "v1",
        "outcomes": json.dumps(market.outcomes),
        "outcomePrices": json.dumps(["0", "0"]),
        "volume": "0",
        "volumeNum": 0,
        "active": True,
        "archived": False,
        "restricted": True,
        "enableOrderBook": True,
        "negRisk": market.neg_risk,
        "orderMinSize": number(market.minimum_size),
        "secondsDelay": market.seconds_delay,
        "clearBookOnStart": True,
        "rfqEnabled": False,
        "makerBaseFee": ROW_BASE_FEE,
        "takerBaseFee": ROW_BASE_FEE,
    }
    if market.ends_ms is not None:
        row |= {"endDate": iso(market.ends_ms), "endDateIso": iso(market.ends_ms)[:10]}
    if market.protocol is Protocol.POSITION:
        row |= {"positionIds": list(market.token_ids), "requestId": market.condition_id}
    else:
        row |= {"clobTokenIds": json.dumps(market.token_ids), "questionID": market.question_id}
    if market.group_id is not None:
        row["negRiskMarketID"] = market.group_id
    return row


def _brought_up_to_date(row: dict[str, Any], exchange: Exchange, market: Market) -> dict[str, Any]:
    row["orderPriceMinTickSize"] = number(market.tick)
    row["closed"] = market.closed
    row["acceptingOrders"] = market.accepting_orders
    row |= _fees(row, market)
    prices = outcome_prices(exchange, market)
    if prices is not None:
        row["outcomePrices"] = json.dumps([to_text(price) for price in prices])
    if market.last_price is not None:
        row["lastTradePrice"] = number(market.last_price)
    if market.closed:
        _tell_the_end(row, market)
    else:
        _tell_the_book(row, exchange, market)
    return row


def _tell_the_book(row: dict[str, Any], exchange: Exchange, market: Market) -> None:
    """A side that is empty has no bid, or an ask of 1."""
    book = exchange.book(market)
    bid, ask = book.best_bid, book.best_ask if book.best_ask is not None else MICROS
    row.pop("bestBid", None)
    if bid is not None:
        row["bestBid"] = number(bid)
    row["bestAsk"] = number(ask)
    row["spread"] = number(ask - (bid or 0))
    if market.protocol is Protocol.POSITION:
        row["resolutionStatus"] = "active"


def _tell_the_end(row: dict[str, Any], market: Market) -> None:
    if market.resolved_ms is not None:
        closed = datetime.fromtimestamp(market.resolved_ms // 1000, UTC)
        row["closedTime"] = f"{closed:%Y-%m-%d %H:%M:%S}+00"
    if market.payouts is not None:
        status = "resolutionStatus" if market.protocol is Protocol.POSITION else "umaResolutionStatus"
        row[status] = "resolved"


def _fees(row: Mapping[str, Any], market: Market) -> dict[str, Any]:
    if not market.fee_rate:
        # No schedule at all: a row that carries one and says that fees are off is not seen at the venue.
        return {"feesEnabled": False, "feeType": None, "feeSchedule": None}
    known = row.get("feeSchedule")
    schedule = known if isinstance(known, Mapping) else {"takerOnly": True, "rebateRate": REBATE_RATE}
    stated = {"exponent": market.fee_exponent, "rate": number(market.fee_rate)}
    return {
        "feesEnabled": True,
        "feeType": row.get("feeType") or "general_fees",
        "feeSchedule": dict(schedule) | stated,
    }


def _event_described(markets: Sequence[Market]) -> dict[str, Any]:
    first = markets[0]
    told: dict[str, Any] = {
        "id": first.event_id,
        "ticker": first.event_slug,
        "slug": first.event_slug,
        "title": first.question,
        "description": "",
        "active": True,
        "archived": False,
        "restricted": True,
        "enableOrderBook": True,
        "negRisk": first.neg_risk,
        "liquidity": 0,
        "volume": 0,
    }
    if first.neg_risk and first.group_id is not None:
        told |= {"enableNegRisk": True, "negRiskAugmented": False, "negRiskMarketID": first.group_id}
    last_end = _latest(market.ends_ms for market in markets)
    if last_end is not None:
        told["endDate"] = iso(last_end)
    told |= first.event
    told["closed"] = all(market.closed for market in markets)
    return told


def _latest(moments: Iterable[int | None]) -> int | None:
    return max((moment for moment in moments if moment is not None), default=None)
