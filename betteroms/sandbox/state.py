"""A venue in a file, so that it goes on after its process has ended.

The file is one JSON document with a version and a digest of what it holds. It is replaced as a whole: whoever
reads it finds the venue of one moment. Test keys and API secrets are in it.
"""

import gc
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.world import World

FORMAT: Final = "betteroms-sandbox"
VERSION: Final = 1
EVERY_S: Final = 5.0
"""How often a venue that changes is written."""
SHARE_MAX: Final = 0.05
"""The most of the venue's time that writing may take: large venues are written less often."""


class BadState(ValueError):
    """A file that no venue can go on from, and why."""


def dump(world: World) -> dict[str, Any]:
    """The world in plain JSON values, without the time."""
    return {
        "seed": world.options.seed,
        "exchange": world.exchange.dump(),
        "bank": world.bank.dump(),
        "activities": world.activities.dump(),
        "members": world.members.dump(),
        "chain": world.chain.dump(),
        "relayer": world.relayer.dump(),
        "schedule": [list(task) for task in world.schedule.tasks()],
    }


def restore(world: World, state: Mapping[str, Any], now_ms: int) -> None:
    """Let a new and empty world become what was dumped at that time."""
    world.exchange.restore(state["exchange"])
    world.bank.restore(state["bank"])
    world.activities.restore(state["activities"], world.exchange.markets)
    world.members.restore(state["members"])
    world.chain.restore(state["chain"])
    world.relayer.restore(state["relayer"])
    tasks = [(due_ms, number, name, values) for due_ms, number, name, values in state["schedule"]]
    world.schedule.restore(tasks)
    if isinstance(world.clock, HandClock):
        world.clock.move_to(now_ms)


class Part:
    """Something beside the world that a venue has, and that must go on with it."""

    def __init__(self, state: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        self.state = state
        self.restore = restore


class Keeper:
    """Writes a venue to its file and reads it. `parts` are by the name under which they are written."""

    def __init__(
        self,
        path: Path,
        world: World,
        parts: Mapping[str, Part],
        *,
        every_s: float = EVERY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._world = world
        self._parts = parts
        self._every_s = every_s
        self._monotonic = monotonic
        self._written = ""
        self._next_s = monotonic() + every_s

    def load(self) -> bool:
        """Go on from the file; False if there is none. The world must be new and empty.

        Raises:
            BadState: the file is broken, or no venue's, or another version's or another seed's.
            OSError: it cannot be read.
        """
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return False
        state, now_ms = self._read(text)
        seed = self._world.options.seed
        if state["seed"] != seed:
            raise BadState(f"{self.path} holds a venue of seed {state['seed']}, not {seed}")
        try:
            restore(self._world, state, now_ms)
            for name, part in self._parts.items():
                part.restore(state["parts"][name])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise BadState(f"{self.path} does not fit this venue: {error!r}") from error
        return True

    def _read(self, text: bytes) -> tuple[Mapping[str, Any], int]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadState(f"{self.path} is no JSON: {error}") from None
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise BadState(f"{self.path} is not the state of a sandbox venue")
        if document.get("version") != VERSION:
            raise BadState(f"{self.path} is of version {document.get('version')}, this is {VERSION}")
        state, now_ms = document.get("state"), document.get("now_ms")
        if not isinstance(state, dict) or not isinstance(now_ms, int):
            raise BadState(f"{self.path} is damaged: something is missing")
        if document.get("sha256") != _digest(now_ms, _text(state)):
            raise BadState(f"{self.path} is damaged: its digest is another")
        return state, now_ms

    def save(self) -> bool:
        """Write the venue, unless nothing but the time has changed since; whether it was written.

        Raises:
            OSError: it cannot be written.
        """
        now_ms = self._world.now()
        with _uncollected():
            state = dump(self._world)
            state["parts"] = {name: part.state() for name, part in self._parts.items()}
            text = _text(state)
        digest = _digest(0, text)
        if digest == self._written and self.path.exists():
            return False
        head = {"format": FORMAT, "version": VERSION, "now_ms": now_ms, "sha256": _digest(now_ms, text)}
        _replace(self.path, f'{_text(head)[:-1]},"state":{text}}}\n'.encode())
        self._written = digest
        return True

    def look(self) -> None:
        """Write the venue if it is time to. To be called again and again."""
        begun_s = self._monotonic()
        if begun_s < self._next_s:
            return
        self.save()
        done_s = self._monotonic()
        self._next_s = done_s + max(self._every_s, (done_s - begun_s) / SHARE_MAX)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would look at every row again and again: none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _digest(now_ms: int, text: str) -> str:
    return hashlib.sha256(f"{now_ms}:{text}".encode()).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """Put a file there as a whole, for its owner only; after a power cut it is the old one or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
