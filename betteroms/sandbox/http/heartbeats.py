"""The dead man's switch: an API key that has begun to send heartbeats loses its orders when it falls silent.

Source: VENUE 6, shapes/heartbeat.json.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from betteroms.sandbox.model import Refused
from betteroms.sandbox.world import World

SILENCE_MAX_MS: Final = 10_000
WRONG_ID: Final = "Invalid Heartbeat ID"
TASK: Final = "silence"


class WrongHeartbeat(Refused):
    """Another id is expected: `expected`, empty where none was given out."""

    def __init__(self, expected: str) -> None:
        super().__init__(WRONG_ID)
        self.expected = expected


class Heartbeats:
    """The id that each armed key must send next, and how many it was given."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._expected: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        world.schedule.handle(TASK, self._fell_silent)

    def beat(self, owner: str, heartbeat_id: str, now_ms: int) -> str:
        """Take a heartbeat of an API key; the id of its next one.

        The first is sent without an id and arms the switch; there is no way to disarm it.

        Raises:
            WrongHeartbeat: it is not the id last given out.
        """
        expected = self._expected.get(owner, "")
        if heartbeat_id != expected:
            raise WrongHeartbeat(expected)
        count = self._counts[owner] = self._counts.get(owner, 0) + 1
        given = str(UUID(bytes=self._world.name("heartbeat", owner, count)[:16]))
        self._expected[owner] = given
        self._world.schedule.at(now_ms + SILENCE_MAX_MS, TASK, owner=owner, heartbeat_id=given)
        return given

    def state(self) -> dict[str, Any]:
        return {"expected": dict(self._expected), "counts": dict(self._counts)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._expected = dict(state["expected"])
        self._counts = dict(state["counts"])

    def _fell_silent(self, values: Mapping[str, Any], now_ms: int) -> None:
        owner = values["owner"]
        if self._expected.get(owner) != values["heartbeat_id"]:
            return  # another heartbeat came in time
        del self._expected[owner]
        for order in self._world.exchange.open_orders(owner=owner):
            self._world.exchange.cancel(order, now_ms)
