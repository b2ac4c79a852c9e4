"""A plan is carried out once in each mode, and under one content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from betteroms.domain.errors import PlanAlreadyRun, PlanChanged
from betteroms.domain.terms import Mode

DIFFERENCES_SHOWN: Final = 5
INTERRUPTED: Final = "interrupted: the process ended before the run did"
"""The error of a run that was found still running when nobody could be."""


class RunStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """The run that a planId already has in a mode; `plan` is the file it was started with.

    `tied_up` is what its opening orders might cost at their limits, in millionths; None until completed.
    """

    status: RunStatus
    content_hash: str | None
    attempt: int
    started_at: datetime
    plan: bytes | None = None
    scheduled_at: datetime | None = None
    tied_up: int | None = None


def refuse_repetition(
    earlier: EarlierRun | None,
    *,
    plan_id: str,
    mode: Mode,
    content_hash: str | None,
    differing: Sequence[str] = (),
) -> None:
    """Let a plan be carried out, or taken up again after a failure, but never twice.

    `differing` names the places at which the plan differs from the one it was started with.

    Raises:
        PlanAlreadyRun: it was completed, or given up.
        PlanChanged: it was started with another content.
    """
    if earlier is None:
        return
    started = f"{earlier.started_at:%Y-%m-%dT%H:%M:%SZ}"
    if earlier.content_hash != content_hash:
        more = len(differing) - DIFFERENCES_SHOWN
        places = ", ".join(differing[:DIFFERENCES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        where = f" at {places}" if places else ""
        raise PlanChanged(
            f"planId already exists: {plan_id} was started in mode {mode} at {started} with other content: "
            f"it differs{where} (contentHash {(earlier.content_hash or 'none')[:12]}, "
            f"now {(content_hash or 'none')[:12]}); give the changed plan a planId of its own"
        )
    if earlier.status is RunStatus.COMPLETED:
        raise PlanAlreadyRun(
            f"planId already exists: {plan_id} was completed in mode {mode}, started {started}"
        )
    if earlier.status is RunStatus.ABANDONED:
        raise PlanAlreadyRun(
            f"planId already exists: {plan_id} was started in mode {mode} at {started}, failed, "
            "and was given up when its period was over"
        )
