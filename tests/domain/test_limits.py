"""Of two sets of caps the tighter wins, cap by cap."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.risk import Limits, tighter

NAMES = [field.name for field in fields(Limits)]
LIMITS = st.builds(Limits, **{name: st.none() | st.integers(0, 10**9) for name in NAMES})


@given(LIMITS, LIMITS)
def test_each_cap_is_the_smaller_of_the_two(one: Limits, other: Limits) -> None:
    both = tighter(one, other)
    for name in NAMES:
        stated = [cap for cap in (getattr(one, name), getattr(other, name)) if cap is not None]
        assert getattr(both, name) == (min(stated) if stated else None), name
    assert both == tighter(other, one)


@given(LIMITS)
def test_no_caps_leave_caps_as_they_are(limits: Limits) -> None:
    assert tighter(limits, Limits()) == limits
