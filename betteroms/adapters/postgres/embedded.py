"""The PostgreSQL server that BetterOMS brings along: attach to it, start it, stop it, say how it is."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from betteroms.adapters.postgres.bundled.binaries import program
from betteroms.adapters.postgres.bundled.cluster import clean_environment
from betteroms.adapters.postgres.bundled.faults import EmbeddedServerError, files_explained
from betteroms.adapters.postgres.bundled.place import locate

if sys.platform == "win32":
    from betteroms.adapters.postgres.bundled.tcp_server import TcpServer as Server
else:
    from betteroms.adapters.postgres.bundled.socket_server import SocketServer as Server

__all__ = ["EmbeddedServer", "EmbeddedServerError", "ServerStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What can be told about a server without touching it."""

    running: bool
    pid: int | None
    data_dir: Path
    log_file: Path
    version: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServer:
    """The server of one home (BETTEROMS_HOME, or the user's data directory), below `<home>/postgres`.

    Every method raises EmbeddedServerError, a sentence for people, when the machine does not let it work.
    The server is left running between commands; `stop` is for people.
    """

    home: Path

    def conninfo(self) -> str:
        """libpq's keyword form, for psycopg; looks only. On Windows it holds the password."""
        with files_explained():
            return self._server().conninfo()

    def url(self) -> str:
        """The same as a postgresql:// URL, for psql, SQLAlchemy and DATABASE_URL; looks only."""
        with files_explained():
            return self._server().url()

    def ensure_running(self) -> str:
        """Attaches, or creates and starts the server first; returns the conninfo.

        Many processes may call it at once: one of them starts the server, the others wait for it.
        """
        with files_explained():
            server = self._server()
            server.ensure_running()
            return server.conninfo()

    def is_running(self) -> bool:
        """Whether a server answers; one that is still recovering counts."""
        with files_explained():
            return self._server().is_running()

    def stop(self) -> bool:
        """Fast shutdown: open transactions are rolled back. Returns False when no server was running."""
        with files_explained():
            return self._server().stop()

    def status(self) -> ServerStatus:
        """How the server is, and where its files are; looks only."""
        with files_explained():
            server = self._server()
            place = locate(server.home)
            return ServerStatus(
                running=server.is_running(),
                pid=server.pid(),
                data_dir=place.data,
                log_file=place.log,
                version=_version(),
                size_bytes=_size_on_disk(place.data),
            )

    def _server(self) -> Server:
        return Server(home=self.home.expanduser().absolute())


def _version() -> str | None:
    """Such as 18.4; None when the programs are not installed."""
    try:
        server = program("postgres")
    except EmbeddedServerError:
        return None
    told = subprocess.run(  # noqa: S603
        [server, "--version"], capture_output=True, text=True, env=clean_environment(), check=False
    )
    return told.stdout.strip().rpartition(" ")[2] or None


def _size_on_disk(directory: Path) -> int:
    """Bytes in files. Those that vanish while we count are not counted: the server goes on working."""
    total = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - thousands of files
            except OSError:
                continue
    return total
