"""Resolution: what ended markets pay, and what a person should know of them."""

from collections.abc import Mapping

from betteroms.domain.ids import MarketId
from betteroms.domain.market import Market
from betteroms.domain.position import LedgerEntry
from betteroms.domain.settlement import payouts
from betteroms.ports import Run, Snapshot


def settlements(run: Run, snapshot: Snapshot, markets: Mapping[MarketId, Market]) -> list[LedgerEntry]:
    """What resolved markets pay for what we hold, and corrections of what they paid before."""
    return [
        entry
        for market in markets.values()
        for entry in payouts(market, snapshot.positions, snapshot.settlements, mode=run.mode, at=run.now)
    ]


def remarks(snapshot: Snapshot, markets: Mapping[MarketId, Market]) -> list[str]:
    """What a person should know of markets that ended, or of which the venue says nothing."""
    told: list[str] = []
    for token, position in snapshot.positions.items():
        market = markets.get(position.market_id)
        if position.size == 0:
            continue
        if market is None:
            told.append(
                f"market {position.market_id}: the venue does not know it now; {token} is left as it is"
            )
        elif market.resolved and market.payouts is None:
            told.append(f"market {market.name}: resolved, but what it pays is not final yet")
    return list(dict.fromkeys(told))
