"""What the user channel tells, without sockets."""

from typing import Any

import pytest

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.model import MICROS, Refused
from betteroms.sandbox.streams.frames import Unauthorized, WrongFrame
from tests.sandbox.life.scene import ADA, BOB, Scene, UserEar


def kinds(frames: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(frame["event_type"], frame["type"], frame["status"]) for frame in frames]


def test_a_resting_order_is_told_as_placed_and_as_canceled() -> None:
    scene = Scene()
    ada = scene.member(ADA)
    ear = UserEar(scene, ada)
    order = scene.place(ada, Side.BUY, "0.40", "50").order
    scene.after(1500)
    scene.exchange.cancel(order, scene.world.now())
    placed, canceled = ear.frames()
    assert kinds([placed, canceled]) == [
        ("order", "PLACEMENT", "LIVE"),
        ("order", "CANCELLATION", "CANCELED"),
    ]
    assert placed["id"] == order.id
    assert (placed["owner"], placed["order_owner"]) == (ada.key, ada.key)
    assert (placed["price"], placed["original_size"], placed["size_matched"]) == ("0.4", "50", "0")
    assert (placed["outcome"], placed["order_type"], placed["expiration"]) == ("Yes", "GTC", "0")
    assert placed["associate_trades"] is None
    assert canceled["created_at"] == str(order.created_ms // 1000)
    assert canceled["timestamp"] == str(order.created_ms + 1500)


def test_a_trade_is_told_to_taker_and_maker_at_each_of_its_steps() -> None:
    scene = Scene()
    ada, bob = scene.member(ADA), scene.member(BOB)
    maker, taker = UserEar(scene, ada), UserEar(scene, bob)
    resting = scene.place(ada, Side.SELL, "0.45", "50").order
    taking = scene.place(bob, Side.BUY, "0.45", "20").order
    scene.after(60_000)
    assert kinds(taker.frames()) == [
        ("order", "PLACEMENT", "LIVE"),
        ("order", "UPDATE", "MATCHED"),
        ("trade", "TRADE", "MATCHED"),
        ("trade", "TRADE", "MINED"),
        ("trade", "TRADE", "CONFIRMED"),
    ]
    heard = maker.frames()
    assert kinds(heard) == [
        ("order", "PLACEMENT", "LIVE"),
        ("order", "UPDATE", "LIVE"),
        ("trade", "TRADE", "MATCHED"),
        ("trade", "TRADE", "MINED"),
        ("trade", "TRADE", "CONFIRMED"),
    ]
    assert heard[1]["size_matched"] == "20"
    trade = heard[-1]
    assert heard[1]["associate_trades"] == [trade["id"]]
    assert (trade["trader_side"], trade["taker_order_id"]) == ("MAKER", taking.id)
    assert (trade["owner"], trade["trade_owner"]) == (bob.key, bob.key)
    assert (trade["size"], trade["price"], trade["side"]) == ("20", "0.45", "BUY")
    (part,) = trade["maker_orders"]
    assert (part["order_id"], part["owner"], part["matched_amount"]) == (resting.id, ada.key, "20")
    assert (part["price"], part["side"], part["outcome"]) == ("0.45", "SELL", "Yes")
    assert trade["transaction_hash"].startswith("0x")


def test_a_maker_of_the_other_outcome_is_told_with_its_own_token_and_price() -> None:
    scene = Scene()
    ada, bob = scene.member(ADA), scene.member(BOB)
    scene.place(ada, Side.BUY, "0.55", "20", outcome=1)
    ear = UserEar(scene, ada)
    scene.place(bob, Side.BUY, "0.45", "20")
    trade = ear.frames()[-1]
    assert (trade["asset_id"], trade["price"]) == (scene.rain.token_ids[0], "0.45")
    (part,) = trade["maker_orders"]
    assert (part["asset_id"], part["price"], part["side"]) == (scene.rain.token_ids[1], "0.55", "BUY")


def test_somebody_who_trades_with_themselves_is_told_each_step_once() -> None:
    scene = Scene()
    ada = scene.member(ADA)
    scene.place(ada, Side.SELL, "0.45", "50")
    ear = UserEar(scene, ada)
    scene.place(ada, Side.BUY, "0.45", "20")
    trades = [frame for frame in ear.frames() if frame["event_type"] == "trade"]
    assert [trade["trader_side"] for trade in trades] == ["TAKER"]


def test_an_order_that_is_killed_is_told_with_the_venues_words_and_empty_texts() -> None:
    scene = Scene()
    ada = scene.member(ADA)
    ear = UserEar(scene, ada)
    with pytest.raises(Refused):
        scene.place(ada, Side.BUY, "0.50", "12", time_in_force=TimeInForce.FOK)
    (told,) = ear.frames()
    assert told["type"] == "CANCELLATION"
    assert told["status"] == (
        "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
    )
    assert (told["size_matched"], told["created_at"], told["outcome"]) == ("", "", "")
    assert (told["original_size"], told["associate_trades"]) == ("12", [])


def test_what_is_left_of_an_order_that_must_not_rest_is_told_as_canceled() -> None:
    scene = Scene()
    ada = scene.member(ADA)
    scene.rest(Side.SELL, "0.50", "20")
    ear = UserEar(scene, ada)
    scene.place(ada, Side.BUY, "0.50", "50", time_in_force=TimeInForce.FAK)
    last = [frame for frame in ear.frames() if frame["event_type"] == "order"][-1]
    assert (last["type"], last["status"], last["size_matched"]) == ("CANCELLATION", "CANCELED", "20")


def test_orders_of_a_resolved_market_are_told_as_such() -> None:
    scene = Scene()
    ada = scene.member(ADA)
    scene.place(ada, Side.BUY, "0.40", "50")
    ear = UserEar(scene, ada)
    scene.exchange.resolve(scene.rain, (MICROS, 0), scene.world.now())
    assert kinds(ear.frames()) == [("order", "CANCELLATION", "CANCELED_MARKET_RESOLVED")]


def test_a_retried_and_failed_settlement_is_told_with_new_transactions() -> None:
    scene = Scene()
    ada = scene.member(ADA)
    scene.rest(Side.SELL, "0.45", "50")
    ear = UserEar(scene, ada)
    order = scene.place(ada, Side.BUY, "0.45", "20").order
    scene.exchange.script_settlement(order.id, ["RETRYING", "RETRYING", "FAILED"])
    scene.after(60_000)
    trades = [frame for frame in ear.frames() if frame["event_type"] == "trade"]
    assert [trade["status"] for trade in trades] == ["MATCHED", "RETRYING", "RETRYING", "FAILED"]
    assert len({trade["id"] for trade in trades}) == 1
    assert trades[1]["transaction_hash"] != trades[2]["transaction_hash"]


def test_only_the_owner_hears_and_only_of_the_markets_asked_for() -> None:
    scene = Scene()
    ada, bob = scene.member(ADA), scene.member(BOB)
    rain = UserEar(scene, ada, markets=[scene.rain.condition_id.upper().replace("0X", "0x")])
    snow = UserEar(scene, ada, markets=[scene.snow.condition_id])
    other = UserEar(scene, bob)
    scene.place(ada, Side.BUY, "0.40", "50")
    assert len(rain.frames()) == 1
    assert snow.frames() == []
    assert other.frames() == []
    snow.ask(operation="subscribe", markets=[scene.rain.condition_id])
    rain.ask(operation="unsubscribe", markets=[scene.rain.condition_id])
    rain.ask(operation="subscribe", markets=[scene.snow.condition_id])
    scene.place(ada, Side.BUY, "0.41", "50")
    assert len(snow.frames()) == 1
    assert rain.frames() == []


def test_counterparties_orders_are_nobodys_to_hear() -> None:
    scene = Scene()
    ear = UserEar(scene, scene.member(ADA))
    scene.rest(Side.SELL, "0.45", "50", maker=ADA)
    assert ear.frames() == []


@pytest.mark.parametrize("wrong", ["apiKey", "secret", "passphrase"])
def test_wrong_credentials_end_the_connection(wrong: str) -> None:
    scene = Scene()
    ada = scene.member(ADA)
    ear = UserEar(scene, ada)
    auth = {"apiKey": ada.key, "secret": ada.secret, "passphrase": ada.passphrase, wrong: "x"}
    with pytest.raises(Unauthorized):
        ear.ask(type="user", auth=auth)


def test_operations_need_credentials_first() -> None:
    scene = Scene()
    ear = UserEar(scene, scene.member(ADA))
    with pytest.raises(WrongFrame):
        ear.ask(operation="dance")
    ear.subscriber.owner = ""
    with pytest.raises(Unauthorized):
        ear.ask(operation="subscribe", markets=[])
