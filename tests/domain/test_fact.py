"""Facts are the frozen dataclasses they would have been."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, replace

import pytest

from betteroms.domain.fact import fact


@fact
class Fill:
    """A fill."""

    price: int
    size: int
    note: str | None = None

    @property
    def cash(self) -> int:
        return self.price * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    price: int
    size: int
    note: str | None = None


FILL = Fill(price=3, size=4)


def test_it_is_made_from_keywords_with_defaults_and_has_its_methods() -> None:
    assert (FILL.price, FILL.size, FILL.note, FILL.cash) == (3, 4, None, 12)
    assert repr(FILL) == "Fill(price=3, size=4, note=None)"
    assert Fill.__doc__ == "A fill."


def test_it_cannot_be_changed_and_takes_nothing_more() -> None:
    with pytest.raises(FrozenInstanceError):
        FILL.price = 5  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del FILL.price
    with pytest.raises((AttributeError, TypeError)):
        FILL.other = 5  # type: ignore[attr-defined]


def test_it_is_equal_and_hashed_by_value_and_only_to_its_kind() -> None:
    assert Fill(price=3, size=4) == FILL
    assert hash(Fill(price=3, size=4)) == hash(FILL)
    assert Fill(price=3, size=5) != FILL
    other: object = Plain(price=3, size=4)
    assert other != FILL


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"price": 3}, "missing 1 required keyword-only argument: 'size'"),
        ({"price": 3, "size": 4, "other": 5}, "unexpected keyword argument 'other'"),
    ],
)
def test_wrong_keywords_are_refused(given: dict[str, int], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        Fill(**given)  # type: ignore[arg-type]


def test_places_are_refused() -> None:
    with pytest.raises(TypeError):
        Fill(3, 4)  # type: ignore[call-arg]


def test_the_tools_of_dataclasses_work_on_it() -> None:
    assert [field.name for field in fields(Fill)] == ["price", "size", "note"]
    assert asdict(FILL) == {"price": 3, "size": 4, "note": None}
    assert replace(FILL, size=9) == Fill(price=3, size=9)


def test_it_can_be_copied_and_sent_to_another_process() -> None:
    assert copy.deepcopy(FILL) == FILL
    assert pickle.loads(pickle.dumps(FILL)) == FILL


def test_two_values_that_could_be_shared_are_refused_as_defaults() -> None:
    from dataclasses import field

    with pytest.raises(AssertionError, match="default factories"):

        @fact
        class _Shared:
            names: list[str] = field(default_factory=list)
