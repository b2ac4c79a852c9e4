"""The market rows of a recording: the one that counts of each market, by every name it goes by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from betteroms.adapters.recorded.shapes import Found, Shape

_CONDITION_FIELD: Final = {
    Shape.GAMMA_ROW: "conditionId",
    Shape.CLOB_ROW: "condition_id",
    Shape.CLOB_INFO: "c",
}
_GAMMA_FEES: Final = ("feesEnabled", "feeSchedule")
OPEN: Final = 0
CLOSED: Final = 1
RESOLVED: Final = 2
"""Stages of a market, in their order."""
NAMED: Final = 2
"""From this rank up a row tells what the market is called."""


@dataclass(frozen=True, slots=True)
class Row:
    """A market row as recorded, its file, and what decides between two: see `_replaces`.

    `rank` says how much it tells, `stage` how far the market had come (open, closed, resolved), and
    `changed_at` when the venue last changed it, where it says so.
    """

    raw: Mapping[str, Any]
    file: str
    rank: int
    stage: int
    changed_at: datetime | None


class Rows:
    """Rows by condition id: of several of one market the newest, as far as that can be told.

    Gamma stamps its rows: the later counts. A market only ever goes forward, so a closed row comes after
    an open one, and a resolved one after both. Else the row that tells more counts, and among equally
    good ones the last. What it leaves out of fees and winners is taken from the others.
    """

    def __init__(self) -> None:
        self._best: dict[str, Row] = {}
        self._fees: dict[str, Any] = {}
        self._gamma_fees: dict[str, Mapping[str, Any]] = {}
        self._winners: dict[str, Sequence[Mapping[str, Any]]] = {}
        self._by_name: dict[str, str] = {}

    def see(self, found: Found, file: str) -> None:
        """Take a row in."""
        raw = found.raw
        condition = full_condition(raw[_CONDITION_FIELD[found.shape]])
        self._see_parts(found, condition)
        row = Row(raw, file, _rank(found), _stage(found), _changed_at(raw))
        known = self._best.get(condition)
        if known is None or _replaces(row, known):
            self._best[condition] = row
        for name in (raw.get("slug"), raw.get("market_slug"), raw.get("id")):
            if found.shape is not Shape.CLOB_INFO and name:
                self._by_name[str(name)] = condition

    def _see_parts(self, found: Found, condition: str) -> None:
        """Remember what may complete another row of the market."""
        raw = found.raw
        match found.shape:
            case Shape.CLOB_INFO:
                self._fees[condition] = raw.get("fd")
            case Shape.GAMMA_ROW if _has_fee_fields(raw):
                self._gamma_fees[condition] = {name: raw[name] for name in _GAMMA_FEES if name in raw}
            case Shape.CLOB_ROW if raw.get("closed") is True:
                tokens = [token for token in raw["tokens"] if isinstance(token, Mapping)]
                told = [{"token_id": t.get("token_id"), "winner": t.get("winner")} for t in tokens]
                # Of an older row and a newer one, only the newer names somebody.
                if condition not in self._winners or _somebody_won(tokens):
                    self._winners[condition] = told

    @property
    def conditions(self) -> Collection[str]:
        """Every market with a row, in the order in which they were first met."""
        return self._best.keys()

    def condition_of(self, name: str) -> str | None:
        """The market with this slug, numeric id or condition id; slugs are case-sensitive."""
        condition = full_condition(name)
        return condition if condition in self._best else self._by_name.get(name)

    def row(self, condition: str) -> Row:
        """The best row, completed as the rows of the venue itself are before they are kept."""
        row = self._best[condition]
        raw = dict(row.raw)
        if "conditionId" in raw and not _has_fee_fields(raw):
            raw |= self._gamma_fees.get(condition, {})
        if condition in self._fees and "fd" not in raw and not _says_what_fees(raw) and not row.stage:
            raw["fd"] = self._fees[condition]
        if condition in self._winners and "conditionId" in raw and row.stage == RESOLVED:
            raw.setdefault("winners", self._winners[condition])
        return replace(row, raw=raw)


def full_condition(condition: str) -> str:
    """The spelling to compare by: lower case, and 31 bytes padded to 32 (VENUE 2.5)."""
    lower = condition.lower()
    return f"{lower}00" if lower[:2] == "0x" and len(lower) == 64 else lower


def _rank(found: Found) -> int:
    """Gamma's rows before the CLOB's, for their fees; then what says more before what says less."""
    raw = found.raw
    match found.shape:
        case Shape.GAMMA_ROW:
            return 4 if _has_fee_fields(raw) else 3
        case Shape.CLOB_ROW:
            return NAMED if "minimum_tick_size" in raw else 0
        case _:
            return 1


def _stage(found: Found) -> int:
    """How far the market had come; the CLOB's info tells nothing of it."""
    raw = found.raw
    if found.shape is Shape.CLOB_INFO or raw.get("closed") is not True:
        return OPEN
    if found.shape is Shape.CLOB_ROW:
        return RESOLVED if _somebody_won(raw["tokens"]) else CLOSED
    ended = "resolved" in (raw.get("umaResolutionStatus"), raw.get("resolutionStatus"))
    return RESOLVED if ended else CLOSED


def _somebody_won(tokens: Iterable[Any]) -> bool:
    return any(isinstance(token, Mapping) and token.get("winner") is True for token in tokens)


def _changed_at(raw: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(raw["updatedAt"])
    except (KeyError, TypeError, ValueError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _replaces(row: Row, known: Row) -> bool:
    """Whether the row counts from now on, rather than the one known so far; see `Rows`."""
    if row.changed_at and known.changed_at and row.changed_at != known.changed_at:
        return row.changed_at > known.changed_at
    # A row without a name ends no market that has one: it would be told under its condition id.
    if row.stage != known.stage and min(row.rank, known.rank) >= NAMED:
        return row.stage > known.stage
    return row.rank >= known.rank


def _has_fee_fields(raw: Mapping[str, Any]) -> bool:
    return any(name in raw for name in _GAMMA_FEES)


def _says_what_fees(raw: Mapping[str, Any]) -> bool:
    return raw.get("feesEnabled") is False or isinstance(raw.get("feeSchedule"), Mapping)
