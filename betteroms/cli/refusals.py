"""What each code means, in a few words for pages and screens; docs/refusals.md says what to do about it."""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "STOPPED_ON_REFUSAL": "an earlier line was refused, and the plan says to stop then",
    "COMBINATION_UNSUPPORTED": "a combination position, which is not traded here",
    "MARKET_CLOSED": "the market is closed or takes no orders",
    "NO_BOOK": "the venue has no book for it",
    "BOOK_CROSSED": "the book cannot be believed: its best bid is above its best ask",
    "FEE_SCHEDULE_UNKNOWN": "the market charges by a formula that is not known here",
    "MARKET_RULES_UNKNOWN": "nobody states the market's tick and minimum size",
    "NO_LIQUIDITY": "a MARKET order, and nothing on that side of the book",
    "PRICE_OFF_RANGE": "the price rounds to 0 or 1",
    "AMOUNT_PRECISION": "the cost of these shares is not whole cents",
    "BELOW_MINIMUM_SIZE": "fewer shares than the market's minimum",
    "BELOW_MINIMUM_NOTIONAL": "less than the venue's minimum of a dollar",
    "MID_UNKNOWN": "a price guard, and a book without a mid",
    "PRICE_ABOVE_CEIL": "the mid is above the ceiling",
    "PRICE_BELOW_FLOOR": "the mid is below the floor",
    "DUPLICATE_INSTRUCTION": "the same as an earlier line of this plan",
    "INSUFFICIENT_SHARES": "more shares than are held and free",
    "NOTIONAL_EXCEEDS_LIMIT": "it might cost more than one order may",
    "RUN_NOTIONAL_EXCEEDS_LIMIT": "with it the run might cost more than it may",
    "RUN_ORDERS_EXCEED_LIMIT": "the run has as many orders as it may",
    "INSUFFICIENT_CASH": "not enough cash for the worst cost and the worst fee",
    "BOOK_STALE": "the book was read too long ago",
    "DAY_NOTIONAL_EXCEEDS_LIMIT": "with it the day's orders might cost more than they may",
    "MARKET_NOTIONAL_EXCEEDS_LIMIT": "with it the market might cost more than it may",
    "EVENT_LOSS_EXCEEDS_LIMIT": "with it more could be lost in the event than may be",
    "OPEN_POSITIONS_EXCEED_LIMIT": "as many positions are open as may be",
    "COOL_DOWN": "a stop ended a position of it, and the cool-down is not over",
    "DAILY_TRADES_EXCEEDED": "as many orders in this market today as there may be",
    "DAILY_LOSS_EXCEEDED": "so much was lost today that nothing more is opened",
    "DRAWDOWN_TRIPPED": "the account fell so far below its peak that nothing more is opened",
    "SPREAD_TOO_WIDE": "best bid and best ask are too far apart",
    "DEPTH_TOO_THIN": "too few dollars are on display up to its limit",
    "SELF_CROSS": "it would trade with an order of our own",
    "POST_ONLY_WOULD_CROSS": "a post-only order that would have taken",
    "FOK_NOT_FILLED": "not all of it could be filled at once",
    "FAK_NO_MATCH": "nothing matched",
    "FAK_REMAINDER": "what was left after the fill was cancelled",
    "CANCEL_AFTER": "it outlived the time it was given",
    "MARKET_RESOLVED": "its market was resolved while it rested",
    "GAME_STARTED": "the game began, and the venue cleared the book",
    "EXIT_STOP_LOSS": "it made room for a stop-loss",
    "EXIT_TRAILING_STOP": "it made room for a trailing stop",
    "EXIT_BEFORE_CLOSE": "it made room for an exit before the close",
    "EXIT_HOLD_MAX": "it made room for an exit after the longest hold",
    "EXIT_TAKE_PROFIT": "it made room for taking the profit",
}


def in_words(code: str) -> str:
    """What a code means; a code without words says enough by itself."""
    return WORDS.get(code, code.replace("_", " ").lower())
