"""The lists of the Data API: what is in them, by their filters, and their order. Source: VENUE 5.3."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams

from betteroms.domain.money import MICROS
from betteroms.sandbox.holdings import Fill, Holding, fills_for, fills_of, holdings_of
from betteroms.sandbox.http import data_params as params
from betteroms.sandbox.http.data_rows import (
    activity_row,
    current_price,
    status_of,
    trade_activity_row,
    trade_row,
)
from betteroms.sandbox.http.pages import Key
from betteroms.sandbox.model import Market, Refused
from betteroms.sandbox.world import World

AMOUNT_LEAST: Final = 10_000
"""Trades below a cent are not told unless asked for."""
FILTER_TYPES: Final = ("CASH", "TOKENS")
STATUSES: Final = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
ORDERS: Final = (
    "CURRENT_VALUE",
    "PRICE",
    "TOKENS",
    "UNREALIZED_PNL",
    "REALIZED_PNL",
    "TOTAL_PNL",
    "TIMESTAMP",
)
ACTIVITY_TYPES: Final = frozenset(
    (
        *("TRADE", "SPLIT", "MERGE", "REDEEM", "REWARD", "CONVERSION", "MIGRATION", "DEPOSIT", "WITHDRAWAL"),
        *("YIELD", "MAKER_REBATE", "TAKER_REBATE", "REFERRAL_REWARD", "TIP"),
    )
)

PositionRow = tuple[Key, Holding, int, int]
"""Its place in the order, the holding, and the balances of its token and of the complement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Positions that were asked for, in no order yet. `order` is what their keys are made of."""

    rows: list[PositionRow]
    order: str
    falling: bool


def positions(
    world: World, query: QueryParams, *, older_names: bool = False, all_of_them: bool = False
) -> Positions:
    """A wallet's positions, or those of everybody in one market; what is closed only when asked for.

    Raises:
        Refused: a parameter is missing or wrong.
    """
    user = params.user_of(query, required=False)
    names = ("market",) if older_names else ("condition_id", "condition")
    wanted = params.conditions(query, *names)
    events = frozenset(params.several(query, "eventId" if older_names else "event_id"))
    if user is None and len(wanted) != 1:
        raise Refused("user or exactly one condition_id is required")
    status = "" if older_names else params.word(query, "status", STATUSES, otherwise="")
    order = "CURRENT_VALUE" if older_names else params.word(query, "sort_by", ORDERS, otherwise="TIMESTAMP")
    least, kind = _least(query, otherwise=0)
    words = query.get("title", "").lower()
    rows: list[PositionRow] = []
    for holding in holdings_of(world, user) if user else _holders(world, wanted):
        market = holding.market
        held = world.bank.balance(holding.wallet, holding.token_id)
        other = world.bank.balance(holding.wallet, market.token_ids[1 - holding.outcome])
        value = current_price(world.exchange, holding) * held // MICROS
        keep = (
            _in(market, wanted, events)
            and (all_of_them or _has_status(status, holding, held, other))
            and words in market.question.lower()
            and (value if kind == "CASH" else held) >= least
        )
        if keep:
            place = _place(world, holding, held, value, order)
            rows.append(((place, holding.wallet, holding.token_id), holding, held, other))
    falling = params.word(query, "sort_direction", ("ASC", "DESC"), otherwise="DESC") == "DESC"
    return Positions(rows=rows, order=order, falling=falling)


def trade_rows(
    world: World, query: QueryParams, *, taker_only: bool, older_names: bool = False
) -> list[tuple[Key, dict[str, Any]]]:
    """Settled trades, one row for each wallet's part; only what takers did, unless told otherwise.

    Raises:
        Refused: a parameter is wrong.
    """
    user = params.user_of(query, required=False)
    least, kind = _least(query, otherwise=0 if older_names else AMOUNT_LEAST, older_names=older_names)
    fills = fills_for(world, user) if user else fills_of(world.exchange.trades)
    return [
        (_fill_key(fill), trade_row(world.exchange, fill))
        for fill in _filtered(world, query, fills, older_names=older_names)
        if (fill.is_taker or not taker_only) and (fill.dollars if kind == "CASH" else fill.shares) >= least
    ]


def activity_rows(
    world: World, query: QueryParams, *, older_names: bool = False
) -> list[tuple[Key, dict[str, Any]]]:
    """What a wallet did: its trades in either role, splits, merges and redemptions.

    Raises:
        Refused: the wallet is missing, or a parameter is wrong.
    """
    user = params.user_of(query)
    assert user is not None, "it is required"
    types = {name.upper() for name in params.several(query, "type")}
    if not types <= ACTIVITY_TYPES:
        raise Refused("invalid type")
    side = params.word(query, "side", ("BUY", "SELL"), otherwise="")
    start, end = params.window(query, world.now())
    wanted, events = _selected(query, older_names=older_names)
    rows: list[tuple[Key, dict[str, Any]]] = []
    if not types or "TRADE" in types:
        fills = _filtered(world, query, fills_for(world, user), older_names=older_names)
        rows += [(_fill_key(fill), trade_activity_row(world.exchange, fill)) for fill in fills]
    for number, activity in enumerate(world.activities.of(user)):
        if (
            (not types or activity.kind in types)
            and not side
            and start <= activity.at_ms // 1000 <= end
            and _in(activity.market, wanted, events)
        ):
            # After the trades of the same moment.
            rows.append(((activity.at_ms, 1, number, 0), activity_row(activity)))
    return rows


def portfolio_value(world: World, user: str, wanted: frozenset[str]) -> int:
    """What a wallet's shares are worth, in millionths; of some markets, or of all."""
    return sum(
        current_price(world.exchange, holding) * world.bank.balance(user, holding.token_id) // MICROS
        for holding in holdings_of(world, user)
        if _in(holding.market, wanted, frozenset())
    )


