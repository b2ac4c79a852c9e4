"""Bad days of the database: down, gone, refusing, full. Each has its exit code and words; nothing is lost."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.simulation import worlds
from tests.simulation.conftest import OwnServer
from tests.simulation.killing import (
    ALREADY_RUN,
    CARRIED_OUT,
    DATABASE,
    Told,
    Victim,
    find,
    harmed,
    traded,
)
from tests.simulation.pgproxy import At, Fault, Message, error_response, packed, split
from tests.simulation.stage import inspect
from tests.simulation.worlds import Act

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets and signals of unix")

PASSWORD = "hunter2-and-more"  # of a role that exists for one test
DISK_FULL = "53100"
STARVE = """
import os, resource, sys
backend, uid, gid = map(int, sys.argv[1:])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
resource.prlimit(backend, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
"""
"""Lets no file of a process grow beyond a byte; only its own account may do that."""
LARGE = 2_200
BEFORE, AFTER = False, True


def assert_says_database(told: Told, *words: str) -> None:
    """Exit code 9, one message on stderr, nothing on stdout, and no password anywhere."""
    assert (told.code, told.out) == (DATABASE, ""), told
    assert PASSWORD not in told.err
    error = json.loads(told.err)["error"]
    assert (error["code"], error["exitCode"]) == ("DATABASE_UNAVAILABLE", DATABASE)
    for word in words:
        assert word in error["message"]


@pytest.fixture(scope="module")
def peace(own_server: OwnServer, evening: Act, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The state digest of the evening alone, on a good day."""
    with own_server.database() as url:
        assert traded(evening, url, tmp_path_factory.mktemp("peace") / "home").code in CARRIED_OUT
        complaints, digest = inspect(url)
    assert complaints == []
    return digest


@pytest.fixture(scope="module")
def said(own_server: OwnServer, evening: Act, tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    home = tmp_path_factory.mktemp("said") / "home"
    with own_server.database() as url:
        return harmed(evening, url, home, lambda _: Fault()).log


def recovers(act: Act, url: str, home: Path, digest: str, *, code: tuple[int, ...] = CARRIED_OUT) -> None:
    """The same command again ends as it should, and the state is that of a good day."""
    assert traded(act, url, home).code in code
    assert inspect(url) == ([], digest)


def test_nobody_listens(evening: Act, home_directory: Path) -> None:
    url = f"postgresql://trader:{PASSWORD}@127.0.0.1:1/betteroms"
    assert_says_database(traded(evening, url, home_directory), "cannot connect to the database", "refused")


def test_there_is_no_such_socket(evening: Act, home_directory: Path, tmp_path: Path) -> None:
    url = f"postgresql://trader:{PASSWORD}@/betteroms?host={tmp_path}"
    assert_says_database(traded(evening, url, home_directory), "cannot connect to the database")


def test_there_is_no_such_database(own_server: OwnServer, evening: Act, home_directory: Path) -> None:
    url = own_server.url("never_made")
    own_server.server.ensure_running()
    assert_says_database(traded(evening, url, home_directory), 'database "never_made" does not exist')


def test_the_password_is_wrong(own_url: str, evening: Act, home_directory: Path) -> None:
    with psycopg.connect(own_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD[::-1]}'")
        row = connection.execute("SHOW hba_file").fetchone()
        assert row is not None
        rules = Path(row[0])
        before = rules.read_text(encoding="utf-8")
        rules.write_text(f"local all guest scram-sha-256\n{before}", encoding="utf-8")
        try:
            connection.execute("SELECT pg_reload_conf()")
            wrong = own_url.replace("betteroms@", f"guest:{PASSWORD}@", 1)
            _until_refused(wrong)
            assert_says_database(traded(evening, wrong, home_directory), "password authentication failed")
        finally:
            rules.write_text(before, encoding="utf-8")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("DROP ROLE guest")


def _until_refused(url: str) -> None:
    """Rules that were reloaded are in force a moment later."""
    for _ in range(1_000):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return
    pytest.fail("the server does not ask for a password")


@pytest.mark.parametrize(
    ("kind", "text", "nth", "after"),
    [
        ("P", "SELECT status, content_hash", 1, BEFORE),
        ("Q", "COMMIT", 1, AFTER),
        ("d", "COPY orders", 1, BEFORE),
        ("c", "COPY executions", 1, AFTER),
        ("Q", "COMMIT", -1, BEFORE),
    ],
    ids=["locked", "opened", "copying", "copied", "committing"],
)
def test_the_server_is_restarted_in_the_middle(
    own_server: OwnServer,
    own_url: str,
    evening: Act,
    home_directory: Path,
    peace: str,
    said: list[Message],
    kind: str,
    text: str,
    nth: int,
    after: bool,
) -> None:
    number = find(said, text, kind=kind, nth=nth)

    def fault(_: Victim) -> Fault:
        return At(number, after, own_server.server.stop, cut=False)

    harm = harmed(evening, own_url, home_directory, fault)
    assert not own_server.server.is_running()
    assert_says_database(harm.told, "database")
    assert_says_database(traded(evening, own_url, home_directory), "cannot connect to the database")
    own_server.server.ensure_running()
    recovers(evening, own_url, home_directory, peace)


@pytest.mark.parametrize("after", [BEFORE, AFTER], ids=["before the commit", "after the commit"])
def test_the_server_crashes_at_the_commit(
    own_server: OwnServer,
    own_url: str,
    evening: Act,
    home_directory: Path,
    peace: str,
    said: list[Message],
    after: bool,
) -> None:
    def crash() -> None:
        pid = own_server.server.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    number = find(said, "COMMIT", nth=-1)
    harm = harmed(evening, own_url, home_directory, lambda _: At(number, after, crash))
    assert_says_database(harm.told, "database")
    own_server.server.ensure_running()
    # What the server has confirmed it still knows after a crash; what it has not it has forgotten whole.
    recovers(evening, own_url, home_directory, peace, code=(ALREADY_RUN,) if after else CARRIED_OUT)


@dataclass
class DiskFull(Fault):
    """The server's disk is full when it ends one COPY: a real failed transaction, told as the server would.

    The COPY is broken off by the protocol's own CopyFail, so that the server rolls back for good; only the
    words of its answer are put in its mouth.
    """

    number: int
    struck: bool = field(default=False, init=False)

    def before(self, message: Message) -> bytes | None:
        return packed(b"f", b"no space\0") if message.number == self.number else message.raw

    def answered(self, message: Message, answer: bytes) -> bytes | None:
        if message.number != self.number:
            return answer
        self.struck = True
        refusal = error_response(DISK_FULL, 'could not extend file "base/1/2": No space left on device')
        parts = list(split(bytearray(answer)))
        return b"".join(refusal if part.startswith(b"E") else part for part in parts)


@pytest.mark.parametrize("table", ["orders", "executions", "audit_logs", "liquidity_taken"])
def test_the_disk_is_full_when_a_table_is_written(
    own_url: str, evening: Act, home_directory: Path, peace: str, said: list[Message], table: str
) -> None:
    fault = DiskFull(find(said, f"COPY {table}", kind="c", nth=-1))
    harm = harmed(evening, own_url, home_directory, lambda _: fault)
    assert fault.struck
    assert_says_database(harm.told, "No space left on device")
    assert _row(own_url, "SELECT status, error_message FROM runs") == (
        "failed",
        'the database failed: could not extend file "base/1/2": No space left on device',
    )
    assert _row(own_url, "SELECT count(*) FROM orders") == (0,)
    assert inspect(own_url)[0] == []
    recovers(evening, own_url, home_directory, peace)


def test_the_disk_is_full_while_a_large_run_is_written_in_the_background(
    own_url: str, own_server: OwnServer, home_directory: Path, tmp_path: Path
) -> None:
    act = worlds.many(tmp_path, LARGE, plan_id="large")
    with own_server.database() as url:
        rehearsal = harmed(act, url, home_directory, lambda _: Fault())
        _, digest = inspect(url)
    fault = DiskFull(find(rehearsal.log, "COPY executions", kind="c"))
    harm = harmed(act, own_url, home_directory, lambda _: fault)
    assert fault.struck
    assert_says_database(harm.told, "No space left on device")
    assert _row(own_url, "SELECT status FROM runs") == ("failed",)
    recovers(act, own_url, home_directory, digest)


class CommitRefused(Fault):
    """The server cannot make the last transaction durable: it rolls back and says so."""

    def __init__(self, number: int) -> None:
        self._number = number

    def before(self, message: Message) -> bytes | None:
        return packed(b"Q", b"ROLLBACK\0") if message.number == self._number else message.raw

    def answered(self, message: Message, answer: bytes) -> bytes | None:
        if message.number != self._number:
            return answer
        return error_response(DISK_FULL, "could not write to log file: No space left") + packed(b"Z", b"I")


def test_the_disk_is_full_when_the_run_is_committed(
    own_url: str, evening: Act, home_directory: Path, peace: str, said: list[Message]
) -> None:
    number = find(said, "COMMIT", nth=-1)
    harm = harmed(evening, own_url, home_directory, lambda _: CommitRefused(number))
    assert_says_database(harm.told, "could not write to log file")
    assert _row(own_url, "SELECT status FROM runs") == ("failed",)
    assert _row(own_url, "SELECT count(*) FROM orders") == (0,)
    assert inspect(own_url)[0] == []
    recovers(evening, own_url, home_directory, peace)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the files of another process")
def test_a_file_of_the_server_cannot_grow(
    own_server: OwnServer,
    own_url: str,
    evening: Act,
    home_directory: Path,
    peace: str,
    said: list[Message],
) -> None:
    """No play-acting: the server process that serves us may not make any file larger."""
    number = find(said, "COPY orders")

    class Starved(Fault):
        def before(self, message: Message) -> bytes | None:
            if message.number == number:
                assert message.backend is not None
                owner = Path(f"/proc/{message.backend}").stat()
                script = [sys.executable, "-c", STARVE, str(message.backend)]
                subprocess.run([*script, str(owner.st_uid), str(owner.st_gid)], check=True)
            return message.raw

    harm = harmed(evening, own_url, home_directory, lambda _: Starved())
    assert_says_database(harm.told, "could not extend file", "File too large")
    own_server.server.ensure_running()
    assert inspect(own_url)[0] == []
    recovers(evening, own_url, home_directory, peace)


def _row(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()
