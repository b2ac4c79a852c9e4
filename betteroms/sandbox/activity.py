"""What wallets did on the chain besides trading: the rest of the Data API's activity and positions."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from betteroms.sandbox.model import Market


class ActivityKind(StrEnum):
    """The Data API's words (VENUE 5.3)."""

    SPLIT = "SPLIT"
    MERGE = "MERGE"
    REDEEM = "REDEEM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One split, merge or redemption. `shares` by outcome: got by a split, given up by the others.

    Amounts in millionths; `dollars` were paid for a split, and received otherwise.
    """

    kind: ActivityKind
    owner: str
    market: Market
    shares: tuple[int, int]
    dollars: int
    at_ms: int
    transaction_hash: str


class Activities:
    """All of them in their order, and by wallet. Whoever carries the transaction out adds it."""

    def __init__(self) -> None:
        self.all: list[Activity] = []
        self._by_owner: dict[str, list[Activity]] = defaultdict(list)

    def add(self, activity: Activity) -> None:
        self.all.append(activity)
        self._by_owner[activity.owner].append(activity)

    def dump(self) -> list[dict[str, Any]]:
        """Everything, in plain JSON values."""
        return [
            {
                "kind": activity.kind.value,
                "owner": activity.owner,
                "market": activity.market.condition_id,
                "shares": list(activity.shares),
                "dollars": activity.dollars,
                "at_ms": activity.at_ms,
                "transaction_hash": activity.transaction_hash,
            }
            for activity in self.all
        ]

    def restore(self, state: list[dict[str, Any]], markets: Mapping[str, Market]) -> None:
        """Become what was dumped; the markets must be there already."""
        self.all.clear()
        self._by_owner.clear()
        for row in state:
            first, second = row["shares"]
            known = {
                "kind": ActivityKind(row["kind"]),
                "market": markets[row["market"]],
                "shares": (first, second),
            }
            self.add(Activity(**{**row, **known}))

    def of(self, owner: str) -> list[Activity]:
        return self._by_owner.get(owner, [])
