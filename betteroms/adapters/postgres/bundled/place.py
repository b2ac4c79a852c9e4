"""Where the files and the socket of one bundled server are."""

import hashlib
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from betteroms.adapters.postgres.bundled.account import Account, account_for, blocked_at, is_root, own_uid
from betteroms.adapters.postgres.bundled.binaries import SYSTEM_AREA, own_system_area
from betteroms.adapters.postgres.bundled.faults import INSTEAD, EmbeddedServerError, files_explained

ENTRY = "postgres"
PORT = 5432  # part of the socket's file name; nothing listens on TCP
SOCKET_NAME = f".s.PGSQL.{PORT}"

# sizeof(sun_path) less the closing zero: man 7 unix (Linux), man 4 unix (macOS and the BSDs).
SOCKET_PATH_MAX = 107 if sys.platform == "linux" else 103

# libpq and the server both read a list here, and a quote opens a quoted name.
_BREAKS_A_LIST = frozenset(',"\n')

# Not tempfile.gettempdir() and not XDG_RUNTIME_DIR: both differ between a login shell and cron, which must
# meet at the same socket; and systemd removes the runtime directory at logout while the server runs on.
_SHORT = Path("/tmp")  # noqa: S108 - made 0700, and its owner is checked before anything connects


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One server's area on disk, and who runs it (None: this very user)."""

    area: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.area / "data"

    @property
    def log(self) -> Path:
        return self.area / "server.log"

    @property
    def lock(self) -> Path:
        return self.area / "lock"

    @property
    def server_uid(self) -> int:
        return own_uid() if self.account is None else self.account.uid

    @property
    def socket_dir(self) -> Path:
        inside = self.area / "run"
        if _fits(inside / SOCKET_NAME):
            return inside
        return _SHORT / f"betteroms-{self.server_uid}-{_digest(self.area)}"

    @property
    def socket(self) -> Path:
        return self.socket_dir / SOCKET_NAME


def locate(home: Path) -> Place:
    """Where the server of this home is, or will be; looks only.

    Raises EmbeddedServerError when the link to a place elsewhere leads nowhere: an empty database must
    never silently take the place of one that is only not mounted.
    """
    with files_explained():
        entry = home / ENTRY
        if entry.is_symlink() and not entry.exists():
            raise EmbeddedServerError(
                f"{entry} leads to {entry.readlink()}, which is gone. Bring it back (a volume that is not "
                f"mounted?), or remove {entry} to begin with an empty database."
            )
        area = entry.resolve()
        account = account_for(area)
        if account is not None and not entry.exists() and blocked_at(area, account) is not None:
            area = SYSTEM_AREA / _digest(home.resolve())
            account = account_for(area)
        return Place(area=area, account=account)


def prepare(home: Path) -> Place:
    """Makes what directories are missing, and returns the place. Changes nothing that is not ours.

    Raises EmbeddedServerError when a directory cannot be made, belongs to someone else, or cannot be
    entered by the account that is to run the server.
    """
    with files_explained():
        # Root's new home follows the umask, so that the account can usually enter it.
        home.mkdir(mode=0o777 if is_root() else 0o700, parents=True, exist_ok=True)
        place = locate(home)
        if place.area.parent == SYSTEM_AREA:
            own_system_area()
        _make_private(place.area, place)
        if place.account is not None and (wall := blocked_at(place.data, place.account)) is not None:
            raise EmbeddedServerError(
                f"as root the server runs as user {place.account.uid}, who may not enter {wall}. {INSTEAD}"
            )
        if sys.platform != "win32":
            _make_private(place.socket_dir, place)
        if place.area != (home / ENTRY).resolve():
            with suppress(FileExistsError):
                (home / ENTRY).symlink_to(place.area)
        return place


def trusted(place: Place) -> bool:
    """Whether the socket's directory is there and ours alone; False when it is not there.

    Raises EmbeddedServerError when it is there and others could reach into it.
    """
    try:
        found = place.socket_dir.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    private = stat.S_ISDIR(found.st_mode) and found.st_mode & 0o077 == 0
    if not private or found.st_uid != place.server_uid:
        raise EmbeddedServerError(
            f"{place.socket_dir} must be a directory of user {place.server_uid} with mode 0700. {INSTEAD}"
        )
    return True


def _make_private(path: Path, place: Place) -> None:
    try:
        path.mkdir(mode=0o700)
        ours = True
    except FileExistsError:
        ours = path == place.area and _is_a_fresh_volume(path)
    if ours and place.account is not None and sys.platform != "win32":
        os.chown(path, place.account.uid, place.account.gid, follow_symlinks=False)
        path.chmod(0o700)
    if (owner := path.lstat().st_uid) != place.server_uid:
        raise EmbeddedServerError(
            f"{path} belongs to user {owner} and not to {place.server_uid}, who is to run the server. "
            f"Run as its owner, or give it to user {place.server_uid}. {INSTEAD}"
        )


def _is_a_fresh_volume(path: Path) -> bool:
    """Whether this is an empty directory of root's, as a container makes for a volume: it is meant for us."""
    found = path.lstat()
    return (
        is_root()
        and found.st_uid == 0
        and stat.S_ISDIR(found.st_mode)
        and all(entry.name == "lost+found" for entry in path.iterdir())
    )


def _fits(socket: Path) -> bool:
    try:
        text = str(socket).encode()
    except UnicodeEncodeError:  # a name that is no UTF-8 cannot be written in a URL
        return False
    return len(text) <= SOCKET_PATH_MAX and not _BREAKS_A_LIST & set(str(socket))


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
