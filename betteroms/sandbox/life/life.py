"""The counterparties of one venue: what they are to do, put on its schedule, and carried out when due."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from betteroms.sandbox.life.acting import ACTIONS
from betteroms.sandbox.life.script import Script
from betteroms.sandbox.life.seeded import TURN, Pace, first_fair, maker_of, play, taker_of
from betteroms.sandbox.life.wallets import endow
from betteroms.sandbox.model import Refused
from betteroms.sandbox.world import World

MARKETS_MAX: Final = 20
"""Markets that seeded counterparties play in: the first that take orders."""
REFUSALS_MAX: Final = 1_000
STEP: Final = "life_step"


class Life:
    """To be made with every venue, whether it is asked to live or not: its schedule may hold tasks of a life
    that began before a restart. `refusals` are the steps of the script that the venue would not carry out.
    """

    def __init__(self, world: World, *, script: Script | None = None, pace: Pace | None = None) -> None:
        self._world = world
        self._script = script
        self._pace = pace
        self.begun = False
        self.refusals: list[str] = []
        world.schedule.handle(STEP, self._step)
        world.schedule.handle(TURN, lambda values, due_ms: play(world, values, due_ms))

    def begin(self) -> None:
        """Start what was asked for, now; once in the life of a venue, restarts included."""
        if self.begun:
            return
        self.begun = True
        now_ms = self._world.now()
        if self._script is not None:
            self._begin_script(self._script, now_ms)
        if self._pace is not None:
            self._begin_seeded(self._pace, now_ms)

    def _begin_script(self, script: Script, now_ms: int) -> None:
        names = (step.values["by"] for step in script.steps if "by" in step.values)
        for name in dict.fromkeys(names):
            endow(self._world, name)
        for number, step in enumerate(script.steps):
            self._world.schedule.at(
                now_ms + step.at_ms, STEP, number=number, do=step.do, values=dict(step.values)
            )

    def _begin_seeded(self, pace: Pace, now_ms: int) -> None:
        open_ones = [
            market
            for market in self._world.exchange.markets.values()
            if market.accepting_orders and not market.closed and market.payouts is None
        ]
        for market in open_ones[:MARKETS_MAX]:
            endow(self._world, maker_of(market))
            endow(self._world, taker_of(market))
            self._world.schedule.at(
                now_ms,
                TURN,
                market=market.condition_id,
                turn=0,
                fair=first_fair(self._world, market),
                pace=asdict(pace),
            )

    def _step(self, values: Mapping[str, Any], due_ms: int) -> None:
        try:
            ACTIONS[values["do"]](self._world, values["values"])
        except Refused as no:
            self.refusals.append(f"steps[{values['number']}] at {due_ms}: {values['do']}: {no.text}")
            del self.refusals[:-REFUSALS_MAX]

    def dump(self) -> dict[str, Any]:
        """What is not in the schedule already, in plain JSON values."""
        return {"begun": self.begun, "refusals": list(self.refusals)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `dump` told."""
        self.begun = state["begun"]
        self.refusals = list(state["refusals"])