def _filtered(
    world: World, query: QueryParams, fills: "list[Fill] | Iterator[Fill]", *, older_names: bool
) -> list[Fill]:
    side = params.word(query, "side", ("BUY", "SELL"), otherwise="")
    start, end = params.window(query, world.now())
    wanted, events = _selected(query, older_names=older_names)
    return [
        fill
        for fill in fills
        if start <= fill.at_ms // 1000 <= end
        and (not side or fill.side == side)
        and _in(fill.market, wanted, events)
    ]


def _selected(query: QueryParams, *, older_names: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The markets and the events that are asked for; empty for all.

    Raises:
        Refused: both, or something that is none.
    """
    names = ("market",) if older_names else ("condition_id", "condition")
    wanted = params.conditions(query, *names)
    events = frozenset(params.several(query, "eventId" if older_names else "event_id"))
    if wanted and events:
        raise Refused("condition_id and event_id are mutually exclusive")
    return wanted, events


def _in(market: Market, wanted: frozenset[str], events: frozenset[str]) -> bool:
    return (not wanted or market.condition_id in wanted) and (not events or market.event_id in events)


def _least(query: QueryParams, *, otherwise: int, older_names: bool = False) -> tuple[int, str]:
    amount, kind = ("filterAmount", "filterType") if older_names else ("filter_amount", "filter_type")
    return (
        params.micros(query, amount, otherwise=otherwise),
        params.word(query, kind, FILTER_TYPES, otherwise="CASH"),
    )


def _fill_key(fill: Fill) -> Key:
    return (fill.at_ms, 0, fill.trade.number, fill.part)


def _holders(world: World, wanted: frozenset[str]) -> Iterator[Holding]:
    """Every wallet's holdings in one market, among those that hold any now."""
    for condition in wanted:
        market = world.exchange.markets.get(condition)
        if market is None:
            continue
        owners = {
            owner
            for (owner, token), shares in world.bank.shares.items()
            if shares and token in market.token_ids
        }
        for owner in sorted(owners):
            yield from (holding for holding in holdings_of(world, owner) if holding.market is market)


def _has_status(status: str, holding: Holding, held: int, other: int) -> bool:
    told = status_of(holding.market, held)
    payouts = holding.market.payouts
    match status:
        case "":
            return told != "CLOSED"
        case "REDEEMABLE_LOST":
            return held > 0 and payouts is not None and payouts[holding.outcome] == 0
        case "MERGEABLE":
            return payouts is None and held > 0 and other > 0
        case _:
            return told == status


def _place(world: World, holding: Holding, held: int, value: int, order: str) -> int:
    match order:
        case "CURRENT_VALUE":
            return value
        case "PRICE":
            return current_price(world.exchange, holding)
        case "TOKENS":
            return held
        case "UNREALIZED_PNL":
            return value - holding.cost
        case "REALIZED_PNL":
            return holding.realized
        case "TOTAL_PNL":
            return holding.realized + value - holding.cost
        case _:
            return holding.last_ms
