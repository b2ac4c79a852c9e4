"""A seeded venue has the recorded markets and, level by level, the recorded books."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betteroms.domain.money import to_text
from betteroms.sandbox.books import book_document
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.events import Event, OrderPlaced
from betteroms.sandbox.invariants import checked
from betteroms.sandbox.model import MICROS, Protocol
from betteroms.sandbox.seeding import seed_world
from betteroms.sandbox.seeding.markets import complement, protocol_of
from betteroms.sandbox.world import Options, World
from tests.sandbox.data.asking import BOOKS, NOON_MS, market, new_world

RECORDED = [book for path in sorted(BOOKS.glob("*.books.json")) for book in json.loads(path.read_text())]
LEVELS = ("bids", "asks")
TOKEN = "71321045679252212594626385532706912750332728571942532289631379312455583992563"
CONDITION = "0x" + "c0" * 32


def told(world: World, token: str) -> dict[str, Any]:
    """GET /book."""
    one = world.exchange.by_token[token]
    return book_document(one, world.exchange.book(one), one.outcome_index(token))


def seeded(directory: Path, *documents: Any) -> tuple[World, list[str]]:
    for number, document in enumerate(documents):
        (directory / f"{number}.json").write_text(json.dumps(document))
    world = World(Options(), HandClock(NOON_MS))
    return world, seed_world(world, directory)


def book(token: str = TOKEN, **changes: Any) -> dict[str, Any]:
    fields = {
        "market": CONDITION,
        "asset_id": token,
        "timestamp": "1795177659210",
        "bids": [{"price": "0.40", "size": "10"}, {"price": "0.41", "size": "20.5"}],
        "asks": [{"price": "0.50", "size": "7"}, {"price": "0.45", "size": "30"}],
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.420",
    }
    return fields | changes


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["asset_id"][:8])
def test_every_recorded_book_comes_back_level_by_level(recorded: dict[str, Any]) -> None:
    answer = told(new_world(BOOKS), recorded["asset_id"])
    left_out = ("timestamp", "hash")
    assert {name: answer[name] for name in answer if name not in left_out} == {
        name: recorded[name] for name in recorded if name not in left_out
    }


def test_every_level_is_an_order_that_is_backed() -> None:
    world = new_world(BOOKS)
    levels = sum(len(book[side]) for book in RECORDED for side in LEVELS) // 2
    assert len(world.exchange.open_orders()) == levels
    assert {name: found for name, found in checked(world).items() if found} == {}


def test_rows_tell_what_a_market_is() -> None:
    world = new_world(BOOKS)
    chess = market(world, "will-reykjavik-host-the-2036-chess-olympiad")
    assert (chess.tick, chess.minimum_size, chess.fee_rate) == (1_000, 5 * MICROS, 50_000)
    assert chess.neg_risk
    assert chess.group_id == "0x0b3cc620dbd7faad7ea8fc1553a70486d60699d43628769e5ea32e0036832700"
    assert (chess.event_id, chess.event_slug) == ("910003", "host-of-the-2036-chess-olympiad")
    mars = market(world, "will-people-land-on-mars-before-2036")
    assert (mars.protocol, mars.outcomes) == (Protocol.POSITION, ("Yes", "No"))


def test_a_market_that_ended_has_its_payouts_and_no_book() -> None:
    world = new_world(BOOKS)
    ended = market(world, "will-the-2025-lighthouse-census-pass-20000")
    assert (ended.closed, ended.accepting_orders, ended.payouts) == (True, False, (MICROS, 0))
    assert ended.resolved_ms == 1_770_127_511_000
    assert not world.exchange.book(ended).bids


def test_a_book_alone_makes_a_market_with_a_mirror(tmp_path: Path) -> None:
    world, left_out = seeded(tmp_path, book())
    assert left_out == []
    (one,) = world.exchange.markets.values()
    assert one.token_ids == (TOKEN, complement(TOKEN))
    assert (one.tick, one.minimum_size, one.fee_rate, one.last_price) == (10_000, 5 * MICROS, 0, 420_000)
    other = told(world, one.token_ids[1])
    assert other["bids"] == [{"price": "0.5", "size": "7"}, {"price": "0.55", "size": "30"}]
    assert other["asks"] == [{"price": "0.6", "size": "10"}, {"price": "0.59", "size": "20.5"}]


def test_a_book_of_the_second_token_is_seen_from_the_first(tmp_path: Path) -> None:
    info = {
        "c": CONDITION,
        "t": [{"t": "6" * 77, "o": "Up"}, {"t": TOKEN, "o": "Down"}],
        "mts": 0.01,
        "mos": 5,
    }
    world, left_out = seeded(tmp_path, book(), info | {"nr": True, "fd": {"r": 0.07, "e": 1, "to": True}})
    assert left_out == []
    (one,) = world.exchange.markets.values()
    assert (one.outcomes, one.neg_risk, one.fee_rate) == (("Up", "Down"), True, 70_000)
    assert {side: told(world, TOKEN)[side] for side in LEVELS} == {
        "bids": [{"price": "0.4", "size": "10"}, {"price": "0.41", "size": "20.5"}],
        "asks": [{"price": "0.5", "size": "7"}, {"price": "0.45", "size": "30"}],
    }


def test_one_sided_books_stay_so(tmp_path: Path) -> None:
    world, left_out = seeded(tmp_path, book(bids=[], last_trade_price=""))
    assert left_out == []
    answer = told(world, TOKEN)
    assert (answer["bids"], len(answer["asks"]), answer["last_trade_price"]) == ([], 2, "")


def test_levels_in_any_order_and_as_numbers_are_read(tmp_path: Path) -> None:
    bids = [{"price": 0.41, "size": 20.5}, {"price": 0.4, "size": 10}, {"price": 0.3, "size": 0}]
    world, left_out = seeded(tmp_path, book(bids=bids))
    assert left_out == []
    assert told(world, TOKEN)["bids"] == [{"price": "0.4", "size": "10"}, {"price": "0.41", "size": "20.5"}]


def test_a_book_that_crosses_itself_loses_the_offers_that_would_trade(tmp_path: Path) -> None:
    world, left_out = seeded(
        tmp_path, book(asks=[{"price": "0.41", "size": "9"}, {"price": "0.45", "size": "30"}])
    )
    assert world.exchange.trades == []
    assert told(world, TOKEN)["asks"] == [{"price": "0.45", "size": "30"}]
    assert len(left_out) == 1
    assert "crosses" in left_out[0]


def test_a_book_without_a_tick_has_one_that_fits_its_prices(tmp_path: Path) -> None:
    unsaid = {name: value for name, value in book().items() if name != "tick_size"}
    world, left_out = seeded(tmp_path, unsaid | {"bids": [{"price": "0.412", "size": "10"}]})
    assert left_out == []
    (one,) = world.exchange.markets.values()
    assert one.tick == 1_000


def test_what_cannot_be_a_market_is_named(tmp_path: Path) -> None:
    row = {"conditionId": CONDITION, "outcomes": '["A", "B", "C"]', "clobTokenIds": '["1", "2", "3"]'}
    world, left_out = seeded(tmp_path, row)
    assert not world.exchange.markets
    assert left_out == [f"market {CONDITION}: not two token ids"]


@pytest.mark.parametrize(
    "field", ["questionID", "events", "feeSchedule", "endDate", "orderMinSize", "slug", "id"]
)
def test_a_row_may_lack_what_many_lack(tmp_path: Path, field: str) -> None:
    row = json.loads((BOOKS / "barley-harvest-up-or-down-in-2035.market.json").read_text())
    del row[field]
    world, left_out = seeded(tmp_path, row)
    assert left_out == []
    assert len(world.exchange.markets) == 1


def test_a_row_of_the_clob_is_enough(tmp_path: Path) -> None:
    row = {
        "condition_id": CONDITION,
        "question_id": "0x" + "99" * 32,
        "tokens": [
            {"token_id": TOKEN, "outcome": "Yes", "price": 1, "winner": True},
            {"token_id": "6" * 77, "outcome": "No", "price": 0, "winner": False},
        ],
        "closed": True,
        "accepting_orders": True,
        "minimum_order_size": 15,
        "minimum_tick_size": 0.001,
        "market_slug": "did-it-happen",
        "seconds_delay": 3,
        "end_date_iso": "2026-01-31T00:00:00Z",
    }
    world, left_out = seeded(tmp_path, row)
    assert left_out == []
    one = market(world, "did-it-happen")
    assert (one.tick, one.minimum_size, one.seconds_delay) == (1_000, 15 * MICROS, 3)
    assert (one.closed, one.accepting_orders, one.payouts) == (True, False, (MICROS, 0))


def test_the_invented_markets_are_one_of_each_kind() -> None:
    world = new_world()
    markets = list(world.exchange.markets.values())
    assert [one.tick for one in markets].count(1_000) == 3
    assert len({one.group_id for one in markets if one.neg_risk}) == 1
    (position,) = [one for one in markets if one.protocol is Protocol.POSITION]
    assert int(position.token_ids[1]) == int(position.token_ids[0]) + 1
    assert position.condition_id == f"0x{int(position.token_ids[0]):064x}"
    (game,) = [one for one in markets if one.seconds_delay]
    assert game.game_starts_ms is not None
    assert game.game_starts_ms > NOON_MS
    for one in markets:
        book = world.exchange.book(one)
        assert len(book.bids) > 3
        assert len(book.asks) > 3
        assert all(len(token) >= 75 and protocol_of(token) is one.protocol for token in one.token_ids)
    assert {name: found for name, found in checked(world).items() if found} == {}


def test_the_same_seed_invents_the_same_and_another_seed_another() -> None:
    def history(seed: int) -> list[tuple[object, ...]]:
        heard: list[Event] = []
        world = World(Options(seed=seed), HandClock(NOON_MS))
        world.listen(heard.append)
        seed_world(world, None)
        orders = [event.order for event in heard if isinstance(event, OrderPlaced)]
        return [(order.id, order.maker, order.token_id, order.price, order.size) for order in orders]

    assert history(1) == history(1)
    assert not set(history(1)) & set(history(2))


def test_the_complement_of_a_position_is_its_neighbour() -> None:
    yes = "893621656212790754871870067921564999230595374113400533131037248165700564480"
    assert complement(yes) == f"{int(yes) + 1}"
    assert complement(complement(yes)) == yes


def test_a_made_up_complement_is_always_the_same_and_looks_like_a_token() -> None:
    assert complement(TOKEN) == complement(TOKEN)
    assert protocol_of(complement(TOKEN)) is Protocol.CTF
    assert len(complement(TOKEN)) in (77, 78)


sides = st.dictionaries(st.integers(1, 999), st.integers(1, 10_000_000), max_size=30)


@settings(max_examples=25)
@given(bids=sides, asks=sides, shuffled=st.randoms(use_true_random=False))
def test_any_book_comes_back(
    bids: dict[int, int], asks: dict[int, int], shuffled: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    best_bid = max(bids, default=0)
    asks = {price: size for price, size in asks.items() if price > best_bid}

    def levels(side: dict[int, int]) -> list[dict[str, str]]:
        return [
            {"price": to_text(price * 1_000), "size": to_text(size * 10_000)} for price, size in side.items()
        ]

    recorded = {"bids": levels(bids), "asks": levels(asks)}
    for side in recorded.values():
        shuffled.shuffle(side)
    world, left_out = seeded(tmp_path_factory.mktemp("books"), book() | {"tick_size": "0.001"} | recorded)
    assert left_out == []
    answer = told(world, TOKEN)
    assert answer["bids"] == sorted(recorded["bids"], key=lambda level: float(level["price"]))
    assert answer["asks"] == sorted(recorded["asks"], key=lambda level: -float(level["price"]))
