"""A venue on this machine that is slow, broken, blocked or gone: over real sockets."""

import socket
import time
from datetime import timedelta

import pytest
import stamina

from betteroms.adapters.polymarket.http import Patience
from betteroms.adapters.polymarket.venue import Polymarket
from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.ids import TokenId
from tests.polymarket.conftest import OpenVenue, Serve
from tests.polymarket.samples import (
    CONDITION,
    YES,
    StepClock,
    gamma_row,
    numbered_book,
    numbered_token,
    rest_book,
)
from tests.venue_server import Fault, page

READ = {"slow": timedelta(milliseconds=300)}


def patience(name: str) -> Patience:
    """Two attempts; impatient only where the venue is slow, for this machine may be slow as well."""
    return Patience(read=READ.get(name, timedelta(seconds=10)), attempts=2)


PASSING = {
    "500": (Fault(status=500, body=b'{"error": "boom"}'), "answered 500: boom"),
    "502 page": (page(502), "answered 502 with a web page"),
    "429": (Fault(status=429, headers={"Retry-After": "1"}, body=b"{}"), "answered 429"),
    "page": (page(), "answered with a web page instead of JSON"),
    "truncated": (Fault(truncate=True), "the answer: it ends in the middle (truncated JSON)"),
    "cut": (Fault(cut=True), "the connection was cut before the answer was complete"),
    "dropped": (Fault(drop=True), "the connection was cut before the answer was complete"),
    "slow": (Fault(delay_seconds=5), "no answer within 0.3 s"),
}
FINAL = {
    "400": (Fault(status=400, body=b'{"error": "Invalid payload"}'), "answered 400: Invalid payload"),
    "403": (page(403), "answered 403 with a web page: this address or country is probably blocked"),
    "404": (page(404), "answered 404 without saying what is missing: is the URL right?"),
    "302": (
        Fault(status=302, body=b"", headers={"Location": "https://elsewhere.test/"}),
        "answered 302, a redirect elsewhere: is the URL right?",
    ),
}
PATHS = ["/books", "/markets/keyset"]


def ask(venue: Polymarket, path: str) -> int:
    return len(venue.books([TokenId(YES)]) if path == "/books" else venue.markets([CONDITION]))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_passes(name: str, path: str, serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(books=[rest_book()], markets=[gamma_row()])
    server.fail(path, PASSING[name][0])
    venue = open_venue(server, patience=patience(name))
    assert ask(venue, path) == 1
    assert len(server.asked) == 2
    assert venue.notes[0].endswith(f"{path}: answered at attempt 2")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_stays_says_where_and_why(
    name: str, path: str, serve: Serve, open_venue: OpenVenue
) -> None:
    fault, reason = PASSING[name]
    server = serve(books=[rest_book()], markets=[gamma_row()])
    server.fail_always(path, fault)
    with pytest.raises(VenueUnreachable) as caught:
        ask(open_venue(server, patience=patience(name)), path)
    method = "POST" if path == "/books" else "GET"
    assert str(caught.value) == f"{method} {server.url[7:]}{path}: {reason} (2 attempts)"
    assert len(server.asked) == 2


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", FINAL)
def test_a_fault_that_will_not_pass_is_told_at_once(
    name: str, path: str, serve: Serve, open_venue: OpenVenue
) -> None:
    fault, reason = FINAL[name]
    server = serve()
    server.fail_always(path, fault)
    with pytest.raises(VenueUnreachable) as caught:
        ask(open_venue(server), path)
    assert str(caught.value).endswith(f"{path}: {reason}")
    assert len(server.asked) == 1


def test_an_answer_that_trickles_does_not_hold_us_for_ever(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(books=[rest_book()])
    server.fail_always("/books", Fault(trickle_seconds=0.02))
    impatient = Patience(read=timedelta(seconds=10), total=timedelta(seconds=0.2), attempts=1)
    began = time.monotonic()
    with pytest.raises(VenueUnreachable, match=r"the answer took longer than 0\.2 s"):
        open_venue(server, patience=impatient).books([TokenId(YES)])
    assert time.monotonic() - began < 5


def test_a_fault_in_the_middle_of_many_batches_fails_the_question(
    serve: Serve, open_venue: OpenVenue
) -> None:
    server = serve(books=[numbered_book(number) for number in range(4)])
    server.fail("/books", Fault(), Fault(status=400))
    venue = open_venue(server, books_per_request=2)
    with pytest.raises(VenueUnreachable, match="answered 400"):
        venue.books([TokenId(numbered_token(number, 0)) for number in range(4)])


def test_a_venue_that_is_not_there_is_given_up_within_seconds() -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else gets this port while we knock.
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        began = time.monotonic()
        with (
            stamina.set_testing(False),
            Polymarket(url, url, clock=StepClock()) as venue,
            pytest.raises(VenueUnreachable) as caught,
        ):
            venue.markets(["x"])
        assert time.monotonic() - began < 4
    assert str(caught.value).startswith(f"GET {url[7:]}/markets/keyset: no connection: ")
    assert str(caught.value).endswith("(4 attempts)")
