"""Fold every execution again and compare the outcome with everything that is derived from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from betteroms.domain.execution import Execution
from betteroms.domain.ids import TokenId
from betteroms.domain.money import to_text
from betteroms.domain.position import Holding, Position
from betteroms.domain.terms import Mode
from betteroms.jobs import told
from betteroms.records import OrderMismatch, Records

Key = tuple[Mode, TokenId]


@dataclass(slots=True)
class _Refolded:
    """The fold of one token's executions, and beside it the plain sum of what moved."""

    holding: Holding
    moved: int = 0
    executions: int = 0


@dataclass(slots=True)
class _Fold:
    tokens: dict[Key, _Refolded] = field(default_factory=dict)
    executions: int = 0

    def take(self, execution: Execution) -> None:
        key = (execution.mode, execution.token_id)
        known = self.tokens.get(key)
        if known is None:
            start = Position(mode=execution.mode, market_id=execution.market_id, token_id=execution.token_id)
            known = self.tokens[key] = _Refolded(Holding(start))
        known.holding.book(execution)
        known.moved += execution.cash - execution.fee
        known.executions += 1
        self.executions += 1


def verify(records: Records) -> dict[str, Any]:
    """What was compared, and each difference as one sentence with its numbers.

    Compared are, exactly: every stored position with the fold of its executions in the ledger's sequence;
    `realised - cost basis` with the cash that executions moved, fees taken off; and each order's filled
    size, cash and number of fills with its executions.
    """
    fold = _Fold()
    for execution in records.all_executions():
        fold.take(execution)
    stored = {(position.mode, position.token_id): position for position in records.all_positions()}
    differences = [
        *_positions(stored, fold),
        *_cash(stored, fold),
        *(sentence for mismatch in records.order_mismatches() for sentence in _order(mismatch)),
    ]
    return {
        "executions": fold.executions,
        "positions": len(stored),
        "orders": records.order_count(),
        "differences": differences,
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
        yield from _fields(name, position, refolded.holding.position())


def _fields(name: str, stored: Position, folded: Position) -> Iterator[str]:
    for what, one, other in (
        ("size", stored.size, folded.size),
        ("cost_basis", stored.cost_basis, folded.cost_basis),
        ("realised", stored.realised, folded.realised),
        ("fees", stored.fees, folded.fees),
    ):
        if one != other:
            yield f"{name}: {what} is {to_text(one)}, its executions say {to_text(other)}"
    if stored.market_id != folded.market_id:
        yield f"{name}: market_id is {stored.market_id}, its executions say {folded.market_id}"
    if stored.opened_at != folded.opened_at:
        was, says = told.maybe_instant(stored.opened_at), told.maybe_instant(folded.opened_at)
        yield f"{name}: opened_at is {was}, its executions say {says}"


def _cash(stored: dict[Key, Position], fold: _Fold) -> Iterator[str]:
    """The ledger's invariant, per mode: what positions say of cash is what executions moved."""
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
