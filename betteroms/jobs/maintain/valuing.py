"""Marks, and what the account is worth: at most one snapshot for each mode and hour."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from betteroms.domain.book import Book
from betteroms.domain.bounds import FillBounds
from betteroms.domain.bounds_value import BoundedGain, Tilt, gain, tilt
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.money import Usdc
from betteroms.domain.order import Order
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Position, Quote, mark, market_value
from betteroms.pipeline import World
from betteroms.ports import Run, Snapshot


def values_of(
    positions: Mapping[TokenId, Position], books: Mapping[TokenId, Book], quotes: Mapping[TokenId, Quote]
) -> dict[TokenId, int]:
    """What each position is worth, in millionths of a dollar: by its fresh book, else as it was last seen."""
    values: dict[TokenId, int] = {}
    for token, position in positions.items():
        seen = books.get(token) or quotes.get(token)
        if position.size and seen is not None:
            values[token] = market_value(mark(best_bid=seen.best_bid, best_ask=seen.best_ask), position.size)
    return values


def tilts_after(
    snapshot: Snapshot, settled: Mapping[OrderId, Order], changed: Sequence[FillBounds]
) -> list[Tilt]:
    """By how much the bounds in these markets differ from what was filled, once this pass is booked.

    `settled` are the orders of earlier runs that moved, `changed` the bounds that did.
    """
    now = {found.order_id: found for found in changed}
    tilts = list(snapshot.tilts.values())
    for order in snapshot.open_orders:
        name = order.order_id
        before = snapshot.bounds.get(name)
        if before is not None and (name in now or name in settled):
            tilts.append(-tilt(order, before))
            tilts.append(tilt(settled.get(name, order), now.get(name, before)))
    return tilts


def bounded(tilts: Sequence[Tilt], snapshot: Snapshot, world: World) -> BoundedGain:
    """What the other two answers add to profit and loss, at what shares are worth now.

    That is a fresh mark, else the payout of a market that was resolved, else what was last known.
    """
    worths = dict(snapshot.worths)
    for market in world.markets.values():
        if market.resolved and market.payouts is not None:
            for outcome, payout in zip(market.outcomes, market.payouts, strict=True):
                worths[outcome.token_id] = 2 * payout
    for token, book in world.books.items():
        worths[token] = mark(best_bid=book.best_bid, best_ask=book.best_ask).doubled
    here, elsewhere = gain(Usdc(0), tilts, worths), snapshot.elsewhere
    return replace(
        here,
        pessimistic=Usdc(here.pessimistic + elsewhere.pessimistic),
        optimistic=Usdc(here.optimistic + elsewhere.optimistic),
    )


def portfolio(
    run: Run,
    snapshot: Snapshot,
    *,
    after: Mapping[TokenId, Position],
    values: Mapping[TokenId, int],
    bounded: BoundedGain,
) -> PortfolioSnapshot:
    """What the account is worth once this pass is booked.

    `after` are the positions then, of every token that is held or was touched; `values` what each is worth;
    `bounded` what the other two bounds of fills add to the gain.
    """
    # By the ledger's invariant, cash is what was deposited and realised, less what is tied up in positions.
    moved = sum(
        position.realised - position.cost_basis - _moved(snapshot.positions.get(token))
        for token, position in after.items()
    )
    cash = snapshot.account.cash + moved
    cost = sum(position.cost_basis for position in after.values())
    value = sum(values.get(token, 0) for token in after)
    fees = snapshot.fees + sum(
        position.fees - (snapshot.positions[token].fees if token in snapshot.positions else 0)
        for token, position in after.items()
    )
    realised = cash - snapshot.deposited + cost
    earned = realised + value - cost
    return PortfolioSnapshot(
        mode=run.mode,
        hour=run.now.replace(minute=0, second=0, microsecond=0),
        taken_at=run.now,
        run_id=run.run_id,
        positions=sum(position.size > 0 for position in after.values()),
        cost_basis=Usdc(cost),
        market_value=Usdc(value),
        realised=Usdc(realised),
        unrealised=Usdc(value - cost),
        fees=Usdc(fees),
        cash=Usdc(cash),
        deposited=snapshot.deposited,
        net_liquidation=Usdc(cash + value),
        pessimistic=Usdc(earned + bounded.pessimistic),
        optimistic=Usdc(earned + bounded.optimistic),
    )


def _moved(position: Position | None) -> int:
    return 0 if position is None else position.realised - position.cost_basis
