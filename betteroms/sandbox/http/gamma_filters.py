"""Which markets and events a question to Gamma asks for, and in which order. Source: VENUE 5.2."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from starlette.datastructures import QueryParams

from betteroms.sandbox.http.pages import Key
from betteroms.sandbox.model import Market, Protocol, Refused

IDS_MAX: Final = 100
LIMIT_STANDARD: Final = 20
ORDER_FIELDS_MAX: Final = 4
NUMBERS: Final = frozenset(
    (
        *(
            "id",
            "volumeNum",
            "liquidityNum",
            "volume24hr",
            "volume1wk",
            "volume1mo",
            "volume1yr",
            "volumeClob",
        ),
        *("liquidityClob", "lastTradePrice", "bestBid", "bestAsk", "spread", "competitive", "openInterest"),
        *("orderMinSize", "orderPriceMinTickSize", "commentCount"),
    )
)
TEXTS: Final = frozenset(
    (
        *("slug", "question", "title", "ticker", "conditionId", "startDate", "endDate", "createdAt"),
        *("updatedAt", "closedTime", "gameStartTime"),
    )
)
MARKET_TEXTS: Final = frozenset(("volume", "liquidity"))
"""Text in markets, so that `order=volume` sorts as text there; numbers in events."""

Fields = Mapping[str, Any]


class Invalid(Refused):
    """A parameter that Gamma does not take."""

    def __init__(self, text: str) -> None:
        super().__init__(text, status=422)


def flag(query: QueryParams, name: str) -> bool | None:
    """True, false, or not said.

    Raises:
        Invalid: anything else.
    """
    value = query.get(name)
    if value is None or value == "":
        return None
    if value.lower() not in ("true", "false"):
        raise Invalid(f"{name} is invalid")
    return value.lower() == "true"


def count(query: QueryParams, name: str, *, otherwise: int, least: int = 0, most: int) -> int:
    """A whole number within bounds.

    Raises:
        Invalid: anything else.
    """
    value = query.get(name)
    if value is None or value == "":
        return otherwise
    if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
        raise Invalid(f"{name} is invalid")
    return int(value)


def market_wanted(query: QueryParams) -> Callable[[Market], bool]:
    """The test that a market must pass. Without `closed`, those that ended are left out, even by id.

    Raises:
        Invalid: a filter that Gamma does not take.
    """
    tests: list[Callable[[Market], bool]] = [_is_closed(flag(query, "closed") is True)]
    named = [(name, _several(query, name)) for name in _MARKET_NAMES]
    tests += [_among(wanted, _MARKET_NAMES[name]) for name, wanted in named if wanted]
    tests += _within(query, "start_date", lambda market: _moment(market.row.get("startDate")), _bound_date)
    tests += _within(query, "end_date", _end_of, _bound_date)
    for field, source in (("liquidity_num", "liquidityNum"), ("volume_num", "volumeNum")):
        tests += _within(query, field, _row_number(source), _bound_number)
    if tags := _several(query, "tag_id"):
        tests.append(lambda market: not tags.isdisjoint(tag["id"] for tag in tags_of(market)))
    return lambda market: all(test(market) for test in tests)


def event_wanted(query: QueryParams) -> Callable[[Fields], bool]:
    """The test that an event's document must pass.

    Raises:
        Invalid: a filter that Gamma does not take.
    """
    closed = flag(query, "closed") is True
    tests: list[Callable[[Fields], bool]] = [lambda event: event["closed"] is closed]
    for name in ("id", "slug"):
        if wanted := _several(query, name):
            tests.append(_called(wanted, name))
    for field, source in (("start_date", "startDate"), ("end_date", "endDate")):
        tests += _within(query, field, _event_moment(source), _bound_date)
    for field in ("liquidity", "volume"):
        tests += _within(query, field, _event_number(field), _bound_number)
    for name, of in (("tag_id", "id"), ("tag_slug", "slug")):
        if wanted := _several(query, name):
            tests.append(_tagged(wanted, of))
    if excluded := _several(query, "exclude_tag_id"):
        tests.append(lambda event: not _tagged(excluded, "id")(event))
    if (featured := flag(query, "featured")) is not None:
        tests.append(lambda event: (event.get("featured") is True) is featured)
    if versions := _several(query, "version"):
        tests.append(lambda event: any(market["version"] in versions for market in event["markets"]))
    if words := query.get("title_search"):
        tests.append(lambda event: words.lower() in str(event["title"]).lower())
    return lambda event: all(test(event) for test in tests)


def order_of(query: QueryParams, *, of_markets: bool) -> tuple[str, bool, Callable[[Fields], Key]]:
    """The name of the order, whether it falls, and the key that a document has in it. By id unless told.

    Raises:
        Invalid: an order that Gamma does not know.
    """
    names = [name.strip() for name in (query.get("order") or "id").split(",")]
    texts = TEXTS | MARKET_TEXTS if of_markets else TEXTS
    numbers = NUMBERS if of_markets else NUMBERS | MARKET_TEXTS
    if len(names) > ORDER_FIELDS_MAX or not all(name in texts or name in numbers for name in names):
        raise Invalid("order fields are not valid")
    # An order that is asked for falls unless told otherwise; the usual one, by id, rises.
    ascending = flag(query, "ascending")
    falling = ascending is False or (ascending is None and "order" in query)

    def key(document: Fields) -> Key:
        parts: list[int | str] = []
        for name in names:
            value = document.get(name)
            if name in texts:
                parts.append("" if value is None else str(value))
            else:
                parts.append(round((_number(value) or 0) * 1_000_000))
        return (*parts, str(document["id"]))

    return f"{','.join(names)}:{falling}", falling, key


def tags_of(market: Market) -> list[dict[str, Any]]:
    """A market's tags: its own, or else its event's."""
    for source in (market.row, market.event):
        tags = source.get("tags")
        if isinstance(tags, list) and tags:
            return [tag | {"id": str(tag["id"])} for tag in tags if isinstance(tag, dict) and "id" in tag]
    return []


def _several(query: QueryParams, name: str) -> frozenset[str]:
    values = [value for value in query.getlist(name) if value != ""]
    if len(values) > IDS_MAX:
        raise Invalid(f"{name}: at most {IDS_MAX} values")
    return frozenset(values)


def _is_closed(closed: bool) -> Callable[[Market], bool]:
    return lambda market: market.closed is closed


def _among(wanted: frozenset[str], names: Callable[[Market], Iterable[str]]) -> Callable[[Market], bool]:
    return lambda market: not wanted.isdisjoint(names(market))


def _tokens(market: Market, protocol: Protocol) -> tuple[str, ...]:
    return market.token_ids if market.protocol is protocol else ()


def _spellings(condition_id: str) -> tuple[str, ...]:
    """A position's condition is 31 bytes, and told padded or not (VENUE 2.5)."""
    return (condition_id, condition_id.removesuffix("00")) if len(condition_id) == 66 else (condition_id,)


