"""Fills of ours whose orders are not: placed by hand, or by another program, with the same wallet."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Final

from betteroms.domain.execution import Execution
from betteroms.domain.fact import fact
from betteroms.domain.ids import MarketId, RunId, TokenId, key, order_id
from betteroms.domain.intent import Intent
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.news import FillName
from betteroms.domain.order import (
    NEXT_STATUS,
    Accepted,
    ChainState,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Progressed,
)
from betteroms.domain.terms import Liquidity, Mode, OrderType, Shares, Side, TimeInForce

SOURCE: Final = "external"
"""Where the wish of such an order came from, as far as anybody knows."""
EXTERNAL: Final = "EXTERNAL"
"""The code that such an order carries all its life."""
PLACED_ELSEWHERE: Final = "the venue told of its fills; it was not placed from here"


@fact
class ExternalFill:
    """A fill that the venue tells of and no poll of our orders would find.

    Usually its order is none of ours, and gets a row under the venue's name. `cash` and `fee` are as an
    execution has them.
    """

    mode: Mode
    external_order_id: str
    external_execution_id: str
    market_id: MarketId
    token_id: TokenId
    outcome: str
    outcome_index: int
    side: Side
    price: Price
    size: Size
    cash: Usdc
    fee: Usdc
    liquidity: Liquidity
    executed_at: datetime
    state: ChainState
    transaction_hash: str | None = None


def adopt(
    fills: Sequence[ExternalFill],
    *,
    known: Mapping[str, Order],
    told: Set[FillName],
    run_id: RunId,
    at: datetime,
) -> tuple[list[Order], list[OrderEvent]]:
    """What these fills add to the ledger: rows for orders that have none yet, and events.

    `known` are the orders that have one, by the venue's name and as they stand; `told` the fills of theirs
    that are booked. Told again a fill adds nothing; one that failed before it was seen moved nothing; and to
    an order of our own whose fate is open nothing is added, since the next poll finds that. A fill of another
    token than its order's is left for somebody to look at (DECISIONS 7.7).
    """
    orders: list[Order] = []
    events: list[OrderEvent] = []
    by_order: dict[str, dict[str, ExternalFill]] = {}
    for fill in fills:
        by_order.setdefault(fill.external_order_id, {}).setdefault(fill.external_execution_id, fill)
    for name, mine in by_order.items():
        order = known.get(name)
        if order is not None and (order.status, Filled) not in NEXT_STATUS:
            continue
        fresh = _fresh(list(mine.values()), order, told)
        if not fresh:
            continue
        if order is None:
            order = _order(fresh, run_id)
            orders.append(order)
            events.append(Accepted(order_id=order.order_id, at=order.created_at))
        for number, fill in enumerate(fresh, start=order.fills + 1):
            events += _told(order, fill, number, at)
    return orders, events


def _fresh(fills: Sequence[ExternalFill], order: Order | None, told: Set[FillName]) -> Sequence[ExternalFill]:
    token = fills[0].token_id if order is None else order.intent.token_id
    return [
        fill
        for fill in fills
        if fill.state is not ChainState.FAILED
        and fill.token_id == token
        and (order is None or (order.order_id, fill.external_execution_id) not in told)
    ]


def _order(fills: Sequence[ExternalFill], run_id: RunId) -> Order:
    """An order that asked for what was filled so far, at the worst of its prices."""
    first = fills[0]
    prices = [fill.price for fill in fills]
    return placed_elsewhere(
        mode=first.mode,
        run_id=run_id,
        external_order_id=first.external_order_id,
        market_id=first.market_id,
        token_id=first.token_id,
        outcome=first.outcome,
        outcome_index=first.outcome_index,
        side=first.side,
        size=Size(sum(fill.size for fill in fills)),
        price=max(prices) if first.side is Side.BUY else min(prices),
        created_at=min(fill.executed_at for fill in fills),
    )


def placed_elsewhere(
    *,
    mode: Mode,
    run_id: RunId,
    external_order_id: str,
    market_id: MarketId,
    token_id: TokenId,
    outcome: str,
    outcome_index: int,
    side: Side,
    size: Size,
    price: Price,
    created_at: datetime,
    expires_at: datetime | None = None,
    sending_at: datetime | None = None,
) -> Order:
    """A row for an order of the wallet that nobody here wished, under the venue's name for it."""
    amount = Shares(size=size)
    intent = Intent(
        key=key(mode.value, SOURCE, external_order_id),
        source=SOURCE,
        plan_id=None,
        line=None,
        ref=None,
        market_id=market_id,
        token_id=token_id,
        outcome=outcome,
        outcome_index=outcome_index,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC if expires_at is None else TimeInForce.GTD,
        post_only=False,
        wished_amount=amount,
        wished_price=price,
        slippage_ticks=0,
        price_ceil=None,
        price_floor=None,
        lifetime_seconds=None,
        exit_rules=None,
        notes=None,
    )
    return Order(
        order_id=order_id(intent.key),
        intent=intent,
        mode=mode,
        run_id=run_id,
        created_at=created_at,
        status=OrderStatus.NEW,
        amount=amount,
        limit_price=price,
        expires_at=expires_at,
        code=EXTERNAL,
        reason=PLACED_ELSEWHERE,
        sending_at=sending_at,
        external_order_id=external_order_id,
    )


def _told(order: Order, fill: ExternalFill, number: int, at: datetime) -> list[OrderEvent]:
    execution = Execution(
        order_id=order.order_id,
        number=number,
        mode=fill.mode,
        market_id=fill.market_id,
        token_id=fill.token_id,
        side=fill.side,
        price=fill.price,
        size=fill.size,
        cash=fill.cash,
        fee=fill.fee,
        liquidity=fill.liquidity,
        executed_at=fill.executed_at,
        external_execution_id=fill.external_execution_id,
    )
    return [
        Filled(
            order_id=order.order_id,
            at=at,
            market_id=fill.market_id,
            executions=(execution,),
            complete=order.intent.source == SOURCE,
        ),
        Progressed(
            order_id=order.order_id,
            at=at,
            external_execution_id=fill.external_execution_id,
            state=fill.state,
            transaction_hash=fill.transaction_hash,
        ),
    ]
