"""Desks: settings and mode become everything that a job works with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from betteroms import __version__
from betteroms.domain.bounds import FillBounds
from betteroms.domain.errors import DatabaseUnavailable, ModeUnavailable
from betteroms.domain.ids import OrderId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.money import Usdc
from betteroms.domain.order import Denial
from betteroms.domain.terms import Mode
from betteroms.executors.paper import PaperExecutor, PaperSettings
from betteroms.jobs.desk import Desk, MakeExecutor, Member
from betteroms.jobs.herald import SILENT, Herald
from betteroms.pipeline import World
from betteroms.ports import Clock, Executor, Ledger, Snapshot
from betteroms.settings import Settings, restored
from betteroms.wiring.database import conninfo, database
from betteroms.wiring.surroundings import clock

if TYPE_CHECKING:
    from threading import Event

    import psycopg

    from betteroms.domain.book import Book
    from betteroms.domain.market import Market
    from betteroms.jobs.replay import Bench, Changes
    from betteroms.wiring.live import Access

MODES: Final = frozenset(Mode)
"""What this version can carry out."""


@contextmanager
def desk(
    settings: Settings,
    mode: Mode,
    *,
    name: str,
    books: Path | None = None,
    lock_wait_seconds: float | None = None,
    show: Callable[[str], None] = lambda _: None,
    herald: Herald = SILENT,
) -> Iterator[Desk]:
    """Everything a job needs in `mode`, closed on the way out.

    `books` names a directory of recorded books to stand in for the venue. `lock_wait_seconds` asks for the
    writer's lock (in live, the wallet's, too) and says how long to wait for it; None for a job that only
    reads. `herald` tells of runs.

    Raises:
        ModeUnavailable: recorded books were to stand in for the venue in live.
        CredentialsUnusable: live, and a key is missing or refused.
    """
    from betteroms.adapters.postgres.database import take_writer_lock
    from betteroms.adapters.postgres.ledger import PostgresLedger

    time = clock()
    with ExitStack() as stack:
        venue, notes = stack.enter_context(_venue(settings, books, time))
        show("connecting to the database")
        connection = stack.enter_context(database(settings, name=name))
        if lock_wait_seconds is not None:
            show("waiting for the writer's lock")
            take_writer_lock(connection, wait_seconds=lock_wait_seconds)
        room = _Room(
            settings=settings,
            recorded=books is not None,
            stack=stack,
            connection=connection,
            ledger=PostgresLedger(connection),
            venue=venue,
            notes=notes,
            clock=time,
            lock_wait_seconds=lock_wait_seconds,
            show=show,
            herald=herald,
        )
        yield room.desk(mode)


@contextmanager
def membership(settings: Settings, *, notes: list[str]) -> "Iterator[Access]":
    """The venue as a member sees it, without a database and without a lock: for what must work in any case.

    Raises:
        CredentialsUnusable: a key is missing, or the venue refuses it.
        VenueUnreachable: no usable answer.
    """
    from betteroms.wiring.live import Keys, access

    with access(settings, Keys(settings), clock(), notes) as opened:
        yield opened


def nudges(settings: Settings, nudge: "Event") -> AbstractContextManager[None]:
    """Have the venue's stream set `nudge` when there is something to look at; see `wiring.live`."""
    from betteroms.wiring.live import nudges

    return nudges(settings, nudge)


