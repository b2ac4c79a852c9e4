"""What each code means, in a few words for pages and screens; docs/refusals.md says what to do about it."""

from collections.abc import Iterable, Mapping
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
    "BOOK_HASH_MISMATCH": "the book is not the one that its own hash names",
    "CLOSED_ONLY": "the venue lets this account close positions only",
    "ALLOWANCE_SHORT": "the market's contract may not take so much of the wallet",
    "LIVE_OFF": "the live switch was turned off before it was sent",
    "VENUE_TICK": "the venue says that its price is off the tick",
    "VENUE_MINIMUM_SIZE": "the venue says that it is too small",
    "VENUE_MINIMUM_NOTIONAL": "the venue says that it is worth less than a dollar",
    "VENUE_AMOUNTS": "the venue says that its amounts have too many decimals",
    "VENUE_PRICE": "the venue says that its price is none",
    "VENUE_EXPIRATION": "the venue says that it would end too soon",
    "VENUE_BALANCE": "the venue says that the wallet has not enough",
    "VENUE_ALLOWANCE": "the venue says that its contract may not take so much",
    "VENUE_SIGNATURE": "the venue does not believe the signature",
    "VENUE_VERSION": "the venue wants orders of another version",
    "VENUE_NONCE": "the venue refuses its nonce",
    "VENUE_WALLET": "the venue does not let this wallet trade so",
    "VENUE_SIGNER": "the credentials are those of another signer",
    "VENUE_OWNER": "the credentials are those of another account",
    "VENUE_CREDENTIALS": "the venue does not know the credentials",
    "VENUE_BANNED": "the venue has banned the wallet",
    "VENUE_CLOSED_ONLY": "the venue lets the wallet close positions only",
    "VENUE_MARKET_NOT_READY": "the market takes no orders yet",
    "VENUE_NO_BOOK": "the venue has no book for it",
    "VENUE_RESTARTING": "the venue was restarting",
    "VENUE_BUSY": "the venue was asked too often",
    "VENUE_POST_ONLY": "the venue took post-only orders alone",
    "VENUE_NOT_TRADING": "the venue took no new orders",
    "VENUE_TIMED_OUT": "the venue had no time for it",
    "VENUE_UNREACHABLE": "the venue could not be reached",
    "VENUE_REFUSED": "the venue refused it",
    "OPERATOR_CANCEL": "the operator cancelled it",
    "CANCELED_AT_VENUE": "it ended at the venue",
    "NEVER_ARRIVED": "it never arrived at the venue",
    "EXTERNAL": "it was not placed from here",
    "CANCEL_AFTER": "it outlived the time it was given",
    "MARKET_RESOLVED": "its market was resolved while it rested",
    "GAME_STARTED": "the game began, and the venue cleared the book",
    "EXIT_STOP_LOSS": "it made room for a stop-loss",
    "EXIT_TRAILING_STOP": "it made room for a trailing stop",
    "EXIT_BEFORE_CLOSE": "it made room for an exit before the close",
    "EXIT_HOLD_MAX": "it made room for an exit after the longest hold",
    "EXIT_TAKE_PROFIT": "it made room for taking the profit",
}


_APPROVE: Final = "betteroms set-allowances shows what the contracts may move, and sends what is missing"
_CHECK: Final = "betteroms doctor looks at key, wallet and credentials"
_LATER: Final = (
    "the venue has not got them; once it is back, a plan with another planId sends what you still want"
)
NEXT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ALLOWANCE_SHORT", "VENUE_ALLOWANCE"), _APPROVE),
    **dict.fromkeys(
        (
            "VENUE_SIGNATURE",
            "VENUE_VERSION",
            "VENUE_NONCE",
            "VENUE_WALLET",
            "VENUE_SIGNER",
            "VENUE_OWNER",
            "VENUE_CREDENTIALS",
        ),
        _CHECK,
    ),
    **dict.fromkeys(
        (
            "VENUE_RESTARTING",
            "VENUE_BUSY",
            "VENUE_POST_ONLY",
            "VENUE_NOT_TRADING",
            "VENUE_TIMED_OUT",
            "VENUE_UNREACHABLE",
        ),
        _LATER,
    ),
}
"""What to do next, where that is the same for everybody."""


def next_steps(codes: Iterable[str]) -> list[str]:
    """What to do about orders that were refused with these codes, each step once."""
    return list(dict.fromkeys(NEXT[code] for code in codes if code in NEXT))


def in_words(code: str) -> str:
    """What a code means; a code without words says enough by itself."""
    return WORDS.get(code, code.replace("_", " ").lower())
