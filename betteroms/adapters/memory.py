"""A whole ledger in dicts: for tests, previews and simulations.

Where nothing leaves the process, what a run writes is pending until the run is closed. Only rows, runs
and entries outlive a run, exactly as in the database: what is remembered of a market's liquidity is the
levels that something was taken from.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from betteroms.domain.execution import Execution
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId, TokenId
from betteroms.domain.liquidity import LiquidityMemory, Taken
from betteroms.domain.money import Size, Usdc
from betteroms.domain.news import fill_names, news
from betteroms.domain.order import (
    ALIVE,
    Denial,
    Denied,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Reversed,
    after,
    reserved_cash,
    reserved_shares,
)
from betteroms.domain.position import Holding, LedgerEntry, Position
from betteroms.domain.risk import Account
from betteroms.domain.run import EarlierRun, RunStatus, refuse_repetition
from betteroms.domain.terms import Mode
from betteroms.ports import Payload, Run, RunInputs, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run as its row would stand: the latest attempt, and how it ended."""

    run: Run
    completed_at: datetime | None = None
    error: str | None = None
    summary: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """What a seeded ledger knows of an account only as sums, because the rows stayed elsewhere."""

    cash: int = 0
    reserved_cash: int = 0
    reserved_shares: Mapping[TokenId, int] = field(default_factory=dict)
    deposit: Usdc | None = None


class _State:
    """Everything that a run can change, kept together so that it can be dropped together."""

    __slots__ = ("events", "executions", "fills", "memory", "orders", "payloads", "positions", "sequence")

    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}
        self.fills: dict[OrderId, tuple[Execution, ...]] = {}
        self.executions: list[Execution] = []
        self.positions: dict[tuple[Mode, TokenId], Position] = {}
        self.memory: dict[Mode, LiquidityMemory] = {mode: LiquidityMemory() for mode in Mode}
        self.payloads: dict[BookId, Payload] = {}
        self.events: list[OrderEvent] = []
        self.sequence = 0

    def copy(self) -> "_State":
        """An independent state for a run to change."""
        twin = _State()
        twin.orders = dict(self.orders)
        twin.fills = dict(self.fills)
        twin.executions = list(self.executions)
        twin.positions = dict(self.positions)
        # Through rows: stamps of markets that nothing was taken from do not outlive a run.
        twin.memory = {mode: LiquidityMemory(memory.rows()) for mode, memory in self.memory.items()}
        twin.payloads = dict(self.payloads)
        twin.events = list(self.events)
        twin.sequence = self.sequence
        return twin

    def fold(self, events: Iterable[OrderEvent]) -> dict[tuple[Mode, TokenId], Position]:
        """The positions as these events leave them; nothing is changed yet."""
        holdings: dict[tuple[Mode, TokenId], Holding] = {}
        for event in events:
            if not isinstance(event, Filled | Reversed):
                continue
            order = self.orders[event.order_id]
            mode, intent = order.mode, order.intent
            held = (mode, intent.token_id)
            if held not in holdings:
                nothing = Position(mode=mode, market_id=intent.market_id, token_id=intent.token_id)
                holdings[held] = Holding(self.positions.get(held, nothing))
            for execution in event.executions:
                holdings[held].book(execution)
        return {held: holding.position() for held, holding in holdings.items()}

    def append(self, events: Sequence[OrderEvent]) -> None:
        """Keep events with their executions, and remember what they took."""
        self.events.extend(events)
        self.sequence += len(events)
        for event in events:
            if not isinstance(event, Filled | Reversed):
                continue
            self.executions.extend(event.executions)
            self.sequence += len(event.executions)
            self.fills[event.order_id] = (*self.fills.get(event.order_id, ()), *event.executions)
            if isinstance(event, Filled):
                memory = self.memory[self.orders[event.order_id].mode]
                for level in event.taken:
                    memory.take(event.market_id, level.price, level.size)


