"""Lists that are read page by page: each page begins after the last row of the one before."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Any, Final, TypeVar

Key = tuple[int | str, ...]
"""What a row is sorted by: whole numbers and text, unique among the rows."""
Row = TypeVar("Row")

CURSOR_LENGTH_MAX: Final = 4_096


class BadCursor(ValueError):
    """Not a cursor of this list."""


def page(
    rows: Iterable[tuple[Key, Row]], *, list_name: str, cursor: str | None, limit: int, falling: bool = False
) -> tuple[list[Row], str | None]:
    """The rows of one page, in the order of their keys, and the cursor of the next page if there is one.

    New rows and those that are gone meanwhile shift nothing: a cursor holds the key of the last row told.
    `list_name` ties a cursor to its list and order.

    Raises:
        BadCursor: the cursor is not one that this list gave.
    """
    ordered = sorted(rows, key=lambda row: row[0], reverse=falling)
    if cursor:
        last = _decoded(cursor, list_name)
        try:
            ordered = [row for row in ordered if (row[0] < last if falling else row[0] > last)]
        except TypeError:
            raise BadCursor("invalid cursor") from None
    told = ordered[:limit]
    more = len(ordered) > limit and bool(told)
    return [row for _, row in told], _encoded(list_name, told[-1][0]) if more else None


def _encoded(list_name: str, key: Key) -> str:
    return urlsafe_b64encode(json.dumps([list_name, *key]).encode()).decode()


def _decoded(cursor: str, list_name: str) -> Key:
    if len(cursor) > CURSOR_LENGTH_MAX:
        raise BadCursor("invalid cursor")
    try:
        values: Any = json.loads(urlsafe_b64decode(cursor.encode()))
    except (ValueError, RecursionError):
        raise BadCursor("invalid cursor") from None
    if not isinstance(values, list) or not values or values[0] != list_name:
        raise BadCursor("invalid cursor")
    return tuple(values[1:])
