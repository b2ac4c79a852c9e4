"""Settings that are handed on to cron, kept out of the log, and those of notifications."""

from collections.abc import Callable
from pathlib import Path

import pytest

from betteroms.domain.errors import SettingsInvalid
from betteroms.domain.secret import Secret
from betteroms.settings import Settings, load, to_be_handed_on

URL = "postgresql://you:hunter22@db.example/oms"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], None]:
    """Writes `.env.local`."""

    def writing(text: str) -> None:
        path = tmp_path / ".env.local"
        path.write_text(text)
        path.chmod(0o600)

    return writing


def handed(cwd: Path, **environ: str) -> dict[str, str]:
    return to_be_handed_on(load(environ, cwd=cwd), environ, cwd=cwd)


def test_what_the_environment_sets_is_handed_on_and_the_file_is_not(
    tmp_path: Path, write: Callable[[str], None]
) -> None:
    write(f"DATABASE_URL={URL}\nBETTEROMS_PAPER_CASH=5\nBETTEROMS_HTTP_ATTEMPTS=2\n")
    settings = {
        "BETTEROMS_HOME": str(tmp_path),
        "BETTEROMS_HTTP_ATTEMPTS": "3",
        "CRON_INTERVAL_MINUTES": "15",
        "PATH": "/bin",
    }
    found = handed(tmp_path, **settings)
    assert found == {"BETTEROMS_HOME": str(tmp_path), "BETTEROMS_HTTP_ATTEMPTS": "3"}
    assert load(found, cwd=tmp_path).paper_cash == 5_000_000


def test_the_home_is_handed_on_unless_the_file_names_it(tmp_path: Path, write: Callable[[str], None]) -> None:
    assert handed(tmp_path) == {"BETTEROMS_HOME": str(load({}, cwd=tmp_path).home)}
    write(f"BETTEROMS_HOME={tmp_path}\n")
    assert handed(tmp_path) == {}


def test_a_secret_that_only_the_environment_knows_is_refused(
    tmp_path: Path, write: Callable[[str], None]
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        handed(tmp_path, DATABASE_URL=URL, POLYMARKET_API_KEY="key-of-mine")
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "POLYMARKET_API_KEY",
        "DATABASE_URL",
    ]
    assert "hunter22" not in str(refused.value)
    write(f"DATABASE_URL={URL}\n")
    assert set(handed(tmp_path, DATABASE_URL=URL)) == {"BETTEROMS_HOME"}
    with pytest.raises(SettingsInvalid):
        handed(tmp_path, DATABASE_URL=f"{URL}2")


def test_every_secret_is_known_as_one(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        private_key=Secret("0x4f"),
        database_url=Secret(URL),
        notify_urls=Secret("tgram://1:token/2 mailto://me:pass%40word@example.org"),
    )
    assert {
        "0x4f",
        URL,
        "hunter22",
        "tgram://1:token/2",
        "mailto://me:pass%40word@example.org",
        "pass%40word",
    } <= set(settings.secrets())


def test_addresses_of_services_are_a_secret(tmp_path: Path) -> None:
    settings = load({"BETTEROMS_NOTIFY_URLS": "  json://127.0.0.1:1 \n tgram://1:a/2 "}, cwd=tmp_path)
    assert settings.notify_urls == Secret("json://127.0.0.1:1 tgram://1:a/2")
    assert "BETTEROMS_NOTIFY_URLS" not in settings.public()
    with pytest.raises(SettingsInvalid) as wrong:
        load({"BETTEROMS_NOTIFY_URLS": "json://127.0.0.1 hunter22"}, cwd=tmp_path)
    (problem,) = wrong.value.problems
    assert problem.startswith("BETTEROMS_NOTIFY_URLS (environment): number 2 is not a URL such as json://")
    assert "hunter22" not in problem


def test_kinds_of_notifications_are_named_in_any_order(tmp_path: Path) -> None:
    def events(text: str) -> tuple[str, ...]:
        return load({"BETTEROMS_NOTIFY_EVENTS": text}, cwd=tmp_path).notify_events

    assert load({}, cwd=tmp_path).notify_events == ("failures", "trips", "digest")
    assert events(" Digest,fills ,fills") == ("fills", "digest")
    for text, complaint in {"fill": "'fill' is none of fills, refusals,", ",": "names nothing"}.items():
        with pytest.raises(SettingsInvalid, match=complaint):
            events(text)
