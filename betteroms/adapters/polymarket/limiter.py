"""Ask no faster than the venue allows."""

import time
from collections.abc import Callable


class Limiter:
    """A token bucket: at most `burst` questions at once, and `per_second` of them in the long run.

    In any window of t seconds that is at most `burst + per_second * t`.
    """

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._sleep = sleep
        self._left = float(burst)
        self._counted_at = monotonic()

    def wait(self, cost: int = 1) -> None:
        """Take the next places, so many of them; sleeps until there are."""
        now = self._monotonic()
        self._left = min(self._burst, self._left + (now - self._counted_at) * self._per_second)
        self._counted_at = now
        self._left -= cost
        if self._left < 0:
            # The debt is repaid by the time that passes while we sleep.
            self._sleep(-self._left / self._per_second)
