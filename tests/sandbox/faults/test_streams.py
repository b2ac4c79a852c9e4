"""What goes wrong with the WebSocket channels, seen by a subscriber over a real socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.sandbox.faults.scene import Scene


@contextmanager
def listening(venue: Scene) -> Iterator[Connection]:
    """Ada's user channel, once it is there."""
    url = str(venue.client.base_url).rstrip("/").replace("http", "ws", 1)
    key = venue.ada.key
    auth = {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
    with connect(f"{url}/ws/user", compression=None) as socket:
        socket.send(json.dumps({"type": "user", "auth": auth}))
        pong(socket)
        yield socket


def pong(socket: Connection) -> None:
    socket.send("PING")
    assert socket.recv(5) == "PONG"


def heard(socket: Connection) -> list[Any]:
    """Everything that was sent until now."""
    socket.send("PING")
    found = []
    while (text := socket.recv(5)) != "PONG":
        found.append(json.loads(text))
    return found


def kinds(socket: Connection) -> list[tuple[str, str]]:
    return [(each["event_type"], each.get("type") or each["status"]) for each in heard(socket)]


PLACED = ("order", "PLACEMENT")
CANCELED = ("order", "CANCELLATION")


def place_and_cancel(venue: Scene) -> str:
    order_id = str(venue.post(venue.buy()).json()["orderID"])
    assert venue.ask("DELETE", "/order", {"orderID": order_id}).json()["canceled"] == [order_id]
    return order_id


def test_messages_come_once_and_in_order(venue: Scene) -> None:
    with listening(venue) as socket:
        place_and_cancel(venue)
        assert kinds(socket) == [PLACED, CANCELED]


def test_a_message_is_told_twice(venue: Scene) -> None:
    venue.rules({"on": "WS /ws/user", "fault": "duplicate", "nth": 1})
    with listening(venue) as socket:
        place_and_cancel(venue)
        assert kinds(socket) == [PLACED, PLACED, CANCELED]


def test_messages_change_places(venue: Scene) -> None:
    venue.rules({"on": "WS /ws/user", "fault": "reorder", "nth": 1, "match": {"event_type": "order"}})
    with listening(venue) as socket:
        place_and_cancel(venue)
        assert kinds(socket) == [CANCELED, PLACED]


def test_a_message_is_never_told(venue: Scene) -> None:
    kept, lost = venue.buy(), venue.buy("0.40")
    venue.rules({"on": "WS /ws/user", "fault": "drop", "match": {"order": venue.id_of(lost)}})
    with listening(venue) as socket:
        venue.post(kept)
        venue.post(lost)
        assert [each["id"] for each in heard(socket)] == [venue.id_of(kept)]


def test_a_stream_falls_silent_and_stays_open(venue: Scene) -> None:
    venue.rules({"on": "WS /ws/user", "fault": "stall", "nth": 2})
    with listening(venue) as socket:
        place_and_cancel(venue)
        place_and_cancel(venue)
        assert kinds(socket) == [PLACED]


def test_a_stream_is_cut(venue: Scene) -> None:
    venue.rules({"on": "WS /ws/user", "fault": "cut", "nth": 1})
    with listening(venue) as socket:
        venue.post(venue.buy())
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
    with listening(venue) as socket:
        venue.post(venue.buy())
        assert kinds(socket) == [PLACED]


def test_a_fill_is_known_by_its_orders_and_its_token(venue: Scene) -> None:
    body = venue.buy("0.45")
    match = {"order": venue.id_of(body), "event_type": "trade", "token": venue.market.token_ids[0]}
    venue.rules({"on": "WS /ws/user", "fault": "drop", "match": match})
    with listening(venue) as socket:
        venue.post(body)
        assert {event_type for event_type, _ in kinds(socket)} == {"order"}
        assert venue.hits() == [1]


def test_a_restart_cuts_every_subscriber_off(venue: Scene) -> None:
    with listening(venue) as first, listening(venue) as second:
        assert venue.client.post("/sandbox/restart", json={"down": "5s"}).status_code == 200
        for socket in (first, second):
            with pytest.raises(ConnectionClosed):
                socket.recv(5)
