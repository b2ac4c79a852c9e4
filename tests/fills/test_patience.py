"""Orders that rest through many books: as the slow reference has it, and never more than the books allow."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings

from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId
from betteroms.domain.money import MICROS
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.terms import Liquidity, Mode, Side
from tests.fills.corridor import Corridor
from tests.fills.patience import patient_worlds
from tests.fills.test_against_reference import books_of, compare, corridor_of, market

Levels = dict[Fraction, Fraction]


@dataclass(frozen=True, kw_only=True)
class Passed:
    """One book and the orders that rested when it came; prices are seen from the first outcome, in dollars.

    `taken` is what was remembered of each level before and after, `shown` what the book displays, either
    side; `newer` says that the book is newer than any before it.
    """

    run: dict[str, Any]
    newer: bool
    shown: tuple[Levels, Levels]
    share: Fraction
    taken: tuple[Levels, Levels]
    before: list[Order]
    after: dict[OrderId, Order]
    fills: dict[OrderId, list[Execution]]

    @property
    def bids(self) -> Levels:
        return self.shown[0]

    @property
    def asks(self) -> Levels:
        return self.shown[1]

    @property
    def crossed(self) -> bool:
        return bool(self.bids and self.asks) and max(self.bids) > min(self.asks)

    def ours(self, level: Fraction) -> Fraction:
        """How much of a level may ever be ours."""
        size = max(side.get(level, Fraction(0)) for side in self.shown)
        return Fraction(floor(size * self.share * MICROS), MICROS)

    def remembered(self, level: Fraction) -> Fraction:
        """What was taken from a level once this book was seen."""
        before = self.taken[0].get(level, Fraction(0))
        size = max(side.get(level, Fraction(0)) for side in self.shown)
        return min(before, size) if self.newer else before

    def bitten(self, level: Fraction) -> Fraction:
        """What was taken from a level while this book was looked at."""
        return self.taken[1].get(level, Fraction(0)) - self.remembered(level)

    def filled(self, order: Order) -> Fraction:
        return Fraction(sum(fill.size for fill in self.fills.get(order.order_id, ())), MICROS)

    def may_fill(self, order: Order) -> bool:
        """Whether this book could have met the order, had it been deep enough."""
        stamp = self.run["books"]["rain", 0]["stamp"]
        if self.run["closed"] or self.crossed:
            return False
        ends = None if order.expires_at is None else order.expires_at.timestamp()
        return ends is None or (self.run["now"] < ends and stamp < ends * 1000)

    def bidders(self) -> list[tuple[Fraction, Order]]:
        """Those of our orders that bid, as the first outcome sees it, as they are to be served."""
        return self._side(bid=True)

    def askers(self) -> list[tuple[Fraction, Order]]:
        return self._side(bid=False)

    def _side(self, *, bid: bool) -> list[tuple[Fraction, Order]]:
        mine = []
        for order in self.before:
            first = order.intent.outcome_index == 0
            if ((order.intent.side is Side.BUY) == first) is bid and self.may_fill(order):
                assert order.limit_price is not None
                price = Fraction(order.limit_price, MICROS)
                mine.append((price if first else 1 - price, order))
        best = -1 if bid else 1
        return sorted(mine, key=lambda row: (best * row[0], row[1].placed_at, row[1].intent.line))


def seen_from_first(book: dict[str, Any]) -> tuple[Levels, Levels]:
    bids, asks = (
        {Fraction(price): Fraction(size) for price, size in book[side]} for side in ("bids", "asks")
    )
    return bids, asks


def passes(world: dict[str, Any]) -> Iterable[Passed]:
    """Every book of a mirrored world with what became of the orders that rested."""
    markets = {"rain": market("rain", world["markets"]["rain"])}
    corridor = corridor_of(world, [*markets.values()])
    newest = 0
    for run in world["runs"]:
        known = markets["rain"]
        corridor.markets[known.market_id] = replace(known, closed="rain" in run["closed"])
        before = [order for order in corridor.ledger.orders() if order.status is OrderStatus.OPEN]
        memory = remembered(corridor)
        at: dict[str, Any] = {"now": datetime.fromtimestamp(run["now"], tz=UTC)}
        outcome = corridor.run([], books=books_of(run, markets), **at)
        yield Passed(
            run=run,
            newer=run["books"]["rain", 0]["stamp"] > newest,
            shown=seen_from_first(run["books"]["rain", 0]),
            share=Fraction(world["fraction"]),
            taken=(memory, remembered(corridor)),
            before=before,
            after={order.order_id: corridor.order(order.order_id) for order in before},
            fills={name: list(fills) for name, fills in outcome.settled_executions.items()},
        )
        newest = stamp_after(corridor, run, newest)
        if run["plan"]:
            corridor.run(run["plan"], books=books_of(run, markets), **at)
            newest = stamp_after(corridor, run, newest)


def remembered(corridor: Corridor) -> Levels:
    rows = corridor.ledger.taken()[Mode.PAPER]
    return {Fraction(row.price, MICROS): Fraction(row.size, MICROS) for row in rows}


def stamp_after(corridor: Corridor, run: dict[str, Any], newest: int) -> int:
    """The newest book that is remembered: of a market that nothing is taken from none is."""
    if not corridor.ledger.taken()[Mode.PAPER]:
        return 0
    return max(newest, int(run["books"]["rain", 0]["stamp"]))


def fills_are_at_the_orders_own_limit(passed: Passed) -> None:
    for order in passed.before:
        for fill in passed.fills.get(order.order_id, ()):
            assert fill.price == order.limit_price
            assert (fill.liquidity, fill.fee) == (Liquidity.MAKER, 0)


def nothing_is_taken_twice_or_beyond_our_share(passed: Passed) -> None:
    levels = {*passed.taken[0], *passed.taken[1]}
    for level in levels:
        assert passed.bitten(level) >= 0
        if passed.bitten(level):
            assert passed.taken[1][level] <= passed.ours(level)
    bites = sum((passed.bitten(level) for level in levels), Fraction(0))
    assert bites == sum((passed.filled(order) for order in passed.before), Fraction(0))


def fills_stay_within_the_crossing_depth(passed: Passed) -> None:
    for limit, _ in passed.bidders():
        filled = sum(passed.filled(order) for price, order in passed.bidders() if price <= limit)
        assert filled <= sum(passed.bitten(level) for level in passed.asks if level <= limit)
    for limit, _ in passed.askers():
        filled = sum(passed.filled(order) for price, order in passed.askers() if price >= limit)
        assert filled <= sum(passed.bitten(level) for level in passed.bids if level >= limit)


def the_better_price_and_then_the_older_order_is_served_first(passed: Passed) -> None:
    for side in (passed.bidders(), passed.askers()):
        unserved = False
        for _, order in side:
            assert not (unserved and passed.filled(order)), "one that waited longer was passed over"
            unserved = unserved or passed.after[order.order_id].status is OrderStatus.OPEN


def nothing_that_an_order_waits_for_is_left(passed: Passed) -> None:
    wanted: set[Fraction] = set()
    for limit, order in passed.bidders():
        if passed.after[order.order_id].status is OrderStatus.OPEN:
            wanted |= {level for level in passed.asks if level <= limit}
    for limit, order in passed.askers():
        if passed.after[order.order_id].status is OrderStatus.OPEN:
            wanted |= {level for level in passed.bids if level >= limit}
    assert all(passed.taken[1].get(level, 0) >= passed.ours(level) for level in wanted)


def what_is_over_or_cannot_be_met_is_not_filled(passed: Passed) -> None:
    for order in passed.before:
        after = passed.after[order.order_id]
        if not passed.may_fill(order):
            assert not passed.fills.get(order.order_id)
        over = order.expires_at is not None and order.expires_at.timestamp() <= passed.run["now"]
        assert (after.status in (OrderStatus.EXPIRED, OrderStatus.CANCELED)) is over
        if over:
            gtd = order.intent.time_in_force == "GTD"
            assert after.code == (None if gtd else "CANCEL_AFTER")


PROMISES: tuple[Callable[[Passed], None], ...] = (
    fills_are_at_the_orders_own_limit,
    nothing_is_taken_twice_or_beyond_our_share,
    fills_stay_within_the_crossing_depth,
    the_better_price_and_then_the_older_order_is_served_first,
    nothing_that_an_order_waits_for_is_left,
    what_is_over_or_cannot_be_met_is_not_filled,
)


def keep_every_promise(world: dict[str, Any]) -> None:
    for passed in passes(world):
        for promise in PROMISES:
            promise(passed)


@settings(max_examples=150)
@given(patient_worlds())
def test_patient_orders_fare_as_the_reference_has_it(world: dict[str, Any]) -> None:
    compare(world)


@settings(max_examples=150)
@given(patient_worlds(mirrored=True))
def test_patient_orders_never_get_more_than_the_books_allow(world: dict[str, Any]) -> None:
    keep_every_promise(world)


@pytest.mark.soak
@settings(max_examples=5_000)
@given(patient_worlds(runs=14, orders=14))
def test_patient_orders_fare_as_the_reference_has_it_for_a_long_time(world: dict[str, Any]) -> None:
    compare(world)


@pytest.mark.soak
@settings(max_examples=5_000)
@given(patient_worlds(runs=14, orders=14, mirrored=True))
def test_patient_orders_never_get_more_however_long_they_wait(world: dict[str, Any]) -> None:
    keep_every_promise(world)


def test_patient_worlds_see_what_patience_is_about() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=120)
    @given(patient_worlds(mirrored=True))
    def watch(world: dict[str, Any]) -> None:
        for passed in passes(world):
            seen.update(happened(passed))

    watch()
    assert set(seen) >= {
        "partly filled",
        "filled",
        "filled after a part",
        "expired",
        "cancelled",
        "of both outcomes in one pass",
        "two at one price",
        "nothing of an old book",
        "passed over by a book from after its end",
        "crossed",
        "closed",
    }, sorted(seen.items())


def happened(passed: Passed) -> Iterable[str]:
    """What a pass shows of the life of patient orders."""
    filled = [order for order in passed.before if passed.filled(order)]
    for order in filled:
        done = passed.after[order.order_id].status is OrderStatus.FILLED
        yield ("filled after a part" if order.fills else "filled") if done else "partly filled"
    if len({order.intent.outcome_index for order in filled}) == 2:
        yield "of both outcomes in one pass"
    prices = Counter(price for price, order in passed.bidders() if order in filled)
    if prices and max(prices.values()) > 1:
        yield "two at one price"
    statuses = {order.status for order in passed.after.values()}
    yield from (name for name, status in ENDS.items() if status in statuses)
    if passed.before and not passed.newer and not filled:
        yield "nothing of an old book"
    if passed.crossed:
        yield "crossed"
    if passed.run["closed"]:
        yield "closed"
    for order in passed.before:
        ends = None if order.expires_at is None else order.expires_at.timestamp()
        believed = not passed.crossed and not passed.run["closed"]
        if ends is not None and passed.run["now"] < ends and believed and not passed.may_fill(order):
            yield "passed over by a book from after its end"


ENDS = {"expired": OrderStatus.EXPIRED, "cancelled": OrderStatus.CANCELED}