@dataclass(slots=True)
class _Room:
    """What the desks of all modes share: one connection, one ledger, one venue."""

    settings: Settings
    recorded: bool
    stack: ExitStack
    connection: "psycopg.Connection[Any]"
    ledger: Ledger
    venue: Any
    notes: Callable[[], list[str]]
    clock: Clock
    lock_wait_seconds: float | None
    show: Callable[[str], None]
    herald: Herald
    desks: dict[Mode, Desk] = field(default_factory=dict)
    own_notes: list[str] = field(default_factory=list)

    def desk(self, mode: Mode) -> Desk:
        """The desk of a mode; made once."""
        if mode not in self.desks:
            make = {Mode.PAPER: self._on_paper, Mode.SHADOW: self._in_the_shadow, Mode.LIVE: self._live}
            self.desks[mode] = make[mode]()
        return self.desks[mode]

    def _on_paper(self) -> Desk:
        from betteroms.adapters.postgres.switch import PostgresSwitch

        settings = self.settings
        return Desk(
            mode=Mode.PAPER,
            ledger=self.ledger,
            scratch=_scratch,
            catalog=self.venue,
            market_data=self.venue,
            archive=self.venue,
            clock=self.clock,
            executor=_paper(settings.paper(), {}),
            limits=settings.limits(),
            settings=settings.public(),
            opening_cash=settings.paper_cash,
            engine_version=__version__,
            restated=lambda limits: settings.capped(limits).public(),
            show=self.show,
            notes=self._notes,
            herald=self.herald,
            sell_from=settings.sell_from,
            switch=PostgresSwitch(self.connection),
            sibling=self.desk,
        )

    def _in_the_shadow(self) -> Desk:
        from betteroms.wiring.live import Keys, shadowed

        paper = self.desk(Mode.PAPER)
        keys = Keys(self.settings)
        return replace(
            paper,
            mode=Mode.SHADOW,
            executor=shadowed(paper.executor, keys),
            rehearsal=paper.executor,
            insist=lambda: keys.signer,
        )

    def _live(self) -> Desk:
        from betteroms.adapters.postgres.database import take_wallet_lock
        from betteroms.wiring.live import Keys, Proofs, access, live, member_of, rehearsed

        if self.recorded:
            raise ModeUnavailable("live orders meet the venue's own books: --books is for paper and shadow")
        _insist_on_sessions(self.settings)
        keys = Keys(self.settings)
        self.show("signing in at the venue")
        opened = self.stack.enter_context(access(self.settings, keys, self.clock, self.own_notes))
        if self.lock_wait_seconds is not None:
            take_wallet_lock(self.connection, opened.wallet.address, wait_seconds=self.lock_wait_seconds)
        proofs = Proofs(clock=self.clock, wallet=opened.wallet.address)
        member = member_of(opened, proofs, keys, self.connection)
        paper = self.desk(Mode.PAPER)
        return replace(
            paper,
            mode=Mode.LIVE,
            rehearsal=rehearsed(paper.executor),
            executor=live(self.connection, self.ledger, opened, proofs, keys, self.clock),
            opening_cash=self._opening_cash(member),
            member=member,
        )

    def _opening_cash(self, member: Member) -> Usdc:
        """What the wallet held when it was first used; where that is now, what the venue says it holds."""
        known = self.ledger.snapshot(Mode.LIVE, markets=[], orders=[]).opening_cash
        return Usdc(member.standing.dollars().balance) if known is None else known

    def _notes(self) -> list[str]:
        return [*self.notes(), *self.own_notes]


def _insist_on_sessions(settings: Settings) -> None:
    """Locks of a session do not hold through a pooler that gives each transaction another one."""
    from betteroms.adapters.postgres.views.health import Pooling, pooling

    # The bundled server has nobody in front of it.
    if settings.database_url is not None and pooling(conninfo(settings)) is Pooling.TRANSACTION:
        raise DatabaseUnavailable(
            "a pooler in transaction mode is in between, where no lock holds: live trading needs a session"
        )


@contextmanager
def _venue(
    settings: Settings, books: Path | None, clock: Clock
) -> Iterator[tuple[Any, Callable[[], list[str]]]]:
    """The venue or what stands in for it, and what it has to say to a person so far."""
    from betteroms.adapters.polymarket.parse import parse_book, parse_market

    if books is not None:
        from betteroms.adapters.recorded.venue import RecordedVenue

        recorded = RecordedVenue(books, parse_book=parse_book, parse_market=parse_market, clock=clock)
        yield (recorded, lambda: [f"ignored {found.file}: {found.reason}" for found in recorded.ignored])
        return
    from betteroms.adapters.polymarket.venue import Polymarket

    with Polymarket.open(settings, clock=clock) as venue:
        yield venue, lambda: venue.notes


def bench(kept: Mapping[str, str], changes: "Changes") -> "Bench":
    """What a run is recomputed with: its own settings as it kept them, but for what is to be changed.

    Raises:
        SettingsInvalid: they are none that could have been kept.
    """
    from betteroms.jobs.replay import Bench

    settings = restored(kept)
    paper = changes.applied(settings.paper())
    return Bench(
        limits=settings.limits(),
        opening_cash=settings.paper_cash,
        executor=lambda bounds: _paper(paper, bounds),
        scratch=_scratch,
        engine_version=__version__,
        sell_from=settings.sell_from,
    )


def _paper(paper: PaperSettings, bounds: Mapping[OrderId, FillBounds]) -> MakeExecutor:
    def make(world: World, memory: LiquidityMemory, now: datetime, _: Snapshot) -> Executor:
        return PaperExecutor(
            markets=world.markets,
            books=world.books,
            rules={token: r for token, r in world.rules.items() if not isinstance(r, Denial)},
            memory=memory,
            settings=paper,
            now=now,
            bounds=bounds,
        )

    return make


def _scratch(snapshot: Snapshot) -> Ledger:
    from betteroms.adapters.memory import MemoryLedger

    return MemoryLedger.seeded(snapshot)


class Payloads:
    """Reads kept payloads as they were read when they came; see `jobs.explain.Reader`."""

    def book(self, body: bytes, *, received_at: datetime, recorded: bool) -> "Book":
        """A book from the bytes that were kept of it."""
        from betteroms.adapters.exact_json import decode
        from betteroms.adapters.polymarket.parse import parse_book

        return parse_book(decode(body.decode()), received_at=received_at, recorded=recorded, payload=body)

    def market(self, body: bytes, *, recorded: bool) -> "Market":
        """A market from the row that was kept of it."""
        from betteroms.adapters.exact_json import decode
        from betteroms.adapters.polymarket.parse import parse_market

        return parse_market(decode(body.decode()), recorded=recorded, payload=body)
