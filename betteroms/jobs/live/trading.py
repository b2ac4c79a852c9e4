"""Carry out live plans: look first at what is alive, insist on a fit venue, stop at the first surprise."""

from collections.abc import Callable, Sequence
from typing import Any

from betteroms.domain.errors import OutcomeUnknown, VenueUnreachable
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.jobs.desk import Desk
from betteroms.jobs.live.misnamed import stopped_if_misnamed
from betteroms.jobs.live.pretrade import insist_fit
from betteroms.jobs.poll import insist_known, poll

Job = Callable[[Desk], dict[str, Any]]


def make_ready(desk: Desk) -> Sequence[str]:
    """What precedes every run of a plan: little for a desk from which nothing leaves. What a poll remarked.

    Raises:
        CredentialsUnusable: a key that the mode needs is missing; nothing is written.
        VenueUnfit: the venue, or our clock, is not as it must be; nothing is written.
        LedgerBehindVenue: the venue has orders of our key that the ledger does not know.
        VenueUnreachable: no usable answer.
    """
    desk.insist()
    if desk.member is None:
        return ()
    insist_fit(desk.member)
    polled = poll(desk)
    insist_known(polled)
    remarks: Sequence[str] = polled["result"]["warnings"]
    return remarks


def carefully(desk: Desk, job: Job) -> dict[str, Any]:
    """Do a job that sends orders, and say what is unknown afterwards.

    Raises:
        OrderMisnamed: the venue calls an order otherwise than we do; the switch is off by now.
        OutcomeUnknown: the venue fell silent, and orders may have been placed.
        VenueUnreachable: it fell silent, and nothing was sent of which we do not know.
    """
    if desk.member is None:
        return job(desk)
    try:
        with stopped_if_misnamed(desk):
            return job(desk)
    except VenueUnreachable as fault:
        count = unconfirmed(desk)
        if count:
            raise OutcomeUnknown(f"{fault}; {told.nobody_knows(count)}") from fault
        raise


def rehearsed(desk: Desk) -> None:
    """Remember that a live plan was carried out in the shadow, if it was."""
    if desk.mode is Mode.SHADOW and desk.switch is not None:
        desk.switch.rehearse(at=desk.clock.now())


def unconfirmed(desk: Desk) -> int:
    """Of how many orders nobody knows whether they arrived."""
    touched = desk.ledger.touched(desk.mode, settled_since=desk.clock.now())
    orders = desk.ledger.snapshot(desk.mode, markets=touched, orders=[]).open_orders
    return sum(order.status is OrderStatus.UNCONFIRMED or _was_sent(order) for order in orders)


def _was_sent(order: Order) -> bool:
    return order.status is OrderStatus.NEW and order.sending_at is not None
