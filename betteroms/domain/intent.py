"""A complete wish to trade, before we took it on."""

from dataclasses import dataclass

from betteroms.domain.fact import fact
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import Price
from betteroms.domain.terms import Amount, OrderType, Side, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRules:
    """When to leave the position an order opens; None where a rule is not wished.

    Percentages and prices are in millionths (`stop_loss_pct=10_000_000` is ten percent), `hold_max_hours`
    too; the rest is whole seconds, minutes and counts.
    """

    stop_loss_pct: int | None = None
    take_profit_pct: int | None = None
    trailing_stop_pct: int | None = None
    stop_price: Price | None = None
    take_profit_price: Price | None = None
    hold_max_hours: int | None = None
    exit_before_close_seconds: int | None = None
    cool_down_minutes: int | None = None
    daily_trades_max: int | None = None


@fact
class Intent:
    """A wish with everything needed to judge it, and a key that names it for ever.

    `wished_amount` and `wished_price` are as written, before any rounding; `wished_price` is None for
    MARKET, where `slippage_ticks` from the best price bounds it. `lifetime_seconds` is how long a
    remainder may rest; None means until canceled. `replaces` names an order whose cancel must be
    confirmed first.
    """

    key: str
    source: str
    plan_id: str | None
    line: int | None
    ref: str | None
    market_id: MarketId
    token_id: TokenId
    outcome: str
    outcome_index: int
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    wished_amount: Amount
    wished_price: Price | None
    slippage_ticks: int
    price_ceil: Price | None
    price_floor: Price | None
    lifetime_seconds: int | None
    exit_rules: ExitRules | None
    notes: str | None
    replaces: OrderId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """A wish that one of our orders ends."""

    order_id: OrderId
    reason: str
