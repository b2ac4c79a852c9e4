"""What became of orders that were left alive, told from what the venue shows: pure, order by order.

The venue shows an order in three places, each late and each forgetful in its own way: its open orders, its
trades, and the order itself by name. Being shown anywhere proves that it landed; being shown nowhere proves
nothing (VENUE 10.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from betteroms.domain.fees import FeeSchedule
from betteroms.domain.order import (
    ALIVE,
    Accepted,
    Canceled,
    Expired,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Unconfirmed,
    after,
)
from betteroms.domain.terms import Dollars, TimeInForce
from betteroms.executors.live.fills import FILL_DRIFT_MAX, Booked, told
from betteroms.ports.trading import VenueFill, VenueOrder

UNCONFIRMED_AGE_MIN: Final = timedelta(seconds=90)
"""Orders were seen to land 40 s after their client gave up: before this age nothing is concluded or sent."""
DUST_MICROS: Final = 100
"""What a dollar BUY may leave unspent and still be all filled: a few millionths for each of its levels."""
CANCELED_BY_RESOLUTION: Final = "MARKET_RESOLVED"
CANCELED_AT_VENUE: Final = "CANCELED_AT_VENUE"
CANCEL_AFTER: Final = "CANCEL_AFTER"
"""The code of an order that outlived the time it was given, whoever ended it then."""
INTERRUPTED: Final = "the process ended while the order was being sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the venue showed, by the names it knows orders by; `asked` holds those looked up alone."""

    open: Mapping[str, VenueOrder]
    fills: Mapping[str, Sequence[VenueFill]]
    asked: Mapping[str, VenueOrder | None] = field(default_factory=dict)

    def shows(self, name: str) -> bool:
        """Whether it was seen anywhere: then it landed."""
        return name in self.open or bool(self.fills.get(name)) or self.asked.get(name) is not None


def unexplained(orders: Sequence[Order], seen: Seen) -> list[str]:
    """The names of those that have to be looked up alone: alive, sent, and not among the open orders."""
    return [
        order.external_order_id
        for order in orders
        if order.status in ALIVE
        and sent(order)
        and order.external_order_id is not None
        and order.external_order_id not in seen.open
    ]


def sent(order: Order) -> bool:
    """Whether it may have left the process."""
    return order.status is not OrderStatus.NEW or order.sending_at is not None


def fate(order: Order, seen: Seen, booked: Booked, fees: FeeSchedule, now: datetime) -> list[OrderEvent]:
    """What happened to an order that may have been sent, as far as it is known now."""
    name = order.external_order_id
    assert name is not None, "what is sent has the venue's name"
    events: list[OrderEvent] = []
    if order.status is OrderStatus.NEW:
        events.append(Unconfirmed(order_id=order.order_id, at=now, reason=INTERRUPTED))
    if not seen.shows(name):
        if order.status is OrderStatus.OPEN and _aged(order.placed_at, now):
            # The venue forgets the dead. Should a fill come after all, it is booked all the same.
            events.append(ended(order, None, now))
        return events
    if order.status in (OrderStatus.NEW, OrderStatus.UNCONFIRMED):
        events.append(Accepted(order_id=order.order_id, at=now))
    events += told(order, seen.fills.get(name, ()), booked, fees, now)
    if name in seen.open:
        return events
    there = seen.asked.get(name)
    known = after(order, events)
    over = known.status is OrderStatus.OPEN and not is_owed(order, seen) and _is_over(known, there, now)
    if over:
        events.append(_finish(known, there, now))
    return events


def is_owed(order: Order, seen: Seen) -> bool:
    """Whether the venue says that more of it was matched than it shows fills for: those are still to come.

    What becomes of them, and whether they fail, is told with them; until then nothing is concluded.
    """
    there = seen.asked.get(order.external_order_id or "")
    if there is None:
        return False
    shown = sum(fill.size for fill in seen.fills.get(there.external_order_id, ()))
    return shown < there.matched - FILL_DRIFT_MAX


def _is_over(order: Order, there: VenueOrder | None, now: datetime) -> bool:
    """Whether an order that is not open any more has all its fills booked, or has waited for them enough."""
    if there is not None and there.open:
        return False  # it was placed between the two looks
    matched = 0 if there is None else there.matched
    return (
        order.filled_size >= matched > 0
        or _aged(order.placed_at, now)
        or (there is not None and matched == 0 and there.status.startswith("CANCELED"))
    )


def _finish(order: Order, there: VenueOrder | None, now: datetime) -> OrderEvent:
    """The last event of an order whose fills are booked: it has all it wanted, or it ended before."""
    amount = order.amount
    if isinstance(amount, Dollars) and order.filled_size:
        spent = abs(order.filled_cash)
        if order.intent.time_in_force is TimeInForce.FOK or spent >= amount.usdc - DUST_MICROS:
            return Filled(
                order_id=order.order_id,
                at=now,
                market_id=order.intent.market_id,
                executions=(),
                complete=True,
            )
    return ended(order, there, now)


def ended(order: Order, there: VenueOrder | None, now: datetime) -> OrderEvent:
    """The end of an order that is not alive at the venue any more; `there` is how it is shown, if it is."""
    intent = order.intent
    if there is not None and there.status == "CANCELED_MARKET_RESOLVED":
        return Canceled(order_id=order.order_id, at=now, code=CANCELED_BY_RESOLUTION)
    if is_overdue(order, now):
        return lapsed(order, now)
    if intent.time_in_force is TimeInForce.FAK:
        return Canceled(
            order_id=order.order_id, at=now, code="FAK_REMAINDER" if order.filled_size else "FAK_NO_MATCH"
        )
    if intent.time_in_force is TimeInForce.FOK:
        return Canceled(order_id=order.order_id, at=now, code="FOK_NOT_FILLED")
    return Canceled(order_id=order.order_id, at=now, code=CANCELED_AT_VENUE)


def is_overdue(order: Order, now: datetime) -> bool:
    """Whether its time is over."""
    return order.expires_at is not None and order.expires_at <= now


def lapsed(order: Order, now: datetime) -> Canceled | Expired:
    """The end of an order whose time is over: the same whether we ended it or found it ended."""
    if order.intent.time_in_force is TimeInForce.GTD:
        return Expired(order_id=order.order_id, at=now)
    return Canceled(order_id=order.order_id, at=now, code=CANCEL_AFTER)


def _aged(since: datetime | None, now: datetime) -> bool:
    return since is not None and now - since >= UNCONFIRMED_AGE_MIN


def is_unseen(order: Order, seen: Seen, now: datetime) -> bool:
    """Whether it is unconfirmed, and was seen nowhere for long enough to conclude something from that."""
    if order.status is not OrderStatus.UNCONFIRMED or seen.shows(order.external_order_id or ""):
        return False
    return _aged(order.sending_at, now)
