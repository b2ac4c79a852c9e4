"""Whatever the venue answers, and to whichever question: nothing is lost, doubled or made up (SPEC 12).

Each kind of bad answer is given to the first of each kind of question that a live run asks; the run ends with
a message or goes on, and the next one makes everything whole. Chance mixes them: `test_live_chance`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pytest

from betteroms.domain.errors import CredentialsUnusable, VenueUnfit, VenueUnreachable
from betteroms.sandbox.faults.script import read
from betteroms.sandbox.http.modes import Mode
from tests.simulation.live_scenes import Play, Scene
from tests.simulation.mortal import Fate

HTML: Final = "<html><body>We will be back soon</body></html>"
BAD: Final[Mapping[str, Mapping[str, Any]]] = {
    "no answer": {"fault": "lost_answer"},
    "never heard": {"fault": "cut_before"},
    "cut in the middle": {"fault": "truncated", "how": "closed"},
    "half a document": {"fault": "truncated", "how": "honest"},
    "a page of HTML": {
        "fault": "answer",
        "status": 200,
        "body": HTML,
        "headers": {"content-type": "text/html"},
    },
    "a gateway's page": {"fault": "error_502", "effect": True},
    "a fault of its own": {"fault": "error_500", "effect": False},
    "another shape": {"fault": "answer", "status": 200, "body": "[[]]"},
    "not for you": {"fault": "answer", "status": 403, "body": HTML},
    "too fast": {"fault": "rate_limited"},
    "a restart": {"fault": "restarting"},
    "no trading": {"fault": "halted"},
}
POSTS_ONLY: Final = "no trading"
"""The venue says this to posts alone."""


def questions(scene: Scene) -> list[str]:
    """Every kind of question of the run, as rules of faults name them."""
    found = dict.fromkeys(scene.asked)
    return [f"{name.rpartition('/')[0]}/*" if "/order/0x" in name else name for name in found]


def struck(play: Play, question: str, bad: Mapping[str, Any]) -> BaseException | None:
    """The run, of which the first such question is answered badly; how it ended."""
    play.rewind()
    venue = play.operator.venue.app.venue
    venue.faults.add(read({"rules": [{"on": question, "first": 1, **bad}]}))
    try:
        assert play.scene.plan is not None
        play.operator.trade(play.scene.plan, Fate())
    except (CredentialsUnusable, VenueUnfit, VenueUnreachable) as end:
        return end
    finally:
        assert sum(rule.hits for rule in venue.faults.rules) == 1, f"{question} was not asked"
        venue.faults.clear()
        venue.desk.modes.set(Mode.OPEN, until_ms=None)
    return None


def wrong(play: Play, name: str, asked: Iterable[str]) -> Iterator[str]:
    """What is not as it should be, for each of these questions that is answered so."""
    for question in asked:
        ended = struck(play, question, BAD[name])
        if ended is not None and not str(ended):
            yield f"{question}: nothing is said"
        for complaint in play.recovered().complaints:
            yield f"{question}: {complaint}"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_to_a_post_loses_nothing(dusk: Scene, name: str) -> None:
    with dusk.played() as play:
        assert list(wrong(play, name, ["POST /orders"])) == []


def test_a_page_of_html_for_an_answer_to_any_question_loses_nothing(dusk: Scene) -> None:
    with dusk.played() as play:
        assert list(wrong(play, "a page of HTML", questions(dusk))) == []


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(set(BAD) - {POSTS_ONLY}))
def test_a_bad_answer_to_any_question_loses_nothing(dusk: Scene, name: str) -> None:
    with dusk.played() as play:
        assert list(wrong(play, name, questions(dusk))) == []
