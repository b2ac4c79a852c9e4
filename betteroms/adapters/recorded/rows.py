"""The market rows of a recording: the best one of each market, by every name it goes by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from betteroms.adapters.recorded.shapes import Found, Shape

_CONDITION_FIELD: Final = {
    Shape.GAMMA_ROW: "conditionId",
    Shape.CLOB_ROW: "condition_id",
    Shape.CLOB_INFO: "c",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A market row as recorded, its file, and how much it says: the higher `rank` is preferred."""

    raw: Mapping[str, Any]
    file: str
    rank: int


class Rows:
    """Rows by condition id. Among equally good ones the last counts."""

    def __init__(self) -> None:
        self._best: dict[str, Row] = {}
        self._fees: dict[str, Any] = {}
        self._by_name: dict[str, str] = {}

    def see(self, found: Found, file: str) -> None:
        """Take a row in."""
        raw = found.raw
        condition = full_condition(raw[_CONDITION_FIELD[found.shape]])
        if found.shape is Shape.CLOB_INFO:
            self._fees[condition] = raw.get("fd")
        row = Row(raw, file, _rank(found))
        known = self._best.get(condition)
        if known is None or row.rank >= known.rank:
            self._best[condition] = row
        for name in (raw.get("slug"), raw.get("market_slug"), raw.get("id")):
            if found.shape is not Shape.CLOB_INFO and name:
                self._by_name[str(name)] = condition

    @property
    def conditions(self) -> Collection[str]:
        """Every market with a row, in the order in which they were first met."""
        return self._best.keys()

    def condition_of(self, name: str) -> str | None:
        """The market with this slug, numeric id or condition id; slugs are case-sensitive."""
        condition = full_condition(name)
        return condition if condition in self._best else self._by_name.get(name)

    def row(self, condition: str) -> Row:
        """The best row, completed by the fees that the CLOB's info tells where it does not say itself."""
        row = self._best[condition]
        if condition not in self._fees or "fd" in row.raw or _says_what_fees(row.raw):
            return row
        return Row({**row.raw, "fd": self._fees[condition]}, row.file, row.rank)


def full_condition(condition: str) -> str:
    """The spelling to compare by: lower case, and 31 bytes padded to 32 (VENUE 2.5)."""
    lower = condition.lower()
    return f"{lower}00" if lower[:2] == "0x" and len(lower) == 64 else lower


def _rank(found: Found) -> int:
    """Gamma's rows before the CLOB's, for their fees; then what says more before what says less."""
    raw = found.raw
    match found.shape:
        case Shape.GAMMA_ROW:
            return 4 if "feesEnabled" in raw or "feeSchedule" in raw else 3
        case Shape.CLOB_ROW:
            return 2 if "minimum_tick_size" in raw else 0
        case _:
            return 1


def _says_what_fees(raw: Mapping[str, Any]) -> bool:
    return raw.get("feesEnabled") is False or isinstance(raw.get("feeSchedule"), Mapping)
