"""Carries orders out on paper: deterministic fills over real books, never better than the venue's.

The limits of the simulation are in docs/fill-model.md. What it takes from a level stays taken for the
orders behind it; it works on a copy of the liquidity memory, and the ledger books the same bites from
the events.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from betteroms.domain.book import Book
from betteroms.domain.bounds import FillBounds, careful, hopeful
from betteroms.domain.execution import Execution
from betteroms.domain.fees import FeeSchedule, fee
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.intent import Cancel
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.matching import Bite, Depth, Walk
from betteroms.domain.money import MICROS, Price, Size, Usdc, cost, proceeds
from betteroms.domain.order import (
    ALIVE,
    Accepted,
    Canceled,
    Expired,
    Filled,
    Order,
    OrderEvent,
    Rejected,
    TakenLevel,
)
from betteroms.domain.rounding import Rules
from betteroms.domain.terms import Dollars, Liquidity, Side, TimeInForce

BATCH_ORDERS: Final = 2_000


class FillModel(StrEnum):
    """How resting orders meet a book (DECISIONS 4.4). Runs trade by the base; the others ask "what if"."""

    PESSIMISTIC = "pessimistic"
    BASE = "base"
    OPTIMISTIC = "optimistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSettings:
    """How much of each level may be ours (millionths), and how many ticks fills move against us."""

    liquidity_fraction: int = 1_000_000
    slippage_ticks: int = 0
    fill: FillModel = FillModel.BASE


class PaperExecutor:
    """Keeps the promises of `ports.Executor` on books frozen at the run's start.

    `bounds` tell the pessimistic model what stood ahead of each resting order; one it knows nothing of
    does not fill.
    """

    sends_out = False

    def __init__(
        self,
        *,
        markets: Mapping[MarketId, Market],
        books: Mapping[TokenId, Book],
        rules: Mapping[TokenId, Rules],
        memory: LiquidityMemory,
        settings: PaperSettings,
        now: datetime,
        bounds: Mapping[OrderId, FillBounds] | None = None,
    ) -> None:
        self._markets = markets
        self._books = books
        self._rules = rules
        self._memory = memory
        self._settings = settings
        self._now = now
        self._bounds = bounds or {}
        self._depths: dict[tuple[TokenId, Side], Depth] = {}

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Paper has no other name for an order than ours."""
        return orders

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """Each order walks the book in turn; in batches, so that one can be stored while the next walks."""
        for start in range(0, len(orders), BATCH_ORDERS):
            events: list[OrderEvent] = []
            for order in orders[start : start + BATCH_ORDERS]:
                self._submit(order, events)
            yield events

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """Expire what is over, then let resting orders meet the books, oldest first at each price.

        In batches, so that one can be stored while the next meets its books.
        """
        events: list[OrderEvent] = []
        for order in orders:
            if order.expires_at is not None and order.expires_at <= self._now:
                events.append(self._ended(order))
        for order in sorted(orders, key=_best_price_then_oldest):
            if order.expires_at is None or order.expires_at > self._now:
                self._meet(order, events)
            if len(events) >= BATCH_ORDERS:
                yield events
                events = []
        yield events

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        """Cancel each order that is still alive; nothing happens to the others."""
        return [
            Canceled(order_id=cancel.order_id, at=self._now, code=cancel.reason)
            for cancel in cancels
            if orders[cancel.order_id].status in ALIVE
        ]

    def _submit(self, order: Order, events: list[OrderEvent]) -> None:
        intent = order.intent
        assert order.limit_price is not None
        assert order.amount is not None
        depth = self._depth(intent.token_id, intent.side)
        if intent.post_only and depth.crosses(order.limit_price):
            events.append(Rejected(order_id=order.order_id, at=self._now, code="POST_ONLY_WOULD_CROSS"))
            return
        events.append(Accepted(order_id=order.order_id, at=self._now))
        slippage = self._settings.slippage_ticks * self._rules[intent.token_id].tick_size
        if isinstance(order.amount, Dollars):
            walk = depth.walk_dollars(limit=order.limit_price, dollars=order.amount.usdc, slippage=slippage)
        else:
            walk = depth.walk_shares(limit=order.limit_price, size=order.amount.size, slippage=slippage)
        if intent.time_in_force is TimeInForce.FOK and not walk.complete:
            events.append(Canceled(order_id=order.order_id, at=self._now, code="FOK_NOT_FILLED"))
            return
        if walk.bites:
            pieces = [(bite.price, bite.size) for bite in walk.bites]
            events.append(self._fill(order, depth, walk, pieces, Liquidity.TAKER))
        if not walk.complete and intent.time_in_force is TimeInForce.FAK:
            code = "FAK_REMAINDER" if walk.bites else "FAK_NO_MATCH"
            events.append(Canceled(order_id=order.order_id, at=self._now, code=code))

    def _meet(self, order: Order, events: list[OrderEvent]) -> None:
        """A resting order fills at its own limit, up to the depth that crosses it, as maker."""
        book = self._books.get(order.intent.token_id)
        if book is None or book.crossed or order.limit_price is None or order.remaining == 0:
            return
        if not self._markets[book.market_id].tradable:
            return
        if order.expires_at is not None and book.changed_at_ms >= order.expires_at.timestamp() * 1000:
            return
        depth = self._depth(order.intent.token_id, order.intent.side)
        fill = self._settings.fill
        # Most orders rest far from the market, and only the optimistic one fills them there.
        if fill is not FillModel.OPTIMISTIC and not depth.crosses(order.limit_price):
            return
        if fill is FillModel.PESSIMISTIC:
            walk = self._carefully(order, order.limit_price, depth, book)
        else:
            walk = depth.walk_shares(limit=order.limit_price, size=order.remaining, at_limit=True)
        size = sum(bite.size for bite in walk.bites)
        if fill is FillModel.OPTIMISTIC and hopeful(order, book):
            # What is not on display came and went between two books: it is nobody's to take again.
            walk, size = Walk(bites=walk.bites, complete=True), order.remaining
        if size:
            events.append(self._fill(order, depth, walk, [(order.limit_price, size)], Liquidity.MAKER))

    def _carefully(self, order: Order, limit: Price, depth: Depth, book: Book) -> Walk:
        """What a resting order gets where only levels strictly through its limit serve it, others first."""
        known = self._bounds.get(order.order_id)
        size = 0 if known is None else careful(known, order, book) - order.filled_size
        if size <= 0:
            return Walk(bites=(), complete=False)
        step = -1 if order.intent.side is Side.BUY else 1
        walk = depth.walk_shares(limit=Price(limit + step), size=size)
        bites = [Bite(bite.key, int(limit), bite.size) for bite in walk.bites]
        return Walk(bites=bites, complete=walk.complete and size == order.remaining)

    def _fill(
        self,
        order: Order,
        depth: Depth,
        walk: Walk,
        pieces: Sequence[tuple[int, int]],
        liquidity: Liquidity,
    ) -> Filled:
        """The walk is taken; `pieces` are the executions it makes, as price and size."""
        depth.take(walk)
        intent = order.intent
        return Filled(
            order_id=order.order_id,
            at=self._now,
            market_id=intent.market_id,
            executions=_executions(
                order,
                pieces,
                schedule=self._markets[intent.market_id].fees,
                liquidity=liquidity,
                at=self._now,
            ),
            taken=tuple([TakenLevel(price=Price(bite.key), size=Size(bite.size)) for bite in walk.bites]),
            book_id=self._books[intent.token_id].book_id,
            complete=walk.complete,
        )

    def _ended(self, order: Order) -> OrderEvent:
        if order.intent.time_in_force is TimeInForce.GTD:
            return Expired(order_id=order.order_id, at=self._now)
        return Canceled(order_id=order.order_id, at=self._now, code="CANCEL_AFTER")

    def _depth(self, token_id: TokenId, side: Side) -> Depth:
        depth = self._depths.get((token_id, side))
        if depth is None:
            book = self._books[token_id]
            market = self._markets[book.market_id]
            depth = Depth(
                book,
                side,
                outcome_index=market.outcome_index(token_id),
                taken=self._memory.of(book.market_id),
                fraction=self._settings.liquidity_fraction,
            )
            self._depths[token_id, side] = depth
        return depth


