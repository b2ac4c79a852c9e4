"""A market: a question with outcomes, and the venue's rules for trading them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import BookId, MarketId, TokenId
from betteroms.domain.money import Price, Size, Usdc

TICK_ASSUMED: Final = Price(10_000)
MINIMUM_SIZE_ASSUMED: Final = Size(5_000_000)
"""What recordings without these fields are read with, flagged `ASSUMED` (DECISIONS 4.7)."""
MARKETABLE_BUY_MIN: Final = Usdc(1_000_000)
"""A BUY that takes must be worth a dollar. Source: VENUE 3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One of the answers: its token and the venue's label for it."""

    token_id: TokenId
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A question with two outcomes; `outcomes[0]` is the one that prices are seen from.

    `tick_size` and `minimum_size` are None where neither a market row nor a book stated them.
    `row_id` names the kept copy of the row this was read from; None where there was no row.
    `recorded` says that it came from a file, where missing rules may be assumed.
    `group_id` names a group of markets of which at most one ends with its first outcome (the venue's
    neg-risk market); None for a market of its own. `resolved` is the venue's own word; `payouts` are
    dollars per share in millionths, by outcome, None until they are final and sum to exactly 1. Where
    `game_starts_at` is set, the venue cancels what rests when that moment comes.
    """

    market_id: MarketId
    outcomes: tuple[Outcome, ...]
    slug: str | None
    question: str | None
    gamma_id: str | None
    event_slug: str | None
    tick_size: Price | None
    minimum_size: Size | None
    fees: FeeSchedule
    neg_risk: bool
    closed: bool
    accepting_orders: bool
    ends_at: datetime | None
    row_id: BookId | None
    recorded: bool = False
    group_id: str | None = None
    resolved: bool = False
    payouts: tuple[int, ...] | None = None
    game_starts_at: datetime | None = None

    def outcome_index(self, token_id: TokenId) -> int:
        """Which outcome the token is.

        Raises:
            KeyError: the token is none of this market's.
        """
        for index, outcome in enumerate(self.outcomes):
            if outcome.token_id == token_id:
                return index
        raise KeyError(token_id)

    @property
    def tradable(self) -> bool:
        """Whether the venue takes orders for it now."""
        return self.accepting_orders and not self.closed

    @property
    def name(self) -> str:
        """What people call it: the slug, or the condition id where there is none."""
        return self.slug or self.market_id
