"""What every test may ask for."""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    import psycopg

    from betteroms.adapters.postgres.embedded import EmbeddedServer
    from tests.simulation.lived import LivedMonth

# The suite tries the same examples each time and in any order, so that a red run is never chance;
# --soak looks for new ones.
settings.register_profile("suite", deadline=None, database=None, derandomize=True)
settings.register_profile("soak", deadline=None, database=None, print_blob=True)

TEMPLATE = "migrated"
LIVES = 200
"""So many lives by chance are lived in a soak that does not say how many."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak",
        nargs="?",
        type=int,
        const=LIVES,
        default=0,
        metavar="LIVES",
        help="run the long tests too; a number says how many lives are lived by chance",
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("soak" if config.getoption("--soak") else "suite")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells start what runs in the background so, and the commands under test would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    skipped = pytest.mark.skip(reason="a long run: ask for it with --soak")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skipped)


MEMORY = Path("/dev/shm")
MEMORY_MIN = 4 << 30
"""Bytes that must be free there: small ones are common in containers."""


def quick_directory() -> Path | None:
    """Where files are made and removed in no time, as databases are; None for the usual place."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_MIN:
        return None
    return MEMORY


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A BETTEROMS_HOME for the session (for each worker of xdist), short and open to other accounts."""
    base = Path(tempfile.mkdtemp(prefix="boms", dir=quick_directory()))
    base.chmod(0o755)
    yield base / "home"
    shutil.rmtree(base)


@pytest.fixture(scope="session")
def server(home: Path) -> "Iterator[EmbeddedServer]":
    """The bundled PostgreSQL of that home, running; stopped at the end of the session."""
    from betteroms.adapters.postgres.bundled.binaries import SYSTEM_AREA
    from betteroms.adapters.postgres.embedded import EmbeddedServer

    server = EmbeddedServer(home=home)
    server.ensure_running()
    yield server
    server.stop()
    area = home / "postgres"
    if area.is_symlink():
        shutil.rmtree(area.resolve())
    with suppress(OSError):
        SYSTEM_AREA.rmdir()  # only if nothing of a real installation is there


@pytest.fixture(scope="session")
def server_url(server: "EmbeddedServer") -> str:
    """Where the session's server is; its own database stays empty."""
    return server.url()


@pytest.fixture(scope="session")
def administrator(server_url: str) -> "Iterator[psycopg.Connection[Any]]":
    """A connection that makes and drops databases, one of which is migrated and copied for the tests."""
    import psycopg

    from betteroms.adapters.postgres.schema import HEAD, migrate

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate(named(server_url, TEMPLATE), HEAD)
        yield connection


_numbers = itertools.count(1)


def named(url: str, database: str) -> str:
    """The same server's other database."""
    from urllib.parse import urlsplit

    return urlsplit(url)._replace(path=f"/{database}").geturl()


def _database(administrator: "psycopg.Connection[Any]", server_url: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield named(server_url, name)
    administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(administrator: "psycopg.Connection[Any]", server_url: str) -> Iterator[str]:
    """A migrated database of the test's own, for DATABASE_URL."""
    yield from _database(administrator, server_url, TEMPLATE)


@pytest.fixture(scope="session")
def shared_database_url(administrator: "psycopg.Connection[Any]", server_url: str) -> Iterator[str]:
    """A migrated database for tests that empty it themselves."""
    yield from _database(administrator, server_url, TEMPLATE)


@pytest.fixture
def another_database_url(administrator: "psycopg.Connection[Any]", server_url: str) -> Iterator[str]:
    """A second migrated database of the test's own."""
    yield from _database(administrator, server_url, TEMPLATE)


@pytest.fixture(scope="session")
def month(
    administrator: "psycopg.Connection[Any]", server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[LivedMonth]":
    """A scripted month on paper that nothing went wrong in: to be read, and copied, but not changed."""
    from tests.simulation.lived import SUITE, Shared, live

    shared = Shared(tmp_path_factory.getbasetemp())
    shared.claim()
    for url in _database(administrator, server_url, TEMPLATE):
        lived = live(SUITE, url, tmp_path_factory.mktemp("nothing"))
        shared.tell(lived.digest)
        yield lived


@pytest.fixture
def month_digest(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Callable[[], str]":
    """Tells the state in which that month ends; whichever test process is first at it lives it."""
    from tests.simulation.lived import Shared

    def digest() -> str:
        told = Shared(tmp_path_factory.getbasetemp()).wait()
        return told if told is not None else str(request.getfixturevalue("month").digest)

    return digest


@pytest.fixture
def empty_database_url(administrator: "psycopg.Connection[Any]", server_url: str) -> Iterator[str]:
    """A database of the test's own that has no schema yet."""
    yield from _database(administrator, server_url, "template1")
