"""A venue behind the port for the live executor's own tests: it does what it is told, and counts.

The whole suites run against the sandbox over sockets; here one answer at a time is looked at.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from betteroms.domain.errors import VenueUnreachable
from betteroms.domain.ids import TokenId
from betteroms.domain.intent import Intent
from betteroms.domain.market import Market
from betteroms.domain.money import Price, Size, proceeds
from betteroms.domain.order import ChainState, Order, OrderEvent, OrderStatus, after
from betteroms.domain.rounding import Rules
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Liquidity, Mode
from betteroms.executors.live import LiveExecutor
from betteroms.executors.live.fills import Booked
from betteroms.ports.trading import Answer, Signed, VenueFill, VenueOrder, Verdict
from tests.domain.examples import CRYPTO_FEES, MARKET_ID, NO, NOW, YES, a_market, an_order, price, size

LANDED = Answer(verdict=Verdict.LANDED)
DOMAIN = "0xe111"


@dataclass(slots=True)
class Hand:
    """A clock that moves when told."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Switch:
    """Open, until so many looks have been taken."""

    looks: int = 1_000

    def open(self) -> bool:
        self.looks -= 1
        return self.looks >= 0


class Pen:
    """Signs by writing the order's id down; markets in `other` are of another domain."""

    def __init__(self, other: Sequence[str] = ()) -> None:
        self._other = other

    def sign(self, order: Order, market: Market, *, tick: Price) -> Signed:
        return Signed(external_order_id=name_of(order), body=Secret(f"signed {order.order_id} {tick}"))

    def domain(self, market: Market) -> str:
        return "0xe222" if market.market_id in self._other else DOMAIN


def name_of(order: Order) -> str:
    return f"0x{order.order_id}"


@dataclass(slots=True)
class Stage:
    """What the venue shows and says. `answers` are taken one for each order, LANDED when they are used up."""

    answers: list[Answer] = field(default_factory=list)
    shown: dict[str, VenueOrder] = field(default_factory=dict)
    looked_up: dict[str, VenueOrder] = field(default_factory=dict)
    trades: list[VenueFill] = field(default_factory=list)
    not_canceled: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    at_cancel: Callable[[], None] = lambda: None
    posts: list[list[str]] = field(default_factory=list)
    canceled: list[list[str]] = field(default_factory=list)

    def post(self, orders: Sequence[Signed]) -> Sequence[Answer]:
        self.posts.append([order.external_order_id for order in orders])
        return [self._answer(order.external_order_id) for order in orders]

    def _answer(self, name: str) -> Answer:
        answer = self.answers.pop(0) if self.answers else LANDED
        if answer.verdict is Verdict.LANDED and answer.external_order_id is None:
            return replace(answer, external_order_id=name)
        return answer

    def cancel(self, names: Sequence[str]) -> Mapping[str, str]:
        self._speak()
        self.at_cancel()
        self.canceled.append(list(names))
        return self.not_canceled

    def order(self, name: str) -> VenueOrder | None:
        return self.looked_up.get(name)

    def open_orders(self) -> Sequence[VenueOrder]:
        self._speak()
        return list(self.shown.values())

    def fills(self, *, since: datetime) -> Sequence[VenueFill]:
        return [fill for fill in self.trades if fill.matched_at >= since]

    def _speak(self) -> None:
        if self.silent:
            raise VenueUnreachable("no answer")


def seen_open(order: Order, *, matched: str = "0", status: str = "LIVE") -> VenueOrder:
    return VenueOrder(
        external_order_id=name_of(order),
        token_id=TokenId(order.intent.token_id),
        open=status == "LIVE",
        status=status,
        matched=size(matched),
        created_at=NOW,
    )


def a_fill(
    order: Order,
    *,
    filled: str = "100",
    at: str = "0.50",
    name: str = "trade",
    state: ChainState = ChainState.MATCHED,
    liquidity: Liquidity = Liquidity.TAKER,
) -> VenueFill:
    return VenueFill(
        fill_id=name,
        external_order_id=name_of(order),
        market_id=order.intent.market_id,
        token_id=order.intent.token_id,
        side=order.intent.side,
        price=price(at),
        size=size(filled),
        dollars=proceeds(price(at), size(filled)),
        liquidity=liquidity,
        state=state,
        matched_at=NOW,
        transaction_hash="0xaa",
    )


def executor(stage: Stage, **changed: Any) -> LiveExecutor:
    rules = {token: Rules(tick_size=Price(10_000), minimum_size=Size(5_000_000)) for token in (YES, NO)}
    parts: dict[str, Any] = {
        "venue": stage,
        "signer": Pen(),
        "gate": Switch(),
        "clock": Hand(),
        "markets": {MARKET_ID: a_market(fees=CRYPTO_FEES)},
        "rules": rules,
        "booked": {},
        "proven": {DOMAIN},
    }
    return LiveExecutor(**parts | changed)


def live(wish: Intent | None = None, **changed: Any) -> Order:
    """An order of mode live that may have left: OPEN unless told otherwise, with its name and its bytes."""
    order = an_order(wish, mode=Mode.LIVE, sending_at=NOW, placed_at=NOW)
    order = replace(order, external_order_id=name_of(order), signed=Secret(f"signed {order.order_id}"))
    return replace(order, **changed)


def unconfirmed(wish: Intent | None = None, **changed: Any) -> Order:
    return live(wish, **{"status": OrderStatus.UNCONFIRMED, "placed_at": None, **changed})


def told(batches: Any) -> list[OrderEvent]:
    return [event for batch in batches for event in batch]


def walk(order: Order, events: Sequence[OrderEvent]) -> Order:
    """The order after those of the events that are its own; the table refuses what cannot be."""
    return after(order, [event for event in events if event.order_id == order.order_id])


def kinds(events: Sequence[OrderEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


def booked_of(order: Order, events: Sequence[OrderEvent], state: ChainState) -> dict[Any, Booked]:
    """The fills among the events, as a later run finds them in the ledger."""
    fills = [execution for event in events for execution in getattr(event, "executions", ())]
    return {order.order_id: {fill.external_execution_id or "": (fill, state) for fill in fills}}


LATE = timedelta(seconds=90)
