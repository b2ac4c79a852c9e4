"""Reads tables of fills: text that a trader can check and extend.

    name                | bids      | asks             | order              | fills        | ends
    walks to its limit  |           | 0.50x100 0.52x50 | buy 120 @ 0.51 fak | 100@0.50=-50 | canceled
    rests, then is met  |           | 0.50x100         | buy 20 @ 0.40      |              | open
                        |           | 0.38x5           | order 1            | 5@0.40=-2    | open

A table is a header and its rows; a blank line ends it, lines that open with `#` are remarks. A row with a
name begins a scenario; a row without one goes on with it: in the same run, unless it shows a book, which
begins the next run an hour later. `none` shows that a side is empty. What the columns hold:

    with            settings and news, apart by commas: see `SETTINGS` and `NEWS`
    bids, asks      levels of the first outcome's book, price x shares, in any order
    no bids, no asks   the same for a book of the second outcome; without them it is the first one's mirror
    order           what a plan would wish (see `instruction`), or `order N`: the scenario's Nth, met again
    fills           shares@price=cash, and after a comma the fee where there is one
    ends            the status, in lower case, and its code where it has one
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

SETTINGS: Final = ("tick", "min", "fee", "exponent", "fraction", "slippage", "cash", "yes", "no")
"""Of the scenario, each with a number; `yes` and `no` are shares held at the start."""
NEWS: Final = ("older", "unchanged", "closed", "after")
"""Of a run: its book's stamp is older or the same, its market is closed, it starts `after N` seconds."""
COLUMNS: Final = ("name", "with", "bids", "asks", "no bids", "no asks", "order", "fills", "ends")
SIDES: Final = ("bids", "asks", "no bids", "no asks")
TIMES: Final = ("gtc", "gtd", "fok", "fak")
FLAGS: Final = {"post-only": "postOnly"}
NUMBERED: Final = {"ceil": "priceCeil", "floor": "priceFloor", "for": "cancelAfterSec", "ref": "ref"}
_FILL: Final = re.compile(r"([\d.]+)@([\d.]+)=(-?[\d.]+)(?:,([\d.]+))?")
_LEVEL: Final = re.compile(r"([\d.]+)x([\d.]+)")


class TableError(ValueError):
    """A table that cannot be read; says where."""


@dataclass(frozen=True, kw_only=True)
class Fill:
    """What one execution is expected to be."""

    size: Decimal
    price: Decimal
    cash: Decimal
    fee: Decimal


