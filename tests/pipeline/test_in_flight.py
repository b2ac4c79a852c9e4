"""Shares whose settlement is under way stay held, and are not sold before they are there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from betteroms.adapters.memory import MemoryLedger
from betteroms.domain.ids import order_id
from betteroms.domain.order import Accepted, ChainState, Order, OrderEvent, Progressed, Reversed
from betteroms.domain.terms import SellFrom, Side
from betteroms.pipeline import Outcome
from tests.contracts.builders import opposite
from tests.domain.examples import NOW, YES, a_book, a_market, an_intent, shares, size
from tests.pipeline.runs import Attempt, a_new_ledger
from tests.pipeline.test_settling import Post, fill

HOUR = timedelta(hours=1)
BUY = an_intent(line=0, at="0.50", amount=shares("10"))
NAME = order_id(BUY.key)
SELL = an_intent(line=9, side=Side.SELL, at="0.48", amount=shares("10"))
BOOK = a_book(bids="0.48x500", asks="0.50x500")
TRADE = "trade-1"
C = ChainState


def progressed(state: ChainState) -> Progressed:
    return Progressed(order_id=NAME, at=NOW, external_execution_id=TRADE, state=state)


def a_purchase(state: ChainState) -> MemoryLedger:
    """A ledger in which ten shares were bought at the venue, their settlement so far."""
    ledger = a_new_ledger(cash="100")
    filled = fill(BUY, "10", number=1, at="0.50", complete=True)
    named = replace(filled.executions[0], external_execution_id=TRADE)
    news: list[OrderEvent] = [
        Accepted(order_id=NAME, at=NOW),
        replace(filled, executions=(named,)),
        progressed(state),
    ]
    Attempt(ledger, book=BOOK, executor=Post([news])).carry_out([BUY])
    return ledger


def sold(
    ledger: MemoryLedger, *news: OrderEvent, sell_from: SellFrom = SellFrom.MINED, amount: str = "10"
) -> Order:
    """What becomes of a sale in the next run, which is told this news first."""
    later = Attempt(
        ledger,
        book=BOOK,
        name="later",
        now=NOW + HOUR,
        executor=Post([news] if news else []),
        sell_from=sell_from,
    )
    later.pipeline.settle()
    outcome: Outcome = later.pipeline.run([replace(SELL, wished_amount=shares(amount))])
    return outcome.orders[0]


def test_what_is_matched_is_held_and_cannot_be_sold() -> None:
    ledger = a_purchase(C.MATCHED)
    order = sold(ledger)
    assert (order.code, order.reason) == ("INSUFFICIENT_SHARES", "need=10 shares=0 inFlight=10")
    account = ledger.snapshot(order.mode, markets=[a_market().market_id], orders=[]).account
    assert account.held == {YES: size("10")}


@pytest.mark.parametrize(
    ("sell_from", "state", "goes"),
    [
        (SellFrom.MATCHED, C.MATCHED, True),
        (SellFrom.MINED, C.MATCHED, False),
        (SellFrom.MINED, C.RETRYING, False),
        (SellFrom.MINED, C.MINED, True),
        (SellFrom.CONFIRMED, C.MINED, False),
        (SellFrom.CONFIRMED, C.CONFIRMED, True),
    ],
)
def test_from_where_on_it_can_be_sold_is_a_setting(sell_from: SellFrom, state: C, goes: bool) -> None:
    order = sold(a_purchase(state), sell_from=sell_from)
    assert (order.code is None) is goes


def test_a_settlement_that_is_told_while_settling_counts_in_the_same_run() -> None:
    assert sold(a_purchase(C.MATCHED), progressed(C.MINED)).code is None


def test_a_purchase_that_fails_while_settling_is_not_sold_in_the_same_run() -> None:
    ledger = a_purchase(C.MINED)
    [ghost] = ledger.executions()
    undone = replace(opposite(ghost, number=2), external_execution_id=f"{TRADE}:reversed")
    news: list[OrderEvent] = [progressed(C.FAILED), Reversed(order_id=NAME, at=NOW, executions=(undone,))]
    order = sold(ledger, *news)
    assert order.code == "INSUFFICIENT_SHARES"
    assert [position.size for position in ledger.positions()] == [0]


def test_only_what_is_in_flight_is_held_back() -> None:
    ledger = a_purchase(C.CONFIRMED)
    assert sold(ledger, amount="5").code is None
    assert sold(a_purchase(C.CONFIRMED), amount="10.01").reason == "need=10.01 shares=10"


def test_what_is_in_flight_is_told_as_far_as_it_is_known_by_now() -> None:
    """The exits of the same pass ask for it."""
    later = Attempt(
        a_purchase(C.MATCHED), book=BOOK, name="later", now=NOW + HOUR, executor=Post([[progressed(C.MINED)]])
    )
    assert later.pipeline.in_flight == {YES: size("10")}
    later.pipeline.settle()
    assert later.pipeline.in_flight == {}
