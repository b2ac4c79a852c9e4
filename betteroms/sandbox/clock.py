"""The venue's time, in milliseconds since 1970: the machine's, or one that moves when told."""

import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int: ...


class MachineClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class HandClock:
    """Stands still until it is moved: the same script gives the same times."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, now_ms: int) -> None:
        """Go on to a moment; never back."""
        self._now_ms = max(self._now_ms, now_ms)
