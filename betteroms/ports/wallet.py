"""What is needed of the chain to let the venue's contracts move a wallet's tokens."""

from collections.abc import Callable, Sequence
from typing import Protocol

from betteroms.domain.approval import Approval, Standing


class Chain(Protocol):
    """Reads what a wallet has and allows."""

    def granted(self, approval: Approval) -> int:
        """How far it goes now: base units of dollars; for shares 0 or 1.

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...

    def dollars(self) -> int:
        """The wallet's dollars in base units.

        Raises:
            VenueUnreachable: no usable answer.
        """
        ...


class Sender(Protocol):
    """Carries out, in the wallet's name, and waits until it is done."""

    def settle(self) -> None:
        """Wait for what an earlier run may have left on its way.

        Raises:
            TransactionPending: it is on its way still.
            VenueUnreachable: no usable answer.
        """
        ...

    def carry_out(self, changes: Sequence[Standing], *, said: Callable[[str], None]) -> None:
        """Bring each from what it is to what is wanted; `said` hears of each as it is done.

        Raises:
            TransactionFailed: one was refused or reverted; those before it stay done.
            TransactionPending: nobody knows yet.
            VenueUnreachable: no usable answer before anything was sent.
        """
        ...
