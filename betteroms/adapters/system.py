"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """Keeps the promise of `ports.Clock` with the machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)
