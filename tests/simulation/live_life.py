"""A life of an operator by chance: plans, polls and cancels that die or not, at a venue where all fails
now and then. A seed tells all of it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from betteroms.domain.errors import BetterOmsError, LedgerBehindVenue, OrderMisnamed, PlanChanged, VenueUnfit
from betteroms.sandbox.faults.script import read
from betteroms.sandbox.http.modes import Mode
from betteroms.sandbox.life.wallets import endow
from tests.simulation import live_chance
from tests.simulation.live_chance import SOMEBODY
from tests.simulation.live_stage import Operator
from tests.simulation.live_wire import Harm
from tests.simulation.live_world import write
from tests.simulation.mortal import Death, Fate

KINDS: Final = ("eoa", "proxy", "safe", "deposit")
NEVER: Final = (LedgerBehindVenue, OrderMisnamed, PlanChanged, VenueUnfit)
"""What may not happen, whatever goes wrong: nobody else trades here, and the venue is as it should be."""
PLANS: Final = (1, 2, 2, 3)
SIZES: Final = (1, 3, 6, 12, 18, 22)
EFFECTS: Final = {"trade": 75, "poll": 30, "cancel": 25}
"""About how many effects a command has; a death that comes later does not come at all."""
PAUSES_MS: Final = (0, 0, 1_000, 20_000, 45_000, 100_000, 700_000)


@dataclass(kw_only=True)
class Life:
    """One life; `met` counts what it met."""

    operator: Operator
    directory: Path
    chance: Random
    met: Counter[str] = field(default_factory=Counter)
    plans: list[Path] = field(default_factory=list)

    def lead(self) -> None:
        """From the first plan to the moment from which nothing moves any more."""
        operator, chance = self.operator, self.chance
        operator.wire.waited = operator.venue.wait
        operator.wire.meanwhile = self._meanwhile
        endow(operator.venue.world, SOMEBODY)
        operator.turn_on()
        for number in range(chance.choice(PLANS)):
            wishes = live_chance.instructions(chance, chance.choice(SIZES))
            plan = write(self.directory, f"plan-{number}", wishes)
            self.plans.append(plan)
            operator.venue.app.venue.faults.add(read(live_chance.script(chance)))
            for _ in range(chance.choice((1, 2, 3))):
                self._step(plan)
        self._end()

    def _meanwhile(self) -> None:
        if self.chance.random() < 0.03:
            live_chance.move(self.operator.venue.world, self.chance)

    def _step(self, plan: Path) -> None:
        """Something is tried, and something happens."""
        operator, chance = self.operator, self.chance
        self._try("trade", lambda fate, harmed: operator.trade(plan, fate, harmed))
        for _ in range(chance.choice((0, 0, 1, 3))):
            live_chance.move(operator.venue.world, chance)
        operator.venue.wait(chance.choice(PAUSES_MS))
        if chance.random() < 0.4:
            self._try("poll", operator.poll)
        if chance.random() < 0.1:
            self._try("cancel", operator.cancel_all)

    def _try(self, name: str, command: Callable[[Fate, dict[int, Harm]], Any]) -> None:
        chance, effects = self.chance, EFFECTS[name]
        moment = chance.randrange(effects) if chance.random() < 0.5 else None
        fate = Fate(moment, chance.random() < 0.5, dead_for_good=chance.random() < 0.7)
        harmed = {chance.randrange(effects): chance.choice(list(Harm))} if chance.random() < 0.3 else {}
        try:
            command(fate, harmed)
        except Death:
            self.met[f"{name}: death"] += 1
        except NEVER:
            raise
        except BetterOmsError as fault:
            self.met[f"{name}: {type(fault).__name__}"] += 1
        else:
            self.met[f"{name}: done"] += 1

    def _end(self) -> None:
        """Nothing goes wrong any more; every plan is seen through."""
        operator, venue = self.operator, self.operator.venue
        operator.wire.meanwhile = lambda: None
        for rule in venue.app.venue.faults.rules:
            self.met[f"fault: {rule.rule.fault}"] += rule.hits
        venue.app.venue.faults.clear()
        venue.app.venue.desk.modes.set(Mode.OPEN, until_ms=None)
        for plan in self.plans:
            operator.see_through(plan)
        operator.settle()
