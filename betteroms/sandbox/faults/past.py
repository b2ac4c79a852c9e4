"""What wallets held a little while ago, for answers that lag behind the chain."""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from betteroms.sandbox.bank import Amounts, Bank
from betteroms.sandbox.clock import Clock

CHANGES_MAX: Final = 100_000
"""Beyond it the oldest are forgotten: an answer cannot lag further behind."""


class Past:
    """Remembers the bank's changes from `watch` on. It does not outlive a restart of the venue."""

    def __init__(self, bank: Bank, clock: Clock) -> None:
        self._clock = clock
        self._tables: tuple[Amounts[Any], ...] = (bank.dollars, bank.shares)
        self._changes: deque[tuple[int, int, Hashable, int]] = deque(maxlen=CHANGES_MAX)

    def watch(self, wanted: bool) -> None:
        """Begin to remember, or stop and forget."""
        if not wanted:
            self._changes.clear()
        for number, table in enumerate(self._tables):
            table.heard = self._remember(number) if wanted else None

    def _remember(self, number: int) -> Callable[[Hashable, int], None]:
        def heard(key: Hashable, amount: int) -> None:
            self._changes.append((self._clock.now_ms(), number, key, amount))

        return heard

    @contextmanager
    def before(self, moment_ms: int) -> Iterator[None]:
        """Let the bank hold what it held at a moment. Nothing may be moved meanwhile."""
        then: dict[tuple[int, Hashable], int] = {}
        for at_ms, number, key, amount in reversed(self._changes):
            if at_ms <= moment_ms:
                break
            then[number, key] = amount
        now = {(number, key): self._tables[number].get(key, 0) for number, key in then}
        self._put(then)
        try:
            yield
        finally:
            self._put(now)

    def _put(self, amounts: dict[tuple[int, Hashable], int]) -> None:
        for (number, key), amount in amounts.items():
            self._tables[number].put_back(key, amount)
