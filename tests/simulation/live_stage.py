"""A live operator inside this process: a venue under the real client, a database behind a proxy, one clock.

Each HTTP request and each COMMIT is an effect on the world outside, numbered in its order by one `Fate`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
import stamina

from betteroms import wiring
from betteroms.adapters.polymarket import member
from betteroms.adapters.system import SystemClock
from betteroms.domain.errors import PlanAlreadyRun
from betteroms.domain.switch import SwitchState
from betteroms.domain.terms import Mode
from betteroms.jobs.cancel import cancel
from betteroms.jobs.desk import Desk
from betteroms.jobs.live.trading import carefully, make_ready
from betteroms.jobs.poll import poll
from betteroms.jobs.trade import PlanFile, trade
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.seeding import test_wallets
from betteroms.sandbox.venue import Surrounded
from betteroms.sandbox.world import Options, World
from betteroms.settings import Settings, load
from betteroms.sources.plan import read_plan
from tests.simulation.live_wire import Harm, Wire, wired
from tests.simulation.live_world import MORNING, settings_of, stage
from tests.simulation.mortal import Death, Fate
from tests.simulation.pgproxy import Fault, Message, Proxy, Writes, is_commit

URL: Final = "http://127.0.0.1:9"
"""Nobody listens there: a request that slips past the wire is refused."""
LATE_MS: Final = 40_000
AGE_MS: Final = 95_000
"""An order that nobody has seen for so long may be sent again (`UNCONFIRMED_AGE_MIN`)."""
POLLS_MAX: Final = 12
TRIES_MAX: Final = 3
UNDER_WAY: Final = ("mined", "confirmed", "late_landing")
"""Tasks of the venue that orders wait for."""
NOTHING: Final[Mapping[int, Harm]] = {}


@dataclass
class Commits(Fault):
    """Numbers each commit, and dies before the server hears of it or before anybody hears of the server."""

    fate: Fate
    tells: Writes = field(default_factory=Writes)

    def before(self, message: Message) -> bytes | None:
        name = self.tells.commit(message)
        return message.raw if self._lets(name, lambda: self.fate.begin(name or "")) else None

    def answered(self, message: Message, answer: bytes) -> bytes | None:
        ended = "commit" if is_commit(message) else None
        return answer if self._lets(ended, self.fate.end) else None

    def _lets(self, commit: str | None, meet: Callable[[], None]) -> bool:
        """Whether the conversation goes on."""
        if self.fate.over:
            return not self.fate.dead_for_good
        if commit is not None:
            try:
                meet()
            except Death:
                return False
        return True


@dataclass(kw_only=True)
class Venue:
    """A venue in this process, that may become again what it was when it was kept in a file."""

    kept: Path
    options: Options
    now_ms: int
    world: World = field(init=False)
    app: Surrounded = field(init=False)
    late: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def open(self) -> None:
        """A venue as it was kept; as it begins, if nothing was."""
        self.late.clear()
        self.world = World(self.options, HandClock(self.now_ms))
        self.app = create_app(self.world)
        keeper = self.app.venue.keep(self.kept)
        if not keeper.load():
            stage(self.world)

    def keep(self) -> None:
        """Remember how it is now."""
        keeper = self.app.venue.keeper
        assert keeper is not None
        keeper.save()

    def later(self, deed: Callable[[], None]) -> None:
        """Something that is under way for a long time still."""
        self.late.append((self.world.now() + LATE_MS, deed))

    @property
    def is_busy(self) -> bool:
        """Whether something is under way: to the venue, or from there to the chain."""
        return bool(self.late) or any(name in UNDER_WAY for _, _, name, _ in self.world.schedule.tasks())

    def wait(self, span_ms: int) -> None:
        """Let time pass, and what is due on the way happen."""
        clock = self.world.clock
        assert isinstance(clock, HandClock)
        until = clock.now_ms() + span_ms
        for due_ms, deed in sorted(self.late, key=lambda each: each[0]):
            if due_ms <= until:
                clock.move_to(due_ms)
                self.late.remove((due_ms, deed))
                deed()
        clock.move_to(until)
        self.world.now()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.clock.now_ms() / 1000, tz=UTC)


@dataclass(kw_only=True)
class Operator:
    """Somebody who trades live with a test wallet; each command is a life of its own, which may end early."""

    venue: Venue
    wire: Wire
    database: str
    wallet: str = "deposit"
    home: Path

    def __post_init__(self) -> None:
        self.wire.later = self.venue.later
        self.owner = next(each for each in test_wallets(self.venue.options.seed) if each.name == self.wallet)

    @property
    def address(self) -> str:
        """What the money is under, in lower case."""
        return self.owner.address

    def environment(self, database: str, url: str = URL) -> dict[str, str]:
        """What the commands of this operator find in their environment."""
        ours = {"BETTEROMS_HOME": str(self.home / "home"), "DATABASE_URL": database}
        return {**settings_of(self.owner, self.venue.world, url), **ours}

    def settings(self, database: str) -> Settings:
        return load(self.environment(database), cwd=self.home)

    @contextmanager
    def desk(self, fate: Fate, harmed: Mapping[int, Harm]) -> Iterator[Desk]:
        """The desk that a command would get, in the hands of fate; requests are harmed by their number."""
        wire = self.wire
        wire.application, wire.fate, wire.harmed, wire.asked = self.venue.app, fate, dict(harmed), []
        with Proxy(self.database, Commits(fate)) as proxy:
            settings = self.settings(proxy.url)
            with wiring.desk(settings, Mode.LIVE, name="live", lock_wait_seconds=10) as desk:
                yield desk

    def turn_on(self) -> None:
        """As `live on` does after a preview."""
        with wiring.switch(self.settings(self.database), name="switch") as switch:
            switch.rehearse(at=self.venue.now())
            switch.turn(SwitchState.ON, at=self.venue.now())

    def trade(
        self, plan: Path, fate: Fate | None = None, harmed: Mapping[int, Harm] = NOTHING
    ) -> dict[str, Any]:
        """`trade PLAN --yes`."""
        body = plan.read_bytes()
        source = PlanFile(plan=read_plan(body, plan.name), name=plan.name, body=body)
        with self.desk(fate or Fate(), harmed) as desk:
            make_ready(desk)
            return carefully(desk, lambda desk: trade(desk, source))

    def poll(self, fate: Fate | None = None, harmed: Mapping[int, Harm] = NOTHING) -> dict[str, Any]:
        """`poll`."""
        with self.desk(fate or Fate(), harmed) as desk:
            return poll(desk)

    def cancel_all(self, fate: Fate | None = None, harmed: Mapping[int, Harm] = NOTHING) -> dict[str, Any]:
        """What `orders cancel-all --mode live` books, without the sweep at the venue before it."""
        with self.desk(fate or Fate(), harmed) as desk:
            return cancel(desk, None)

    def see_through(self, plan: Path) -> None:
        """Trade a plan until it is completed."""
        for _ in range(TRIES_MAX):
            try:
                self.trade(plan)
            except PlanAlreadyRun:
                return
        raise AssertionError(f"{plan.name} does not come to its end")

    def settle(self) -> None:
        """Poll, again and again, until nothing is unknown and nothing settles."""
        for _ in range(POLLS_MAX):
            self.venue.wait(AGE_MS)
            totals = self.poll()["result"]["totals"]
            if not totals["unconfirmed"] and not totals["settling"] and not self.venue.is_busy:
                return
        raise AssertionError(f"it does not come to rest: {totals}")


@contextmanager
def one_clock(venue: Venue) -> Iterator[None]:
    """Let the venue's clock be everybody's, and let whoever sleeps only move it."""
    from polymarket._internal import retry
    from polymarket.clients import secure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _: venue.now())
        patch.setattr(secure, "time", SimpleNamespace(time=lambda: venue.world.clock.now_ms() / 1000))
        patch.setattr(retry, "sleep", lambda seconds: venue.wait(int(seconds * 1000)))
        patch.setattr(member, "time", SimpleNamespace(sleep=lambda seconds: venue.wait(int(seconds * 1000))))
        stamina.set_testing(True, attempts=4, cap=True)
        try:
            yield
        finally:
            stamina.set_testing(False)


@contextmanager
def in_process(directory: Path, database: str, *, wallet: str = "deposit") -> Iterator[Operator]:
    """An operator, and a venue that begins as it was kept in the directory; in the morning, if it was not."""
    wanted = Options(rate_limited=False)
    venue = Venue(kept=directory / "venue.json", options=wanted, now_ms=int(MORNING.timestamp() * 1000))
    with wired(Wire()) as wire, one_clock(venue):
        venue.open()
        yield Operator(venue=venue, wire=wire, database=database, wallet=wallet, home=directory)
