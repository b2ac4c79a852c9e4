"""What an account's past means for its next order: today's orders, what is at stake, gains and losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Size, Usdc, dollars_to_text
from betteroms.domain.risk.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What is held of one outcome token and bid for it. Dollars and shares in millionths.

    `cost` is the cost basis, `fees` what was charged for the shares still held, `bids` what open buys may
    still spend at their limits. `group_id` names the exclusive group of its market.
    """

    market_id: MarketId
    token_id: TokenId
    outcome_index: int
    group_id: str | None
    event_slug: str | None
    size: Size
    cost: Usdc
    fees: Usdc
    bids: Usdc
    minimum_size: Size | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When a stop last ended a position of a token, and for how long nothing of it is bought again."""

    at: datetime
    cool_down_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskState:
    """The drawdown switch of a mode: None where it never tripped; it stays tripped until it is reset.

    `reset_at` is when the operator last reset it: peaks before that moment do not count. `reset_equity` is
    what the account had gained or lost then, in millionths of a dollar: the first peak after it.
    """

    tripped_at: datetime | None = None
    detail: str | None = None
    reset_at: datetime | None = None
    reset_equity: Usdc = Usdc(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The past as far as the caps ask for it, at the run's start. Amounts in millionths.

    `day_orders` counts today's orders by market (UTC), those refused by us or by the venue apart;
    `day_notional` is what the opening ones may cost. `equity` is what was gained or lost since the beginning,
    at the last known marks: net liquidation less deposits. `day_start` is the same at the day's first
    snapshot, `peak` the most since the last reset. `stops` and `daily_trades_max` are those of the standing
    exit rules, by token.
    """

    day_notional: Usdc = Usdc(0)
    day_orders: Mapping[MarketId, int] = field(default_factory=dict)
    stakes: Sequence[Stake] = ()
    equity: Usdc = Usdc(0)
    day_start: Usdc = Usdc(0)
    peak: Usdc = Usdc(0)
    state: RiskState = field(default_factory=RiskState)
    stops: Mapping[TokenId, Stop] = field(default_factory=dict)
    daily_trades_max: Mapping[TokenId, int] = field(default_factory=dict)

    @property
    def day_loss(self) -> Usdc:
        """Dollars lost since the day's first snapshot, below zero where they were gained."""
        return Usdc(self.day_start - self.equity)

    @property
    def drawdown(self) -> Usdc:
        """Dollars below the peak."""
        return Usdc(self.peak - self.equity)


NOTHING = History()


def drawdown_detail(history: History, most: Usdc) -> str:
    """The numbers of a drawdown, as refusals and the audit tell them."""
    return (
        f"drawdown={dollars_to_text(history.drawdown)} peak={dollars_to_text(history.peak)} "
        f"equity={dollars_to_text(history.equity)} max={dollars_to_text(most)}"
    )


def tripped(history: History, limits: Limits, now: datetime) -> RiskState | None:
    """The switch as it trips now; None where it stays as it is.

    `limits` are the configuration's: a plan's tighter cap binds its own run and trips nothing for others.
    """
    most = limits.drawdown_max
    if most is None or history.state.tripped_at is not None or history.drawdown < most:
        return None
    return RiskState(
        tripped_at=now,
        detail=drawdown_detail(history, most),
        reset_at=history.state.reset_at,
        reset_equity=history.state.reset_equity,
    )


def reset(history: History, now: datetime) -> RiskState:
    """The switch as the operator resets it: from here on drawdown is measured anew."""
    return RiskState(reset_at=now, reset_equity=history.equity)


def moment(at: datetime) -> str:
    """A time as refusals tell it: RFC 3339, in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
