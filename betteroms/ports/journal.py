"""Where runs say what they do, and who tells the operator."""

from typing import Protocol

from betteroms.domain.ids import OrderId, RunId


class Journal(Protocol):
    """Where runs say what they do, line by line, for whoever looks for the reason later."""

    def note(
        self,
        event: str,
        /,
        *,
        level: str = "info",
        run_id: RunId | None = None,
        order_id: OrderId | None = None,
        **facts: str | int | None,
    ) -> None:
        """Write one line. It never fails: a full disk must not break off a run."""
        ...


class Notifier(Protocol):
    """Tells the operator, who is not looking."""

    def tell(self, title: str, body: str, *, severity: str) -> None:
        """Send a short message. It never fails: what could not be sent is in the journal."""
        ...
