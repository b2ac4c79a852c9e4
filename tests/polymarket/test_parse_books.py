"""Books as the venue sends them, and as it should not."""

import random
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.adapters.polymarket.parse import Unparsable, book_payload, parse_book
from betteroms.domain.book import Book, HashCheck, Level
from betteroms.domain.ids import BookId, MarketId, TokenId
from betteroms.domain.money import Price, Size
from tests.polymarket.samples import (
    CONDITION,
    NOW,
    STAMP,
    YES,
    legacy_ws_book,
    levels,
    rest_book,
    venue_hash,
    without,
    ws_book,
)


def parsed(raw: dict[str, Any]) -> Book:
    return parse_book(raw, received_at=NOW, recorded=False)


def level(price: int, size: int) -> Level:
    return Level(price=Price(price), size=Size(size))


def test_a_rest_book_is_read_best_first_to_the_last_digit() -> None:
    raw = rest_book()
    assert parsed(raw) == Book(
        market_id=MarketId(CONDITION),
        token_id=TokenId(YES),
        bids=(level(480_000, 100_000_000), level(400_000, 20_000_000)),
        asks=(level(520_000, 50_500_000), level(600_000, 30_000_000)),
        changed_at_ms=int(STAMP),
        received_at=NOW,
        book_id=BookId(sha256(book_payload(raw)).hexdigest()),
        hash_check=HashCheck.VERIFIED,
        tick_size=Price(10_000),
        minimum_size=Size(5_000_000),
        last_trade=Price(520_000),
    )


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ("0.001", 1_000),
        (Decimal("0.42"), 420_000),
        ("", None),
        (None, None),
        ("0", None),
        ("1", None),
        (1, None),
        (True, None),
        ("-0.5", None),
        ("1.5", None),
        ("0.1234567", None),
        ("soon", None),
        ([], None),
        ({}, None),
    ],
)
def test_the_last_trade_is_a_price_or_nothing_and_never_spoils_the_book(told: Any, price: int | None) -> None:
    assert parsed(rest_book(hash="") | {"last_trade_price": told}).last_trade == price


def test_a_book_that_does_not_know_its_last_trade_has_none() -> None:
    assert parsed(legacy_ws_book()).last_trade is None


@given(st.lists(st.integers(1, 999), unique=True), st.randoms(use_true_random=False))
def test_levels_may_come_in_any_order(ticks: list[int], chance: random.Random) -> None:
    ticks = sorted(ticks)
    shuffled = chance.sample(ticks, len(ticks))
    text = " ".join(f"0.{tick:03d}x{tick}" for tick in shuffled)
    book = parsed(rest_book(bids=text, asks=text))
    assert [bid.price for bid in book.bids] == [tick * 1_000 for tick in reversed(ticks)]
    assert [(ask.price, ask.size) for ask in book.asks] == [(tick * 1_000, tick * 10**6) for tick in ticks]


def test_a_websocket_book_states_no_minimum_and_cannot_be_verified() -> None:
    book = parsed(ws_book())
    assert (book.tick_size, book.minimum_size) == (Price(10_000), None)
    assert book.hash_check is HashCheck.UNVERIFIABLE


def test_a_book_of_2025_states_neither_tick_nor_minimum() -> None:
    book = parsed(legacy_ws_book())
    assert (book.tick_size, book.minimum_size) == (None, None)
    assert book.best_bid == 480_000
    assert book.hash_check is HashCheck.UNVERIFIABLE


@pytest.mark.parametrize("empty", [[], None])
def test_a_side_may_be_empty(empty: Any) -> None:
    book = parsed(rest_book(hash="") | {"bids": empty})
    assert book.bids == ()
    assert book.best_ask == 520_000


def test_levels_without_size_are_dropped() -> None:
    assert parsed(rest_book(bids="0.40x0 0.39x5 0.38x0.00")).bids == (level(390_000, 5_000_000),)


def test_a_price_that_comes_twice_counts_with_the_smaller_size() -> None:
    book = parsed(rest_book(bids="0.4x7 0.40x3 0.400x9", asks="0.5x0 0.50x8"))
    assert book.bids == (level(400_000, 3_000_000),)
    assert book.asks == ()


def test_json_numbers_are_as_good_as_strings_when_they_are_exact() -> None:
    raw = rest_book() | {"bids": [{"price": Decimal("0.07"), "size": 12}], "tick_size": Decimal("0.001")}
    book = parsed(raw)
    assert book.bids == (level(70_000, 12_000_000),)
    assert book.tick_size == 1_000
    assert book.hash_check is HashCheck.UNVERIFIABLE


@pytest.mark.parametrize(
    ("given_stamp", "stamp"), [("1795175999123", 1795175999123), (1795175999123, 1795175999123), ("", 0)]
)
def test_the_stamp_is_text_or_number_or_missing(given_stamp: Any, stamp: int) -> None:
    assert parsed(rest_book(timestamp=given_stamp, hash="")).changed_at_ms == stamp
    assert parsed(without(rest_book(), "timestamp")).changed_at_ms == 0


def test_the_condition_id_is_read_in_lower_case() -> None:
    assert parsed(rest_book(market="0xAABBcc")).market_id == "0xaabbcc"


def test_a_crossed_book_is_read_as_it_is() -> None:
    assert parsed(rest_book(bids="0.60x1", asks="0.55x1")).crossed


