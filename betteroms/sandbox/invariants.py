"""What must be true of a venue at every moment, whatever was asked of it, checked from what it holds.

A complaint says what was found, in whole millionths. None of it is how the venue works: each sum is made anew
from the orders, trades and balances.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import PUSD
from betteroms.sandbox.exchange.checks import books_add_up, promises_add_up
from betteroms.sandbox.model import MICROS, Order
from betteroms.sandbox.world import World

COMPLAINTS_MAX: Final = 20
"""Of each invariant: the first ones say enough."""
Invariant = Callable[[World], Iterator[str]]


def checked(world: World) -> dict[str, list[str]]:
    """Each invariant with its first complaints; none where it holds."""
    return {name: list(islice(check(world), COMPLAINTS_MAX)) for name, check in INVARIANTS.items()}


def _no_debts(world: World) -> Iterator[str]:
    bank = world.bank
    for owner, amount in bank.dollars.items():
        if amount < 0:
            yield f"{owner} has {amount} dollars"
    for (owner, token_id), amount in bank.shares.items():
        if amount < 0:
            yield f"{owner} has {amount} of {token_id}"
    for condition_id, amount in bank.locked.items():
        if amount < 0:
            yield f"{condition_id} has {amount} locked"


def _shares_are_backed(world: World) -> Iterator[str]:
    """Before a market pays, there are as many shares of either outcome as dollars locked.

    Afterwards no more is owed than is locked.
    """
    totals: dict[str, int] = defaultdict(int)
    for (_, token_id), amount in world.bank.shares.items():
        totals[token_id] += amount
    for market in world.exchange.markets.values():
        first, second = (totals[token_id] for token_id in market.token_ids)
        locked = world.bank.locked.get(market.condition_id, 0)
        if market.payouts is None:
            if not first == second == locked:
                yield f"{market.condition_id} has {first} and {second} shares and {locked} locked"
        elif first * market.payouts[0] + second * market.payouts[1] > locked * MICROS:
            yield f"{market.condition_id} owes for {first} and {second} shares and has {locked} locked"


def _dollars_come_from_somewhere(world: World) -> Iterator[str]:
    """What was deposited and not withdrawn, and what USDC.e was wrapped into, is what there is."""
    bank = world.bank
    there = sum(bank.dollars.values()) + sum(bank.locked.values())
    came = bank.deposited + world.chain.coins.bridged.get(PUSD, 0)
    if there != came:
        yield f"{came} came in and {there} are there"


def _orders_within_their_size(world: World) -> Iterator[str]:
    for order in world.exchange.orders.values():
        if order.used > order.maker_amount:
            yield f"{order.id} gave {order.used} of {order.maker_amount}"
        if order.spent > order.maker_amount:
            yield f"{order.id} spent {order.spent} of {order.maker_amount}"


def _limits_are_kept(world: World) -> Iterator[str]:
    """Nobody paid more or got less for a share than signed for; each fill may be off by a millionth."""
    for order, shares, dollars, fills in _sums(world):
        if order.side is Side.BUY:
            kept = (dollars - fills) * order.taker_amount <= shares * order.maker_amount
        else:
            kept = (dollars + fills) * order.maker_amount >= shares * order.taker_amount
        if not kept:
            yield f"{order.id}: {order.side.value} {shares} shares for {dollars} dollars"


def _fills_add_up(world: World) -> Iterator[str]:
    for order, shares, dollars, _ in _sums(world):
        given = dollars if order.side is Side.BUY else shares
        if (order.matched, order.spent) != (shares, given):
            yield f"{order.id} says {order.matched} for {order.spent}, its trades {shares} for {given}"
    for trade in world.exchange.trades:
        if trade.shares != sum(fill.shares for fill in trade.fills):
            yield f"trade {trade.number} has {trade.shares} shares, its makers others"


def _sums(world: World) -> Iterator[tuple[Order, int, int, int]]:
    """Of each order that was ever matched: shares, dollars, number of fills, over all its trades."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for trade in world.exchange.trades:
        parts = [(trade.taker.id, trade.shares, trade.dollars, len(trade.fills))]
        parts += [(fill.order.id, fill.shares, fill.dollars, 1) for fill in trade.fills]
        for order_id, shares, dollars, fills in parts:
            total = sums[order_id]
            total[0] += shares
            total[1] += dollars
            total[2] += fills
    for order_id, (shares, dollars, fills) in sums.items():
        yield world.exchange.orders[order_id], shares, dollars, fills


def _books_are_not_crossed(world: World) -> Iterator[str]:
    for market in world.exchange.markets.values():
        book = world.exchange.book(market)
        if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
            yield f"{market.condition_id}: {book.bids[0][0]} bid, {book.asks[0][0]} asked"


def _open_orders_are_alive(world: World) -> Iterator[str]:
    listed = {order.id for order in world.exchange.open_orders()}
    alive = {order.id for order in world.exchange.orders.values() if order.status.alive}
    for order_id in sorted(listed ^ alive):
        yield f"{order_id} is {'open' if order_id in listed else 'alive'} and not both"


def _promises_add_up(world: World) -> Iterator[str]:
    yield from promises_add_up(world.exchange)


def _books_add_up(world: World) -> Iterator[str]:
    yield from books_add_up(world.exchange)


INVARIANTS: Final[dict[str, Invariant]] = {
    "nobody owes": _no_debts,
    "shares are backed": _shares_are_backed,
    "dollars come from deposits": _dollars_come_from_somewhere,
    "orders stay within their amounts": _orders_within_their_size,
    "limit prices are kept": _limits_are_kept,
    "fills add up": _fills_add_up,
    "books are not crossed": _books_are_not_crossed,
    "open orders are alive": _open_orders_are_alive,
    "promises add up": _promises_add_up,
    "books add up": _books_add_up,
}
