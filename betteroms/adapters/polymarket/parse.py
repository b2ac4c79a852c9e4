"""The venue's books and market rows as domain values, or an `Unparsable` that says what is wrong.

Three spellings of a market are read: Gamma's row, the CLOB's row (`/markets`), and the CLOB's short
info (`/clob-markets/{condition}`). Everything is judged by its fields, so recordings need no labels.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha1
from typing import Any, Final

from betteroms.adapters.exact_json import encode
from betteroms.adapters.polymarket import resolution, wire
from betteroms.adapters.polymarket.wire import Unparsable
from betteroms.domain import fees
from betteroms.domain.book import Book, HashCheck, Level
from betteroms.domain.errors import InexactAmount
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import BookId, content_id
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import MICROS, Price, Size

__all__ = ["Unparsable", "book_payload", "market_payload", "parse_book", "parse_market", "states_fees"]

HASHED: Final[Mapping[str, type]] = {
    "market": str,
    "asset_id": str,
    "timestamp": str,
    "hash": str,
    "bids": list,
    "asks": list,
    "min_order_size": str,
    "tick_size": str,
    "neg_risk": bool,
    "last_trade_price": str,
}
"""What the venue's hash covers, in its order, and each field's kind. Source: data/QUIRKS 5."""
EXPONENT_UNREADABLE: Final = -1
"""A fee exponent that is no whole number: a formula that nobody knows, so its orders are refused."""


def book_payload(raw: Mapping[str, Any]) -> bytes:
    """The book as it is kept: compact JSON, keys in their own order, numbers as received."""
    return encode(raw)


def market_payload(raw: Mapping[str, Any]) -> bytes:
    """The market row as it is kept: compact JSON, keys in their own order, numbers as received."""
    return encode(raw)


def parse_book(
    raw: Mapping[str, Any], *, received_at: datetime, recorded: bool, payload: bytes | None = None
) -> Book:
    """Read a book of `/book`, of `/books`, or of a websocket's `book` event in any of its schemas.

    Levels may come in any order. A price that comes twice counts with the smaller size, so that
    paper does not take what may not be there. `payload` is what will be kept of it, where the caller has
    it at hand already.

    Raises:
        Unparsable: a field is missing or wrong, a price not between 0 and 1, a size negative.
    """
    body = book_payload(raw) if payload is None else payload
    return Book(
        market_id=wire.condition_id(raw.get("market"), "market"),
        token_id=wire.token_id(raw.get("asset_id"), "asset_id"),
        bids=_side(raw, "bids", falling=True),
        asks=_side(raw, "asks", falling=False),
        changed_at_ms=wire.stamp_ms(raw.get("timestamp"), "timestamp"),
        received_at=received_at,
        book_id=content_id(body),
        hash_check=_hash_check(raw, body),
        tick_size=wire.tick_size(raw.get("tick_size"), "tick_size"),
        minimum_size=wire.minimum_size(raw.get("min_order_size"), "min_order_size"),
        recorded=recorded,
        last_trade=wire.last_trade(raw.get("last_trade_price")),
    )


def _side(raw: Mapping[str, Any], field: str, *, falling: bool) -> tuple[Level, ...]:
    levels = raw.get(field, Unparsable)
    if levels is None:  # an empty list, as some servers write it
        return ()
    if not isinstance(levels, list):
        raise Unparsable(f"{field}: {'missing' if levels is Unparsable else 'not a list of levels'}")
    sizes: dict[int, int] = {}
    for level in levels:
        try:
            price, size = wire.micros(level["price"]), wire.micros(level["size"])
        except (InexactAmount, KeyError, TypeError) as wrong:
            raise Unparsable(f"{field}: {wire.shown(level)} is not a level ({wrong})") from None
        if not 0 < price < MICROS:
            raise Unparsable(f"{field}: the price {wire.shown(level['price'])} is not between 0 and 1")
        if size < 0:
            raise Unparsable(f"{field}: the size {wire.shown(level['size'])} is negative")
        sizes[price] = min(size, sizes.get(price, size))
    return tuple(
        [
            Level(price=Price(price), size=Size(size))
            for price, size in sorted(sizes.items(), reverse=falling)
            if size
        ]
    )


def _hash_check(raw: Mapping[str, Any], body: bytes) -> HashCheck:
    """Recompute the venue's hash where everything that it covers is there."""
    for field, kind in HASHED.items():
        if type(raw.get(field)) is not kind:
            return HashCheck.UNVERIFIABLE
    told: str = raw["hash"]
    if not told or not _levels_as_sent(raw["bids"]) or not _levels_as_sent(raw["asks"]):
        return HashCheck.UNVERIFIABLE
    if tuple(raw) == tuple(HASHED):
        # The kept bytes are those that are hashed, but for the hash itself.
        hashed = body.replace(b'"hash":' + encode(told), b'"hash":""', 1)
    else:
        hashed = encode({field: raw[field] for field in HASHED} | {"hash": ""})
    computed = sha1(hashed, usedforsecurity=False).hexdigest()
    return HashCheck.VERIFIED if computed == told else HashCheck.MISMATCH


