"""Desks: settings and mode become everything that a job works with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from betteroms import __version__
from betteroms.domain.bounds import FillBounds
from betteroms.domain.errors import ModeUnavailable
from betteroms.domain.ids import OrderId
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.order import Denial
from betteroms.domain.terms import Mode
from betteroms.executors.paper import PaperExecutor, PaperSettings
from betteroms.jobs.desk import Desk
from betteroms.jobs.herald import SILENT, Herald
from betteroms.pipeline import World
from betteroms.ports import Clock, Executor, Ledger, Snapshot
from betteroms.settings import Settings, restored
from betteroms.wiring.database import database
from betteroms.wiring.surroundings import clock

if TYPE_CHECKING:
    from betteroms.domain.book import Book
    from betteroms.domain.market import Market
    from betteroms.jobs.replay import Bench, Changes


MODES: Final = frozenset({Mode.PAPER})
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
    writer's lock and says how long to wait for it; None for a job that only reads. `herald` tells of runs.

    Raises:
        ModeUnavailable: this version has no executor for the mode.
    """
    from betteroms.adapters.postgres.database import take_writer_lock
    from betteroms.adapters.postgres.ledger import PostgresLedger

    if mode not in MODES:
        raise ModeUnavailable(f"the plan's mode is {mode}, and this version trades on paper only")
    time = clock()
    with ExitStack() as stack:
        venue, notes = stack.enter_context(_venue(settings, books, time))
        show("connecting to the database")
        connection = stack.enter_context(database(settings, name=name))
        if lock_wait_seconds is not None:
            show("waiting for the writer's lock")
            take_writer_lock(connection, wait_seconds=lock_wait_seconds)
        yield Desk(
            mode=mode,
            ledger=PostgresLedger(connection),
            scratch=_scratch,
            catalog=venue,
            market_data=venue,
            archive=venue,
            clock=time,
            executor=_paper(settings.paper(), {}),
            limits=settings.limits(),
            settings=settings.public(),
            opening_cash=settings.paper_cash,
            engine_version=__version__,
            restated=lambda limits: settings.capped(limits).public(),
            show=show,
            notes=notes,
            herald=herald,
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
        yield recorded, lambda: [f"ignored {found.file}: {found.reason}" for found in recorded.ignored]
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
    )


def _paper(
    paper: PaperSettings, bounds: Mapping[OrderId, FillBounds]
) -> Callable[[World, LiquidityMemory, datetime], Executor]:
    def make(world: World, memory: LiquidityMemory, now: datetime) -> Executor:
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
