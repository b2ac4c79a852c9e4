"""Complaints about a plan: where, what, and as lines a person can act on."""

import json
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

PROBLEMS_SHOWN_MAX: Final = 200
"""More complaints than this are counted, not listed."""
VALUE_SHOWN_MAX: Final = 60
"""Characters of an offending value that a complaint repeats."""

Path = tuple[str | int, ...]
_BARE_KEY: Final = re.compile(r"[$A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Problem(NamedTuple):
    """One complaint; `path` leads from the document's root to its place."""

    path: Path
    what: str


def told(name: str, problems: Iterable[Problem]) -> list[str]:
    """The complaints as lines, by place: `plans/x.json tradeInstructions[3].price: 1.2 is not …`.

    Each is told once; past `PROBLEMS_SHOWN_MAX` the last line says how many more there are.
    """
    ordered = sorted(dict.fromkeys(problems), key=_place)
    lines = [_line(name, problem) for problem in ordered[:PROBLEMS_SHOWN_MAX]]
    if len(ordered) > PROBLEMS_SHOWN_MAX:
        lines.append(f"{_printable(name)}: and {len(ordered) - PROBLEMS_SHOWN_MAX:,} more")
    return lines


def quoted(text: str) -> str:
    """Text as JSON would have it, shortened."""
    return _printable(json.dumps(cut(text), ensure_ascii=False))


def cut(text: str) -> str:
    """Text short enough for a complaint."""
    return text if len(text) <= VALUE_SHOWN_MAX else f"{text[: VALUE_SHOWN_MAX - 1]}…"


def _place(problem: Problem) -> tuple[list[tuple[bool, str | int]], str]:
    return [(isinstance(step, str), step) for step in problem.path], problem.what


def _line(name: str, problem: Problem) -> str:
    path = "".join(_step(step) for step in problem.path).removeprefix(".")
    return f"{_printable(name)}{' ' if path else ''}{path}: {problem.what}"


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if len(step) <= VALUE_SHOWN_MAX and _BARE_KEY.fullmatch(step) else f"[{quoted(step)}]"


def _printable(text: str) -> str:
    """The text with what would garble a terminal, or cannot be encoded, as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
