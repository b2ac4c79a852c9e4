"""Histories for tests of the caps: stakes, stops, orders that rest."""

from datetime import datetime
from typing import Any

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.market import Market, Outcome
from betteroms.domain.order import Order
from betteroms.domain.risk import Account, Exposure, History
from betteroms.domain.risk.history import NOTHING, Stake
from tests.domain.examples import MARKET_ID, NO, YES, a_market, an_intent, an_order, size, usdc


def a_stake(
    *,
    token: TokenId = YES,
    held: str = "0",
    cost: str = "0",
    bids: str = "0",
    fees: str = "0",
    **changed: Any,
) -> Stake:
    """What is held of a token and bid for it, in the market of all examples."""
    fields: dict[str, Any] = {
        "market_id": MARKET_ID,
        "token_id": token,
        "outcome_index": int(token == NO),
        "group_id": None,
        "event_slug": None,
        "size": size(held),
        "cost": usdc(cost),
        "fees": usdc(fees),
        "bids": usdc(bids),
        "minimum_size": size("5"),
    }
    return Stake(**fields | changed)


def another_market(number: int, **changed: Any) -> Market:
    """A market of its own; its tokens are `number` and `number + 1`, so leave gaps."""
    tokens = (TokenId(str(number)), TokenId(str(number + 1)))
    return a_market(
        market_id=MarketId(f"0x{number:064x}"),
        outcomes=(Outcome(token_id=tokens[0], label="Yes"), Outcome(token_id=tokens[1], label="No")),
        slug=f"market-{number}",
        **changed,
    )


def with_history(
    history: History = NOTHING, *, resting: tuple[Order, ...] = (), cash: str = "100000", yes: str = "0"
) -> Exposure:
    """An account with a past, and with orders on the book."""
    account = Account(
        cash=usdc(cash), reserved_cash=usdc("0"), held={YES: size(yes), NO: size(yes)}, reserved_shares={}
    )
    return Exposure(account, history=history, resting=resting)


def a_resting(*, line: int = 90, at: str, created_at: datetime | None = None, **changed: Any) -> Order:
    """An order of ours on the book."""
    intent = an_intent(line=line, at=at, **changed)
    return an_order(intent) if created_at is None else an_order(intent, created_at=created_at)
