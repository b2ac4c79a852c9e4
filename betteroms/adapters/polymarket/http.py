"""One question to the venue over HTTP: asked again while that can help, answered as JSON or a fault.

All questions here only read, so that asking twice does no harm. Orders must not be sent with this.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import stamina
import stamina.instrumentation

from betteroms import __version__
from betteroms.adapters.exact_json import NotJson, decode
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.domain.errors import VenueUnreachable
from betteroms.ports import Clock

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
CONNECTIONS_MAX: Final = 4
RETRY_AFTER_MAX: Final = timedelta(seconds=15)
"""Who asks us to wait longer gets no second question in this run."""
WAIT_FIRST: Final = timedelta(milliseconds=100)
WAIT_MAX: Final = timedelta(seconds=2)
WAIT_JITTER: Final = timedelta(milliseconds=100)
PASSING_STATUS: Final = frozenset({408, 425, 429})
"""Refusals that pass by themselves; so does everything from 500 up. Source: VENUE 7."""
COMPLAINT_LENGTH_MAX: Final = 200
LOOPBACK: Final = ("all://localhost", "all://127.0.0.1", "all://[::1]")

Params = Sequence[tuple[str, str]]


class Refused(VenueUnreachable):
    """The venue understood the question and said no; `status` is HTTP's."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


Signing = Callable[[str, str], Mapping[str, str]]
"""The headers that say who asks: of a method and a path without its query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the venue may take: `connect` and `read` for each step, `total` until we stop asking."""

    connect: timedelta = timedelta(seconds=3)
    read: timedelta = timedelta(seconds=10)
    total: timedelta = timedelta(seconds=30)
    attempts: int = 4


