"""What the market channel tells, without sockets."""

from typing import Any

import pytest

from betteroms.domain.money import to_micros
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.books import book_document, book_hash
from betteroms.sandbox.model import MICROS
from betteroms.sandbox.streams.frames import WrongFrame
from betteroms.sandbox.streams.market import DUMPED_TOKENS_MAX, TOKENS_MAX
from tests.sandbox.life.scene import MarketEar, Scene, market


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.rest(Side.BUY, "0.38", "300")
    scene.rest(Side.BUY, "0.40", "200")
    scene.rest(Side.SELL, "0.45", "100")
    scene.rest(Side.SELL, "0.46", "300")
    return scene


def replayed(book: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """A reader's own book: the dump with every later change of its token put in."""
    sides = {side: {level["price"]: level["size"] for level in book[side]} for side in ("bids", "asks")}
    for message in messages:
        for change in message.get("price_changes", []):
            if change["asset_id"] != book["asset_id"]:
                continue
            side = sides["bids" if change["side"] == "BUY" else "asks"]
            side[change["price"]] = change["size"]
            if change["size"] == "0":
                del side[change["price"]]
    return sides


def test_a_subscription_begins_with_a_list_of_books_best_price_last(scene: Scene) -> None:
    (dump,) = MarketEar(scene, *scene.rain.token_ids).frames()
    first, second = dump
    assert first["bids"] == [{"price": "0.38", "size": "300"}, {"price": "0.4", "size": "200"}]
    assert first["asks"] == [{"price": "0.46", "size": "300"}, {"price": "0.45", "size": "100"}]
    assert second["bids"] == [{"price": "0.54", "size": "300"}, {"price": "0.55", "size": "100"}]
    assert second["asks"] == [{"price": "0.62", "size": "300"}, {"price": "0.6", "size": "200"}]
    assert list(first) == [
        "market",
        "asset_id",
        "timestamp",
        "hash",
        "bids",
        "asks",
        "tick_size",
        "event_type",
        "last_trade_price",
    ]


def test_no_dump_is_sent_to_those_who_want_none(scene: Scene) -> None:
    ear = MarketEar(scene, *scene.rain.token_ids, initial_dump=False)
    assert ear.frames() == []
    scene.rest(Side.BUY, "0.41", "10")
    assert len(ear.frames()) == 1


def test_a_change_tells_both_outcomes_with_the_new_total_and_the_new_top(scene: Scene) -> None:
    ear = MarketEar(scene, scene.rain.token_ids[0])
    ear.frames()
    scene.after(5)
    scene.rest(Side.BUY, "0.40", "50")
    (message,) = ear.frames()
    yes, no = message["price_changes"]
    assert (yes["price"], yes["size"], yes["side"]) == ("0.4", "250", "BUY")
    assert (yes["best_bid"], yes["best_ask"]) == ("0.4", "0.45")
    assert (no["price"], no["size"], no["side"]) == ("0.6", "250", "SELL")
    assert (no["best_bid"], no["best_ask"]) == ("0.55", "0.6")
    assert (yes["asset_id"], no["asset_id"]) == scene.rain.token_ids
    assert message["timestamp"] == str(scene.clock.now_ms())
    assert message["event_type"] == "price_change"


def test_each_change_carries_the_hash_that_rest_tells_too(scene: Scene) -> None:
    ear = MarketEar(scene, *scene.rain.token_ids)
    ear.frames()
    scene.after(5)
    scene.rest(Side.SELL, "0.44", "7")
    (message,) = ear.frames()
    for outcome, change in enumerate(message["price_changes"]):
        document = book_document(scene.rain, scene.exchange.book(scene.rain), outcome)
        assert change["hash"] == document["hash"] == book_hash(document)


def test_a_sweep_is_told_level_by_level_in_one_moment_and_ends_with_the_books(scene: Scene) -> None:
    ear = MarketEar(scene, *scene.rain.token_ids)
    (dump,) = ear.frames()
    scene.after(5)
    scene.rest(Side.BUY, "0.46", "500")
    messages = ear.frames()
    assert [message["event_type"] for message in messages] == [
        "last_trade_price",
        *["price_change"] * 3,
        "book",
        "book",
    ]
    assert {message["timestamp"] for message in messages} == {str(scene.clock.now_ms())}
    hashes = {message["price_changes"][0]["hash"] for message in messages[1:4]}
    assert hashes == {messages[4]["hash"]}
    for book, final in zip(dump, messages[4:], strict=True):
        assert replayed(book, messages) == replayed(final, [])


def test_a_trade_is_told_of_the_takers_token_alone(scene: Scene) -> None:
    yes, no = (MarketEar(scene, token) for token in scene.rain.token_ids)
    scene.rest(Side.BUY, "0.60", "20", outcome=1)
    assert [m["event_type"] for m in yes.frames()[1:]] == ["price_change", "book"]
    told = no.frames()[1]
    assert (told["event_type"], told["price"], told["size"], told["side"]) == (
        "last_trade_price",
        "0.6",
        "20",
        "BUY",
    )
    assert told["transaction_hash"].startswith("0x")


def test_a_trade_at_several_prices_is_told_with_their_average(scene: Scene) -> None:
    ear = MarketEar(scene, scene.rain.token_ids[0])
    scene.rest(Side.BUY, "0.46", "200", time_in_force=TimeInForce.FAK)
    assert ear.frames()[1]["price"] == "0.455"


def test_an_empty_side_is_told_as_nothing_bid_and_a_dollar_asked() -> None:
    scene = Scene()
    ear = MarketEar(scene, scene.rain.token_ids[0])
    order = scene.rest(Side.BUY, "0.40", "50").order
    scene.exchange.cancel(order, scene.world.now())
    last = ear.frames()[-1]["price_changes"]
    assert [(change["best_bid"], change["best_ask"]) for change in last] == [("0", "1"), ("0", "1")]
    assert [change["size"] for change in last] == ["0", "0"]


def test_a_new_tick_is_followed_by_the_book_anew(scene: Scene) -> None:
    ear = MarketEar(scene, *scene.rain.token_ids)
    ear.frames()
    scene.exchange.set_tick(scene.rain, to_micros("0.001"), scene.world.now())
    messages = ear.frames()
    assert [m["event_type"] for m in messages] == ["tick_size_change"] * 2 + ["book"] * 2
    assert (messages[0]["old_tick_size"], messages[0]["new_tick_size"]) == ("0.01", "0.001")
    assert messages[2]["tick_size"] == "0.001"


def test_the_top_is_told_to_those_who_asked_for_more_and_only_when_it_moves(scene: Scene) -> None:
    ear = MarketEar(scene, scene.rain.token_ids[0], custom=True)
    ear.frames()
    scene.rest(Side.BUY, "0.39", "10")
    assert [m["event_type"] for m in ear.frames()] == ["price_change"]
    scene.rest(Side.BUY, "0.42", "10")
    _, top = ear.frames()
    assert (top["event_type"], top["best_bid"], top["best_ask"], top["spread"]) == (
        "best_bid_ask",
        "0.42",
        "0.45",
        "0.03",
    )


def test_new_markets_and_resolutions_are_told_to_those_who_asked_for_more(scene: Scene) -> None:
    plain = MarketEar(scene, *scene.rain.token_ids)
    custom = MarketEar(scene, *scene.rain.token_ids, custom=True)
    elsewhere = MarketEar(scene, *scene.snow.token_ids, custom=True)
    for ear in (plain, custom, elsewhere):
        ear.frames()
    hail = market("will-it-hail", event_id="9", event_slug="weather")
    scene.exchange.add_market(hail, scene.world.now())
    (new,) = custom.frames()
    assert (new["event_type"], new["slug"], new["assets_ids"]) == (
        "new_market",
        "will-it-hail",
        list(hail.token_ids),
    )
    assert new["event_message"]["slug"] == "weather"
    assert [m["event_type"] for m in elsewhere.frames()] == ["new_market"]
    scene.exchange.resolve(scene.rain, (0, MICROS), scene.world.now())
    resolved = custom.frames()[-1]
    assert (resolved["event_type"], resolved["winning_asset_id"], resolved["winning_outcome"]) == (
        "market_resolved",
        scene.rain.token_ids[1],
        "No",
    )
    assert elsewhere.frames() == []
    assert {m["event_type"] for m in plain.frames()} == {"price_change"}


def test_a_split_payout_has_no_winner(scene: Scene) -> None:
    ear = MarketEar(scene, scene.rain.token_ids[0], custom=True)
    scene.exchange.resolve(scene.rain, (MICROS // 2, MICROS // 2), scene.world.now())
    assert "winning_asset_id" not in ear.frames()[-1]


def test_operations_add_and_take_away_tokens(scene: Scene) -> None:
    ear = MarketEar(scene)
    assert ear.frames() == []
    ear.ask(operation="subscribe", assets_ids=[scene.rain.token_ids[0]], custom_feature_enabled=True)
    ((book,),) = ear.frames()
    assert book["asset_id"] == scene.rain.token_ids[0]
    ear.ask(operation="subscribe", assets_ids=[scene.rain.token_ids[0]])
    assert ear.frames() == []
    assert ear.subscriber.custom
    ear.ask(operation="unsubscribe", assets_ids=[scene.rain.token_ids[0]])
    scene.rest(Side.BUY, "0.41", "10")
    assert ear.frames() == []


def test_a_market_that_comes_later_is_heard_by_those_who_asked_before(scene: Scene) -> None:
    hail = market("will-it-hail")
    ear = MarketEar(scene, hail.token_ids[0])
    assert ear.frames() == []
    scene.exchange.add_market(hail, scene.world.now())
    scene.exchange.set_tick(hail, to_micros("0.001"), scene.world.now())
    assert [m["event_type"] for m in ear.frames()] == ["tick_size_change", "book"]


def test_beyond_five_hundred_tokens_the_snapshots_are_missing(scene: Scene) -> None:
    ear = MarketEar(scene, *(str(number) for number in range(DUMPED_TOKENS_MAX - 1)))
    ear.ask(operation="subscribe", assets_ids=list(scene.rain.token_ids))
    (dump,) = ear.frames()
    assert [book["asset_id"] for book in dump] == [scene.rain.token_ids[0]]
    scene.rest(Side.BUY, "0.41", "10")
    assert len(ear.frames()) == 1


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"operation": "dance", "assets_ids": []},
        {"type": "user", "assets_ids": []},
        {"type": "market", "assets_ids": "71"},
        {"type": "market", "assets_ids": [71]},
        {"type": "market", "assets_ids": ["7"] * (TOKENS_MAX + 1)},
    ],
)
def test_a_frame_that_asks_for_nothing_known_is_wrong(frame: dict[str, Any], scene: Scene) -> None:
    ear = MarketEar(scene)
    with pytest.raises(WrongFrame):
        scene.streams.market.receive(ear.subscriber, frame)


def test_who_has_left_hears_nothing(scene: Scene) -> None:
    ear = MarketEar(scene, *scene.rain.token_ids, initial_dump=False)
    scene.streams.market.leave(ear.subscriber)
    scene.rest(Side.BUY, "0.41", "10")
    assert ear.frames() == []
