"""A backup is whole, private, and can be put back."""

import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from betteroms.adapters.postgres.backup import dump, restore_command
from betteroms.adapters.postgres.bundled.binaries import program
from betteroms.adapters.postgres.embedded import EmbeddedServer
from betteroms.domain.errors import DatabaseUnavailable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    base = Path(tempfile.mkdtemp(prefix="boms"))
    base.chmod(0o755)
    server = EmbeddedServer(home=base / "home")
    with psycopg.connect(server.ensure_running(), autocommit=True) as session:
        session.execute("CREATE TABLE fills (id bigint PRIMARY KEY, price numeric(18,6) NOT NULL)")
        session.execute("INSERT INTO fills SELECT n, n / 1000000.0 FROM generate_series(1, 500) n")
        session.execute("CREATE DATABASE second")
    yield server
    server.stop()
    shutil.rmtree(base)


def test_what_was_dumped_comes_back_whole(server: EmbeddedServer, tmp_path: Path) -> None:
    target = tmp_path / "it's a backup"
    target.write_text("an older one")
    assert dump(server.conninfo(), target) == target.stat().st_size > 1_000
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]

    second = server.conninfo().replace("dbname=betteroms", "dbname=second")
    command = restore_command(target).replace("$(betteroms db url)", second)
    subprocess.run(["/bin/sh", "-c", command], check=True)
    subprocess.run(["/bin/sh", "-c", command], check=True)  # again, over what is there
    same = "SELECT count(*), sum(price), md5(string_agg(fills::text, ',' ORDER BY id)) FROM fills"
    with psycopg.connect(server.conninfo()) as ours, psycopg.connect(second) as theirs:
        assert ours.execute(same).fetchone() == theirs.execute(same).fetchone()


def test_a_url_is_as_good_as_keywords(server: EmbeddedServer, tmp_path: Path) -> None:
    assert dump(server.url(), tmp_path / "backup") > 1_000
    listing = subprocess.run(
        [program("pg_restore"), "--list", tmp_path / "backup"], capture_output=True, text=True, check=True
    )
    assert "TABLE DATA public fills betteroms" in listing.stdout


def test_a_dump_that_fails_leaves_the_older_file_and_tells_no_password(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    target.write_text("an older one")
    with pytest.raises(DatabaseUnavailable, match='database "absent" does not exist') as fault:
        dump(server.conninfo().replace("dbname=betteroms", "dbname=absent password=hush"), target)
    assert "hush" not in str(fault.value)
    assert target.read_text() == "an older one"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("target", [".", "no/such/directory/backup"])
def test_a_place_that_cannot_be_written_is_named(server: EmbeddedServer, tmp_path: Path, target: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be written"):
        dump(server.conninfo(), tmp_path / target)


def test_an_address_that_is_none_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="no libpq connection string") as fault:
        dump("password=hush host", tmp_path / "backup")
    assert "hush" not in str(fault.value)


def test_a_server_newer_than_our_pg_dump_is_named_as_such(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet_as_version_99, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(DatabaseUnavailable, match="newer than the bundled pg_dump"):
            dump(
                f"host=127.0.0.1 port={port} user=u dbname=d sslmode=disable gssencmode=disable",
                tmp_path / "b",
            )
    assert list(tmp_path.iterdir()) == []


def _greet_as_version_99(listener: socket.socket) -> None:
    """Only the greeting of a server of the year 2100: welcome, its version, and an empty answer."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + (len(body) + 4).to_bytes(4) + body

    idle = message(b"Z", b"I")
    with listener.accept()[0] as line:
        line.recv(8_192)
        line.sendall(message(b"R", bytes(4)) + message(b"S", b"server_version\x0099.0\0") + idle)
        while line.recv(8_192)[:1] == b"Q":
            column = b"c\0" + bytes(6) + (25).to_bytes(4) + b"\xff\xff" + b"\xff" * 4 + bytes(2)
            row = message(b"D", (1).to_bytes(2) + (0).to_bytes(4))
            line.sendall(message(b"T", (1).to_bytes(2) + column) + row + message(b"C", b"SELECT 1\0") + idle)
