"""A wish taken on: its life as a table of events and statuses."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from betteroms.domain.execution import Execution
from betteroms.domain.fact import fact
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId
from betteroms.domain.intent import Intent
from betteroms.domain.money import MICROS, Price, Size, Usdc
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Amount, Dollars, Mode, Shares, Side


class OrderStatus(StrEnum):
    NEW = "NEW"
    DENIED = "DENIED"
    REJECTED = "REJECTED"
    UNCONFIRMED = "UNCONFIRMED"
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


ALIVE: Final = frozenset({OrderStatus.NEW, OrderStatus.UNCONFIRMED, OrderStatus.OPEN})
"""What still reserves cash or shares."""


@fact
class Denial:
    """Why we refused: a code that stays the same for years, and its numbers."""

    code: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


@fact
class Adjustment:
    """Something we changed about, or assumed for, a wish; always reported."""

    code: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


@fact
class Order:
    """A wish taken on.

    `amount` and `limit_price` are as sent, after rounding; None where the wish was refused before they
    were known. `filled_size` is shares; `filled_cash` is dollars that changed hands for them, fee apart;
    `fills` counts the executions.
    `exempt` records that the order only reduces risk, so that caps did not apply. `sending_at` is when it
    was marked as about to leave the process: without it, it provably never did. `external_order_id` is the
    name the venue knows it by, fixed before it is sent; `signed` are the bytes that are sent, and may be sent
    again: a signed order is money, so it is forgotten once the order has ended.
    """

    order_id: OrderId
    intent: Intent
    mode: Mode
    run_id: RunId
    created_at: datetime
    status: OrderStatus
    amount: Amount | None
    limit_price: Price | None
    expires_at: datetime | None
    code: str | None = None
    reason: str | None = None
    filled_size: Size = Size(0)
    filled_cash: Usdc = Usdc(0)
    fills: int = 0
    adjustments: tuple[Adjustment, ...] = ()
    exempt: bool = False
    placed_at: datetime | None = None
    sending_at: datetime | None = None
    external_order_id: str | None = None
    signed: Secret | None = None

    @property
    def remaining(self) -> Size:
        """Shares still wanted by a share-sized order; 0 for a dollar-sized one, which never rests."""
        if isinstance(self.amount, Shares):
            return Size(max(self.amount.size - self.filled_size, 0))
        return Size(0)


@fact
class Denied:
    order_id: OrderId
    at: datetime
    denial: Denial


@fact
class Unconfirmed:
    order_id: OrderId
    at: datetime
    reason: str


@fact
class Sending:
    """The order is about to leave the process, for the first time or once more: it may arrive from now on."""

    order_id: OrderId
    at: datetime


@fact
class Accepted:
    order_id: OrderId
    at: datetime


@fact
class Rejected:
    order_id: OrderId
    at: datetime
    code: str
    reason: str = ""


@fact
class TakenLevel:
    """What a fill took from a displayed level; `price` is as seen from the market's first outcome."""

    price: Price
    size: Size


@fact
class Filled:
    """One act of matching: its executions, and what they took from which book.

    `complete` says that nothing of the order is left to fill.
    """

    order_id: OrderId
    at: datetime
    market_id: MarketId
    executions: tuple[Execution, ...]
    taken: tuple[TakenLevel, ...] = ()
    book_id: BookId | None = None
    complete: bool = False


@fact
class CancelRequested:
    order_id: OrderId
    at: datetime
    reason: str


@fact
class Canceled:
    order_id: OrderId
    at: datetime
    code: str


@fact
class Expired:
    order_id: OrderId
    at: datetime


@fact
class Reversed:
    """A matched fill that failed at the venue: its executions carry the opposite signs."""

    order_id: OrderId
    at: datetime
    executions: tuple[Execution, ...]


