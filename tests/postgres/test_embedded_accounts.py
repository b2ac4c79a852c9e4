"""Who runs the bundled server: an ordinary user, root, and the way of Windows."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from betteroms.adapters.postgres.bundled.binaries import SYSTEM_AREA, program
from betteroms.adapters.postgres.embedded import EmbeddedServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets and accounts")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server to another account")
NOBODY = 65_534

START = """
import sys
from pathlib import Path
from betteroms.adapters.postgres.embedded import EmbeddedServer
server = EmbeddedServer(home=Path(sys.argv[1]))
server.ensure_running()
print(server.status().pid)
"""

MakeServer = Callable[..., EmbeddedServer]
Spawn = Callable[..., "subprocess.Popen[str]"]


def said(process: "subprocess.Popen[str]") -> str:
    out, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return out.strip()


# Everything is imported before the rights are dropped: the account may be unable to read our environment.
AS_ORDINARY_USER = f"""
import encodings.idna, os, signal, subprocess, sys
from pathlib import Path
import psycopg
from betteroms.adapters.postgres.backup import dump
from betteroms.adapters.postgres.bundled.tcp_server import TcpServer
from betteroms.adapters.postgres.embedded import EmbeddedServer, EmbeddedServerError
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
home = Path(sys.argv[1])
"""


@pytest.fixture
def ordinary_home() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="boms"))
    if os.geteuid() == 0:
        os.chown(base, NOBODY, NOBODY)
    yield base
    shutil.rmtree(base)


def test_an_ordinary_user_needs_nothing_but_their_home(ordinary_home: Path, spawn: Spawn) -> None:
    script = """
server = EmbeddedServer(home=home / "share" / "betteroms")
with psycopg.connect(server.ensure_running(), autocommit=True) as session:
    session.execute("CREATE TABLE kept AS SELECT 7 AS n")
os.kill(server.status().pid, signal.SIGKILL)
with psycopg.connect(server.ensure_running()) as session:
    print(session.execute("SELECT n, current_user FROM kept").fetchone())
made = (server.home, *server.home.glob("*"), *server.home.glob("*/data"))
print({oct(path.stat().st_mode & 0o777) for path in made})
print(server.stop(), server.is_running())
"""
    told = said(spawn(AS_ORDINARY_USER + script, ordinary_home)).splitlines()
    assert told == ["(7, 'betteroms')", "{'0o700'}", "True False"]


def test_a_home_that_may_not_be_written_is_refused_with_a_sentence(ordinary_home: Path, spawn: Spawn) -> None:
    script = """
home.chmod(0o500)
try:
    EmbeddedServer(home=home / "betteroms").ensure_running()
except EmbeddedServerError as e:
    print(e)
"""
    told = said(spawn(AS_ORDINARY_USER + script, ordinary_home))
    assert told.startswith(f"{ordinary_home}/betteroms: Permission denied. Set BETTEROMS_HOME")


def test_the_way_of_windows_works_with_a_password_over_loopback(ordinary_home: Path, spawn: Spawn) -> None:
    """The code that runs there is portable but for its lock; a second home gets a port of its own."""
    script = """
server = TcpServer(home=home)
server.ensure_running()
before = server.pid()
server.ensure_running()
try:
    with psycopg.connect(server.conninfo(), autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT 7 AS n")
        print(session.execute("SELECT current_setting('password_encryption')").fetchone())
    try:
        psycopg.connect(server.conninfo() + " password=guess")
    except psycopg.OperationalError as e:
        print("password authentication failed" in str(e))
    print(server.pid() == before, dump(server.url(), home / "backup") > 0)
    print(server.stop(), server.stop(), server.is_running())
    server.ensure_running()
    with psycopg.connect(server.url()) as session:
        print(session.execute("SELECT n FROM kept").fetchone())
    print((home / "postgres" / "password").stat().st_mode & 0o777 == 0o600)
finally:
    server.stop()
"""
    told = said(spawn(AS_ORDINARY_USER + script, ordinary_home)).splitlines()
    assert told == ["('scram-sha-256',)", "True", "True True", "True False False", "(7,)", "True"]


@as_root
def test_root_opens_up_no_directory_and_leaves_a_link_where_the_data_is(make_server: MakeServer) -> None:
    server = make_server()
    base = server.home.parent
    base.chmod(0o700)
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in (base, *base.parents)]
    said_before = server.conninfo()
    server.ensure_running()
    area = (server.home / "postgres").resolve()
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in (base, *base.parents)] == before
    assert said_before == server.conninfo()
    assert (area.parent, stat.S_IMODE(area.stat().st_mode)) == (SYSTEM_AREA, 0o700)
    with psycopg.connect(server.conninfo()) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


@as_root
def test_root_copies_programs_that_the_account_cannot_reach(make_server: MakeServer, spawn: Spawn) -> None:
    server = make_server()
    hidden = Path(tempfile.mkdtemp(prefix="boms", dir=server.home.parent))
    package = program("postgres").parents[2]
    unneeded = shutil.ignore_patterns("*.py", "*.a", "include", "pginstall")
    shutil.copytree(package, hidden / package.name, ignore=unneeded)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, hidden / libraries.name)
    (hidden / package.name / "__init__.py").write_text("")
    pid = said(spawn(START, server.home, path=hidden))
    executable = Path(f"/proc/{pid}/exe").resolve()
    copy = executable.parents[3]
    try:
        assert (copy.parent, executable.name) == (SYSTEM_AREA, "postgres")
        assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    finally:
        server.stop()
        shutil.rmtree(copy)


@as_root
def test_root_runs_the_server_of_an_ordinary_user_as_that_user(ordinary_home: Path, spawn: Spawn) -> None:
    start = 'print(EmbeddedServer(home=home / "oms").ensure_running())'
    stop = 'print(EmbeddedServer(home=home / "oms").stop())'
    conninfo = said(spawn(AS_ORDINARY_USER + start, ordinary_home))
    server = EmbeddedServer(home=ordinary_home / "oms")
    assert server.stop() is True
    assert server.ensure_running() == conninfo
    assert said(spawn(AS_ORDINARY_USER + start + "\n" + stop, ordinary_home)) == f"{conninfo}\nTrue"
    assert said(spawn(AS_ORDINARY_USER + start + "\n" + stop, ordinary_home)) == f"{conninfo}\nTrue"