def _levels_as_sent(levels: Sequence[Any]) -> bool:
    return all(type(level["price"]) is str and type(level["size"]) is str for level in levels)


def parse_market(raw: Mapping[str, Any], *, recorded: bool, payload: bytes | None = None) -> Market:
    """Read a market row in any of the venue's three spellings.

    A row may carry the CLOB's fee description under the CLOB's own name, `fd`, whatever its spelling:
    that is how a Gamma row that says nothing of fees is kept. One that is resolved may carry who won, as
    `resolution.WINNERS`. `payload` is as in `parse_book`.

    Raises:
        Unparsable: no market row, not exactly two outcomes with a token each, or a wrong field.
    """
    read = _reader(raw)
    return read(raw, recorded, content_id(market_payload(raw) if payload is None else payload))


def _reader(raw: Mapping[str, Any]) -> Callable[[Mapping[str, Any], bool, BookId], Market]:
    if "conditionId" in raw:
        return _gamma_market
    if "condition_id" in raw and "tokens" in raw:
        return _clob_market
    if "c" in raw and "t" in raw:
        return _info_market
    raise Unparsable("no market row: it has no conditionId, no condition_id with tokens, no c with t")


def _gamma_market(raw: Mapping[str, Any], recorded: bool, row_id: BookId) -> Market:
    active, closed = raw.get("active") is True, raw.get("closed") is True
    accepting = raw.get("acceptingOrders")
    if accepting is None:
        accepting = active and not closed and raw.get("enableOrderBook") is True
    # Markets of the newer protocol trade positions; a row of either kind may lack the other's field.
    newer = raw.get("version") == "v2" or not raw.get("clobTokenIds")
    field = "positionIds" if newer and raw.get("positionIds") else "clobTokenIds"
    outcomes = _outcomes(wire.items(raw.get(field), field), wire.items(raw.get("outcomes"), "outcomes"))
    clears = raw.get("clearBookOnStart") is not False
    return Market(
        market_id=wire.condition_id(raw.get("conditionId"), "conditionId"),
        outcomes=outcomes,
        slug=wire.text(raw.get("slug")),
        question=wire.text(raw.get("question")),
        gamma_id=wire.text(raw.get("id")),
        event_slug=wire.text(wire.first_of(raw.get("events")).get("slug")),
        tick_size=wire.tick_size(raw.get("orderPriceMinTickSize"), "orderPriceMinTickSize"),
        minimum_size=wire.minimum_size(raw.get("orderMinSize"), "orderMinSize"),
        fees=_fees(raw),
        neg_risk=raw.get("negRisk") is True,
        closed=closed,
        accepting_orders=accepting is True,
        ends_at=wire.instant(raw.get("endDate")) or wire.instant(raw.get("endDateIso")),
        row_id=row_id,
        recorded=recorded,
        group_id=wire.group_id(raw.get("negRiskMarketID")) if raw.get("negRisk") is True else None,
        resolved=resolution.gamma_resolved(raw),
        payouts=resolution.gamma_payouts(raw, outcomes),
        game_starts_at=wire.instant(raw.get("gameStartTime")) if clears else None,
    )


