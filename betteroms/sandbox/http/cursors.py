"""The CLOB's long lists in pages: a cursor is the place of the next row in base64; "LTE=" (-1) is the end.

Source: VENUE 3.5, QUIRKS 21.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from betteroms.sandbox.model import Refused

END_CURSOR: Final = "LTE="
LEDGER_ROWS_MAX: Final = 100
MARKET_ROWS_MAX: Final = 1000
CURSOR_LENGTH_MAX: Final = 32

Row = TypeVar("Row")


def page(
    rows: Sequence[Row], cursor: str | None, limit: int, document: Callable[[Row], Any]
) -> dict[str, Any]:
    """One page of the rows. Only the rows of the page are turned into documents.

    Raises:
        Refused: no cursor of this venue.
    """
    begin = len(rows) if cursor == END_CURSOR else _place(cursor or "")
    shown = [document(row) for row in rows[begin : begin + limit]]
    more = begin + limit < len(rows)
    following = b64encode(str(begin + limit).encode()).decode() if more else END_CURSOR
    return {"limit": limit, "count": len(shown), "next_cursor": following, "data": shown}


def _place(cursor: str) -> int:
    """Where a page begins; at the start where nothing is said."""
    try:
        text = b64decode(cursor, validate=True).decode("ascii") or "0"
    except ValueError:
        text = ""
    if not text.isdigit() or len(cursor) > CURSOR_LENGTH_MAX:
        raise Refused("invalid next_cursor")
    return int(text)
