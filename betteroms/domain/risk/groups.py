"""The worst case of an event: what may be lost at most, whichever of its outcomes comes true.

An open buy may fill or not, and here it does what is worse: it costs its limit where its token loses, and
brings nothing where it wins. Markets of an exclusive group share one winner at most; other markets of the
event each have their own, and their worst cases add.
"""

from collections.abc import Iterable
from typing import NamedTuple

from betteroms.domain.ids import MarketId
from betteroms.domain.money import Usdc


class AtStake(NamedTuple):
    """One market's part: what was paid, and by outcome the shares held and what open buys may cost."""

    group_id: str | None = None
    cost: int = 0
    sizes: tuple[int, int] = (0, 0)
    bids: tuple[int, int] = (0, 0)

    def with_holding(self, outcome_index: int, *, size: int, cost: int) -> "AtStake":
        """The same with shares of one outcome more."""
        return self._replace(cost=self.cost + cost, sizes=_added(self.sizes, outcome_index, size))

    def with_bid(self, outcome_index: int, cost: int) -> "AtStake":
        """The same with an open buy more, that may cost so much."""
        return self._replace(bids=_added(self.bids, outcome_index, cost))


def _added(pair: tuple[int, int], index: int, amount: int) -> tuple[int, int]:
    return (pair[0], pair[1] + amount) if index else (pair[0] + amount, pair[1])


def event_of(market_id: MarketId, *, group_id: str | None, event_slug: str | None) -> str:
    """The name of a market's event; a market that belongs to none is its own."""
    return event_slug or group_id or market_id


def worst_case(markets: Iterable[AtStake]) -> Usdc:
    """Dollars lost at worst in one event, in millionths; below zero where something is gained for certain."""
    total = 0
    groups: dict[str, list[AtStake]] = {}
    for market in markets:
        if market.group_id is None:
            total += _worst_of_market(market)
        else:
            groups.setdefault(market.group_id, []).append(market)
    return Usdc(total + sum(map(_worst_of_group, groups.values())))


def _worst_of_market(market: AtStake) -> int:
    first_wins = market.bids[1] - market.sizes[0]
    second_wins = market.bids[0] - market.sizes[1]
    return market.cost + max(first_wins, second_wins)


def _worst_of_group(markets: Iterable[AtStake]) -> int:
    # Where none of these wins, every second outcome pays: the winner may be a market we have no part in.
    # A winner changes only its own market against that, so that the worst winner is found in one pass.
    none_wins, worst_winner = 0, 0
    for market in markets:
        none_wins += market.cost - market.sizes[1] + market.bids[0]
        wins_instead = market.sizes[1] + market.bids[1] - market.sizes[0] - market.bids[0]
        worst_winner = max(worst_winner, wins_instead)
    return none_wins + worst_winner
