"""What wallets hold and what it cost them, by settled trades and by what else they did on the chain.

This is the Data API's knowledge: what is matched and not yet mined is not in it. Amounts in millionths.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from betteroms.domain.terms import Side
from betteroms.sandbox.activity import Activity, ActivityKind
from betteroms.sandbox.model import MICROS, Market, Trade, TradeStatus
from betteroms.sandbox.world import World

SETTLED: Final = frozenset((TradeStatus.MINED, TradeStatus.CONFIRMED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One wallet's part in one trade. `part` is 0 for the taker, and from 1 for the makers in their order."""

    trade: Trade
    part: int
    wallet: str
    market: Market
    outcome: int
    side: Side
    shares: int
    dollars: int
    fee: int

    @property
    def at_ms(self) -> int:
        """When it was matched; the block with it comes some seconds later."""
        return self.trade.matched_ms

    @property
    def is_taker(self) -> bool:
        return self.part == 0


@dataclass(slots=True, kw_only=True)
class Holding:
    """One wallet's history in one token. `size` is what the history makes it hold.

    `cost` is what the shares that are held cost, without fees; `paid` what all that were ever got cost; `got`
    how many those were; `fees` what was charged for getting them.
    """

    wallet: str
    market: Market
    outcome: int
    size: int = 0
    cost: int = 0
    got: int = 0
    paid: int = 0
    fees: int = 0
    realized: int = 0
    first_ms: int = 0
    last_ms: int = 0

    @property
    def token_id(self) -> str:
        return self.market.token_ids[self.outcome]

    def gain(self, shares: int, dollars: int, fee: int, at_ms: int) -> None:
        self._touch(at_ms)
        self.size += shares
        self.got += shares
        self.cost += dollars
        self.paid += dollars
        self.fees += fee

    def lose(self, shares: int, dollars: int, at_ms: int) -> None:
        """Shares went for dollars. Their part of the cost is rounded down: the last share takes the rest."""
        self._touch(at_ms)
        # Shares that came from elsewhere are in no history, and cost nothing.
        known = min(shares, self.size)
        part = self.cost * known // self.size if known else 0
        self.size -= known
        self.cost -= part
        self.realized += dollars - part

    def _touch(self, at_ms: int) -> None:
        self.first_ms = self.first_ms or at_ms
        self.last_ms = max(self.last_ms, at_ms)


def fills_of(trades: Iterable[Trade]) -> Iterator[Fill]:
    """Everybody's part in the trades that are settled."""
    for trade in trades:
        if trade.status not in SETTLED:
            continue
        taker = trade.taker
        yield Fill(
            trade=trade,
            part=0,
            wallet=taker.maker,
            market=taker.market,
            outcome=taker.outcome,
            side=taker.side,
            shares=trade.shares,
            dollars=trade.dollars,
            fee=trade.fee,
        )
        for part, fill in enumerate(trade.fills, start=1):
            yield Fill(
                trade=trade,
                part=part,
                wallet=fill.order.maker,
                market=fill.order.market,
                outcome=fill.order.outcome,
                side=fill.order.side,
                shares=fill.shares,
                dollars=fill.dollars,
                fee=fill.fee,
            )


def fills_for(world: World, wallet: str) -> list[Fill]:
    """The wallet's own parts in settled trades, oldest first."""
    return [fill for fill in fills_of(world.exchange.trades_of(maker=wallet)) if fill.wallet == wallet]


def holdings_of(world: World, wallet: str) -> list[Holding]:
    """Every token that the wallet ever had to do with, by its trades, splits, merges and redemptions.

    Shares that came otherwise are there too, without a history.
    """
    found: dict[str, Holding] = {}

    def holding(market: Market, outcome: int) -> Holding:
        token = market.token_ids[outcome]
        if token not in found:
            found[token] = Holding(wallet=wallet, market=market, outcome=outcome)
        return found[token]

    moves: list[tuple[int, Fill | Activity]] = [(fill.at_ms, fill) for fill in fills_for(world, wallet)]
    moves += [(activity.at_ms, activity) for activity in world.activities.of(wallet)]
    for at_ms, move in sorted(moves, key=lambda pair: pair[0]):
        if isinstance(move, Fill):
            _trade(holding(move.market, move.outcome), move, at_ms)
        else:
            _convert([holding(move.market, 0), holding(move.market, 1)], move, at_ms)
    for (owner, token), shares in world.bank.shares.items():
        market = world.exchange.by_token.get(token) if owner == wallet and shares else None
        if market is not None:
            holding(market, market.outcome_index(token))
    return list(found.values())


def _trade(holding: Holding, fill: Fill, at_ms: int) -> None:
    if fill.side is Side.BUY:
        holding.gain(fill.shares, fill.dollars, fill.fee, at_ms)
    else:
        holding.lose(fill.shares, fill.dollars - fill.fee, at_ms)


def _convert(holdings: list[Holding], activity: Activity, at_ms: int) -> None:
    """A full set costs a dollar, half for each outcome; a redemption pays each outcome what it is worth.

    An odd millionth goes to the first.
    """
    for holding, shares in zip(holdings, activity.shares, strict=True):
        if not shares:
            continue
        half = (shares + 1 - holding.outcome) // 2
        match activity.kind:
            case ActivityKind.SPLIT:
                holding.gain(shares, half, 0, at_ms)
            case ActivityKind.MERGE:
                holding.lose(shares, half, at_ms)
            case ActivityKind.REDEEM:
                payouts = activity.market.payouts or (0, 0)
                holding.lose(shares, shares * payouts[holding.outcome] // MICROS, at_ms)
