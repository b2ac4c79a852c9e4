"""A live run computed again: what the venue told is taken from the ledger, all else is worked out anew."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from betteroms import __version__, wiring
from betteroms.domain.execution import Execution
from betteroms.domain.ids import OrderId
from betteroms.domain.intent import Cancel
from betteroms.domain.money import MICROS, Price, Size, Usdc
from betteroms.domain.order import (
    Accepted,
    Canceled,
    ChainState,
    Filled,
    Order,
    OrderEvent,
    Progressed,
    Reversed,
    Sending,
    Unconfirmed,
)
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Liquidity, Mode, Side
from betteroms.jobs.desk import Desk
from betteroms.jobs.maintain import maintain
from betteroms.jobs.replay import Changes, read_changes, replay
from betteroms.jobs.trade import trade
from betteroms.settings import Settings
from tests.cli.worlds import RAIN, SNOW, instruction, write_books, write_plan
from tests.simulation.stage import open_desk, source_of
from tests.simulation.worlds import Act

C = ChainState


class Elsewhere:
    """A venue that does as it likes: prices that no book shows, silence, fills that come late or not at all.

    `plot` tells what becomes of an order, by its line, when it is submitted, polled and cancelled.
    """

    sends_out = True

    def __init__(self, now: datetime, plot: "Plot") -> None:
        self._now = now
        self._plot = plot

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        return [
            replace(
                order,
                external_order_id=f"0x{order.order_id}",
                signed=Secret("signed"),
                sending_at=self._now if number == 0 else None,
            )
            for number, order in enumerate(orders)
        ]

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        for number, order in enumerate(orders):
            marks: list[OrderEvent] = [
                Sending(order_id=after.order_id, at=self._now) for after in orders[number + 1 : number + 2]
            ]
            yield [*self._told(order, "submit"), *marks]

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        for order in orders:
            yield self._told(order, "poll")

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        return [event for name in orders for event in self._told(orders[name], "cancel")]

    def _told(self, order: Order, when: str) -> list[OrderEvent]:
        happens = self._plot.get((order.intent.line or 0, when))
        return [] if happens is None else happens(order, self._now)


Plot = Mapping[tuple[int, str], Callable[[Order, datetime], list[OrderEvent]]]


def fill(order: Order, shares: int, at: int, *, number: int, undo: bool = False) -> Execution:
    """One fill of whole shares, at a price in cents; or what takes it back."""
    sign = -1 if undo else 1
    dollars = at * 10_000 * shares
    return Execution(
        order_id=order.order_id,
        number=number,
        mode=order.mode,
        market_id=order.intent.market_id,
        token_id=order.intent.token_id,
        side=order.intent.side,
        price=Price(at * 10_000),
        size=Size(sign * shares * MICROS),
        cash=Usdc(sign * (-dollars if order.intent.side is Side.BUY else dollars)),
        fee=Usdc(sign * 10),
        liquidity=Liquidity.TAKER,
        executed_at=order.created_at,
        external_execution_id=f"{order.order_id}/{number}" + (":reversed" if undo else ""),
    )


def placed(order: Order, now: datetime) -> list[OrderEvent]:
    return [Accepted(order_id=order.order_id, at=now)]


def progressed(order: Order, now: datetime, state: ChainState, number: int = 1) -> Progressed:
    name = f"{order.order_id}/{number}"
    return Progressed(order_id=order.order_id, at=now, external_execution_id=name, state=state)


def bought(order: Order, now: datetime) -> list[OrderEvent]:
    """Filled at once, better than any book shows, in two parts."""
    fills = fill(order, 100, 39, number=1), fill(order, 30, 41, number=2)
    whole = Filled(
        order_id=order.order_id,
        at=now,
        market_id=order.intent.market_id,
        executions=fills,
        complete=True,
    )
    settling = [progressed(order, now, C.MATCHED), progressed(order, now, C.MINED, 2)]
    return [*placed(order, now), whole, *settling]


def silent(order: Order, now: datetime) -> list[OrderEvent]:
    return [Unconfirmed(order_id=order.order_id, at=now, reason="no answer in 10 s")]


def found(order: Order, now: datetime) -> list[OrderEvent]:
    one = Filled(
        order_id=order.order_id,
        at=now,
        market_id=order.intent.market_id,
        executions=(fill(order, 20, 40, number=1),),
    )
    return [*placed(order, now), one, progressed(order, now, C.MATCHED)]


def failed(order: Order, now: datetime) -> list[OrderEvent]:
    ghost = fill(order, 100, 39, number=3, undo=True)
    ghost = replace(ghost, external_execution_id=f"{order.order_id}/1:reversed")
    return [
        progressed(order, now, C.FAILED),
        Reversed(order_id=order.order_id, at=now, executions=(ghost,)),
        progressed(order, now, C.CONFIRMED, 2),
    ]


def gone(order: Order, now: datetime) -> list[OrderEvent]:
    return [Canceled(order_id=order.order_id, at=now, code="CANCEL_AFTER")]


LINES = (
    instruction(RAIN, size=100),
    instruction(SNOW, size=50, price=0.41),
    instruction(RAIN, size=20, price=0.39, cancelAfterSec=1800),
    instruction(RAIN, size=10_000_000),
)
DAY: Plot = {(0, "submit"): bought, (1, "submit"): silent, (2, "submit"): placed}
EVENING: Plot = {(0, "poll"): failed, (1, "poll"): found, (2, "poll"): gone}


@pytest.fixture
def act(tmp_path: Path) -> Act:
    """Two orders that go, one that is filled, one that is refused by us; and one that rests."""
    return Act(plan=write_plan(tmp_path / "june.json", *LINES), books=write_books(tmp_path / "books"))


def at_the_venue(desk: Desk, plot: Plot) -> Desk:
    return replace(
        desk,
        mode=Mode.LIVE,
        executor=lambda _world, _memory, now, _snapshot: Elsewhere(now + timedelta(seconds=2), plot),
    )


def replayed(url: str, name: str, changes: Changes | None = None) -> dict[str, Any]:
    settings = Settings(home=Path("/nonexistent"), database_url=Secret(url))
    with wiring.records(settings, name="runs replay") as records:
        return replay(
            records,
            name,
            reader=wiring.Payloads(),
            bench=wiring.bench,
            engine_version=__version__,
            changes=changes,
        )


def test_a_live_run_has_the_same_bytes_again_though_no_book_explains_its_fills(
    act: Act, database_url: str
) -> None:
    with open_desk(act, database_url) as desk:
        told = trade(at_the_venue(desk, DAY), source_of(act))["result"]
    assert [line["status"] for line in told["instructions"]] == ["FILLED", "UNCONFIRMED", "OPEN", "DENIED"]
    assert [f["price"] for f in told["instructions"][0]["executions"]] == ["0.39", "0.41"]
    again = replayed(database_url, "june")
    assert (again["mode"], again["outcome"], again["differences"]) == ("live", "identical", [])


def test_a_pass_that_settles_live_orders_has_the_same_bytes_again(act: Act, database_url: str) -> None:
    with open_desk(act, database_url) as desk:
        trade(at_the_venue(desk, DAY), source_of(act))
    with open_desk(act, database_url) as desk:
        told = maintain(at_the_venue(desk, EVENING))
    statuses = {row["status"]: row for row in told["result"]["settled"]}
    assert set(statuses) == {"FILLED", "OPEN", "CANCELED"}
    assert [row["size"] for row in statuses["FILLED"]["executions"]] == ["-100"]
    again = replayed(database_url, told["timing"]["runId"])
    assert (again["outcome"], again["differences"]) == ("identical", [])
    # The earlier run is still what it was, whatever has happened to its orders since.
    assert replayed(database_url, "june")["outcome"] == "identical"


@pytest.mark.parametrize(
    ("damage", "path"),
    [
        (
            "UPDATE executions SET price = 0.40 WHERE number = 1 AND price = 0.39",
            "result.instructions[0].executions[0].price",
        ),
        (
            "UPDATE audit_logs SET event_type = 'order_placed', event_data = '{}' "
            "WHERE event_type = 'order_unconfirmed'",
            "result.instructions[1].status",
        ),
        (
            'UPDATE runs SET settings = settings || \'{"BETTEROMS_MAX_ORDER_NOTIONAL_USD": "60"}\' '
            "WHERE kind = 'trade'",
            "result.instructions[0].status",
        ),
    ],
)
def test_whatever_of_a_live_run_was_altered_makes_a_difference(
    act: Act, database_url: str, damage: str, path: str
) -> None:
    with open_desk(act, database_url) as desk:
        trade(at_the_venue(desk, DAY), source_of(act))
    with psycopg.connect(database_url, autocommit=True) as sql, sql.transaction():
        sql.execute("SET LOCAL session_replication_role = replica")
        assert sql.execute(damage).rowcount == 1
    again = replayed(database_url, "june")
    assert again["outcome"] == "different"
    assert path in [one["path"] for one in again["differences"]], json.dumps(again["differences"])


def test_what_if_is_not_asked_of_what_the_venue_did(act: Act, database_url: str) -> None:
    with open_desk(act, database_url) as desk:
        trade(at_the_venue(desk, DAY), source_of(act))
    told = replayed(database_url, "june", read_changes(["fees=free"]))
    assert told["outcome"] == "nothing"
    assert "what the venue filled are facts" in told["reason"]
