"""Orders and fills of our wallet that the ledger does not know: found, told, and taken in when asked to.

Those of other keys are booked as they come: somebody trades by hand. Those of our own key say that the ledger
is behind (a second installation, a restored backup), which nobody but the operator can judge (DECISIONS 7.5).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from betteroms.domain.external import ExternalFill, placed_elsewhere
from betteroms.domain.fees import fee
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.market import Market
from betteroms.domain.money import Usdc, to_text
from betteroms.domain.order import ALIVE, Accepted, ChainState, Order, OrderEvent
from betteroms.domain.terms import Mode, Side
from betteroms.executors.live.fills import fits
from betteroms.jobs.desk import Desk, Member
from betteroms.ports import Ledger, Run
from betteroms.ports.trading import VenueFill, VenueOrder

LOOK_BACK: Final = timedelta(minutes=5)
"""The venue's clock and ours differ, and trades carry whole seconds: so much earlier do we begin to look."""
SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """What the ledger does not know: open orders and fills of our key, and fills of other keys.

    `late` are fills of orders of ours that have ended: the venue may show the end of an order before it shows
    its fills, and nobody asks for those of an order that is over. `misfits` are fills that the venue tells of
    an order of ours and that cannot be its own, in words: they are told, and never booked.
    """

    orders: Sequence[VenueOrder] = ()
    fills: Sequence[VenueFill] = ()
    elsewhere: Sequence[VenueFill] = ()
    late: Sequence[VenueFill] = ()
    misfits: Sequence[str] = ()

    @property
    def count(self) -> int:
        """How much of our own key is unknown."""
        return len(self.orders) + len(self.fills)

    def told(self) -> list[str]:
        """A line for each, of our own key."""
        lines = [f"order {order.external_order_id}, open{_terms(order)}" for order in self.orders]
        lines += [
            f"order {fill.external_order_id}: {fill.side} {to_text(fill.size)} for {to_text(fill.price)} each"
            for fill in self.fills
        ]
        more = len(lines) - SHOWN_MAX
        return lines[:SHOWN_MAX] + ([f"… and {more} more"] if more > 0 else [])


def _terms(order: VenueOrder) -> str:
    terms = order.terms
    return "" if terms is None else f": {terms.side} {to_text(terms.size)} at {to_text(terms.price)}"


def find(member: Member, ledger: Ledger, *, since: datetime) -> Strangers:
    """What of our wallet's open orders, and of its fills since then, the ledger does not know.

    Raises:
        VenueUnreachable: no usable answer.
    """
    open_orders = [order for order in member.venue.open_orders() if order.ours]
    fills = member.venue.fills(since=since - LOOK_BACK)
    alive = {order.external_order_id for order in open_orders}
    known = ledger.known_as(alive | {fill.external_order_id for fill in fills})
    odd = [(known[fill.external_order_id], fill) for fill in fills if fill.external_order_id in known]
    odd = [(order, fill) for order, fill in odd if not fits(order, fill)]
    unknown = [
        fill for fill in fills if fill.external_order_id not in known and fill.external_order_id not in alive
    ]
    return Strangers(
        orders=[order for order in open_orders if order.external_order_id not in known],
        fills=[fill for fill in unknown if fill.ours],
        elsewhere=[fill for fill in unknown if not fill.ours],
        late=_late(fills, known),
        misfits=[_misfit(order, fill) for order, fill in odd],
    )


def _misfit(order: Order, fill: VenueFill) -> str:
    wish = order.intent
    return (
        f"FILL_MISFIT: the venue tells of fill {fill.fill_id} of order {order.order_id}: {fill.side} "
        f"{to_text(fill.size)} of token {fill.token_id}, but the order is {wish.side} of {wish.token_id}; "
        "it is not booked"
    )


