"""Markets and books of a loopback venue, asked the way a run asks."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import httpx
import pytest

from betteroms.adapters.exact_json import decode
from betteroms.adapters.polymarket.gamma import NameKind, name_kind
from betteroms.adapters.polymarket.parse import parse_book, parse_market
from betteroms.adapters.polymarket.venue import Polymarket
from betteroms.domain.book import HashCheck
from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.fees import FREE, FeeSchedule
from betteroms.domain.ids import TokenId
from betteroms.ports import Payload, PayloadKind
from betteroms.settings import load
from tests.polymarket.conftest import OpenVenue, Serve
from tests.polymarket.samples import (
    CONDITION,
    NO,
    NOW,
    YES,
    StepClock,
    clob_row,
    gamma_row,
    info_row,
    numbered_book,
    numbered_condition,
    numbered_gamma_row,
    numbered_token,
    rest_book,
    without,
)
from tests.venue_server import Fault

POSITIONS = [str((1 << 248) + (77 << 104) + outcome) for outcome in (0, 1)]


def tokens(names: Iterable[str]) -> list[TokenId]:
    return [TokenId(name) for name in names]


@pytest.mark.parametrize("name", ["will-it-rain-in-lisbon", "512345", CONDITION, CONDITION.upper(), YES, NO])
def test_a_market_is_found_by_any_of_its_names(name: str, serve: Serve, open_venue: OpenVenue) -> None:
    other = numbered_gamma_row(1)
    # Gamma's own filter is asked with the spelling that the user has.
    row = gamma_row(conditionId=CONDITION.upper()) if name == CONDITION.upper() else gamma_row()
    venue = open_venue(serve(markets=[other, row]))
    assert {name: market.market_id for name, market in venue.markets([name]).items()} == {name: CONDITION}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("0x5F", NameKind.CONDITION),
        ("0x" + "a" * 65, NameKind.SLUG),
        ("0xyz", NameKind.SLUG),
        ("12345678901234567890", NameKind.GAMMA_ID),
        ("123456789012345678901", NameKind.CTF_TOKEN),
        (YES, NameKind.CTF_TOKEN),
        (POSITIONS[0], NameKind.POSITION),
        ("1" * 79, NameKind.SLUG),
        ("2026", NameKind.GAMMA_ID),
        ("will-x-happen", NameKind.SLUG),
    ],
)
def test_names_are_told_apart_by_their_look(name: str, kind: NameKind) -> None:
    assert name_kind(name) is kind


def test_a_position_of_the_newer_protocol_is_found_by_its_own_filter(
    serve: Serve, open_venue: OpenVenue
) -> None:
    row = without(gamma_row(version="v2", positionIds=POSITIONS), "clobTokenIds")
    server = serve(markets=[row])
    assert open_venue(server).markets([POSITIONS[1]])[POSITIONS[1]].outcome_index(TokenId(POSITIONS[1])) == 1
    assert [list(asked.query) for asked in server.asked] == [["position_ids", "limit"]]


def test_slugs_are_case_sensitive_and_percent_encoded(serve: Serve, open_venue: OpenVenue) -> None:
    odd = "café & tea?+50%/night#1"
    server = serve(markets=[gamma_row(slug=odd)])
    venue = open_venue(server)
    assert list(venue.markets([odd, odd.upper()])) == [odd]
    assert server.asked[0].query["slug"] == [odd, odd.upper()]


def test_names_that_nothing_has_are_absent(serve: Serve, open_venue: OpenVenue) -> None:
    names = ["no-such-market", "0xdead", "7", "9" * 77, "", "x" * 256, "half \ud800", "a\nb"]
    assert open_venue(serve(markets=[gamma_row()])).markets(names) == {}


def test_a_closed_market_is_asked_for_on_its_own(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(markets=[gamma_row(closed=True), numbered_gamma_row(1)])
    found = open_venue(server).markets([CONDITION, "market-1"])
    assert found[CONDITION].closed
    assert not found["market-1"].closed
    asked = [(asked.query.get("condition_ids"), asked.query.get("closed")) for asked in server.asked]
    assert asked == [([CONDITION], None), (None, None), ([CONDITION], ["true"])]


def test_a_filter_that_is_not_heeded_does_not_pass_off_other_markets(
    serve: Serve, open_venue: OpenVenue
) -> None:
    server = serve()
    unfiltered = {"markets": [None, clob_row(), gamma_row(), numbered_gamma_row(1)]}
    server.fail_always("/markets/keyset", Fault(body=json.dumps(unfiltered).encode()))
    assert list(open_venue(server).markets(["no-such-market", "will-it-rain", "market-1"])) == ["market-1"]


def test_many_names_are_asked_for_in_batches_that_fit_a_line(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(markets=[numbered_gamma_row(number) for number in range(250)])
    venue = open_venue(server)
    assert len(venue.markets([f"market-{number}" for number in range(250)])) == 250
    assert [len(asked.query["slug"]) for asked in server.asked] == [100, 100, 50]
    server.asked.clear()
    assert len(venue.markets([numbered_token(number, 1) for number in range(100)])) == 100
    assert [len(asked.query["clob_token_ids"]) for asked in server.asked] == [65, 35]


def test_an_answer_on_several_pages_is_read_to_its_end(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(markets=[numbered_gamma_row(number) for number in range(7)], page_length=3)
    assert len(open_venue(server).markets([f"market-{number}" for number in range(7)])) == 7
    assert [asked.query.get("after_cursor") for asked in server.asked] == [None, ["after-3"], ["after-6"]]


def test_pages_without_end_are_a_fault(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve()
    again = {"markets": [numbered_gamma_row(1)], "next_cursor": "again"}
    server.fail_always("/markets/keyset", Fault(body=json.dumps(again).encode()))
    with pytest.raises(VenueUnreachable, match="does not end after 20 pages"):
        open_venue(server).markets(["market-2"])


@pytest.mark.parametrize("document", [[], {"markets": None}, {"data": []}, "no", 5])
def test_a_list_of_markets_in_another_shape_is_a_fault(
    document: Any, serve: Serve, open_venue: OpenVenue
) -> None:
    server = serve()
    server.fail("/markets/keyset", Fault(body=json.dumps(document).encode()))
    venue = open_venue(server)
    with pytest.raises(VenueUnreachable, match="the answer has no list of markets"):
        venue.markets(["x"])


def test_a_row_that_cannot_be_traded_is_absent_with_a_note(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(markets=[gamma_row(clobTokenIds=None), numbered_gamma_row(1)])
    server.markets.append(gamma_row(id="8", slug=None, outcomes="[]"))
    venue = open_venue(server)
    assert list(venue.markets([CONDITION, "market-1"])) == ["market-1"]
    assert venue.notes == [
        "market row 'will-it-rain-in-lisbon': clobTokenIds: missing",
        "market row '8': 0 outcomes with 2 tokens: only markets with two are known",
    ]


class TestFees:
    def test_a_row_that_says_it_asks_nobody_else(self, serve: Serve, open_venue: OpenVenue) -> None:
        server = serve(markets=[gamma_row()])
        assert open_venue(server).markets([CONDITION])[CONDITION].fees == FeeSchedule(rate=70_000)
        assert server.paths() == ["/markets/keyset"]

    @pytest.mark.parametrize("said", [{}, {"feesEnabled": True}, {"feesEnabled": True, "feeSchedule": None}])
    def test_a_row_that_does_not_is_completed_by_the_clob(
        self, said: dict[str, Any], serve: Serve, open_venue: OpenVenue
    ) -> None:
        row = without(gamma_row(), "feesEnabled", "feeSchedule") | said
        server = serve(markets=[row], infos=[info_row()])
        venue = open_venue(server)
        market = venue.markets([CONDITION, YES])[YES]
        assert market.fees == FeeSchedule(rate=50_000)
        assert server.paths().count(f"/clob-markets/{CONDITION}") == 1
        # What is kept gives the same market again: a replay asks nobody.
        (kept,) = venue.payloads()
        assert parse_market(decode(kept.body.decode()), recorded=False, payload=kept.body) == market

    @pytest.mark.parametrize("infos", [[], [without(info_row(), "fd")]])
    def test_where_the_clob_has_no_fees_there_are_none(
        self, infos: list[dict[str, Any]], serve: Serve, open_venue: OpenVenue
    ) -> None:
        row = without(gamma_row(), "feesEnabled", "feeSchedule")
        venue = open_venue(serve(markets=[row], infos=infos))
        assert venue.markets([CONDITION])[CONDITION].fees == FREE

    def test_fees_that_make_no_sense_take_the_market_out(self, serve: Serve, open_venue: OpenVenue) -> None:
        row = without(gamma_row(), "feesEnabled", "feeSchedule")
        venue = open_venue(serve(markets=[row], infos=[info_row(fd={"r": "much"})]))
        assert venue.markets([CONDITION]) == {}
        assert venue.notes == [f"market {CONDITION}: fd rate: 'much' is not a number"]


class TestBooks:
    def test_they_come_with_the_time_of_their_answer(self, serve: Serve, open_venue: OpenVenue) -> None:
        venue = open_venue(serve(books=[rest_book()]))
        book = venue.books(tokens([YES]))[TokenId(YES)]
        assert (book.best_bid, book.best_ask) == (480_000, 520_000)
        assert book.hash_check is HashCheck.VERIFIED
        assert not book.recorded
        assert book.received_at > NOW

    def test_a_token_without_a_book_is_absent(self, serve: Serve, open_venue: OpenVenue) -> None:
        venue = open_venue(serve(books=[rest_book()]))
        assert list(venue.books(tokens([NO, YES]))) == [YES]

    def test_nothing_is_asked_where_nothing_is_wanted(self, serve: Serve, open_venue: OpenVenue) -> None:
        server = serve()
        venue = open_venue(server)
        assert (venue.books([]), venue.markets([]), list(venue.payloads())) == ({}, {}, [])
        assert server.asked == []

    @pytest.mark.parametrize(
        ("settings", "batches"), [({}, [500, 100]), ({"books_per_request": 250}, [250, 250, 100])]
    )
    def test_they_are_asked_for_in_batches(
        self, settings: dict[str, Any], batches: list[int], serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve(books=[numbered_book(number) for number in range(600)])
        wanted = tokens(numbered_token(number, 0) for number in range(600))
        assert list(open_venue(server, **settings).books(wanted + wanted)) == wanted
        assert [len(asked.body) for asked in server.asked] == batches

    def test_more_than_the_venue_takes_is_never_asked_at_once(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve()
        open_venue(server, books_per_request=10_000).books(tokens(str(n) for n in range(501)))
        assert [len(asked.body) for asked in server.asked] == [500, 1]

    def test_entries_that_were_not_asked_for_or_come_twice_are_passed_over(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve()
        first, again = rest_book(), rest_book(bids="0.99x1")
        answer = [None, 7, {}, {"asset_id": ["x"]}, rest_book(asset_id=NO), first, again]
        server.fail("/books", Fault(body=json.dumps(answer).encode()))
        venue = open_venue(server)
        found = venue.books(tokens([YES]))
        assert found[TokenId(YES)].best_bid == 480_000
        assert list(found) == [YES]
        assert len(list(venue.payloads())) == 1

    def test_one_that_makes_no_sense_is_absent_with_a_note(self, serve: Serve, open_venue: OpenVenue) -> None:
        broken = rest_book(asset_id=NO, bids="1.5x1")
        venue = open_venue(serve(books=[broken, rest_book()]))
        assert list(venue.books(tokens([NO, YES]))) == [YES]
        assert venue.notes == [f"book of token {NO}: bids: the price '1.5' is not between 0 and 1"]

    @pytest.mark.parametrize("document", [{}, 1, "none"])
    def test_an_answer_that_is_no_list_is_a_fault(
        self, document: Any, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve()
        server.fail("/books", Fault(body=json.dumps(document).encode()))
        venue = open_venue(server)
        with pytest.raises(VenueUnreachable, match="the answer is not a list of books"):
            venue.books(tokens([YES]))

    @pytest.mark.parametrize(
        "nothing",
        [
            Fault(status=404, body=b'{"error": "No orderbook exists for the requested token id"}'),
            Fault(body=b"null"),
            Fault(body=b"[]"),
        ],
        ids=["404", "null", "empty"],
    )
    def test_a_venue_that_knows_none_of_them_has_no_books(
        self, nothing: Fault, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve()
        server.fail("/books", nothing)
        assert open_venue(server).books(tokens([YES])) == {}


class TestArchive:
    def test_what_was_returned_is_kept_once_and_reads_back_the_same(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        venue = open_venue(serve(books=[rest_book()], markets=[gamma_row()]))
        markets = venue.markets([CONDITION, YES, "512345"])
        books = venue.books(tokens([YES]))
        venue.books(tokens([YES]))
        kept: dict[PayloadKind, Payload] = {}
        for payload in venue.payloads():
            assert payload.kind not in kept
            assert payload.payload_id == sha256(payload.body).hexdigest()
            kept[payload.kind] = payload
        book, row = kept[PayloadKind.BOOK], kept[PayloadKind.MARKET]
        assert (book.subject, row.subject) == (YES, CONDITION)
        read = parse_book(
            decode(book.body.decode()), received_at=books[TokenId(YES)].received_at, recorded=False
        )
        assert read == books[TokenId(YES)]
        assert parse_market(decode(row.body.decode()), recorded=False) == markets[CONDITION]

    def test_it_is_handed_over_once_and_again_after_it_was_read_again(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        venue = open_venue(serve(books=[rest_book()]))
        venue.books(tokens([YES]))
        first = list(venue.payloads())
        assert list(venue.payloads()) == []
        venue.books(tokens([YES]))
        assert list(venue.payloads()) == first


def test_the_settings_say_where_the_venue_is_and_how_patient_we_are(serve: Serve, tmp_path: Any) -> None:
    server = serve(books=[numbered_book(number) for number in range(3)])
    environ = {
        "BETTEROMS_HOME": str(tmp_path),
        "BETTEROMS_CLOB_URL": server.url,
        "BETTEROMS_GAMMA_URL": server.url,
        "BETTEROMS_BOOKS_PER_REQUEST": "2",
        "BETTEROMS_HTTP_ATTEMPTS": "2",
    }
    settings = load(environ, cwd=tmp_path)
    with Polymarket.open(settings, clock=StepClock()) as venue:
        assert len(venue.books(tokens(numbered_token(number, 0) for number in range(3)))) == 3
        server.fail_always("/books", Fault(status=500))
        with pytest.raises(VenueUnreachable, match="2 attempts"):
            venue.books(tokens(["1"]))
    assert [len(asked.body) for asked in server.asked] == [2, 1, 1, 1]


def test_a_condition_id_of_31_bytes_names_the_market_that_pads_it(
    serve: Serve, open_venue: OpenVenue
) -> None:
    padded = numbered_condition(1)[:-2] + "00"
    short = padded[:-2]
    server = serve()
    answer = {"markets": [gamma_row(conditionId=padded)]}
    server.fail("/markets/keyset", Fault(body=json.dumps(answer).encode()))
    assert open_venue(server).markets([short])[short].market_id == padded


def test_a_client_that_was_handed_over_stays_open(serve: Serve) -> None:
    server = serve(books=[rest_book()])
    with httpx.Client() as client:
        with Polymarket(server.url, server.url, clock=StepClock(), client=client) as venue:
            venue.books(tokens([YES]))
        assert not client.is_closed


def test_a_gamma_that_says_it_has_none_of_them_has_none(serve: Serve, open_venue: OpenVenue) -> None:
    server = serve(markets=[gamma_row()])
    server.fail_always("/markets/keyset", Fault(status=404, body=b'{"error": "not found"}'))
    assert open_venue(server).markets([CONDITION]) == {}
