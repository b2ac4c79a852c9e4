"""A trade plan as a person wrote it: checked field by field, parts may be missing.

The mappings keep the file's own keys, and a key that was not written is absent: that is what lets an
instruction take a default, and what the content hash is made of.
"""

from typing import Annotated, Final, Required, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, PrivateAttr, StrictBool
from pydantic import with_config as configured
from typing_extensions import TypedDict

from betteroms.domain.terms import Mode, OrderType, Side
from betteroms.sources.plan_fields import (
    Amount,
    Count,
    Dollars,
    Gain,
    Hours,
    Loss,
    MarketName,
    Minutes,
    Notes,
    OnRefusal,
    OutcomeName,
    PlanIdField,
    PriceField,
    Priority,
    Ref,
    Seconds,
    SizeUnit,
    Ticks,
    TimeField,
)

INSTRUCTIONS_MAX: Final = 100_000
PRIORITY_DEFAULT: Final = 100
SLIPPAGE_TICKS_DEFAULT: Final = 2
_STRICT: Final = ConfigDict(extra="forbid")


class ExitRuleKeys(TypedDict, total=False):
    """When to leave the position that a BUY opens."""

    stopLossPct: Annotated[Loss, Field(description="Sell when the price is this many percent below cost.")]
    takeProfitPct: Annotated[Gain, Field(description="Sell when the price is this many percent above cost.")]
    trailingStopPct: Annotated[
        Loss, Field(description="Sell when the price is this many percent below its best since the fill.")
    ]
    stopPrice: Annotated[PriceField, Field(description="Sell at or below this price, in dollars per share.")]
    takeProfitPrice: Annotated[
        PriceField, Field(description="Sell at or above this price, in dollars per share.")
    ]
    maxHoldHours: Annotated[Hours, Field(description="Sell this many hours after the fill that opened it.")]
    exitBeforeCloseSec: Annotated[
        Seconds, Field(description="Sell this many seconds before the market's end.")
    ]
    coolDownMinutes: Annotated[
        Minutes, Field(description="Buy none of it again for this many minutes after a stop.")
    ]
    maxDailyTrades: Annotated[Count, Field(description="The most orders in this market in one UTC day.")]


class _SharedKeys(ExitRuleKeys, total=False):
    timeInForce: Annotated[
        TimeField, Field(description="GTC (the default), GTD (or GTT), FOK, FAK (or IOC).")
    ]
    goodForSeconds: Annotated[
        Seconds, Field(description="How long a remainder may rest, unless cancelAfterSec says otherwise.")
    ]
    slippageTicksBuy: Annotated[
        Ticks, Field(description="MARKET BUY: ticks above the best ask that it may pay (default 2).")
    ]
    slippageTicksSell: Annotated[
        Ticks, Field(description="MARKET SELL: ticks below the best bid that it may take (default 2).")
    ]


@configured(_STRICT)
class Defaults(_SharedKeys, total=False):
    """What each instruction takes that does not say otherwise, and two limits of the run."""

    maxNotionalUSD: Annotated[Dollars, Field(description="The most that all orders of the run may cost.")]
    maxOrders: Annotated[Count, Field(description="The most orders of the run.")]


