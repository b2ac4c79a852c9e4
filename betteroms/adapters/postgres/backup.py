"""Backups by pg_dump, and the words that bring one back."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from betteroms.adapters.postgres.bundled.binaries import program
from betteroms.adapters.postgres.bundled.faults import tail
from betteroms.domain.errors import DatabaseUnavailable

_SERVER_IS_NEWER = "server version mismatch"


def dump(conninfo: str, target: Path) -> int:
    """Writes the database to `target` in pg_dump's custom format, mode 0600; returns its size in bytes.

    Works on any server, by keywords or URL. The file appears whole or not at all; one that was there is
    replaced. The password goes to pg_dump by its environment, never by its arguments, which all may read.
    Raises DatabaseUnavailable when the server cannot be dumped or the file cannot be written.
    """
    # Here and not above: the driver takes 0.1 s to import, and only the text of the conninfo is parsed.
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    try:
        parameters = conninfo_to_dict(conninfo)
    except ProgrammingError as e:
        raise DatabaseUnavailable("the database address is no libpq connection string or URL") from e
    password = parameters.pop("password", None)
    try:
        return _dumped(make_conninfo("", **parameters), None if password is None else str(password), target)
    except OSError as e:
        raise DatabaseUnavailable(f"the backup {target} cannot be written: {e.strerror or e}") from e


def restore_command(target: Path) -> str:
    """The shell command by which a person puts a backup back; it replaces what the database holds."""
    restore = shlex.quote(str(program("pg_restore")))
    return (
        f"{restore} --clean --if-exists --no-owner --exit-on-error --single-transaction "
        f'--dbname="$(betteroms db url)" {shlex.quote(str(target))}'
    )


def _dumped(address: str, password: str | None, target: Path) -> int:
    if target.is_dir():
        raise DatabaseUnavailable(f"the backup {target} cannot be written: it is a directory")
    # mkstemp gives mode 0600, and pg_dump keeps it and forces the contents to the disk.
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        _pg_dump(address, password, unfinished)
        size = unfinished.stat().st_size
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return size


def _pg_dump(address: str, password: str | None, file: Path) -> None:
    pg_dump = program("pg_dump")
    # The user's own libpq settings (passfile, certificates) are passed on; this child is gone in a moment.
    environment = {**os.environ, "LC_ALL": "C"} | ({} if password is None else {"PGPASSWORD": password})
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [pg_dump, "--format=custom", "--no-password", f"--file={file}", f"--dbname={address}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        check=False,
    )
    if done.returncode == 0:
        return
    if _SERVER_IS_NEWER in done.stderr:
        raise DatabaseUnavailable(
            f"this server is newer than the bundled pg_dump, which cannot read it. Use the server's own: "
            f"pg_dump --format=custom --file=FILE --dbname=URL\n{tail(done.stderr)}"
        )
    raise DatabaseUnavailable(f"pg_dump could not make a backup\n{tail(done.stderr)}")
