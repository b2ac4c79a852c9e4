"""The composition root: settings and mode become a desk; the only file that names adapters.

Adapters are imported where they are needed: a paper run over recorded books loads no HTTP, and nothing
here loads SQLAlchemy unless there is a migration to run.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from betteroms import __version__
from betteroms.domain.errors import ModeUnavailable
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.order import Denial
from betteroms.domain.terms import Mode
from betteroms.executors.paper import PaperExecutor
from betteroms.jobs.desk import Desk
from betteroms.pipeline import World
from betteroms.ports import Clock, Executor, Ledger, Snapshot
from betteroms.settings import Settings

if TYPE_CHECKING:
    import psycopg

    from betteroms.adapters.polymarket.health import VenueHealth
    from betteroms.adapters.postgres.embedded import EmbeddedServer
    from betteroms.adapters.postgres.views.health import DatabaseHealth
    from betteroms.domain.book import Book
    from betteroms.domain.market import Market
    from betteroms.records import Records

MODES: Final = frozenset({Mode.PAPER})
"""What this version can carry out."""


def clock() -> Clock:
    """The machine's clock."""
    from betteroms.adapters.system import SystemClock

    return SystemClock()


def embedded_server(settings: Settings) -> "EmbeddedServer | None":
    """The bundled database of this home; None where DATABASE_URL names another."""
    from betteroms.adapters.postgres.embedded import EmbeddedServer

    return None if settings.database_url else EmbeddedServer(home=settings.home)


def conninfo(settings: Settings) -> str:
    """Where the database is, started if it is ours and does not run."""
    if settings.database_url:
        return settings.database_url.reveal()
    server = embedded_server(settings)
    assert server is not None
    return server.ensure_running()


@contextmanager
def database(settings: Settings, *, name: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection to a database with the schema this program needs; `name` is what others see."""
    from betteroms.adapters.postgres.database import ready

    connection = ready(conninfo(settings), name=name)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def records(settings: Settings, *, name: str) -> "Iterator[Records]":
    """Everything that is read back for people, as of one moment; no lock is taken."""
    from betteroms.adapters.postgres.views.records import PostgresRecords

    with database(settings, name=name) as connection:
        yield PostgresRecords(connection)


def upgrade(settings: Settings) -> str | None:
    """Bring the schema up to date; what was done, in words, or None."""
    from betteroms.adapters.postgres.database import connect
    from betteroms.adapters.postgres.schema import ensure_current

    address = conninfo(settings)
    with connect(address, name="upgrade") as connection:
        return ensure_current(connection, address)


def backup(settings: Settings, target: Path) -> tuple[int, str]:
    """Write the database to a file; its size in bytes, and the command that puts it back."""
    from betteroms.adapters.postgres.backup import dump, restore_command

    return dump(conninfo(settings), target), restore_command(target)


def database_url(settings: Settings) -> str:
    """Where the database is, as a URL; nothing is started."""
    server = embedded_server(settings)
    if server is not None:
        return server.url()
    assert settings.database_url is not None
    return settings.database_url.reveal()


def database_status(settings: Settings) -> dict[str, Any]:
    """How the database is; nothing is started, and an own server is only asked if it runs."""
    from betteroms.adapters.postgres.views.health import health

    told: dict[str, Any] = {"server": "DATABASE_URL", "running": True, "version": None, "sizeBytes": None}
    server = embedded_server(settings)
    if server is not None:
        found = server.status()
        told |= {
            "server": "bundled",
            "running": found.running,
            "version": found.version,
            "pid": found.pid,
            "dataDirectory": str(found.data_dir),
            "logFile": str(found.log_file),
            "sizeBytes": found.size_bytes,
        }
    if not told["running"]:
        return told
    seen = health(server.conninfo() if server is not None else database_url(settings))
    return {
        **told,
        "version": seen.version,
        "sizeBytes": told["sizeBytes"] or seen.size_bytes,
        "database": seen.name,
        "schema": seen.revision,
        "schemaState": seen.state,
    }


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


class Ground:
    """What `doctor` looks at; see `jobs.doctor.Ground`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.home = settings.home
        self.where = "DATABASE_URL" if settings.database_url else "the bundled server"
        self.key_set = settings.private_key is not None
        given = {
            "POLYMARKET_API_KEY": settings.api_key,
            "POLYMARKET_API_SECRET": settings.api_secret,
            "POLYMARKET_API_PASSPHRASE": settings.api_passphrase,
        }
        # All or none: none are made from the key when they are needed.
        self.credentials_missing = [name for name, value in given.items() if value is None]
        if len(self.credentials_missing) == len(given):
            self.credentials_missing = []

    def database(self) -> "DatabaseHealth":
        """How the database is; the bundled one is started if it does not run."""
        from betteroms.adapters.postgres.views.health import health

        return health(conninfo(self._settings))

    def venue(self) -> "VenueHealth":
        """How the venue is, asked once."""
        from betteroms.adapters.polymarket.health import health
        from betteroms.adapters.polymarket.http import Patience

        timeout = self._settings.http_timeout
        patience = Patience(connect=timeout, read=timeout, total=timeout, attempts=1)
        return health(self._settings.clob_url, clock=clock(), patience=patience)


@contextmanager
def desk(
    settings: Settings,
    mode: Mode,
    *,
    name: str,
    books: Path | None = None,
    lock_wait_seconds: float | None = None,
    show: Callable[[str], None] = lambda _: None,
) -> Iterator[Desk]:
    """Everything a job needs in `mode`, closed on the way out.

    `books` names a directory of recorded books to stand in for the venue. `lock_wait_seconds` asks for the
    writer's lock and says how long to wait for it; None for a job that only reads.

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
            executor=_paper(settings),
            limits=settings.limits(),
            settings=settings.public(),
            opening_cash=settings.paper_cash,
            engine_version=__version__,
            show=show,
            notes=notes,
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


def _paper(settings: Settings) -> Callable[[World, LiquidityMemory, datetime], Executor]:
    paper = settings.paper()

    def make(world: World, memory: LiquidityMemory, now: datetime) -> Executor:
        return PaperExecutor(
            markets=world.markets,
            books=world.books,
            rules={token: r for token, r in world.rules.items() if not isinstance(r, Denial)},
            memory=memory,
            settings=paper,
            now=now,
        )

    return make


def _scratch(snapshot: Snapshot) -> Ledger:
    from betteroms.adapters.memory import MemoryLedger

    return MemoryLedger.seeded(snapshot)
