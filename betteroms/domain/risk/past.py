"""An account's history, put together from plain rows: the same sums whichever ledger the rows are in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.market import Market
from betteroms.domain.money import MICROS, Price, Size, Usdc, cost
from betteroms.domain.order import Order, OrderStatus, reserved_cash
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Position, mark, market_value
from betteroms.domain.risk.history import History, RiskState, Stake, Stop
from betteroms.domain.rule import RuleSet
from betteroms.domain.terms import Dollars, Liquidity, Side

REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})
"""An order that neither we nor the venue took is none of the day's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """One market's orders of one day: how many, and what the opening ones may cost."""

    market_id: MarketId
    orders: int
    notional: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position with shares, and the prices its token was last seen at."""

    position: Position
    best_bid: Price | None
    best_ask: Price | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """What the open buys of one token may still spend at their limits."""

    market_id: MarketId
    token_id: TokenId
    cost: Usdc


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTerms:
    """What of a market decides how its stakes count; `second_token` is its second outcome's."""

    second_token: TokenId | None
    group_id: str | None
    event_slug: str | None
    minimum_size: Size | None
    fees: FeeSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What portfolio snapshots say: gains and losses at the day's start and at the peak, where they know."""

    day_start: Usdc | None
    peak: Usdc | None


def terms_of(market: Market) -> MarketTerms:
    """What of this market decides how its stakes count."""
    return MarketTerms(
        # Of a market that was pieced together from one recorded book, nobody knows the other outcome.
        second_token=market.outcomes[1].token_id if len(market.outcomes) > 1 else None,
        group_id=market.group_id,
        event_slug=market.event_slug,
        minimum_size=market.minimum_size,
        fees=market.fees,
    )


def day_of(at: datetime) -> tuple[datetime, datetime]:
    """The UTC day around a moment: its first, and the first of the next."""
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def traded_of(orders: Iterable[Order], at: datetime) -> list[Traded]:
    """The orders of the day around `at`, market by market."""
    start, end = day_of(at)
    counted: dict[MarketId, int] = defaultdict(int)
    notional: dict[MarketId, int] = defaultdict(int)
    for order in orders:
        if order.status in REFUSED or not start <= order.created_at < end:
            continue
        counted[order.intent.market_id] += 1
        notional[order.intent.market_id] += opening_notional(order)
    return [
        Traded(market_id=market, orders=orders, notional=Usdc(notional[market]))
        for market, orders in counted.items()
    ]


def opening_notional(order: Order) -> int:
    """What a BUY might cost when it was taken on, fee apart; 0 for a SELL."""
    if order.intent.side is Side.SELL or order.amount is None or order.limit_price is None:
        return 0
    if isinstance(order.amount, Dollars):
        return order.amount.usdc
    return cost(order.limit_price, order.amount.size)


def bids_of(orders: Iterable[Order]) -> list[Bid]:
    """What the open buys among these orders may still spend, token by token."""
    found: dict[tuple[MarketId, TokenId], int] = defaultdict(int)
    for order in orders:
        found[order.intent.market_id, order.intent.token_id] += reserved_cash(order)
    return [
        Bid(market_id=market, token_id=token, cost=Usdc(spent))
        for (market, token), spent in found.items()
        if spent
    ]


def without(history: History, orders: Collection[Order], at: datetime) -> History:
    """The history as if these alive orders had never been taken on; `at` is its moment."""
    if not orders:
        return history
    day_orders, notional = dict(history.day_orders), int(history.day_notional)
    for one in traded_of(orders, at):
        day_orders[one.market_id] = day_orders.get(one.market_id, 0) - one.orders
        notional -= one.notional
    bids = {bid.token_id: bid.cost for bid in bids_of(orders)}
    return replace(
        history,
        day_notional=Usdc(notional),
        day_orders=day_orders,
        stakes=tuple(
            replace(stake, bids=Usdc(stake.bids - bids.get(stake.token_id, 0))) for stake in history.stakes
        ),
    )