class _Passing(Exception):
    """An answer that may be better next time; `wait` where the venue said when."""

    def __init__(self, reason: str, *, wait: timedelta | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def new_client(patience: Patience) -> httpx.Client:
    """A client with every option that matters spelled out."""
    return httpx.Client(
        timeout=httpx.Timeout(patience.read.total_seconds(), connect=patience.connect.total_seconds()),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
        follow_redirects=False,
        trust_env=True,
        # A rehearsal on this machine must not go out through the company's proxy.
        mounts=dict.fromkeys(LOOPBACK),
        headers={"User-Agent": f"betteroms/{__version__}", "Accept": "application/json"},
    )


class Service:
    """One of the venue's services. `notes` collects what a person may want to know afterwards.

    With `signing` it asks as a member, and an answer without any content is nothing.
    """

    def __init__(
        self,
        url: str,
        *,
        client: httpx.Client,
        patience: Patience,
        limiter: Limiter,
        clock: Clock,
        notes: list[str],
        signing: Signing | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._signing = signing
        self._client = client
        self._patience = patience
        self._limiter = limiter
        self._clock = clock
        self._notes = notes
        # Each retry would else print a line of its own to stderr; ours are told in `notes`.
        stamina.instrumentation.set_on_retry_hooks(())

    def get(self, path: str, params: Params = ()) -> Any:
        """The answer's document; None where the venue has nothing: `null`, or a 404 that says so.

        Raises:
            VenueUnreachable: no usable answer; `Refused` where it said no.
        """
        return self._ask("GET", path, params=params, body=None)

    def post(self, path: str, body: Any) -> Any:
        """As `get`, for a question that has a body.

        Raises:
            VenueUnreachable: no usable answer.
        """
        return self._ask("POST", path, params=(), body=body)

    def unusable(self, method: str, path: str, why: str) -> VenueUnreachable:
        """The fault of an answer that is JSON, but not what was asked for."""
        return VenueUnreachable(f"{method} {self._place(path)}: {why}")

    def _ask(self, method: str, path: str, *, params: Params, body: Any) -> Any:
        # The query is left out of every message: it may be long, and says nothing to a person.
        place = f"{method} {self._place(path)}"
        request = self._client.build_request(
            method,
            f"{self._url}{path}",
            params=list(params),
            json=body,
            headers=None if self._signing is None else dict(self._signing(method, path)),
        )
        number = 0
        try:
            for attempt in stamina.retry_context(
                on=_when_again,
                attempts=self._patience.attempts,
                timeout=self._patience.total,
                wait_initial=WAIT_FIRST,
                wait_max=WAIT_MAX,
                wait_jitter=WAIT_JITTER,
                wait_exp_base=2,
            ):
                with attempt:
                    number = attempt.num
                    self._limiter.wait()
                    answer = self._once(request, place)
        except _Passing as fault:
            tries = f" ({number} attempts)" if number > 1 else ""
            raise VenueUnreachable(f"{place}: {fault}{tries}") from fault.__cause__
        if number > 1:
            self._notes.append(f"{place}: answered at attempt {number}")
        return answer

    def _place(self, path: str) -> str:
        url = httpx.URL(f"{self._url}{path}")
        return f"{url.netloc.decode('ascii')}{url.path}"

    def _once(self, request: httpx.Request, place: str) -> Any:
        try:
            response = self._client.send(request, stream=True)
            try:
                content = self._content(response, place)
            finally:
                response.close()
        except httpx.RequestError as fault:
            raise _Passing(self._reason(fault)) from fault
        if response.status_code == httpx.codes.NOT_FOUND and isinstance(_document(content), Mapping):
            return None
        if response.status_code != httpx.codes.OK:
            self._refused(response, content, place)
        if self._signing is not None and not content.strip():
            return None
        try:
            return decode(content.decode())
        except (NotJson, UnicodeDecodeError) as fault:
            raise _Passing(_no_json(content, fault)) from fault

    def _content(self, response: httpx.Response, place: str) -> bytes:
        """The body, within our limits: a read timeout alone lets a trickle go on for ever."""
        deadline = time.monotonic() + self._patience.total.total_seconds()
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > ANSWER_BYTES_MAX:
                raise VenueUnreachable(f"{place}: the answer is larger than {ANSWER_BYTES_MAX >> 20} MiB")
            if time.monotonic() > deadline:
                raise _Passing(f"the answer took longer than {_seconds(self._patience.total)}")
        return bytes(content)

    def _reason(self, fault: httpx.RequestError) -> str:
        match fault:
            case httpx.ConnectTimeout():
                return f"no connection within {_seconds(self._patience.connect)}"
            case httpx.TimeoutException():
                return f"no answer within {_seconds(self._patience.read)}"
            case httpx.ConnectError():
                return f"no connection: {_words(str(fault)) or 'refused'}"
            case httpx.DecodingError():
                return "the answer's compression is broken"
            case httpx.ProxyError():
                return "the proxy refused"
            case _:
                return "the connection was cut before the answer was complete"

    def _refused(self, response: httpx.Response, content: bytes, place: str) -> None:
        status = response.status_code
        words = f"answered {status}{_complaint(content)}"
        if status >= 500 or status in PASSING_STATUS:
            wait = self._asked_to_wait(response.headers)
            if wait is not None and wait > RETRY_AFTER_MAX:
                raise VenueUnreachable(f"{place}: {words}, and asks us to wait {_seconds(wait)}")
            raise _Passing(words, wait=wait)
        if response.is_redirect:
            words = f"answered {status}, a redirect elsewhere: is the URL right?"
        elif status == httpx.codes.NOT_FOUND:
            # The venue says what it does not have in JSON; anything else is somebody else's 404.
            words = "answered 404 without saying what is missing: is the URL right?"
        elif status == httpx.codes.FORBIDDEN and _is_page(content):
            words = "answered 403 with a web page: this address or country is probably blocked"
        raise Refused(f"{place}: {words}", status=status)

    def _asked_to_wait(self, headers: Mapping[str, str]) -> timedelta | None:
        text = headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,6}", text):
            return timedelta(seconds=int(text))
        with suppress(ValueError, TypeError):
            return max(parsedate_to_datetime(text) - self._clock.now(), timedelta(0))
        return None


def _when_again(fault: Exception) -> bool | timedelta:
    if not isinstance(fault, _Passing):
        return False
    return max(fault.wait, WAIT_FIRST) if fault.wait is not None else True


def _no_json(content: bytes, fault: ValueError) -> str:
    if _is_page(content):
        return "answered with a web page instead of JSON"
    return "the answer is not UTF-8" if isinstance(fault, UnicodeDecodeError) else f"the answer: {fault}"


def _is_page(content: bytes) -> bool:
    return content.lstrip()[:1] == b"<"


def _complaint(content: bytes) -> str:
    """What the venue says is wrong: `{"error": …}`, on one line."""
    if _is_page(content):
        return " with a web page"
    told = _document(content)
    error = told.get("error") or told.get("message") if isinstance(told, Mapping) else None
    return f": {_words(error)}" if isinstance(error, str) else ""


def _document(content: bytes) -> Any:
    with suppress(NotJson, UnicodeDecodeError):
        return decode(content.decode())
    return None


def _words(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:COMPLAINT_LENGTH_MAX].strip()


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
