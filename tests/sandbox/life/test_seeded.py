"""Counterparties by chance: the seed decides everything, and money is neither made nor lost."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket.models.clob.market_events import parse_market_event
from polymarket.models.clob.user_events import parse_user_events

from betteroms.domain.terms import Side
from betteroms.sandbox.events import Event
from betteroms.sandbox.invariants import INVARIANTS, checked
from betteroms.sandbox.life import Life, Pace, parse
from betteroms.sandbox.life.seeded import TURN, maker_of
from betteroms.sandbox.life.wallets import wallet
from betteroms.sandbox.model import MICROS, Kind, MakerFill, Market, Order, Trade
from tests.sandbox.life.scene import ADA, START_MS, MarketEar, Scene, UserEar

PACE = Pace(every_ms=500, take_percent=60)
SCRIPT = json.dumps(
    {
        "steps": [
            {"at": "+3s", "do": "move", "market": "will-it-rain", "price": "0.70"},
            {"at": "+4s", "do": "settle", "next": 2},
            {"at": "+6s", "do": "tick", "market": "will-it-snow", "tick": "0.001"},
            {"at": "+9s", "do": "resolve", "market": "will-it-snow", "outcome": "Yes"},
        ]
    }
)


def plain(value: Any) -> Any:
    """Anything of an event as it is at this moment, told apart by content alone."""
    if isinstance(value, Market):
        return value.condition_id
    if isinstance(value, Order | Trade | MakerFill):
        return {name: plain(getattr(value, name)) for name in value.__slots__}
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return repr(value)


def told(event: Event) -> str:
    return repr((type(event).__name__, {name: plain(getattr(event, name)) for name in event.__slots__}))


def history(*, seed: int, moves: list[int]) -> tuple[list[str], list[Any]]:
    """The events and the stream messages of a venue whose clock is moved like that."""
    scene = Scene(seed=seed)
    events: list[str] = []
    scene.world.listen(lambda event: events.append(told(event)))
    ada = scene.member(ADA)
    market = MarketEar(scene, *scene.rain.token_ids, *scene.snow.token_ids, custom=True)
    user = UserEar(scene, ada)
    Life(scene.world, script=parse(SCRIPT, scene.exchange.markets), pace=PACE).begin()
    messages: list[Any] = []
    for number, milliseconds in enumerate(moves):
        scene.after(milliseconds)
        side, price = (Side.BUY, "0.45") if number % 2 else (Side.SELL, "0.55")
        scene.place(ada, side, price, "5")
        messages += market.frames() + user.frames()
    return events, messages


def test_the_same_seed_script_and_clock_give_the_same_events_and_messages() -> None:
    moves = [700, 1_300, 50, 2_500, 4_000, 10, 3_000]
    first, second = history(seed=5, moves=moves), history(seed=5, moves=moves)
    assert first == second
    assert len(first[0]) > 100
    assert {"trade", "order", "price_change"} <= {
        one["event_type"] for one in first[1] if isinstance(one, dict)
    }


def test_the_unified_client_understands_every_message() -> None:
    _, frames = history(seed=5, moves=[1_000] * 12)
    rows = [row for frame in frames for row in (frame if isinstance(frame, list) else [frame])]
    market = [row for row in rows if row["event_type"] not in ("order", "trade")]
    user = [row for row in rows if row["event_type"] in ("order", "trade")]
    events = [parse_market_event(row) for row in market]
    assert {event.type for event in events} == {
        "book",
        "price_change",
        "last_trade_price",
        "tick_size_change",
        "best_bid_ask",
        "market_resolved",
    }
    told, dropped = parse_user_events(user)
    assert (len(told), dropped) == (len(user), 0)


def test_another_seed_gives_another_life() -> None:
    assert history(seed=5, moves=[5_000])[0] != history(seed=6, moves=[5_000])[0]


def test_how_often_somebody_looks_makes_no_difference() -> None:
    def trades(moves: list[int]) -> list[tuple[int, int, int]]:
        scene = Scene(seed=3)
        Life(scene.world, pace=PACE).begin()
        for milliseconds in moves:
            scene.after(milliseconds)
        return [(trade.matched_ms, trade.shares, trade.dollars) for trade in scene.exchange.trades]

    assert trades([20_000]) == trades([10] * 2_000)
    assert trades([20_000])


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    pace=st.builds(
        Pace,
        every_ms=st.sampled_from([250, 1_000]),
        move_percent=st.integers(0, 100),
        step_ticks=st.integers(1, 10),
        take_percent=st.integers(0, 100),
        levels=st.integers(1, 5),
        spread_ticks=st.integers(1, 3),
        size_max=st.sampled_from([5, 200, 5_000]),
    ),
    seconds=st.integers(1, 60),
)
def test_a_life_neither_makes_nor_loses_money(seed: int, pace: Pace, seconds: int) -> None:
    scene = Scene(seed=seed)
    scene.rest(Side.BUY, "0.20", "1000.5")
    scene.rest(Side.SELL, "0.80", "1000.5")
    Life(scene.world, pace=pace).begin()
    bank = scene.world.bank
    before = sum(bank.dollars.values()) + sum(bank.locked.values())
    scene.after(seconds * 1_000)
    assert sum(bank.dollars.values()) + sum(bank.locked.values()) == before
    assert checked(scene.world) == {name: [] for name in INVARIANTS}


def test_quotes_stand_on_both_sides_and_every_kind_of_match_comes_about() -> None:
    scene = Scene(seed=1)
    Life(scene.world, pace=PACE).begin()
    scene.after(60_000)
    book = scene.exchange.book(scene.rain)
    assert book.bids
    assert book.asks
    assert {fill.kind for trade in scene.exchange.trades for fill in trade.fills} == set(Kind)


def test_prices_move_but_stay_inside() -> None:
    scene = Scene(seed=2)
    Life(scene.world, pace=Pace(every_ms=100, move_percent=100, step_ticks=10)).begin()
    prices = set()
    for _ in range(100):
        scene.after(200)
        book = scene.exchange.book(scene.rain)
        prices |= {price for price, _ in book.bids + book.asks}
    assert len(prices) > 20
    assert min(prices) >= scene.rain.tick
    assert max(prices) <= MICROS - scene.rain.tick


def test_a_market_that_is_resolved_has_no_more_turns() -> None:
    scene = Scene(seed=2)
    Life(scene.world, pace=PACE).begin()
    scene.after(2_000)
    for market in (scene.rain, scene.snow):
        scene.exchange.resolve(market, (MICROS, 0), scene.world.now())
    scene.after(10_000)
    assert [task for task in scene.world.schedule.tasks() if task[2] == TURN] == []
    assert scene.exchange.open_orders(maker=wallet(scene.world, maker_of(scene.rain))) == []


def test_tasks_and_state_are_plain_json_and_go_on_in_another_life() -> None:
    scene = Scene(seed=4)
    life = Life(scene.world, script=parse(SCRIPT, scene.exchange.markets), pace=PACE)
    life.begin()
    scene.after(1_000)
    tasks = [task for task in scene.world.schedule.tasks() if task[2].startswith("life_")]
    assert len(tasks) == 6
    written = json.loads(json.dumps({"tasks": tasks, "life": life.dump()}))

    other = Scene(seed=4)
    restored = Life(other.world, script=parse(SCRIPT, other.exchange.markets), pace=PACE)
    restored.restore(written["life"])
    restored.begin()
    assert other.world.schedule.tasks() == []
    for kept in ("dollars", "shares", "locked"):
        getattr(other.world.bank, kept).update(getattr(scene.world.bank, kept))
    other.world.schedule.restore(
        [(due, number, name, values) for due, number, name, values in written["tasks"]]
    )
    other.after(5_000)
    assert other.rain.book_stamp_ms > START_MS
    assert any(task[2] == TURN for task in other.world.schedule.tasks())


@pytest.mark.parametrize(
    "wrong",
    [{"every_ms": 0}, {"take_percent": 101}, {"move_percent": -1}, {"levels": 0}, {"size_max": 0}],
)
def test_a_pace_out_of_bounds_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Pace(**{**asdict(Pace()), **wrong})
