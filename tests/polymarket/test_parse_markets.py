"""Market rows in the venue's three spellings, and rows that cannot be traded."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from betteroms.adapters.exact_json import decode
from betteroms.adapters.polymarket.parse import (
    EXPONENT_UNREADABLE,
    Unparsable,
    market_payload,
    parse_market,
    states_fees,
)
from betteroms.domain.fees import ASSUMED, FREE, FeeSchedule
from betteroms.domain.ids import BookId, MarketId, TokenId
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Price, Size
from tests.polymarket.samples import CONDITION, NO, YES, clob_row, gamma_row, info_row, without

POSITIONS = [str((1 << 248) + (77 << 104) + outcome) for outcome in (0, 1)]
OUTCOMES = (
    Outcome(token_id=TokenId(YES), label="Yes"),
    Outcome(token_id=TokenId(NO), label="No"),
)


def sent(row: dict[str, Any]) -> dict[str, Any]:
    """The row as it comes off the wire: its fractions are Decimals."""
    document: dict[str, Any] = decode(json.dumps(row))
    return document


def parsed(row: dict[str, Any]) -> Market:
    return parse_market(sent(row), recorded=False)


def test_a_gamma_row_is_read_in_full() -> None:
    row = gamma_row(negRisk=True)
    assert parsed(row) == Market(
        market_id=MarketId(CONDITION),
        outcomes=OUTCOMES,
        slug="will-it-rain-in-lisbon",
        question="Will it rain in Lisbon tomorrow?",
        gamma_id="512345",
        event_slug="lisbon-weather",
        tick_size=Price(10_000),
        minimum_size=Size(5_000_000),
        fees=FeeSchedule(rate=70_000),
        neg_risk=True,
        closed=False,
        accepting_orders=True,
        ends_at=datetime(2026, 12, 31, 12, tzinfo=UTC),
        row_id=BookId(sha256(market_payload(sent(row))).hexdigest()),
    )


def test_a_row_of_the_clob_is_read_in_full_and_has_no_fees() -> None:
    market = parsed(clob_row())
    assert market.outcomes == OUTCOMES
    assert (market.slug, market.gamma_id) == ("will-it-rain-in-lisbon", None)
    assert (market.tick_size, market.minimum_size) == (1_000, 15_000_000)
    assert market.neg_risk
    assert market.tradable
    assert market.ends_at == datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert market.fees == FREE


def test_the_short_info_of_the_clob_is_read_with_its_fees() -> None:
    market = parsed(info_row(nr=True))
    assert market.outcomes == OUTCOMES
    assert (market.slug, market.question, market.ends_at) == (None, None, None)
    assert (market.tick_size, market.minimum_size) == (10_000, 5_000_000)
    assert market.neg_risk
    assert market.tradable
    assert market.fees == FeeSchedule(rate=50_000)
    assert not parsed(info_row(ao=False)).tradable


def test_a_market_of_the_newer_protocol_trades_its_positions() -> None:
    market = parsed(gamma_row(version="v2", positionIds=POSITIONS))
    assert [outcome.token_id for outcome in market.outcomes] == POSITIONS
    without_tokens = parsed(without(gamma_row(positionIds=POSITIONS), "clobTokenIds"))
    assert [outcome.token_id for outcome in without_tokens.outcomes] == POSITIONS
    assert parsed(gamma_row(version="v2")).outcomes == OUTCOMES


def test_lists_may_be_real_lists_and_token_ids_numbers() -> None:
    row = gamma_row(outcomes=["Up", "Down"], clobTokenIds=[int(YES), int(NO)])
    assert parsed(row).outcomes == (
        Outcome(token_id=TokenId(YES), label="Up"),
        Outcome(token_id=TokenId(NO), label="Down"),
    )


def test_words_are_made_storable() -> None:
    market = parsed(gamma_row(question=" Rain\x00 \ud800soon? ", slug="x" * 3_000, id=7))
    assert market.question == "Rain soon?"
    assert market.slug == "x" * 2_000
    assert market.gamma_id == "7"


@pytest.mark.parametrize(
    ("changed", "gone", "accepting"),
    [
        ({}, [], True),
        ({"acceptingOrders": False}, [], False),
        ({}, ["acceptingOrders"], True),
        ({"active": False}, ["acceptingOrders"], False),
        ({"closed": True}, ["acceptingOrders"], False),
        ({}, ["acceptingOrders", "enableOrderBook"], False),
        ({"acceptingOrders": "yes"}, [], False),
    ],
)
def test_whether_orders_are_accepted_is_never_guessed_kindly(
    changed: dict[str, Any], gone: list[str], accepting: bool
) -> None:
    assert parsed(without(gamma_row(**changed), *gone)).accepting_orders is accepting


@pytest.mark.parametrize(
    ("changed", "accepting"), [({}, True), ({"enable_order_book": False}, False), ({"active": None}, False)]
)
def test_a_clob_row_without_the_flag_is_judged_by_the_others(
    changed: dict[str, Any], accepting: bool
) -> None:
    assert parsed(without(clob_row(**changed), "accepting_orders")).accepting_orders is accepting


def test_a_closed_market_that_still_accepts_orders_cannot_be_traded() -> None:
    market = parsed(gamma_row(closed=True))
    assert market.accepting_orders
    assert not market.tradable


@pytest.mark.parametrize(
    ("said", "fees"),
    [
        ({}, FREE),
        ({"feesEnabled": False}, FREE),
        ({"feesEnabled": False, "feeSchedule": {"rate": 0.07}}, FREE),
        ({"feesEnabled": True, "feeSchedule": {"rate": 0.07, "exponent": 1}}, FeeSchedule(rate=70_000)),
        ({"feeSchedule": {"rate": 0.25, "exponent": 2}}, FeeSchedule(rate=250_000, exponent=2)),
        ({"feeSchedule": {"rate": "0.03"}}, FeeSchedule(rate=30_000)),
        ({"feeSchedule": {"rate": 0.03, "exponent": 1.0}}, FeeSchedule(rate=30_000)),
        ({"feeSchedule": {"rate": 0}}, FREE),
        ({"feesEnabled": True}, ASSUMED),
        ({"feesEnabled": True, "feeSchedule": None}, ASSUMED),
        ({"feesEnabled": True, "feeSchedule": {}}, ASSUMED),
        ({"fd": {"r": 0.04, "e": 1}}, FeeSchedule(rate=40_000)),
        ({"feesEnabled": True, "fd": {"r": 0.04, "e": 1}}, FeeSchedule(rate=40_000)),
        ({"feesEnabled": True, "fd": None}, FREE),
        ({"fd": None}, FREE),
        ({"makerBaseFee": 1000, "takerBaseFee": 1000}, FREE),
    ],
)
def test_fees_are_what_the_row_says(said: dict[str, Any], fees: FeeSchedule) -> None:
    assert parsed(without(gamma_row(), "feesEnabled", "feeSchedule") | said).fees == fees


@pytest.mark.parametrize("exponent", [1.5, 7, -1, "one", True, []])
def test_a_fee_formula_that_nobody_knows_is_kept_as_unknown(exponent: Any) -> None:
    fees = parsed(gamma_row(feeSchedule={"rate": 0.07, "exponent": exponent})).fees
    assert fees == FeeSchedule(rate=70_000, exponent=EXPONENT_UNREADABLE)
    assert not fees.known


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"feesEnabled": False}, True),
        ({"feeSchedule": {}}, True),
        ({"fd": None}, True),
        ({"feesEnabled": True}, False),
        ({"feeSchedule": None}, False),
        ({}, False),
    ],
)
def test_it_is_known_whether_a_row_says_anything_of_fees(row: dict[str, Any], says: bool) -> None:
    assert states_fees(row) is says


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31 10:00:00+02", datetime(2026, 12, 31, 8, tzinfo=UTC)),
        ("2026-02-07T00:00:00.123Z", datetime(2026, 2, 7, 0, 0, 0, 123_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (None, None),
        (1795175999, None),
    ],
)
def test_the_end_is_read_in_any_spelling_or_left_out(text: Any, at: datetime | None) -> None:
    assert parsed(gamma_row(endDate=text)).ends_at == at
    assert parsed(clob_row(end_date_iso=text)).ends_at == at


def test_the_end_may_be_a_date_alone() -> None:
    row = without(gamma_row(endDateIso="2026-12-31"), "endDate")
    assert parsed(row).ends_at == datetime(2026, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tick", "minimum", "expected"),
    [
        (0.04, 14.96, (40_000, 14_960_000)),
        ("0.001", "15", (1_000, 15_000_000)),
        (0, 0, (None, 0)),
        (None, None, (None, None)),
        ("", "", (None, None)),
    ],
)
def test_tick_and_minimum_are_exact_or_not_stated(
    tick: Any, minimum: Any, expected: tuple[int | None, int | None]
) -> None:
    market = parsed(clob_row(minimum_tick_size=tick, minimum_order_size=minimum))
    assert (market.tick_size, market.minimum_size) == expected


@pytest.mark.parametrize("events", [None, [], ["x"], [{"id": "9"}]])
def test_a_row_may_belong_to_no_event(events: Any) -> None:
    assert parsed(gamma_row(events=events)).event_slug is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "5"}, "no market row: it has no conditionId, no condition_id with tokens, no c with t"),
        (gamma_row(conditionId=""), "conditionId: '' is not a condition id"),
        (gamma_row(clobTokenIds=None), "clobTokenIds: missing"),
        (gamma_row(clobTokenIds="[1"), "clobTokenIds: it ends in the middle (truncated JSON)"),
        (gamma_row(clobTokenIds='{"a": 1}'), "clobTokenIds: {'a': 1} is not a list"),
        (gamma_row(outcomes=None), "outcomes: missing"),
        (
            gamma_row(outcomes='["A", "B", "C"]', clobTokenIds='["1", "2", "3"]'),
            "3 outcomes with 3 tokens: only markets with two are known",
        ),
        (
            gamma_row(clobTokenIds='["1"]'),
            "2 outcomes with 1 tokens: only markets with two are known",
        ),
        (
            gamma_row(clobTokenIds='["", ""]'),
            "an outcome has no token id: it cannot be traded on the order book",
        ),
        (gamma_row(clobTokenIds='["12", "x"]'), "token 1: 'x' is not a token id"),
        (gamma_row(clobTokenIds=[True, "1"]), "token 0: True is not a token id"),
        (gamma_row(clobTokenIds='["12", "12"]'), "both outcomes have the same token id"),
        (gamma_row(outcomes='["Yes", " "]'), "outcome 1 has no label"),
        (gamma_row(orderPriceMinTickSize=1), "orderPriceMinTickSize: 1 is not a step between 0 and 1"),
        (gamma_row(orderMinSize=-5), "orderMinSize: -5 is negative"),
        (gamma_row(feeSchedule={"rate": 1.5}), "feeSchedule rate: 1.5 is more than the whole"),
        (
            gamma_row(feeSchedule={"rate": 0.00000007}),
            "feeSchedule rate: 7E-8 has more than six decimals",
        ),
        (clob_row(tokens=["1", "2"]), "tokens: not a list of objects"),
        (clob_row(tokens=[]), "0 outcomes with 0 tokens: only markets with two are known"),
        (
            clob_row(tokens=[{"token_id": "", "outcome": "Yes"}, {"token_id": "", "outcome": "No"}]),
            "an outcome has no token id: it cannot be traded on the order book",
        ),
        (info_row(t=None), "t: missing"),
        (info_row(c=None), "c: None is not a condition id"),
    ],
)
def test_a_row_that_cannot_be_traded_says_why(row: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(row)
    assert caught.value.reason == reason