def marks_of(snapshots: Iterable[PortfolioSnapshot], *, at: datetime, since: datetime | None) -> Marks:
    """The first snapshot of the day (else the last one before it), and the best since the last reset."""
    start, _ = day_of(at)
    known = sorted(
        (taken.taken_at, taken.net_liquidation - taken.deposited)
        for taken in snapshots
        if taken.taken_at <= at
    )
    today = [gain for taken_at, gain in known if taken_at >= start]
    earlier = [gain for taken_at, gain in known if taken_at < start]
    counting = [gain for taken_at, gain in known if since is None or taken_at >= since]
    first = today[0] if today else earlier[-1] if earlier else None
    return Marks(
        day_start=None if first is None else Usdc(first), peak=Usdc(max(counting)) if counting else None
    )


def equity(*, moved: Usdc, held: Iterable[Held]) -> Usdc:
    """What was gained or lost since the beginning, at the last known marks.

    `moved` is the sum of realised less cost basis over all positions, closed ones too: by the ledger's
    invariant the cash that trading brought or took. Deposits are in neither.
    """
    value = sum(
        market_value(mark(best_bid=one.best_bid, best_ask=one.best_ask), one.position.size) for one in held
    )
    return Usdc(moved + value)


def history_of(
    *,
    markets: Collection[MarketId] | None,
    traded: Iterable[Traded],
    held: Collection[Held],
    moved: Usdc,
    bids: Iterable[Bid],
    terms: Mapping[MarketId, MarketTerms],
    marks: Marks,
    state: RiskState,
    rules: Iterable[RuleSet],
) -> History:
    """The account's history; of the day's orders and of exit rules, those of these markets, None for all.

    An account that has no snapshot yet is measured from its beginning, where nothing was gained or lost.
    """
    day = list(traded)
    standing = [found for found in rules if markets is None or found.market_id in markets]
    worth = equity(moved=moved, held=held)
    peaks = [state.reset_equity, worth] if marks.peak is None else [state.reset_equity, worth, marks.peak]
    counted = {one.market_id: one.orders for one in day if markets is None or one.market_id in markets}
    return History(
        day_notional=Usdc(sum(one.notional for one in day)),
        day_orders=dict(sorted(counted.items())),
        stakes=_stakes(held, bids, terms),
        equity=worth,
        day_start=Usdc(0) if marks.day_start is None else marks.day_start,
        peak=Usdc(max(peaks)),
        state=state,
        stops={
            found.token_id: Stop(at=found.stopped_at, cool_down_minutes=found.rules.cool_down_minutes)
            for found in standing
            if found.stopped_at is not None and found.rules.cool_down_minutes is not None
        },
        daily_trades_max={
            found.token_id: found.rules.daily_trades_max
            for found in standing
            if found.rules.daily_trades_max is not None
        },
    )


def _stakes(
    held: Iterable[Held], bids: Iterable[Bid], terms: Mapping[MarketId, MarketTerms]
) -> tuple[Stake, ...]:
    """One stake for each token that is held or bid for, by token id."""
    positions = {one.position.token_id: one.position for one in held}
    open_buys = {bid.token_id: bid for bid in bids}
    found = []
    for token in sorted(positions.keys() | open_buys.keys()):
        position, bid = positions.get(token), open_buys.get(token)
        market = position.market_id if position is not None else open_buys[token].market_id
        known = terms.get(market)
        found.append(
            Stake(
                market_id=market,
                token_id=token,
                outcome_index=1 if known is not None and known.second_token == token else 0,
                group_id=None if known is None else known.group_id,
                event_slug=None if known is None else known.event_slug,
                size=Size(0) if position is None else position.size,
                cost=Usdc(0) if position is None else position.cost_basis,
                fees=Usdc(0) if position is None else _fees_of_held(position, known),
                bids=Usdc(0) if bid is None else bid.cost,
                minimum_size=None if known is None else known.minimum_size,
            )
        )
    return tuple(found)


def _fees_of_held(position: Position, known: MarketTerms | None) -> Usdc:
    """What was charged for the shares that are still held, at most.

    A position knows the fees of all its life. Of those, no more than a taker would have paid for these shares
    at their average cost: what makers did not pay, and what was paid for shares sold since, is left out as
    far as can be told. Where nothing was sold it is what was charged, to the
    hundred-thousandth.
    """
    if known is None or not known.fees.known or position.cost_basis >= position.size:
        return position.fees
    average = Price(position.cost_basis * MICROS // position.size)
    as_taker = fee(known.fees, price=average, size=position.size, liquidity=Liquidity.TAKER)
    return min(position.fees, as_taker)
