"""What is held, summed up by market or by who bought it, and lot by lot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from betteroms.domain.ids import TokenId
from betteroms.domain.lots import Lot, Lots
from betteroms.domain.money import Size, to_text
from betteroms.domain.position import Mark, market_value
from betteroms.jobs import told

AVERAGE: Final = "average cost"
FIFO: Final = "first in, first out by lots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What a share of a token is worth, and when that was seen."""

    mark: Mark
    marked_at: datetime | None


@dataclass(slots=True, kw_only=True)
class Sums:
    """One group's sums, being added up; in millionths of a dollar. `gross` is realised before fees."""

    cost: int = 0
    value: int = 0
    gross: int = 0
    fees: int = 0
    oldest_mark: datetime | None = None

    def hold(self, cost: int, value: int, marked_at: datetime | None) -> None:
        """Add what is held of one token."""
        self.cost += cost
        self.value += value
        if marked_at is not None and (self.oldest_mark is None or marked_at < self.oldest_mark):
            self.oldest_mark = marked_at

    def told(self, now: datetime) -> dict[str, Any]:
        """The sums as JSON tells them, with the age of the oldest mark among them."""
        age = None
        if self.oldest_mark is not None:
            age = max((now - self.oldest_mark) // timedelta(seconds=1), 0)
        return {
            "costBasis": to_text(self.cost),
            "marketValue": to_text(self.value),
            "unrealised": to_text(self.value - self.cost),
            "realisedGross": to_text(self.gross),
            "fees": to_text(self.fees),
            "realised": to_text(self.gross - self.fees),
            "oldestMarkAgeSeconds": age,
        }


def by_owner(lots: Mapping[TokenId, Lots], marks: Mapping[TokenId, Marked]) -> dict[str | None, Sums]:
    """Each owner's lots at their marks, and what was gained by those that were sold."""
    found: dict[str | None, Sums] = {}
    for token, mine in lots.items():
        for owner, gross in mine.gross.items():
            found.setdefault(owner, Sums()).gross += gross
        for owner, fees in mine.fees.items():
            found.setdefault(owner, Sums()).fees += fees
        marked = marks.get(token)
        held: dict[str | None, tuple[int, int]] = {}
        for lot in mine.left:
            size, cost = held.get(lot.owner, (0, 0))
            held[lot.owner] = (size + lot.size, cost + lot.cost)
        for owner, (size, cost) in held.items():
            value = 0 if marked is None else market_value(marked.mark, Size(size))
            marked_at = None if marked is None else marked.marked_at
            found.setdefault(owner, Sums()).hold(cost, value, marked_at)
    return found


def total(sums: Iterable[Sums]) -> Sums:
    """All groups together."""
    whole = Sums()
    for one in sums:
        whole.gross += one.gross
        whole.fees += one.fees
        whole.hold(one.cost, one.value, one.oldest_mark)
    return whole


def told_lots(lots: Lots, marked: Marked) -> list[dict[str, Any]]:
    """The lots of which something is left, the oldest first."""
    return [_lot(lot, marked) for lot in lots.left]


def _lot(lot: Lot, marked: Marked) -> dict[str, Any]:
    value = market_value(marked.mark, Size(lot.size))
    return {
        "planId": lot.owner,
        "openedAt": told.maybe_instant(lot.opened_at),
        "bought": to_text(lot.bought),
        "paid": to_text(lot.paid),
        "size": to_text(lot.size),
        "averagePrice": told.average(cash=lot.cost, size=lot.size),
        "costBasis": to_text(lot.cost),
        "marketValue": to_text(value),
        "unrealised": to_text(value - lot.cost),
        "realisedGross": to_text(lot.gross),
    }


def named(sums: Mapping[str | None, Sums], now: datetime) -> Sequence[dict[str, Any]]:
    """The groups by name, those without one last."""
    ordered = sorted(sums.items(), key=lambda row: (row[0] is None, row[0] or ""))
    return [{"group": name, **one.told(now)} for name, one in ordered]
