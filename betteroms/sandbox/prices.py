"""What one price a trade is told to have, though its taker may have met several."""

from betteroms.domain.money import to_text
from betteroms.sandbox.model import MICROS, MakerFill, Trade


def trade_price(trade: Trade) -> str:
    """Dollars per share of the taker's token: the makers' price if they share one, else the average.

    The average is rounded to the nearest millionth.
    """
    prices = {_seen_by_taker(trade, fill) for fill in trade.fills}
    if len(prices) == 1:
        return to_text(prices.pop())
    return to_text((2 * trade.dollars * MICROS + trade.shares) // (2 * trade.shares))


def _seen_by_taker(trade: Trade, fill: MakerFill) -> int:
    same = fill.order.outcome == trade.taker.outcome
    return fill.order.price if same else MICROS - fill.order.price
