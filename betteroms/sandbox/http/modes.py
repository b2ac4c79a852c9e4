"""What the venue takes at the moment: everything, only some orders, only cancels, or nothing.

Source: VENUE 7.
"""

from enum import StrEnum
from typing import Any, Final

from betteroms.sandbox.http.refusals import ForNow
from betteroms.sandbox.model import Refused

POST_ONLY_TEXT: Final = "post-only mode: only post-only orders and cancels are allowed"
CANCEL_ONLY_TEXT: Final = (
    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
)
HALTED_TEXT: Final = "Trading is currently disabled. Check polymarket.com for updates"
POST_ONLY_AFTER_RESTART_MS: Final = 120_000


class Mode(StrEnum):
    OPEN = "open"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    HALTED = "halted"
    RESTARTING = "restarting"


class Modes:
    """The venue's mode now, and the one that follows at a set moment."""

    def __init__(self) -> None:
        self._mode = Mode.OPEN
        self._until_ms: int | None = None
        self._post_only_ms = POST_ONLY_AFTER_RESTART_MS

    def set(
        self, mode: Mode, *, until_ms: int | None = None, post_only_ms: int = POST_ONLY_AFTER_RESTART_MS
    ) -> None:
        """Be in a mode, for good or until a moment.

        After a restart comes a while of post-only (`post_only_ms`); after anything else all is open again.
        """
        self._mode = mode
        self._until_ms = until_ms
        self._post_only_ms = post_only_ms

    def at(self, now_ms: int) -> Mode:
        while self._until_ms is not None and self._until_ms <= now_ms:
            restarted = self._mode is Mode.RESTARTING
            self._mode = Mode.POST_ONLY if restarted else Mode.OPEN
            self._until_ms = self._until_ms + self._post_only_ms if restarted else None
        return self._mode

    def check_order(self, *, post_only: bool, now_ms: int) -> None:
        """Whether an order may be placed.

        Raises:
            Refused: 425 or 503, in the venue's words.
        """
        self.check_request(now_ms)
        mode = self._mode
        if mode is Mode.CANCEL_ONLY:
            raise ForNow(CANCEL_ONLY_TEXT, status=503, retry_after_s=self._left_s(now_ms))
        if mode is Mode.POST_ONLY and not post_only:
            left_s = self._left_s(now_ms)
            details = {} if left_s is None else {"retry_after_seconds": left_s}
            raise ForNow(
                POST_ONLY_TEXT, status=503, code="post_only_mode", retry_after_s=left_s, details=details
            )

    def check_request(self, now_ms: int) -> None:
        """Whether the order endpoints work at all, cancels included.

        Raises:
            Refused: 425 while the engine restarts, 503 while trading is halted.
        """
        mode = self.at(now_ms)
        if mode is Mode.RESTARTING:
            raise ForNow("", status=425, retry_after_s=self._left_s(now_ms))
        if mode is Mode.HALTED:
            raise Refused(HALTED_TEXT, status=503)

    def state(self) -> dict[str, Any]:
        return {
            "mode": self._mode.value,
            "until_ms": self._until_ms,
            "post_only_ms": self._post_only_ms,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.set(Mode(state["mode"]), until_ms=state["until_ms"], post_only_ms=state["post_only_ms"])

    def _left_s(self, now_ms: int) -> int | None:
        """Seconds until the mode ends, rounded up."""
        return None if self._until_ms is None else max(1, -(-(self._until_ms - now_ms) // 1000))