class MemoryLedger:
    """Keeps the promises of `ports.Ledger` for as long as the process lives.

    The readers (`orders()` and so on) show what is committed, in an order that does not change.
    """

    def __init__(self) -> None:
        self._runs: dict[RunId, KeptRun] = {}
        self._entries: dict[str, LedgerEntry] = {}
        self._openings = {mode: _Opening() for mode in Mode}
        self._kept = _State()
        self._work = self._kept
        self._run: Run | None = None

    @classmethod
    def seeded(cls, snapshot: Snapshot, *, taken: Iterable[Taken] | None = None) -> "MemoryLedger":
        """A throw-away ledger that goes on from a snapshot taken elsewhere.

        It shows all of the snapshot again; what lies behind the account (entries, orders in other markets)
        is carried as sums. `taken` replaces the snapshot's liquidity memory.
        """
        ledger = cls()
        state, mode, account = ledger._kept, snapshot.mode, snapshot.account
        state.orders = {**snapshot.known, **{order.order_id: order for order in snapshot.open_orders}}
        state.fills = {name: tuple(executions) for name, executions in snapshot.executions.items()}
        state.executions = [execution for executions in state.fills.values() for execution in executions]
        state.positions = {(mode, token): position for token, position in snapshot.positions.items()}
        state.memory[mode] = LiquidityMemory(snapshot.taken if taken is None else taken)
        state.sequence = snapshot.sequence
        cash, shares = _reserved(ledger._alive(mode))
        reserved = account.reserved_shares
        ledger._openings[mode] = _Opening(
            cash=account.cash - _cash_moved(snapshot.positions.values()),
            reserved_cash=account.reserved_cash - cash,
            reserved_shares={token: size - shares.get(token, 0) for token, size in reserved.items()},
            deposit=snapshot.opening_cash,
        )
        return ledger

    def find_run(self, mode: Mode, plan_id: str) -> EarlierRun | None:
        """See `ports.Ledger.find_run`."""
        for kept in self._runs.values():
            run = kept.run
            if (run.kind, run.mode, run.plan_id) == ("trade", mode, plan_id):
                return EarlierRun(
                    status=run.status,
                    content_hash=run.content_hash,
                    attempt=run.attempt,
                    started_at=run.started_at,
                )
        return None

    def open_run(self, run: Run, entries: Sequence[LedgerEntry] = ()) -> Run:
        """See `ports.Ledger.open_run`. What an earlier run left pending is lost, as if it had died."""
        self.lose_pending()
        if run.plan_id is not None:
            earlier = self.find_run(run.mode, run.plan_id)
            refuse_repetition(earlier, plan_id=run.plan_id, mode=run.mode, content_hash=run.content_hash)
        known = self._runs.get(run.run_id)
        run = replace(run, attempt=known.run.attempt + 1 if known else 1, status=RunStatus.RUNNING)
        self._runs[run.run_id] = KeptRun(run=run)
        for entry in entries:
            if entry.key not in self._entries:
                self._entries[entry.key] = entry
                self._kept.sequence += 1
        self._work = self._kept.copy()
        self._run = run
        return run

    def snapshot(self, mode: Mode, *, markets: Collection[MarketId], orders: Collection[OrderId]) -> Snapshot:
        """See `ports.Ledger.snapshot`. What this run has pending is not in it."""
        state, chosen = self._kept, frozenset(markets)
        alive = self._alive(mode)
        everything = [p for p in self.positions() if p.mode is mode]
        positions = {p.token_id: p for p in everything if p.market_id in chosen}
        known = {name: state.orders[name] for name in orders if name in state.orders}
        return Snapshot(
            mode=mode,
            account=self._account(mode, alive, everything, chosen),
            positions=positions,
            open_orders=sorted((o for o in alive if o.intent.market_id in chosen), key=_placed_first),
            taken=state.memory[mode].rows(sorted(chosen)),
            known=known,
            executions={name: state.fills[name] for name in known if name in state.fills},
            sequence=state.sequence,
            opening_cash=self._opening_cash(mode),
        )

    def _opening_cash(self, mode: Mode) -> Usdc | None:
        first = next((entry.cash for entry in self._entries.values() if entry.mode is mode), None)
        known = self._openings[mode].deposit
        return first if known is None else known

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        """See `ports.Ledger.observe`."""
        run = self._opened()
        self._work.memory[run.mode].observe_all(inputs.books.values(), inputs.markets)
        for payload in payloads:
            self._work.payloads.setdefault(payload.payload_id, payload)

    def record(self, orders: Sequence[Order], denied: Sequence[Order], *, sends_out: bool) -> None:
        """See `ports.Ledger.record`. With `sends_out` this and all that follows is committed at once."""
        self._opened()
        for order in (*orders, *denied):
            known = self._work.orders.get(order.order_id)
            # Only what provably never left the process may be judged, and so written, again.
            rewritable = known is None or (known.status is OrderStatus.NEW and known.sending_at is None)
            assert rewritable, f"{order.order_id} was recorded before"
            self._work.orders[order.order_id] = order
        for order in denied:
            denial = Denial(code=order.code or "", detail=order.reason or "")
            self._work.append([Denied(order_id=order.order_id, at=order.created_at, denial=denial)])
        if sends_out:
            self._kept = self._work

    def apply(self, events: Sequence[OrderEvent]) -> Sequence[Order]:
        """See `ports.Ledger.apply`. The orders come in the order of their news."""
        self._opened()
        known, fills = self._work.orders, self._work.fills
        strangers = sorted({event.order_id for event in events} - known.keys())
        if strangers:
            raise KeyError(f"events of orders that were never recorded: {', '.join(strangers)}")
        told = fill_names(fill for event in events for fill in fills.get(event.order_id, ()))
        fresh = news(events, orders=known, told=told)
        grouped: dict[OrderId, list[OrderEvent]] = {}
        for event in fresh:
            grouped.setdefault(event.order_id, []).append(event)
        # Whatever can be refused is computed before anything changes: a call is whole or absent.
        moved = {name: after(self._work.orders[name], mine) for name, mine in grouped.items()}
        positions = self._work.fold(fresh)
        self._work.orders.update(moved)
        self._work.positions.update(positions)
        self._work.append(fresh)
        return list(moved.values())

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        """See `ports.Ledger.close_run`."""
        self._kept = self._work
        self._end(run, RunStatus.COMPLETED, completed_at=completed_at, summary=dict(summary))
        self.lose_pending()

    def fail_run(self, run: Run, error: str, *, completed_at: datetime) -> None:
        """See `ports.Ledger.fail_run`."""
        if self._runs[run.run_id].run.status is not RunStatus.COMPLETED:
            self._end(run, RunStatus.FAILED, completed_at=completed_at, error=error)
        self.lose_pending()

    def lose_pending(self) -> None:
        """Forget what was not committed, as a process that dies does."""
        self._work = self._kept
        self._run = None

    def orders(self) -> list[Order]:
        """All orders, by id."""
        return sorted(self._kept.orders.values(), key=lambda order: order.order_id)

    def executions(self) -> list[Execution]:
        """All executions, as they were booked."""
        return list(self._kept.executions)

    def positions(self) -> list[Position]:
        """All positions, closed ones too, by mode and token."""
        return [position for _, position in sorted(self._kept.positions.items())]

    def entries(self) -> list[LedgerEntry]:
        """All entries, as they were written."""
        return list(self._entries.values())

    def taken(self) -> dict[Mode, list[Taken]]:
        """The liquidity memory of each mode, by market and price."""
        return {mode: memory.rows() for mode, memory in self._kept.memory.items()}

    def runs(self) -> list[KeptRun]:
        """All runs, by id."""
        return [kept for _, kept in sorted(self._runs.items())]

    def events(self) -> list[OrderEvent]:
        """What happened to orders, as it was told; refusals of ours are events too."""
        return list(self._kept.events)

    def payloads(self) -> list[Payload]:
        """Everything kept of what runs read, by content id."""
        return [payload for _, payload in sorted(self._kept.payloads.items())]

    def _opened(self) -> Run:
        assert self._run is not None, "the run is opened before anything is written"
        return self._run

    def _end(
        self,
        run: Run,
        status: RunStatus,
        *,
        completed_at: datetime,
        error: str | None = None,
        summary: Mapping[str, Any] | None = None,
    ) -> None:
        """The run's row gets its last word."""
        ended = replace(self._runs[run.run_id].run, status=status)
        self._runs[run.run_id] = KeptRun(run=ended, completed_at=completed_at, error=error, summary=summary)

    def _alive(self, mode: Mode) -> list[Order]:
        return [o for o in self._kept.orders.values() if o.mode is mode and o.status in ALIVE]

    def _account(
        self, mode: Mode, alive: Iterable[Order], positions: Sequence[Position], chosen: Collection[MarketId]
    ) -> Account:
        opening = self._openings[mode]
        entered = sum(entry.cash for entry in self._entries.values() if entry.mode is mode)
        cash, shares = _reserved(alive)
        for token, size in opening.reserved_shares.items():
            shares[token] = shares.get(token, 0) + size
        return Account(
            cash=Usdc(opening.cash + entered + _cash_moved(positions)),
            reserved_cash=Usdc(opening.reserved_cash + cash),
            held={p.token_id: p.size for p in positions if p.size and p.market_id in chosen},
            reserved_shares={token: Size(size) for token, size in sorted(shares.items()) if size},
        )


def _cash_moved(positions: Iterable[Position]) -> int:
    """Dollars that executions moved, fees included: by the ledger's invariant, from the positions alone."""
    return sum(position.realised - position.cost_basis for position in positions)


def _reserved(alive: Iterable[Order]) -> tuple[int, dict[TokenId, int]]:
    """Dollars, and shares by token, that these orders may still draw."""
    cash, shares = 0, dict[TokenId, int]()
    for order in alive:
        cash += reserved_cash(order)
        token = order.intent.token_id
        shares[token] = shares.get(token, 0) + reserved_shares(order)
    return cash, shares


def _placed_first(order: Order) -> tuple[bool, datetime, bool, int, str]:
    """By the time they were placed, not yet placed ones last; then by line."""
    at, line = order.placed_at or order.created_at, order.intent.line
    return (order.placed_at is None, at, line is None, line or 0, order.order_id)
