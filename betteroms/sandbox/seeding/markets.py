"""Make markets out of recorded rows: Gamma's where there is one, else the CLOB's, else a book alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from betteroms.domain.money import MICROS, to_micros
from betteroms.sandbox.model import Market, Protocol
from betteroms.sandbox.seeding.recordings import Raw, Recordings, items, same_condition, stamp

TICK_ASSUMED: Final = 10_000
MINIMUM_ASSUMED: Final = 5_000_000
"""Where no source says; the usual ones (VENUE 3.1)."""
RATE_ASSUMED: Final = 50_000
"""Fees that are switched on without saying how much: those of most categories (VENUE 4)."""
POSITION_ZEROS: Final = ((1 << 64) - 1) << 40
"""The bits that are zero in a position id of the newer protocol, and nowhere else (VENUE 2.5)."""
TOKEN_LEAST: Final = 10**76
"""Token ids of conditional tokens are hashes: nearly all of them have 77 or 78 digits."""


class Unusable(ValueError):
    """No market can be made of this; says why."""


def markets_of(found: Recordings) -> Iterator[Market]:
    """Every market that can be made of what was recorded, in the order in which it was met.

    What cannot be used is added to `found.ignored`.
    """
    books: dict[str, list[Raw]] = {}
    for book in found.books.values():
        books.setdefault(same_condition(str(book.get("market"))), []).append(book)
    for condition in dict.fromkeys([*found.gamma, *found.clob, *found.info, *books]):
        own = sorted(books.get(condition, ()), key=stamp, reverse=True)
        info = found.info.get(condition)
        try:
            if condition in found.gamma:
                yield gamma_market(found.gamma[condition], clob=found.clob.get(condition), info=info)
            elif "minimum_tick_size" in found.clob.get(condition, ()):
                yield clob_market(found.clob[condition], info=info)
            elif info is not None:
                yield info_market(info, row=found.clob.get(condition), books=own)
            elif own:
                yield book_market(own, row=found.clob.get(condition))
        except (ValueError, TypeError, KeyError) as wrong:
            found.ignored.append(f"market {condition}: {wrong}")


def gamma_market(row: Raw, *, clob: Raw | None = None, info: Raw | None = None) -> Market:
    """The market of a Gamma row, with what the CLOB's rows add: fees, and who won.

    Raises:
        Unusable: not two outcomes with a token each.
    """
    positions = items(row.get("positionIds"))
    newer = bool(positions) and (row.get("version") == "v2" or not row.get("clobTokenIds"))
    tokens = _pair(positions if newer else items(row.get("clobTokenIds")), "token ids")
    events = [event for event in items(row.get("events")) if isinstance(event, Mapping)]
    event = events[0] if events else {}
    closed = row.get("closed") is True
    rate, exponent = _gamma_fee(row, info)
    return Market(
        condition_id=same_condition(row["conditionId"]),
        question_id=str(row.get("questionID") or ""),
        gamma_id=str(row.get("id") or _number(row["conditionId"])),
        slug=str(row.get("slug") or row["conditionId"]),
        question=str(row.get("question") or ""),
        token_ids=tokens,
        outcomes=_pair(items(row.get("outcomes")), "outcomes"),
        tick=_micros(row.get("orderPriceMinTickSize"), TICK_ASSUMED),
        minimum_size=_micros(row.get("orderMinSize"), MINIMUM_ASSUMED),
        fee_rate=rate,
        fee_exponent=exponent,
        neg_risk=row.get("negRisk") is True,
        group_id=row.get("negRiskMarketID") or None,
        protocol=protocol_of(tokens[0]),
        accepting_orders=_accepting(row.get("acceptingOrders"), row.get("enableOrderBook"), closed),
        closed=closed,
        seconds_delay=int(row.get("secondsDelay") or 0),
        game_starts_ms=_milliseconds(row.get("gameStartTime")),
        ends_ms=_milliseconds(row.get("endDate") or row.get("endDateIso")),
        event_id=str(event.get("id") or ""),
        event_slug=str(event.get("slug") or ""),
        payouts=_gamma_payouts(row, tokens, clob),
        resolved_ms=_milliseconds(row.get("closedTime")) if closed else None,
        last_price=_price(row.get("lastTradePrice")),
        row=dict(row),
        event=dict(event),
    )


def clob_market(row: Raw, *, info: Raw | None = None) -> Market:
    """The market of a row of the CLOB's `/markets`.

    Raises:
        Unusable: not two outcomes with a token each.
    """
    tokens, outcomes = _columns(row["tokens"], "token_id", "outcome")
    closed = row.get("closed") is True
    rate, exponent = _info_fee(info)
    condition = same_condition(row["condition_id"])
    slug = str(row.get("market_slug") or condition)
    question = str(row.get("question") or slug)
    return Market(
        condition_id=condition,
        question_id=str(row.get("question_id") or ""),
        gamma_id=_number(condition),
        slug=slug,
        question=question,
        token_ids=tokens,
        outcomes=outcomes,
        tick=_micros(row.get("minimum_tick_size"), TICK_ASSUMED),
        minimum_size=_micros(row.get("minimum_order_size"), MINIMUM_ASSUMED),
        fee_rate=rate,
        fee_exponent=exponent,
        neg_risk=row.get("neg_risk") is True,
        group_id=row.get("neg_risk_market_id") or None,
        protocol=protocol_of(tokens[0]),
        accepting_orders=_accepting(row.get("accepting_orders"), row.get("enable_order_book"), closed),
        closed=closed,
        seconds_delay=int(row.get("seconds_delay") or 0),
        game_starts_ms=_milliseconds(row.get("game_start_time")),
        ends_ms=_milliseconds(row.get("end_date_iso")),
        event_id=_number(f"event:{condition}"),
        event_slug=slug,
        payouts=_clob_payouts(row, tokens),
        row={"description": str(row.get("description") or "")},
        event={"title": question},
    )


def info_market(info: Raw, *, row: Raw | None, books: Sequence[Raw]) -> Market:
    """The market of the CLOB's short description (`/clob-markets`), perhaps with its simplified row."""
    tokens, outcomes = _columns(info["t"], "t", "o")
    condition = same_condition(info["c"])
    rate, exponent = _info_fee(info)
    return _nameless(
        condition,
        tokens,
        outcomes,
        tick=_micros(info.get("mts"), _first_micros(books, "tick_size", TICK_ASSUMED)),
        minimum_size=_micros(info.get("mos"), MINIMUM_ASSUMED),
        neg_risk=info.get("nr") is True,
        fee_rate=rate,
        fee_exponent=exponent,
        closed=row is not None and row.get("closed") is True,
        accepting_orders=info.get("ao", True) is True,
    )


