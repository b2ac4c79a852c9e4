"""Walk one side of a book for one order: which levels it takes, at what price, how much of each.

Plain numbers throughout: this loop runs a hundred thousand times a run. Walking takes nothing;
`take` does, once the caller knows that the order may have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from betteroms.domain.book import Book, Level
from betteroms.domain.liquidity import level_key
from betteroms.domain.money import MICROS, Price
from betteroms.domain.terms import Side

DUST_PER_LEVEL: Final = 2
"""Millionths of a dollar that rounding may leave unspent at each level taken (DECISIONS 2.2)."""


class Bite(NamedTuple):
    """A piece of one level: its key in the liquidity memory, the price paid, the shares."""

    key: int
    price: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What an order would take. `complete` says that it would be wholly filled."""

    bites: Sequence[Bite]
    complete: bool


class Depth:
    """One side of one book, best first, less what the liquidity memory says is taken.

    `taken` is the market's live memory, shared with every other depth of that market, so that both
    sides of the question draw on one and the same liquidity. `fraction` is the share of each level
    that may be ours, in millionths.
    """

    __slots__ = ("_caps", "_first", "_keys", "_prices", "_taken", "buying")

    def __init__(
        self, book: Book, side: Side, *, outcome_index: int, taken: dict[int, int], fraction: int
    ) -> None:
        levels: tuple[Level, ...] = book.asks if side is Side.BUY else book.bids
        self.buying = side is Side.BUY
        self._prices = [int(level.price) for level in levels]
        self._keys = [int(level_key(level.price, outcome_index)) for level in levels]
        self._caps = [level.size * fraction // MICROS for level in levels]
        self._taken = taken
        self._first = 0

    def walk_shares(self, *, limit: Price, size: int, slippage: int = 0, at_limit: bool = False) -> Walk:
        """Walk for a number of shares, up to `limit` and never through it.

        `slippage` (millionths of a dollar) moves each fill against us, stopping at the limit;
        `at_limit` fills at the limit itself, as a resting order does.
        """
        bites: list[Bite] = []
        wanted = size
        keys, caps, taken = self._keys, self._caps, self._taken
        for index in range(self._unspent(), len(keys)):
            price = self._prices[index]
            if price > limit if self.buying else price < limit:
                break
            available = caps[index] - taken.get(keys[index], 0)
            if available <= 0:
                continue
            bite = min(available, wanted)
            paid = int(limit) if at_limit else self._worsened(price, slippage, limit)
            bites.append(Bite(keys[index], paid, bite))
            wanted -= bite
            if wanted == 0:
                break
        return Walk(bites=bites, complete=wanted == 0)

    def walk_dollars(self, *, limit: Price, dollars: int, slippage: int = 0) -> Walk:
        """Walk for an amount of dollars: per level shares floored to the millionth, cash rounded up.

        Complete when the dollars ran out rather than the depth; at most `DUST_PER_LEVEL` for each
        level taken may stay unspent.
        """
        bites: list[Bite] = []
        left = dollars
        keys, caps, taken = self._keys, self._caps, self._taken
        for index in range(self._unspent(), len(keys)):
            price = self._prices[index]
            if price > limit:
                break
            available = caps[index] - taken.get(keys[index], 0)
            if available <= 0:
                continue
            paid = self._worsened(price, slippage, limit)
            affordable = left * MICROS // paid
            if affordable == 0:
                return Walk(bites=bites, complete=True)
            bite = min(available, affordable)
            bites.append(Bite(keys[index], paid, bite))
            left -= -(-paid * bite // MICROS)
            if bite == affordable:
                return Walk(bites=bites, complete=True)
        return Walk(bites=bites, complete=bool(bites) and left <= DUST_PER_LEVEL * len(bites))

    def crosses(self, limit: Price) -> bool:
        """Whether an order at `limit` would meet anything displayed, ours for the taking or not."""
        if not self._prices:
            return False
        best = self._prices[0]
        return best <= limit if self.buying else best >= limit

    def take(self, walk: Walk) -> None:
        """Count what the walk found as taken."""
        taken = self._taken
        for bite in walk.bites:
            taken[bite.key] = taken.get(bite.key, 0) + bite.size

    def _unspent(self) -> int:
        # Levels are used up from the best one on and never come back within a run, so the next walk
        # need not look at them again: without this a deep queue of orders would cost its square.
        first = self._first
        while first < len(self._keys) and self._caps[first] <= self._taken.get(self._keys[first], 0):
            first += 1
        self._first = first
        return first

    def _worsened(self, price: int, slippage: int, limit: Price) -> int:
        if not slippage:
            return price
        return min(price + slippage, int(limit)) if self.buying else max(price - slippage, int(limit))
