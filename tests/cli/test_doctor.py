"""`doctor`: one line for each thing that a run needs, and the exit code of the worst."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import Ran
from tests.cli.pooler import Pooler
from tests.venue_server import Fault, VenueServer

KEY = "0x" + "4f" * 32


@pytest.fixture
def venue() -> Iterator[VenueServer]:
    with VenueServer() as server:
        yield server


def told(ran: Ran) -> dict[str, tuple[str, str]]:
    """Level and text by what was looked at."""
    return {row["check"]: (row["level"], row["text"]) for row in ran.rows}


def test_a_healthy_set_up_is_well_in_every_line(
    cli: Callable[..., Ran], venue: VenueServer, home: Path
) -> None:
    ran = cli("doctor", "--json", BETTEROMS_CLOB_URL=venue.url)
    assert (ran.code, ran.err) == (0, "")
    found = told(ran)
    assert list(found) == ["settings", "key", "home", "database", "schema", "session", "venue", "clock"]
    assert {level for level, _ in found.values()} == {"ok"}
    assert found["key"][1] == "none set; paper trading needs none"
    assert found["home"][1].startswith(f"{home}, ")
    assert found["venue"][1] == f"{venue.url} answers OK"
    assert found["clock"][1].startswith("within ")
    lines = cli("doctor", BETTEROMS_CLOB_URL=venue.url).out.splitlines()
    assert lines[0] == "ok      settings    every variable can be read"


def test_offline_leaves_the_venue_alone_and_says_so(cli: Callable[..., Ran], venue: VenueServer) -> None:
    ran = cli("doctor", "--offline", "--json", BETTEROMS_CLOB_URL=venue.url)
    assert ran.code == 0
    assert told(ran)["venue"] == ("skipped", "not asked (--offline)")
    assert told(ran)["clock"][0] == "skipped"
    assert venue.asked == []


def test_a_venue_that_is_down_is_told_and_decides_the_exit(cli: Callable[..., Ran]) -> None:
    ran = cli("doctor", "--json", BETTEROMS_CLOB_URL="http://127.0.0.1:1")
    assert ran.code == 6
    assert told(ran)["venue"][0] == "failed"
    assert told(ran)["venue"][1].startswith("unreachable: GET 127.0.0.1:1/ok: no connection")
    assert told(ran)["clock"] == ("skipped", "the venue's time is not known")


@pytest.mark.parametrize(
    ("stamp", "words"),
    [(b"1000000000", "ahead of the venue's"), (b"4000000000000", "behind the venue's")],
)
def test_a_clock_that_is_wrong_is_a_warning(
    stamp: bytes, words: str, cli: Callable[..., Ran], venue: VenueServer
) -> None:
    venue.fail_always("/time", Fault(body=stamp))
    ran = cli("doctor", "--json", BETTEROMS_CLOB_URL=venue.url)
    assert ran.code == 0
    level, text = told(ran)["clock"]
    assert level == "warning"
    assert words in text


@pytest.mark.parametrize("body", [b'"soon"', b"true", b"-5", b"{}"])
def test_a_venue_that_tells_no_time_is_told(body: bytes, cli: Callable[..., Ran], venue: VenueServer) -> None:
    venue.fail_always("/time", Fault(body=body))
    ran = cli("doctor", "--json", BETTEROMS_CLOB_URL=venue.url)
    assert ran.code == 6
    assert told(ran)["venue"][1].endswith("/time: the answer is no time")


def test_another_server_at_the_venues_address_is_told(cli: Callable[..., Ran], venue: VenueServer) -> None:
    ran = cli("doctor", "--json", BETTEROMS_CLOB_URL=f"{venue.url}/elsewhere")
    assert ran.code == 6
    assert "is the URL right?" in told(ran)["venue"][1]


def test_a_database_that_is_down_is_graver_than_the_venue(cli: Callable[..., Ran]) -> None:
    down = {
        "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/none",
        "BETTEROMS_CLOB_URL": "http://127.0.0.1:1",
    }
    ran = cli("doctor", "--json", **down)
    assert ran.code == 9
    assert told(ran)["database"][0] == "failed"
    assert told(ran)["database"][1].startswith("DATABASE_URL: cannot connect to the database: ")
    assert told(ran)["schema"] == told(ran)["session"] == ("skipped", "the database does not answer")
    assert "hunter2" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("revision", "code", "level", "words"),
    [("9999", 9, "failed", "9999 is newer than this program"), (None, 0, "ok", "none yet; the next command")],
)
def test_the_schema_is_looked_at_and_left_alone(
    revision: str | None,
    code: int,
    level: str,
    words: str,
    cli: Callable[..., Ran],
    empty_database_url: str,
) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as sql:
        if revision:
            sql.execute("CREATE TABLE alembic_version (version_num text)")
            sql.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))
        ran = cli("doctor", "--offline", "--json", DATABASE_URL=empty_database_url)
        assert ran.code == code
        assert told(ran)["schema"][0] == level
        assert told(ran)["schema"][1].startswith(words)
        row = sql.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert row == (1 if revision else 0,)


def test_a_key_is_told_by_its_shape_only(cli: Callable[..., Ran]) -> None:
    secrets = {"POLYMARKET_PRIVATE_KEY": KEY, "POLYMARKET_API_KEY": "an-api-key"}
    ran = cli("doctor", "--offline", "--json", **secrets)
    assert ran.code == 0
    assert told(ran)["key"] == (
        "ok",
        "set in POLYMARKET_PRIVATE_KEY, and of the right shape: 64 hexadecimal digits",
    )
    missing = "incomplete: POLYMARKET_API_SECRET, POLYMARKET_API_PASSPHRASE not set: "
    missing += "betteroms generate-creds --write"
    assert told(ran)["credentials"] == ("warning", missing)
    assert KEY[2:] not in ran.out + ran.err
    assert "an-api-key" not in ran.out + ran.err


def test_settings_that_are_wrong_are_all_there_is_to_tell(cli: Callable[..., Ran]) -> None:
    ran = cli("doctor", "--json", BETTEROMS_PAPER_CASH="much", POLYMARKET_PRIVATE_KEY="4f" * 31)
    assert ran.code == 2
    assert [(row["check"], row["level"]) for row in ran.rows] == [("settings", "failed")] * 2
    assert "4f4f" not in ran.out


def test_a_home_that_cannot_be_one_is_told(cli: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = cli("doctor", "--offline", "--json", BETTEROMS_HOME=str(tmp_path / "file" / "home"))
    assert ran.code == 9
    assert told(ran)["home"][0] == "failed"
    assert told(ran)["home"][1].endswith("file is not a directory")


@pytest.mark.parametrize(("keeps", "code", "level"), [(True, 0, "ok"), (False, 9, "failed")])
def test_a_pooler_is_found_by_what_it_does_to_sessions(
    keeps: bool, code: int, level: str, cli: Callable[..., Ran], server_url: str, database_url: str
) -> None:
    with Pooler(database_url, keeps_sessions=keeps) as pooler:
        ran = cli("doctor", "--offline", "--json", DATABASE_URL=pooler.url)
    assert ran.code == code
    words = "through a pooler that keeps it" if keeps else "a pooler in transaction mode is in between"
    assert told(ran)["session"][0] == level
    assert told(ran)["session"][1].startswith(words)


def test_without_a_pooler_the_session_is_our_own(
    cli: Callable[..., Ran], sql: psycopg.Connection[Any]
) -> None:
    assert told(cli("doctor", "--offline", "--json"))["session"] == ("ok", "straight to the server")
