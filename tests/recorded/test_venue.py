"""A directory of recordings, asked as the venue is."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from betteroms.adapters.exact_json import decode
from betteroms.adapters.polymarket.parse import parse_book, parse_market
from betteroms.adapters.recorded.venue import RecordedVenue
from betteroms.domain.book import HashCheck
from betteroms.domain.errors import RecordingUnreadable
from betteroms.domain.fees import ASSUMED, FREE, FeeSchedule
from betteroms.domain.ids import TokenId
from betteroms.domain.market import Outcome
from betteroms.ports import PayloadKind
from tests.polymarket.samples import (
    CONDITION,
    NO,
    NOW,
    YES,
    StepClock,
    clob_row,
    gamma_row,
    info_row,
    legacy_ws_book,
    numbered_book,
    numbered_gamma_row,
    rest_book,
    without,
    ws_book,
)

Record = Callable[..., RecordedVenue]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes documents into files named by the keywords, in their order, and opens the directory."""

    def recorded(**documents: Any) -> RecordedVenue:
        for number, (name, document) in enumerate(documents.items()):
            (tmp_path / f"{number:02d}-{name}.json").write_text(json.dumps(document))
        return RecordedVenue(tmp_path, parse_book=parse_book, parse_market=parse_market, clock=StepClock())

    return recorded


def tokens(*names: str) -> list[TokenId]:
    return [TokenId(name) for name in names]


def best_bid(venue: RecordedVenue, token: str = YES) -> int | None:
    book = venue.books(tokens(token)).get(TokenId(token))
    return book.best_bid if book else None


def reasons(venue: RecordedVenue) -> Iterable[str]:
    return [ignored.reason for ignored in venue.ignored]