def _best_price_then_oldest(order: Order) -> tuple[int, datetime, int, str]:
    # The venue serves the better price first and the older order at one price. A BUY of one outcome at p
    # and a SELL of the other at 1 - p compete for the same liquidity at the same price.
    price = order.limit_price or 0
    better = -price if order.intent.side is Side.BUY else price - MICROS
    return (better, order.placed_at or order.created_at, order.intent.line or 0, order.order_id)


def _executions(
    order: Order,
    pieces: Sequence[tuple[int, int]],
    *,
    schedule: FeeSchedule,
    liquidity: Liquidity,
    at: datetime,
) -> tuple[Execution, ...]:
    """One execution for each (price, size), numbered on from those the order has."""
    intent = order.intent
    order_id, mode, side = order.order_id, order.mode, intent.side
    market_id, token_id = intent.market_id, intent.token_id
    buying = side is Side.BUY
    return tuple(
        [
            Execution(
                order_id=order_id,
                number=number,
                mode=mode,
                market_id=market_id,
                token_id=token_id,
                side=side,
                price=Price(price),
                size=Size(size),
                cash=Usdc(-cost(Price(price), Size(size))) if buying else proceeds(Price(price), Size(size)),
                fee=fee(schedule, price=Price(price), size=Size(size), liquidity=liquidity),
                liquidity=liquidity,
                executed_at=at,
            )
            for number, (price, size) in enumerate(pieces, start=order.fills + 1)
        ]
    )
