"""The equity curve: what the account was worth over time, and what was brought in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, Final

from betteroms.adapters.pictures.frame import (
    BLUE,
    GREEN,
    ORANGE,
    QUIET,
    RED,
    Axes,
    Figure,
    as_float,
    axes_with,
    dollar_ticks,
    dollars,
    nothing,
)
from betteroms.domain.figures import CashMove, EquityPoint, earned
from betteroms.domain.money import Usdc

MARKS_NAMED_MAX: Final = 8
"""More deposits than these are marked without their amounts, which would cover each other."""
BEFORE: Final = timedelta(hours=12)
"""A deposit so long before the first point is still shown: the starting cash comes before any snapshot."""
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Whatever the machine's language."""


def draw_equity(figure: Figure, points: Sequence[EquityPoint], moves: Sequence[CashMove]) -> None:
    title = "Net liquidation"
    if not points:
        nothing(figure, title, "no snapshots: run and maintain take one in each hour")
        return
    first, last = points[0], points[-1]
    gained = earned(points, moves)
    below = (
        f"{_days(first.at, last.at)}  ·  now {dollars(last.net_liquidation)}  ·  "
        f"{'lost' if gained < 0 else 'earned'} {dollars(abs(gained))}, deposits apart"
    )
    axes = axes_with(figure, title, below)
    marked = [move for move in moves if first.at - BEFORE <= move.at <= last.at]
    upper, lower = axes, axes
    if any(move.at > first.at for move in marked):
        # Beside a deposit what was earned is a flat line: it gets a panel of its own.
        upper.set_position((0.115, 0.455, 0.855, 0.365))
        lower = figure.add_axes((0.115, 0.12, 0.855, 0.255), sharex=upper)
        upper.tick_params(axis="x", labelbottom=False, length=0)
        _lines(lower, _apart(points, moves), "earned, dollars")
        lower.axhline(0, color=QUIET, linewidth=0.8)
    _lines(upper, points, "dollars")
    if len(points) == 1:
        upper.set_xlim(first.at - BEFORE, first.at + BEFORE)
    _deposits(upper, marked)
    _time_axis(lower)
    upper.grid(visible=False, axis="x")
    if len(upper.get_legend_handles_labels()[1]) > 1:
        # Above the axes, where no line can run through it.
        upper.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, fontsize=11)


def _apart(points: Sequence[EquityPoint], moves: Sequence[CashMove]) -> list[EquityPoint]:
    """The same points without what was brought in since the first, counted from the first."""
    start = points[0]
    told = []
    for point in points:
        gone = start.net_liquidation + sum(move.cash for move in moves if start.at < move.at <= point.at)
        pessimistic, optimistic = point.pessimistic, point.optimistic
        told.append(
            EquityPoint(
                at=point.at,
                net_liquidation=Usdc(point.net_liquidation - gone),
                pessimistic=None if pessimistic is None else Usdc(pessimistic - gone),
                optimistic=None if optimistic is None else Usdc(optimistic - gone),
            )
        )
    return told


def _lines(axes: Axes, points: Sequence[EquityPoint], label: str) -> None:
    _bounds(axes, points)
    times: Any = [point.at for point in points]
    worth = [as_float(point.net_liquidation) for point in points]
    axes.plot(times, worth, color=BLUE, linewidth=2.2, label="net liquidation", zorder=3)
    axes.plot(times[-1:], worth[-1:], "o", color=BLUE, markersize=7, zorder=4)
    axes.margins(x=0.02, y=0.14)
    low, high = axes.get_ylim()
    if high - low < 1:
        axes.set_ylim((low + high) / 2 - 1, (low + high) / 2 + 1)
    # Flat above the axis: beside it the label would be in the way of long amounts.
    axes.set_title(label, loc="left", fontsize=11, color=QUIET)
    axes.yaxis.set_major_formatter(dollar_ticks(axes.get_ylim()))


def _bounds(axes: Axes, points: Sequence[EquityPoint]) -> None:
    known = [point for point in points if point.pessimistic is not None and point.optimistic is not None]
    if not known:
        return
    times: Any = [point.at for point in known]
    low = [as_float(point.pessimistic or 0) for point in known]
    high = [as_float(point.optimistic or 0) for point in known]
    axes.fill_between(times, low, high, color=BLUE, alpha=0.10, linewidth=0)
    axes.plot(times, high, color=GREEN, linewidth=1.3, linestyle=(0, (5, 2)), label="optimistic fills")
    axes.plot(times, low, color=RED, linewidth=1.3, linestyle=(0, (2, 2)), label="pessimistic fills")


def _deposits(axes: Axes, moves: Sequence[CashMove]) -> None:
    """A line at each, with its amount where there are few enough to be read."""
    foot = axes.get_xaxis_transform()
    for move in moves:
        at: Any = move.at
        axes.axvline(at, color=ORANGE, linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)
        marker = "^" if move.cash >= 0 else "v"
        axes.plot([at], [0.012], marker, color=ORANGE, markersize=9, transform=foot, clip_on=False, zorder=5)
    if len(moves) > MARKS_NAMED_MAX:
        return
    start, end = axes.get_xlim()
    # Amounts of moves that lie close together stand above each other.
    taken, height = start - (end - start), 0
    for move in moves:
        place = axes.convert_xunits(move.at)
        height = height + 1 if place - taken < 0.14 * (end - start) else 0
        taken = place
        right = place < start + 0.85 * (end - start)
        axes.annotate(
            dollars(move.cash, signed=True),
            xy=(place, 0.012),
            xycoords=foot,
            xytext=(9 if right else -9, 5 + 17 * height),
            textcoords="offset points",
            ha="left" if right else "right",
            fontsize=11,
            color="#8a5a00",
            zorder=6,
        )


def _time_axis(axes: Axes) -> None:
    dates = import_module("matplotlib.dates")
    locator = dates.AutoDateLocator(tz=UTC, minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=UTC))
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("time, UTC")


def _days(first: datetime, last: datetime) -> str:
    told = [f"{at.day} {MONTHS[at.month - 1]} {at.year}" for at in (first, last)]
    return f"{' – '.join(dict.fromkeys(told))} UTC"
