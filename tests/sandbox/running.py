"""Venues that run for a test: real servers on loopback, in a thread or in a process of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
from polymarket.environments import PRODUCTION, Environment, _create_environment

from betteroms.sandbox.clock import Clock, MachineClock
from betteroms.sandbox.world import Options, World

ROOT: Final = Path(__file__).parents[2]
STARTING_SECONDS_MAX: Final = 20.0
QUICK: Final = Options(mined_after_ms=40, confirmed_after_ms=80)
"""Settlement that a test can wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A venue that listens. `world` is its inside, where it runs in this process: to be read, not changed."""

    port: int
    world: World | None = None
    process: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """What it answers, which must be JSON and a success."""
        return httpx.get(self.url + path, timeout=10).raise_for_status().json()

    def told(self, path: str, **body: Any) -> Any:
        """What `/sandbox/…` answers to an order of the test's."""
        answer = httpx.post(f"{self.url}/sandbox/{path}", json=body, timeout=10, verify=False)
        assert answer.is_success, (path, body, answer.status_code, answer.text)
        return answer.json()


@contextmanager
def sandbox_venue(
    prepare: Callable[[World], None] = lambda _: None,
    *,
    options: Options = QUICK,
    clock: Clock | None = None,
    faults: Any = None,
) -> Iterator[Venue]:
    """A venue in a thread: `prepare` puts markets, books and money into it before it listens."""
    from betteroms.sandbox.http.app import create_app
    from betteroms.sandbox.http.serve import serving

    world = World(options, clock or MachineClock())
    prepare(world)
    with serving(create_app(world), world) as port:
        yield Venue(port=port, world=world)


@contextmanager
def sandbox_process(*words: str, environment: Mapping[str, str] | None = None) -> Iterator[Venue]:
    """A venue as users start it: `betteroms sandbox serve --port 0` in a process of its own."""
    command = [sys.executable, "-m", "betteroms", "sandbox", "serve", "--port", "0", "--json", *words]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            line = process.stdout.readline()
            if not line:
                process.wait(timeout=STARTING_SECONDS_MAX)
                raise AssertionError(f"the venue did not start: {process.stderr.read()}")
            yield Venue(port=json.loads(line)["result"]["port"], process=process)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=STARTING_SECONDS_MAX)
            process.kill()


def sdk_environment(port: int) -> Environment:
    """Where the unified SDK finds the venue: its own production environment with other addresses."""
    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    config = replace(
        PRODUCTION._config,
        clob_url=http,
        clob_market_ws_url=f"{ws}/ws/market",
        clob_user_ws_url=f"{ws}/ws/user",
        relayer_url=f"{http}/relayer",
        gamma_url=f"{http}/gamma",
        data_url=f"{http}/data-api",
        rpc_url=f"{http}/rpc",
        relayer_poll_frequency_ms=20,
    )
    return _create_environment(name="sandbox", config=config)
