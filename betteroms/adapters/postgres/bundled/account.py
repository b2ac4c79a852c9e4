"""The unprivileged account that runs PostgreSQL when we are root, and where that account may go."""

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from betteroms.adapters.postgres.bundled.faults import EmbeddedServerError

# PostgreSQL refuses to run as root. These exist already where they exist: no account is ever created.
ACCOUNTS = ("postgres", "nobody")

ENTER = 0o1
READ_AND_ENTER = 0o5


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user and its group, by number."""

    uid: int
    gid: int


def is_root() -> bool:
    """Whether this process runs as root; never on Windows."""
    if sys.platform == "win32":
        return False
    return os.geteuid() == 0


def own_uid() -> int:
    """The user this process acts as; 0 on Windows, where files have no such number."""
    if sys.platform == "win32":
        return 0
    return os.geteuid()


def account_for(area: Path) -> Account | None:
    """Who runs the server of this area when we are root; None means: we ourselves.

    An area that exists keeps its owner, so data made by an ordinary user stays theirs under sudo, and
    an account that is installed later does not lock the server out of its own files.
    """
    if sys.platform == "win32" or not is_root():
        return None
    if area.exists() and (owned := area.stat()).st_uid != 0:
        return Account(uid=owned.st_uid, gid=owned.st_gid)
    import pwd

    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as root, and this system has neither a user 'postgres' nor 'nobody'. "
        "Run as another user, or set DATABASE_URL to a server of your own."
    )


def may(account: Account, path: Path, rights: int) -> bool:
    """Whether the mode bits of a path give the account these rights (0o1 enter, 0o4 read)."""
    found = path.stat()
    if found.st_uid == account.uid:
        granted = stat.S_IMODE(found.st_mode) >> 6
    elif found.st_gid == account.gid:
        granted = stat.S_IMODE(found.st_mode) >> 3
    else:
        granted = stat.S_IMODE(found.st_mode)
    return granted & rights == rights


def blocked_at(path: Path, account: Account) -> Path | None:
    """The first directory above `path` that the account may not enter; those yet to be made do not count."""
    for parent in reversed(path.resolve().parents):
        if not parent.exists():
            return None
        if not may(account, parent, ENTER):
            return parent
    return None
