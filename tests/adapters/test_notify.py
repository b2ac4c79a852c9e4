"""Messages go through apprise to real sockets; what cannot be sent is in the journal and stops nothing."""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import apprise
import pytest

from betteroms.adapters.notify import Nobody, Services
from betteroms.domain.ids import OrderId, RunId
from betteroms.domain.secret import Secret
from tests.docs_blocks import blocks, page


class Lines:
    """A journal in memory."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def note(
        self,
        event: str,
        /,
        *,
        level: str = "info",
        run_id: RunId | None = None,
        order_id: OrderId | None = None,
        **facts: str | int | None,
    ) -> None:
        self.rows.append({"event": event, "level": level, **facts})


class Webhook(ThreadingHTTPServer):
    """A service on this machine: it takes messages, refuses them, or does not answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.silence = threading.Event()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "silent" in self.path:
            self.server.silence.wait(10)
            return
        self.server.received.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.silence.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def journal() -> Lines:
    return Lines()


def test_a_message_arrives_as_it_was_written(webhook: Webhook, journal: Lines) -> None:
    services = Services(Secret(webhook.url), journal=journal)
    body = "BUY Yes: 100 at 0.41 = $41.00 <b>&amp; *not* _marked_</b>\nsecond line"
    services.tell("june: 1 order filled", body, severity="success")
    (message,) = webhook.received
    assert (message["title"], message["message"], message["type"]) == (
        "june: 1 order filled",
        body,
        "success",
    )
    assert journal.rows == []


@pytest.mark.parametrize("severity", ["info", "success", "warning", "failure"])
def test_every_severity_is_one_of_apprise(severity: str, webhook: Webhook, journal: Lines) -> None:
    assert Services(Secret(webhook.url), journal=journal).deliver("t", "b", severity=severity) == []
    assert webhook.received[0]["type"] == severity


def test_one_service_that_fails_keeps_no_message_from_the_others(webhook: Webhook, journal: Lines) -> None:
    urls = f"json://127.0.0.1:1/token-of-mine {webhook.url} nonsense://hunter22/x"
    services = Services(Secret(urls), journal=journal, secrets=urls.split())
    services.tell("t", "b", severity="info")
    assert len(webhook.received) == 1
    assert [(row["event"], row["level"]) for row in journal.rows] == [("notification_failed", "warning")] * 2
    told = "\n".join(row["reason"] for row in journal.rows)
    assert "number 3, nonsense://…: apprise knows no service with such a URL" in told
    assert re.search(r"^number 1, JSON: .*onnection", told, re.MULTILINE)
    assert "token-of-mine" not in told
    assert "hunter22" not in told


def test_a_refusal_says_what_the_service_answered(
    webhook: Webhook, journal: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook.status = 403
    (problem,) = Services(Secret(webhook.url), journal=journal).deliver("t", "b", severity="info")
    assert problem.startswith("number 1, JSON: ")
    assert "403" in problem
    assert capsys.readouterr() == ("", "")


def test_a_service_that_does_not_answer_is_left_behind(webhook: Webhook, journal: Lines) -> None:
    services = Services(Secret(f"{webhook.url}/silent"), journal=journal, seconds_max=0.2)
    began = time.monotonic()
    services.tell("t", "b", severity="info")
    assert time.monotonic() - began < 3
    assert [row["reason"] for row in journal.rows] == ["number 1, JSON: no answer in 0.2 s"]


def test_without_apprise_the_journal_says_what_to_type(
    journal: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    Services(Secret("json://127.0.0.1:1"), journal=journal).tell("t", "b", severity="info")
    assert [row["reason"] for row in journal.rows] == [
        "messages need apprise: pip install 'betteroms[notify]'"
    ]


def test_nobody_is_told_nothing() -> None:
    Nobody().tell("t", "b", severity="info")


ADDRESSES = [
    *re.findall(r"NOTIFY_URLS=(\S+)", "".join(block.text for block in blocks("docs/cron.md"))),
    *re.findall(r"\| `([a-z]+://[^`]+)` \|", page("docs/cron.md")),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what the services import
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_addresses_of_the_page_are_such_as_apprise_takes(address: str) -> None:
    for words, sample in {
        "BOT_TOKEN": "123456789:ABCdefGhIJKlmNoPQRstuVWXyz0123456789",
        "CHAT_ID": "987654321",
        "WEBHOOK_ID": "4174216298",
        "WEBHOOK_TOKEN": "JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "TOKEN_A": "T1JJ3T3L2",
        "TOKEN_B": "A1BRTD4JD",
        "TOKEN_C": "TIiajkdnlazkcOXrIdevi7FQ",
    }.items():
        address = address.replace(words, sample)
    assert apprise.Apprise.instantiate(address) is not None


def test_the_page_names_the_services_that_people_ask_for() -> None:
    schemes = {address.partition(":")[0] for address in ADDRESSES}
    assert schemes == {"tgram", "discord", "slack", "mailtos", "jsons"}
