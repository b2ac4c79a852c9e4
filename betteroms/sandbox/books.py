"""A book as the venue writes it: every number as text, the best price last, and the hash that proves it."""

import json
from collections.abc import Sequence
from hashlib import sha1
from typing import Any, Final, Protocol

from betteroms.domain.money import to_text
from betteroms.sandbox.model import MICROS, Market

LAST_PRICE_DECIMALS_MIN: Final = 3
"""The venue writes the last trade price with at least three decimals: "0.420"."""

Levels = list[dict[str, str]]


class Sides(Protocol):
    """The levels of a market as seen from its first outcome: (price, size), best first."""

    @property
    def bids(self) -> Sequence[tuple[int, int]]: ...

    @property
    def asks(self) -> Sequence[tuple[int, int]]: ...


def levels(book: Sides, outcome: int) -> tuple[Levels, Levels]:
    """Bids ascending and asks descending, of either outcome.

    What is bid for one outcome at p is offered of the other at 1 - p: a book is the mirror of its complement.
    Source: QUIRKS 1 and 4.
    """
    if outcome == 0:
        return _written(book.bids, mirrored=False), _written(book.asks, mirrored=False)
    return _written(book.asks, mirrored=True), _written(book.bids, mirrored=True)


def best(book: Sides, outcome: int) -> tuple[int | None, int | None]:
    """The best bid and the best ask of either outcome, in millionths; None where a side is empty."""
    bid = book.bids[0][0] if book.bids else None
    ask = book.asks[0][0] if book.asks else None
    if outcome == 0:
        return bid, ask
    return None if ask is None else MICROS - ask, None if bid is None else MICROS - bid


def book_document(market: Market, book: Sides, outcome: int) -> dict[str, Any]:
    """What GET /book answers, its hash filled in. Source: VENUE 5.1, QUIRKS 5."""
    bids, asks = levels(book, outcome)
    document = {
        "market": market.condition_id,
        "asset_id": market.token_ids[outcome],
        "timestamp": str(market.book_stamp_ms),
        "hash": "",
        "bids": bids,
        "asks": asks,
        "min_order_size": to_text(market.minimum_size),
        "tick_size": to_text(market.tick),
        "neg_risk": market.neg_risk,
        "last_trade_price": last_price_text(market),
    }
    document["hash"] = book_hash(document)
    return document


def book_hash(document: dict[str, Any]) -> str:
    """SHA-1 of the document as compact JSON with an empty hash in it. Source: QUIRKS 5."""
    text = json.dumps({**document, "hash": ""}, separators=(",", ":"))
    return sha1(text.encode(), usedforsecurity=False).hexdigest()


def last_price_text(market: Market) -> str:
    """The price of the last trade, whichever outcome it was of; empty before the first."""
    if market.last_price is None:
        return ""
    whole, _, decimals = to_text(market.last_price).partition(".")
    return f"{whole}.{decimals:0<{LAST_PRICE_DECIMALS_MIN}}"


def _written(side: Sequence[tuple[int, int]], *, mirrored: bool) -> Levels:
    return [
        {"price": to_text(MICROS - price if mirrored else price), "size": to_text(size)}
        for price, size in reversed(side)
    ]
