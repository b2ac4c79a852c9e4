"""An account's past as a memory ledger knows it: what bounds add up to, worths, its history."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from betteroms.adapters.memory.state import State
from betteroms.adapters.memory.sums import cash_moved
from betteroms.domain.bounds_value import NOTHING_ADDED, BoundedGain, Tilt, elsewhere, summed, tilt
from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order
from betteroms.domain.position import EntryKind, Position, mark
from betteroms.domain.risk.history import History, RiskState
from betteroms.domain.risk.past import Held, bids_of, history_of, marks_of, traded_of
from betteroms.domain.terms import Mode


class Tilted(NamedTuple):
    """The fields of a `ports.Snapshot` that tell of fill bounds."""

    tilts: Mapping[TokenId, Tilt]
    worths: Mapping[TokenId, int]
    elsewhere: BoundedGain


LEVEL: Final = Tilted({}, {}, NOTHING_ADDED)


def tilted(state: State, mode: Mode, markets: Collection[MarketId]) -> Tilted:
    """By how much bounds differ from what was filled, token by token in these markets, else as one sum."""
    bounded = [(state.orders[name], found) for name, found in state.bounds.items()]
    mine = [(order, tilt(order, found)) for order, found in bounded if order.mode is mode]
    here = summed(one for order, one in mine if order.intent.market_id in markets)
    others = summed(one for order, one in mine if order.intent.market_id not in markets)
    shown = {token: one for token, one in sorted(here.items()) if one != Tilt(token_id=token)}
    return Tilted(
        tilts=shown,
        worths=_worths(state, mode, shown),
        elsewhere=elsewhere(others.values(), _worths(state, mode, others)),
    )


def _worths(state: State, mode: Mode, tokens: Collection[TokenId]) -> dict[TokenId, int]:
    """Twice what a share of each token was last worth: its mark, or its payout once there was one."""
    known = {
        token: mark(best_bid=quote.best_bid, best_ask=quote.best_ask).doubled
        for (kept, token), quote in state.quotes.items()
        if kept is mode and (mode, token) in state.positions
    }
    known |= {token: 2 * payout for token, payout in state.payouts.items()}
    for entry in state.entries.values():
        settled = entry.mode is mode and entry.kind is EntryKind.SETTLEMENT
        if settled and entry.token_id is not None and entry.payout is not None:
            known[entry.token_id] = 2 * entry.payout
    return {token: worth for token, worth in sorted(known.items()) if token in tokens}


def history(
    state: State,
    mode: Mode,
    at: datetime,
    *,
    markets: Collection[MarketId],
    alive: Sequence[Order],
    positions: Sequence[Position],
) -> History:
    """What the caps ask of the account's past as of `at`."""
    risk = state.risk.get(mode, RiskState())
    quotes = {token: quote for (kept, token), quote in state.quotes.items() if kept is mode}
    return history_of(
        markets=markets,
        traded=traded_of([order for order in state.orders.values() if order.mode is mode], at),
        held=[
            Held(
                position=position,
                best_bid=quotes[position.token_id].best_bid if position.token_id in quotes else None,
                best_ask=quotes[position.token_id].best_ask if position.token_id in quotes else None,
            )
            for position in positions
            if position.size
        ],
        moved=Usdc(cash_moved(positions)),
        bids=bids_of(alive),
        terms=state.terms,
        marks=marks_of(
            [taken for (kept, _), taken in state.snapshots.items() if kept is mode],
            at=at,
            since=risk.reset_at,
        ),
        state=risk,
        rules=[rules for (kept, _), rules in state.rules.items() if kept is mode],
    )
