"""Die live before and after every HTTP request and every commit; then run again, and let it come to rest.

Where the venue did not move meanwhile, whoever recovers ends where the undisturbed did, names too. What is
outside of the process after a question to the venue is what is outside before the next effect: in the suite
deaths come after whatever changes something, with --soak after everything.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import pytest

from betteroms.domain.errors import DatabaseUnavailable
from tests.simulation.live_scenes import Play, Scene
from tests.simulation.live_wire import Harm
from tests.simulation.mortal import Death, Fate

SLICES: Final = 2
CHANGES: Final = ("COMMIT", "POST", "DELETE")
POSTS: Final = ("POST /order", "POST /orders")
UNANSWERED: Final = (Harm.LOST, Harm.LATE)
Moment = tuple[int, bool]


def moments(scene: Scene, *, all_of_them: bool) -> list[Moment]:
    """Before each effect; after those that change something, or after all."""
    numbers = range(len(scene.met))
    after = numbers if all_of_them else scene.effects(*CHANGES)
    return sorted([(number, False) for number in numbers] + [(number, True) for number in after])


def died(play: Play, deaths: Sequence[Moment], *, dead_for_good: bool = True) -> Iterator[str]:
    """Die at each of these moments and recover; what is wrong then."""
    for moment, after in deaths:
        ended = play.act(Fate(moment, after, dead_for_good=dead_for_good))
        where = f"{'after' if after else 'before'} {moment}: {play.scene.met[moment]}"
        if not isinstance(ended, Death | DatabaseUnavailable):
            yield f"{where}: ended with {ended!r}"
        yield from wrong(play, where)


def wrong(play: Play, where: str) -> Iterator[str]:
    """Recover, and tell what is not as it should be."""
    rest = play.recovered()
    if not rest.is_as(play.scene.undisturbed):
        yield f"{where}: {rest.complaints or 'another state'}"


@pytest.mark.parametrize("part", range(SLICES))
def test_a_live_run_that_dies_at_any_effect_is_made_whole_by_the_next(dusk: Scene, part: int) -> None:
    with dusk.played() as play:
        deaths = moments(dusk, all_of_them=False)
        # Neighbours leave the same behind, and are recovered from once if they are dealt out together.
        assert (
            list(died(play, deaths[len(deaths) * part // SLICES : len(deaths) * (part + 1) // SLICES])) == []
        )


@pytest.mark.soak
@pytest.mark.parametrize("name", ["dawn", "dusk", "night"])
def test_a_command_that_dies_before_or_after_any_effect_at_all_is_made_whole_by_the_next(
    name: str, request: pytest.FixtureRequest
) -> None:
    scene: Scene = request.getfixturevalue(name)
    with scene.played() as play:
        assert list(died(play, moments(scene, all_of_them=True))) == []


def test_the_first_orders_ever_go_alone_and_may_each_be_the_last(dawn: Scene) -> None:
    assert [name for name in dawn.asked if name in POSTS] == ["POST /order"] * 3 + ["POST /orders"]
    with dawn.played() as play:
        assert list(died(play, [(number, True) for number in dawn.effects(*POSTS)])) == []


def test_a_live_run_that_is_interrupted_while_orders_leave_is_made_whole_by_the_next(dusk: Scene) -> None:
    with dusk.played() as play:
        deaths = [(dusk.effects(*POSTS)[0], after) for after in (False, True)]
        assert list(died(play, deaths, dead_for_good=False)) == []


def test_a_poll_that_sends_again_and_dies_at_any_change_is_made_whole_by_the_next(night: Scene) -> None:
    assert [name for name in night.asked if name in POSTS] == ["POST /orders"], "it has something to send"
    with night.played() as play:
        deaths = [(number, after) for number in night.effects(*CHANGES) for after in (False, True)]
        assert list(died(play, deaths)) == []


@pytest.mark.parametrize("harm", UNANSWERED)
def test_orders_sent_again_without_an_answer_are_sent_once_more_or_found(night: Scene, harm: Harm) -> None:
    with night.played() as play:
        assert list(unanswered(play, harm, night.effects(*CHANGES))) == []


@pytest.mark.soak
def test_a_live_run_that_is_interrupted_at_any_effect_is_made_whole_by_the_next(dusk: Scene) -> None:
    with dusk.played() as play:
        assert list(died(play, moments(dusk, all_of_them=True), dead_for_good=False)) == []


@pytest.mark.parametrize("harm", UNANSWERED)
def test_a_post_without_an_answer_and_a_death_after_it_are_made_whole(dusk: Scene, harm: Harm) -> None:
    """The answer to a post is lost, or it lands 40 s late, and then the process dies at a commit."""
    with dusk.played() as play:
        assert list(unanswered(play, harm, dusk.effects("COMMIT"))) == []


@pytest.mark.soak
@pytest.mark.parametrize("harm", Harm)
def test_a_post_that_was_harmed_in_any_way_and_a_death_at_any_effect_are_made_whole(
    dusk: Scene, harm: Harm
) -> None:
    with dusk.played() as play:
        assert list(unanswered(play, harm, range(len(dusk.met)))) == []


def unanswered(play: Play, harm: Harm, deaths: Sequence[int]) -> Iterator[str]:
    """Harm each post, and die before each of these effects that come after it, or not at all.

    What found no connection was not sent, for sure, and is refused for good: that is another end than the
    undisturbed one, and must be the same one here and at the venue.
    """
    asked = play.scene.asked
    for number in (number for number, name in enumerate(asked) if name in POSTS):
        posted = [effect for effect, name in enumerate(play.scene.met) if " " in name][number]
        for death in [*(effect for effect in deaths if effect > posted), None]:
            play.act(Fate(death), {number: harm})
            where = f"{harm} at {asked[number]}, dead at {death}"
            if harm is Harm.UNSENT:
                yield from (f"{where}: {complaint}" for complaint in play.recovered().complaints)
            else:
                yield from wrong(play, where)
