"""What is due later: steps of settlement, delayed matches, late landings, the counterparties' next moves.

A task is a name and plain values, so that it can be written to a file and found again after a restart.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import Any

Task = tuple[int, int, str, Mapping[str, Any]]
"""When (ms), its number (equal times run in the order they were asked for), the handler, its values."""
Handler = Callable[[Mapping[str, Any], int], None]
"""Takes the task's values and the moment it was due."""


class Schedule:
    def __init__(self) -> None:
        self._heap: list[Task] = []
        self._handlers: dict[str, Handler] = {}
        self._count = 0

    def handle(self, name: str, handler: Handler) -> None:
        """Say who carries tasks of this name out."""
        self._handlers[name] = handler

    def at(self, due_ms: int, name: str, **values: Any) -> None:
        heapq.heappush(self._heap, (due_ms, self._count, name, values))
        self._count += 1

    def next_due_ms(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def run_until(self, now_ms: int, *, moment: Callable[[int], None]) -> None:
        """Carry out what is due by then, in order, each at its own moment.

        `moment` is told the time of each task before it runs, so that whoever asks for the time meanwhile
        hears when the task was due and not when somebody looked.
        """
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, _, name, values = heapq.heappop(self._heap)
            moment(due_ms)
            self._handlers[name](values, due_ms)

    def tasks(self) -> list[Task]:
        return sorted(self._heap, key=lambda task: task[:2])

    def restore(self, tasks: list[Task]) -> None:
        self._heap = list(tasks)
        heapq.heapify(self._heap)
        self._count = max((task[1] + 1 for task in tasks), default=0)
