"""The three charts for a terminal: the equity curve, exposure by market, and slippage.

Plain characters as wide as the screen: braille dots and blocks, or ASCII where the terminal has no others.
Colour only adds to what the shapes say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final

from betteroms.cli import render
from betteroms.cli.faults import clean
from betteroms.domain.figures import (
    CENTS,
    Bar,
    CashMove,
    EquityPoint,
    Histogram,
    Unit,
    earned,
    histogram,
    ranked,
    round_step,
)
from betteroms.domain.money import CENT, MICROS, floor_to

if TYPE_CHECKING:
    from rich.text import Text

ROWS: Final = 12
BINS: Final = 16
WIDTH_MIN: Final = 40
NAME_WIDTH_MAX: Final = 36
STEPS_MAX: Final = 4
DOTS_PER_CELL: Final = (2, 4)
# Unicode 16, "Braille Patterns": the bit of each dot of a cell, by column and row from the top.
_BRAILLE: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE_BASE: Final = 0x2800
_EIGHTHS: Final = "▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What there is to draw on: so many columns, and either Unicode or plain ASCII."""

    width: int
    ascii_only: bool

    def of(self, fine: str, plain: str) -> str:
        """The character, or what stands in for it where the terminal cannot show it."""
        return plain if self.ascii_only else fine


def paper() -> Paper:
    """The screen as it is; a narrow one wraps."""
    console = render.console()
    return Paper(width=max(console.width, WIDTH_MIN), ascii_only=console.options.ascii_only)


