"""Judge a wish against an account, the way the corridor does."""

from datetime import datetime
from typing import Any

from betteroms.domain.book import Book
from betteroms.domain.ids import order_id
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.order import Denial
from betteroms.domain.risk import Account, Allowed, Exposure, Limits, judge
from betteroms.domain.rounding import Rules, Shaped, shape
from betteroms.domain.terms import Side, TimeInForce
from tests.domain.examples import (
    NOW,
    YES,
    a_book,
    a_market,
    price,
    size,
    usdc,
)

CENTS = Rules(tick_size=price("0.01"), minimum_size=size("5"))
BOOK = a_book(bids="0.48x100", asks="0.50x100")
SELL = Side.SELL
FAK = TimeInForce.FAK


def exposure(cash: str = "1000", *, reserved: str = "0", yes: str = "0", promised: str = "0") -> Exposure:
    return Exposure(
        Account(
            cash=usdc(cash),
            reserved_cash=usdc(reserved),
            held={YES: size(yes)},
            reserved_shares={YES: size(promised)},
        )
    )


def judged(
    intent: Intent,
    drawn: Exposure | None = None,
    *,
    market: Market | None = None,
    book: Book = BOOK,
    rules: Rules = CENTS,
    limits: Limits | None = None,
    now: datetime = NOW,
) -> Allowed | Denial:
    """Judge, and draw on the account if it was allowed, as the corridor does."""
    on = exposure() if drawn is None else drawn
    form = shape(intent, rules, book)
    assert isinstance(form, Shaped), form
    verdict = judge(
        intent,
        form,
        market=a_market() if market is None else market,
        book=book,
        rules=rules,
        exposure=on,
        limits=Limits() if limits is None else limits,
        now=now,
    )
    if isinstance(verdict, Allowed):
        on.accept(order_id(intent.key), intent, form, verdict)
    return verdict


def refusal(*args: Any, **kwargs: Any) -> str:
    verdict = judged(*args, **kwargs)
    assert isinstance(verdict, Denial), verdict
    return str(verdict)


def allowed(*args: Any, **kwargs: Any) -> Allowed:
    verdict = judged(*args, **kwargs)
    assert isinstance(verdict, Allowed), verdict
    return verdict
