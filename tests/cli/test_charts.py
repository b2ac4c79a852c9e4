"""Charts for a terminal: no wider than the screen, in Unicode or in ASCII, and true to the numbers."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.cells import cell_len

from betteroms.cli import charts, render
from betteroms.domain.figures import TICKS, Bar, CashMove, EquityPoint
from betteroms.domain.money import Usdc

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINE, PLAIN = (charts.Paper(width=80, ascii_only=flag) for flag in (False, True))


def points(*worths: float, bounds: float | None = None) -> list[EquityPoint]:
    """One an hour, in dollars."""
    return [
        EquityPoint(
            at=NOON + timedelta(hours=hour),
            net_liquidation=Usdc(round(worth * 1_000_000)),
            pessimistic=None if bounds is None else Usdc(round((worth - bounds) * 1_000_000)),
            optimistic=None if bounds is None else Usdc(round((worth + bounds) * 1_000_000)),
        )
        for hour, worth in enumerate(worths)
    ]


def bar(name: str, cost: float, value: float) -> Bar:
    return Bar(name=name, cost=Usdc(round(cost * 1_000_000)), value=Usdc(round(value * 1_000_000)))


def lines(parts: Sequence[Any]) -> list[str]:
    return [str(part).rstrip() for part in parts]


MONTH = points(*(10_000 + random.Random(n).uniform(-50, 60) + n for n in range(720)), bounds=12.5)
MOVES = [CashMove(at=NOON, cash=Usdc(10**10)), CashMove(at=NOON + timedelta(days=9), cash=Usdc(-(10**9)))]
BARS = [
    bar(f"will-number-{n}-be-drawn-before-the-end-of-2036 Yes", 900 / n, 950 / n - n) for n in range(1, 20)
]
SLIPPAGE = [random.Random(n).randint(-9_000, 30_000) for n in range(500)]


@pytest.mark.parametrize("width", [40, 60, 80, 111, 200])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_no_line_is_wider_than_the_screen(width: int, ascii_only: bool) -> None:
    on = charts.Paper(width=width, ascii_only=ascii_only)
    told = [
        charts.equity(MONTH, MOVES, on=on),
        charts.exposure(BARS, on=on),
        charts.slippage(SLIPPAGE, on=on),
    ]
    for chart in told:
        # The words above and below a chart are wrapped by the terminal; the chart itself must not be.
        drawn = [line for line in lines(chart)[2:] if not line.endswith("in all")]
        assert max(cell_len(line) for line in drawn) <= width
        assert max(cell_len(line) for line in drawn) > width // 2
        assert not ascii_only or all(line.isascii() for line in lines(chart))


def test_a_line_that_rises_is_drawn_rising() -> None:
    told = lines(charts.equity(points(100, 110, 120, 130, 140), on=PLAIN))
    assert told[0] == "net liquidation  $140.00; earned $40.00, deposits apart"
    labels = [line.partition("|")[0].strip() for line in told if "|" in line]
    assert [label for label in labels if label] == ["140", "130", "120", "110", "100"]
    stars = [line.index("*") for line in told if "*" in line]
    assert len(stars) == charts.ROWS
    assert stars == sorted(stars, reverse=True)
    assert told[-1].split() == ["2026-11-20", "12:00", "2026-11-20", "14:00", "2026-11-20", "16:00"]


def test_braille_draws_the_same_line_finer() -> None:
    told = lines(charts.equity(points(100, 140), on=FINE))
    drawn = [line.partition("┤")[2] or line.partition("│")[2] for line in told if "┤" in line or "│" in line]
    assert len(drawn) == charts.ROWS
    assert all(letter == " " or 0x2800 < ord(letter) < 0x2900 for line in drawn for letter in line)
    assert drawn[0].strip()
    assert drawn[-1].strip()


def test_deposits_are_marked_and_do_not_count_as_earned() -> None:
    moves = [CashMove(at=NOON + timedelta(hours=1), cash=Usdc(50_000_000))]
    told = lines(charts.equity(points(100, 150, 149), moves, on=FINE))
    assert told[0] == "net liquidation  $149.00; lost $1.00, deposits apart"
    assert told[-2].strip() == "▲"
    assert told[-1].strip() == "1 deposit or withdrawal, $50.00 in all"
    assert "v" in lines(charts.equity(MONTH, MOVES, on=PLAIN))[-2]


def test_the_bounds_are_dotted_and_told() -> None:
    told = lines(charts.equity(points(100, 110, 120, bounds=5), on=PLAIN))
    assert told[1] == "dotted: $115.00 with pessimistic fills, $125.00 with optimistic ones"
    assert any("." in line.partition("|")[2] for line in told)


@pytest.mark.parametrize("worths", [(10_000,), (10_000, 10_000), (0, 0), (-5, -5.000001)])
def test_a_flat_line_is_drawn_too(worths: tuple[float, ...]) -> None:
    told = lines(charts.equity(points(*worths), on=PLAIN))
    assert sum(line.count("*") for line in told) >= 1


def test_exposure_shows_value_as_a_bar_and_cost_as_a_stroke() -> None:
    told = lines(charts.exposure([bar("rain", 50, 100), bar("snow", 80, 20)], on=PLAIN))
    assert told[0] == "exposure by market  cost $130.00, value $120.00"
    rain, snow = told[1:3]
    assert re.fullmatch(r"rain  #+\|#+  100\.00  \+50\.00", rain)
    assert re.fullmatch(r"snow  #+ +\| +20\.00  -60\.00", snow)
    assert rain.index("|") < snow.index("|")


def test_what_is_small_is_summed_up_as_others() -> None:
    told = lines(charts.exposure(BARS, bars_max=3, on=FINE))
    assert [line.split("  ")[0] for line in told[1:5]][-1] == "16 others"
    assert "…" in told[1]


def test_a_name_cannot_drive_the_terminal_nor_break_the_columns() -> None:
    told = lines(charts.exposure([bar("\x1b[2Jgone", 1, 1), bar("雨が降るか Yes", 2, 2)], on=FINE))
    assert not any("\x1b" in line for line in told)
    assert len({cell_len(line) for line in told[1:3]}) == 1


def test_slippage_counts_what_was_better_and_what_was_worse() -> None:
    told = lines(charts.slippage([-1_000_000, 0, 0, 1_000_000, 1_000_000, 1_000_000], unit=TICKS, on=PLAIN))
    assert told[0] == "slippage, ticks per share worse than the mid  mean 0.33, worst 1.00"
    assert [(line.split()[0], line.split()[-1]) for line in told[1:]] == [
        ("-1.00", "1"),
        ("0.00", "2"),
        ("1.00", "3"),
    ]


def test_what_lies_far_out_is_counted_at_the_end() -> None:
    told = lines(
        charts.slippage([*([5_000] * 300), *range(0, 30_000, 500), 900_000, 950_000, -70_000], on=FINE)
    )
    assert told[-1].split()[1:3] == ["and", "more"]


def test_where_there_is_nothing_that_is_said() -> None:
    assert lines(charts.equity([])) == ["no snapshots: run and maintain take one in each hour"]
    assert lines(charts.exposure([])) == ["nothing is held"]
    assert lines(charts.slippage([])) == ["no order was filled"]


def test_what_is_shown_fits_the_real_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "64")
    render.show(*charts.equity(MONTH, MOVES), *charts.exposure(BARS), *charts.slippage(SLIPPAGE))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    drawn = [line for line in shown.splitlines() if re.search(r"[┤│└█]", line)]
    assert 50 < max(cell_len(line) for line in drawn) <= 64
