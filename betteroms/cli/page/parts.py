"""The pieces of a page: text that cannot become markup, tables that become cards on a phone, facts, lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from betteroms.cli import render
from betteroms.cli.faults import clean


def plain(value: object) -> str:
    """Any text as HTML that shows just that text."""
    return escape(clean(str(value)), quote=True)


def code(value: object) -> str:
    """Text to be typed or copied."""
    return f"<code>{plain(value)}</code>"


def short(value: str, width: int = 13) -> str:
    """A long id, cut in the middle; whole where the pointer rests on it."""
    return f'<code title="{plain(value)}">{plain(render.middle(value, width))}</code>'


def gain(value: str | None) -> str:
    """To the cent, with a sign, in the colour of a gain or a loss."""
    if value is None:
        return render.NOTHING
    amount = Decimal(value)
    kind = "gain" if amount > 0 else "loss" if amount < 0 else "quiet"
    return f'<span class="{kind}">{"+" if amount > 0 else ""}{plain(render.cents(value))}</span>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table; numbers stand right, and the `whole` one takes a line of its own on a phone."""

    title: str
    right: bool = False
    whole: bool = False


def columns(*titles: str) -> list[Column]:
    """Columns by their titles: `>title` stands right, `=title` has a line of its own on a phone."""
    return [Column(title=t.lstrip(">="), right=t[:1] == ">", whole=t[:1] == "=") for t in titles]


def table(
    heads: Sequence[Column], rows: Iterable[tuple[Sequence[str], str]], *, foot: Sequence[str] = ()
) -> str:
    """A table; each row is its cells and, below them, what else is to be said of it. All of it is HTML."""
    bodies = []
    for cells, more in rows:
        below = f'<tr class="more"><td colspan="{len(heads)}">{more}</td></tr>' if more else ""
        bodies.append(f"<tbody><tr>{_cells(heads, cells)}</tr>{below}</tbody>")
    titles = "".join(f'<th scope="col"{_kind(head)}>{plain(head.title)}</th>' for head in heads)
    ending = f"<tfoot><tr>{_cells(heads, foot)}</tr></tfoot>" if foot else ""
    return f'<table class="cards"><thead><tr>{titles}</tr></thead>{"".join(bodies)}{ending}</table>'


def _cells(heads: Sequence[Column], cells: Sequence[str]) -> str:
    """On a phone each cell has its column's title before it, but for the one that says what the row is."""
    told = []
    for head, cell in zip(heads, cells, strict=True):
        label = "" if head.whole else f' data-label="{plain(head.title)}"'
        told.append(f"<td{_kind(head)}{label}>{cell}</td>" if cell else "<td></td>")
    return "".join(told)


def _kind(head: Column) -> str:
    return ' class="n"' if head.right else ' class="whole"' if head.whole else ""


def facts(rows: Mapping[str, str | None]) -> str:
    """Names and what they stand for, which is HTML; what is None is left out."""
    told = "".join(f"<dt>{plain(name)}</dt><dd>{value}</dd>" for name, value in rows.items() if value)
    return f'<dl class="facts">{told}</dl>'


def section(title: str, *parts: str, note: str = "") -> str:
    """A part of the page under a heading; nothing where there is nothing to say."""
    if not any(parts):
        return ""
    small = f" <small>{plain(note)}</small>" if note else ""
    return f"<section><h2>{plain(title)}{small}</h2>{''.join(parts)}</section>"


def bullets(rows: Sequence[str]) -> str:
    """A list of HTML; nothing where there are no rows."""
    return f'<ul class="plain">{"".join(f"<li>{row}</li>" for row in rows)}</ul>' if rows else ""
