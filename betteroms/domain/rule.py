"""A standing set of exit rules for one outcome token, and what it has seen and done so far."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import Price
from betteroms.domain.terms import Mode


class Cause(StrEnum):
    """Which rule of a set asked for the exit."""

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    TRAILING_STOP = "TRAILING_STOP"
    HOLD_MAX = "HOLD_MAX"
    BEFORE_CLOSE = "BEFORE_CLOSE"

    @property
    def stops_a_loss(self) -> bool:
        """Whether a cool-down follows."""
        return self in (Cause.STOP_LOSS, Cause.TRAILING_STOP)


class RuleOrigin(StrEnum):
    """Who set the rules: an order that carried them, or the operator."""

    ORDER = "order"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Why the position is being left: latched, so that it holds until nothing is left to sell."""

    cause: Cause
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The one set of exit rules of a (mode, token): the latest wins (DECISIONS 6.2).

    `set_at` is when the order that carried them was created, or when the operator set them; `line` is that
    order's place in its plan, by which orders of one moment are told apart. `opened_at` is since when there
    is something to leave: since the position was opened, or since it grew again after it had shrunk to dust,
    which `dust` remembers; None until it was first looked at. `high` is the best bid-side average price for
    the whole size seen since then, and `trigger` why that position is being left. `attempts` counts the
    attempts ever made to leave under `rule_id`, so that the order of each has a key of its own. `stopped_at`
    is when a stop was last triggered.
    """

    rule_id: str
    mode: Mode
    market_id: MarketId
    token_id: TokenId
    outcome: str
    outcome_index: int
    rules: ExitRules
    origin: RuleOrigin
    set_at: datetime
    order_id: OrderId | None = None
    line: int | None = None
    opened_at: datetime | None = None
    dust: bool = False
    high: Price | None = None
    trigger: Trigger | None = None
    attempts: int = 0
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRemoved:
    """The operator took a token's rules away."""

    mode: Mode
    token_id: TokenId
    at: datetime


def event_of(before: RuleSet | None, after: RuleSet) -> str | None:
    """What an audit row calls the change; None for one that is not worth a row, such as a new high."""
    if before is None or before.rule_id != after.rule_id:
        return "rule_set"
    if after.trigger is not None and after.trigger != before.trigger:
        return "rule_triggered"
    if after.attempts > before.attempts:
        return "exit_attempted"
    return None
