"""How the venue writes single values: ids, numbers, times, lists inside strings."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from betteroms.adapters.exact_json import NotJson, decode
from betteroms.domain.errors import InexactAmount
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import MICROS, Price, Size, to_micros

TEXT_LENGTH_MAX: Final = 2_000
"""Questions and slugs are cut here; nothing that we compare or store needs more."""
LABEL_LENGTH_MAX: Final = 200
STAMP_MS_MAX: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""
NUMBERS_REMEMBERED: Final = 16_384
_TOKEN: Final = re.compile(r"[0-9]{1,78}")
_CONDITION: Final = re.compile(r"0[xX][0-9a-fA-F]{1,64}")
_DIGITS: Final = re.compile(r"[0-9]{1,18}")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class Unparsable(ValueError):
    """An answer of the venue that breaks its own shape; the message says which field, and how."""

    @property
    def reason(self) -> str:
        return str(self)


def shown(value: object) -> str:
    """A value for a message: its beginning, on one line."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def token_id(value: object, field: str) -> TokenId:
    """An outcome token or position: decimal digits, at most 78 (VENUE 2.5)."""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise Unparsable(f"{field}: {shown(value)} is not a token id")
    return TokenId(value)


def condition_id(value: object, field: str) -> MarketId:
    """A market's condition id, in lower case: 0x and 62 or 64 digits, fewer in the venue's own tests."""
    if not isinstance(value, str) or not _CONDITION.fullmatch(value):
        raise Unparsable(f"{field}: {shown(value)} is not a condition id")
    return MarketId(value.lower())


def group_id(value: object) -> str | None:
    """The id of a neg-risk market, in lower case so that every row of it says the same; None for none."""
    name = text(value)
    return name.lower() if name else None


def same_condition(one: str, other: str) -> bool:
    """Whether two spellings name one market: 31 bytes may come padded to 32 (VENUE 2.5)."""
    return full_condition(one) == full_condition(other)


def full_condition(condition: str) -> str:
    """The spelling to compare by: lower case, 31 bytes padded to 32."""
    return f"{condition.lower()}00" if len(condition) == 64 else condition.lower()


@lru_cache(maxsize=NUMBERS_REMEMBERED, typed=True)
def micros(value: object) -> int:
    """An exact number in millionths, from a string or a JSON number.

    Books repeat the same few thousand prices and sizes, so they are remembered.

    Raises:
        InexactAmount: no number, or not one of ours.
    """
    if type(value) not in (str, int, Decimal):
        raise InexactAmount(f"{shown(value)} is not a number")
    return to_micros(value)  # type: ignore[arg-type]


def stated(value: object, field: str) -> int | None:
    """A number of millionths, 0 or above; None where the venue says nothing (null, "", no such field)."""
    if value is None or value == "":
        return None
    try:
        number = micros(value)
    except (InexactAmount, TypeError) as wrong:
        raise Unparsable(f"{field}: {wrong}") from None
    if number < 0:
        raise Unparsable(f"{field}: {shown(value)} is negative")
    return number


def tick_size(value: object, field: str) -> Price | None:
    """The smallest step of a price; 0 says nothing."""
    tick = stated(value, field)
    if tick is not None and tick >= MICROS:
        raise Unparsable(f"{field}: {shown(value)} is not a step between 0 and 1")
    return Price(tick) if tick else None


def minimum_size(value: object, field: str) -> Size | None:
    """The smallest order in shares; historic markets do have 0, and 14.96 (data/QUIRKS 9)."""
    minimum = stated(value, field)
    return None if minimum is None else Size(minimum)


def last_trade(value: object) -> Price | None:
    """The price of a book's last trade; None for everything that is none: "", 0, 1, off our millionths."""
    try:
        price = micros(value)
    except (InexactAmount, TypeError):
        return None
    return Price(price) if 0 < price < MICROS else None


def stamp_ms(value: object, field: str) -> int:
    """Milliseconds since 1970, as text or number; 0 where it is missing."""
    if value is None or value == "":
        return 0
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not _DIGITS.fullmatch(text) or int(text) > STAMP_MS_MAX:
        raise Unparsable(f"{field}: {shown(value)} is not a time in milliseconds")
    return int(text)


def instant(value: object) -> datetime | None:
    """A moment in any ISO 8601 spelling; None for everything else, for nothing hangs on it."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text(value: object, *, length_max: int = TEXT_LENGTH_MAX) -> str | None:
    """Words of the venue as any database can store them; None where there are none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return _UNSTORABLE.sub("", value).strip()[:length_max] or None


def items(value: object, field: str) -> Sequence[Any]:
    """A list, or a list that the venue wrote as JSON inside a string (data/QUIRKS 16)."""
    if isinstance(value, str):
        try:
            value = decode(value)
        except NotJson as wrong:
            raise Unparsable(f"{field}: {wrong}") from None
    if not isinstance(value, list):
        raise Unparsable(f"{field}: {'missing' if value is None else f'{shown(value)} is not a list'}")
    return value


def first_of(value: object) -> Mapping[str, Any]:
    """The first object of a list of objects; an empty one where there is none."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return value[0]
    return {}
