"""What is done when the venue calls an order otherwise than we computed: nothing leaves any more."""

from collections.abc import Iterator
from contextlib import contextmanager

from betteroms.domain.errors import OrderMisnamed
from betteroms.domain.switch import SwitchState
from betteroms.executors.live.answers import OrderIdMismatch
from betteroms.jobs.desk import Desk


@contextmanager
def stopped_if_misnamed(desk: Desk) -> Iterator[None]:
    """Turn the switch off at the first order that has another name at the venue.

    Raises:
        OrderMisnamed: there was one; the switch is off by now.
    """
    try:
        yield
    except OrderIdMismatch as wrong:
        assert desk.switch is not None, "a live desk has the switch"
        desk.switch.turn(SwitchState.OFF, at=desk.clock.now())
        raise OrderMisnamed(
            f"{wrong}. Nothing more was sent, and the live switch was turned OFF: names are how a lost order "
            "is found again, and this program computes other ones than the venue"
        ) from wrong
