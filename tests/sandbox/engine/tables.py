"""Reads tables of what happens at a venue: text that a trader can check and extend.

    name            | with     | does                  | answer         | makers              | book
    walks two asks  | fee 0.04 | ann sells 10 @ 0.50   | live           |                     |
                    |          | bob sells 10 @ 0.51   | live           |                     |
                    |          | cat buys 15 @ 0.51    | 7.55 for 15    | ann 10=5 bob 5=2.55 | / 0.51x5

A table is a header and its rows; lines that open with `#` are remarks. A row with a name begins a scenario, a
row without one goes on with it. What the columns hold:

    with      settings of the market, apart by commas: tick, min, fee, exponent, delay
    does      WHO buys|sells [no] SIZE @ PRICE [fok|fak|post-only]; a size with $ is in dollars (a BUY that
              does not rest); `cancel N` and `status N` (the scenario's Nth order); `wait N` (seconds);
              `tick T`; `close`; `resolve P` (dollars a share of the first outcome); `game starts`
    answer    live; MAKING for TAKING; delayed; or how a refusal opens, after `no:`
    makers    WHO SHARES=DOLLARS for each fill: shares and what its maker paid or got; `+` after it for a
              mint, `-` for a merge
    book      bids / asks of the first outcome, best first, price x shares; empty: not looked at
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

COLUMNS: Final = ("name", "with", "does", "answer", "makers", "book")


@dataclass(frozen=True, kw_only=True)
class Step:
    does: str
    answer: str
    makers: str
    book: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    settings: dict[str, str]
    steps: list[Step] = field(default_factory=list)


def scenarios(path: Path) -> Iterator[Scenario]:
    scenario: Scenario | None = None
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        place = f"{path.name}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0] == "name":
            assert tuple(cells) == COLUMNS, f"{place}: columns are {COLUMNS}"
            continue
        assert len(cells) == len(COLUMNS), f"{place}: {len(cells)} cells"
        row = dict(zip(COLUMNS, cells, strict=True))
        if row["name"]:
            if scenario is not None:
                yield scenario
            words = (setting.split() for setting in row["with"].split(",") if setting.strip())
            scenario = Scenario(name=row["name"], settings=dict(words))
        assert scenario is not None, f"{place}: goes on with nothing"
        scenario.steps.append(
            Step(does=row["does"], answer=row["answer"], makers=row["makers"], book=row["book"], place=place)
        )
    if scenario is not None:
        yield scenario


ORDER: Final = re.compile(
    r"(?P<who>\w+) (?P<side>buys|sells)(?P<no> no)? (?P<size>\$?[\d.]+) @ (?P<price>[\d.]+)"
    r"(?: (?P<kind>fok|fak|post-only))?"
)
