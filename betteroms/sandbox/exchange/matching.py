"""Whom a taker meets, and for how much: a plan made from the book, without changing it.

Amounts are the exchange contract's (settlement.py): what a resting SELL gets for its shares is rounded down,
and a resting BUY gives a whole number of dollar millionths and gets the shares they are worth, rounded down.
So a match with a resting BUY can come out a little below the shares that were asked for, when those are no
round lots: by less than a dollar millionth's worth.
"""

from dataclasses import dataclass, field
from typing import Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.exchange import fees
from betteroms.sandbox.exchange.book import Ladder, remaining, rises, seen_first
from betteroms.sandbox.model import MICROS, Kind, MakerFill, Order

UNSIGNED: Final = -1
"""The signature type of the venue's own counterparties."""
DUST_PER_PRICE: Final = 2
"""Millionths of a dollar that a dollar BUY may leave unspent at each price. Source: DECISIONS 2.2."""


def bounded_by_dollars(order: Order) -> bool:
    """Whether its makerAmount is what it spends, however many shares that buys.

    So it is for every signed BUY that does not rest. Source: VENUE 3.1, DECISIONS 2.2.
    """
    return order.side is Side.BUY and not order.time_in_force.rests and order.signature_type != UNSIGNED


@dataclass(slots=True)
class Plan:
    """The fills of a taker, in order. `complete` says that it wants no more (but for dust).

    `dollars` and `fees` have the taker's part of each fill.
    """

    fills: list[MakerFill] = field(default_factory=list)
    dollars: list[int] = field(default_factory=list)
    fees: list[int] = field(default_factory=list)
    complete: bool = False


def kind_of(taker: Order, maker: Order) -> Kind:
    if taker.outcome == maker.outcome:
        return Kind.COMPLEMENTARY
    return Kind.MINT if taker.side is Side.BUY else Kind.MERGE


def plan(taker: Order, ladder: Ladder) -> Plan:
    """What the taker would get now from that side of its market's book."""
    result = Plan()
    want = _Dollars(taker.maker_amount) if bounded_by_dollars(taker) else _Shares(taker.size - taker.matched)
    for level, maker in ladder.walk(seen_first(taker.price, taker.outcome)):
        price = seen_first(level, taker.outcome)
        wanted = want.shares_at(price)
        shares, maker_dollars = _part(maker, wanted)
        own = maker_dollars if maker.outcome == taker.outcome else shares - maker_dollars
        if shares == 0 or own == 0 or maker_dollars == 0:
            # Nobody trades for nothing: what the taker still wants is dust (a maker's dust does not rest).
            result.complete = True
            return result
        _add(result, taker, maker, price=price, shares=shares, maker_dollars=maker_dollars, own=own)
        want.took(shares)
        if wanted <= shares or wanted < remaining(maker):
            result.complete = True
            return result
    result.complete = bool(result.fills) and want.is_dust()
    return result


class _Shares:
    """A taker that wants a number of shares."""

    def __init__(self, shares: int) -> None:
        self._left = shares

    def shares_at(self, _price: int) -> int:
        return self._left

    def took(self, shares: int) -> None:
        self._left -= shares

    def is_dust(self) -> bool:
        return self._left == 0


class _Dollars:
    """A taker that wants as many shares as its dollars buy: at each price rounded down to the millionth.

    What a price takes of the dollars is rounded up once for all of its makers, as by who reckons with the
    levels of a book; the contract may take a millionth less for each maker.
    """

    def __init__(self, dollars: int) -> None:
        self._left = dollars
        self._price = 0
        self._shares = 0
        self._prices = 0

    def shares_at(self, price: int) -> int:
        if price != self._price:
            self._left -= self._spent()
            self._price, self._shares = price, 0
        return self._left * MICROS // price - self._shares

    def took(self, shares: int) -> None:
        self._prices += self._shares == 0
        self._shares += shares

    def is_dust(self) -> bool:
        return self._left - self._spent() <= DUST_PER_PRICE * self._prices

    def _spent(self) -> int:
        return -(-self._price * self._shares // MICROS)


def _part(maker: Order, wanted: int) -> tuple[int, int]:
    """(shares, the maker's dollars) of a fill of up to so many shares."""
    making, taking = maker.maker_amount, maker.taker_amount
    if maker.side is Side.SELL:
        shares = min(wanted, making - maker.used)
        return shares, shares * taking // making
    dollars_left = making - maker.used
    if wanted >= dollars_left * taking // making:
        return dollars_left * taking // making, dollars_left
    dollars = wanted * making // taking
    return dollars * taking // making, dollars


def _add(
    result: Plan,
    taker: Order,
    maker: Order,
    *,
    price: int,
    shares: int,
    maker_dollars: int,
    own: int,
) -> None:
    market = taker.market
    charge = fees.fee(shares=shares, price=price, rate=market.fee_rate, exponent=market.fee_exponent)
    if taker.side is Side.SELL:
        charge = min(charge, own)
    result.fills.append(
        MakerFill(order=maker, kind=kind_of(taker, maker), shares=shares, dollars=maker_dollars, fee=0)
    )
    result.dollars.append(own)
    result.fees.append(charge)


def crosses(order: Order, best: int | None) -> bool:
    """Whether it would meet the best order of the other side."""
    if best is None:
        return False
    limit = seen_first(order.price, order.outcome)
    return limit >= best if rises(order.side, order.outcome) else limit <= best


def killed_words(time_in_force: TimeInForce) -> str:
    """Why an order that must not rest is dead. Source: VENUE 3.6."""
    if time_in_force is TimeInForce.FOK:
        return "order couldn't be fully filled. FOK orders are fully filled or killed."
    return (
        "no orders found to match with FAK order. "
        "FAK orders are partially filled or killed if no match is found."
    )
