"""`logs` and `notify test`, and what --verbose shows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from betteroms import wiring
from betteroms.cli import exits
from betteroms.cli.journal import VERBOSE, open_journal, readable
from betteroms.settings import load
from tests.adapters.test_notify import Webhook, webhook
from tests.cli.conftest import Ran

__all__ = ["webhook"]

Cli = Callable[..., Ran]
RUN = "8e8d28d0-0000-5000-8000-000000000000"
ORDER = "f52b1f2f-0000-5000-8000-000000000000"
LINES = [
    {
        "at": "2026-11-20T12:00:00.000Z",
        "level": "info",
        "event": "run_started",
        "runId": RUN,
        "planId": "june",
    },
    {
        "at": "2026-11-20T12:00:01.000Z",
        "level": "warning",
        "event": "order_denied",
        "runId": RUN,
        "orderId": ORDER,
        "reason": "size=1 min=5",
        "market": "\x1b[2J",
    },
    {"at": "2026-11-20T12:00:02.000Z", "level": "info", "event": "run_completed", "runId": RUN},
]


@pytest.fixture
def log(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a few lines in its log, one of them spoilt."""
    home = tmp_path / "home"
    monkeypatch.setenv("BETTEROMS_HOME", str(home))
    path = home / "logs" / "betteroms.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
    return path


def test_the_log_is_read_back_for_people(cli: Cli, log: Path) -> None:
    ran = cli("logs")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "2026-11-20 12:00:00 info    run_started run=8e8d28d0 planId=june",
        '2026-11-20 12:00:01 warning order_denied run=8e8d28d0 order=f52b1f2f reason="size=1 min=5" '
        "market=\ufffd[2J",
        "2026-11-20 12:00:02 info    run_completed run=8e8d28d0",
    ]


def test_the_log_is_read_back_for_scripts(cli: Cli, log: Path) -> None:
    assert cli("logs", "--json").rows == [{"schemaVersion": 1, **line} for line in LINES]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--limit", "1"), [2]),
        (("--run", "june"), [0, 1, 2]),
        (("--run", "8e8d28d0", "--level", "warning"), [1]),
        (("--order", "f52b1f2f"), [1]),
        (("--since", "2026-11-20T13:00:01+01:00"), [1, 2]),
        (("--since", "2026-11-20"), [0, 1, 2]),
        (("--since", "2026-11-21"), []),
    ],
)
def test_lines_are_chosen(words: tuple[str, ...], found: list[int], cli: Cli, log: Path) -> None:
    assert [row["at"] for row in cli("logs", "--json", *words).rows] == [
        LINES[index]["at"] for index in found
    ]


def test_lines_that_cannot_be_read_are_counted(cli: Cli, log: Path) -> None:
    with log.open("a") as file:
        file.write("half a li")
    assert cli("logs", "--limit", "1").err == "note: 1 line of the log cannot be read\n"


def test_an_empty_log_is_no_failure(cli: Cli, tmp_path: Path) -> None:
    ran = cli("logs", BETTEROMS_HOME=str(tmp_path / "nothing"))
    assert (ran.code, ran.out, ran.err) == (0, "", "no lines\n")
    assert not (tmp_path / "nothing").exists()


def test_a_time_without_its_zone_is_no_time(cli: Cli, log: Path) -> None:
    ran = cli("logs", "--since", "2026-11-20T12:00:00")
    assert ran.code == exits.USAGE
    assert "Invalid value for '--since'" in ran.err


def test_what_goes_into_the_log_is_said_where_it_is_asked_for(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load()
    for wanted in (False, True):
        token = VERBOSE.set(wanted)
        with open_journal(settings) as journal:
            journal.note("plan_found", plan_id="july")
        VERBOSE.reset(token)
    told = capsys.readouterr().err.splitlines()
    assert [line[20:] for line in told] == ["info    plan_found planId=july"]
    assert log.read_text().count("plan_found") == 2


def test_no_secret_of_the_settings_gets_into_the_log(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "POLYMARKET_PRIVATE_KEY": "0x" + "4f" * 32,
        "DATABASE_URL": "postgresql://someone:hunter22@127.0.0.1:1/nowhere",
        "BETTEROMS_NOTIFY_URLS": "tgram://123456789:secret-of-the-bot/1 json://127.0.0.1",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    with wiring.journal(load(), complain=pytest.fail) as journal:
        for value in secrets.values():
            journal.note("odd", text=f"this is {value}")
        journal.note("odd", text="password hunter22")
    for telltale in ("4f4f", "hunter22", "secret-of-the-bot"):
        assert telltale not in log.read_text()


def test_a_value_with_blanks_can_be_told_from_its_neighbours() -> None:
    row = {"at": "2026-11-20T12:00:00Z", "level": "info", "event": "x", "a": "b c", "d": "", "e": 1}
    assert readable(row) == '2026-11-20 12:00:00 info    x a="b c" d="" e=1'


def test_a_test_message_arrives(cli: Cli, webhook: Webhook) -> None:
    ran = cli("notify", "test", BETTEROMS_NOTIFY_URLS=webhook.url)
    told = "sent to 1 service; messages are about failures, trips, digest\n"
    assert (ran.code, ran.out, ran.err) == (0, told, "")
    assert [message["title"] for message in webhook.received] == ["BetterOMS: a test"]
    both = f"{webhook.url} {webhook.url}"
    ran = cli("notify", "test", "--json", BETTEROMS_NOTIFY_URLS=both, BETTEROMS_NOTIFY_EVENTS="fills")
    assert ran.document["result"] == {"sent": 2, "events": ["fills"]}


def test_a_test_message_that_does_not_arrive_says_where_and_why(cli: Cli, webhook: Webhook) -> None:
    webhook.status = 500
    ran = cli("notify", "test", BETTEROMS_NOTIFY_URLS=f"json://127.0.0.1:{webhook.server_port}/my-token")
    assert (ran.code, ran.out) == (exits.VENUE_UNREACHABLE, "")
    assert ran.err.startswith("error: number 1, JSON: ")
    assert "my-token" not in ran.err
    error = cli("notify", "test", "--json", BETTEROMS_NOTIFY_URLS=webhook.url).error
    assert (error["code"], error["exitCode"], len(error["problems"])) == ("NOTIFICATION_FAILED", 6, 1)


def test_without_a_service_there_is_nothing_to_test(cli: Cli) -> None:
    ran = cli("notify", "test")
    assert ran.code == exits.USAGE
    assert ran.err.startswith("error: BETTEROMS_NOTIFY_URLS is not set")


def test_where_no_service_is_set_nobody_is_told(cli: Cli) -> None:
    settings = load()
    with wiring.journal(settings, complain=pytest.fail) as journal:
        wiring.notifier(settings, journal).tell("t", "b", severity="info")