def _status(market: Market, protocol: Protocol) -> str:
    """How far the end of a market has come, in the words of its protocol; empty for the other's."""
    if market.protocol is not protocol:
        return ""
    if market.payouts is not None:
        return "resolved"
    if protocol is Protocol.POSITION:
        return "active"
    return str(market.row.get("umaResolutionStatus") or "")


_MARKET_NAMES: Final[Mapping[str, Callable[[Market], Iterable[str]]]] = {
    "id": lambda market: (market.gamma_id,),
    "slug": lambda market: (market.slug,),
    "condition_ids": lambda market: _spellings(market.condition_id),
    "clob_token_ids": lambda market: _tokens(market, Protocol.CTF),
    "position_ids": lambda market: _tokens(market, Protocol.POSITION),
    "question_ids": lambda market: (market.question_id,) if market.question_id else (),
    "request_ids": lambda market: (market.condition_id,) if market.protocol is Protocol.POSITION else (),
    "onchain_event_ids": lambda market: (str(market.row.get("onchainEventId")),),
    "version": lambda market: ("v2" if market.protocol is Protocol.POSITION else "v1",),
    "uma_resolution_status": lambda market: (_status(market, Protocol.CTF),),
    "resolution_status": lambda market: (_status(market, Protocol.POSITION),),
    "game_id": lambda market: (str(market.row.get("gameId")),),
    "sports_market_types": lambda market: (str(market.row.get("sportsMarketType")),),
}


def _tagged(wanted: frozenset[str], of: str) -> Callable[[Fields], bool]:
    return lambda event: any(
        str(tag.get(of)) in wanted for tag in event.get("tags") or () if isinstance(tag, Mapping)
    )


def _called(wanted: frozenset[str], name: str) -> Callable[[Fields], bool]:
    return lambda event: str(event[name]) in wanted


def _end_of(market: Market) -> float | None:
    return None if market.ends_ms is None else market.ends_ms / 1000


def _row_number(name: str) -> Callable[[Market], float | None]:
    return lambda market: _number(market.row.get(name))


def _event_moment(name: str) -> Callable[[Fields], float | None]:
    return lambda event: _moment(event.get(name))


def _event_number(name: str) -> Callable[[Fields], float | None]:
    return lambda event: _number(event.get(name))


def _within(
    query: QueryParams,
    field: str,
    value: Callable[[Any], float | None],
    read: Callable[[str, str], float],
) -> list[Callable[[Any], bool]]:
    """Tests for `field_min` and `field_max`; what has no such field passes neither."""
    tests: list[Callable[[Any], bool]] = []
    for end in ("min", "max"):
        text = query.get(f"{field}_{end}")
        if text:
            bound, least = read(text, f"{field}_{end}"), end == "min"
            tests.append(_bounded(value, bound, least))
    return tests


def _bounded(value: Callable[[Any], float | None], bound: float, least: bool) -> Callable[[Any], bool]:
    def test(thing: Any) -> bool:
        found = value(thing)
        return found is not None and (found >= bound if least else found <= bound)

    return test


def _bound_date(text: str, name: str) -> float:
    moment = _moment(text)
    if moment is None:
        raise Invalid(f"{name} is invalid")
    return moment


def _bound_number(text: str, name: str) -> float:
    number = _number(text)
    if number is None:
        raise Invalid(f"{name} is invalid")
    return number


def _moment(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _number(value: object) -> float | None:
    """A bound or a volume: compared, never reckoned with."""
    try:
        number = float(json.loads(value)) if isinstance(value, str) else value
    except (ValueError, TypeError):
        return None
    return float(number) if isinstance(number, int | float) and not isinstance(number, bool) else None
