"""The CLOB's front: what it keeps in mind beside the exchange and its members."""

from collections.abc import Mapping
from typing import Any

from betteroms.sandbox.audit import Tally
from betteroms.sandbox.http.balances import Balances
from betteroms.sandbox.http.heartbeats import Heartbeats
from betteroms.sandbox.http.history import History
from betteroms.sandbox.http.limits import Limits
from betteroms.sandbox.http.modes import Modes
from betteroms.sandbox.world import World


class Desk:
    """One for each venue; handlers find it as `request.app.state.desk`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.modes = Modes()
        self.limits = Limits(on=world.options.rate_limited)
        self.heartbeats = Heartbeats(world)
        self.balances = Balances(world)
        self.history = History(world)
        self.tally = Tally()

    def state(self) -> dict[str, Any]:
        """What a restart of the venue must not lose, as plain values."""
        return {
            "modes": self.modes.state(),
            "tiers": self.limits.state(),
            "heartbeats": self.heartbeats.state(),
            "balances": self.balances.state(),
            "tally": self.tally.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as `state` told; the history follows from the trades, which must be there already."""
        self.modes.restore(state["modes"])
        self.limits.restore(state["tiers"])
        self.heartbeats.restore(state["heartbeats"])
        self.balances.restore(state["balances"])
        self.tally.restore(state["tally"])
        self.history.rebuild(self._world)
