"""A whole ledger in dicts: for tests, previews and simulations.

Where nothing leaves the process, what a run writes is pending until the run is closed. Only rows, runs
and entries outlive a run, exactly as in the database: what is remembered of a market's liquidity is the
levels that something was taken from.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from betteroms.adapters.memory import past
from betteroms.adapters.memory.settling import seed, settling, unsettled
from betteroms.adapters.memory.state import State
from betteroms.adapters.memory.sums import Opening, cash_moved, deposited, reserved, settlements
from betteroms.domain.execution import Execution
from betteroms.domain.external import ExternalFill, adopt
from betteroms.domain.ids import BookId, MarketId, OrderId, RunId
from betteroms.domain.liquidity import LiquidityMemory, Taken
from betteroms.domain.money import Size, Usdc, to_micros
from betteroms.domain.news import fill_names, news
from betteroms.domain.order import (
    ALIVE,
    Denial,
    Denied,
    Order,
    OrderEvent,
    OrderStatus,
    after,
    placed_first,
)
from betteroms.domain.position import LedgerEntry, Position
from betteroms.domain.risk import Account
from betteroms.domain.risk.history import NOTHING, History
from betteroms.domain.run import INTERRUPTED, EarlierRun, RunStatus, refuse_repetition
from betteroms.domain.terms import Mode
from betteroms.ports import Fact, OrderBounds, Payload, Run, RunInputs, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run as its row would stand: the latest attempt, and how it ended."""

    run: Run
    completed_at: datetime | None = None
    error: str | None = None
    summary: Mapping[str, Any] | None = None