def book_market(books: Sequence[Raw], *, row: Raw | None) -> Market:
    """The market of books that say they are its own: of both its tokens, or of one.

    The simplified row of the CLOB names the outcomes where it is there; else the first book's token is taken
    for the first outcome, and a complement that nobody recorded is made up: always the same.

    Raises:
        Unusable: more than two tokens say that they are outcomes of this market.
    """
    condition = same_condition(str(books[0]["market"]))
    if row is not None:
        tokens, outcomes = _columns(row["tokens"], "token_id", "outcome")
    else:
        named = sorted({str(book["asset_id"]) for book in books}, key=int)
        if len(named) > 2:
            raise Unusable(f"{len(named)} tokens say that they are its outcomes")
        first = named[0]
        tokens = (first, named[1] if len(named) == 2 else complement(first))
        outcomes = ("Yes", "No")
        if protocol_of(first) is Protocol.POSITION and int(first) & 1:
            tokens = (tokens[1], tokens[0])
    return _nameless(
        condition,
        tokens,
        outcomes,
        tick=_first_micros(books, "tick_size", TICK_ASSUMED),
        minimum_size=_first_micros(books, "min_order_size", MINIMUM_ASSUMED),
        neg_risk=any(book.get("neg_risk") is True for book in books),
        fee_rate=0,
        fee_exponent=1,
        closed=row is not None and row.get("closed") is True,
        accepting_orders=True,
    )


def complement(token_id: str) -> str:
    """The other outcome's token where it is not known: for positions it follows, else it is made up."""
    if protocol_of(token_id) is Protocol.POSITION:
        return str(int(token_id) ^ 1)
    attempt = 0
    while True:
        number = int.from_bytes(sha256(f"complement:{attempt}:{token_id}".encode()).digest())
        if number >= TOKEN_LEAST:
            return str(number)
        attempt += 1


def protocol_of(token_id: str) -> Protocol:
    """Source: VENUE 2.5. Small numbers pass its test and are of no protocol, so they are left out."""
    number = int(token_id)
    position = number & POSITION_ZEROS == 0 and number >> 248 in (1, 2, 3)
    return Protocol.POSITION if position else Protocol.CTF


