"""What an account was worth at one moment."""

from dataclasses import dataclass
from datetime import datetime

from betteroms.domain.ids import RunId
from betteroms.domain.money import Usdc
from betteroms.domain.terms import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioSnapshot:
    """One mode's account in one hour: at most one for each (DECISIONS 6.3). Amounts in millionths.

    `hour` is `taken_at` floored to the hour, UTC. `positions` counts those that are held. `deposited` is
    deposits less withdrawals. `pessimistic` and `optimistic` are the profit and loss, realised and
    unrealised, under the other two bounds of fills (DECISIONS 4.4); `realised + unrealised` is the base.
    """

    mode: Mode
    hour: datetime
    taken_at: datetime
    run_id: RunId
    positions: int
    cost_basis: Usdc
    market_value: Usdc
    realised: Usdc
    unrealised: Usdc
    fees: Usdc
    cash: Usdc
    deposited: Usdc
    net_liquidation: Usdc
    pessimistic: Usdc
    optimistic: Usdc
