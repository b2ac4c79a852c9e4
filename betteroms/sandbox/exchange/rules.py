"""What an order must be before it may meet the book. Refusals are in the venue's words.

Source: VENUE 3.1, 3.2, 3.6; the decimals of share amounts as clients of the venue reported its refusals.
"""

from decimal import Decimal
from typing import Final, NamedTuple

from betteroms.domain.money import to_text
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.model import MICROS, Market, Refused, SignedOrder

LOT: Final = 10_000
"""Shares have two decimals, and so have the dollars of a BUY that does not rest. Source: VENUE 3.1."""
LIFE_LEAST_S: Final = 180
"""A dated order must be good for three minutes from now. Source: VENUE 3.2."""
MARKETABLE_LEAST: Final = 1_000_000
"""A BUY that would trade at once is for a dollar at least. Source: VENUE 3.1."""
DECIMALS_LEAST: Final = 4
_DECIMALS: Final = {100_000: 3, 10_000: 4, 5_000: 5, 2_500: 6, 1_000: 5, 100: 6}
"""The decimals of price x shares, by tick. Source: VENUE 3.1, "amount dp"."""


_PRICES: Final[dict[int, int]] = {}
"""One number for all orders at a price: there may be a million of them, and ten thousand prices at most."""


class Terms(NamedTuple):
    """An order's limit on the tick in millionths, and the shares it asks for (a dollar BUY: the fewest)."""

    price: int
    size: int


def amount_decimals(tick: int) -> int:
    return max(_DECIMALS.get(tick, 6), DECIMALS_LEAST)


def check_open(market: Market) -> None:
    if not market.accepting_orders or market.closed or market.payouts is not None:
        raise Refused("the market is not yet ready to process new orders")


def check_life(signed: SignedOrder, time_in_force: TimeInForce, *, post_only: bool, now_ms: int) -> None:
    if post_only and not time_in_force.rests:
        raise Refused("invalid post-only order: only GTC and GTD orders are allowed")
    if time_in_force is TimeInForce.GTD:
        if signed.expiration < now_ms // 1000 + LIFE_LEAST_S:
            raise Refused("invalid expiration")
    elif signed.expiration != 0:
        raise Refused("invalid expiration")


def terms(signed: SignedOrder, market: Market, time_in_force: TimeInForce, *, order_id: str) -> Terms:
    """The order's limit and size.

    Raises:
        Refused: amounts that are none, or have too many decimals, or give no price on the tick.
    """
    if signed.maker_amount <= 0 or signed.taker_amount <= 0:
        raise Refused("invalid amounts, maker and taker amount must be higher than 0")
    buys = signed.side is Side.BUY
    dollars, size = (
        (signed.maker_amount, signed.taker_amount) if buys else (signed.taker_amount, signed.maker_amount)
    )
    if dollars >= size:
        raise Refused("invalid price, price must be greater than 0 and less than 1")
    _check_decimals(market, time_in_force, buys=buys, dollars=dollars, size=size)
    spends_dollars = buys and not time_in_force.rests
    price = dollars * MICROS // size // market.tick * market.tick
    inside = market.tick <= price <= MICROS - market.tick
    # What a dollar BUY asks for is rounded down, so its price is a little above the tick it stands for.
    exact = price * size == dollars * MICROS
    near = spends_dollars and inside and dollars * MICROS // price - size < LOT
    if not inside or not (exact or near):
        shown = _shown_price(dollars, size)
        raise Refused(
            f"order {order_id} is invalid. "
            f"Price ({shown}) breaks minimum tick size rule: {to_text(market.tick)}"
        )
    if not spends_dollars and size < market.minimum_size:
        raise Refused(
            f"order {order_id} is invalid. Size ({to_text(size)}) lower than the minimum: "
            f"{to_text(market.minimum_size)}"
        )
    return Terms(price=_PRICES.setdefault(price, price), size=size)


def _shown_price(dollars: int, size: int) -> str:
    if dollars * MICROS % size == 0:
        return to_text(dollars * MICROS // size)
    return f"{Decimal(dollars) / Decimal(size):.10f}".rstrip("0")


def _check_decimals(
    market: Market, time_in_force: TimeInForce, *, buys: bool, dollars: int, size: int
) -> None:
    decimals = amount_decimals(market.tick)
    fine = 10 ** (6 - decimals)
    kind = ("" if time_in_force.rests else "market ") + ("buy" if buys else "sell")
    if buys and not time_in_force.rests:
        wrong, maker, taker = dollars % LOT or size % fine, 2, decimals
    elif buys:
        wrong, maker, taker = dollars % fine or size % LOT, decimals, 2
    else:
        wrong, maker, taker = size % LOT or dollars % fine, 2, decimals
    if wrong:
        raise Refused(
            f"invalid amounts, the {kind} orders maker amount supports a max accuracy of {maker} decimals, "
            f"taker amount a max of {taker} decimals"
        )


def check_marketable_buy(dollars: int) -> None:
    if dollars < MARKETABLE_LEAST:
        raise Refused(f"invalid amount for a marketable BUY order (${to_text(dollars)}), min size: $1")