def _nameless(
    condition: str,
    tokens: tuple[str, str],
    outcomes: tuple[str, str],
    *,
    tick: int,
    minimum_size: int,
    neg_risk: bool,
    fee_rate: int,
    fee_exponent: int,
    closed: bool,
    accepting_orders: bool,
) -> Market:
    """A market of which nobody recorded what it is called: it goes by its condition id."""
    return Market(
        condition_id=condition,
        question_id="",
        gamma_id=_number(condition),
        slug=condition,
        question=condition,
        token_ids=tokens,
        outcomes=outcomes,
        tick=tick,
        minimum_size=minimum_size,
        fee_rate=fee_rate,
        fee_exponent=fee_exponent,
        neg_risk=neg_risk,
        protocol=protocol_of(tokens[0]),
        accepting_orders=accepting_orders and not closed,
        closed=closed,
        event_id=_number(f"event:{condition}"),
        event_slug=condition,
        event={"title": condition},
    )


def _pair(values: Sequence[Any], what: str) -> tuple[str, str]:
    if len(values) != 2 or not all(isinstance(value, str | int) and str(value) for value in values):
        raise Unusable(f"not two {what}")
    first, second = (str(value) for value in values)
    if first == second:
        raise Unusable(f"both {what} are the same")
    return first, second


def _columns(tokens: Sequence[Any], token: str, label: str) -> tuple[tuple[str, str], tuple[str, str]]:
    if not all(isinstance(row, Mapping) for row in tokens):
        raise Unusable("its tokens are not objects")
    return _pair([row.get(token) for row in tokens], "token ids"), _pair(
        [row.get(label) for row in tokens], "outcomes"
    )


def _accepting(stated: object, enabled: object, closed: bool) -> bool:
    """Closed rows may still say that they accept orders (QUIRKS 19); a venue would not."""
    return not closed and (stated is True if stated is not None else enabled is True)


def _gamma_fee(row: Raw, info: Raw | None) -> tuple[int, int]:
    if row.get("feesEnabled") is False:
        return 0, 1
    schedule = row.get("feeSchedule")
    if isinstance(schedule, Mapping):
        return _micros(schedule.get("rate"), RATE_ASSUMED), int(schedule.get("exponent") or 1)
    if info is not None:
        return _info_fee(info)
    return (RATE_ASSUMED if row.get("feesEnabled") is True else 0), 1


def _info_fee(info: Raw | None) -> tuple[int, int]:
    described = info.get("fd") if info is not None else None
    if not isinstance(described, Mapping):
        return 0, 1
    return _micros(described.get("r"), RATE_ASSUMED), int(described.get("e") or 1)


def _gamma_payouts(row: Raw, tokens: tuple[str, str], clob: Raw | None) -> tuple[int, int] | None:
    """What a share paid, where the row says that it is resolved; 0 and 0 say nothing (QUIRKS 19)."""
    if row.get("closed") is not True:
        return None
    if clob is not None and (told := _clob_payouts(clob, tokens)) is not None:
        return told
    if "resolved" not in (row.get("umaResolutionStatus"), row.get("resolutionStatus")):
        return None
    try:
        prices = [_micros(price, -1) for price in items(row.get("outcomePrices"))]
    except ValueError:
        return None  # the last prices of the old automatic market makers: no payouts
    if len(prices) == 2 and min(prices) >= 0 and sum(prices) == MICROS:
        return prices[0], prices[1]
    return None


def _clob_payouts(row: Raw, tokens: tuple[str, str]) -> tuple[int, int] | None:
    if row.get("closed") is not True:
        return None
    won = {str(token.get("token_id")): token.get("winner") is True for token in row["tokens"]}
    first, second = (won.get(token, False) for token in tokens)
    return (MICROS * first, MICROS * second) if first != second else None


def _micros(value: object, otherwise: int) -> int:
    """A number of JSON, exactly: the shortest decimal that reads as it is the one that was written."""
    if value is None or value == "" or isinstance(value, bool):
        return otherwise
    return to_micros(str(value))


def _first_micros(books: Sequence[Raw], name: str, otherwise: int) -> int:
    return next((_micros(book[name], otherwise) for book in books if book.get(name)), otherwise)


def _price(value: object) -> int | None:
    """A last price, where there is one; Gamma writes more decimals than the venue has."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return None
    price = round(float(value) * MICROS)
    return price if 0 < price < MICROS else None


def _milliseconds(value: object) -> int | None:
    """A time of Gamma or the CLOB, in any of their spellings; no time zone means UTC."""
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def _number(name: str) -> str:
    """A Gamma id for what has none: nine digits that follow from the name."""
    return str(100_000_000 + int.from_bytes(sha256(name.encode()).digest()[:8]) % 900_000_000)
