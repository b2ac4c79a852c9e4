"""The live switch: off until somebody turns it, read anew each time, turned without anybody's lock."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest

from betteroms.adapters.postgres.database import connect, take_writer_lock
from betteroms.adapters.postgres.ledger import PostgresLedger
from betteroms.adapters.postgres.switch import PostgresSwitch
from betteroms.domain.errors import DatabaseUnavailable
from betteroms.domain.switch import SwitchState
from betteroms.domain.terms import Mode
from betteroms.ports.trading import Gate, Switch
from tests.contracts.builders import NOON, a_run, begin, finish
from tests.contracts.live_builders import named

OFF, SHADOW, ON = SwitchState.OFF, SwitchState.SHADOW, SwitchState.ON
Open = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def open_connection(database_url: str) -> Iterator[Open]:
    """Connections to one database, each as another command would have it."""
    opened: list[psycopg.Connection[Any]] = []

    def one() -> psycopg.Connection[Any]:
        opened.append(connect(database_url, name="test"))
        return opened[-1]

    yield one
    for connection in opened:
        connection.close()


def audited(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(
        "SELECT event_type, entity_id, mode, run_id, event_data, at FROM audit_logs ORDER BY sequence"
    ).fetchall()


def test_nobody_turned_it_so_it_is_off(open_connection: Open) -> None:
    switch = PostgresSwitch(open_connection())
    port: Switch = switch
    gate: Gate = switch
    assert (port.state(), gate.open()) == (OFF, False)


@pytest.mark.parametrize(("state", "opens"), [(OFF, False), (SHADOW, False), (ON, True)])
def test_only_on_lets_anything_out(open_connection: Open, state: SwitchState, opens: bool) -> None:
    switch = PostgresSwitch(open_connection())
    switch.turn(state, at=NOON)
    assert (switch.state(), switch.open()) == (state, opens)


def test_each_change_is_audited_and_a_turn_to_where_it_stands_is_none(open_connection: Open) -> None:
    connection = open_connection()
    switch = PostgresSwitch(connection)
    turned = [switch.turn(state, at=NOON + timedelta(hours=n)) for n, state in enumerate((OFF, ON, ON, OFF))]
    assert turned == [OFF, OFF, ON, ON]
    assert audited(connection) == [
        (
            "live_switched",
            "live.switch",
            "live",
            None,
            {"before": "OFF", "after": "ON"},
            NOON + timedelta(hours=1),
        ),
        (
            "live_switched",
            "live.switch",
            "live",
            None,
            {"before": "ON", "after": "OFF"},
            NOON + timedelta(hours=3),
        ),
    ]


def test_it_is_turned_off_while_a_run_holds_the_lock_and_the_run_sees_it(open_connection: Open) -> None:
    running = open_connection()
    take_writer_lock(running, wait_seconds=0)
    ledger, gate = PostgresLedger(running), PostgresSwitch(running)
    PostgresSwitch(open_connection()).turn(ON, at=NOON)
    run = begin(ledger, a_run(mode=Mode.LIVE))
    ledger.record([named(run)], [], sends_out=True)
    assert gate.open()
    PostgresSwitch(open_connection()).turn(OFF, at=NOON)
    assert not gate.open()
    finish(ledger, run)


def test_a_run_that_has_a_transaction_open_sees_a_turn_too(open_connection: Open) -> None:
    running = open_connection()
    gate, operator = PostgresSwitch(running), PostgresSwitch(open_connection())
    operator.turn(ON, at=NOON)
    with running.transaction():
        assert gate.open()
        operator.turn(OFF, at=NOON)
        assert not gate.open()


def test_a_look_leaves_nothing_open_behind_it(open_connection: Open) -> None:
    connection = open_connection()
    PostgresSwitch(connection).open()
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


def test_turns_at_once_are_one_after_the_other(open_connection: Open) -> None:
    turns = (ON, OFF, SHADOW, ON, OFF, SHADOW, ON, SHADOW)
    switches = [PostgresSwitch(open_connection()) for _ in turns]
    threads = [
        Thread(target=switch.turn, args=(state,), kwargs={"at": NOON})
        for switch, state in zip(switches, turns, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changes = [row[4] for row in audited(open_connection())]
    # Whatever the order was, each change begins where the one before it ended.
    assert [change["before"] for change in changes] == ["OFF", *(c["after"] for c in changes[:-1])]
    assert changes[-1]["after"] == switches[0].state()


@pytest.mark.parametrize("value", ['{"state": "WIDE OPEN"}', '{"state": null}', "{}", "[]", '"ON"'])
def test_what_is_not_understood_lets_nothing_out(open_connection: Open, value: str) -> None:
    connection = open_connection()
    connection.execute("INSERT INTO settings VALUES ('live.switch', %s, now())", (value,))
    assert not PostgresSwitch(connection).open()


def test_where_nobody_can_say_nobody_is_let_out(open_connection: Open) -> None:
    connection = open_connection()
    switch = PostgresSwitch(connection)
    switch.turn(ON, at=NOON)
    connection.close()
    with pytest.raises(DatabaseUnavailable):
        switch.open()
