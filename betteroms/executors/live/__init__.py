"""Carries orders out at the venue, each exactly once: named before it is sent, looked up in doubt.

An order is signed once, from what is stored of it, and its hash is its name. Where no answer came the name
tells later what became of it, and only the same bytes may ever go again (DECISIONS 7).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.intent import Cancel
from betteroms.domain.market import Market
from betteroms.domain.order import (
    ALIVE,
    Accepted,
    Canceled,
    ChainState,
    Denial,
    Denied,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Progressed,
    Rejected,
    Sending,
    after,
)
from betteroms.domain.rounding import Rules
from betteroms.executors.live.answers import OrderIdMismatch, heard
from betteroms.executors.live.fills import Booked, fits
from betteroms.executors.live.lookup import (
    CANCELED_AT_VENUE,
    Seen,
    fate,
    is_overdue,
    is_owed,
    is_unseen,
    lapsed,
    sent,
    unexplained,
)
from betteroms.ports import Clock
from betteroms.ports.trading import Answer, Gate, Signed, Signer, Venue, VenueFill, Verdict

BATCH_ORDERS: Final = 15
"""The most that the venue takes in one request. Source: VENUE 3.2."""
LOOK_BACK: Final = timedelta(minutes=5)
"""The venue's clock and ours differ, and trades carry whole seconds: so much earlier do we begin to look."""
LIVE_OFF: Final = Denial(code="LIVE_OFF", detail="the live switch was turned before it was sent")
ARRIVAL_MAX: Final = timedelta(minutes=10)
"""An order that nobody saw for so long does not arrive any more: fifteen times the longest that was seen."""
NO: Final = frozenset({Verdict.REFUSED, Verdict.TURNED_AWAY})
NEVER_ARRIVED: Final = "NEVER_ARRIVED"
NOT_SEEN: Final = "the venue never showed it, and it must not be sent again"