class ChainState(StrEnum):
    """How far the venue's match has come on the chain; FAILED and CONFIRMED are final. Source: VENUE 3.5."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    RETRYING = "RETRYING"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        return self is ChainState.CONFIRMED or self is ChainState.FAILED


@fact
class Progressed:
    """The settlement of a fill went on; `external_execution_id` names it within its order."""

    order_id: OrderId
    at: datetime
    external_execution_id: str
    state: ChainState
    transaction_hash: str | None = None


OrderEvent = (
    Denied
    | Sending
    | Unconfirmed
    | Accepted
    | Rejected
    | Filled
    | CancelRequested
    | Canceled
    | Expired
    | Reversed
    | Progressed
)
_S = OrderStatus
NEXT_STATUS: Final[dict[tuple[OrderStatus, type], OrderStatus]] = {
    (_S.NEW, Denied): _S.DENIED,
    (_S.NEW, Sending): _S.NEW,
    (_S.NEW, CancelRequested): _S.NEW,
    (_S.NEW, Unconfirmed): _S.UNCONFIRMED,
    (_S.NEW, Accepted): _S.OPEN,
    (_S.NEW, Rejected): _S.REJECTED,
    (_S.UNCONFIRMED, Sending): _S.UNCONFIRMED,  # the same bytes once more
    (_S.UNCONFIRMED, Unconfirmed): _S.UNCONFIRMED,
    (_S.UNCONFIRMED, Accepted): _S.OPEN,
    (_S.UNCONFIRMED, Rejected): _S.REJECTED,
    (_S.UNCONFIRMED, CancelRequested): _S.UNCONFIRMED,
    (_S.OPEN, Filled): _S.OPEN,  # or FILLED, when the event says that nothing is left
    (_S.OPEN, CancelRequested): _S.OPEN,
    (_S.OPEN, Canceled): _S.CANCELED,
    (_S.OPEN, Expired): _S.EXPIRED,
    (_S.OPEN, Reversed): _S.OPEN,
    (_S.OPEN, Progressed): _S.OPEN,
    (_S.FILLED, Filled): _S.FILLED,  # the venue may overfill by the drift
    (_S.FILLED, CancelRequested): _S.FILLED,  # we asked before we knew
    (_S.FILLED, Reversed): _S.FILLED,
    (_S.FILLED, Progressed): _S.FILLED,
    (_S.CANCELED, Filled): _S.CANCELED,  # the fill raced the cancel and won
    (_S.CANCELED, Reversed): _S.CANCELED,
    (_S.CANCELED, Progressed): _S.CANCELED,
    (_S.CANCELED, CancelRequested): _S.CANCELED,
    (_S.EXPIRED, Filled): _S.EXPIRED,  # matched in the second it expired
    (_S.EXPIRED, Reversed): _S.EXPIRED,
    (_S.EXPIRED, Progressed): _S.EXPIRED,
    (_S.EXPIRED, CancelRequested): _S.EXPIRED,
    (_S.REJECTED, Filled): _S.REJECTED,  # written off as never arrived, and it had
    (_S.REJECTED, Reversed): _S.REJECTED,
    (_S.REJECTED, Progressed): _S.REJECTED,
}


class ImpossibleTransition(AssertionError):
    """An event that the order's status does not allow: a bug of ours."""


def after(order: Order, events: Sequence[OrderEvent]) -> Order:
    """The order after these events, in their order.

    Raises:
        ImpossibleTransition: an event is not in `NEXT_STATUS` for the status it meets.
    """
    status, code, reason = order.status, order.code, order.reason
    filled_size, filled_cash, fills = int(order.filled_size), int(order.filled_cash), order.fills
    placed_at, sending_at = order.placed_at, order.sending_at
    for event in events:
        try:
            status = NEXT_STATUS[status, type(event)]
        except KeyError:
            raise ImpossibleTransition(f"{order.order_id}: {status} cannot meet {event}") from None
        if isinstance(event, Filled | Reversed):
            sign = 1 if isinstance(event, Filled) else -1
            fills += len(event.executions)
            for execution in event.executions:
                filled_size += sign * abs(execution.size)
                filled_cash += sign * abs(execution.cash)
            if isinstance(event, Filled) and event.complete and status is OrderStatus.OPEN:
                status = OrderStatus.FILLED
        elif isinstance(event, Accepted):
            placed_at = event.at
        elif isinstance(event, Sending):
            sending_at = event.at
        elif isinstance(event, Denied):
            code, reason = event.denial.code, event.denial.detail
        elif isinstance(event, Rejected):
            code, reason = event.code, event.reason
        elif isinstance(event, Canceled):
            code = event.code
        elif isinstance(event, Unconfirmed):
            reason = event.reason
    return Order(
        order_id=order.order_id,
        intent=order.intent,
        mode=order.mode,
        run_id=order.run_id,
        created_at=order.created_at,
        status=status,
        amount=order.amount,
        limit_price=order.limit_price,
        expires_at=order.expires_at,
        code=code,
        reason=reason,
        filled_size=Size(filled_size),
        filled_cash=Usdc(filled_cash),
        fills=fills,
        adjustments=order.adjustments,
        exempt=order.exempt,
        placed_at=placed_at,
        sending_at=sending_at,
        external_order_id=order.external_order_id,
        signed=order.signed if status in ALIVE else None,
    )


def reserved_cash(order: Order) -> Usdc:
    """Dollars an alive BUY may still spend at its limit, fee apart, rounded up; 0 for a SELL."""
    return unspent(order) if order.status in ALIVE else Usdc(0)


def unspent(order: Order) -> Usdc:
    """Dollars of a BUY that its fills did not need, at its limit, fee apart, rounded up; 0 for a SELL."""
    if order.intent.side is not Side.BUY or order.limit_price is None:
        return Usdc(0)
    if isinstance(order.amount, Dollars):
        return Usdc(max(order.amount.usdc - order.filled_cash, 0))
    return Usdc(-(-order.limit_price * order.remaining // MICROS))


def reserved_shares(order: Order) -> Size:
    """Shares an alive SELL may still deliver; 0 for a BUY."""
    return undelivered(order) if order.status in ALIVE else Size(0)


def undelivered(order: Order) -> Size:
    """Shares of a SELL that were not sold; 0 for a BUY."""
    return order.remaining if order.intent.side is Side.SELL else Size(0)


def placed_first(order: Order) -> tuple[bool, datetime, bool, int, str]:
    """Sorts orders by the time they were placed, not yet placed ones last; then by line."""
    at, line = order.placed_at or order.created_at, order.intent.line
    return (order.placed_at is None, at, line is None, line or 0, order.order_id)
