"""The log files of a home: JSON lines that several processes write, their rotation, and reading them back."""

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from betteroms.domain.ids import OrderId, RunId
from betteroms.domain.secret import Secret
from betteroms.ports import Clock

JOURNAL: Final = "betteroms.jsonl"
CRON_LOG: Final = "cron.log"
LOCK: Final = ".lock"
FILE_BYTES_MAX: Final = 5 * 2**20
FILES_KEPT: Final = 5
"""So many full files stay beside the one that is written, `.1` the youngest."""
CRON_LOG_BYTES_MAX: Final = 2**20
HELD_LINES_MAX: Final = 100
"""So many lines about orders are written together."""
LOCK_SECONDS_MAX: Final = 1.0
"""After so long a line is written without the lock: no process that hangs may make another one hang."""
MASKED_LENGTH_MIN: Final = 6
"""What is shorter than this is a word that lines are full of, and no secret."""
MASK: Final = "***"
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def log_directory(home: Path) -> Path:
    """Where the logs of a home are."""
    return home / "logs"


def make_directory(home: Path) -> None:
    """Make the place for logs, closed to others."""
    # Root's new home follows the umask, so that the account of the bundled database can enter it.
    is_root = sys.platform != "win32" and os.geteuid() == 0
    home.mkdir(mode=0o777 if is_root else 0o700, parents=True, exist_ok=True)
    log_directory(home).mkdir(mode=0o700, exist_ok=True)


class JournalFile:
    """Keeps the promise of `ports.Journal` with a file of JSON lines.

    A line about an order is held until another one comes that is not, or `HELD_LINES_MAX` are held, or
    `flush`; all others are written at once. What is held when the process is killed is lost: the books are
    in the database, the log is for reading.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        secrets: Collection[str] = (),
        complain: Callable[[str], None],
        echo: Callable[[Mapping[str, Any]], None] | None = None,
        bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self._directory = directory
        self._clock = clock
        # The longest first: one secret may hold another.
        self._secrets = sorted({s for s in secrets if len(s) >= MASKED_LENGTH_MIN}, key=len, reverse=True)
        self._complain = complain
        self._echo = echo
        self._bytes_max = bytes_max
        self._held: list[str] = []
        self._silent = False

    def note(
        self,
        event: str,
        /,
        *,
        level: str = "info",
        run_id: RunId | None = None,
        order_id: OrderId | None = None,
        **facts: str | int | None,
    ) -> None:
        """Write one line; names of facts become `camelCase`, those that are None are left out."""
        at = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row: dict[str, Any] = {"at": at, "level": level, "event": event}
        for name, value in (("run_id", run_id), ("order_id", order_id), *facts.items()):
            if value is not None:
                row[_camel(name)] = self._masked(value)
        if self._echo is not None:
            self._echo(row)
        self._held.append(_ENCODE(row))
        if order_id is None or len(self._held) >= HELD_LINES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what is held; a fault is told once, and then there are no more lines."""
        if not self._held or self._silent:
            self._held.clear()
            return
        lines = "".join(f"{line}\n" for line in self._held).encode()
        self._held.clear()
        try:
            self._write(lines)
        except OSError as fault:
            self._silent = True
            self._complain(f"the log in {self._directory} cannot be written: {fault.strerror or fault}")

    def bound_cron_log(self) -> None:
        """Put what cron's lines have said aside once it is long; of two such files the older one goes."""
        path = self._directory / CRON_LOG
        with suppress(OSError):
            if path.stat().st_size > CRON_LOG_BYTES_MAX:
                path.replace(path.with_name(f"{CRON_LOG}.1"))

    def _masked(self, value: object) -> object:
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
        return value

    def _write(self, lines: bytes) -> None:
        make_directory(self._directory.parent)
        with _locked(self._directory) as alone:
            path = self._directory / JOURNAL
            if alone and _size(path) and _size(path) + len(lines) > self._bytes_max:
                _rotate(path)
            # Opened for each write: another process may have put the last file aside.
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _append(handle, lines, alone=alone)
            finally:
                os.close(handle)


def _append(handle: int, lines: bytes, *, alone: bool) -> None:
    """Write all of it or nothing: half a line would spoil the next one, too."""
    size = os.fstat(handle).st_size
    if size and _last_byte(handle, size) != b"\n":
        lines = b"\n" + lines
    if os.write(handle, lines) < len(lines):
        if alone:
            os.ftruncate(handle, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _rotate(path: Path) -> None:
    for number in range(FILES_KEPT - 1, 0, -1):
        with suppress(FileNotFoundError):
            _aside(path, number).replace(_aside(path, number + 1))
    with suppress(FileNotFoundError):
        path.replace(_aside(path, 1))


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


@contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Keeps other writers out; False where one of them does not let go."""
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _taken(handle)
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    until = time.monotonic() + LOCK_SECONDS_MAX
    while True:
        try:
            _lock(handle)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.002)
        else:
            return True


def read(directory: Path) -> Iterator[dict[str, Any] | None]:
    """Every line there is, the oldest first; None for one that is none of ours."""
    path = directory / JOURNAL
    for file in [*(_aside(path, number) for number in range(FILES_KEPT, 0, -1)), path]:
        try:
            body = file.read_bytes()
        except FileNotFoundError:
            continue
        for line in body.splitlines():
            yield _row(line)


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    known = isinstance(row, dict) and all(isinstance(row.get(name), str) for name in ("at", "level", "event"))
    return row if known else None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
