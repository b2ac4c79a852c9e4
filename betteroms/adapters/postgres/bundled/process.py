"""A bundled server on a private unix socket: is it there, start it, stop it."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from betteroms.adapters.postgres.bundled.binaries import program_for
from betteroms.adapters.postgres.bundled.cluster import DATABASE, PROMISES, ROLE, clean_environment
from betteroms.adapters.postgres.bundled.faults import EmbeddedServerError
from betteroms.adapters.postgres.bundled.notes import read_pid_file
from betteroms.adapters.postgres.bundled.place import PORT, Place, trusted

assert sys.platform != "win32", "tcp_server is for Windows"

ANSWER_SECONDS_MAX = 2.0
LOG_BYTES_MAX = 10 * 1024 * 1024

_PROTOCOL_3_0 = 196_608
_STARTING_STOPPING_OR_RECOVERING = "57P03"
_NO_SUCH_DATABASE = "3D000"
_TERMINATE = b"X\0\0\0\x04"

# Servers that this process started; should one die while we live, it is ours to bury.
_started: set[int] = set()


class Answer(Enum):
    """What a knock at the socket told."""

    READY = "ready"
    BUSY = "busy"  # starting, recovering, stopping or too slow to answer
    ABSENT = "absent"


def knock(place: Place) -> Answer:
    """Asks for a session and closes it: 2 to 3 ms, where importing a driver for it costs 100.

    A connect alone would not do: a server that is recovering accepts it too. The messages are described in
    the PostgreSQL documentation, chapter "Frontend/Backend Protocol", under "Start-up" and "Message Formats".
    """
    if not trusted(place):
        return Answer.ABSENT
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWER_SECONDS_MAX)
        try:
            line.connect(str(place.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return Answer.ABSENT
        except (BlockingIOError, TimeoutError):  # its queue of callers is full
            return Answer.BUSY
        try:
            return _converse(line)
        except (ConnectionError, TimeoutError):
            return Answer.BUSY


def _converse(line: socket.socket) -> Answer:
    wish = f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
    line.sendall((8 + len(wish)).to_bytes(4) + _PROTOCOL_3_0.to_bytes(4) + wish)
    with line.makefile("rb") as answers:
        while kind := answers.read(1):
            body = answers.read(int.from_bytes(answers.read(4)) - 4)
            if kind == b"Z":
                line.sendall(_TERMINATE)
                return Answer.READY
            if kind == b"E":
                return _meaning_of(body)
    return Answer.BUSY  # it hung up: it is going down


def _meaning_of(error: bytes) -> Answer:
    fields = {field[:1]: field[1:].decode(errors="replace") for field in error.split(b"\0") if field}
    if fields.get(b"C") == _STARTING_STOPPING_OR_RECOVERING:
        return Answer.BUSY
    if fields.get(b"C") == _NO_SUCH_DATABASE:
        raise EmbeddedServerError(
            f'the server runs but has no database "{DATABASE}": somebody dropped it. '
            f"Make it again (psql -d postgres -c 'CREATE DATABASE {DATABASE}') and restore a backup."
        )
    return Answer.READY  # it serves; what it has against us (no free connection) the caller will be told


def postmaster(data: Path) -> int | None:
    """The process id of the living server of this data directory; None unless that is proven."""
    written = read_pid_file(data)
    return written.pid if written is not None and is_postmaster(written.pid, data) else None


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether this process is a `postgres -D data`, and not a zombie, nor another that got its number."""
    if Path("/proc/self/stat").exists():
        return _is_postmaster_in_proc(Path("/proc") / str(pid), data)
    told = subprocess.run(  # noqa: S603
        ["/bin/ps", "-ww", "-o", "state=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    ).stdout.strip()
    state, _, command = told.partition(" ")
    return (
        bool(state)
        and not state.startswith("Z")
        and re.search(_command_of(data), command.strip()) is not None
    )


def _command_of(data: Path) -> str:
    return rf"^(\S.*/)?postgres( .*)? -D {re.escape(str(data))}( |$)"


def _is_postmaster_in_proc(process: Path, data: Path) -> bool:
    try:
        state = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        command = (process / "cmdline").read_bytes().split(b"\0")
        if state in "ZX" or Path(os.fsdecode(command[0])).name != "postgres":
            return False
        if b"-D" in command and Path(os.fsdecode(command[command.index(b"-D") + 1])) == data:
            return True
        return (process / "cwd").samefile(data)  # started by hand; a server works within its data
    except (OSError, IndexError):
        return False


@contextmanager
def attempted_lock(place: Place) -> Iterator[int | None]:
    """Tries for the lock that a server holds while it or any of its children lives; None when it is taken.

    The descriptor is handed to the server, which keeps it open. So the kernel itself says whether anything
    of a server still runs, to other containers with the same volume too, whatever process numbers say.
    """
    handle = _open_ours(place.lock, os.O_RDWR, place)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield handle
    finally:
        os.close(handle)


def launch(place: Place, *, lock: int) -> subprocess.Popen[bytes]:
    """Starts the server in a session of its own, holding the lock; returns at once."""
    _clear_the_way(place)
    # fmt: off
    command: list[str | Path] = [
        program_for("postgres", account=place.account),
        "-D", place.data,
        "-k", place.socket_dir,
        "-p", str(PORT),
        "-c", "listen_addresses=",
        "-c", "unix_socket_permissions=0700",
        *(argument for promise in PROMISES for argument in ("-c", promise)),
    ]
    # fmt: on
    with _log_to_write(place) as log:
        return subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=clean_environment() | _numbers_reused(place.data),
            start_new_session=True,  # so that Ctrl-C in a terminal is not for the server
            close_fds=True,
            pass_fds=(lock,),
            user=None if place.account is None else place.account.uid,
            group=None if place.account is None else place.account.gid,
            extra_groups=None if place.account is None else [],
        )


def outlives_us(server: subprocess.Popen[bytes]) -> None:
    """Lets go of a server that is up: it is meant to be there after this process."""
    _started.add(server.pid)
    server.returncode = 0  # else Python warns of a child left running


def _clear_the_way(place: Place) -> None:
    """Removes what a dead server left where PostgreSQL would stumble; called with the lock held.

    postmaster.pid itself stays whenever it makes sense: it names the shared memory by which PostgreSQL finds
    out whether a child of the dead server still writes, and PostgreSQL removes it after asking.
    """
    for leftover in (place.socket, place.socket.with_name(place.socket.name + ".lock")):
        leftover.unlink(missing_ok=True)
    if (written := read_pid_file(place.data)) is None:
        (place.data / "postmaster.pid").unlink(missing_ok=True)  # torn by a full disk or a power cut
    else:
        bury(written.pid)


def _numbers_reused(data: Path) -> dict[str, str]:
    """Tells PostgreSQL that the number in a stale postmaster.pid is not a server's.

    The number may by now be another process's, or a zombie's, and PostgreSQL would believe it. It does
    not count the number in this variable, made for pg_ctl to name itself: CreateLockFile in
    src/backend/utils/init/miscinit.c. Its other safeguards all stay in force.
    """
    written = read_pid_file(data)
    if written is None or is_postmaster(written.pid, data):
        return {}
    return {"PG_GRANDPARENT_PID": str(written.pid)}


def bury(pid: int) -> None:
    """Takes a dead server that was our child off the list of processes."""
    if pid in _started:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def signal_server(pid: int, data: Path, number: signal.Signals) -> None:
    """Signals the server of this data directory, and nobody else who may have got its number since."""
    if is_postmaster(pid, data):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until_gone(pid: int, data: Path, *, seconds: float) -> bool:
    """Whether the server ended in time."""
    deadline = time.monotonic() + seconds
    while is_postmaster(pid, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.003)
    bury(pid)
    return True


@contextmanager
def _log_to_write(place: Place) -> Iterator[int]:
    with suppress(FileNotFoundError):
        if place.log.lstat().st_size > LOG_BYTES_MAX:
            place.log.replace(place.log.with_name(place.log.name + ".1"))
    handle = _open_ours(place.log, os.O_WRONLY | os.O_APPEND, place)
    try:
        yield handle
    finally:
        os.close(handle)


def _open_ours(path: Path, how: int, place: Place) -> int:
    """Opens a file of the area, made if missing, with the area's owner even when root makes it.

    Links are not followed: the area may belong to somebody who is not root.
    """
    handle = os.open(path, how | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if place.account is not None:
        os.fchown(handle, place.account.uid, place.account.gid)
    return handle
