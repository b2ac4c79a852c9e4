"""The ledger as it stood when a run began is what that run was told, whatever has happened since."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

import psycopg
import pytest

from betteroms.adapters.postgres.ledger import PostgresLedger
from betteroms.adapters.postgres.views.records import PostgresRecords
from betteroms.domain.ids import MarketId, OrderId, RunId
from betteroms.domain.order import (
    Canceled,
    CancelRequested,
    Expired,
    Filled,
    Order,
    OrderEvent,
    Rejected,
    Reversed,
    Unconfirmed,
)
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.terms import Mode, Side
from betteroms.ports import Run, Snapshot
from tests.contracts.builders import (
    MARKETS,
    NOON,
    RAIN,
    SNOW,
    a_deposit,
    a_run,
    accepted,
    book,
    fill,
    filled,
    finish,
    inputs,
    opposite,
    order_of,
    token,
)
from tests.domain.examples import dollars, shares, size, usdc

HOUR = timedelta(hours=1)
ALL = [market.market_id for market in MARKETS]


class Past:
    """Runs that wrote something, and what each was told when it began."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.ledger = PostgresLedger(self._connection)
        self.told: dict[RunId, tuple[Sequence[MarketId], Snapshot]] = {}
        self.touched: dict[RunId, Sequence[MarketId]] = {}
        self.orders: list[OrderId] = []
        self._at = NOON

    def begin(self, *, markets: Sequence[MarketId] = ALL) -> Run:
        """Open the next run, an hour later, and look at the ledger."""
        self._at += HOUR
        run = self.ledger.open_run(a_run(None, at=self._at), [a_deposit()])
        orders = list(self.orders)
        told = self.ledger.snapshot(Mode.PAPER, markets=markets, orders=orders, at=run.now)
        self.told[run.run_id] = markets, told
        self.touched[run.run_id] = self.ledger.touched(Mode.PAPER, settled_since=run.now - HOUR)
        self.ledger.observe(inputs(book(RAIN, bids="0.48x100", asks="0.50x100")), [])
        return run

    def place(self, run: Run, *orders: Order, then: list[OrderEvent], sends_out: bool = False) -> None:
        """Write orders down, and what happened; the run ends."""
        self.ledger.record(orders, [], sends_out=sends_out)
        self.orders += [order.order_id for order in orders]
        self.ledger.apply(then)
        finish(self.ledger, run)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def past(database_url: str) -> Iterator[Past]:
    made = Past(database_url)
    yield made
    made.close()


def ended(kind: type[Canceled | CancelRequested], order: Order, at: datetime) -> Canceled | CancelRequested:
    if kind is Canceled:
        return Canceled(order_id=order.order_id, at=at, code="CANCEL_AFTER")
    return CancelRequested(order_id=order.order_id, at=at, reason="CANCEL_AFTER")


def live(past: Past) -> None:
    """Everything that can happen to orders, over six runs; each begins with something the last one left."""
    one = past.begin()
    bought = order_of(one, line=0)
    resting = order_of(one, line=1, amount=shares("60"), at="0.40")
    spent = order_of(one, line=2, on=SNOW, amount=dollars("20"))
    partly = fill(bought, "40", "0.49", fee="0.25")
    past.place(
        one,
        bought,
        resting,
        spent,
        then=[
            accepted(bought),
            filled(bought, partly, taken="0.49x40"),
            accepted(resting),
            accepted(spent),
            filled(spent, fill(spent, "33.333333", "0.60"), complete=True),
        ],
    )
    two = past.begin()
    sold = order_of(two, line=0, side=Side.SELL, amount=shares("30"), at="0.60")
    lost = order_of(two, line=1, on=SNOW, amount=dollars("5"))
    no = order_of(two, line=2)
    past.place(
        two,
        sold,
        lost,
        no,
        then=[
            filled(bought, fill(bought, "60", "0.50", number=2), complete=True),
            ended(CancelRequested, resting, two.now),
            ended(Canceled, resting, two.now),
            accepted(sold),
            Unconfirmed(order_id=lost.order_id, at=two.now, reason="no answer in 10 s"),
            Rejected(order_id=no.order_id, at=two.now, code="POST_ONLY_WOULD_CROSS", reason=""),
        ],
        sends_out=True,
    )
    three = past.begin(markets=[RAIN.market_id])
    back = opposite(partly, number=3)
    takes_back = Reversed(order_id=bought.order_id, at=three.now, executions=(back,))
    past.ledger.note([settled(three, SNOW.market_id)])
    past.place(three, then=[takes_back, accepted(lost, three.now)])
    four = past.begin(markets=[SNOW.market_id])
    past.place(four, then=[Expired(order_id=sold.order_id, at=four.now)])
    five = past.begin()
    # It was matched in the second in which it expired.
    late: Filled = filled(sold, fill(sold, "10", "0.60"))
    past.place(five, then=[replace(late, at=five.now)])
    finish(past.ledger, past.begin())


def settled(run: Run, market: MarketId) -> LedgerEntry:
    return LedgerEntry(
        key="settlement",
        mode=run.mode,
        kind=EntryKind.SETTLEMENT,
        cash=usdc("33.333333"),
        at=run.now,
        market_id=market,
        token_id=token(SNOW),
        size=size("-33.333333"),
        payout=1_000_000,
        paid_for=size("33.333333"),
    )


def test_every_run_is_told_again_what_it_was_told(past: Past, database_url: str) -> None:
    live(past)
    assert {order.status.value for _, told in past.told.values() for order in told.known.values()} == {
        "OPEN", "FILLED", "UNCONFIRMED", "REJECTED", "CANCELED", "EXPIRED",
    }  # fmt: skip
    with psycopg.connect(database_url) as connection:
        records = PostgresRecords(connection)
        known: list[OrderId] = []
        for name, (markets, told) in past.told.items():
            again = records.snapshot_before(name, markets=markets, orders=past.orders)
            for field in fields(Snapshot):
                before, now = getattr(told, field.name), getattr(again, field.name)
                if field.name == "open_orders":
                    before, now = sorted(before, key=by_id), sorted(now, key=by_id)
                if field.name == "sequence":
                    assert now <= before  # the run's own beginning is in the ledger by then
                else:
                    assert now == before, (name, field.name)
            known = list(told.known)
        assert len(known) == len(past.orders)


def by_id(order: Order) -> str:
    return order.order_id


def test_the_markets_a_run_had_to_look_at_are_told_again(past: Past, database_url: str) -> None:
    live(past)
    with psycopg.connect(database_url) as connection:
        records = PostgresRecords(connection)
        for name, markets in past.touched.items():
            now = records.recording(name).run.now
            assert records.touched_before(name, settled_since=now - HOUR) == markets
    assert [] in past.touched.values()
    assert ALL in past.touched.values()
