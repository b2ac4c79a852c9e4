"""What happens at the venue, as values: heard by the streams, the transcript and the auditor."""

from collections.abc import Callable
from dataclasses import dataclass

from betteroms.domain.terms import Side
from betteroms.sandbox.model import Market, Order, Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    order: Order
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMatched:
    """Some of the order was matched; `order.matched` says how much there is now."""

    order: Order
    trade: Trade
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled:
    """The order is dead: canceled, expired, killed, or its market is resolved (`order.reason`)."""

    order: Order
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMoved:
    """A trade was made (MATCHED) or its settlement went on."""

    trade: Trade
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """The new total of one price level, as seen from the first outcome. `side` BUY is a bid."""

    price: int
    size: int
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class BookChanged:
    market: Market
    changes: tuple[LevelChange, ...]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TickChanged:
    market: Market
    old: int
    new: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAdded:
    market: Market
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketResolved:
    market: Market
    at_ms: int


Event = (
    OrderPlaced
    | OrderMatched
    | OrderCanceled
    | TradeMoved
    | BookChanged
    | TickChanged
    | MarketAdded
    | MarketResolved
)
Listener = Callable[[Event], None]
