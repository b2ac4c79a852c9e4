"""What every screen is made of: money, times and ids for people, tables, and the JSON envelope.

The only place that knows a dollar sign. Rich is imported when there is something to show.
"""

import io
import json
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli.faults import clean, say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

SCHEMA_VERSION: Final = 1
ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
NOTHING: Final = "–"
NONE: Final = "(none)"
"""Stands for the plan of an exit order: it has none."""
TOKEN_LENGTH: Final = 11
GAP: Final = 2
CUT_MIN: Final = 8
WIDTH_MAX: Final = 10_000
WIDE: Final = 110
"""On a screen as wide as this a time can be shown whole."""

STATUS_WORDS: Final[Mapping[str, str]] = {
    "NEW": "pending",
    "UNCONFIRMED": "unconfirmed",
    "OPEN": "open",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "EXPIRED": "expired",
    "DENIED": "denied",
    "REJECTED": "rejected",
}
"""Our statuses as people say them; docs/refusals.md has the same table with the venue's."""
STATUS_STYLES: Final[Mapping[str, str]] = {
    "filled": "green",
    "completed": "green",
    "open": "cyan",
    "partly filled": "cyan",
    "denied": "red",
    "rejected": "red",
    "failed": "red",
    "reversed": "red",
    "unconfirmed": "yellow",
    "cancelled": "yellow",
    "expired": "yellow",
    "running": "yellow",
    "abandoned": "yellow",
}


def document(command: str, result: object, timing: Mapping[str, object]) -> None:
    """Print one JSON document."""
    _write({"schemaVersion": SCHEMA_VERSION, "command": command, "result": result, "timing": timing})


def lines(rows: Iterable[Mapping[str, object]]) -> None:
    """Print one JSON object per row."""
    for row in rows:
        _write({"schemaVersion": SCHEMA_VERSION, **row})


def _write(value: object) -> None:
    text(json.dumps(value, separators=(",", ":")))


def text(line: str) -> None:
    """Print a line as it is."""
    if sys.stdout is not None:
        sys.stdout.write(f"{line}\n")


class Stopwatch:
    """When a command began and how long it has been going."""

    def __init__(self, started_at: datetime) -> None:
        self._started_at = started_at
        self._ticks = time.monotonic_ns()

    def timing(self) -> dict[str, object]:
        """The `timing` of a document."""
        return {
            "startedAt": self._started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "durationMs": (time.monotonic_ns() - self._ticks) // 1_000_000,
        }


def number(value: str | None) -> str:
    """Exact, with thousands: `1190.47` is `1,190.47`; one decimal gets a second, to stand in line."""
    if value is None:
        return NOTHING
    whole, dot, decimals = f"{Decimal(value):,f}".partition(".")
    return f"{whole}.{decimals:0<2}" if dot else whole


def cents(value: str | None) -> str:
    """To the cent, with thousands; what is smaller than a cent says so by its sign alone."""
    if value is None:
        return NOTHING
    return f"{Decimal(value).quantize(Decimal('0.01'), rounding=ROUND_HALF_EVEN):,f}"


def dollars(value: str | None) -> str:
    """Exact, with a dollar sign and at least two decimals."""
    if value is None:
        return NOTHING
    amount = Decimal(value)
    decimals = max(2, -int(amount.as_tuple().exponent))
    return f"{'-' if amount < 0 else ''}${abs(amount):,.{decimals}f}"


def gain(value: str | None) -> "Text":
    """To the cent, green above zero and red below."""
    from rich.text import Text

    amount = Decimal(value or "0")
    return Text(cents(value), style="green" if amount > 0 else "red" if amount < 0 else "")


def size(order: Mapping[str, Any]) -> str:
    """What an order asks for: shares, or dollars to spend."""
    if order.get("dollars") is not None:
        return dollars(order["dollars"])
    return number(order.get("size"))


def average(value: str | None) -> str:
    """A price that is a ratio: four decimals are enough to read."""
    if value is None:
        return NOTHING
    rounded = Decimal(value).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)
    return number(f"{rounded.normalize():f}")


def counted(count: int, one: str) -> str:
    """`1 fill`, `2 fills`: how many of them, in words that fit the number."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def moment(value: str | None, *, seconds: bool = True) -> str:
    """`2026-11-20T12:00:00.5Z` as `2026-11-20 12:00:00`; without `seconds`, to the minute."""
    if value is None:
        return NOTHING
    return value[: 19 if seconds else 16].replace("T", " ")


def age(seconds: int | None) -> str:
    """How long ago, in the unit that says it best."""
    if seconds is None:
        return NOTHING
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def middle(value: str, width: int) -> str:
    """Cut in the middle, so that both ends can be told from others."""
    if len(value) <= width:
        return value
    head = (width - 1) // 2
    return f"{value[:head]}…{value[head - width + 1 :]}"


def token(value: str) -> str:
    """A token or condition id, cut in the middle."""
    return middle(value, TOKEN_LENGTH)


def market(value: str) -> str:
    """A market's name; a condition id stands in for a slug that nobody knows."""
    return middle(value, 18) if value.startswith("0x") and len(value) > 40 else value


