"""What a match does on the chain, as the contract reckons: everybody's balances, the fees, the events.

A resting SELL gives its fill in shares and gets dollars, rounded down; a resting BUY gives its fill in
dollars and gets shares, rounded down. The taker's part is the rest: what the makers of its own token give,
and for makers of the other token what the full sets cost (minted) or bring (merged) beyond the makers' part.
A BUY's fee comes on top, a SELL's is kept from what it gets.

Source: venue/matches_on_chain.json, whose rows are given back exactly.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import FEE_RECEIVER

Deltas = dict[tuple[str, str | None], int]


class Leg(NamedTuple):
    """One order in a match. `wallet` in lower case; amounts are the signed ones."""

    order_id: str
    wallet: str
    token_id: str
    side: Side
    maker_amount: int
    taker_amount: int
    fee: int = 0


class Part(NamedTuple):
    """What an order gave and what it got, fee apart."""

    leg: Leg
    making: int
    taking: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """`making` is what the order gave and `taking` what it got, fee apart. `taker` is the other wallet, or
    None for the taker's own event, where the contract names itself."""

    leg: Leg
    taker: str | None
    making: int
    taking: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeCharged:
    receiver: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersMatched:
    leg: Leg
    making: int
    taking: int


ChainEvent = OrderFilled | FeeCharged | OrdersMatched


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """`deltas` by (wallet, token or None for pUSD). `minted` is how many full sets came to be; below zero:
    were merged. The last of the `parts` is the taker's."""

    deltas: Deltas
    minted: int
    parts: tuple[Part, ...]

    @property
    def events(self) -> tuple[ChainEvent, ...]:
        """In the contract's order."""
        *makers, (taker, making, taking) = self.parts
        events: list[ChainEvent] = []
        for part in makers:
            events += _charged(part.leg)
            events.append(
                OrderFilled(leg=part.leg, taker=taker.wallet, making=part.making, taking=part.taking)
            )
        events += _charged(taker)
        events.append(OrderFilled(leg=taker, taker=None, making=making, taking=taking))
        events.append(OrdersMatched(leg=taker, making=making, taking=taking))
        return tuple(events)


def taken(leg: Leg, making: int) -> int:
    """What an order gets for giving that much."""
    return making * leg.taker_amount // leg.maker_amount


def settle(taker: Leg, makers: Sequence[tuple[Leg, int]]) -> Settlement:
    """Each maker comes with how much of its makerAmount is filled."""
    parts: list[Part] = []
    shares = dollars = minted = 0
    for leg, making in makers:
        taking = taken(leg, making)
        parts.append(Part(leg, making, taking))
        part, paid = (making, taking) if leg.side is Side.SELL else (taking, making)
        shares += part
        if leg.token_id == taker.token_id:
            dollars += paid
        else:
            dollars += part - paid
            minted += part if leg.side is Side.BUY else -part
    parts.append(Part(taker, dollars, shares) if taker.side is Side.BUY else Part(taker, shares, dollars))
    return Settlement(deltas=_deltas(parts), minted=minted, parts=tuple(parts))


def _charged(leg: Leg) -> list[ChainEvent]:
    return [FeeCharged(receiver=FEE_RECEIVER, amount=leg.fee)] if leg.fee else []


def _deltas(parts: Sequence[Part]) -> Deltas:
    deltas: Deltas = defaultdict(int)
    for leg, making, taking in parts:
        dollars, shares = (-making, taking) if leg.side is Side.BUY else (taking, -making)
        deltas[leg.wallet, None] += dollars - leg.fee
        deltas[leg.wallet, leg.token_id] += shares
        if leg.fee:
            deltas[FEE_RECEIVER, None] += leg.fee
    return {key: delta for key, delta in deltas.items() if delta}
