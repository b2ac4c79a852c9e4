"""From a wish to the order as it would be sent: price to the tick, then size to the lot.

One function for every mode, so that the same plan asks for the same amounts on paper and live. Never
worse for the operator: a BUY's price floors, a SELL's price ceils, a size floors (DECISIONS 2).
"""

from dataclasses import dataclass
from math import gcd

from betteroms.domain.book import Book
from betteroms.domain.fact import fact
from betteroms.domain.intent import Intent
from betteroms.domain.market import MINIMUM_SIZE_ASSUMED, TICK_ASSUMED, Market
from betteroms.domain.money import (
    CENT,
    LOT,
    MICROS,
    Price,
    Size,
    Usdc,
    ceil_to,
    dollars_to_text,
    floor_to,
    to_text,
)
from betteroms.domain.order import Adjustment, Denial
from betteroms.domain.terms import Amount, Dollars, OrderType, Shares, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The venue's step and minimum for one market as this run reads them, and what was assumed."""

    tick_size: Price
    minimum_size: Size
    assumed: tuple[Adjustment, ...] = ()


@fact
class Shaped:
    """An order as it would be sent, and what rounding changed."""

    amount: Amount
    limit_price: Price
    adjustments: tuple[Adjustment, ...] = ()


def rules_of(market: Market, book: Book | None) -> Rules | Denial:
    """The step and minimum in force: the book's, which is fresher, else the market row's.

    Only a recording may do without; a venue that states neither is not traded on.
    """
    tick = (book.tick_size if book else None) or market.tick_size
    minimum = book.minimum_size if book and book.minimum_size is not None else market.minimum_size
    assumed: list[Adjustment] = []
    if tick is None or minimum is None:
        if not (market.recorded or (book is not None and book.recorded)):
            return Denial(code="MARKET_RULES_UNKNOWN", detail=f"market={market.name}")
        if tick is None:
            tick = TICK_ASSUMED
            assumed.append(Adjustment(code="ASSUMED", detail=f"tickSize={to_text(tick)}"))
        if minimum is None:
            minimum = MINIMUM_SIZE_ASSUMED
            assumed.append(Adjustment(code="ASSUMED", detail=f"minimumSize={to_text(minimum)}"))
    if market.fees.assumed:
        assumed.append(Adjustment(code="FEES_ASSUMED", detail=f"rate={to_text(market.fees.rate)}"))
    return Rules(tick_size=tick, minimum_size=minimum, assumed=tuple(assumed))


def shape(intent: Intent, rules: Rules, book: Book, *, approved: Price | None = None) -> Shaped | Denial:
    """Round a wish to what the venue takes, or say why it cannot be.

    `approved` is a worst price that was approved before: for MARKET it takes the place of the one that the
    best price gives now.
    """
    tick = rules.tick_size
    if intent.order_type is OrderType.MARKET:
        worst = _market_limit(intent, tick, book, approved)
        if isinstance(worst, Denial):
            return worst
        price, wished = worst, worst
    else:
        assert intent.wished_price is not None, "a LIMIT intent has a price"
        wished = intent.wished_price
        buying = intent.side is Side.BUY
        price = Price(floor_to(wished, tick) if buying else ceil_to(wished, tick))
    if not 0 < price < MICROS:
        detail = f"price={to_text(wished)} rounded={to_text(price)} tick={to_text(tick)}"
        return Denial(code="PRICE_OFF_RANGE", detail=detail)
    amount = _amount(intent, price)
    if isinstance(amount, Denial):
        return amount
    if price == wished and amount is intent.wished_amount:
        return Shaped(amount=amount, limit_price=price, adjustments=rules.assumed)
    return Shaped(
        amount=amount,
        limit_price=price,
        adjustments=rules.assumed + _rounded(intent, price=price, wished=wished, amount=amount),
    )


def _market_limit(intent: Intent, tick: Price, book: Book, approved: Price | None) -> Price | Denial:
    slippage = intent.slippage_ticks * tick
    if intent.side is Side.BUY:
        if book.best_ask is None:
            return Denial(code="NO_LIQUIDITY", detail="asks=0")
        worst = min(book.best_ask + slippage if approved is None else approved, MICROS - tick)
        if intent.price_ceil is not None:
            worst = min(worst, intent.price_ceil)
        return Price(floor_to(worst, tick))
    if book.best_bid is None:
        return Denial(code="NO_LIQUIDITY", detail="bids=0")
    worst = max(book.best_bid - slippage if approved is None else approved, tick)
    if intent.price_floor is not None:
        worst = max(worst, intent.price_floor)
    return Price(ceil_to(worst, tick))


def _amount(intent: Intent, price: Price) -> Amount | Denial:
    wished = intent.wished_amount
    if intent.side is Side.BUY and not intent.time_in_force.rests:
        return _dollars_to_spend(wished, price)
    if isinstance(wished, Dollars):
        return Shares(size=Size(floor_to(wished.usdc * MICROS // price, LOT)))
    if wished.size % LOT == 0:
        return wished
    return Shares(size=Size(floor_to(wished.size, LOT)))


def _dollars_to_spend(wished: Amount, price: Price) -> Amount | Denial:
    """A BUY that does not rest is dollars on the wire, whole cents of them (DECISIONS 2.2)."""
    if isinstance(wished, Dollars):
        return wished if wished.usdc % CENT == 0 else Dollars(usdc=Usdc(floor_to(wished.usdc, CENT)))
    size = floor_to(wished.size, LOT)
    if size * price % (CENT * MICROS) == 0:
        return Dollars(usdc=Usdc(size * price // MICROS))
    step = LOT * (CENT * MICROS // gcd(LOT * price, CENT * MICROS))
    below = floor_to(size, step)
    nearest = f"{to_text(below)} or {to_text(below + step)}" if below else to_text(step)
    return Denial(
        code="AMOUNT_PRECISION",
        detail=f"size={to_text(size)} price={to_text(price)} is not whole cents; nearest={nearest}",
    )


def _rounded(intent: Intent, *, price: Price, wished: Price, amount: Amount) -> tuple[Adjustment, ...]:
    changed: list[Adjustment] = []
    if price != wished:
        changed.append(Adjustment(code="PRICE_ROUNDED", detail=f"from={to_text(wished)} to={to_text(price)}"))
    before = intent.wished_amount
    if isinstance(before, Shares):
        lots = floor_to(before.size, LOT)
        if lots != before.size:
            detail = f"from={to_text(before.size)} to={to_text(lots)}"
            changed.append(Adjustment(code="SIZE_ROUNDED", detail=detail))
    elif isinstance(amount, Dollars) and amount.usdc != before.usdc:
        detail = f"from={dollars_to_text(before.usdc)} to={dollars_to_text(amount.usdc)}"
        changed.append(Adjustment(code="AMOUNT_ROUNDED", detail=detail))
    return tuple(changed)
