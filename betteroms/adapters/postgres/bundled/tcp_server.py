"""The life of a bundled server on loopback TCP with a password: for Windows, without private sockets."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from betteroms.adapters.postgres.bundled.binaries import program
from betteroms.adapters.postgres.bundled.cluster import (
    DATABASE,
    PROMISES,
    ROLE,
    clean_environment,
    create_cluster,
    is_made,
)
from betteroms.adapters.postgres.bundled.faults import EmbeddedServerError, explained, files_explained
from betteroms.adapters.postgres.bundled.notes import log_since, log_size, read_pid_file
from betteroms.adapters.postgres.bundled.place import Place

HOST = "127.0.0.1"
START_SECONDS_MAX = 90
LOCK_SECONDS_MAX = 180.0
PORT_ATTEMPTS_MAX = 3
PASSWORD_BYTES = 32

if sys.platform == "win32":
    import msvcrt

    _DETACHED = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    _DETACHED = 0

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpServer:
    """The server of one home, run through pg_ctl, which on Windows also drops an administrator's rights."""

    home: Path

    @property
    def _place(self) -> Place:
        return Place(area=self.home / "postgres", account=None)

    def conninfo(self) -> str:
        """Where the server is, with its password, in libpq's keyword form.

        Raises EmbeddedServerError before the first start: the port is chosen then.
        """
        password, port = self._remembered()
        return f"host={HOST} port={port} user={ROLE} password={password} dbname={DATABASE}"

    def url(self) -> str:
        """The same as a URL."""
        password, port = self._remembered()
        return f"postgresql://{ROLE}:{quote(password, safe='')}@{HOST}:{port}/{DATABASE}"

    def ensure_running(self) -> None:
        """Returns when the server takes sessions, having created or started it if need be."""
        if self.is_running():
            return
        place = self._place
        place.area.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _held(place.lock):
            if self.is_running():  # another command was faster
                return
            if not is_made(place.data):
                self._create()
            self._start()

    def is_running(self) -> bool:
        """pg_ctl asks whether the process in postmaster.pid is a server, pg_isready whether it serves."""
        data = self._place.data
        if not (data / "postmaster.pid").exists() or self._pg_ctl("status") != 0:
            return False
        try:
            _, port = self._remembered()
        except EmbeddedServerError:
            return False
        knock: list[str | Path] = [program("pg_isready"), "-q", "-h", HOST, "-p", port, "-t", "5"]
        return _run_quietly(knock) == 0

    def pid(self) -> int | None:
        written = read_pid_file(self._place.data)
        return written.pid if written is not None and self.is_running() else None

    def stop(self) -> bool:
        """Ends the server, breaking off open sessions; False when none was running."""
        data = self._place.data
        if not (data / "postmaster.pid").exists() or self._pg_ctl("status") != 0:
            return False
        if self._pg_ctl("-w", "-t", str(START_SECONDS_MAX), "-m", "fast", "stop") != 0:
            raise EmbeddedServerError(f"the server did not stop; see {self._place.log}")
        return True

    def _remembered(self) -> tuple[str, str]:
        with files_explained():
            try:
                password = (self._place.area / "password").read_text().strip()
                return password, (self._place.area / "port").read_text().strip()
            except FileNotFoundError as e:
                raise EmbeddedServerError(
                    "the embedded PostgreSQL was never started: betteroms db start"
                ) from e

    def _create(self) -> None:
        password = self._place.area / "password"
        if not password.exists():
            handle = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(PASSWORD_BYTES) + "\n")
        arguments = ("--auth=scram-sha-256", f"--pwfile={password}")
        create_cluster(self._place.data, authentication=arguments, account=None, lock=None)

    def _start(self) -> None:
        before = log_size(self._place)
        for _ in range(PORT_ATTEMPTS_MAX):  # another program may take the port between our look and the start
            port = _free_port(self._place.area / "port")
            (self._place.area / "port").write_text(f"{port}\n")
            # pg_ctl hands these on through a shell, so none of them may need quotes.
            settings = (f"port={port}", f"listen_addresses={HOST}", "unix_socket_directories=", *PROMISES)
            options = " ".join(f"-c {setting}" for setting in settings)
            wait = ("-w", "-t", str(START_SECONDS_MAX))
            if self._pg_ctl("-l", str(self._place.log), *wait, "-o", options, "start") == 0:
                return
        said = log_since(self._place, before)
        raise explained("the embedded PostgreSQL did not start", f"{said}\n(whole log: {self._place.log})")

    def _pg_ctl(self, *arguments: str) -> int:
        data = self._place.data
        return _run_quietly([program("pg_ctl"), "-D", str(data), *arguments])


def _run_quietly(command: Sequence[str | Path]) -> int:
    """The exit code. Nothing is piped: the server would inherit the pipe and we would wait for its end."""
    return subprocess.run(  # noqa: S603 - our own arguments, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        check=False,
        creationflags=_DETACHED,
    ).returncode


def _free_port(memory: Path) -> int:
    """The port of the last time if it is still free, else another."""
    remembered = memory.read_text().strip() if memory.exists() else ""
    for wanted in (int(remembered) if remembered.isdecimal() else 0, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((HOST, wanted))
            except (OSError, OverflowError):
                continue
            port: int = probe.getsockname()[1]
            return port
    raise EmbeddedServerError(f"no free port on {HOST}")


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    """Holds the lock of the area while the server is created and started; waits its turn, within a limit."""
    deadline = time.monotonic() + LOCK_SECONDS_MAX
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                _lock(handle)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"another command has been starting the server: {lock}"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
