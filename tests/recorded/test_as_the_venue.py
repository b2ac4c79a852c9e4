"""One promise, two keepers: files answer what the venue that they were recorded from answers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.adapters.polymarket.parse import parse_book, parse_market
from betteroms.adapters.polymarket.venue import Polymarket
from betteroms.adapters.recorded.venue import RecordedVenue
from betteroms.domain.book import Book
from betteroms.domain.ids import TokenId
from betteroms.domain.market import Market
from tests.polymarket.samples import (
    CONDITION,
    NO,
    NOW,
    YES,
    StepClock,
    gamma_row,
    info_row,
    numbered_book,
    numbered_condition,
    numbered_gamma_row,
    numbered_token,
    rest_book,
    without,
)
from tests.venue_server import VenueServer

ROWS: Final = [
    without(gamma_row(), "feesEnabled", "feeSchedule"),
    numbered_gamma_row(1, closed=True),
    numbered_gamma_row(2, negRisk=True, orderPriceMinTickSize=0.001),
    numbered_gamma_row(3, feesEnabled=False),
]
BOOKS: Final = [rest_book(), rest_book(asset_id=NO), numbered_book(1), numbered_book(2, bids="0.5x-1")]
NAMES: Final = [
    "will-it-rain-in-lisbon", CONDITION, YES, "market-1", numbered_condition(2), numbered_token(2, 1),
    "100003", "no-such-market", "0xdead", "9" * 77,
]  # fmt: skip
TOKENS: Final = [YES, NO, numbered_token(1, 0), numbered_token(2, 0), "9" * 77]

Venue = Polymarket | RecordedVenue


@pytest.fixture
def over_http() -> Iterator[Venue]:
    with (
        VenueServer(books=BOOKS, markets=ROWS, infos=[info_row()]) as server,
        Polymarket(server.url, server.url, clock=StepClock()) as venue,
    ):
        yield venue


@pytest.fixture
def from_files(tmp_path: Path) -> Venue:
    for name, document in {"books": BOOKS, "markets": {"markets": ROWS}, "infos": [info_row()]}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    return RecordedVenue(tmp_path, parse_book=parse_book, parse_market=parse_market, clock=StepClock())


@pytest.fixture(params=["over_http", "from_files"])
def venue(request: pytest.FixtureRequest) -> Venue:
    keeper: Venue = request.getfixturevalue(request.param)
    return keeper


def markets(venue: Venue, names: list[str]) -> Mapping[str, Market]:
    return {name: replace(market, recorded=False) for name, market in venue.markets(names).items()}


def books(venue: Venue, names: list[str]) -> Mapping[TokenId, Book]:
    found = venue.books([TokenId(name) for name in names])
    return {token: replace(book, recorded=False, received_at=NOW) for token, book in found.items()}


def test_both_find_the_same_markets_and_books(over_http: Venue, from_files: Venue) -> None:
    assert markets(over_http, NAMES) == markets(from_files, NAMES)
    assert books(over_http, TOKENS) == books(from_files, TOKENS)


def test_both_keep_the_same_of_what_they_read(over_http: Venue, from_files: Venue) -> None:
    def kept(venue: Venue) -> list[Any]:
        venue.markets(NAMES)
        venue.books([TokenId(token) for token in TOKENS])
        return sorted(venue.payloads(), key=lambda payload: payload.payload_id)

    assert kept(over_http) == kept(from_files)


def test_names_without_a_market_are_absent(venue: Venue) -> None:
    assert list(venue.markets(NAMES)) == NAMES[:7]


def test_two_names_of_one_market_are_one_market(venue: Venue) -> None:
    found = venue.markets([CONDITION, YES, NO])
    assert set(found.values()) == {found[YES]}


def test_tokens_without_a_usable_book_are_absent(venue: Venue) -> None:
    assert list(venue.books([TokenId(token) for token in TOKENS])) == TOKENS[:3]


def test_every_book_and_market_names_what_was_kept_of_it(venue: Venue) -> None:
    found = venue.markets(NAMES)
    read = venue.books([TokenId(token) for token in TOKENS])
    kept = {payload.payload_id for payload in venue.payloads()}
    assert kept == {market.row_id for market in found.values()} | {book.book_id for book in read.values()}


def test_nothing_is_read_of_nothing(venue: Venue) -> None:
    assert (venue.markets([]), venue.books([]), list(venue.payloads())) == ({}, {}, [])
