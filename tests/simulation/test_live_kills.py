"""SIGKILL for the real command at the messages by which it changes something, live: to the venue, or to the
database. Whatever it left is made whole by typing it again."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.live_processes import Heard, Moment, Side, When, Zygote
from tests.simulation.live_scenes import Scene
from tests.simulation.live_terminal import Terminal
from tests.simulation.live_terminal import terminal as at_terminal
from tests.simulation.pgproxy import COMMIT, Writes
from tests.simulation.proxy import Message

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is for unix")

SLICES: Final = 2
MOMENTS_MIN: Final = {"trade": 31, "cancel-all": 9}
"""Forty together."""
CHANGES: Final = ("/order", "/orders", "/cancel-all")


@pytest.fixture
def terminal(dusk: Scene, zygote: Zygote, one_certificate: Path) -> Iterator[Terminal]:
    with dusk.played() as play, at_terminal(play, zygote, one_certificate) as found:
        yield found


def moments(heard: Heard) -> list[Moment]:
    """Around every change at the venue or in the database, in their order."""
    found = [
        (message.at, moment(Side.VENUE, message, when))
        for message in heard.venue
        if message.text in CHANGES
        for when in When
    ]
    writes = Writes()
    found += [
        (message.at, moment(Side.DATABASE, message, when))
        for message in heard.database
        if writes.commit(message) == COMMIT
        for when in (When.BEFORE, When.AFTER)
    ]
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def moment(side: Side, message: Message, when: When) -> Moment:
    words = f"{message.kind} {message.text}" if side is Side.VENUE else COMMIT
    return Moment(side=side, number=message.number, when=when, words=words)


@pytest.mark.parametrize("part", range(SLICES))
def test_a_live_command_that_is_killed_at_any_change_is_made_whole_by_the_next(
    terminal: Terminal, part: int
) -> None:
    play, undisturbed = terminal.play, terminal.play.scene.undisturbed
    play.rewind()
    heard = terminal.trade()
    terminal.settle()
    assert play.rest().is_as(undisturbed), "a process does what the command does in this one"
    every = moments(heard)
    assert len(every) >= MOMENTS_MIN["trade"]
    wrong = []
    # Neighbours leave the same behind, and are recovered from once if they are dealt out together.
    for each in every[len(every) * part // SLICES : len(every) * (part + 1) // SLICES]:
        play.rewind()
        killed = terminal.trade(kill=each)
        assert killed.struck, f"there was no {each}"
        if not terminal.recovered(terminal.trade).is_as(undisturbed):
            wrong.append(str(each))
    assert wrong == []


def test_a_cancel_of_everything_that_is_killed_at_any_change_is_finished_by_the_next(
    terminal: Terminal,
) -> None:
    play = terminal.play
    play.rewind()
    heard = terminal.cancel_all()
    assert heard.told.code == 0, heard.told
    every = moments(heard)
    assert {each.words for each in every} >= {"DELETE /cancel-all", COMMIT}
    assert len(every) >= MOMENTS_MIN["cancel-all"]
    wrong = []
    for each in every:
        play.rewind()
        assert terminal.cancel_all(kill=each).struck, f"there was no {each}"
        rest = terminal.recovered(terminal.cancel_all)
        wrong += [f"{each}: {complaint}" for complaint in (*rest.complaints, *rest.alive)]
    assert wrong == []
