"""Fold every movement again and compare the outcome with everything that is derived from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from betteroms.domain.ids import MarketId, TokenId
from betteroms.domain.money import to_text
from betteroms.domain.portfolio import PortfolioSnapshot
from betteroms.domain.position import Holding, Position
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.reckoning import BoundsMismatch, SettlementMismatch, SignedMismatch, TiltMismatch
from betteroms.records import OrderMismatch, Records

Key = tuple[Mode, TokenId]


class _Refolded:
    """The fold of one token's movements, and beside it the plain sum of what moved; see `Follower`."""

    __slots__ = ("entries", "executions", "holding", "markets", "moved")

    def __init__(self, holding: Holding) -> None:
        self.holding = holding
        self.markets = [holding.market_id]
        self.moved = self.executions = self.entries = 0

    def buy(self, size: int, cash: int, fee: int, at: datetime, owner: str | None) -> None:  # noqa: ARG002
        self.moved += cash - fee
        self.executions += 1
        self.holding.buy(size, cash, fee, at)

    def sell(self, size: int, cash: int, fee: int, at: datetime, owner: str | None) -> None:  # noqa: ARG002
        self.moved += cash - fee
        self.executions += 1
        self.holding.sell(size, cash, fee)

    def leave(self, size: int, cash: int, at: datetime) -> None:  # noqa: ARG002
        self.moved += cash
        self.entries += 1
        self.holding.leave(size, cash)


@dataclass(slots=True)
class _Fold:
    tokens: dict[Key, _Refolded] = field(default_factory=dict)

    def following(self, mode: Mode, market: MarketId, token: TokenId) -> _Refolded:
        found = self.tokens.get((mode, token))
        if found is None:
            nothing = Position(mode=mode, market_id=market, token_id=token)
            found = self.tokens[mode, token] = _Refolded(Holding(nothing))
        elif market not in found.markets:
            found.markets.append(market)
        return found


def verify(records: Records) -> dict[str, Any]:
    """What was compared, and each difference as one sentence with its numbers.

    Compared are, exactly: every stored position with the fold of its executions and payouts in the ledger's
    sequence; `realised - cost basis` with the cash that they moved, fees taken off; each order's filled
    size, cash and number of fills with its executions; fill bounds with what was filled between them, and
    their sums by token with all of them; each portfolio snapshot's cash with what was deposited and realised
    by then; and of live orders how far their fills have settled with what was told of it, what failed with
    what was taken back, and whose signed bytes are kept with who is alive.
    """
    fold = _Fold()
    records.follow(fold.following)
    stored = {(position.mode, position.token_id): position for position in records.all_positions()}
    differences = [
        *_positions(stored, fold),
        *_cash(stored, fold),
        *(sentence for mismatch in records.order_mismatches() for sentence in _order(mismatch)),
        *(_bounds(mismatch) for mismatch in records.bounds_mismatches()),
        *(sentence for mismatch in records.tilt_mismatches() for sentence in _tilt(mismatch)),
        *(_snapshot(mismatch) for mismatch in records.snapshot_mismatches()),
        *(sentence for mismatch in records.settlement_mismatches() for sentence in _settlement(mismatch)),
        *(_signed(mismatch) for mismatch in records.signed_mismatches()),
    ]
    return {
        "executions": sum(refolded.executions for refolded in fold.tokens.values()),
        "positions": len(stored),
        "orders": records.order_count(),
        "differences": differences,
        "payouts": sum(refolded.entries for refolded in fold.tokens.values()),
    }


def _positions(stored: dict[Key, Position], fold: _Fold) -> Iterator[str]:
    for key in sorted(stored.keys() | fold.tokens.keys()):
        mode, token = key
        name = f"{mode} position {token}"
        refolded = fold.tokens.get(key)
        if key not in stored:
            assert refolded is not None
            yield f"{name}: missing, though {refolded.executions} executions are booked for it"
            continue
        position = stored[key]
        if refolded is None:
            yield f"{name}: stored, though no execution is booked for it"
            continue
        yield from _fields(name, position, refolded)


