"""Exposure by market and slippage of orders, as bars."""

from collections.abc import Sequence
from decimal import Decimal

from betteroms.adapters.pictures.frame import (
    BLUE,
    GREEN,
    INK,
    QUIET,
    RED,
    Axes,
    Figure,
    as_float,
    axes_with,
    dollar_ticks,
    dollars,
    nothing,
    short_name,
)
from betteroms.domain.figures import Bar, Histogram, Unit, histogram, ranked


def draw_exposure(figure: Figure, bars: Sequence[Bar], bars_max: int) -> None:
    title = "Exposure by market"
    if not bars:
        nothing(figure, title, "nothing is held")
        return
    found = ranked(bars, bars_max=bars_max)
    rows = [*found.shown, *([found.others] if found.others else [])]
    count = len(bars)
    below = (
        f"{count:,} market{'s' if count != 1 else ''}  ·  cost {dollars(found.cost)}  ·  "
        f"value {dollars(found.value)}  ·  unrealised {dollars(found.value - found.cost, signed=True)}"
    )
    axes = axes_with(figure, title, below, left=0.30)
    places = range(len(rows))
    slim = 0.38
    axes.barh(
        [place - slim / 2 for place in places], [as_float(bar.cost) for bar in rows], height=slim,
        color="#b8c4d0", label="cost",
    )  # fmt: skip
    axes.barh(
        [place + slim / 2 for place in places], [as_float(bar.value) for bar in rows], height=slim,
        color=BLUE, label="market value",
    )  # fmt: skip
    _gains(axes, rows)
    axes.set_yticks(list(places), [short_name(bar.name) for bar in rows], fontsize=11, color=INK)
    # A single row would be as high as the picture.
    axes.set_ylim(max(len(rows), 6) - 0.5, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("dollars")
    axes.xaxis.set_major_formatter(dollar_ticks(axes.get_xlim()))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=11)


def _gains(axes: Axes, rows: Sequence[Bar]) -> None:
    """What each is worth, and how much more or less than it cost, behind its bars."""
    longest = max(max(as_float(bar.cost), as_float(bar.value)) for bar in rows)
    axes.set_xlim(0, (longest or 1.0) * 1.30)
    for place, bar in enumerate(rows):
        gain = bar.value - bar.cost
        axes.annotate(
            f"{dollars(bar.value)}  {dollars(gain, signed=True)}",
            xy=(max(as_float(bar.cost), as_float(bar.value)), place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=10.5,
            color="#00664b" if gain > 0 else "#a34700" if gain < 0 else QUIET,
        )


def draw_slippage(figure: Figure, values: Sequence[int], unit: Unit) -> None:
    title = "Slippage of orders"
    found = histogram(values, width_min=max(unit.one // 20, 1))
    if found is None:
        nothing(figure, title, "no order was filled")
        return
    count = found.count
    below = (
        f"{count:,} order{'s' if count != 1 else ''}  ·  mean {_plain(found.mean, unit)} {unit.name}"
        f"  ·  worst {_plain(found.worst, unit)} {unit.name}, against the mid"
    )
    axes = axes_with(figure, title, below)
    gathered = {index for index, beyond in ((0, found.below), (len(found.bins) - 1, found.above)) if beyond}
    for index, each in enumerate(found.bins):
        axes.bar(
            each.low / unit.one,
            each.count,
            width=(each.high - each.low) / unit.one,
            align="edge",
            color=GREEN if each.low + each.high < 0 else BLUE,
            # A bar that also counts what lies further out looks like it.
            hatch="///" if index in gathered else None,
            edgecolor="white",
            linewidth=0.8,
        )
    _slippage_marks(axes, found, unit)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(f"{unit.name} per share worse than the mid; below zero: better than the mid")
    axes.set_title("orders", loc="left", fontsize=11, color=QUIET)
    axes.set_title(_tails(found), loc="right", fontsize=11, color=QUIET)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _slippage_marks(axes: Axes, found: Histogram, unit: Unit) -> None:
    """Zero, and where the mean is."""
    low, high = found.bins[0].low / unit.one, found.bins[-1].high / unit.one
    low, high = min(low, 0.0), max(high, 0.0)
    margin = (high - low) * (0.04 if len(found.bins) > 4 else 0.5)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(0, max(each.count for each in found.bins) * 1.16)
    axes.axvline(0, color=INK, linewidth=1.1)
    mean = found.mean / unit.one
    if not low <= mean <= high:
        return
    axes.axvline(mean, color=RED, linewidth=1.8, linestyle=(0, (4, 2)))
    left = mean > low + 0.75 * (high - low)
    axes.annotate(
        f"mean {_plain(found.mean, unit)}",
        xy=(mean, 0.965),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-7 if left else 7, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color="#a34700",
        fontsize=12,
        fontweight="bold",
    )


def _tails(found: Histogram) -> str:
    """What the hatched bars hold besides their own."""
    told = [
        f"{count:,} beyond in the {which} bar"
        for count, which in ((found.below, "first"), (found.above, "last"))
        if count
    ]
    return ", ".join(told)


def _plain(value: int, unit: Unit) -> str:
    """In the unit, with two decimals."""
    return f"{Decimal(value) / unit.one:,.2f}"
