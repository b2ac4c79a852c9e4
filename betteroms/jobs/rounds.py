"""Maintain the modes besides paper, where anything of them is alive: shadow by paper's rules, then live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from betteroms.domain.errors import BetterOmsError, DatabaseUnavailable, LockHeld, VenueUnfit
from betteroms.domain.switch import SwitchState
from betteroms.domain.terms import Mode
from betteroms.jobs.desk import Desk
from betteroms.jobs.live.pretrade import insist_fit
from betteroms.jobs.live.trading import carefully
from betteroms.jobs.maintain import maintain
from betteroms.jobs.maintain.job import SETTLED_WATCHED
from betteroms.jobs.poll import poll

OTHERS: Final = (Mode.SHADOW, Mode.LIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What maintaining a mode came to: a poll first in live, then the pass, or the fault that ended it."""

    mode: Mode
    polled: dict[str, Any] | None = None
    maintained: dict[str, Any] | None = None
    fault: Exception | None = None

    def told(self) -> dict[str, Any]:
        """The round, JSON-ready."""
        fault = self.fault
        return {
            "mode": self.mode.value,
            "status": "completed" if fault is None else "failed",
            "error": None if fault is None else str(fault) or type(fault).__name__,
            "fault": None if fault is None else type(fault).__name__,
            "poll": None if self.polled is None else self.polled["result"],
            "maintenance": None if self.maintained is None else self.maintained["result"],
        }


def rounds(desk: Desk, *, at: datetime | None = None) -> Sequence[Round]:
    """Maintain every other mode in which anything is held, alive or settling; each apart from the others.

    Raises:
        DatabaseUnavailable, LockHeld: the next mode would meet the same.
    """
    since = desk.clock.now() - SETTLED_WATCHED
    return [_round(desk, mode, at) for mode in OTHERS if desk.ledger.touched(mode, settled_since=since)]


def _round(desk: Desk, mode: Mode, at: datetime | None) -> Round:
    polled = maintained = None
    try:
        assert desk.sibling is not None, "a wired desk has siblings"
        there = desk.sibling(mode)
        waiting = None
        if there.member is not None:
            polled = poll(there, at=at)
            waiting = _waiting(there, polled)
        maintained = carefully(there, lambda each: maintain(each, at=at, waiting=waiting))
    except (DatabaseUnavailable, LockHeld):
        raise
    except Exception as fault:
        if not isinstance(fault, BetterOmsError | OSError):
            desk.unexpected(fault)
        return Round(mode=mode, polled=polled, fault=fault)
    return Round(mode=mode, polled=polled, maintained=maintained)


def _waiting(desk: Desk, polled: dict[str, Any]) -> str | None:
    """Why nothing may be sent now; None where it may."""
    assert desk.member is not None
    assert desk.switch is not None
    if desk.switch.state() is not SwitchState.ON:
        return "LIVE_OFF"
    if polled["result"]["behind"]["count"]:
        return "LEDGER_BEHIND_VENUE"
    try:
        insist_fit(desk.member)
    except VenueUnfit:
        return "VENUE_UNFIT"
    return None
