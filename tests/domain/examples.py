"""Small true-to-life values for tests: a market, its books, a wish, an order, a fill."""

from datetime import UTC, datetime, timedelta
from typing import Any

from betteroms.domain.book import Book, HashCheck, Level
from betteroms.domain.execution import Execution
from betteroms.domain.fees import FREE, FeeSchedule
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId, content_id, order_id, plan_key
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Price, Size, Usdc, cost, proceeds, to_micros
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.terms import (
    Amount,
    Dollars,
    Liquidity,
    Mode,
    OrderType,
    Shares,
    Side,
    TimeInForce,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECOND_MS = 1_000
BOOK_MS = 1_795_176_000_000
"""The venue's stamp of an ordinary book, a little before `NOW`."""
MARKET_ID = MarketId("0x" + "5f" * 32)
YES = TokenId("71321045679252212594626385532706912750332728571942532289631379312455583992563")
NO = TokenId("52114319501245915516055106046884209969926127482827954674443846427813813222426")
ORDER_ID = OrderId("9d0b3c1a-52d4-5c0e-8f6b-7a1e2d3c4b5a")
RUN_ID = RunId("3f1c3f5e-7d5e-5d55-9a3e-2b1c0a9f8e7d")


def price(text: str) -> Price:
    return Price(to_micros(text))


def size(text: str) -> Size:
    return Size(to_micros(text))


def usdc(text: str) -> Usdc:
    return Usdc(to_micros(text))


def shares(text: str) -> Shares:
    return Shares(size=size(text))


def dollars(text: str) -> Dollars:
    return Dollars(usdc=usdc(text))


def levels(text: str) -> tuple[Level, ...]:
    """`"0.50x100 0.52x50"` as levels, in the order they are written."""
    pairs = (level.split("x") for level in text.split())
    return tuple(Level(price=price(at), size=size(shown)) for at, shown in pairs)


def a_book(*, bids: str = "", asks: str = "", token_id: TokenId = YES, **changed: Any) -> Book:
    """A book of the first outcome; `bids` and `asks` are written best first."""
    fields: dict[str, Any] = {
        "market_id": MARKET_ID,
        "token_id": token_id,
        "bids": levels(bids),
        "asks": levels(asks),
        "changed_at_ms": BOOK_MS,
        "received_at": NOW,
        "book_id": content_id(f"{token_id} {bids} {asks}".encode()),
        "hash_check": HashCheck.VERIFIED,
        "tick_size": price("0.01"),
        "minimum_size": size("5"),
    }
    return Book(**fields | changed)


def a_market(**changed: Any) -> Market:
    """An open market with two outcomes, a tick of 0.01, a minimum of 5 and no fees."""
    fields: dict[str, Any] = {
        "market_id": MARKET_ID,
        "outcomes": (Outcome(token_id=YES, label="Yes"), Outcome(token_id=NO, label="No")),
        "slug": "will-it-rain",
        "question": "Will it rain?",
        "gamma_id": "512345",
        "event_slug": None,
        "tick_size": price("0.01"),
        "minimum_size": size("5"),
        "fees": FREE,
        "neg_risk": False,
        "closed": False,
        "accepting_orders": True,
        "ends_at": None,
        "row_id": BookId("ab" * 32),
    }
    return Market(**fields | changed)


CRYPTO_FEES = FeeSchedule(rate=to_micros("0.07"))


def an_intent(
    *,
    side: Side = Side.BUY,
    amount: Amount | None = None,
    at: str | None = "0.50",
    tif: TimeInForce = TimeInForce.GTC,
    line: int = 0,
    outcome_index: int = 0,
    **changed: Any,
) -> Intent:
    """A wish for 100 shares at 0.50 unless told otherwise; `at=None` makes it a MARKET wish."""
    fields: dict[str, Any] = {
        "key": plan_key(Mode.PAPER, "a-plan", line=line, ref=None),
        "source": "plan",
        "plan_id": "a-plan",
        "line": line,
        "ref": None,
        "market_id": MARKET_ID,
        "token_id": (YES, NO)[outcome_index],
        "outcome": ("Yes", "No")[outcome_index],
        "outcome_index": outcome_index,
        "side": side,
        "order_type": OrderType.MARKET if at is None else OrderType.LIMIT,
        "time_in_force": tif,
        "post_only": False,
        "wished_amount": shares("100") if amount is None else amount,
        "wished_price": None if at is None else price(at),
        "slippage_ticks": 2,
        "price_ceil": None,
        "price_floor": None,
        "lifetime_seconds": None,
        "exit_rules": None,
        "notes": None,
    }
    return Intent(**fields | changed)


def an_order(intent: Intent | None = None, **changed: Any) -> Order:
    """The order of an intent, as it would be taken on; OPEN unless told otherwise."""
    wish = an_intent() if intent is None else intent
    fields: dict[str, Any] = {
        "order_id": order_id(wish.key),
        "intent": wish,
        "mode": Mode.PAPER,
        "run_id": RUN_ID,
        "created_at": NOW,
        "status": OrderStatus.OPEN,
        "amount": wish.wished_amount,
        "limit_price": wish.wished_price,
        "expires_at": (
            None if wish.lifetime_seconds is None else NOW + timedelta(seconds=wish.lifetime_seconds)
        ),
    }
    return Order(**fields | changed)


def an_execution(
    *,
    side: Side = Side.BUY,
    at: str = "0.50",
    filled: str = "10",
    fee: str = "0",
    number: int = 1,
    order: OrderId | None = None,
    **changed: Any,
) -> Execution:
    """One fill, its cash computed the way paper does."""
    cash = Usdc(-cost(price(at), size(filled))) if side is Side.BUY else proceeds(price(at), size(filled))
    fields: dict[str, Any] = {
        "order_id": ORDER_ID if order is None else order,
        "number": number,
        "mode": Mode.PAPER,
        "market_id": MARKET_ID,
        "token_id": YES,
        "side": side,
        "price": price(at),
        "size": size(filled),
        "cash": cash,
        "fee": usdc(fee),
        "liquidity": Liquidity.TAKER,
        "executed_at": NOW,
    }
    return Execution(**fields | changed)
