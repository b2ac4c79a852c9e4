"""Charts before they are drawn: what the bars and the bins hold is what was put in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betteroms.domain.figures import (
    Bar,
    CashMove,
    EquityPoint,
    earned,
    histogram,
    ranked,
    round_step,
)
from betteroms.domain.money import Usdc

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def bar(name: str, cost: int, value: int) -> Bar:
    return Bar(name=name, cost=Usdc(cost), value=Usdc(value))


def point(hours: int, worth: int) -> EquityPoint:
    return EquityPoint(at=NOON + timedelta(hours=hours), net_liquidation=Usdc(worth))


def test_what_was_brought_in_is_not_earned() -> None:
    moves = [
        CashMove(at=NOON, cash=Usdc(100)),  # in the first point already
        CashMove(at=NOON + timedelta(hours=1), cash=Usdc(40)),
        CashMove(at=NOON + timedelta(hours=2), cash=Usdc(-10)),
        CashMove(at=NOON + timedelta(hours=3), cash=Usdc(7)),  # after the last
    ]
    assert earned([point(0, 100), point(1, 145), point(2, 138)], moves) == 8


def test_the_largest_come_first_and_the_rest_is_summed() -> None:
    found = ranked([bar(str(n), n, 2 * n) for n in range(6)], bars_max=3)
    assert [each.name for each in found.shown] == ["5", "4", "3"]
    assert found.others == bar("3 others", 3, 6)
    assert (found.others_count, found.cost, found.value) == (3, 15, 30)


def test_a_bar_is_as_large_as_the_greater_of_cost_and_value() -> None:
    found = ranked([bar("fell", 9, 0), bar("rose", 1, 10), bar("also", 10, 2)])
    assert [each.name for each in found.shown] == ["also", "rose", "fell"]


def test_one_bar_alone_is_never_called_others() -> None:
    found = ranked([bar(str(n), n, n) for n in range(4)], bars_max=3)
    assert (len(found.shown), found.others, found.others_count) == (4, None, 0)


def test_no_values_make_no_histogram() -> None:
    assert histogram([], width_min=1) is None


def test_equal_values_are_one_bin_around_them() -> None:
    found = histogram([7, 7, 7], width_min=5)
    assert found is not None
    assert [(each.low, each.high, each.count) for each in found.bins] == [(3, 8, 3)]
    assert (found.mean, found.worst) == (7, 7)


def test_values_on_a_grid_lie_in_the_middle_of_their_bins() -> None:
    found = histogram([-50, 0, 50, 50, 150], width_min=5)
    assert found is not None
    assert [(each.low, each.high, each.count) for each in found.bins] == [
        (-75, -25, 1),
        (-25, 25, 1),
        (25, 75, 2),
        (75, 125, 0),
        (125, 175, 1),
    ]
    assert [each.middle for each in found.bins] == [-50, 0, 50, 100, 150]


def test_bins_wider_than_the_grid_hold_whole_steps_of_it() -> None:
    found = histogram(range(0, 5000, 50), width_min=5, bins_max=10)
    assert found is not None
    assert {each.high - each.low for each in found.bins} == {1000}
    assert {each.low % 1000 for each in found.bins} == {0}


def test_one_value_far_out_does_not_squeeze_the_others() -> None:
    found = histogram([*range(200), 1_000_000, -1_000_000], width_min=1)
    assert found is not None
    assert (found.below, found.above, found.worst) == (1, 1, 1_000_000)
    assert found.bins[-1].high <= 220


def test_a_long_tail_is_gathered_in_the_last_bin() -> None:
    found = histogram([*range(1000), *range(1000, 100_000, 2_475)], width_min=1, bins_max=20)
    assert found is not None
    assert len(found.bins) == 20
    assert found.bins[-1].count >= found.above > 30


@given(
    values=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=300),
    width_min=st.integers(1, 10_000),
    bins_max=st.integers(2, 40),
)
def test_every_value_is_counted_once(values: list[int], width_min: int, bins_max: int) -> None:
    found = histogram(values, width_min=width_min, bins_max=bins_max)
    assert found is not None
    assert sum(each.count for each in found.bins) == len(values) == found.count
    assert 1 <= len(found.bins) <= bins_max
    widths = {each.high - each.low for each in found.bins}
    assert len(widths) == 1
    assert widths.pop() >= width_min
    start, end = found.bins[0].low, found.bins[-1].high
    assert found.below == sum(value < start for value in values)
    assert found.above == sum(value >= end for value in values)
    for each in found.bins[1:-1]:
        assert each.count == sum(each.low <= value < each.high for value in values)
    assert abs(2 * found.mean * len(values) - 2 * sum(values)) <= len(values)
    assert found.worst == max(values)


@pytest.mark.parametrize(
    ("least", "step"), [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (501, 1000), (10_000, 10_000)]
)
def test_steps_are_those_that_people_count_in(least: int, step: int) -> None:
    assert round_step(least) == step
