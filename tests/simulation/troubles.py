"""What happens to an act of the month: deaths, cut connections, outages, second callers, clocks, SIGKILL.

Each trouble breaks the act off, or comes too late to; the caller then sees to it that the act is done. Which
one, and when it strikes, follows from chance alone.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from betteroms.domain.errors import DatabaseUnavailable, LockHeld, VenueUnreachable
from betteroms.jobs.desk import Desk
from tests.simulation.killing import REPOSITORY, SECONDS_MAX, Victim
from tests.simulation.month import CALM, Act, Script, Unreachable, carry_out, is_done, month_desk
from tests.simulation.mortal import Death, Fate, mortal
from tests.simulation.pgproxy import At, Proxy

EFFECTS_MAX = {"run": 110, "maintain": 16}
MESSAGES_MAX = {"run": 700, "maintain": 130}
"""About how many moments an act has; a trouble that comes later does not come at all."""
TROUBLED = 0.7
AGAIN = 0.25
"""How likely an act meets a trouble, and how likely it meets the next one when it is tried again."""


@dataclass(kw_only=True)
class Troubles:
    """A database in which the month is carried out among troubles; `met` counts them by name."""

    script: Script
    url: str
    nothing: Path
    chance: Random
    killed: frozenset[int] = frozenset()
    met: Counter[str] = field(default_factory=Counter)

    def carry_out(self, act: Act) -> None:
        """See the act through, whatever happens on the way."""
        likely = TROUBLED
        if act.step in self.killed:
            self.sigkill(act)
        while not is_done(act, self.url):
            if self.chance.random() < likely:
                likely = AGAIN
                self.chance.choice((self.die, self.cut, self.outage, self.second_caller, self.clock))(act)
            else:
                self._carry_out(act)

    def _carry_out(self, act: Act, change: Callable[[Desk], Desk] = lambda desk: desk) -> None:
        carry_out(self.script.month, act, self.url, self.nothing, change=change)

    def die(self, act: Act) -> None:
        """The process is gone, or interrupted, at some effect on the world."""
        fate = Fate(
            moment=self.chance.randrange(EFFECTS_MAX[act.kind]),
            after=self.chance.random() < 0.5,
            dead_for_good=self.chance.random() < 0.5,
        )
        with suppress(Death):
            self._carry_out(act, mortal(fate))
        self.met[f"death {act.kind}"] += fate.over

    def cut(self, act: Act) -> None:
        """The connection to the database is gone at some message."""
        number = self.chance.randrange(1, MESSAGES_MAX[act.kind])
        with Proxy(self.url) as proxy:
            proxy.fault = At(number, self.chance.random() < 0.5)
            with suppress(DatabaseUnavailable):
                carry_out(self.script.month, act, proxy.url, self.nothing)
            self.met[f"cut {act.kind}"] += proxy.gone.is_set()

    def outage(self, act: Act) -> None:
        """The venue gives no answer; a run goes on to its end all the same, a pass does not."""
        gone = Unreachable()
        self.met["outage"] += 1
        with suppress(VenueUnreachable):
            self._carry_out(act, lambda desk: replace(desk, catalog=gone, market_data=gone, archive=gone))

    def second_caller(self, act: Act) -> None:
        """Somebody else tries the same meanwhile, and is turned away."""

        def meanwhile(desk: Desk) -> Desk:
            desk_of_another = month_desk(self.script.month, act, self.url, self.nothing, wait_seconds=0)
            with pytest.raises(LockHeld), desk_of_another:
                pass
            return desk

        self.met["second caller"] += 1
        self._carry_out(act, meanwhile)

    def clock(self, act: Act) -> None:
        """The clock jumps while the act is carried out, back or ahead."""
        jump = timedelta(minutes=self.chance.choice((-600, -61, -1, 7, 90)))
        self.met["clock"] += 1
        self._carry_out(act, lambda desk: replace(desk, clock=Jumping(act.at, jump)))

    def sigkill(self, act: Act) -> None:
        """The process is killed by the system at some message, before or after the server has acted on it."""
        victim = Victim()
        number = self.chance.randrange(1, MESSAGES_MAX[act.kind])
        with Proxy(self.url) as proxy:
            proxy.fault = At(number, self.chance.random() < 0.5, victim.kill)
            process = self._start(act, proxy.url)
            victim.process.set_result(process)
            _, complaint = process.communicate(timeout=SECONDS_MAX)
        assert victim.struck or process.returncode == 0, complaint
        self.met[f"SIGKILL {act.kind}"] += victim.struck

    def _start(self, act: Act, url: str) -> "subprocess.Popen[str]":
        script = self.script
        told = (script.seed, script.days, "calm" if script.crontab == CALM else "busy", act.step)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.simulation.month_driver"),
                *(str(part) for part in told),
                *(url, str(self.nothing)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(REPOSITORY)},
            cwd=self.nothing,
        )


class Jumping:
    """A clock that is right whenever something begins, and wrong whenever it ends.

    A run looks at the clock once for everything that it writes down, and at its end for the record; which of
    the two is meant is told apart by who asks.
    """

    def __init__(self, at: datetime, jump: timedelta) -> None:
        self._at, self._jump = at, jump

    def now(self) -> datetime:
        """The scripted time, or for whoever asks how late it has become, another."""
        ending = sys._getframe(1).f_code.co_name == "finished"
        return self._at + self._jump if ending else self._at
