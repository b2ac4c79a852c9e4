"""The life of a bundled server on a private unix socket, for every system but Windows."""

import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from betteroms.adapters.postgres.bundled.cluster import DATABASE, ROLE, create_cluster, is_made
from betteroms.adapters.postgres.bundled.faults import EmbeddedServerError, explained
from betteroms.adapters.postgres.bundled.notes import log_since, log_size, read_pid_file
from betteroms.adapters.postgres.bundled.place import PORT, Place, locate, prepare
from betteroms.adapters.postgres.bundled.process import (
    Answer,
    attempted_lock,
    knock,
    launch,
    outlives_us,
    postmaster,
    signal_server,
    wait_until_gone,
)

assert sys.platform != "win32", "tcp_server is for Windows"

# A recovery after a crash has at most max_wal_size to read; a slow disk needs its time for that.
READY_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 60.0
# How long others may finish what they do before a server without a socket is ended.
LOST_SOCKET_SECONDS_MAX = 20.0

_LEADER_PAUSE = 0.003
_FOLLOWER_PAUSE = 0.02

_ORPHANS_STILL_RUN = "is still in use"  # "pre-existing shared memory block (key …, ID …) is still in use"


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketServer:
    """The server of one home. Trust within a 0700 directory: who can reach the socket owns the data."""

    home: Path

    def conninfo(self) -> str:
        """Where the server is or will be, in libpq's keyword form."""
        directory = str(locate(self.home).socket_dir).replace("\\", "\\\\").replace("'", "\\'")
        return f"host='{directory}' port={PORT} user={ROLE} dbname={DATABASE}"

    def url(self) -> str:
        """The same as a URL; the directory is in the query, where psql, psycopg and SQLAlchemy decode it."""
        directory = quote(str(locate(self.home).socket_dir), safe="")
        return f"postgresql://{ROLE}@/{DATABASE}?host={directory}&port={PORT}"

    def ensure_running(self) -> None:
        """Returns when the server takes sessions, having created or started it if need be."""
        if knock(locate(self.home)) is Answer.READY:
            return
        place = prepare(self.home)
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not _ready_or_revived(place, deadline=deadline):
            if time.monotonic() > deadline:
                raise _not_ready(place)
            time.sleep(_FOLLOWER_PAUSE)

    def is_running(self) -> bool:
        return knock(locate(self.home)) is not Answer.ABSENT

    def pid(self) -> int | None:
        return postmaster(locate(self.home).data)

    def stop(self) -> bool:
        """Ends the server, breaking off open sessions; False when none was running."""
        place = locate(self.home)
        pid = postmaster(place.data)
        if pid is None:
            if knock(place) is Answer.ABSENT:
                return False
            raise EmbeddedServerError(
                f"a server answers at {place.socket}, but its process cannot be seen from here: "
                "stop it in the container, or as the user, that started it"
            )
        signal_server(pid, place.data, signal.SIGINT)  # PostgreSQL's fast shutdown
        if not wait_until_gone(pid, place.data, seconds=STOP_SECONDS_MAX):
            raise EmbeddedServerError(
                f"process {pid} did not stop within {STOP_SECONDS_MAX:.0f} s; see {place.log}"
            )
        return True


def _ready_or_revived(place: Place, *, deadline: float) -> bool:
    """One round: is it there, or does it fall to us to start it?"""
    answer = knock(place)
    if answer is Answer.READY:
        return True
    if answer is Answer.BUSY:
        return False
    if (pid := postmaster(place.data)) is not None:
        _end_if_unreachable(pid, place)
        return False
    with attempted_lock(place) as lock:
        # Between the knock and the lock another command may have started it.
        if lock is None or knock(place) is not Answer.ABSENT or postmaster(place.data) is not None:
            return False
        if not is_made(place.data):
            create_cluster(place.data, authentication=("--auth=trust",), account=place.account, lock=lock)
        return _started(place, lock=lock, deadline=deadline)


def _started(place: Place, *, lock: int, deadline: float) -> bool:
    """Starts the server and waits; False when children of a dead one are still writing."""
    before = log_size(place)
    server = launch(place, lock=lock)
    while server.poll() is None:
        # Its own note is awaited before we knock: early knocks would fill the log with refusals.
        written = read_pid_file(place.data)
        if (
            written is not None
            and written.pid == server.pid
            and written.ready
            and knock(place) is Answer.READY
        ):
            outlives_us(server)
            return True
        if time.monotonic() > deadline:
            outlives_us(server)
            raise _not_ready(place)
        time.sleep(_LEADER_PAUSE)
    said = log_since(place, before)
    if _ORPHANS_STILL_RUN in said:
        return False
    raise explained("the embedded PostgreSQL did not start", f"{said}\n(whole log: {place.log})")


def _end_if_unreachable(pid: int, place: Place) -> None:
    """Ends a server that lost its socket, as when something cleans /tmp; it cannot be given a new one alive.

    First so that sessions in progress may end by themselves, then so that they are broken off.
    """
    written = read_pid_file(place.data)
    if written is None or not written.ready or place.socket.exists():
        return
    signal_server(pid, place.data, signal.SIGTERM)  # smart: no new sessions
    if not wait_until_gone(pid, place.data, seconds=LOST_SOCKET_SECONDS_MAX):
        signal_server(pid, place.data, signal.SIGINT)  # fast
        wait_until_gone(pid, place.data, seconds=STOP_SECONDS_MAX)


def _not_ready(place: Place) -> EmbeddedServerError:
    return explained(
        f"the embedded PostgreSQL was not ready within {READY_SECONDS_MAX:.0f} s "
        f"(something of it, perhaps in another container, may hold {place.lock})",
        f"{log_since(place, 0)}\n(whole log: {place.log})",
    )