def _clob_market(raw: Mapping[str, Any], recorded: bool, row_id: BookId) -> Market:
    tokens = wire.items(raw["tokens"], "tokens")
    closed = raw.get("closed") is True
    accepting = raw.get("accepting_orders")
    if accepting is None:
        accepting = raw.get("active") is True and not closed and raw.get("enable_order_book") is True
    outcomes = _outcomes(_column(tokens, "tokens", "token_id"), _column(tokens, "tokens", "outcome"))
    return Market(
        market_id=wire.condition_id(raw["condition_id"], "condition_id"),
        outcomes=outcomes,
        slug=wire.text(raw.get("market_slug")),
        question=wire.text(raw.get("question")),
        gamma_id=None,
        event_slug=None,
        tick_size=wire.tick_size(raw.get("minimum_tick_size"), "minimum_tick_size"),
        minimum_size=wire.minimum_size(raw.get("minimum_order_size"), "minimum_order_size"),
        fees=_fees(raw),
        neg_risk=raw.get("neg_risk") is True,
        closed=closed,
        accepting_orders=accepting is True,
        ends_at=wire.instant(raw.get("end_date_iso")),
        row_id=row_id,
        recorded=recorded,
        group_id=wire.group_id(raw.get("neg_risk_market_id")) if raw.get("neg_risk") is True else None,
        resolved=resolution.clob_resolved(raw, tokens),
        payouts=resolution.clob_payouts(raw, tokens, outcomes),
        game_starts_at=wire.instant(raw.get("game_start_time")),
    )


def _info_market(raw: Mapping[str, Any], recorded: bool, row_id: BookId) -> Market:
    tokens = wire.items(raw["t"], "t")
    return Market(
        market_id=wire.condition_id(raw["c"], "c"),
        outcomes=_outcomes(_column(tokens, "t", "t"), _column(tokens, "t", "o")),
        slug=None,
        question=None,
        gamma_id=None,
        event_slug=None,
        tick_size=wire.tick_size(raw.get("mts"), "mts"),
        minimum_size=wire.minimum_size(raw.get("mos"), "mos"),
        fees=_fees(raw),
        neg_risk=raw.get("nr") is True,
        closed=False,
        # The documented answer has no `ao`: the CLOB describes what is traded there.
        accepting_orders=raw.get("ao", True) is True,
        ends_at=None,
        row_id=row_id,
        recorded=recorded,
    )


def _column(tokens: Sequence[Any], field: str, name: str) -> list[Any]:
    if not all(isinstance(token, Mapping) for token in tokens):
        raise Unparsable(f"{field}: not a list of objects")
    return [token.get(name) for token in tokens]


def _outcomes(tokens: Sequence[Any], labels: Sequence[Any]) -> tuple[Outcome, ...]:
    if len(tokens) != 2 or len(labels) != 2:
        raise Unparsable(f"{len(labels)} outcomes with {len(tokens)} tokens: only markets with two are known")
    if any(token is None or token == "" for token in tokens):
        raise Unparsable("an outcome has no token id: it cannot be traded on the order book")
    outcomes = []
    for index, (token, label) in enumerate(zip(tokens, labels, strict=True)):
        named = wire.text(label, length_max=wire.LABEL_LENGTH_MAX)
        if named is None:
            raise Unparsable(f"outcome {index} has no label")
        number = str(token) if type(token) is int else token
        outcomes.append(Outcome(token_id=wire.token_id(number, f"token {index}"), label=named))
    if outcomes[0].token_id == outcomes[1].token_id:
        raise Unparsable("both outcomes have the same token id")
    return tuple(outcomes)


def states_fees(raw: Mapping[str, Any]) -> bool:
    """Whether the row says what takers pay."""
    return raw.get("feesEnabled") is False or "fd" in raw or isinstance(raw.get("feeSchedule"), Mapping)


def _fees(raw: Mapping[str, Any]) -> FeeSchedule:
    """What takers pay. No fee field at all means nothing (DECISIONS 2.5), as a missing `fd` does (VENUE 4).

    Fees that are switched on without saying how much are taken to be the highest ones.
    """
    if raw.get("feesEnabled") is False:
        return fees.FREE
    gamma, clob = raw.get("feeSchedule"), raw.get("fd")
    if isinstance(gamma, Mapping):
        return _schedule(gamma.get("rate"), gamma.get("exponent"), "feeSchedule")
    if isinstance(clob, Mapping):
        return _schedule(clob.get("r"), clob.get("e"), "fd")
    if raw.get("feesEnabled") is True and "fd" not in raw:
        return fees.ASSUMED
    return fees.FREE


def _schedule(rate: object, exponent: object, field: str) -> FeeSchedule:
    share = wire.stated(rate, f"{field} rate")
    if share is None:
        return fees.ASSUMED
    if share > MICROS:
        raise Unparsable(f"{field} rate: {wire.shown(rate)} is more than the whole")
    return FeeSchedule(rate=share, exponent=_exponent(exponent))


def _exponent(value: object) -> int:
    if value is None:
        return 1
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        number = str(value).removesuffix(".0")
        if number in ("0", "1", "2", "3", "4"):
            return int(number)
    return EXPONENT_UNREADABLE
