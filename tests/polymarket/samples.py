"""Books and market rows in the venue's shapes, written for these tests."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONDITION = "0x" + "7c" * 32
YES = "31415926535897932384626433832795028841971693993751058209749445923078164062862"
NO = "27182818284590452353602874713526624977572470936999595749669676277240766303535"
STAMP = "1795175999123"


class StepClock:
    """A clock that is a second later each time it is asked."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def levels(text: str) -> list[dict[str, str]]:
    """`"0.50x100 0.52x50"` as the venue's levels, in the order they are written."""
    pairs = (level.split("x") for level in text.split())
    return [{"price": price, "size": size} for price, size in pairs]


def venue_hash(raw: dict[str, Any]) -> str:
    """The hash as data/QUIRKS 5 describes it, computed without our own code."""
    names = "market asset_id timestamp hash bids asks min_order_size tick_size neg_risk last_trade_price"
    fields = {name: raw[name] for name in names.split()} | {"hash": ""}
    return sha1(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()


def rest_book(
    *, bids: str = "0.40x20 0.48x100", asks: str = "0.60x30 0.52x50.5", **changed: Any
) -> dict[str, Any]:
    """A book of `/book`: the best levels last, every number a string, hashed."""
    raw: dict[str, Any] = {
        "market": CONDITION,
        "asset_id": YES,
        "timestamp": STAMP,
        "hash": "",
        "bids": levels(bids),
        "asks": levels(asks),
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.520",
    } | changed
    if "hash" not in changed:
        raw["hash"] = venue_hash(raw)
    return raw


def ws_book(**changed: Any) -> dict[str, Any]:
    """A websocket's `book` of 2026: no minimum, no neg-risk flag."""
    raw = rest_book() | {"event_type": "book"} | changed
    return {name: value for name, value in raw.items() if name not in ("min_order_size", "neg_risk")}


def legacy_ws_book(**changed: Any) -> dict[str, Any]:
    """A websocket's `book` of January 2025: nothing but the levels."""
    names = ("market", "asset_id", "timestamp", "hash", "bids", "asks")
    raw = rest_book() | changed
    return {name: raw[name] for name in names} | {"event_type": "book"}


def gamma_row(**changed: Any) -> dict[str, Any]:
    """A market row of Gamma, open, with crypto's fees."""
    return {
        "id": "512345",
        "question": "Will it rain in Lisbon tomorrow?",
        "conditionId": CONDITION,
        "slug": "will-it-rain-in-lisbon",
        "endDate": "2026-12-31T12:00:00Z",
        "outcomes": '["Yes", "No"]',
        "outcomePrices": '["0.505", "0.495"]',
        "clobTokenIds": json.dumps([YES, NO]),
        "active": True,
        "closed": False,
        "acceptingOrders": True,
        "enableOrderBook": True,
        "orderPriceMinTickSize": 0.01,
        "orderMinSize": 5,
        "negRisk": False,
        "feesEnabled": True,
        "feeType": "crypto_fees_v2",
        "feeSchedule": {"exponent": 1, "rate": 0.07, "takerOnly": True, "rebateRate": 0.2},
        "events": [{"id": "9", "slug": "lisbon-weather"}],
    } | changed


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """The row as one that never had these fields."""
    return {name: value for name, value in row.items() if name not in names}


def resolved_row(*prices: str, **changed: Any) -> dict[str, Any]:
    """The same market at Gamma once it is over; the prices by outcome, 1 and 0 unless given."""
    over = {"closed": True, "acceptingOrders": False, "umaResolutionStatus": "resolved"}
    return gamma_row(outcomePrices=json.dumps(list(prices or ("1", "0")))) | over | changed


def clob_row(**changed: Any) -> dict[str, Any]:
    """A market row of the CLOB's `/markets`."""
    return {
        "enable_order_book": True,
        "active": True,
        "closed": False,
        "archived": False,
        "accepting_orders": True,
        "minimum_order_size": 15,
        "minimum_tick_size": 0.001,
        "condition_id": CONDITION,
        "question": "Will it rain in Lisbon tomorrow?",
        "market_slug": "will-it-rain-in-lisbon",
        "end_date_iso": "2026-12-31T12:00:00Z",
        "maker_base_fee": 0,
        "taker_base_fee": 1000,
        "neg_risk": True,
        "tokens": [
            {"token_id": YES, "outcome": "Yes", "price": 0.505, "winner": False},
            {"token_id": NO, "outcome": "No", "price": 0.495, "winner": False},
        ],
    } | changed


def clob_tokens(yes: bool | None, no: bool | None, *prices: Any) -> list[dict[str, Any]]:
    """The tokens of a CLOB row: who won, and the prices there; 1 for who won and 0 otherwise unless given."""
    flags = {YES: ("Yes", yes), NO: ("No", no)}
    told = prices or tuple(int(flag is True) for _, flag in flags.values())
    return [
        {"token_id": token, "outcome": label, "price": price, "winner": flag}
        for (token, (label, flag)), price in zip(flags.items(), told, strict=True)
    ]


def over_clob_row(yes: bool | None, no: bool | None, *prices: Any, **changed: Any) -> dict[str, Any]:
    """The CLOB's row of a closed market."""
    over = {"closed": True, "accepting_orders": False, "tokens": clob_tokens(yes, no, *prices)}
    return clob_row(**over) | changed


def info_row(**changed: Any) -> dict[str, Any]:
    """The CLOB's short description of a market, of `/clob-markets/{condition}`."""
    return {
        "c": CONDITION,
        "t": [{"t": YES, "o": "Yes"}, {"t": NO, "o": "No"}],
        "mts": 0.01,
        "mos": 5,
        "nr": False,
        "fd": {"r": 0.05, "e": 1, "to": True},
        "mbf": 0,
        "tbf": 0,
        "rfqe": False,
    } | changed


def numbered_condition(number: int) -> str:
    return f"0x{number:064x}"


def numbered_token(number: int, outcome: int) -> str:
    return str(7 * 10**75 + number * 10**40 + outcome)


def numbered_gamma_row(number: int, **changed: Any) -> dict[str, Any]:
    """One of many markets that differ in every name."""
    return gamma_row(
        id=str(100_000 + number),
        slug=f"market-{number}",
        conditionId=numbered_condition(number),
        clobTokenIds=json.dumps([numbered_token(number, 0), numbered_token(number, 1)]),
        **changed,
    )


def numbered_book(number: int, outcome: int = 0, **changed: Any) -> dict[str, Any]:
    return rest_book(market=numbered_condition(number), asset_id=numbered_token(number, outcome), **changed)
