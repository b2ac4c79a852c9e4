"""A line on stderr that says what is going on, once it takes longer than a moment."""

import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from betteroms.cli.faults import clean
from betteroms.cli.render import console

PATIENCE_SECONDS: Final = 0.7
"""So long nobody needs to be told that something is going on."""


class Progress:
    """What a command is doing; shown on a terminal only, and gone when the work is done."""

    def __init__(self, *, wanted: bool = True) -> None:
        self._wanted = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._doing = ""
        self._status: Any = None
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def show(self, doing: str) -> None:
        """Say what is being done now."""
        with self._lock:
            self._doing = doing
            if self._status is not None:
                self._status.update(clean(doing))

    def __enter__(self) -> Self:
        if self._wanted:
            self._timer = threading.Timer(PATIENCE_SECONDS, self._appear)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._wanted = False
            if self._status is not None:
                with suppress(OSError, ValueError):
                    self._status.stop()

    def _appear(self) -> None:
        with self._lock:
            if self._wanted:
                self._status = console(stderr=True).status(clean(self._doing or "working"))
                self._status.start()
