"""What an answer to a posted order means for the order: a table, and nothing else.

Source: VENUE 10.2. Silence is an answer of its own: it never becomes a refusal.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from betteroms.domain.order import Accepted, Canceled, Order, OrderEvent, Rejected, Unconfirmed
from betteroms.ports.trading import Answer, Verdict

REFUSED_CODE: Final = "VENUE_REFUSED"
"""The code of a refusal that the adapter has no better word for."""
SEEN_BEFORE: Final = "the venue has seen these bytes before; what became of them is being looked up"


class OrderIdMismatch(AssertionError):
    """The venue gave an order another name than its hash: what we compute is not what it computes."""


def heard(order: Order, answer: Answer, at: datetime) -> Sequence[OrderEvent]:
    """The events that the answer makes of the order, which was marked as being sent.

    Raises:
        OrderIdMismatch: it landed under another name than the one we computed.
    """
    if answer.external_order_id not in (None, order.external_order_id):
        raise OrderIdMismatch(
            f"order {order.order_id} was sent as {order.external_order_id}, "
            f"and the venue calls it {answer.external_order_id}"
        )
    return _MEANING[answer.verdict](order, answer, at)


def _landed(order: Order, _: Answer, at: datetime) -> list[OrderEvent]:
    return [Accepted(order_id=order.order_id, at=at)]


def _killed(order: Order, answer: Answer, at: datetime) -> list[OrderEvent]:
    # As on paper: taken on and ended at once (DECISIONS 4.3).
    return [*_landed(order, answer, at), Canceled(order_id=order.order_id, at=at, code=answer.code)]


def _refused(order: Order, answer: Answer, at: datetime) -> list[OrderEvent]:
    code = answer.code or REFUSED_CODE
    return [Rejected(order_id=order.order_id, at=at, code=code, reason=answer.reason)]


def _unknown(order: Order, answer: Answer, at: datetime) -> list[OrderEvent]:
    return [Unconfirmed(order_id=order.order_id, at=at, reason=answer.reason)]


def _seen_before(order: Order, _: Answer, at: datetime) -> list[OrderEvent]:
    return [Unconfirmed(order_id=order.order_id, at=at, reason=SEEN_BEFORE)]


_MEANING: Final[dict[Verdict, Callable[[Order, Answer, datetime], list[OrderEvent]]]] = {
    Verdict.LANDED: _landed,
    Verdict.KILLED: _killed,
    Verdict.REFUSED: _refused,
    Verdict.TURNED_AWAY: _refused,  # its bytes left the process, so they are not judged and signed anew
    Verdict.SEEN_BEFORE: _seen_before,
    Verdict.UNKNOWN: _unknown,
}
