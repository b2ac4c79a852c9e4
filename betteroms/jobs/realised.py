"""What was realised in a period: by token at average cost, by who bought it first in first out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.lots import Lots
from betteroms.domain.period import ALWAYS, Period
from betteroms.domain.position import Holding, Position
from betteroms.domain.terms import Mode
from betteroms.reckoning import By, Reckoning


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """One token's profit of a period, net of every fee charged in it; both in millionths of a dollar."""

    market_id: MarketId
    net: int
    fees: int

    @property
    def gross(self) -> int:
        return self.net + self.fees


class _Tally:
    """A position being folded, and what of its profit falls into the period; see `reckoning.Follower`."""

    __slots__ = ("fees", "holding", "net", "period")

    def __init__(self, holding: Holding, period: Period) -> None:
        self.holding, self.period = holding, period
        self.net = self.fees = 0

    def buy(self, size: int, cash: int, fee: int, at: datetime, owner: str | None) -> None:  # noqa: ARG002
        before = self.holding.realised
        self.holding.buy(size, cash, fee, at)
        if at in self.period:
            self.net += self.holding.realised - before
            self.fees += fee

    def sell(self, size: int, cash: int, fee: int, at: datetime, owner: str | None) -> None:  # noqa: ARG002
        before = self.holding.realised
        self.holding.sell(size, cash, fee)
        if at in self.period:
            self.net += self.holding.realised - before
            self.fees += fee

    def leave(self, size: int, cash: int, at: datetime) -> None:
        before = self.holding.realised
        self.holding.leave(size, cash)
        if at in self.period:
            self.net += self.holding.realised - before


def by_token(
    records: Reckoning, mode: Mode, period: Period, positions: Mapping[TokenId, Position]
) -> dict[TokenId, Realised]:
    """The profit of the period at average cost, of every token that moved in it.

    Each movement counts at its own time. Only what was parted with in the period and moved outside of it too
    is folded again: of the rest the position's sum, or the fees alone, are the answer already.
    """
    if period == ALWAYS:
        return {
            token: Realised(market_id=found.market_id, net=found.realised, fees=found.fees)
            for token, found in positions.items()
        }
    sums = records.token_sums(mode, period)
    folded = _folded(records, mode, period, records.half_told(mode, period))
    found: dict[TokenId, Realised] = {}
    for one in sums:
        tally, position = folded.get(one.token_id), positions.get(one.token_id)
        net = -one.fees
        if tally is not None:
            net = tally.net
        elif one.parted and position is not None:
            net = position.realised
        found[one.token_id] = Realised(market_id=one.market_id, net=net, fees=one.fees)
    return found


def _folded(
    records: Reckoning, mode: Mode, period: Period, tokens: Collection[TokenId]
) -> dict[TokenId, _Tally]:
    tallies: dict[TokenId, _Tally] = {}

    def following(mode: Mode, market: MarketId, token: TokenId) -> _Tally:
        if token not in tallies:
            nothing = Position(mode=mode, market_id=market, token_id=token)
            tallies[token] = _Tally(Holding(nothing), period)
        return tallies[token]

    if tokens:
        records.follow(following, mode=mode, tokens=tokens)
    return tallies


def lots(
    records: Reckoning,
    mode: Mode,
    *,
    owners: By = By.PLAN,
    period: Period = ALWAYS,
    tokens: Collection[TokenId] | None = None,
) -> dict[TokenId, Lots]:
    """The lots of every token, or of these; what was gained is counted as far as it falls into the period."""
    found: dict[TokenId, Lots] = {}

    def following(_mode: Mode, _market: MarketId, token: TokenId) -> Lots:
        if token not in found:
            found[token] = Lots(period)
        return found[token]

    if tokens is None or tokens:
        records.follow(following, mode=mode, owners=owners, tokens=tokens)
    return found