def status(order: Mapping[str, Any]) -> "Text":
    """How an order stands, in a word or two."""
    word = STATUS_WORDS.get(order["status"], order["status"])
    if word == "open" and order["filledSize"] != "0":
        word = "partly filled"
    elif word == "filled" and order["filledSize"] == "0":
        word = "reversed"  # all that had matched failed on the chain
    return styled(word)


def styled(word: str) -> "Text":
    """A status word in its colour."""
    from rich.text import Text

    return Text(word, style=STATUS_STYLES.get(word, ""))


def short_ids(names: Sequence[str]) -> list[str]:
    """Each id cut to eight characters, or to as many more as tell them all apart."""
    length = 8
    while length < 36 and len({name[:length] for name in names}) < len(set(names)):
        length += 1
    return [name[:length] for name in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: numbers stand right; `cut` ones give way where the screen is narrow."""

    title: str
    right: bool = False
    cut: bool = False


class Heading(str):
    """A line between the rows of a table, that stands for those that follow."""

    __slots__ = ()


Row = Sequence["str | Text"]


def columns(*titles: str) -> list[Column]:
    """Columns by their titles: `>title` stands right, `~title` may be cut."""
    return [Column(title=t.lstrip(">~"), right=t[:1] == ">", cut=t[:1] == "~") for t in titles]


def console(*, stderr: bool = False, width: int | None = None) -> "Console":
    """Where to print: plain text unless it is a terminal; words are never taken for markup."""
    from rich.console import Console

    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def table(
    heads: Sequence[Column], rows: Sequence[Row | Heading], *, totals: Row = (), indent: int = 0
) -> "RenderableType":
    """A table without lines, but for a rule under the titles and one above the totals."""
    from rich.console import Group
    from rich.padding import Padding

    cells = [[clean(cell) if isinstance(cell, str) else cell for cell in row] for row in _rows(rows)]
    foot = [clean(cell) if isinstance(cell, str) else cell for cell in totals]
    widths = _widths(heads, [*cells, *([foot] if foot else [])], console().width - indent)
    parts: list[RenderableType] = []
    made = _table(heads, widths, header=True)
    left = iter(cells)
    for row in rows:
        if isinstance(row, Heading):
            parts += [made, clean(row)]
            made = _table(heads, widths, header=False)
            continue
        made.add_row(*[_fitted(cell, width) for cell, width in zip(next(left), widths, strict=True)])
    if foot:
        made.add_section()
        made.show_footer = True
        for column, cell in zip(made.columns, foot, strict=True):
            column.footer = cell
    whole = Group(*parts, made)
    return Padding(whole, (0, 0, 0, indent), expand=False) if indent else whole


def _rows(rows: Sequence[Row | Heading]) -> Iterable[Row]:
    return (row for row in rows if not isinstance(row, Heading))


def _table(heads: Sequence[Column], widths: Sequence[int], *, header: bool) -> "Table":
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_header=header,
        header_style="bold",
        footer_style="bold",
    )
    for head, width in zip(heads, widths, strict=True):
        made.add_column(
            head.title,
            justify="right" if head.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=width,
        )
    return made


def _widths(heads: Sequence[Column], rows: Sequence[Row], available: int) -> list[int]:
    """Each column as wide as its widest cell; what is too much, the column that may be cut gives back."""
    from rich.cells import cell_len

    found = [cell_len(head.title) for head in heads]
    for row in rows:
        for index, cell in enumerate(row):
            found[index] = max(found[index], cell_len(str(cell)))
    excess = sum(found) + GAP * (len(found) - 1) - available
    for index, head in enumerate(heads):
        if head.cut and excess > 0:
            kept = max(found[index] - excess, CUT_MIN)
            excess -= found[index] - kept
            found[index] = kept
    return found


def _fitted(cell: "str | Text", width: int) -> "str | Text":
    return middle(cell, width) if isinstance(cell, str) else cell


def show(*parts: "RenderableType | None") -> None:
    """Print the parts of a screen one below the other; None is left out."""
    if sys.stdout is None:
        return
    # A number that is cut is a wrong number, and ids are there to be copied: nothing is cut here but what
    # `table` cuts, and the terminal wraps what is too long.
    out = console(width=WIDTH_MAX)
    for part in parts:
        if part is not None:
            out.print(clean(part) if isinstance(part, str) else part, soft_wrap=isinstance(part, str))


def screen(print_it: Callable[[], None]) -> str:
    """What would be printed, as plain text for a file."""
    with redirect_stdout(io.StringIO()) as printed:
        print_it()
    # FORCE_COLOR asks for colours wherever it goes; a file is not meant.
    return ANSI.sub("", printed.getvalue())


def section(heading: str, rows: Sequence[str]) -> str | None:
    """A heading with its lines under it, indented and wrapped; None where there are none."""
    if not rows:
        return None
    width = console().width
    wrapped = [
        textwrap.fill(
            clean(row),
            width=width,
            initial_indent="  ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for row in rows
    ]
    return "\n".join([f"\n{heading}", *wrapped])


def more(found: Sequence[object], limit: int, offset: int) -> None:
    """Say that there are rows which the limit kept back."""
    if len(found) > limit:
        say(f"there are more: --offset {offset + limit}, or a greater --limit")
