"""A secret shows itself only when asked by name."""

import copy
import dataclasses
import json
import pickle

import pytest

from betteroms.domain.secret import Secret

TEXT = "correct-horse-battery"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    secret: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(Secret(TEXT)),
        str(Secret(TEXT)),
        f"{Secret(TEXT)} {Secret(TEXT)!r} {Secret(TEXT)!s} {Secret(TEXT):>30}",
        "%s %r" % (Secret(TEXT), Secret(TEXT)),  # noqa: UP031
        repr([Secret(TEXT)]),
        repr(Holder(secret=Secret(TEXT))),
        repr(dataclasses.asdict(Holder(secret=Secret(TEXT)))),
        repr(dataclasses.astuple(Holder(secret=Secret(TEXT)))),
        json.dumps(dataclasses.asdict(Holder(secret=Secret(TEXT))), default=str),
    ],
)
def test_no_way_of_printing_shows_it(shown: str) -> None:
    assert TEXT not in shown
    assert "***" in shown


def test_it_is_told_to_who_asks_for_it() -> None:
    assert Secret(TEXT).reveal() == TEXT


def test_equal_texts_are_equal_secrets() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert hash(Secret(TEXT)) == hash(Secret(TEXT))
    assert Secret(TEXT) != Secret("another")


def test_a_secret_is_not_its_text() -> None:
    assert Secret(TEXT) != TEXT


def test_a_copy_is_the_secret_itself() -> None:
    secret = Secret(TEXT)
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_refuses_to_be_written_into_a_pickle(protocol: int) -> None:
    with pytest.raises(TypeError, match="never pickled") as refusal:
        pickle.dumps({"key": Secret(TEXT)}, protocol=protocol)
    assert TEXT not in str(refusal.value)
