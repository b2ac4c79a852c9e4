"""The operator of a scene at a terminal: each command is a process, and may be killed at any message."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from betteroms.sandbox.clock import MachineClock
from betteroms.sandbox.http.serve import serving
from betteroms.sandbox.world import Options, World
from tests.simulation.killing import ALREADY_RUN, CARRIED_OUT
from tests.simulation.live_processes import Heard, Moment, Shell, Zygote
from tests.simulation.live_scenes import Play, Rest
from tests.simulation.live_stage import AGE_MS, POLLS_MAX

OUTCOME_UNKNOWN: Final = 7


@dataclass(kw_only=True)
class Terminal:
    """A scene being played by commands; what was recovered from once is not tried again."""

    play: Play
    shell: Shell
    tried: dict[str, Rest] = field(default_factory=dict)

    def trade(self, kill: Moment | None = None) -> Heard:
        plan = self.play.scene.plan
        assert plan is not None
        return self.shell.run("trade", plan.name, "--yes", "--json", kill=kill)

    def poll(self, kill: Moment | None = None) -> Heard:
        return self.shell.run("poll", "--json", kill=kill)

    def cancel_all(self, kill: Moment | None = None) -> Heard:
        return self.shell.run("orders", "cancel-all", "--mode", "live", "--yes", "--json", kill=kill)

    def settle(self) -> None:
        """As `Operator.settle`, by the command line."""
        venue = self.play.operator.venue
        for _ in range(POLLS_MAX):
            venue.wait(AGE_MS)
            told = self.poll().told
            assert told.code in (0, OUTCOME_UNKNOWN), told
            totals = json.loads(told.out)["result"]["totals"]
            if not totals["unconfirmed"] and not totals["settling"] and not venue.is_busy:
                return
        raise AssertionError("it does not come to rest")

    def recovered(self, again: Callable[[], Heard]) -> Rest:
        """Type the command again, and wait until nothing is left to become of anything."""
        outside = self.play.outside()
        if outside not in self.tried:
            told = again().told
            assert told.code in (*CARRIED_OUT, OUTCOME_UNKNOWN, ALREADY_RUN), told
            self.settle()
            self.tried[outside] = self.play.rest()
        return self.tried[outside]


@contextmanager
def terminal(play: Play, zygote: Zygote, certificate: Path) -> Iterator[Terminal]:
    """A terminal for a scene; its venue listens while the block lasts."""
    operator = play.operator
    with _listening(play) as port:

        def later(request: bytes) -> None:
            operator.venue.later(lambda: _send(port, request))

        shell = Shell(
            zygote=zygote,
            port=port,
            directory=operator.home,
            environment=operator.environment,
            certificate=certificate,
            database=operator.database,
            now_ms=lambda: operator.venue.world.clock.now_ms(),
            later=later,
        )
        yield Terminal(play=play, shell=shell)


def _send(port: int, request: bytes) -> None:
    """Send a request for somebody who is gone."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        connection.recv(1)


@contextmanager
def _listening(play: Play) -> Iterator[int]:
    """The scene's venue behind a real socket; the port. It may be opened anew while nobody asks anything."""

    async def whichever(scope: Any, receive: Any, send: Any) -> None:
        await play.operator.venue.app(scope, receive, send)

    # The server looks after a world that nothing happens in: the scene's is moved by whoever asks it.
    with serving(whichever, World(Options(), MachineClock())) as port:
        yield port
