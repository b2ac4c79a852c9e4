"""One fill of one order; a fact."""

from datetime import datetime

from betteroms.domain.fact import fact
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.terms import Liquidity, Mode, Side


@fact
class Execution:
    """One fill. Named by its order and its number in it, from 1 up.

    `cash` is signed dollars that entered us, fee apart: negative for a BUY. `fee` is dollars charged.
    `external_execution_id` is the venue's trade id; None on paper.
    """

    order_id: OrderId
    number: int
    mode: Mode
    market_id: MarketId
    token_id: TokenId
    side: Side
    price: Price
    size: Size
    cash: Usdc
    fee: Usdc
    liquidity: Liquidity
    executed_at: datetime
    external_execution_id: str | None = None
