"""A plan is carried out once in each mode, and under one content."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from betteroms.domain.errors import PlanAlreadyRun, PlanChanged
from betteroms.domain.terms import Mode


class RunStatus(StrEnum):
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """The run that a planId already has in a mode."""

    status: RunStatus
    content_hash: str | None
    attempt: int
    started_at: datetime


def refuse_repetition(
    earlier: EarlierRun | None, *, plan_id: str, mode: Mode, content_hash: str | None
) -> None:
    """Let a plan be carried out, or taken up again after a failure, but never twice.

    Raises:
        PlanAlreadyRun: it was completed.
        PlanChanged: it was started with another content.
    """
    if earlier is None:
        return
    started = f"{earlier.started_at:%Y-%m-%dT%H:%M:%SZ}"
    if earlier.content_hash != content_hash:
        raise PlanChanged(
            f"planId already exists: {plan_id} was started in mode {mode} at {started} with other content "
            f"(contentHash {(earlier.content_hash or 'none')[:12]}, now {(content_hash or 'none')[:12]}); "
            "give the changed plan a planId of its own"
        )
    if earlier.status is RunStatus.COMPLETED:
        raise PlanAlreadyRun(
            f"planId already exists: {plan_id} was completed in mode {mode}, started {started}"
        )
