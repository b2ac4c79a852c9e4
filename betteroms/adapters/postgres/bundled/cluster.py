"""Making a new database cluster, whole or not at all."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from betteroms.adapters.postgres.bundled.account import Account
from betteroms.adapters.postgres.bundled.binaries import MAJOR, program_for
from betteroms.adapters.postgres.bundled.faults import EmbeddedServerError, explained

ROLE = "betteroms"
DATABASE = "betteroms"

CREATE_SECONDS_MAX = 120

# Written to postgresql.conf at creation, where the owner may change them.
_SETTINGS = (
    "max_connections=20",  # one person's commands and cron jobs
    "shared_buffers=128MB",
    "max_wal_size=512MB",  # bounds what a recovery has to read
    "jit=off",  # compiling costs more than our queries take
    "io_method=sync",  # no extra processes for reads of a small database
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    "log_min_error_statement=panic",  # the log keeps the error, not the statement with its data
)

# Laid on at every start, above every file: what was promised about durability and about who can connect.
PROMISES = (
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "logging_collector=off",  # the log is the file that we open and bound
)

# What a child may know of our environment. Everything else stays out: the server outlives the command, and
# the environment may hold the key of a wallet.
_HANDED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")


def clean_environment() -> dict[str, str]:
    """The environment of every PostgreSQL process: no locale, PG* variable or secret of the caller."""
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return handed_on | {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


def is_made(data: Path) -> bool:
    """Whether the cluster is there; raises EmbeddedServerError when it is one that we cannot open."""
    version = data / "PG_VERSION"
    if not version.exists():
        if data.exists() and any(data.iterdir()):
            raise EmbeddedServerError(f"{data} is no PostgreSQL data directory: move it away")
        return False
    if (major := version.read_text().strip()) != MAJOR:
        raise EmbeddedServerError(
            f"{data} was made by PostgreSQL {major}, and the bundled server is {MAJOR}. Install the "
            f"betteroms that made it, make a backup with that, and restore it into a new BETTEROMS_HOME."
        )
    return True


def create_cluster(
    data: Path, *, authentication: Sequence[str], account: Account | None, lock: int | None
) -> None:
    """Makes `data` with our role and our empty database in it.

    `authentication` is initdb's arguments about who may connect. `lock` is a descriptor that the children
    hold too, so that nobody begins anew while a child of a killed command still writes.

    Everything happens in a directory beside, without fsync; then initdb forces all of it to the disk, and
    only then does it get its name. So a power cut at any moment leaves either no cluster or a whole one,
    and it costs one pass of fsync instead of three.
    """
    unfinished = data.with_name("data.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    initdb = program_for("initdb", account=account)
    postgres = program_for("postgres", account=account)
    child = _Child(account=account, lock=lock)
    settings = [argument for setting in _SETTINGS for argument in ("-c", setting)]
    # fmt: off
    child.run([
        initdb, "-D", unfinished, "--username", ROLE, "--encoding=UTF8", "--locale=C",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
        "--no-sync", "--no-instructions", *authentication, *settings,
    ])
    child.run(
        [postgres, "--single", "-F", "-j", "-c", "exit_on_error=true", "-D", unfinished, "template1"],
        says=f"CREATE DATABASE {DATABASE} OWNER {ROLE} STRATEGY file_copy;\n\n",
    )
    child.run([initdb, "-D", unfinished, "--sync-only"])
    # fmt: on
    unfinished.rename(data)
    _force_names_to_disk(data.parent)


class _Child:
    """How the programs of a creation are run: as whom, and holding what."""

    def __init__(self, *, account: Account | None, lock: int | None) -> None:
        self._uid = None if account is None else account.uid
        self._gid = None if account is None else account.gid
        self._groups: list[int] | None = None if account is None else []
        self._handed_on = () if lock is None or sys.platform == "win32" else (lock,)

    def run(self, command: Sequence[str | Path], *, says: str = "") -> None:
        """Runs to the end; raises EmbeddedServerError with the program's words when it fails."""
        name = Path(command[0]).name
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments, no shell
                command,
                input=says,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=CREATE_SECONDS_MAX,
                check=False,
                cwd=Path(command[0]).anchor,  # every account may be there
                env=clean_environment(),
                user=self._uid,
                group=self._gid,
                extra_groups=self._groups,
                pass_fds=self._handed_on,
            )
        except subprocess.TimeoutExpired as e:
            raise EmbeddedServerError(f"{name} did not finish within {CREATE_SECONDS_MAX} s") from e
        if done.returncode != 0:
            steps = [line for line in done.stdout.splitlines() if line and not line.endswith("... ok")]
            raise explained("the database could not be created", "\n".join(steps))


def _force_names_to_disk(directory: Path) -> None:
    if sys.platform != "win32":  # directories cannot be opened there
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
