"""`db` and `schema`: the database wherever it is, and the formats of files."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.worlds import instruction

VERBS = ("start", "stop", "status", "url", "upgrade")


def test_the_bundled_server_from_nothing_to_stopped(
    cli: Callable[..., Ran], own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("BETTEROMS_HOME", str(own_home))
    assert cli("db", "stop").out == "it was not running\n"
    before = cli("db", "status", "--json").document["result"]
    assert (before["server"], before["running"]) == ("bundled", False)
    assert "no; the next command that needs it starts it" in cli("db", "status").out
    assert cli("db", "start").out == "started\n"
    assert cli("db", "start").out == "it was running already\n"
    with psycopg.connect(cli("db", "url").out.strip()) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("betteroms",)
    assert cli("db", "status", "--json").document["result"]["schemaState"] == "empty"
    assert cli("db", "upgrade").out.startswith("migrated: schema empty -> ")
    assert cli("db", "upgrade").out == "nothing to do: the schema is up to date\n"
    after = cli("db", "status", "--json").document["result"]
    assert (after["running"], after["schemaState"]) == (True, "current")
    assert after["pid"] > 0
    told = cli("db", "status").out
    assert f"data       {after['dataDirectory']}\n" in told
    assert cli("db", "stop", "--json").document["result"] == {"stopped": True}


def test_a_server_of_ones_own_is_told_of_and_left_alone(cli: Callable[..., Ran], database_url: str) -> None:
    assert cli("db", "url").out == f"{database_url}\n"
    for verb in ("start", "stop"):
        ran = cli("db", verb)
        told = "DATABASE_URL names the server; it is not ours to start or stop"
        assert (ran.code, ran.out, ran.err) == (0, f"{told}\n", "")
        assert cli("db", verb, "--json").document["result"]["reason"] == told
    status = cli("db", "status", "--json").document["result"]
    assert (status["server"], status["running"], status["schemaState"]) == ("DATABASE_URL", True, "current")
    assert "dataDirectory" not in status


def test_a_backup_is_written_whole_and_says_how_it_comes_back(
    cli: Callable[..., Ran], traded: Callable[..., Ran], tmp_path: Path
) -> None:
    traded(instruction())
    target = tmp_path / "mine.dump"
    ran = cli("db", "backup", str(target))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{target}: {target.stat().st_size:,} bytes\nto put it back")
    assert "--clean --if-exists" in ran.out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes()[:5] == b"PGDMP"


def test_a_backup_that_cannot_be_written_is_told(cli: Callable[..., Ran]) -> None:
    ran = cli("db", "backup", "no/such/place.dump")
    assert (ran.code, ran.out) == (9, "")
    assert "no/such/place.dump cannot be written: No such file or directory" in ran.err


def test_a_newer_schema_is_refused_by_every_command_that_needs_it(
    cli: Callable[..., Ran], database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (("orders", "list"), ("db", "upgrade"), ("positions", "verify")):
        ran = cli(*words)
        assert (ran.code, ran.out) == (9, "")
        assert "schema 9999, which is newer than this program" in ran.err
    assert cli("db", "status", "--json").document["result"]["schemaState"] == "newer"


def test_an_old_database_is_migrated_by_the_first_command_that_needs_it(
    cli: Callable[..., Ran], empty_database_url: str
) -> None:
    ran = cli("orders", "list", DATABASE_URL=empty_database_url)
    assert (ran.code, ran.err) == (0, "no orders\n")
    assert cli("db", "upgrade", DATABASE_URL=empty_database_url).out.startswith("nothing to do")


def test_the_schema_of_plans_is_the_one_that_is_kept(cli: Callable[..., Ran]) -> None:
    ran = cli("schema", "plan")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["type"] == "object"
    assert cli("schema", "plan", "--json").out == ran.out
    kept = Path(__file__).parents[2] / "schemas" / "trade-plan-v1.schema.json"
    assert ran.out == kept.read_text(encoding="utf-8")