@configured(_STRICT)
class PlanLimits(TypedDict, total=False):
    """Caps on opening orders; the tighter of plan and configuration wins."""

    maxOrderNotionalUSD: Annotated[Dollars, Field(description="The most that one order may cost.")]
    maxRunNotionalUSD: Annotated[Dollars, Field(description="The most that all orders of the run may cost.")]
    maxOrdersPerRun: Annotated[Count, Field(description="The most orders of the run.")]
    maxDayNotionalUSD: Annotated[
        Dollars, Field(description="The most that all opening orders of a UTC day may cost, in any run.")
    ]
    maxMarketNotionalUSD: Annotated[
        Dollars, Field(description="The most that one market may cost: held, open buys and the order.")
    ]
    maxEventLossUSD: Annotated[
        Dollars, Field(description="The most that may be lost in one event, whatever comes true.")
    ]
    maxOpenPositions: Annotated[Count, Field(description="The most outcome tokens held or bid for.")]
    maxDailyLossUSD: Annotated[
        Dollars, Field(description="Open nothing once so much was lost since the day's first snapshot.")
    ]
    maxDrawdownUSD: Annotated[
        Dollars, Field(description="Open nothing while the account is so far below its peak.")
    ]
    maxSpread: Annotated[
        PriceField, Field(description="Open nothing across a wider spread, in dollars per share.")
    ]
    minDepthUSD: Annotated[
        Dollars, Field(description="Take only where so many dollars are on display up to the limit.")
    ]
    maxBookAgeSeconds: Annotated[
        Seconds, Field(description="Trade on no book that was read longer ago than this.")
    ]


@configured(_STRICT)
class Instruction(_SharedKeys, total=False):
    """One wish to trade."""

    marketId: Required[
        Annotated[MarketName, Field(description="Slug, condition id, numeric Gamma id, or outcome token id.")]
    ]
    outcome: Annotated[
        OutcomeName,
        Field(
            description="The outcome's label, or YES or NO for the first or second; optional with a token id."
        ),
    ]
    side: Required[Annotated[Side, Field(description="BUY or SELL.")]]
    price: Annotated[PriceField, Field(description="The worst price, in dollars per share; LIMIT only.")]
    size: Required[Annotated[Amount, Field(description="How much, in dollars or shares: see sizeUnit.")]]
    sizeUnit: Annotated[
        SizeUnit, Field(description="USDC (a BUY's default) or SHARES (a SELL's default, and its only one).")
    ]
    type: Annotated[OrderType, Field(description="LIMIT (the default) or MARKET.")]
    cancelAfterSec: Annotated[
        Seconds, Field(description="How long a remainder may rest; before goodForSeconds.")
    ]
    postOnly: Annotated[StrictBool, Field(description="Refuse the order if it would take liquidity.")]
    priceCeil: Annotated[PriceField, Field(description="BUY: not while the mid is above this price.")]
    priceFloor: Annotated[PriceField, Field(description="SELL: not while the mid is below this price.")]
    ref: Annotated[Ref, Field(description="A name, unique in the plan; else the index names it.")]
    notes: Annotated[Notes, Field(description="Free text, carried to every report.")]


class Plan(BaseModel):
    """A trade plan for BetterOMS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_name: str = Field(default="", alias="$schema", description="For editors; ignored.")
    plan_id: PlanIdField = Field(
        alias="planId",
        description="Names the run: each planId runs once. May hold {date}, {hour}, {minute} (UTC).",
    )
    mode: Mode = Field(description="paper, shadow or live.")
    priority: Priority = Field(
        default=PRIORITY_DEFAULT, description="The order in which `betteroms run` takes plans, least first."
    )
    active: StrictBool = Field(default=True, description="Whether `betteroms run` takes this plan.")
    notes: Notes = Field(default="", description="Free text about the plan.")
    on_refusal: OnRefusal = Field(
        default=OnRefusal.CONTINUE,
        alias="onRefusal",
        description="Whether a refused instruction stops those after it.",
    )
    defaults: Defaults = Field(
        default_factory=lambda: Defaults(), description="Taken by each instruction that is silent."
    )
    limits: PlanLimits = Field(default_factory=lambda: PlanLimits(), description="Caps of this run.")
    # One that is wrong is enough to go and look for all of them, one by one.
    instructions: Annotated[tuple[Instruction, ...], FailFast()] = Field(
        alias="tradeInstructions", max_length=INSTRUCTIONS_MAX, description="The wishes, in their order."
    )
    _name: str = PrivateAttr(default="plan")

    @property
    def name(self) -> str:
        """What complaints call it: the file it was read from."""
        return self._name

    def named(self, name: str) -> Self:
        """The same plan, called so by complaints."""
        self._name = name
        return self
