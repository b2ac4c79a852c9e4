"""The words of the trade, as closed sets."""

from enum import StrEnum

from betteroms.domain.fact import fact
from betteroms.domain.money import Size, Usdc


class Mode(StrEnum):
    """Who carries orders out. Paper and live never add up: every row carries its mode."""

    PAPER = "paper"
    SHADOW = "shadow"
    LIVE = "live"


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """Good till canceled, good till date, fill or kill, fill and kill."""

    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"

    @property
    def rests(self) -> bool:
        """Whether a remainder stays on the book."""
        return self is TimeInForce.GTC or self is TimeInForce.GTD


class Liquidity(StrEnum):
    """Whether an execution added liquidity or took it."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class SellFrom(StrEnum):
    """From which point of its settlement on a fill's shares may be sold again (DECISIONS 7.7)."""

    MATCHED = "matched"
    MINED = "mined"
    CONFIRMED = "confirmed"


@fact
class Shares:
    """An order for a number of shares."""

    size: Size


@fact
class Dollars:
    """An order for as many shares as an amount of dollars buys, fee apart."""

    usdc: Usdc


Amount = Shares | Dollars
