"""The parameters of the Data API, read strictly. Source: VENUE 5.3."""

import re
from collections.abc import Collection
from typing import Final

from starlette.datastructures import QueryParams

from betteroms.domain.money import to_micros
from betteroms.sandbox.model import Refused

LIMIT_STANDARD: Final = 100
LIMIT_MAX: Final = 1_000
OFFSET_MAX: Final = 10_000
CONDITIONS_MAX: Final = 20
YEARS_SHOWN_S: Final = 3 * 365 * 24 * 3600
"""How far back a wallet's trades are told unless more is asked for."""
_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")
_CONDITION: Final = re.compile("0x(?:[0-9a-fA-F]{62}|[0-9a-fA-F]{64})")


def user_of(query: QueryParams, *, required: bool = True) -> str | None:
    """The wallet, in lower case.

    Raises:
        Refused: not an address, or missing where it is required.
    """
    value = query.get("user", "")
    if not value and not required:
        return None
    if not _ADDRESS.fullmatch(value):
        raise Refused("required query param 'user' not provided" if not value else "invalid user")
    return value.lower()


def several(query: QueryParams, *names: str, most: int | None = None) -> list[str]:
    """Values with commas between, or the parameter repeated, under any of its names; each once.

    Raises:
        Refused: too many.
    """
    joined = ",".join(value for name in names for value in query.getlist(name))
    values = list(dict.fromkeys(value.strip() for value in joined.split(",") if value.strip()))
    if most is not None and len(values) > most:
        raise Refused(f"{names[0]}: at most {most} values")
    return values


def conditions(query: QueryParams, *names: str, most: int = CONDITIONS_MAX) -> frozenset[str]:
    """Condition ids in their spelling of 32 bytes, lower case.

    Raises:
        Refused: not one, or too many.
    """
    values = several(query, *names, most=most)
    if not all(_CONDITION.fullmatch(value) for value in values):
        raise Refused(f"invalid {names[0]}")
    return frozenset(f"{value.lower()}00" if len(value) == 64 else value.lower() for value in values)


def limit_of(query: QueryParams, *, most: int = LIMIT_MAX) -> int:
    return whole(query, "limit", otherwise=min(LIMIT_STANDARD, most), least=1, most=most)


def no_offset(query: QueryParams) -> None:
    """Refuse the older way of paging.

    Raises:
        Refused: the newer lists are read by cursor only.
    """
    if "offset" in query:
        raise Refused("offset is not supported; use cursor")


def whole(query: QueryParams, name: str, *, otherwise: int, least: int = 0, most: int) -> int:
    """A whole number within bounds.

    Raises:
        Refused: not a whole number within the bounds.
    """
    value = query.get(name, "")
    if not value:
        return otherwise
    if not (value.isascii() and value.isdigit() and len(value) < 16 and least <= int(value) <= most):
        raise Refused(f"invalid {name}")
    return int(value)


def flag(query: QueryParams, name: str, *, otherwise: bool) -> bool:
    """True or false.

    Raises:
        Refused: neither true nor false.
    """
    value = query.get(name, "")
    if not value:
        return otherwise
    if value.lower() not in ("true", "false"):
        raise Refused(f"invalid {name}")
    return value.lower() == "true"


def word(query: QueryParams, name: str, allowed: Collection[str], *, otherwise: str) -> str:
    """One of the words that are allowed, in upper case.

    Raises:
        Refused: not one of the words.
    """
    value = query.get(name, "").upper()
    if not value:
        return otherwise
    if value not in allowed:
        raise Refused(f"invalid {name}")
    return value


def micros(query: QueryParams, name: str, *, otherwise: int) -> int:
    """An amount of shares or dollars, in millionths.

    Raises:
        Refused: not a number of at most six decimals, or below zero.
    """
    value = query.get(name, "")
    if not value:
        return otherwise
    try:
        amount = to_micros(value)
    except ValueError:
        raise Refused(f"invalid {name}") from None
    if amount < 0:
        raise Refused(f"invalid {name}")
    return amount


def window(query: QueryParams, now_ms: int) -> tuple[int, int]:
    """From and until when, in seconds, both included. Without a start, or with 0, the last three years."""
    far = 253_402_300_799
    start = whole(query, "start", otherwise=0, most=far)
    end = whole(query, "end", otherwise=far, most=far)
    return start or max(0, now_ms // 1000 - YEARS_SHOWN_S), end