class TestWhereBooksAreFound:
    @pytest.mark.parametrize(
        "document",
        [
            rest_book(),
            [rest_book()],
            [[rest_book()], {"price_changes": []}],
            {"book": rest_book(), "verified": True},
            [{"note": "a vector"}, {"book": rest_book(), "hash": "…"}],
            {"data": [rest_book()]},
            {"books": {YES: rest_book()}},
            ws_book(),
            legacy_ws_book(),
            without(legacy_ws_book(), "hash", "timestamp", "event_type"),
        ],
        ids=[
            "single", "list", "frames", "wrapped", "vectors", "page", "by token", "websocket", "2025", "bare",
        ],
    )  # fmt: skip
    def test_in_any_wrapping(self, document: Any, record: Record) -> None:
        venue = record(some=document)
        assert best_bid(venue) == 480_000
        assert venue.ignored == []
        assert list(venue.token_ids) == [YES]

    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            ({"history": [{"t": 1, "p": 0.5}]}, "it has history"),
            ({}, ""),
            ([], ""),
            (5, ""),
            ([[{"a": 1, "b": 2}]], "it has a, b"),
            (dict.fromkeys("abcdefgh", 0), "it has a, b, c, d, e, f, …"),
            (
                {"event_type": "price_change", "price_changes": [{"asset_id": YES}]},
                "it has event_type, price",
            ),
            ({"asset_id": YES, "bids": [], "asks": []} | {"event_type": "tick"}, "it has asset_id, bids"),
            ({"asset_id": YES, "bids": 0.4, "asks": 0.5}, "it has asset_id, bids, asks"),
            ({"ticker": "K", "orderbook": {"yes": None, "no": None}}, "it has ticker, orderbook"),
        ],
    )
    def test_what_holds_none_is_named_with_what_it_has_instead(
        self, document: Any, reason: str, record: Record
    ) -> None:
        venue = record(good=rest_book(), other=document)
        assert [ignored.file for ignored in venue.ignored] == ["01-other.json"]
        assert venue.ignored[0].reason.startswith("no order book and no market row in it")
        assert reason in venue.ignored[0].reason

    def test_not_deeper_than_anyone_records(self, record: Record) -> None:
        document: Any = rest_book()
        for _ in range(9):
            document = [document]
        assert list(record(deep=document).token_ids) == []

    def test_unreadable_files_are_named_beside_readable_ones(self, record: Record, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text('{"bids": [')
        (tmp_path / "b.csv").write_text("bids,asks")
        venue = record(good=rest_book())
        assert best_bid(venue) == 480_000
        assert [(ignored.file, ignored.reason) for ignored in venue.ignored] == [
            ("a.json", "it ends in the middle (truncated JSON)"),
            ("b.csv", "not a recording: its name does not end in .json, .jsonl, .json.gz, .jsonl.gz"),
        ]

    def test_without_a_directory_there_is_no_recording(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingUnreadable):
            RecordedVenue(
                tmp_path / "none", parse_book=parse_book, parse_market=parse_market, clock=StepClock()
            )


class TestWhichBookCounts:
    def test_the_one_stamped_later_wherever_it_is(self, record: Record) -> None:
        later = rest_book(bids="0.30x1", timestamp="1795176000000")
        venue = record(a=rest_book(), b=later, c=rest_book(bids="0.20x1"))
        assert best_bid(venue) == 300_000

    def test_of_two_with_one_stamp_the_one_further_down(self, record: Record) -> None:
        venue = record(a=[rest_book(bids="0.10x1"), rest_book(bids="0.20x1")], b=rest_book(bids="0.30x1"))
        assert best_bid(venue) == 300_000

    @pytest.mark.parametrize("stamp", [None, "", "soon", "9" * 30, {}])
    def test_one_without_a_usable_stamp_only_against_its_like(self, stamp: Any, record: Record) -> None:
        venue = record(a=rest_book(), b=rest_book(hash="") | {"bids": [], "timestamp": stamp})
        assert best_bid(venue) == 480_000

    def test_one_that_makes_no_sense_is_told_once_asked_for(self, record: Record) -> None:
        venue = record(a=rest_book(bids="1.5x1"), b=rest_book(asset_id=NO))
        assert venue.ignored == []
        assert list(venue.books(tokens(YES, NO))) == [NO]
        venue.books(tokens(YES))
        assert [(ignored.file, ignored.reason) for ignored in venue.ignored] == [
            ("00-a.json", f"book of token {YES}: bids: the price '1.5' is not between 0 and 1")
        ]

    def test_a_recorded_book_says_so_and_was_read_now(self, record: Record) -> None:
        book = record(a=rest_book()).books(tokens(YES))[TokenId(YES)]
        assert book.recorded
        assert not book.mirrored
        assert book.received_at > NOW
        assert book.hash_check is HashCheck.VERIFIED
        assert (book.tick_size, book.minimum_size) == (10_000, 5_000_000)

    def test_a_token_that_was_not_recorded_is_absent(self, record: Record) -> None:
        assert record(a=rest_book()).books(tokens(NO)) == {}


class TestMirroring:
    def test_a_token_without_a_book_has_its_complements(self, record: Record) -> None:
        venue = record(a=rest_book(), m=gamma_row())
        book = venue.books(tokens(NO))[TokenId(NO)]
        assert book.mirrored
        assert (book.token_id, book.best_bid, book.best_ask) == (NO, 480_000, 520_000)
        assert [level.price for level in book.asks] == [520_000, 600_000]
        assert [level.size for level in book.asks] == [100_000_000, 20_000_000]
        (kept,) = venue.payloads()
        assert (kept.payload_id, kept.subject) == (book.book_id, YES)

    def test_a_book_of_its_own_comes_first(self, record: Record) -> None:
        venue = record(a=rest_book(), b=rest_book(asset_id=NO, bids="0.01x1"), m=gamma_row())
        assert best_bid(venue, NO) == 10_000

    def test_a_book_of_its_own_that_makes_no_sense_does_not(self, record: Record) -> None:
        venue = record(a=rest_book(), b=rest_book(asset_id=NO, bids="7x1"), m=gamma_row())
        assert venue.books(tokens(NO))[TokenId(NO)].mirrored

    def test_without_a_row_nobody_knows_the_complement(self, record: Record) -> None:
        assert record(a=rest_book()).books(tokens(NO)) == {}

    def test_neither_is_there(self, record: Record) -> None:
        assert record(m=gamma_row()).books(tokens(YES, NO)) == {}


class TestMarkets:
    @pytest.mark.parametrize(
        "name", ["will-it-rain-in-lisbon", "512345", CONDITION, CONDITION.upper(), YES, NO]
    )
    def test_they_are_found_by_any_of_their_names(self, name: str, record: Record) -> None:
        venue = record(m={"markets": [numbered_gamma_row(1), gamma_row()]})
        market = venue.markets([name])[name]
        assert market.market_id == CONDITION
        assert market.recorded
        assert market.fees == FeeSchedule(rate=70_000)

    def test_a_condition_id_of_31_bytes_may_be_padded(self, record: Record) -> None:
        padded = "0x" + "ab" * 31 + "00"
        assert list(record(m=gamma_row(conditionId=padded)).markets([padded[:-2]])) == [padded[:-2]]
        assert list(record(m=gamma_row(conditionId=padded[:-2])).markets([padded])) == [padded]

    @pytest.mark.parametrize(
        "name", ["Will-It-Rain-In-Lisbon", "other", "1", "0xdead", "9" * 77, "", "x" * 5_000]
    )
    def test_what_nothing_is_called_is_absent(self, name: str, record: Record) -> None:
        assert record(m=gamma_row(), b=rest_book()).markets([name]) == {}

    @pytest.mark.parametrize(
        "document",
        [
            gamma_row(),
            [gamma_row()],
            {"data": [clob_row()], "next_cursor": "LTE="},
            {"events": [{"slug": "lisbon-weather", "markets": [gamma_row()]}]},
            {"slug": "lisbon-weather", "markets": [gamma_row()]},
            {"slug": "x", "condition_id": CONDITION, "raw": gamma_row()},
        ],
        ids=["single", "list", "page", "events", "event", "wrapped"],
    )
    def test_rows_are_found_in_any_wrapping(self, document: Any, record: Record) -> None:
        venue = record(m=document)
        assert list(venue.markets(["will-it-rain-in-lisbon"])) == ["will-it-rain-in-lisbon"]
        assert venue.ignored == []

    def test_a_row_that_cannot_be_traded_is_told_once_asked_for(self, record: Record) -> None:
        venue = record(m=gamma_row(clobTokenIds=None), b=rest_book())
        assert venue.ignored == []
        for _ in range(2):
            assert venue.markets([CONDITION, "will-it-rain-in-lisbon", YES]) == {}
        assert reasons(venue) == [f"market {CONDITION}: clobTokenIds: missing"]

    def test_a_row_that_cannot_be_traded_hides_no_other(self, record: Record) -> None:
        broken = numbered_gamma_row(1)
        broken["clobTokenIds"] = "no list"
        venue = record(m=[broken, gamma_row()])
        assert list(venue.markets([YES])) == [YES]
        assert venue.ignored == []


class TestWhichRowCounts:
    def test_the_later_of_two_equals(self, record: Record) -> None:
        venue = record(a=gamma_row(orderMinSize=7), b=[gamma_row(orderMinSize=8), gamma_row(orderMinSize=9)])
        assert venue.markets([CONDITION])[CONDITION].minimum_size == 9_000_000

    @pytest.mark.parametrize(
        "worse",
        [
            clob_row(),
            info_row(),
            without(clob_row(), "minimum_tick_size", "minimum_order_size"),
            without(gamma_row(), "feesEnabled", "feeSchedule"),
        ],
        ids=["clob", "info", "simplified", "gamma without fees"],
    )
    def test_gammas_with_its_fees_before_any_other(self, worse: Any, record: Record) -> None:
        venue = record(a=gamma_row(), b=worse)
        market = venue.markets([CONDITION])[CONDITION]
        assert market.fees == FeeSchedule(rate=70_000)
        assert market.minimum_size == 5_000_000

    def test_the_full_row_of_the_clob_before_its_simplified_one(self, record: Record) -> None:
        simplified = without(clob_row(), "minimum_tick_size", "minimum_order_size", "market_slug")
        market = record(a=clob_row(), b=simplified).markets([CONDITION])[CONDITION]
        assert market.minimum_size == 15_000_000
        assert market.fees == FREE

    @pytest.mark.parametrize(
        "row", [clob_row(), without(gamma_row(), "feesEnabled", "feeSchedule")], ids=["clob", "gamma"]
    )
    def test_a_row_without_fees_takes_those_of_the_clobs_info(self, row: Any, record: Record) -> None:
        venue = record(a=info_row(), b=row)
        market = venue.markets([CONDITION])[CONDITION]
        assert market.slug == "will-it-rain-in-lisbon"
        assert market.fees == FeeSchedule(rate=50_000)
        (kept,) = venue.payloads()
        assert parse_market(decode(kept.body.decode()), recorded=True, payload=kept.body) == market

    def test_an_info_alone_is_a_market(self, record: Record) -> None:
        market = record(a=info_row()).markets([CONDITION])[CONDITION]
        assert (market.name, market.fees) == (CONDITION, FeeSchedule(rate=50_000))

    def test_a_row_that_has_no_fee_field_has_no_fees(self, record: Record) -> None:
        row = without(gamma_row(), "feesEnabled", "feeSchedule")
        assert record(a=row).markets([CONDITION])[CONDITION].fees == FREE


class TestMarketsWithoutRows:
    def test_two_books_make_a_market_with_assumed_fees(self, record: Record) -> None:
        venue = record(b=[rest_book(neg_risk=True, hash=""), rest_book(asset_id=NO)])
        found = venue.markets([YES, CONDITION, CONDITION.upper()])
        market = found[YES]
        assert set(found.values()) == {market}
        assert market.outcomes == (
            Outcome(token_id=TokenId(NO), label="303535"),
            Outcome(token_id=TokenId(YES), label="062862"),
        )
        assert (market.slug, market.question, market.gamma_id, market.row_id) == (None, None, None, None)
        assert (market.tick_size, market.minimum_size) == (10_000, 5_000_000)
        assert market.fees == ASSUMED
        assert market.neg_risk
        assert market.tradable
        assert market.recorded

    def test_one_book_makes_a_market_with_one_outcome(self, record: Record) -> None:
        market = record(b=legacy_ws_book()).markets([YES])[YES]
        assert [outcome.token_id for outcome in market.outcomes] == [YES]
        assert (market.tick_size, market.minimum_size, market.neg_risk) == (None, None, False)

    def test_more_than_two_tokens_make_none(self, record: Record) -> None:
        venue = record(b=[rest_book(asset_id=token) for token in ("1", "2", "3")])
        assert venue.markets(["2"]) == {}
        assert reasons(venue) == [f"3 tokens say that they are outcomes of market {CONDITION}"]

    def test_a_book_that_makes_no_sense_makes_none(self, record: Record) -> None:
        venue = record(b=[rest_book(bids="2x1"), numbered_book(1) | {"market": "none"}])
        assert venue.markets([YES, *venue.token_ids]) == {}
        assert len(venue.ignored) == 2

    def test_a_row_that_does_not_know_the_token_is_not_overruled(self, record: Record) -> None:
        stranger = "8" * 77
        venue = record(m=gamma_row(), b=rest_book(asset_id=stranger))
        assert venue.markets([stranger]) == {}


class TestArchive:
    def test_what_was_returned_is_kept_once_and_reads_back_the_same(self, record: Record) -> None:
        venue = record(b=[rest_book(), numbered_book(1)], m=[gamma_row(), numbered_gamma_row(1)])
        market = venue.markets([CONDITION, YES])[YES]
        book = venue.books(tokens(YES, NO))[TokenId(YES)]
        venue.books(tokens(YES))
        row, kept = venue.payloads()
        assert (row.kind, row.subject) == (PayloadKind.MARKET, CONDITION)
        assert (kept.kind, kept.subject) == (PayloadKind.BOOK, YES)
        assert kept.payload_id == sha256(kept.body).hexdigest()
        assert parse_market(decode(row.body.decode()), recorded=True) == market
        read = parse_book(decode(kept.body.decode()), received_at=book.received_at, recorded=True)
        assert read == book

    def test_it_is_handed_over_once_and_again_after_it_was_read_again(self, record: Record) -> None:
        venue = record(b=rest_book())
        venue.books(tokens(YES))
        first = list(venue.payloads())
        assert list(venue.payloads()) == []
        venue.books(tokens(YES))
        assert list(venue.payloads()) == first

    def test_the_same_files_give_the_same_books(self, record: Record, tmp_path: Path) -> None:
        first = record(b=rest_book()).books(tokens(YES))[TokenId(YES)]
        again = record(b=rest_book()).books(tokens(YES))[TokenId(YES)]
        assert replace(again, received_at=first.received_at) == first


@pytest.mark.parametrize("depth", [300, 900, 5_000])
def test_a_document_as_deep_as_a_well_is_read_or_told_but_breaks_nothing(
    depth: int, record: Record, tmp_path: Path
) -> None:
    well = "[" * depth + "0.5" + "]" * depth
    (tmp_path / "well.json").write_text(json.dumps(rest_book())[:-1] + f', "extra": {well}}}')
    venue = record(m=gamma_row())
    found = venue.books(tokens(YES))
    # How deep is too deep depends on the interpreter.
    assert bool(found) != bool(venue.ignored)


def test_a_run_over_recordings_loads_no_network_and_no_unpacking() -> None:
    loads = "import sys, betteroms.adapters.polymarket.parse, betteroms.adapters.recorded.venue"
    heavy = "{'httpx', 'stamina', 'gzip', 'ssl'} & sys.modules.keys()"
    done = subprocess.run(
        [sys.executable, "-c", f"{loads}; sys.exit(str({heavy} or ''))"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.stderr.strip() == ""