def equity(
    points: Sequence[EquityPoint], moves: Sequence[CashMove] = (), *, on: Paper | None = None
) -> "list[Text | str]":
    """Net liquidation over time as lines to show; the bounds of fills are dotted, deposits marked below."""
    on = on or paper()
    if not points:
        return ["no snapshots: run and maintain take one in each hour"]
    first, last = points[0], points[-1]
    known = [value for point in points for value in _values(point)]
    step = round_step(max((max(known) - min(known)) // STEPS_MAX, CENT))
    low = floor_to(min(known), step)
    high = -floor_to(-max(known), step)
    high = high if high > low else low + step
    labels = {value: _axis(value, step) for value in range(low, high + 1, step)}
    margin = max(map(len, labels.values())) + 2
    canvas = _Canvas(columns=on.width - margin, rows=ROWS, ascii_only=on.ascii_only)
    frame = _Frame(canvas=canvas, first=first.at, last=last.at, low=low, high=high)
    for bound in ("pessimistic", "optimistic"):
        frame.draw([(point.at, getattr(point, bound)) for point in points], dotted=True)
    frame.draw([(point.at, point.net_liquidation) for point in points], dotted=False)
    named = {frame.row(value): text for value, text in labels.items()}
    axis = {row: f"{text:>{margin - 2}} {on.of('┤', '|')}" for row, text in named.items()}
    plain = f"{'':<{margin - 1}}{on.of('│', '|')}"
    drawn = [_styled((axis.get(row, plain), "dim"), line) for row, line in enumerate(canvas.lines())]
    gained = earned(points, moves)
    return [
        f"net liquidation  {_dollars(last.net_liquidation)}; "
        f"{'lost' if gained < 0 else 'earned'} {_dollars(abs(gained))}, deposits apart",
        *_bounds(last),
        *drawn,
        _styled((" " * (margin - 1) + on.of("└", "+") + on.of("─", "-") * canvas.columns, "dim")),
        _times(frame, margin),
        *_moves(frame, moves, margin, on),
    ]


def exposure(bars: Sequence[Bar], *, bars_max: int = 10, on: Paper | None = None) -> "list[Text | str]":
    """Cost and market value by market as lines to show: the largest, and the sum of the others."""
    from rich.cells import cell_len, set_cell_size

    on = on or paper()
    if not bars:
        return ["nothing is held"]
    found = ranked(bars, bars_max=bars_max)
    rows = [*found.shown, *([found.others] if found.others else [])]
    numbers = [(_cents(bar.value), _cents(bar.value - bar.cost, signed=True)) for bar in rows]
    spaces = [max(len(each[index]) for each in numbers) for index in (0, 1)]
    # The name, the bar, value and gain, each two blanks apart.
    room = on.width - sum(spaces) - 6
    cut = min(NAME_WIDTH_MAX, room // 2)
    names = [render.middle(clean(bar.name), cut).replace("…", on.of("…", "~")) for bar in rows]
    margin = max(map(cell_len, names))
    longest = max(max(bar.cost, bar.value) for bar in rows) or 1
    told: list[Text | str] = []
    for bar, name, (value, gain) in zip(rows, names, numbers, strict=True):
        track = _track(bar, longest, room - margin, on)
        style = "green" if bar.value > bar.cost else "red" if bar.value < bar.cost else ""
        told.append(
            _styled(
                (f"{set_cell_size(name, margin)}  ", ""),
                (track, "cyan"),
                (f"  {value:>{spaces[0]}}", ""),
                (f"  {gain:>{spaces[1]}}", style),
            )
        )
    total = f"cost {_dollars(found.cost)}, value {_dollars(found.value)}"
    key = f"{on.of('█', '#')} value   {on.of('│', '|')} cost"
    return [f"exposure by market  {total}", *told, _styled((f"{'':<{margin}}  {key}", "dim"))]


def slippage(values: Sequence[int], *, unit: Unit = CENTS, on: Paper | None = None) -> "list[Text | str]":
    """How many orders were how much worse than the mid, as lines to show."""
    on = on or paper()
    found = histogram(values, width_min=max(unit.one // 20, 1), bins_max=BINS)
    if found is None:
        return ["no order was filled"]
    labels = [_range(found, index, unit) for index in range(len(found.bins))]
    margin = max(map(len, labels))
    counts = [f"{each.count:,}" for each in found.bins]
    room = on.width - margin - max(map(len, counts)) - 4
    most = max(each.count for each in found.bins)
    told: list[Text | str] = [
        _styled(
            (f"{label:>{margin}}  ", ""),
            (_bar(each.count, most, room, on), "green" if each.low + each.high < 0 else "cyan"),
            (f" {count}", ""),
        )
        for label, each, count in zip(labels, found.bins, counts, strict=True)
    ]
    return [
        f"slippage, {unit.name} per share worse than the mid  mean {_plain(found.mean, unit)}, "
        f"worst {_plain(found.worst, unit)}",
        *told,
    ]


class _Canvas:
    """Dots to be set: braille has eight to a cell, ASCII has one."""

    def __init__(self, *, columns: int, rows: int, ascii_only: bool) -> None:
        self.columns, self.rows = columns, rows
        self._ascii = ascii_only
        across, down = (1, 1) if ascii_only else DOTS_PER_CELL
        self.width, self.height = columns * across, rows * down
        self._solid: set[tuple[int, int]] = set()
        self._dotted: set[tuple[int, int]] = set()

    def set(self, x: int, y: int, *, dotted: bool) -> None:
        """Set a dot; `y` counts from the bottom."""
        (self._dotted if dotted else self._solid).add((x, self.height - 1 - y))

    def lines(self) -> list[tuple[str, str]]:
        """Each row as its characters and their style."""
        cell = self._letter if self._ascii else self._braille
        return [("".join(cell(x, y) for x in range(self.columns)), "cyan") for y in range(self.rows)]

    def _letter(self, x: int, y: int) -> str:
        return "*" if (x, y) in self._solid else "." if (x, y) in self._dotted else " "

    def _braille(self, x: int, y: int) -> str:
        across, down = DOTS_PER_CELL
        bits = sum(
            _BRAILLE[dx][dy]
            for dx in range(across)
            for dy in range(down)
            if (dot := (x * across + dx, y * down + dy)) in self._solid or dot in self._dotted
        )
        return chr(_BRAILLE_BASE + bits) if bits else " "


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """A canvas with the times and dollars that its edges stand for."""

    canvas: _Canvas
    first: datetime
    last: datetime
    low: int
    high: int

    def x(self, at: datetime, places: int) -> int:
        """Which of so many places from the left this time is at."""
        span = self.last - self.first
        return (at - self.first) * (places - 1) // span if span else places // 2

    def y(self, value: int) -> int:
        """How many dots up this value is."""
        return ((value - self.low) * (self.canvas.height - 1) * 2 + self.high - self.low) // (
            2 * (self.high - self.low)
        )

    def row(self, value: int) -> int:
        """Which row of the screen, from the top, this value is in."""
        return self.canvas.rows - 1 - self.y(value) * self.canvas.rows // self.canvas.height

    def draw(self, series: "Sequence[tuple[datetime, int | None]]", *, dotted: bool) -> None:
        """A line through these points, in the order of time; every other dot of it where it is `dotted`."""
        before: tuple[int, int] | None = None
        taken: set[int] = set()
        for at, value in series:
            if value is None:
                before = None
                continue
            here = (self.x(at, self.canvas.width), self.y(value))
            for x, y in _between(before or here, here):
                # By place and not by count, so that many points in one column stay dotted.
                if not dotted or (x % 3 == 0 and x not in taken):
                    self.canvas.set(x, y, dotted=dotted)
                    taken.add(x)
            before = here


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of a straight line, both ends included."""
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0))
    if steps == 0:
        return [end]
    return [
        (x0 + (2 * (x1 - x0) * n + steps) // (2 * steps), y0 + (2 * (y1 - y0) * n + steps) // (2 * steps))
        for n in range(steps + 1)
    ]


def _values(point: EquityPoint) -> list[int]:
    found = (point.net_liquidation, point.pessimistic, point.optimistic)
    return [value for value in found if value is not None]


def _bounds(last: EquityPoint) -> list[str]:
    if last.pessimistic is None or last.optimistic is None:
        return []
    low, high = _dollars(last.pessimistic), _dollars(last.optimistic)
    return [f"dotted: {low} with pessimistic fills, {high} with optimistic ones"]


def _times(frame: _Frame, margin: int) -> "Text":
    """The first and the last time, and one between them where there is room."""
    first, last = frame.first, frame.last
    whole = (last - first).days >= 3
    width = frame.canvas.columns
    told = [_time(first, whole)]
    if last > first:
        told.append(_time(last, whole))
        middle = _time(first + (last - first) / 2, whole)
        if width >= sum(map(len, told)) + len(middle) + 8:
            told.insert(1, middle)
    gaps = len(told) - 1
    line = told[0]
    for index, text in enumerate(told[1:], start=1):
        end = width * index // gaps if index == gaps else width * index // gaps + len(text) // 2
        line = f"{line:<{end - len(text)}}{text}"
    return _styled((" " * margin + line, "dim"))


def _time(at: datetime, whole_days: bool) -> str:
    return f"{at:%Y-%m-%d}" if whole_days else f"{at:%Y-%m-%d %H:%M}"


def _moves(frame: _Frame, moves: Sequence[CashMove], margin: int, on: Paper) -> "list[Text | str]":
    """Where cash was brought in or taken out, under the axis, and how much in all."""
    inside = [move for move in moves if frame.first <= move.at <= frame.last]
    if not inside:
        return []
    marks = [" "] * frame.canvas.columns
    for move in inside:
        up, down = on.of("▲", "^"), on.of("▼", "v")
        marks[frame.x(move.at, frame.canvas.columns)] = up if move.cash >= 0 else down
    total = sum(move.cash for move in inside)
    count = len(inside)
    words = (
        f"{count} deposit{'s or withdrawals' if count != 1 else ' or withdrawal'}, {_dollars(total)} in all"
    )
    return [_styled((" " * margin + "".join(marks).rstrip(), "yellow")), f"{'':<{margin}}{words}"]


def _track(bar: Bar, longest: int, room: int, on: Paper) -> str:
    """The value as a bar of `room` cells, with a stroke where the cost is."""
    cells = list(f"{_bar(max(bar.value, 0), longest, room, on):<{room}}")
    mark = min(max(bar.cost, 0) * room // longest, room - 1)
    cells[mark] = on.of("│", "|")
    return "".join(cells)


def _bar(value: int, longest: int, room: int, on: Paper) -> str:
    """A bar of whole and part blocks; what is not nothing is never shown as nothing."""
    if value <= 0:
        return ""
    if on.ascii_only:
        return "#" * max(value * room // longest, 1)
    eighths = max(value * room * 8 // longest, 1)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def _range(found: Histogram, index: int, unit: Unit) -> str:
    """What a bin stands for; those at the ends may hold all that lies beyond."""
    each = found.bins[index]
    low, high = _plain(each.low, unit), _plain(each.high, unit)
    if index == 0 and found.below:
        return f"below {high}"
    if index == len(found.bins) - 1 and found.above:
        return f"{low} and more"
    # A bin that does not begin at a multiple of its width stands around the one value that it holds.
    return f"{low} to {high}" if each.low % (each.high - each.low) == 0 else _plain(each.middle, unit)


def _plain(value: int, unit: Unit) -> str:
    return f"{Decimal(value) / unit.one:,.2f}"


def _axis(value: int, step: int) -> str:
    """A label of the axis with the decimals that the step has."""
    return f"{Decimal(value) / MICROS:,.{0 if step % MICROS == 0 else 2}f}"


def _cents(micros: int, *, signed: bool = False) -> str:
    rounded = (Decimal(micros) / MICROS).quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    return f"{rounded:+,f}" if signed and rounded else f"{rounded:,f}"


def _dollars(micros: int) -> str:
    return f"{'-' if micros < 0 else ''}${_cents(abs(micros))}"


def _styled(*parts: tuple[str, str]) -> "Text":
    from rich.text import Text

    return Text.assemble(*parts)
