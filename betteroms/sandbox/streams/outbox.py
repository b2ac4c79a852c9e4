"""What waits to be sent to one subscriber: a bounded queue, and whatever goes wrong on the way out."""

import json
from collections import deque
from collections.abc import Callable
from typing import Final

from betteroms.sandbox.streams.faults import Choose, Message

OUTBOX_MAX: Final = 10_000
"""Frames that may wait for a slow reader before it is cut off: more than one request makes at once."""


class Outbox:
    """Frames as text, oldest first. `cut` says that the connection is to be closed, with the rest unsent.

    `wake` is called whenever there is something new to do.
    """

    def __init__(
        self, channel: str, choose: Choose, wake: Callable[[], None], *, frames_max: int = OUTBOX_MAX
    ) -> None:
        self.cut = False
        self._frames_max = frames_max
        self._channel = channel
        self._choose = choose
        self._wake = wake
        self._waiting: deque[str] = deque()
        self._held: list[str] = []
        self._stalled = False

    def put(self, message: Message) -> None:
        """Send a message, as its fate has it."""
        if self._stalled or self.cut:
            return
        text = json.dumps(message, separators=(",", ":"))
        fate = self._choose(self._channel, message)
        if fate.cuts:
            self.close()
        elif fate.stalls:
            self._stalled = True
        elif fate.held:
            self._held += [text] * fate.copies
        elif fate.copies:
            self._pass_on([text] * fate.copies)

    def put_text(self, text: str) -> None:
        """Send an answer that is not an event: no fault befalls it."""
        self._append(text)
        self._wake()

    def close(self) -> None:
        self.cut = True
        self._waiting.clear()
        self._wake()

    def take(self) -> str | None:
        """The next frame to send, if there is one."""
        return self._waiting.popleft() if self._waiting else None

    def _pass_on(self, texts: list[str]) -> None:
        for text in texts + self._held:
            self._append(text)
        self._held.clear()
        self._wake()

    def _append(self, text: str) -> None:
        if len(self._waiting) >= self._frames_max:
            self.close()
        if not self.cut:
            self._waiting.append(text)
