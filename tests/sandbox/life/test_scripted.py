"""What a script makes happen, and when."""

import json
from typing import Any

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side
from betteroms.sandbox.life import Life, parse
from betteroms.sandbox.life.wallets import wallet
from betteroms.sandbox.model import MICROS, OrderStatus, TradeStatus
from tests.sandbox.life.scene import ADA, Scene

RAIN = {"market": "will-it-rain"}


def living(scene: Scene, *steps: dict[str, Any]) -> Life:
    script = parse(json.dumps({"steps": [{**RAIN, **step} for step in steps]}), scene.exchange.markets)
    life = Life(scene.world, script=script)
    life.begin()
    return life


def book(scene: Scene) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    found = scene.exchange.book(scene.rain)
    return [(f"{p / MICROS:g}", f"{s / MICROS:g}") for p, s in found.bids], [
        (f"{p / MICROS:g}", f"{s / MICROS:g}") for p, s in found.asks
    ]


def test_nothing_happens_unless_asked() -> None:
    scene = Scene()
    Life(scene.world).begin()
    assert scene.world.schedule.tasks() == []


def test_steps_happen_at_their_moments_and_not_before() -> None:
    scene = Scene()
    living(
        scene,
        {"at": "+1s", "do": "quote", "side": "BUY", "price": "0.40", "size": "10"},
        {"at": "+2s", "do": "quote", "side": "BUY", "price": "0.55", "size": "20", "outcome": "No"},
        {"at": "+3s", "do": "cancel"},
    )
    assert book(scene) == ([], [])
    scene.after(1_000)
    assert book(scene) == ([("0.4", "10")], [])
    scene.after(1_000)
    assert book(scene) == ([("0.4", "10")], [("0.45", "20")])
    scene.after(1_000)
    assert book(scene) == ([], [])


def test_who_sells_what_it_has_not_splits_dollars_first() -> None:
    scene = Scene()
    living(scene, {"at": 0, "do": "quote", "side": "SELL", "price": "0.60", "size": "10"})
    scene.after(1)
    assert book(scene) == ([], [("0.6", "10")])
    assert scene.world.bank.balance(wallet(scene.world, "maker"), scene.rain.token_ids[1]) == to_micros("10")


def test_a_take_trades_what_there_is_and_leaves_nothing_behind() -> None:
    scene = Scene()
    order = scene.place(scene.member(ADA), Side.SELL, "0.45", "30").order
    living(scene, {"at": 0, "do": "take", "side": "BUY", "size": "50"})
    scene.after(1)
    assert order.status is OrderStatus.MATCHED
    assert book(scene) == ([], [])


def test_a_take_keeps_to_its_price() -> None:
    scene = Scene()
    scene.rest(Side.SELL, "0.45", "30")
    life = living(scene, {"at": 0, "do": "take", "side": "BUY", "size": "50", "price": "0.44"})
    scene.after(1)
    assert book(scene) == ([], [("0.45", "30")])
    assert life.refusals == [
        f"steps[0] at {scene.world.now() - 1}: take: no orders found to match with FAK order. "
        "FAK orders are partially filled or killed if no match is found."
    ]


def test_a_move_takes_away_what_is_beyond_the_price_and_quotes_around_it() -> None:
    scene = Scene()
    scene.rest(Side.BUY, "0.30", "77")
    scene.rest(Side.SELL, "0.45", "30.5")
    scene.rest(Side.SELL, "0.50", "10")
    scene.rest(Side.SELL, "0.70", "88")
    living(
        scene,
        {"at": 0, "do": "move", "price": "0.40", "size": "10", "levels": 1},
        {"at": 1, "do": "move", "price": "0.50", "size": "20", "levels": 2},
    )
    scene.after(0)
    assert book(scene) == (
        [("0.39", "10"), ("0.3", "77")],
        [("0.41", "10"), ("0.45", "30.5"), ("0.5", "10"), ("0.7", "88")],
    )
    scene.after(1)
    assert book(scene) == (
        [("0.49", "20"), ("0.48", "20"), ("0.3", "77")],
        [("0.51", "20"), ("0.52", "20"), ("0.7", "88")],
    )


def test_a_market_is_given_a_tick_closed_and_resolved() -> None:
    scene = Scene()
    order = scene.place(scene.member(ADA), Side.SELL, "0.45", "30").order
    living(
        scene,
        {"at": 1, "do": "tick", "tick": "0.001"},
        {"at": 2, "do": "close"},
        {"at": 3, "do": "resolve", "outcome": "No"},
    )
    seen = []
    for _ in range(3):
        scene.after(1)
        seen.append((scene.rain.tick, scene.rain.closed, scene.rain.payouts, order.status))
    assert seen == [
        (1_000, False, None, OrderStatus.LIVE),
        (1_000, True, None, OrderStatus.LIVE),
        (1_000, True, (0, MICROS), OrderStatus.CANCELED_MARKET_RESOLVED),
    ]


def test_a_games_start_takes_resting_orders_away() -> None:
    scene = Scene()
    order = scene.place(scene.member(ADA), Side.SELL, "0.45", "30").order
    living(scene, {"at": 1, "do": "start_game"})
    scene.after(1)
    assert order.status is OrderStatus.CANCELED


def test_wallets_are_given_dollars_and_sets() -> None:
    scene = Scene()
    somebody = "0x" + "12" * 20
    living(scene, {"at": 1, "do": "fund", "wallet": somebody, "dollars": "5", "sets": "7"})
    scene.after(1)
    assert scene.world.bank.balance(somebody) == to_micros("5")
    assert {scene.world.bank.balance(somebody, token) for token in scene.rain.token_ids} == {to_micros("7")}


def test_settlements_go_as_the_script_says() -> None:
    scene = Scene()
    scene.rest(Side.SELL, "0.45", "90")
    ada = scene.member(ADA)
    first, second, third = (scene.place(ada, Side.BUY, "0.45", "20") for _ in range(3))
    (trade,) = second.trades
    script = {
        "steps": [
            {"at": 0, "do": "settle", "order": first.order.id, "statuses": ["FAILED"]},
            {
                "at": 0,
                "do": "settle",
                "trade": scene.exchange.trade_id(trade),
                "statuses": ["RETRYING", "MINED"],
            },
            {"at": 1, "do": "settle", "next": 1},
            {"at": 1, **RAIN, "do": "take", "side": "BUY", "size": "5"},
        ]
    }
    Life(scene.world, script=parse(json.dumps(script), scene.exchange.markets)).begin()
    scene.after(60_000)
    statuses = [trade.status for trade in scene.exchange.trades]
    assert statuses == [
        TradeStatus.FAILED,
        TradeStatus.CONFIRMED,
        TradeStatus.CONFIRMED,
        TradeStatus.FAILED,
    ]
    assert trade.attempt == 1
    assert third.order.status is OrderStatus.MATCHED


def test_what_the_venue_refuses_is_kept_and_the_script_goes_on() -> None:
    scene = Scene()
    life = living(
        scene,
        {"at": 0, "do": "quote", "side": "BUY", "price": "0.405", "size": "10"},
        {"at": 1, "do": "quote", "side": "BUY", "price": "0.40", "size": "10"},
    )
    scene.after(1)
    assert [refusal.split(" ")[0] for refusal in life.refusals] == ["steps[0]"]
    assert book(scene) == ([("0.4", "10")], [])


def test_a_life_begins_once() -> None:
    scene = Scene()
    life = living(scene, {"at": 0, "do": "quote", "side": "BUY", "price": "0.40", "size": "10"})
    life.begin()
    scene.after(1)
    assert book(scene) == ([("0.4", "10")], [])
