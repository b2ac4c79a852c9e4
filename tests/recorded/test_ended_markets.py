"""Recordings of markets that ended: which of several rows counts, and what it takes from the others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from betteroms.adapters.exact_json import decode
from betteroms.adapters.polymarket.parse import parse_book, parse_market
from betteroms.adapters.polymarket.venue import Polymarket
from betteroms.adapters.recorded.venue import RecordedVenue
from betteroms.domain.fees import FREE, FeeSchedule
from betteroms.domain.market import Market
from tests.polymarket.samples import (
    CONDITION,
    NO,
    YES,
    StepClock,
    clob_row,
    gamma_row,
    info_row,
    over_clob_row,
    resolved_row,
    without,
)
from tests.venue_server import VenueServer

YES_WON = (1_000_000, 0)
NO_WON = (0, 1_000_000)
EARLIER = "2026-11-20T11:00:00.123456Z"
LATER = "2026-11-20T12:00:00Z"

Read = Callable[..., Market]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The market that a directory with these rows has, each row in a file of its own."""

    def market(*rows: Any) -> Market:
        for number, row in enumerate(rows):
            (tmp_path / f"{number:02d}.json").write_text(json.dumps(row))
        venue = RecordedVenue(tmp_path, parse_book=parse_book, parse_market=parse_market, clock=StepClock())
        found: Market = venue.markets([CONDITION])[CONDITION]
        assert venue.ignored == []
        # Whatever was put together: what is kept gives the same market again.
        (kept,) = venue.payloads()
        assert parse_market(decode(kept.body.decode()), recorded=True, payload=kept.body) == found
        return found

    return market


def both_ways(read: Read, older: Any, newer: Any) -> Market:
    """The market, whichever of the two files is met first."""
    market = read(older, newer)
    assert read(newer, older) == market
    return market


class TestWhichRowCounts:
    def test_of_two_stamped_rows_the_one_changed_later(self, read: Read) -> None:
        older, newer = gamma_row(updatedAt=EARLIER), resolved_row(updatedAt=LATER)
        assert both_ways(read, older, newer).payouts == YES_WON
        # Even where the later one takes something back.
        assert not both_ways(read, resolved_row(updatedAt=EARLIER), gamma_row(updatedAt=LATER)).closed

    def test_stamps_are_compared_as_moments_and_not_as_text(self, read: Read) -> None:
        newer = gamma_row(orderMinSize=7, updatedAt="2026-11-20 11:30:00+00")
        assert (
            both_ways(read, gamma_row(updatedAt="2026-11-20T12:00:00+01:00"), newer).minimum_size == 7_000_000
        )

    @pytest.mark.parametrize("stamp", [None, "", "soon", 5, {}])
    def test_a_stamp_that_is_none_decides_nothing(self, stamp: Any, read: Read) -> None:
        first, last = gamma_row(orderMinSize=7, updatedAt=LATER), gamma_row(orderMinSize=8, updatedAt=stamp)
        assert read(first, last).minimum_size == 8_000_000

    @pytest.mark.parametrize("older", [gamma_row(), gamma_row(closed=True), clob_row(), info_row()])
    def test_without_stamps_the_row_of_a_market_that_came_further(self, older: Any, read: Read) -> None:
        assert both_ways(read, older, resolved_row("0", "1")).payouts == NO_WON

    @pytest.mark.parametrize(
        "older",
        [gamma_row(), resolved_row(umaResolutionStatus="proposed"), clob_row(), over_clob_row(None, None)],
    )
    def test_the_clobs_row_ends_a_market_that_gamma_has_open(self, older: Any, read: Read) -> None:
        market = both_ways(read, older, over_clob_row(False, True))
        assert (market.closed, market.resolved, market.payouts) == (True, True, NO_WON)
        assert market.slug == "will-it-rain-in-lisbon"

    def test_a_row_without_a_name_ends_no_market_that_has_one(self, read: Read) -> None:
        simplified = without(over_clob_row(True, False), "minimum_tick_size", "market_slug", "question")
        assert not both_ways(read, gamma_row(), simplified).closed
        assert both_ways(read, simplified, without(simplified)).payouts == YES_WON

    def test_of_equals_the_last(self, read: Read) -> None:
        assert read(resolved_row(), resolved_row("0", "1")).payouts == NO_WON


class TestWhatIsTakenFromTheOthers:
    def test_a_newer_row_that_says_nothing_of_fees_keeps_those_of_the_older(self, read: Read) -> None:
        newer = without(gamma_row(updatedAt=LATER, orderMinSize=7), "feesEnabled", "feeSchedule")
        market = both_ways(read, gamma_row(updatedAt=EARLIER), newer)
        assert (market.minimum_size, market.fees) == (7_000_000, FeeSchedule(rate=70_000))

    def test_a_closed_market_is_not_asked_for_fees(self, read: Read) -> None:
        row = without(resolved_row(), "feesEnabled", "feeSchedule")
        assert both_ways(read, info_row(), row).fees == FREE

    @pytest.mark.parametrize("simplified", [False, True])
    def test_a_resolved_row_without_final_prices_takes_the_clobs_winner(
        self, simplified: bool, read: Read
    ) -> None:
        clob = over_clob_row(False, True)
        if simplified:
            clob = without(clob, "minimum_tick_size", "market_slug")
        market = both_ways(read, clob, resolved_row("0", "0"))
        assert (market.resolved, market.payouts, market.gamma_id) == (True, NO_WON, "512345")

    def test_a_winner_that_is_recorded_later_counts(self, read: Read) -> None:
        nobody = over_clob_row(False, False)
        assert read(nobody, over_clob_row(True, False), nobody, resolved_row("0", "0")).payouts == YES_WON
        assert read(nobody, resolved_row("0.5", "0.5"), nobody, nobody).payouts == (500_000, 500_000)

    def test_rows_that_contradict_each_other_pay_nothing(self, read: Read) -> None:
        market = both_ways(read, over_clob_row(False, True), resolved_row("1", "0"))
        assert (market.resolved, market.payouts) == (True, None)

    def test_an_open_row_of_the_clob_names_nobody(self, read: Read) -> None:
        assert both_ways(read, clob_row(), resolved_row("0", "0")).payouts is None

    def test_tokens_that_are_no_objects_name_nobody(self, read: Read) -> None:
        odd = without(over_clob_row(True, False, tokens=[None, YES, NO]), "minimum_tick_size")
        assert both_ways(read, odd, resolved_row("0", "0")).payouts is None


def test_files_complete_a_resolved_row_as_the_venue_does(read: Read, tmp_path: Path) -> None:
    row, clob = resolved_row("0", "0"), over_clob_row(True, False)
    read(row, clob)
    files = RecordedVenue(tmp_path, parse_book=parse_book, parse_market=parse_market, clock=StepClock())
    files.markets([CONDITION])
    with (
        VenueServer(markets=[row], clob_markets=[clob]) as server,
        Polymarket(server.url, server.url, clock=StepClock()) as venue,
    ):
        venue.markets([CONDITION])
        assert list(venue.payloads()) == list(files.payloads())
