"""What a wallet lets the venue's contracts do with its tokens."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNLIMITED: Final = 2**256 - 1
PLENTY: Final = 2**255
"""An allowance from here on counts as unlimited, since some tokens count even that one down."""
ALL_SHARES: Final = 1
NOTHING: Final = 0


class Holds(StrEnum):
    """What a token contract keeps count of: dollars by amount, outcome shares all or none."""

    DOLLARS = "dollars"
    SHARES = "shares"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """That `spender` may move what `token` counts; `reason` is what for, in words.

    `trading` says that orders need it; the others are for splitting, merging and redeeming.
    """

    holds: Holds
    token: str
    spender: str
    reason: str
    trading: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far an approval goes now, and how far it should: base units for dollars; for shares 0 or 1."""

    approval: Approval
    granted: int
    wanted: int

    @property
    def is_met(self) -> bool:
        """Whether nothing needs to be done: an amount has to be met exactly, no limit by any huge one."""
        if self.wanted == UNLIMITED:
            return self.granted >= PLENTY
        return self.granted == self.wanted


def wanted(approval: Approval, dollars: int | None) -> int:
    """How far it should go, where so many `dollars` (base units) may be moved; None takes all back."""
    if dollars is None:
        return NOTHING
    return dollars if approval.holds is Holds.DOLLARS else ALL_SHARES
