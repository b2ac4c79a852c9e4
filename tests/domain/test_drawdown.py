"""The deepest fall is measured from the peak before it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.drawdown import Drawdown, deepest

NOW = datetime.fromisoformat("2026-11-20T12:00:00Z")


def course(*gains: int) -> list[tuple[datetime, int]]:
    return [(NOW + timedelta(hours=hour), gain) for hour, gain in enumerate(gains)]


def test_nothing_has_no_fall() -> None:
    assert deepest([]) is None


@pytest.mark.parametrize(
    ("gains", "amount", "peak_hour", "trough_hour"),
    [
        ((0, 1, 2), 0, 0, 0),
        ((0, 5, 1, 4, 2, 9, 6), 4, 1, 2),
        ((3, -2, 8, 2), 6, 2, 3),
        ((0, -1, -5), 5, 0, 2),
    ],
)
def test_the_deepest_fall(gains: tuple[int, ...], amount: int, peak_hour: int, trough_hour: int) -> None:
    found = deepest(course(*gains))
    assert found == Drawdown(
        amount=amount,  # type: ignore[arg-type]
        peak=gains[peak_hour],  # type: ignore[arg-type]
        peak_at=NOW + timedelta(hours=peak_hour),
        trough_at=NOW + timedelta(hours=trough_hour),
    )


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=12))
def test_no_pair_of_moments_falls_deeper(gains: list[int]) -> None:
    found = deepest(course(*gains))
    assert found is not None
    assert found.amount == max(
        gains[early] - gains[late] for late in range(len(gains)) for early in range(late + 1)
    )
