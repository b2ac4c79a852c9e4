"""What live trading needs of the venue: signing, posting, cancelling, looking up, and the switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.market import Market
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import ChainState, Order
from betteroms.domain.secret import Secret
from betteroms.domain.switch import SwitchState
from betteroms.domain.terms import Liquidity, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An order in the venue's words: the name it will know it by, and the signed bytes that are sent."""

    external_order_id: str
    body: Secret


class Signer(Protocol):
    """Says orders in the venue's words, signed; the same order gives the same bytes, for ever."""

    def sign(self, order: Order, market: Market, *, tick: Price) -> Signed:
        """Sign the order as it was taken on; `tick` tells how many decimals its amounts may have."""
        ...

    def domain(self, market: Market) -> str:
        """The name of the contract that orders of this market are signed for."""
        ...


class Verdict(StrEnum):
    """What an answer to a posted order says. Source: VENUE 10.2."""

    LANDED = "LANDED"
    """The venue has it."""
    KILLED = "KILLED"
    """It would have rested and must not, so it ended at once, unfilled; `code` says which way."""
    REFUSED = "REFUSED"
    """The venue does not have it and will not take it."""
    TURNED_AWAY = "TURNED_AWAY"
    """It was not placed, for a reason that passes: the same bytes may go again."""
    SEEN_BEFORE = "SEEN_BEFORE"
    """These bytes arrived earlier; what became of them has to be looked up."""
    UNKNOWN = "UNKNOWN"
    """It may have been placed, or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the venue said to one posted order.

    `external_order_id` is the name it gave, None where it gave none; `matched` says that some of it was
    filled at once, so that fills are to be found. `code` is ours, `reason` the venue's words.
    """

    verdict: Verdict
    external_order_id: str | None = None
    matched: bool = False
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue tells it; `matched` is shares filled so far. `open` says that it is alive.

    `terms` are told of open orders only. `ours` says that it was placed with our API key.
    """

    external_order_id: str
    token_id: TokenId
    open: bool
    status: str
    matched: Size
    created_at: datetime | None
    terms: "VenueTerms | None" = None
    ours: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTerms:
    """What an open order asks for, in the venue's words."""

    market_id: MarketId
    side: Side
    price: Price
    size: Size
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFill:
    """One order's part in a trade of the venue, as that order sees it.

    `fill_id` tells it apart from all other fills of the order and never changes; several fills of one trade
    differ in it. `dollars` are what changed hands, fee apart, to the millionth. `ours` says that our API key
    placed the order.
    """

    fill_id: str
    external_order_id: str
    market_id: MarketId
    token_id: TokenId
    side: Side
    price: Price
    size: Size
    dollars: Usdc
    liquidity: Liquidity
    state: ChainState
    matched_at: datetime
    transaction_hash: str | None = None
    ours: bool = True


class Venue(Protocol):
    """The venue's order book as a member sees it. It waits for its rate limits itself."""

    def post(self, orders: Sequence[Signed]) -> Sequence[Answer]:
        """Send the orders, all of them at once, each judged alone; one answer for each, silence included."""
        ...

    def cancel(self, names: Sequence[str]) -> Mapping[str, str]:
        """Ask that these end; those that did not, with the venue's words.

        Raises:
            VenueUnreachable: no usable answer: any of them may have ended.
        """
        ...

    def cancel_all(self) -> tuple[Sequence[str], Mapping[str, str]]:
        """Ask that every order of our key ends: those that did, and those that did not, with the words.

        Raises:
            VenueUnreachable: no usable answer: any of them may have ended.
        """
        ...

    def order(self, name: str) -> VenueOrder | None:
        """Look one up; None proves nothing: the venue forgets the dead, and is late (VENUE 10.2).

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...

    def open_orders(self) -> Sequence[VenueOrder]:
        """Every order of ours that is alive there.

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...

    def fills(self, *, since: datetime) -> Sequence[VenueFill]:
        """Every fill of ours matched since then, the oldest first.

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the venue is. `drift` is how far our clock is ahead of its own at least, `version` its protocol's.

    `closed_only` says that our account may not open anything.
    """

    drift: timedelta
    version: int | None
    closed_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What the venue believes the wallet to hold of dollars, or of one token, in millionths.

    `allowances` tell by contract, its address in lower case, how much of that it may take.
    """

    balance: int
    allowances: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position as the venue tells it, rounded: to compare with, never to book (VENUE 5.3).

    `redeemable` says that its market paid and the shares still wait to be turned into dollars.
    """

    market_id: MarketId
    token_id: TokenId
    size: Size
    redeemable: bool = False


class Standing(Protocol):
    """How the venue is, and how we stand there: what a run asks before it sends anything.

    Every question raises VenueUnreachable where no usable answer comes.
    """

    def condition(self) -> Condition:
        """How the venue is now."""
        ...

    def dollars(self) -> Purse:
        """The wallet's dollars; the venue looks at the chain again for the answer."""
        ...

    def shares(self, token_id: TokenId, *, fresh: bool = False) -> Purse:
        """What the wallet holds of a token as the venue remembers it; `fresh` makes it look at the chain."""
        ...

    def holdings(self) -> Sequence[Holding]:
        """Every position of the wallet that is not empty."""
        ...


class Switch(Protocol):
    """The live switch. A turn is one small transaction of its own, and takes no writer's lock."""

    def state(self) -> SwitchState:
        """How it stands now, read anew; OFF until somebody turned it.

        Raises:
            DatabaseUnavailable: nobody can say.
        """
        ...

    def turn(self, state: SwitchState, *, at: datetime) -> SwitchState:
        """Let it stand so from now on; how it stood before. An audit row tells of a change.

        Raises:
            DatabaseUnavailable: it may or may not have been turned.
        """
        ...

    def rehearsed_at(self) -> datetime | None:
        """When a live plan was last previewed, or run in the shadow; None if that never happened.

        Raises:
            DatabaseUnavailable: nobody can say.
        """
        ...

    def rehearse(self, *, at: datetime) -> None:
        """Remember that a live plan was previewed, or run in the shadow.

        Raises:
            DatabaseUnavailable: it may or may not be remembered.
        """
        ...


class Gate(Protocol):
    """The live switch, read anew each time."""

    def open(self) -> bool:
        """Whether new orders may leave."""
        ...
