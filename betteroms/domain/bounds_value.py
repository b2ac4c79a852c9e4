"""What the other two answers about resting orders are worth in dollars (DECISIONS 4.4).

An order that would have filled further, or less far, than it did in the base would have left other shares
and other cash behind. The difference, at what a share is worth now, is

    (bound filled - base filled) * (worth - limit) for a BUY, and the opposite for a SELL:

makers fill at their own limit and pay no fee. Sums of it are kept per token, exactly, so that a million
orders come down to one `Tilt` for each token; only the sum of a token is rounded, against us.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from betteroms.domain.bounds import FillBounds
from betteroms.domain.fact import fact
from betteroms.domain.ids import TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order
from betteroms.domain.terms import Side

SCALE: Final = 2_000_000
"""A worth is doubled, so that a mid stays whole; shares and prices are in millionths."""


@fact
class Tilt:
    """By how much the bounds differ from the base over some orders of one token.

    `pessimistic` and `optimistic` are signed shares, in millionths, that would be held besides;
    `pessimistic_paid` and `optimistic_paid` what they would have cost: millionths of shares times millionths
    of dollars, unrounded.
    """

    token_id: TokenId
    pessimistic: int = 0
    pessimistic_paid: int = 0
    optimistic: int = 0
    optimistic_paid: int = 0

    def __add__(self, other: "Tilt") -> "Tilt":
        assert self.token_id == other.token_id, "sums are kept by token"
        return Tilt(
            token_id=self.token_id,
            pessimistic=self.pessimistic + other.pessimistic,
            pessimistic_paid=self.pessimistic_paid + other.pessimistic_paid,
            optimistic=self.optimistic + other.optimistic,
            optimistic_paid=self.optimistic_paid + other.optimistic_paid,
        )

    def __neg__(self) -> "Tilt":
        return Tilt(
            token_id=self.token_id,
            pessimistic=-self.pessimistic,
            pessimistic_paid=-self.pessimistic_paid,
            optimistic=-self.optimistic,
            optimistic_paid=-self.optimistic_paid,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedGain:
    """Profit and loss under the three answers, in millionths of a dollar.

    `unknown` are the tokens for which nobody knows what a share is worth: they count with nothing.
    """

    base: Usdc
    pessimistic: Usdc
    optimistic: Usdc
    unknown: tuple[TokenId, ...] = ()


NOTHING_ADDED: Final = BoundedGain(base=Usdc(0), pessimistic=Usdc(0), optimistic=Usdc(0))


def tilt(order: Order, bounds: FillBounds) -> Tilt:
    """What one order adds to its token's sums."""
    limit = 0 if order.limit_price is None else order.limit_price
    sign = 1 if order.intent.side is Side.BUY else -1
    less = sign * (bounds.pessimistic - order.filled_size)
    more = sign * (bounds.optimistic - order.filled_size)
    return Tilt(
        token_id=order.intent.token_id,
        pessimistic=less,
        pessimistic_paid=less * limit,
        optimistic=more,
        optimistic_paid=more * limit,
    )


def summed(tilts: Iterable[Tilt]) -> dict[TokenId, Tilt]:
    """One sum for each token."""
    found: dict[TokenId, Tilt] = {}
    for one in tilts:
        known = found.get(one.token_id)
        found[one.token_id] = one if known is None else known + one
    return found


def gain(base: Usdc, tilts: Iterable[Tilt], worths: Mapping[TokenId, int]) -> BoundedGain:
    """The base's profit and loss as it would be under the bounds.

    `worths` are twice the dollars that a share of each token is worth, in millionths: its mark, or its payout
    once it was paid. Each token's difference is rounded down.
    """
    pessimistic = optimistic = int(base)
    unknown = []
    for token, one in sorted(summed(tilts).items()):
        worth = worths.get(token)
        if worth is None:
            if one.pessimistic or one.optimistic:
                unknown.append(token)
            continue
        pessimistic += (one.pessimistic * worth - 2 * one.pessimistic_paid) // SCALE
        optimistic += (one.optimistic * worth - 2 * one.optimistic_paid) // SCALE
    return BoundedGain(
        base=base,
        pessimistic=Usdc(pessimistic),
        optimistic=Usdc(optimistic),
        unknown=tuple(unknown),
    )


def elsewhere(tilts: Iterable[Tilt], worths: Mapping[TokenId, int]) -> BoundedGain:
    """What tokens that a run does not look at add to it: one sum, whichever they are."""
    return replace(gain(Usdc(0), tilts, worths), unknown=())