def _fields(name: str, stored: Position, refolded: _Refolded) -> Iterator[str]:
    folded = refolded.holding.position()
    for what, one, other in (
        ("size", stored.size, folded.size),
        ("cost_basis", stored.cost_basis, folded.cost_basis),
        ("realised", stored.realised, folded.realised),
        ("fees", stored.fees, folded.fees),
    ):
        if one != other:
            yield f"{name}: {what} is {to_text(one)}, its executions say {to_text(other)}"
    for market in refolded.markets:
        if stored.market_id != market:
            yield f"{name}: market_id is {stored.market_id}, its executions say {market}"
    if stored.opened_at != folded.opened_at:
        was, says = told.maybe_instant(stored.opened_at), told.maybe_instant(folded.opened_at)
        yield f"{name}: opened_at is {was}, its executions say {says}"


def _cash(stored: dict[Key, Position], fold: _Fold) -> Iterator[str]:
    """The ledger's invariant, per mode: what positions say of cash is what executions and payouts moved."""
    for mode in Mode:
        derived = sum(p.realised - p.cost_basis for (m, _), p in stored.items() if m is mode)
        moved = sum(refolded.moved for (m, _), refolded in fold.tokens.items() if m is mode)
        if derived != moved:
            yield (
                f"{mode} cash: realised - cost_basis is {to_text(derived)}, executions moved {to_text(moved)}"
            )


def _order(found: OrderMismatch) -> Iterator[str]:
    name = f"order {found.order_id}"
    for what, one, other in (
        ("filled_size", found.filled_size, found.executed_size),
        ("filled_cash", found.filled_cash, found.executed_cash),
    ):
        if one != other:
            yield f"{name}: {what} is {to_text(one)}, its executions say {to_text(other)}"
    if found.fills != found.executions:
        yield f"{name}: fills is {found.fills}, it has {found.executions} executions"
    if found.highest_number != found.executions:
        yield (
            f"{name}: its executions are numbered up to {found.highest_number}, there are {found.executions}"
        )


def _bounds(found: BoundsMismatch) -> str:
    return (
        f"order {found.order_id}: filled_size is {to_text(found.filled)}, its fill bounds go from "
        f"{to_text(found.pessimistic)} to {to_text(found.optimistic)}"
    )


def _tilt(found: TiltMismatch) -> Iterator[str]:
    name = f"{found.mode} fill bounds of {found.stored.token_id}"
    for what in ("pessimistic", "pessimistic_paid", "optimistic", "optimistic_paid"):
        one, other = getattr(found.stored, what), getattr(found.summed, what)
        if one != other:
            places = -12 if what.endswith("paid") else -6
            was, says = (f"{Decimal(value).scaleb(places).normalize():f}" for value in (one, other))
            yield f"{name}: the sum {what} is {was}, its orders say {says}"


def _settlement(found: SettlementMismatch) -> Iterator[str]:
    name = f"order {found.order_id}, fill {found.external_execution_id}"
    if found.stored != found.told:
        was, says = found.stored or "not kept", found.told or "nothing"
        yield f"{name}: its settlement is {was}, its events say {says}"
    if found.told == "FAILED" and not found.taken_back:
        yield f"{name}: it failed, and no execution takes it back"
    if found.told != "FAILED" and found.taken_back:
        yield f"{name}: it was taken back, though it did not fail"


def _signed(found: SignedMismatch) -> str:
    why = "has ended, and its signed bytes are kept" if found.kept else "is alive without its signed bytes"
    return f"order {found.order_id}: {why}"


def _snapshot(found: PortfolioSnapshot) -> str:
    says = found.deposited + found.realised - found.cost_basis
    return (
        f"{found.mode} snapshot of {told.instant(found.hour)}: cash is {to_text(found.cash)}, "
        f"deposited + realised - cost_basis is {to_text(says)}"
    )
