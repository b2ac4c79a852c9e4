"""A live ledger as it stood when a run began: what was sent, what settled, what came from elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta

import psycopg
import pytest

from betteroms.adapters.postgres.ledger import PostgresLedger
from betteroms.adapters.postgres.views.records import PostgresRecords
from betteroms.domain.ids import MarketId, OrderId, RunId
from betteroms.domain.order import (
    Accepted,
    CancelRequested,
    ChainState,
    Denial,
    Denied,
    Filled,
    Order,
    OrderEvent,
    Progressed,
    Reversed,
    Sending,
    Unconfirmed,
)
from betteroms.domain.terms import Mode
from betteroms.ports import Run, Snapshot
from tests.contracts.builders import (
    MARKETS,
    NOON,
    RAIN,
    SNOW,
    a_deposit,
    a_run,
    accepted,
    fill,
    filled,
    finish,
    give_up,
    opposite,
)
from tests.contracts.fact_builders import external_fill
from tests.contracts.live_builders import named, progressed

HOUR = timedelta(hours=1)
ALL = [market.market_id for market in MARKETS]


def plain(snapshot: Snapshot) -> dict[str, object]:
    """What two looks at one moment agree in: all but the signed bytes, which are erased, and the place."""
    strip = [replace(order, signed=None) for order in snapshot.open_orders]
    told = {field.name: getattr(snapshot, field.name) for field in fields(Snapshot)}
    del told["sequence"]
    return {
        **told,
        "open_orders": sorted(strip, key=lambda order: order.order_id),
        "known": {name: replace(order, signed=None) for name, order in snapshot.known.items()},
        "settling": replace(snapshot.settling, orders=list(snapshot.settling.orders)),
    }


class Past:
    """Live runs, and what each was told when it began."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.ledger = PostgresLedger(self._connection)
        self.told: dict[RunId, tuple[Sequence[MarketId], Snapshot]] = {}
        self.touched: dict[RunId, Sequence[MarketId]] = {}
        self.events: dict[RunId, list[OrderEvent]] = {}
        self.orders: list[OrderId] = []
        self._at = NOON

    def begin(self, *, markets: Sequence[MarketId] = ALL, again: Run | None = None) -> Run:
        """Open the next run, an hour later, or one that failed, once more; and look at the ledger."""
        self._at += HOUR
        run = self.ledger.open_run(
            again or a_run(None, mode=Mode.LIVE, at=self._at), [a_deposit(mode=Mode.LIVE)]
        )
        told = self.ledger.snapshot(Mode.LIVE, markets=markets, orders=list(self.orders), at=run.now)
        self.told[run.run_id] = markets, told
        self.touched[run.run_id] = self.ledger.touched(Mode.LIVE, settled_since=run.now - HOUR)
        self.events[run.run_id] = []
        return run

    def place(self, *orders: Order) -> None:
        self.ledger.record(orders, [], sends_out=True)
        self.orders += [order.order_id for order in orders]

    def hear(self, run: Run, *events: OrderEvent) -> None:
        self.ledger.apply(events, sends_out=True)
        self.events[run.run_id] += events

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def past(database_url: str) -> Iterator[Past]:
    made = Past(database_url)
    yield made
    made.close()


def lived(past: Past) -> None:
    """A run that died in the middle, taken up again; settlements that go on; a ghost, and strangers."""
    one = past.begin()
    orders = [named(one, line, on=(RAIN, SNOW)[line % 2]) for line in range(5)]
    orders[0] = replace(orders[0], sending_at=one.now)
    past.place(*orders)
    past.hear(one, accepted(orders[0], one.now), Sending(order_id=orders[1].order_id, at=one.now))
    give_up(past.ledger, one)

    # Two and three never left: one is judged anew and gets another name, the other is refused.
    two = past.begin(again=replace(one, now=one.now + HOUR, started_at=one.now + HOUR))
    anew = replace(named(two, 2), external_order_id="0xanew", sending_at=two.now, created_at=two.now)
    past.hear(two, Unconfirmed(order_id=orders[1].order_id, at=two.now, reason="no answer"))
    past.place(anew)
    stale = Denied(order_id=orders[3].order_id, at=two.now, denial=Denial(code="STALE"))
    past.hear(two, stale, accepted(anew, two.now))
    finish(past.ledger, two)

    three = past.begin(markets=[RAIN.market_id])
    first = fill(orders[0], "10", "0.50", external_execution_id="trade-1")
    second = fill(orders[0], "90", "0.49", number=2, external_execution_id="trade-2")
    past.hear(
        three,
        filled(orders[0], first),
        progressed(orders[0], ChainState.MATCHED),
        filled(orders[0], second, complete=True),
        progressed(orders[0], ChainState.MINED, name="trade-2"),
        accepted(orders[1], three.now),
    )
    finish(past.ledger, three)

    four = past.begin()
    past.hear(
        four,
        progressed(orders[0], ChainState.MINED),
        CancelRequested(order_id=anew.order_id, at=four.now, reason="by hand"),
    )
    past.ledger.note([external_fill("7", order="0xe1", on=SNOW), external_fill("9", order="0xe2", fill="x")])
    finish(past.ledger, four)

    five = past.begin(markets=[SNOW.market_id])
    undone = replace(opposite(first, number=3), external_execution_id="trade-1:reversed")
    past.hear(
        five,
        progressed(orders[0], ChainState.FAILED),
        Reversed(order_id=orders[0].order_id, at=five.now, executions=(undone,)),
        progressed(orders[0], ChainState.CONFIRMED, name="trade-2"),
        CancelRequested(order_id=orders[1].order_id, at=five.now, reason="by hand"),
    )
    finish(past.ledger, five)
    six = past.begin()
    finish(past.ledger, six)


def test_every_live_run_is_told_again_what_it_was_told(past: Past, database_url: str) -> None:
    lived(past)
    with psycopg.connect(database_url) as connection:
        records = PostgresRecords(connection)
        for number, (name, (markets, told)) in enumerate(past.told.items()):
            again = records.snapshot_before(name, markets=markets, orders=past.orders)
            before, now = plain(told), plain(again)
            for field in before:
                assert now[field] == before[field], (number, field)
            assert (
                records.touched_before(name, settled_since=records.recording(name).run.now - HOUR)
                == (past.touched[name])
            )
    settling = [len(told.settling.orders) for _, told in past.told.values()]
    assert max(settling) >= 2
    assert any(told.settling.booked for _, told in past.told.values())


def test_what_a_run_was_told_by_the_venue_is_told_again_in_its_order(past: Past, database_url: str) -> None:
    lived(past)
    with psycopg.connect(database_url) as connection:
        records = PostgresRecords(connection)
        for name, events in past.events.items():
            own = [event for event in records.told_in(name) if event.order_id in past.orders]
            assert own == events
    told = [event for events in past.events.values() for event in events]
    kinds = {type(event) for event in told}
    assert kinds >= {Accepted, Filled, Progressed, Reversed, Unconfirmed, CancelRequested, Denied}


def test_events_belong_to_the_run_in_which_the_venue_told_of_them(past: Past, database_url: str) -> None:
    lived(past)
    *_, five, _ = past.told
    with psycopg.connect(database_url) as connection:
        records = PostgresRecords(connection)
        reversal = [e for e in records.events(past.orders[0]) if e.event_type == "order_reversed"]
        assert [records.run_of(Mode.LIVE, event) for event in reversal] == [five]
        placed = [e for e in records.events(past.orders[0]) if e.event_type == "order_recorded"]
        assert [records.run_of(Mode.LIVE, event) for event in placed] == [next(iter(past.told))]
