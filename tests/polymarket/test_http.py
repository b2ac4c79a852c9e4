"""One question over HTTP: what is asked again, what is given up at once, and what the message says."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stamina

from betteroms import __version__
from betteroms.adapters.polymarket import http
from betteroms.adapters.polymarket.http import Patience, Service, new_client
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.domain.errors import VenueUnreachable
from tests.polymarket.samples import StepClock


@dataclass(frozen=True)
class Raw:
    """An answer as it comes down the line, not yet unpacked."""

    status: int
    body: bytes
    headers: Mapping[str, str]


Reply = Raw | Exception
PATIENCE = Patience(attempts=4)
HTML = b"<!DOCTYPE html><title>Sorry, you have been blocked</title>"


class Line:
    """A service whose answers are written down beforehand; the last one is repeated."""

    def __init__(self, *replies: Reply, patience: Patience = PATIENCE) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []
        self.notes: list[str] = []
        self.client = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.service = Service(
            "https://clob.test/",
            client=self.client,
            patience=patience,
            limiter=Limiter(per_second=1_000, burst=1_000),
            clock=StepClock(),
            notes=self.notes,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(reply.body))

    def fault(self) -> str:
        with pytest.raises(VenueUnreachable) as caught:
            self.service.get("/books", [("slug", "a b"), ("slug", "ü&c")])
        return str(caught.value)


def answer(status: int = 200, body: bytes = b"[]", **headers: str) -> Raw:
    return Raw(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def test_the_query_is_percent_encoded_and_numbers_come_exact() -> None:
    line = Line(answer(body=b'{"rate": 0.07}'))
    assert str(line.service.get("/x", [("slug", "a b"), ("slug", "ü&c")])["rate"]) == "0.07"
    assert line.requests[0].url == "https://clob.test/x?slug=a+b&slug=%C3%BC%26c"
    assert line.notes == []


def test_a_posted_question_has_a_json_body() -> None:
    line = Line(answer())
    line.service.post("/books", [{"token_id": "1"}])
    assert line.requests[0].content == b'[{"token_id":"1"}]'
    assert line.requests[0].headers["Content-Type"] == "application/json"


def test_what_the_venue_does_not_have_is_no_fault() -> None:
    line = Line(answer(404, b'{"error": "No orderbook exists for the requested token id"}'))
    assert line.service.get("/book") is None
    assert len(line.requests) == 1


def test_a_404_of_somebody_else_is_a_fault() -> None:
    assert Line(answer(404, b"404 page not found")).fault() == (
        "GET clob.test/books: answered 404 without saying what is missing: is the URL right?"
    )


@pytest.mark.parametrize(
    ("passing", "reason"),
    [
        (
            httpx.ConnectError("[Errno 111] Connection refused"),
            "no connection: [Errno 111] Connection refused",
        ),
        (httpx.ConnectError(""), "no connection: refused"),
        (httpx.ConnectTimeout(""), "no connection within 3 s"),
        (httpx.ReadTimeout(""), "no answer within 10 s"),
        (httpx.PoolTimeout(""), "no answer within 10 s"),
        (httpx.ReadError("reset"), "the connection was cut before the answer was complete"),
        (httpx.RemoteProtocolError("closed"), "the connection was cut before the answer was complete"),
        (httpx.ProxyError("407 for user:secret"), "the proxy refused"),
        (answer(200, b"not gzip", Content_Encoding="gzip"), "the answer's compression is broken"),
        (answer(500, b'{"error": "boom\\nbang"}'), "answered 500: boom bang"),
        (answer(502, HTML), "answered 502 with a web page"),
        (answer(503, b"busy"), "answered 503"),
        (answer(429, b'{"message": "slow down"}'), "answered 429: slow down"),
        (answer(425), "answered 425"),
        (answer(408), "answered 408"),
        (answer(200, HTML), "answered with a web page instead of JSON"),
        (answer(200, b'[{"bids": ['), "the answer: it ends in the middle (truncated JSON)"),
        (answer(200, b""), "the answer: it is empty"),
        (answer(200, b'"\xff"'), "the answer is not UTF-8"),
        (answer(200, b'{"price": NaN}'), "the answer: not JSON: NaN is no number"),
    ],
    ids=repr,
)
def test_what_may_pass_is_asked_again(passing: Reply, reason: str) -> None:
    assert Line(passing).fault() == f"GET clob.test/books: {reason} (4 attempts)"
    recovered = Line(passing, passing, answer(body=b"[1]"))
    assert recovered.service.get("/books") == [1]
    assert len(recovered.requests) == 3
    assert recovered.notes == ["GET clob.test/books: answered at attempt 3"]


@pytest.mark.parametrize(
    ("final", "reason"),
    [
        (answer(400, b'{"error": "Invalid payload"}'), "answered 400: Invalid payload"),
        (answer(400, b'{"error": {"code": 3}}'), "answered 400"),
        (answer(401, b'["no"]'), "answered 401"),
        (answer(422, b"\xff"), "answered 422"),
        (answer(403, b'{"error": "no"}'), "answered 403: no"),
        (
            answer(403, HTML),
            "answered 403 with a web page: this address or country is probably blocked",
        ),
        (
            answer(301, b"", Location="https://elsewhere.test"),
            "answered 301, a redirect elsewhere: is the URL right?",
        ),
        (answer(204, b""), "answered 204"),
    ],
    ids=repr,
)
def test_what_will_not_change_is_given_up_at_once(final: Raw, reason: str) -> None:
    line = Line(final)
    assert line.fault() == f"GET clob.test/books: {reason}"
    assert len(line.requests) == 1


def test_an_answer_beyond_all_measure_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_BYTES_MAX", 1 << 20)
    bomb = gzip.compress(b" " * (2 << 20))
    assert Line(answer(200, bomb, Content_Encoding="gzip")).fault() == (
        "GET clob.test/books: the answer is larger than 1 MiB"
    )


def test_an_answer_that_does_not_end_is_given_up() -> None:
    line = Line(answer(body=b"[1]"), patience=Patience(total=timedelta(microseconds=1), attempts=2))
    assert line.fault() == "GET clob.test/books: the answer took longer than 1e-06 s (2 attempts)"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2.0), ("0", 0.1), ("Fri, 20 Nov 2026 12:00:04 GMT", 3.0), ("Fri, 20 Nov 2020 12:00:04 GMT", 0.1)],
)
def test_a_venue_that_says_when_is_asked_then(
    header: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    with stamina.set_testing(False):
        line = Line(answer(429, Retry_After=header), answer(body=b"1"))
        assert line.service.get("/ok") == 1
    assert slept == [seconds]


@pytest.mark.parametrize("header", ["soon", "", "Fri, 20 Nov 2026 12:00:04 -0000"])
def test_a_venue_that_does_not_say_when_is_asked_soon(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    with stamina.set_testing(False):
        line = Line(answer(503, Retry_After=header))
        line.fault()
    assert len(slept) == 3
    assert 0.1 <= slept[0] <= 0.2
    assert 0.2 <= slept[1] <= 0.3
    assert 0.4 <= slept[2] <= 0.5


def test_a_venue_that_asks_for_more_time_than_a_run_has_is_left_alone() -> None:
    line = Line(answer(503, b'{"error": "maintenance"}', Retry_After="79"))
    assert line.fault() == "GET clob.test/books: answered 503: maintenance, and asks us to wait 79 s"
    assert len(line.requests) == 1


def test_when_the_time_for_all_attempts_is_over_it_is_not_asked_again() -> None:
    with stamina.set_testing(False):
        line = Line(httpx.ReadTimeout(""), patience=Patience(total=timedelta(microseconds=1), attempts=9))
        assert line.fault() == "GET clob.test/books: no answer within 10 s"


def test_a_key_pressed_to_stop_stops() -> None:
    class Stopped(BaseException):
        pass

    def stop(request: httpx.Request) -> httpx.Response:
        raise Stopped

    line = Line(answer())
    line.client = httpx.Client(transport=httpx.MockTransport(stop))
    service = Service(
        "https://clob.test",
        client=line.client,
        patience=PATIENCE,
        limiter=Limiter(per_second=1, burst=1),
        clock=StepClock(),
        notes=[],
    )
    with pytest.raises(Stopped):
        service.get("/ok")


def test_a_retry_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Line(answer(500), answer()).service.get("/ok")
    assert capsys.readouterr() == ("", "")


def test_every_option_of_the_client_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.test:3128")
    with new_client(Patience()) as client:
        assert client.timeout == httpx.Timeout(10.0, connect=3.0)
        assert not client.follow_redirects
        assert client.headers["User-Agent"] == f"betteroms/{__version__}"


def test_this_machine_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch, serve: Any) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with new_client(Patience()) as client:
        assert client.get(f"{serve().url}/ok").json() == "OK"
