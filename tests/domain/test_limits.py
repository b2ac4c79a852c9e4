"""Of two sets of caps the tighter wins, cap by cap."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.risk import Limits, tighter
from betteroms.domain.risk.limits import CAPS

AMOUNTS = st.integers(0, 10**9)
LIMITS = st.builds(
    Limits,
    **{
        name: st.none() | (AMOUNTS.map(lambda ms: timedelta(milliseconds=ms)) if "age" in name else AMOUNTS)
        for name in CAPS
    },
)


def test_every_field_is_a_cap() -> None:
    assert [field.name for field in fields(Limits)] == list(CAPS)


@given(LIMITS, LIMITS)
def test_each_cap_is_the_tighter_of_the_two(one: Limits, other: Limits) -> None:
    both = tighter(one, other)
    for name in CAPS:
        stated: list[Any] = [cap for cap in (getattr(one, name), getattr(other, name)) if cap is not None]
        tightest = max if name.endswith("_min") else min
        assert getattr(both, name) == (tightest(stated) if stated else None), name
    assert both == tighter(other, one)


@given(LIMITS)
def test_no_caps_leave_caps_as_they_are(limits: Limits) -> None:
    assert tighter(limits, Limits()) == limits