def _late(fills: Sequence[VenueFill], known: Mapping[str, Order]) -> list[VenueFill]:
    """Fills of orders that have ended, where they come to another size than those that are booked."""
    stands = [
        fill
        for fill in fills
        if fill.state is not ChainState.FAILED
        and fill.external_order_id in known
        and fits(known[fill.external_order_id], fill)
    ]
    sizes: dict[str, int] = {}
    for fill in stands:
        sizes[fill.external_order_id] = sizes.get(fill.external_order_id, 0) + fill.size
    ended = {name: order for name, order in known.items() if order.status not in ALIVE}
    odd = {name for name, order in ended.items() if sizes.get(name, 0) not in (0, order.filled_size)}
    return [fill for fill in stands if fill.external_order_id in odd]


def take_in(desk: Desk, run: Run, found: Strangers, *, adopt: bool) -> list[str]:
    """Book what is of other keys and, with `adopt`, what is of ours; what could not be booked, in words."""
    fills = [*found.elsewhere, *found.late, *(found.fills if adopt else ())]
    orders = found.orders if adopt else ()
    names = {fill.market_id for fill in fills}
    names |= {order.terms.market_id for order in orders if order.terms is not None}
    if not names:
        return []
    markets = {market.market_id: market for market in desk.catalog.markets(names).values()}
    problems: list[str] = []
    external = list(_external(fills, markets, run.mode, problems))
    if external:
        desk.ledger.note(external)
    adopted = list(_adopted(orders, markets, run, desk.clock.now(), problems))
    if adopted:
        desk.ledger.record(adopted, [], sends_out=True)
        events: list[OrderEvent] = [
            Accepted(order_id=order.order_id, at=order.sending_at or run.now) for order in adopted
        ]
        desk.ledger.apply(events, sends_out=True)
    return problems


def _external(
    fills: Iterable[VenueFill], markets: Mapping[MarketId, Market], mode: Mode, problems: list[str]
) -> Iterable[ExternalFill]:
    for fill in fills:
        market = markets.get(fill.market_id)
        if market is None:
            problems.append(
                f"a fill of order {fill.external_order_id} is of an unknown market {fill.market_id}"
            )
            continue
        if not _has(market, fill.token_id):
            problems.append(
                f"a fill of order {fill.external_order_id} is of token {fill.token_id}, "
                f"which {market.name} does not have"
            )
            continue
        index = market.outcome_index(fill.token_id)
        yield ExternalFill(
            mode=mode,
            external_order_id=fill.external_order_id,
            external_execution_id=fill.fill_id,
            market_id=market.market_id,
            token_id=fill.token_id,
            outcome=market.outcomes[index].label,
            outcome_index=index,
            side=fill.side,
            price=fill.price,
            size=fill.size,
            cash=Usdc(-fill.dollars if fill.side is Side.BUY else fill.dollars),
            fee=fee(market.fees, price=fill.price, size=fill.size, liquidity=fill.liquidity),
            liquidity=fill.liquidity,
            executed_at=fill.matched_at,
            state=fill.state,
            transaction_hash=fill.transaction_hash,
        )


def _adopted(
    orders: Collection[VenueOrder],
    markets: Mapping[MarketId, Market],
    run: Run,
    now: datetime,
    problems: list[str],
) -> Iterable[Order]:
    for order in orders:
        terms = order.terms
        market = None if terms is None else markets.get(terms.market_id)
        if terms is None or market is None:
            problems.append(f"open order {order.external_order_id} is of an unknown market")
            continue
        if not _has(market, order.token_id):
            problems.append(
                f"open order {order.external_order_id} is of token {order.token_id}, "
                f"which {market.name} does not have"
            )
            continue
        index = market.outcome_index(order.token_id)
        # From now on it is tracked as one of ours.
        yield placed_elsewhere(
            mode=run.mode,
            run_id=run.run_id,
            external_order_id=order.external_order_id,
            market_id=market.market_id,
            token_id=order.token_id,
            outcome=market.outcomes[index].label,
            outcome_index=index,
            side=terms.side,
            size=terms.size,
            price=terms.price,
            created_at=order.created_at or now,
            expires_at=terms.expires_at,
            sending_at=now,
        )


def _has(market: Market, token_id: TokenId) -> bool:
    return any(outcome.token_id == token_id for outcome in market.outcomes)
