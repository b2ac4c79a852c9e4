"""One venue: its time, its chain, its exchange and its members, put together from a seed and options."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from betteroms.sandbox.accounts import Members
from betteroms.sandbox.activity import Activities
from betteroms.sandbox.bank import Bank
from betteroms.sandbox.chain import Chain
from betteroms.sandbox.clock import Clock
from betteroms.sandbox.events import Event, Listener
from betteroms.sandbox.exchange import Exchange
from betteroms.sandbox.relayer import Relayer
from betteroms.sandbox.schedule import Schedule

MINED_AFTER_MS: Final = 2_000
CONFIRMED_AFTER_MS: Final = 6_000
"""A Polygon block comes every two seconds; the rest is this venue's choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a venue is to be.

    `any_maker` lets wallets trade that the venue does not know (EOAs above all, which the real one admits by
    a list only). `check_signatures` and `rate_limited` are off for load tests only.
    """

    seed: int = 0
    check_signatures: bool = True
    rate_limited: bool = True
    any_maker: bool = True
    mined_after_ms: int = MINED_AFTER_MS
    confirmed_after_ms: int = CONFIRMED_AFTER_MS


class World:
    """Everything that a venue is, in one process and one thread. `now` is the only way to ask the time."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.schedule = Schedule()
        self.bank = Bank()
        self.activities = Activities()
        self._listeners: list[Listener] = []
        self._moment: int | None = None
        self.exchange = Exchange(
            bank=self.bank,
            schedule=self.schedule,
            seed=options.seed,
            emit=self.emit,
            mined_after_ms=options.mined_after_ms,
            confirmed_after_ms=options.confirmed_after_ms,
        )
        self.members = Members(seed=options.seed)
        self.chain = Chain(
            bank=self.bank,
            schedule=self.schedule,
            exchange=self.exchange,
            members=self.members,
            activities=self.activities,
            now=self.now,
            mined_after_ms=options.mined_after_ms,
        )
        self.listen(self.chain.hear)
        self.relayer = Relayer(
            chain=self.chain,
            members=self.members,
            schedule=self.schedule,
            now=self.now,
            name=self.name,
            mined_after_ms=options.mined_after_ms,
            confirmed_after_ms=options.confirmed_after_ms,
        )

    def now(self) -> int:
        """The time in milliseconds, after everything that was due by then has happened."""
        if self._moment is not None:
            return self._moment
        now_ms = self.clock.now_ms()
        try:
            self.schedule.run_until(now_ms, moment=self._be_at)
        finally:
            self._moment = None
        return now_ms

    @contextmanager
    def held(self) -> Iterator[int]:
        """Let everything that is due happen, and then nothing more while the block lasts; the moment."""
        moment_ms = self.now()
        before, self._moment = self._moment, moment_ms
        try:
            yield moment_ms
        finally:
            self._moment = before

    def _be_at(self, moment_ms: int) -> None:
        self._moment = moment_ms

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def name(self, *parts: str | int) -> bytes:
        """32 bytes that follow from the venue's seed and the parts alone: for ids, hashes and keys."""
        return named(self.options.seed, *parts)


def named(seed: int, *parts: str | int) -> bytes:
    """What a venue of that seed makes of the parts by `World.name`."""
    return sha256(":".join(str(part) for part in ("sandbox", seed, *parts)).encode()).digest()
