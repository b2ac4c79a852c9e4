"""What `doctor` says of one thing that it looked at."""

from dataclasses import dataclass
from enum import StrEnum

from betteroms.domain.errors import BetterOmsError


class Level(StrEnum):
    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at and how it is. `fault` is what a command would have run into."""

    check: str
    level: Level
    text: str
    fault: type[BetterOmsError] | None = None
