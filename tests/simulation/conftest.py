"""The database after the morning, and what the evening makes of it when nobody dies."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import TEMPLATE, named
from tests.simulation import worlds
from tests.simulation.stage import Rewindable, StoppedClock, carry_out, inspect
from tests.simulation.worlds import Act

if TYPE_CHECKING:
    import psycopg

    from betteroms.adapters.postgres.embedded import EmbeddedServer
    from tests.simulation.live_processes import Zygote
    from tests.simulation.live_scenes import Scene

AFTER_MORNING = "after_morning"
END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"
MORNING_AGO = timedelta(hours=20)
_numbers = count(1)

MakeDatabase = Callable[[], str]
Copies = Callable[[], AbstractContextManager[str]]
SetScene = Callable[[str], "Scene"]


@pytest.fixture(scope="session")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Act:
    return worlds.morning(tmp_path_factory.mktemp("morning"))


@pytest.fixture(scope="session")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Act:
    return worlds.evening(tmp_path_factory.mktemp("evening"))


@pytest.fixture(scope="session")
def copies(administrator: "psycopg.Connection[Any]", server_url: str, morning: Act) -> Iterator[Copies]:
    """Copies of the database as the morning left it, yesterday."""
    administrator.execute(f"CREATE DATABASE {AFTER_MORNING} TEMPLATE {TEMPLATE}")
    clock = StoppedClock(datetime.now(UTC) - MORNING_AGO)
    carry_out(morning, named(server_url, AFTER_MORNING), change=lambda desk: replace(desk, clock=clock))
    complaints, _ = inspect(named(server_url, AFTER_MORNING))
    assert complaints == [], complaints

    @contextmanager
    def copy() -> Iterator[str]:
        name = f"evening_{next(_numbers)}"
        administrator.execute(f"CREATE DATABASE {name} TEMPLATE {AFTER_MORNING}")
        try:
            yield named(server_url, name)
        finally:
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")

    yield copy
    administrator.execute(f"DROP DATABASE {AFTER_MORNING} WITH (FORCE)")


@pytest.fixture
def make_database(copies: Copies) -> Iterator[MakeDatabase]:
    """Makes databases as the morning left them, which go with the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(copies())


@pytest.fixture
def after_morning(make_database: MakeDatabase) -> str:
    return make_database()


@pytest.fixture(scope="module")
def rewindable(copies: Copies) -> Iterator[Rewindable]:
    """One database as the morning left it, for many short lives."""
    with copies() as url:
        database = Rewindable(url)
        yield database
        database.close()


@pytest.fixture(scope="session")
def undisturbed(copies: Copies, evening: Act) -> str:
    """The state digest of an evening in which nobody died, in another database."""
    with copies() as url:
        carry_out(evening, url)
        complaints, digest = inspect(url)
    assert complaints == [], complaints
    return digest


@pytest.fixture
def home_directory(tmp_path: Path) -> Path:
    """A BETTEROMS_HOME that nothing should be written to: DATABASE_URL says where the database is."""
    return tmp_path / "home"


@dataclass(frozen=True, kw_only=True)
class OwnServer:
    """A server that a test may stop, starve or kill, unlike the session's, which others are using."""

    server: "EmbeddedServer"

    def url(self, database: str) -> str:
        return named(self.server.url(), database)

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, migrated database; its URL. It goes at the end: a crashed server looks at every file."""
        name = f"own_{next(_numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield self.url(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.server.ensure_running(), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    """Nothing happens in it by itself: what it does is what the test did."""
    import psycopg

    from betteroms.adapters.postgres.embedded import EmbeddedServer
    from betteroms.adapters.postgres.schema import HEAD, migrate

    base = Path(tempfile.mkdtemp(prefix="boms"))
    base.chmod(0o755)
    server = EmbeddedServer(home=base / "home")
    own = OwnServer(server=server)
    with psycopg.connect(server.ensure_running(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(own.url(TEMPLATE), HEAD)
    yield own
    server.stop()
    area = server.home / "postgres"
    if area.is_symlink():
        shutil.rmtree(area.resolve())
    shutil.rmtree(base)


@pytest.fixture
def own_url(own_server: OwnServer) -> Iterator[str]:
    """A migrated database on that server."""
    with own_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def dawn(set_scene: SetScene) -> "Scene":
    """See `live_scenes.dawn`."""
    return set_scene("dawn")


@pytest.fixture(scope="session")
def dusk(set_scene: SetScene) -> "Scene":
    """See `live_scenes.dusk`."""
    return set_scene("dusk")


@pytest.fixture(scope="session")
def night(set_scene: SetScene) -> "Scene":
    """See `live_scenes.night`."""
    return set_scene("night")


@pytest.fixture(scope="session")
def set_scene(
    administrator: "psycopg.Connection[Any]", server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SetScene]:
    """Prepares a scene of `live_scenes`, by its name, in a database of that name."""
    from tests.simulation import live_scenes

    with ExitStack() as stack:

        def set_up(name: str) -> "Scene":
            administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            stack.callback(administrator.execute, f"DROP DATABASE {name} WITH (FORCE)")
            prepare = getattr(live_scenes, name)
            scene: Scene = prepare(tmp_path_factory.mktemp(name), named(server_url, name))
            stack.callback(scene.database.close)
            return scene

        yield set_up


@pytest.fixture(scope="session")
def zygote() -> Iterator["Zygote"]:
    """What live commands are forked from."""
    from tests.simulation.live_processes import Zygote

    process = Zygote()
    yield process
    process.close()


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of the authorities that HTTP clients trust: nothing here is encrypted."""
    import certifi

    path = tmp_path_factory.mktemp("certificates") / "one.pem"
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(END_OF_CERTIFICATE)
    path.write_text(first + end, encoding="utf-8")
    return path