class LiveExecutor:
    """Keeps the promises of `ports.Executor` at the venue.

    `booked` tells by order which of its fills are in the ledger and how far their settlement had come.
    `proven` are the signing domains in which the venue has given an order the name we computed; in any other
    an order goes alone until it has. `unwanted` are orders that must not be sent again, whatever the switch
    says: their run was given up, or they were to be cancelled.
    """

    sends_out = True

    def __init__(
        self,
        *,
        venue: Venue,
        signer: Signer,
        gate: Gate,
        clock: Clock,
        markets: Mapping[MarketId, Market],
        rules: Mapping[TokenId, Rules],
        booked: Mapping[OrderId, Booked],
        proven: Collection[str],
        unwanted: Collection[OrderId] = (),
    ) -> None:
        self._venue = venue
        self._signer = signer
        self._gate = gate
        self._clock = clock
        self._markets = markets
        self._rules = rules
        self._booked = {name: dict(fills) for name, fills in booked.items()}
        self._proven = set(proven)
        self._unwanted = frozenset(unwanted)

    @property
    def proven(self) -> frozenset[str]:
        """The signing domains that are proven by now."""
        return frozenset(self._proven)

    def prepare(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Sign each, and mark those of the first batch as being sent."""
        prepared: list[Order] = []
        for order in orders:
            intent = order.intent
            tick = self._rules[intent.token_id].tick_size
            signed = self._signer.sign(order, self._markets[intent.market_id], tick=tick)
            prepared.append(replace(order, external_order_id=signed.external_order_id, signed=signed.body))
        now = self._clock.now()
        first = len(self._next_batch(prepared))
        return [
            replace(order, sending_at=now) if number < first else order
            for number, order in enumerate(prepared)
        ]

    def submit(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """Post them batch by batch; the events of one mark the next as being sent (DECISIONS 7.2).

        Raises:
            OrderIdMismatch: see `answers.heard`; nothing more is sent.
            VenueUnreachable: the venue takes no orders now; those that did not leave are as they were.
        """
        left = list(orders)
        matched: list[Order] = []
        while left:
            batch = self._next_batch(left)
            left = left[len(batch) :]
            now = self._clock.now()
            if not self._gate.open():
                yield [Denied(order_id=o.order_id, at=now, denial=LIVE_OFF) for o in (*batch, *left)]
                break
            answers = self._venue.post([_signed(order) for order in batch])
            now = self._clock.now()
            try:
                events = [
                    event
                    for order, answer in zip(batch, answers, strict=True)
                    for event in heard(order, answer, now)
                ]
            except OrderIdMismatch as wrong:
                # It is somewhere under some name: what is written down must not say that it is not.
                yield [
                    event
                    for order in batch
                    for event in heard(order, Answer(verdict=Verdict.UNKNOWN, reason=str(wrong)), now)
                ]
                raise
            self._learn(batch, answers)
            matched += _filled_at_once(batch, answers, events)
            turned_away = [answer for answer in answers if answer.verdict is Verdict.TURNED_AWAY]
            if not turned_away:
                events += [Sending(order_id=order.order_id, at=now) for order in self._next_batch(left)]
            yield events
            if turned_away and left:
                raise VenueUnreachable(f"the venue takes no orders now: {turned_away[0].reason}")
        yield from self._told(matched)

    def poll(self, orders: Sequence[Order]) -> Iterable[Sequence[OrderEvent]]:
        """Find out what became of these; send again what is provably late and still wanted.

        Raises:
            VenueUnreachable: the venue gave no usable answer; what was told before stands.
        """
        waiting = [order for order in orders if sent(order)]
        if not waiting:
            return
        seen = self._look(waiting)
        now = self._clock.now()
        moved: dict[OrderId, Order] = {}
        events: list[OrderEvent] = []
        for order in waiting:
            found = self._fate(order, seen, now)
            if found:
                events += found
                moved[order.order_id] = after(order, found)
        if events:
            yield events
        known = [moved.get(order.order_id, order) for order in waiting]
        yield from self._end_overdue(known, now)
        unseen = [order for order in known if is_unseen(order, seen, now)]
        yield from self._send_again([order for order in unseen if self._is_wanted(order, now)])
        yield from self._give_up([order for order in unseen if not self._is_wanted(order, now)], now)

    def cancel(self, cancels: Sequence[Cancel], orders: Mapping[OrderId, Order]) -> Sequence[OrderEvent]:
        """Ask the venue to end these; what had filled before is told with it.

        Nothing is told of an order whose end the venue did not confirm: the next poll looks it up. What never
        left ends here.
        """
        now = self._clock.now()
        reasons = {cancel.order_id: cancel.reason for cancel in cancels}
        asked = [orders[name] for name in reasons if orders[name].status in ALIVE]
        events: list[OrderEvent] = [
            Denied(order_id=o.order_id, at=now, denial=Denial(code=reasons[o.order_id]))
            for o in asked
            if not sent(o)
        ]
        there = [order for order in asked if order.status is OrderStatus.OPEN]
        return [*events, *self._ended_there(there, reasons)] if there else events

    def _ended_there(self, orders: Sequence[Order], reasons: Mapping[OrderId, str]) -> list[OrderEvent]:
        """End these at the venue, each for its reason; where it has none, because its time is over."""
        names = [order.external_order_id or "" for order in orders]
        try:
            refused = self._venue.cancel(names)
            seen = self._look(orders)
        except VenueUnreachable:
            return []
        now = self._clock.now()
        events: list[OrderEvent] = []
        for order in orders:
            found = self._fate(order, seen, now)
            still = after(order, found) if found else order
            confirmed = order.external_order_id not in refused
            reason = reasons.get(order.order_id)
            end = (
                lapsed(order, now)
                if reason is None
                else Canceled(order_id=order.order_id, at=now, code=reason)
            )
            if confirmed and still.status is OrderStatus.OPEN and not is_owed(order, seen):
                found.append(end)
            elif confirmed or reason is not None:
                # What is canceled there already when we ask for that has ended as it should.
                found = [end if _as_asked(event, confirmed) else event for event in found]
            events += found
        return events

    def _end_overdue(self, orders: Sequence[Order], now: datetime) -> Iterator[Sequence[OrderEvent]]:
        """Cancel what rests past its time: a GTC has no end at the venue, and a GTD's is a minute late."""
        overdue = [order for order in orders if order.status is OrderStatus.OPEN and is_overdue(order, now)]
        if overdue:
            events = self._ended_there(overdue, {})
            if events:
                yield events

    def _send_again(self, orders: Sequence[Order]) -> Iterator[Sequence[OrderEvent]]:
        """The same bytes once more, for orders that were seen nowhere for long enough."""
        left = list(orders)
        while left:
            batch = self._next_batch(left)
            left = left[len(batch) :]
            if not self._gate.open():
                return
            # Written down before it leaves: this copy, too, may arrive long after its answer was given up.
            now = self._clock.now()
            yield [Sending(order_id=order.order_id, at=now) for order in batch]
            answers = self._venue.post([_signed(order) for order in batch])
            now = self._clock.now()
            events: list[OrderEvent] = []
            for order, answer in zip(batch, answers, strict=True):
                events += _heard_again(order, answer, now)
            self._learn(batch, answers)
            yield events
            yield from self._told(_filled_at_once(batch, answers, events))

    def _is_wanted(self, order: Order, now: datetime) -> bool:
        unwanted = is_overdue(order, now) or order.order_id in self._unwanted
        return not unwanted and order.signed is not None

    def _give_up(self, orders: Sequence[Order], now: datetime) -> Iterator[Sequence[OrderEvent]]:
        """End what must not be sent again and was not seen for so long that it cannot be under way any more.

        The venue is asked to cancel it first: whatever it may hold under that name ends, too.
        """
        lost = [order for order in orders if _is_lost(order, now)]
        if not lost:
            return
        self._venue.cancel([order.external_order_id or "" for order in lost])
        seen = self._look(lost)
        now = self._clock.now()
        events: list[OrderEvent] = []
        for order in lost:
            events += self._fate(order, seen, now) or [
                Rejected(order_id=order.order_id, at=now, code=NEVER_ARRIVED, reason=NOT_SEEN)
            ]
        yield events

    def _told(self, orders: Sequence[Order]) -> Iterator[Sequence[OrderEvent]]:
        """The fills of orders that were matched as they were placed, as far as they are to be seen."""
        if not orders:
            return
        try:
            seen = self._look(orders)
        except VenueUnreachable:
            return  # they landed, and that is written down: the next poll finds their fills
        now = self._clock.now()
        events = [event for order in orders for event in self._fate(order, seen, now)]
        if events:
            yield events

    def _fate(self, order: Order, seen: Seen, now: datetime) -> list[OrderEvent]:
        """What became of it, remembered: a second look in this pass tells none of it again."""
        booked = self._booked.setdefault(order.order_id, {})
        fees = self._markets[order.intent.market_id].fees
        events = fate(order, seen, booked, fees, now)
        for event in events:
            if isinstance(event, Filled):
                for fill in event.executions:
                    booked[fill.external_execution_id or ""] = (fill, ChainState.MATCHED)
            elif isinstance(event, Progressed):
                booked[event.external_execution_id] = (booked[event.external_execution_id][0], event.state)
        return events

    def _look(self, orders: Sequence[Order]) -> Seen:
        """Read what the venue shows of these orders; fills that cannot be theirs are left out."""
        since = min(order.created_at for order in orders) - LOOK_BACK
        open_orders = {found.external_order_id: found for found in self._venue.open_orders()}
        named = {order.external_order_id: order for order in orders}
        fills: dict[str, list[VenueFill]] = {}
        for fill in self._venue.fills(since=since):
            order = named.get(fill.external_order_id)
            if order is not None and fits(order, fill):
                fills.setdefault(fill.external_order_id, []).append(fill)
        seen = Seen(open=open_orders, fills=fills)
        asked = {name: self._venue.order(name) for name in unexplained(orders, seen)}
        return replace(seen, asked=asked)

    def _learn(self, batch: Sequence[Order], answers: Sequence[Answer]) -> None:
        for order, answer in zip(batch, answers, strict=True):
            if answer.external_order_id is not None:
                self._proven.add(self._domain(order))

    def _next_batch(self, orders: Sequence[Order]) -> Sequence[Order]:
        """The first of these that may go together."""
        batch: list[Order] = []
        for order in orders[:BATCH_ORDERS]:
            if self._domain(order) not in self._proven:
                return batch or [order]
            batch.append(order)
        return batch

    def _domain(self, order: Order) -> str:
        return self._signer.domain(self._markets[order.intent.market_id])


def _as_asked(event: OrderEvent, confirmed: bool) -> bool:
    """Whether an order ended because we asked for it: the venue says so, or was asked before."""
    return isinstance(event, Canceled) and (confirmed or event.code == CANCELED_AT_VENUE)


def _heard_again(order: Order, answer: Answer, now: datetime) -> Sequence[OrderEvent]:
    """What an answer to another copy says of the order; `order` is as it was before that copy left."""
    if answer.verdict is Verdict.SEEN_BEFORE:
        return [Accepted(order_id=order.order_id, at=now)]  # an earlier copy is there, or has been
    if answer.verdict in NO and not _is_lost(order, now):
        # Nothing is said of the earlier ones; the youngest that may be under way is one of them.
        assert order.sending_at is not None, "what is unconfirmed was sent"
        return [Sending(order_id=order.order_id, at=order.sending_at)]
    return heard(order, answer, now)


def _is_lost(order: Order, now: datetime) -> bool:
    return order.sending_at is not None and now - order.sending_at >= ARRIVAL_MAX


def _signed(order: Order) -> Signed:
    assert order.external_order_id is not None
    assert order.signed is not None
    return Signed(external_order_id=order.external_order_id, body=order.signed)


def _filled_at_once(
    batch: Sequence[Order], answers: Sequence[Answer], events: Sequence[OrderEvent]
) -> list[Order]:
    """Those that were matched as they landed, as they stand after these events."""
    accepted = {event.order_id: event for event in events if isinstance(event, Accepted)}
    return [
        after(order, [accepted[order.order_id]])
        for order, answer in zip(batch, answers, strict=True)
        if answer.matched and order.order_id in accepted
    ]
