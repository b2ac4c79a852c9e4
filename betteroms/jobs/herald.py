"""Tells of a run as it goes: lines in the log, and messages to an operator who is not looking.

What counts is in the ledger; nothing here can fail a run, and nothing is said before it is committed.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from betteroms.jobs import journal as lines
from betteroms.jobs import notices
from betteroms.ports import Run
from betteroms.ports.journal import Journal, Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Herald:
    """Where it is told; None is silence. `wanted` are the kinds of notices that somebody asked for."""

    journal: Journal | None = None
    notifier: Notifier | None = None
    wanted: Collection[str] = ()

    def began(self, run: Run) -> None:
        """A run was opened."""
        if self.journal is not None:
            lines.begun(
                self.journal,
                run.run_id,
                kind=run.kind,
                mode=run.mode.value,
                plan_id=run.plan_id,
                attempt=run.attempt,
            )

    def ended(self, run: Run, result: Mapping[str, Any]) -> None:
        """A run was completed with this result."""
        if self.journal is not None:
            lines.told(self.journal, run.run_id, result)
        if self.notifier is not None:
            found = notices.of_result(result, name=run.plan_id or run.kind)
            trips = any(notice.kind is notices.Kind.TRIPS for notice in found)
            if result.get("tripped") and not trips:
                found.append(notices.of_trip("DRAWDOWN_TRIPPED", result["tripped"], name=run.kind))
            notices.tell(self.notifier, found, wanted=self.wanted)

    def failed(self, run: Run, fault: BaseException) -> None:
        """A run failed."""
        self.could_not_begin(run.plan_id or run.kind, fault, run=run)

    def could_not_begin(self, name: str, fault: BaseException, *, run: Run | None = None) -> None:
        """A plan, or a whole run, came to nothing."""
        error = str(fault) or type(fault).__name__
        if self.journal is not None:
            run_id, plan_id = (None, name) if run is None else (run.run_id, run.plan_id)
            lines.failed(self.journal, run_id, error=error, code=_code(fault), plan_id=plan_id)
        if self.notifier is not None:
            notices.tell(self.notifier, [notices.of_failure(name, error)], wanted=self.wanted)


def _code(fault: BaseException) -> str:
    """The fault's name as the command line has it: `VENUE_UNREACHABLE`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(fault).__name__).upper()


SILENT = Herald()