class TestHash:
    def test_it_is_verified_whatever_the_order_of_the_fields(self) -> None:
        raw = rest_book()
        turned = dict(reversed(raw.items()))
        assert parsed(turned).hash_check is HashCheck.VERIFIED

    def test_fields_that_it_does_not_cover_do_not_disturb(self) -> None:
        assert parsed(rest_book() | {"event_type": "book"}).hash_check is HashCheck.VERIFIED

    def test_an_empty_last_trade_price_counts_as_present(self) -> None:
        assert parsed(rest_book(last_trade_price="")).hash_check is HashCheck.VERIFIED

    @pytest.mark.parametrize("side", ["bids", "asks"])
    def test_a_changed_size_is_a_mismatch(self, side: str) -> None:
        raw = rest_book()
        raw[side][0]["size"] = "1000"
        assert parsed(raw).hash_check is HashCheck.MISMATCH

    def test_levels_are_hashed_as_sent(self) -> None:
        raw = rest_book(asks="0.520x50.50")
        assert parsed(raw).hash_check is HashCheck.VERIFIED
        assert parsed(raw | {"asks": levels("0.52x50.5")}).hash_check is HashCheck.MISMATCH

    @pytest.mark.parametrize("field", sorted(rest_book().keys() - {"market", "asset_id", "bids", "asks"}))
    def test_without_one_of_its_fields_it_cannot_be_verified(self, field: str) -> None:
        assert parsed(without(rest_book(), field)).hash_check is HashCheck.UNVERIFIABLE

    @pytest.mark.parametrize(
        ("field", "value"), [("neg_risk", "false"), ("min_order_size", 5), ("hash", ""), ("hash", None)]
    )
    def test_a_field_of_another_kind_is_as_good_as_missing(self, field: str, value: Any) -> None:
        assert parsed(rest_book() | {field: value}).hash_check is HashCheck.UNVERIFIABLE

    def test_a_level_with_numbers_is_as_good_as_missing(self) -> None:
        raw = rest_book() | {"bids": [{"price": "0.4", "size": 5}]}
        assert parsed(raw | {"hash": venue_hash(raw)}).hash_check is HashCheck.UNVERIFIABLE


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"market": "12"}, "market: '12' is not a condition id"),
        ({"market": "0x" + "a" * 65}, f"market: '0x{'a' * 54}... is not a condition id"),
        ({"market": None}, "market: None is not a condition id"),
        ({"asset_id": "0x12"}, "asset_id: '0x12' is not a token id"),
        ({"asset_id": "1" * 79}, f"asset_id: '{'1' * 56}... is not a token id"),
        ({"asset_id": "١٢"}, "asset_id: '١٢' is not a token id"),
        ({"bids": {}}, "bids: not a list of levels"),
        ({"bids": ["0.4"]}, "bids: '0.4' is not a level (string indices must be integers, not 'str')"),
        ({"bids": [{"price": "0.4"}]}, "bids: {'price': '0.4'} is not a level ('size')"),
        (
            {"asks": levels("half x1".replace(" ", ""))},
            "asks: {'price': 'half', 'size': '1'} is not a level ('half' is not a number)",
        ),
        (
            {"asks": [{"price": 0.5, "size": "1"}]},
            "asks: {'price': 0.5, 'size': '1'} is not a level (0.5 is not a number)",
        ),
        (
            {"asks": [{"price": True, "size": "1"}]},
            "asks: {'price': True, 'size': '1'} is not a level (True is not a number)",
        ),
        (
            {"asks": [{"price": [], "size": "1"}]},
            "asks: {'price': [], 'size': '1'} is not a level (unhashable type: 'list')",
        ),
        (
            {"asks": levels("0.5x.1234567")},
            "asks: {'price': '0.5', 'size': '.1234567'} is not a level (.1234567 has more than six decimals)",
        ),
        ({"asks": levels("0x1")}, "asks: the price '0' is not between 0 and 1"),
        ({"asks": levels("1x1")}, "asks: the price '1' is not between 0 and 1"),
        ({"bids": levels("-0.2x1")}, "bids: the price '-0.2' is not between 0 and 1"),
        ({"bids": levels("0.2x-1")}, "bids: the size '-1' is negative"),
        ({"timestamp": "yesterday"}, "timestamp: 'yesterday' is not a time in milliseconds"),
        ({"timestamp": "9" * 17}, f"timestamp: '{'9' * 17}' is not a time in milliseconds"),
        ({"timestamp": True}, "timestamp: True is not a time in milliseconds"),
        ({"tick_size": "1"}, "tick_size: '1' is not a step between 0 and 1"),
        ({"tick_size": "-0.01"}, "tick_size: '-0.01' is negative"),
        ({"tick_size": []}, "tick_size: unhashable type: 'list'"),
        ({"min_order_size": "five"}, "min_order_size: 'five' is not a number"),
    ],
)
def test_a_book_that_makes_no_sense_says_where(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(rest_book(hash="") | changed)
    assert caught.value.reason == reason


@pytest.mark.parametrize("side", ["bids", "asks"])
def test_a_book_must_have_both_sides(side: str) -> None:
    with pytest.raises(Unparsable, match=f"^{side}: missing$"):
        parsed(without(rest_book(), side))


def test_what_was_kept_of_a_book_gives_it_its_name() -> None:
    book = parse_book(rest_book(), received_at=NOW, recorded=True, payload=b"kept")
    assert book.book_id == sha256(b"kept").hexdigest()
    assert book.recorded
