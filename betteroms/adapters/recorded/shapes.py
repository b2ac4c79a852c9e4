"""Recognise books and market rows by their fields, wherever in a document they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

DEPTH_MAX: Final = 8
"""How deep a book may lie in lists and wrappers; recorders put it two or three deep."""


class Shape(Enum):
    """What an object is, as far as a recording goes."""

    BOOK = auto()
    GAMMA_ROW = auto()
    CLOB_ROW = auto()
    CLOB_INFO = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """An object that can be used, as it was recorded."""

    shape: Shape
    raw: Mapping[str, Any]


def shape_of(raw: Mapping[str, Any]) -> Shape | None:
    """What the object is; None for anything else."""
    if "asset_id" in raw:
        whole = isinstance(raw.get("bids"), list) and isinstance(raw.get("asks"), list)
        return Shape.BOOK if whole and raw.get("event_type") in (None, "book") else None
    if _is_condition(raw.get("conditionId")) and ("outcomes" in raw or "clobTokenIds" in raw):
        return Shape.GAMMA_ROW
    if _is_condition(raw.get("condition_id")) and isinstance(raw.get("tokens"), list):
        return Shape.CLOB_ROW
    if _is_condition(raw.get("c")) and isinstance(raw.get("t"), list):
        return Shape.CLOB_INFO
    return None


def _is_condition(value: object) -> bool:
    return isinstance(value, str) and value[:2] in ("0x", "0X")


def find(document: object, depth: int = 0) -> Iterator[Found]:
    """The books and market rows in a document, in its order: single, listed, or wrapped.

    Pages (`data`, `markets`), events with their markets, websocket frames and other people's wrappers are
    all seen through; nothing is looked for inside a book or a row.
    """
    if isinstance(document, Mapping):
        shape = shape_of(document)
        if shape is not None:
            yield Found(shape, document)
            return
        inner = document.values()
    elif isinstance(document, list):
        inner = document  # type: ignore[assignment]
    else:
        return
    if depth < DEPTH_MAX:
        for value in inner:
            if isinstance(value, dict | list):
                yield from find(value, depth + 1)


def described(document: object) -> str:
    """What a document holds instead, for the person who expected a book."""
    while isinstance(document, list) and document:
        document = document[0]
    if isinstance(document, Mapping) and document:
        names = [str(name)[:40] for name in document]
        more = ", …" if len(names) > 6 else ""
        return f"no order book and no market row in it; it has {', '.join(names[:6])}{more}"
    return "no order book and no market row in it"
