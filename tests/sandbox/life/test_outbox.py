"""What waits for a subscriber, and what befalls it on the way out."""

import json
from collections.abc import Iterator
from typing import Any

from betteroms.domain.terms import Side
from betteroms.sandbox.streams.faults import AS_IT_IS, Fate, Message
from betteroms.sandbox.streams.outbox import OUTBOX_MAX, Outbox
from tests.sandbox.life.scene import MarketEar, Scene


def sent(*fates: Fate, messages: int) -> tuple[list[Any], Outbox]:
    """What comes out when numbered messages are put in, each with its fate; the rest go as they are."""
    coming: Iterator[Fate] = iter(fates)
    outbox = Outbox("/ws/market", lambda *_: next(coming, AS_IT_IS), lambda: None)
    for number in range(messages):
        outbox.put({"number": number})
    found = []
    while (frame := outbox.take()) is not None:
        found.append(json.loads(frame)["number"] if frame.startswith("{") else frame)
    return found, outbox


def test_messages_come_in_order() -> None:
    assert sent(messages=3)[0] == [0, 1, 2]


def test_a_message_can_be_doubled_and_dropped() -> None:
    assert sent(Fate(copies=3), Fate(copies=0), messages=3)[0] == [0, 0, 0, 2]


def test_a_held_message_comes_after_the_next_one() -> None:
    assert sent(Fate(held=True), Fate(held=True), messages=4)[0] == [2, 0, 1, 3]


def test_a_stalled_stream_is_silent_but_answers_ping() -> None:
    found, outbox = sent(AS_IT_IS, Fate(stalls=True), messages=4)
    assert found == [0]
    outbox.put_text("PONG")
    assert outbox.take() == "PONG"
    assert not outbox.cut


def test_a_cut_stream_sends_nothing_more() -> None:
    found, outbox = sent(AS_IT_IS, Fate(cuts=True), messages=4)
    assert found == []
    assert outbox.cut


def test_a_reader_that_does_not_keep_up_is_cut_off() -> None:
    outbox = Outbox("/ws/market", lambda *_: AS_IT_IS, lambda: None)
    cut = []
    for number in range(OUTBOX_MAX + 1):
        outbox.put({"number": number})
        cut.append(outbox.cut)
    assert cut.index(True) == OUTBOX_MAX
    assert outbox.take() is None


def test_a_chooser_sees_the_channel_and_every_message_of_every_subscriber() -> None:
    seen: list[tuple[str, str]] = []

    def choose(channel: str, message: Message) -> Fate:
        one = message[0] if isinstance(message, list) else message
        seen.append((channel, one["event_type"]))
        return Fate(copies=0)

    scene = Scene()
    ears = [MarketEar(scene, *scene.rain.token_ids) for _ in range(2)]
    for ear in ears:
        ear.frames()
    scene.streams.choose = choose
    scene.rest(Side.BUY, "0.40", "50")
    assert seen == [("/ws/market", "price_change")] * 2
    assert [ear.frames() for ear in ears] == [[], []]
