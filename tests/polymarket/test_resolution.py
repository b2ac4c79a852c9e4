"""How a market ended, as its rows tell it: final, doubtful, or against each other."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from betteroms.adapters.exact_json import decode
from betteroms.adapters.polymarket.clob import WINNERS_ASKED_MAX
from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.parse import market_payload, parse_market
from betteroms.adapters.polymarket.resolution import WINNERS, needs_winners, told_winners
from betteroms.domain.market import Market
from tests.polymarket.conftest import OpenVenue, Serve
from tests.polymarket.samples import (
    CONDITION,
    NO,
    YES,
    clob_row,
    clob_tokens,
    gamma_row,
    info_row,
    numbered_condition,
    numbered_gamma_row,
    over_clob_row,
    resolved_row,
    without,
)
from tests.venue_server import Fault

YES_WON = (1_000_000, 0)
NO_WON = (0, 1_000_000)
HALVES = (500_000, 500_000)
POSITIONS = [str((1 << 248) + (77 << 104) + outcome) for outcome in (0, 1)]


def parsed(row: dict[str, Any]) -> Market:
    return parse_market(decode(json.dumps(row)), recorded=False)


def won(yes: Any, no: Any) -> list[dict[str, Any]]:
    return [{"token_id": YES, "winner": yes}, {"token_id": NO, "winner": no}]


def ended(row: dict[str, Any]) -> tuple[bool, tuple[int, ...] | None]:
    market = parsed(row)
    return market.resolved, market.payouts


class TestGamma:
    @pytest.mark.parametrize(
        ("prices", "payouts"),
        [
            (["1", "0"], YES_WON),
            (["0", "1"], NO_WON),
            (["1.0", "0.000000"], YES_WON),
            (["0.5", "0.5"], HALVES),
            (["0.25", "0.75"], (250_000, 750_000)),
            (["0.999999", "0.000001"], (999_999, 1)),
            (["0", "0"], None),
            (["1", "1"], None),
            (["0.5", "0.4"], None),
            (["1.5", "-0.5"], None),
            (
                ["0.00000005531106223830049992568207221142695", "0.99999994468893776169950007431792778857"],
                None,
            ),
            (["1"], None),
            (["1", "0", "0"], None),
            (["1", None], None),
            (["one", "none"], None),
            (["1", True], None),
            ([["1"], "0"], None),
        ],
    )
    def test_a_resolved_market_pays_prices_that_are_exact_and_sum_to_one(
        self, prices: list[Any], payouts: tuple[int, ...] | None
    ) -> None:
        assert ended(resolved_row(outcomePrices=json.dumps(prices))) == (True, payouts)
        assert ended(resolved_row(outcomePrices=prices)) == (True, payouts)

    @pytest.mark.parametrize("prices", [None, "", "[", "{}", 5, "null"])
    def test_without_prices_it_is_resolved_and_pays_nothing_yet(self, prices: Any) -> None:
        assert ended(resolved_row(outcomePrices=prices)) == (True, None)
        assert ended(without(resolved_row(), "outcomePrices")) == (True, None)

    @pytest.mark.parametrize("status", [None, "", "proposed", "disputed", "RESOLVED!", True, ["resolved"]])
    def test_a_closed_market_is_not_resolved_by_its_prices(self, status: Any) -> None:
        assert ended(resolved_row(umaResolutionStatus=status)) == (False, None)
        assert ended(without(resolved_row(), "umaResolutionStatus")) == (False, None)

    def test_an_open_market_never_pays_whatever_else_it_says(self) -> None:
        assert ended(resolved_row(closed=False)) == (True, None)
        assert ended(without(resolved_row(), "closed")) == (True, None)
        assert ended(gamma_row()) == (False, None)

    def test_the_newer_protocol_has_a_status_of_its_own(self) -> None:
        row = without(resolved_row("0", "1", positionIds=POSITIONS, version="v2"), "umaResolutionStatus")
        assert ended(row | {"resolutionStatus": "resolved"}) == (True, NO_WON)
        assert ended(row | {"resolutionStatus": "active"}) == (False, None)
        assert ended(row | {"resolutionStatus": "resolved", "umaResolutionStatus": ""}) == (True, NO_WON)

    def test_two_statuses_that_differ_pay_nothing(self) -> None:
        assert ended(resolved_row(resolutionStatus="active")) == (True, None)
        assert ended(resolved_row(resolutionStatus="resolved")) == (True, YES_WON)

    def test_a_market_that_still_takes_orders_may_be_resolved_all_the_same(self) -> None:
        assert ended(resolved_row(acceptingOrders=True)) == (True, YES_WON)


class TestGammaWithWinners:
    @pytest.mark.parametrize(
        ("prices", "winners", "payouts"),
        [
            (["0", "0"], won(True, False), YES_WON),
            (["0", "0"], won(False, True), NO_WON),
            (["0.00000005", "0.99999995"], won(False, True), NO_WON),
            (["0.995", "0.005"], won(True, False), YES_WON),
            (["0.5", "0.5"], won(False, False), HALVES),
            (["0.3", "0.7"], won(False, False), (300_000, 700_000)),
            (["0", "0"], won(False, False), None),
            (["1", "0"], won(True, False), YES_WON),
            (["1", "0"], won(False, False), YES_WON),
            # Against each other.
            (["1", "0"], won(False, True), None),
            (["0.995", "0.005"], won(False, True), None),
            (["0.00000005", "0.99999995"], won(True, False), None),
            (["0.5", "0.5"], won(True, False), None),
            (["0", "0"], won(True, True), None),
            # Nothing that names a winner of this market.
            (["0", "0"], [], None),
            (["0", "0"], {}, None),
            (["0", "0"], ["Yes"], None),
            (["0", "0"], won(True, False)[:1], None),
            (["0", "0"], [*won(True, False), {"token_id": "3", "winner": False}], None),
            (["0", "0"], [{"token_id": "3", "winner": True}, *won(True, False)[1:]], None),
            (["0", "0"], won(True, None), None),
            (["0", "0"], won("true", "false"), None),
            (["NaN", "0"], won(True, False), YES_WON),
            (["1"], won(True, False), YES_WON),
            # It could not be asked: only what speaks for itself pays.
            (["1", "0"], None, YES_WON),
            (["0.5", "0.5"], None, None),
            (["0.995", "0.005"], None, None),
            (["0", "0"], None, None),
        ],
    )
    def test_who_won_is_heard_first_and_never_overrules_what_contradicts_it(
        self, prices: list[str], winners: Any, payouts: tuple[int, ...] | None
    ) -> None:
        row = resolved_row(outcomePrices=json.dumps(prices)) | {WINNERS: winners}
        assert ended(row) == (True, payouts)

    def test_a_winner_alone_resolves_nothing(self) -> None:
        row = resolved_row(umaResolutionStatus="proposed") | {WINNERS: won(True, False)}
        assert ended(row) == (False, None)
        assert ended(resolved_row(closed=False) | {WINNERS: won(True, False)}) == (True, None)

    @pytest.mark.parametrize(
        ("row", "needs"),
        [
            (resolved_row(), False),
            (resolved_row("0", "1"), False),
            (resolved_row("0.5", "0.5"), True),
            (resolved_row("0", "0"), True),
            (resolved_row(outcomePrices=None), True),
            (resolved_row("0", "0", closed=False), False),
            (resolved_row("0", "0", umaResolutionStatus="proposed"), False),
            (gamma_row(), False),
        ],
    )
    def test_the_order_book_is_asked_where_no_price_names_the_winner(
        self, row: dict[str, Any], needs: bool
    ) -> None:
        assert needs_winners(decode(json.dumps(row))) is needs


class TestClob:
    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            (over_clob_row(True, False), (True, YES_WON)),
            (over_clob_row(False, True), (True, NO_WON)),
            (over_clob_row(True, False, 0, 0), (True, YES_WON)),
            (over_clob_row(True, False, 0.97, 0.03), (True, YES_WON)),
            (over_clob_row(True, False, accepting_orders=True), (True, YES_WON)),
            (over_clob_row(False, False), (False, None)),
            (over_clob_row(False, False, 1, 0), (False, None)),
            (over_clob_row(False, False, 0.5, 0.5, is_50_50_outcome=True), (False, None)),
            (over_clob_row(None, None), (False, None)),
            (over_clob_row(True, True), (True, None)),
            (over_clob_row(True, None), (True, None)),
            (over_clob_row(True, False, 0.03, 0.97), (True, None)),
            (over_clob_row(True, False, is_50_50_outcome=True), (True, None)),
            (over_clob_row(True, False, closed=False), (False, None)),
            (clob_row(), (False, None)),
        ],
    )
    def test_a_closed_row_with_one_winner_pays(
        self, row: dict[str, Any], expected: tuple[bool, tuple[int, ...] | None]
    ) -> None:
        assert ended(row) == expected

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            (over_clob_row(True, False), won(True, False)),
            (over_clob_row(None, None), won(None, None)),
            (clob_row(tokens=clob_tokens(True, False)), None),
            (over_clob_row(True, False, tokens=["1", "2"]), None),
            (over_clob_row(True, False, tokens=None), None),
        ],
    )
    def test_only_a_closed_row_tells_who_won(self, row: dict[str, Any], told: Any) -> None:
        assert told_winners(row) == told

    def test_the_short_info_tells_nothing_of_the_end(self) -> None:
        market = parsed(info_row())
        assert (market.resolved, market.payouts, market.group_id, market.game_starts_at) == (
            False,
            None,
            None,
            None,
        )


class TestGroupsAndGames:
    def test_only_a_market_of_a_neg_risk_group_has_a_group(self) -> None:
        group = "0xAB" + "cd" * 31
        for row, names in (
            (gamma_row(), ("negRisk", "negRiskMarketID")),
            (clob_row(), ("neg_risk", "neg_risk_market_id")),
        ):
            flag, name = names
            assert parsed(row | {flag: True, name: group}).group_id == group.lower()
            assert parsed(row | {flag: False, name: group}).group_id is None
            assert parsed(row | {flag: True, name: ""}).group_id is None
            assert parsed(row | {flag: True}).group_id is None

    @pytest.mark.parametrize(
        ("told", "at"),
        [
            ("2026-01-24 18:45:00+00", datetime(2026, 1, 24, 18, 45, tzinfo=UTC)),
            ("2022-07-15T00:05:00.414Z", datetime(2022, 7, 15, 0, 5, 0, 414_000, tzinfo=UTC)),
            ("2026-01-24T18:45:00+02:00", datetime(2026, 1, 24, 16, 45, tzinfo=UTC)),
            ("", None),
            (None, None),
            ("kick-off", None),
            (1_795_175_999, None),
        ],
    )
    def test_when_a_game_starts_is_read_in_both_services_spellings(
        self, told: Any, at: datetime | None
    ) -> None:
        assert parsed(gamma_row(gameStartTime=told)).game_starts_at == at
        assert parsed(clob_row(game_start_time=told)).game_starts_at == at

    def test_a_book_that_is_not_cleared_when_the_game_starts_has_no_such_moment(self) -> None:
        row = gamma_row(gameStartTime="2026-01-24 18:45:00+00")
        assert parsed(row | {"clearBookOnStart": True}).game_starts_at is not None
        assert parsed(row | {"clearBookOnStart": False}).game_starts_at is None


class TestAtTheVenue:
    @pytest.mark.parametrize("name", [CONDITION, "will-it-rain-in-lisbon", "512345", YES, NO, POSITIONS[1]])
    def test_a_resolved_market_is_found_by_any_of_its_names(
        self, name: str, serve: Serve, open_venue: OpenVenue
    ) -> None:
        newer = {"version": "v2", "positionIds": POSITIONS} if name in POSITIONS else {}
        server = serve(markets=[gamma_row(**newer), numbered_gamma_row(1)])
        venue = open_venue(server)
        assert not venue.markets([name])[name].closed
        server.resolve_market(CONDITION, ("0", "1"))
        market = venue.markets([name])[name]
        assert (market.closed, market.resolved, market.payouts) == (True, True, NO_WON)
        assert set(server.paths()) == {"/markets/keyset"}

    def test_who_won_is_asked_once_where_gamma_does_not_say(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve(markets=[resolved_row("0", "0")], clob_markets=[over_clob_row(True, False)])
        venue = open_venue(server)
        found = venue.markets([CONDITION, YES, NO, "512345"])
        assert {market.payouts for market in found.values()} == {YES_WON}
        assert server.paths().count(f"/markets/{CONDITION}") == 1
        # What is kept gives the same market again: a replay asks nobody.
        (kept,) = venue.payloads()
        assert decode(kept.body.decode())[WINNERS] == won(True, False)
        read = parse_market(decode(kept.body.decode()), recorded=False, payload=kept.body)
        assert read == found[CONDITION]
        assert venue.notes == []

    @pytest.mark.parametrize(
        "known",
        [
            [],
            [over_clob_row(False, False)],
            [over_clob_row(True, False, closed=False)],
            [over_clob_row(True, True)],
            [over_clob_row(True, False, tokens="none")],
        ],
        ids=["unknown", "nobody", "open", "both", "no tokens"],
    )
    def test_a_winner_that_nobody_knows_is_waited_for(
        self, known: list[dict[str, Any]], serve: Serve, open_venue: OpenVenue
    ) -> None:
        venue = open_venue(serve(markets=[resolved_row("0", "0")], clob_markets=known))
        market = venue.markets([CONDITION])[CONDITION]
        assert (market.resolved, market.payouts) == (True, None)

    @pytest.mark.parametrize("answer", [over_clob_row(True, False, condition_id="0xdead"), [], 5, {}])
    def test_an_answer_about_something_else_names_no_winner(
        self, answer: Any, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve(markets=[resolved_row("0", "0")])
        server.fail(f"/markets/{CONDITION}", Fault(body=json.dumps(answer).encode()))
        assert open_venue(server).markets([CONDITION])[CONDITION].payouts is None

    def test_an_order_book_that_is_down_is_asked_no_further_and_fails_nothing(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        over = {"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": '["0.5", "0.5"]'}
        server = serve(markets=[numbered_gamma_row(number, **over) for number in range(5)])
        for number in range(5):
            server.fail_always(f"/markets/{numbered_condition(number)}", Fault(status=400))
        venue = open_venue(server)
        found = venue.markets([numbered_condition(number) for number in range(5)])
        assert [(market.resolved, market.payouts) for market in found.values()] == [(True, None)] * 5
        assert len([path for path in server.paths() if path.startswith("/markets/0x")]) == 1
        assert [note.partition(": GET")[0] for note in venue.notes] == [
            f"who won market {numbered_condition(0)} could not be asked",
            "who won was not asked for 4 more resolved markets",
        ]
        for kept in venue.payloads():
            read = parse_market(decode(kept.body.decode()), recorded=False, payload=kept.body)
            assert read == found[read.market_id]

    def test_no_look_up_asks_for_winners_without_end(self, serve: Serve, open_venue: OpenVenue) -> None:
        over = {"closed": True, "umaResolutionStatus": "resolved", "outcomePrices": '["0", "0"]'}
        numbers = range(WINNERS_ASKED_MAX + 3)
        server = serve(markets=[numbered_gamma_row(number, **over) for number in numbers])
        venue = open_venue(server, clob_limiter=Limiter(per_second=10_000, burst=10_000))
        venue.markets([numbered_condition(number) for number in numbers])
        asked = [path for path in server.paths() if path.startswith("/markets/0x")]
        assert len(asked) == WINNERS_ASKED_MAX
        assert venue.notes == ["who won was not asked for 3 more resolved markets"]

    def test_a_thousand_markets_that_ended_take_few_questions(
        self, serve: Serve, open_venue: OpenVenue
    ) -> None:
        server = serve(markets=[numbered_gamma_row(number) for number in range(1_000)])
        for number in range(500, 1_000):
            server.markets[number] = without(dict(server.markets[number]), "feesEnabled", "feeSchedule")
            server.markets[number] = {**server.markets[number], "closed": True}
        found = open_venue(server).markets([numbered_condition(number) for number in range(1_000)])
        assert len(found) == 1_000
        assert sum(market.closed for market in found.values()) == 500
        # No question for each, neither for the fees of what is closed nor for winners nobody claims.
        assert set(server.paths()) == {"/markets/keyset"}
        assert len(server.asked) <= 24
        assert max(len(asked.query["condition_ids"]) for asked in server.asked) <= 100


ROWS = [
    gamma_row(),
    gamma_row(negRisk=True, negRiskMarketID="0xAB", gameStartTime="2026-01-24 18:45:00+00"),
    resolved_row(),
    resolved_row("0.5", "0.5"),
    resolved_row("0.1234567", "0.8765433"),
    resolved_row("0", "0") | {WINNERS: won(True, False)},
    resolved_row("0", "0") | {WINNERS: None},
    without(gamma_row(), "feesEnabled", "feeSchedule") | {"fd": {"r": 0.05, "e": 1}},
    clob_row(neg_risk_market_id="0xCD", game_start_time="2022-07-15T00:05:00.414Z"),
    over_clob_row(True, False),
    over_clob_row(False, False, 0.0001, 0.9999),
    info_row(),
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("recorded", [True, False])
def test_a_kept_row_reads_back_as_the_very_same_market(row: dict[str, Any], recorded: bool) -> None:
    received = decode(json.dumps(row))
    market = parse_market(received, recorded=recorded)
    kept = market_payload(received)
    again = decode(kept.decode())
    assert parse_market(again, recorded=recorded, payload=kept) == market
    assert market_payload(again) == kept


def test_no_binary_fraction_gets_into_a_payout() -> None:
    row = decode(json.dumps(resolved_row(outcomePrices=[0.1, 0.9])))
    assert [type(price) for price in row["outcomePrices"]] == [Decimal, Decimal]
    assert parse_market(row, recorded=False).payouts == (100_000, 900_000)
