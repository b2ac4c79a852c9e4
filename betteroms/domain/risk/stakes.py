"""What is at stake by market, by event and by token, as the run's orders add to it."""

from collections.abc import Sequence

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.market import MINIMUM_SIZE_ASSUMED, Market
from betteroms.domain.money import Usdc
from betteroms.domain.risk.groups import AtStake, event_of, worst_case
from betteroms.domain.risk.history import Stake


def counts(stake: Stake) -> bool:
    """Whether it is an open position: enough of it to be sold, or more of it on order; dust is none."""
    minimum = MINIMUM_SIZE_ASSUMED if stake.minimum_size is None else stake.minimum_size
    return stake.bids > 0 or (stake.size > 0 and stake.size >= minimum)


class Stakes:
    """The stakes at the run's start and those its orders add; summed up when a cap first asks."""

    __slots__ = ("_added", "_events", "_found", "_markets", "_tokens")

    def __init__(self, stakes: Sequence[Stake]) -> None:
        self._found: Sequence[Stake] = stakes
        self._added: list[tuple[Market, TokenId, Usdc, Usdc]] = []
        self._markets: dict[MarketId, int] = {}
        self._tokens: set[TokenId] = set()
        self._events: dict[str, dict[MarketId, AtStake]] = {}

    def add(self, market: Market, token_id: TokenId, *, notional: Usdc, need: Usdc) -> None:
        """A BUY was taken on: it may cost `notional`, with its worst fee `need`."""
        self._added.append((market, token_id, notional, need))

    def market(self, market_id: MarketId) -> Usdc:
        """Dollars that the market's two outcomes cost, fees apart: what is held, and open buys."""
        self._sum_up()
        return Usdc(self._markets.get(market_id, 0))

    @property
    def markets(self) -> dict[MarketId, Usdc]:
        """The same for each market."""
        self._sum_up()
        return {market: Usdc(cost) for market, cost in self._markets.items()}

    def counted(self, token_id: TokenId) -> bool:
        """Whether the token is an open position."""
        self._sum_up()
        return token_id in self._tokens

    @property
    def positions(self) -> int:
        """How many positions are open."""
        self._sum_up()
        return len(self._tokens)

    @property
    def events(self) -> dict[str, Usdc]:
        """The worst case of each event, by its name."""
        self._sum_up()
        return {name: worst_case(markets.values()) for name, markets in self._events.items()}

    def worst_cases(self, market: Market, token_id: TokenId, need: Usdc) -> tuple[Usdc, Usdc]:
        """The worst case of the market's event as it is, and with a BUY of `need` dollars more."""
        self._sum_up()
        event = self._events.get(_event(market), {})
        mine = event.get(market.market_id, AtStake(group_id=market.group_id))
        changed = {**event, market.market_id: mine.with_bid(market.outcome_index(token_id), need)}
        return worst_case(event.values()), worst_case(changed.values())

    def _sum_up(self) -> None:
        for stake in self._found:
            self._markets[stake.market_id] = self._markets.get(stake.market_id, 0) + stake.cost + stake.bids
            if counts(stake):
                self._tokens.add(stake.token_id)
            name = event_of(stake.market_id, group_id=stake.group_id, event_slug=stake.event_slug)
            event = self._events.setdefault(name, {})
            mine = event.get(stake.market_id, AtStake(group_id=stake.group_id))
            event[stake.market_id] = mine.with_holding(
                stake.outcome_index, size=stake.size, cost=stake.cost + stake.fees
            ).with_bid(stake.outcome_index, stake.bids)
        for market, token_id, notional, need in self._added:
            self._markets[market.market_id] = self._markets.get(market.market_id, 0) + notional
            self._tokens.add(token_id)
            event = self._events.setdefault(_event(market), {})
            mine = event.get(market.market_id, AtStake(group_id=market.group_id))
            event[market.market_id] = mine.with_bid(market.outcome_index(token_id), need)
        self._found = ()
        self._added.clear()


def _event(market: Market) -> str:
    return event_of(market.market_id, group_id=market.group_id, event_slug=market.event_slug)
