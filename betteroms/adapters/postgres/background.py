"""Sends finished text to the server in a thread, so that it stores one batch while the next is decided.

All of it happens on one connection and in one transaction, which the owner opens before and ends after. The
thread formats nothing: what it is handed is ready to send, and so it hardly ever holds up the decisions.
"""

from collections.abc import Callable
from queue import Queue
from threading import Thread
from typing import Final

JOBS_WAITING_MAX: Final = 4
"""So many batches may wait for the server before the decisions wait too: memory stays bounded."""

Job = Callable[[], None]


class Background:
    """One thread, started with the first job; once a job failed, none behind it is done."""

    def __init__(self) -> None:
        self._jobs: Queue[Job | None] = Queue(maxsize=JOBS_WAITING_MAX)
        self._thread: Thread | None = None
        self._failure: BaseException | None = None

    def put(self, job: Job) -> None:
        """Do this after what was put before; waits while too much is waiting.

        Raises:
            BaseException: what an earlier job raised.
        """
        self._complain()
        if self._thread is None:
            self._thread = Thread(target=self._work, name="ledger", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def finish(self) -> None:
        """Wait until everything put is done; afterwards the connection is the caller's alone.

        Raises:
            BaseException: what a job raised.
        """
        self.abandon()
        self._complain()

    def abandon(self) -> None:
        """As `finish`, whatever became of the jobs."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._failure is None:
                try:
                    job()
                except BaseException as failure:
                    # Kept for the owner, who alone can roll back; jobs behind it are taken but not done.
                    self._failure = failure

    def _complain(self) -> None:
        if self._failure is not None:
            raise self._failure