class MemoryLedger:
    """Keeps the promises of `ports.Ledger` for as long as the process lives.

    The readers (`orders()` and so on) show what is committed, in an order that does not change.
    """

    def __init__(self) -> None:
        self._runs: dict[RunId, KeptRun] = {}
        self._openings = {mode: Opening() for mode in Mode}
        self._told: dict[Mode, Snapshot] = {}
        self._kept = State()
        self._work = self._kept
        self._run: Run | None = None
        self._inputs: RunInputs | None = None
        self._payloads: dict[BookId, Payload] = {}

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
        seed(state, snapshot)
        state.executions = [execution for executions in state.fills.values() for execution in executions]
        state.positions = {(mode, token): position for token, position in snapshot.positions.items()}
        state.memory[mode] = LiquidityMemory(snapshot.taken if taken is None else taken)
        state.sequence = snapshot.sequence
        state.rules = {(mode, token): rules for token, rules in snapshot.rules.items()}
        state.bounds = dict(snapshot.bounds)
        state.quotes = {(mode, token): quote for token, quote in snapshot.quotes.items()}
        state.entries = {entry.key: entry for paid in snapshot.settlements.values() for entry in paid}
        ledger._told[mode] = snapshot
        cash, shares = reserved(ledger._alive(mode))
        promised = account.reserved_shares
        ledger._openings[mode] = Opening(
            cash=account.cash - cash_moved(snapshot.positions.values()),
            reserved_cash=account.reserved_cash - cash,
            reserved_shares={token: size - shares.get(token, 0) for token, size in promised.items()},
            deposit=snapshot.opening_cash,
            deposited=snapshot.deposited,
            fees=snapshot.fees - sum(position.fees for position in snapshot.positions.values()),
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
                    scheduled_at=run.scheduled_at,
                    tied_up=_tied_up(kept.summary),
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
            if entry.key not in self._kept.entries:
                self._kept.note(entry)
        self._work = self._kept.copy()
        self._run = run
        return run

    def touched(self, mode: Mode, *, settled_since: datetime) -> Sequence[MarketId]:
        """See `ports.Ledger.touched`."""
        found = {p.market_id for p in self.positions() if p.mode is mode and p.size}
        found.update(order.intent.market_id for order in self._alive(mode))
        found.update(order.intent.market_id for order in unsettled(self._kept, mode))
        found.update(
            entry.market_id
            for entry in self._kept.entries.values()
            if entry.mode is mode and entry.market_id is not None and entry.at >= settled_since
        )
        return sorted(found)

    def snapshot(
        self,
        mode: Mode,
        *,
        markets: Collection[MarketId],
        orders: Collection[OrderId],
        at: datetime | None = None,
        valued: bool = False,
    ) -> Snapshot:
        """See `ports.Ledger.snapshot`. What this run has pending is not in it."""
        state, chosen = self._kept, frozenset(markets)
        alive = self._alive(mode)
        everything = [p for p in self.positions() if p.mode is mode]
        positions = {p.token_id: p for p in everything if p.market_id in chosen}
        known = {name: state.orders[name] for name in orders if name in state.orders}
        resting = sorted((o for o in alive if o.intent.market_id in chosen), key=placed_first)
        tilted = self._tilted(mode, chosen) if valued else past.LEVEL
        return Snapshot(
            mode=mode,
            account=self._account(mode, alive, everything, chosen),
            positions=positions,
            open_orders=resting,
            taken=state.memory[mode].rows(sorted(chosen)),
            known=known,
            executions={name: state.fills[name] for name in known if name in state.fills},
            sequence=state.sequence,
            opening_cash=self._opening_cash(mode),
            rules={
                token: rules
                for (kept, token), rules in sorted(state.rules.items())
                if kept is mode and rules.market_id in chosen
            },
            bounds={o.order_id: state.bounds[o.order_id] for o in resting if o.order_id in state.bounds},
            history=NOTHING if at is None else self._history(mode, at, chosen, alive, everything),
            quotes={token: state.quotes[mode, token] for token in positions if (mode, token) in state.quotes},
            tilts=tilted.tilts,
            worths=tilted.worths,
            elsewhere=tilted.elsewhere,
            settlements=settlements(state.entries.values(), mode, chosen),
            settling=settling(state, mode, chosen, resting),
            deposited=Usdc(self._openings[mode].deposited + deposited(self._kept.entries.values(), mode)),
            fees=Usdc(self._openings[mode].fees + sum(p.fees for p in everything)),
        )

    def _history(
        self,
        mode: Mode,
        at: datetime,
        chosen: Collection[MarketId],
        alive: Sequence[Order],
        positions: Sequence[Position],
    ) -> History:
        told = self._told.get(mode)
        if told is not None:
            return told.history  # a seeded ledger cannot know better
        return past.history(self._kept, mode, at, markets=chosen, alive=alive, positions=positions)

    def _tilted(self, mode: Mode, chosen: Collection[MarketId]) -> past.Tilted:
        told = self._told.get(mode)
        if told is not None:
            return past.Tilted(told.tilts, told.worths, told.elsewhere)
        return past.tilted(self._kept, mode, chosen)

    def _opening_cash(self, mode: Mode) -> Usdc | None:
        first = next((entry.cash for entry in self._kept.entries.values() if entry.mode is mode), None)
        known = self._openings[mode].deposit
        return first if known is None else known

    def observe(self, inputs: RunInputs, payloads: Iterable[Payload]) -> None:
        """See `ports.Ledger.observe`."""
        run = self._opened()
        self._work.memory[run.mode].observe_all(inputs.books.values(), inputs.markets)
        # The rest is written at the run's end, wherever its orders go.
        self._inputs = inputs
        self._payloads.update((payload.payload_id, payload) for payload in payloads)

    def known_as(self, names: Collection[str]) -> Mapping[str, Order]:
        """See `ports.Ledger.known_as`."""
        known = self._kept.known_as()
        return {name: known[name] for name in names if name in known}

    def proven(self, wallet: str) -> frozenset[str]:
        """See `ports.Ledger.proven`."""
        return frozenset(self._kept.proven.get(wallet, ()))

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

    def apply(self, events: Sequence[OrderEvent], *, sends_out: bool = False) -> Sequence[Order]:
        """See `ports.Ledger.apply`. The orders come in the order of their news."""
        self._opened()
        if sends_out:
            self._kept = self._work
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

    def note(self, facts: Sequence[Fact], /) -> None:
        """See `ports.Ledger.note`."""
        run = self._opened()
        for _, alike in groupby(facts, type):
            external: list[ExternalFill] = []
            for fact in alike:
                if isinstance(fact, ExternalFill):
                    external.append(fact)
                else:
                    self._work.note(fact)
            if external:
                self._adopt(external, run)

    def _adopt(self, fills: Sequence[ExternalFill], run: Run) -> None:
        """Book fills that no order of ours explains."""
        known, told = self._work.known_as(), fill_names(self._work.executions)
        orders, events = adopt(fills, known=known, told=told, run_id=run.run_id, at=run.now)
        self._work.orders.update((order.order_id, order) for order in orders)
        self.apply(events)

    def end_interrupted(self, at: datetime) -> Sequence[RunId]:
        """See `ports.Ledger.end_interrupted`."""
        found = [kept.run for kept in self._runs.values() if kept.run.status is RunStatus.RUNNING]
        for run in found:
            self._end(run, RunStatus.FAILED, completed_at=max(at, run.started_at), error=INTERRUPTED)
        return [run.run_id for run in found]

    def abandon_run(self, run_id: RunId, *, at: datetime) -> None:
        """See `ports.Ledger.abandon_run`."""
        kept = self._runs[run_id]
        if kept.run.status is RunStatus.FAILED:
            ended = replace(kept.run, status=RunStatus.ABANDONED)
            self._runs[run_id] = replace(kept, run=ended, completed_at=max(at, kept.run.started_at))

    def close_run(self, run: Run, summary: Mapping[str, Any], *, completed_at: datetime) -> None:
        """See `ports.Ledger.close_run`."""
        self._work.keep(run.mode, self._inputs, self._payloads)
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
        self._inputs = None
        self._payloads = {}

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
        return list(self._kept.entries.values())

    def taken(self) -> dict[Mode, list[Taken]]:
        """The liquidity memory of each mode, by market and price."""
        return {mode: memory.rows() for mode, memory in self._kept.memory.items()}

    def runs(self) -> list[KeptRun]:
        """All runs, by id."""
        return [kept for _, kept in sorted(self._runs.items())]

    def facts(self) -> list[Fact]:
        """What stands besides orders and entries: rules, bounds and snapshots, by key."""
        state = self._kept
        return [
            *(rules for _, rules in sorted(state.rules.items())),
            *(OrderBounds(mode=state.orders[n].mode, bounds=b) for n, b in sorted(state.bounds.items())),
            *(taken for _, taken in sorted(state.snapshots.items())),
        ]

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
        cash, shares = reserved(alive)
        for token, size in opening.reserved_shares.items():
            shares[token] = shares.get(token, 0) + size
        return Account(
            cash=Usdc(opening.cash + deposited(self._kept.entries.values(), mode) + cash_moved(positions)),
            reserved_cash=Usdc(opening.reserved_cash + cash),
            held={p.token_id: p.size for p in positions if p.size and p.market_id in chosen},
            reserved_shares={token: Size(size) for token, size in sorted(shares.items()) if size},
        )


def _tied_up(summary: Mapping[str, Any] | None) -> int | None:
    told = (summary or {}).get("result", {}).get("totals", {}).get("tiedUp")
    return None if told is None else to_micros(told)