@dataclass(frozen=True, kw_only=True)
class Row:
    """One order's part in a run: a plan's instruction, or the number of an order placed before."""

    instruction: dict[str, Any] | None
    again: int | None
    fills: tuple[Fill, ...]
    ends: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run: the books it sees, and what becomes of orders."""

    levels: dict[str, tuple[tuple[str, str], ...]]
    news: dict[str, Decimal]
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    settings: dict[str, Decimal]
    steps: list[Step] = field(default_factory=list)


def read_tables(text: str, source: str) -> list[Scenario]:
    """Read every scenario of a text.

    Raises:
        TableError: a row that makes no sense, with the source and the line.
    """
    scenarios: list[Scenario] = []
    for place, cells in _cells(text, source):
        try:
            _add(scenarios, cells, place)
        except (ValueError, IndexError, ArithmeticError) as error:
            raise TableError(f"{place}: {error}") from error
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise TableError(f"{source}: two scenarios are called {name!r}")
    return scenarios


def load_tables(folder: Path) -> list[Scenario]:
    """Every scenario of every table in a folder."""
    return [
        scenario
        for path in sorted(folder.glob("*.txt"))
        for scenario in read_tables(path.read_text(encoding="utf-8"), path.name)
    ]


def instruction(words: str) -> dict[str, Any]:
    """An order in a trader's words as a plan's instruction, apart from its market.

    `buy|sell [no] SHARES|$DOLLARS [@ PRICE | market [N ticks]] [gtc|gtd|fok|fak] [post-only]
    [ceil PRICE] [floor PRICE] [for N s] [ref NAME]`
    """
    rest = words.split()
    side = rest.pop(0)
    if side not in ("buy", "sell"):
        raise ValueError(f"an order begins with buy or sell, not {side!r}")
    wish: dict[str, Any] = {"side": side.upper(), "outcome": "YES"}
    if rest[0] == "no":
        wish["outcome"] = rest.pop(0).upper()
    size = rest.pop(0)
    wish["size"] = str(Decimal(size.removeprefix("$")))
    wish["sizeUnit"] = "USDC" if size.startswith("$") else "SHARES"
    while rest:
        word = rest.pop(0)
        if word == "@":
            wish["price"] = str(Decimal(rest.pop(0)))
        elif word == "market":
            wish["type"] = "MARKET"
            if rest[1:2] == ["ticks"]:
                wish[f"slippageTicks{side.capitalize()}"] = int(rest.pop(0))
                rest.pop(0)
        elif word in TIMES:
            wish["timeInForce"] = word.upper()
        elif word in FLAGS:
            wish[FLAGS[word]] = True
        elif word in NUMBERED:
            value = rest.pop(0)
            wish[NUMBERED[word]] = int(value.removesuffix("s")) if word == "for" else value
        else:
            raise ValueError(f"{word!r} is no word of an order")
    return wish


def _cells(text: str, source: str) -> Iterator[tuple[str, dict[str, str]]]:
    header: list[str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        place = f"{source} line {number}"
        if line.startswith("#"):
            continue
        if not line.strip():
            header = None
            continue
        cells = [" ".join(cell.split()) for cell in line.split("|")]
        if header is None:
            strange = [name for name in cells if name not in COLUMNS]
            if strange or len(set(cells)) < len(cells) or cells[0] != "name":
                raise TableError(f"{place}: no header: {line.strip()!r}")
            header = cells
            continue
        if len(cells) != len(header):
            raise TableError(f"{place}: {len(cells)} cells under {len(header)} columns")
        yield place, dict.fromkeys(COLUMNS, "") | dict(zip(header, cells, strict=True))


def _add(scenarios: list[Scenario], cells: dict[str, str], place: str) -> None:
    shown = any(cells[side] for side in SIDES)
    settings, news = _with(cells["with"])
    if cells["name"]:
        scenarios.append(Scenario(name=cells["name"], settings=settings))
    elif not scenarios:
        raise ValueError("the first row has no name")
    elif settings:
        raise ValueError(f"settings belong to a scenario's first row: {cells['with']!r}")
    scenario = scenarios[-1]
    if cells["name"] or shown:
        scenario.steps.append(
            Step(levels={side: _levels(cells[side]) for side in SIDES if cells[side]}, news=news)
        )
    elif news:
        raise ValueError(f"news need a book: {cells['with']!r}")
    if not cells["order"]:
        if cells["fills"] or cells["ends"]:
            raise ValueError("fills and an end need an order")
        return
    words = cells["order"].split()
    again = int(words[1]) if words[0] == "order" else None
    if not cells["ends"]:
        raise ValueError("an order needs an end")
    scenario.steps[-1].rows.append(
        Row(
            instruction=instruction(cells["order"]) if again is None else None,
            again=again,
            fills=tuple(_fill(text) for text in cells["fills"].split()),
            ends=cells["ends"],
            place=place,
        )
    )


def _with(text: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    settings: dict[str, Decimal] = {}
    news: dict[str, Decimal] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition(" ")
        if name in SETTINGS:
            settings[name] = Decimal(value)
        elif name in NEWS:
            news[name] = Decimal(value.removesuffix("s") or 1)
        else:
            raise ValueError(f"{part!r} is neither a setting nor news")
    return settings, news


def _levels(text: str) -> tuple[tuple[str, str], ...]:
    if text == "none":
        return ()
    return tuple((match[1], match[2]) for match in _each(_LEVEL, text))


def _fill(text: str) -> Fill:
    (match,) = _each(_FILL, text)
    return Fill(
        size=Decimal(match[1]),
        price=Decimal(match[2]),
        cash=Decimal(match[3]),
        fee=Decimal(match[4] or 0),
    )


def _each(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    for word in text.split():
        match = pattern.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is not understood")
        yield match
