"""One pass through the corridor: what it saw, and what the ledger has to keep besides orders and fills.

Trading a plan and maintaining what was traded are the same pass with different wishes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from betteroms.domain import bounds
from betteroms.domain.bounds import FillBounds
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId, key
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import Price
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.position import EntryKind, LedgerEntry, Position, fold
from betteroms.domain.risk import Limits
from betteroms.domain.risk.permits import Permits
from betteroms.domain.rule import RuleSet
from betteroms.jobs import gather
from betteroms.jobs.desk import Desk
from betteroms.jobs.endings import GAME_STARTED
from betteroms.pipeline import Outcome, Pipeline, World, see
from betteroms.ports import Fact, Ledger, OrderBounds, Run, RunInputs, Snapshot
from betteroms.sources.rules import adopted, bringing


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A corridor ready to walk: the world and the ledger's state as this run sees them."""

    run: Run
    ledger: Ledger
    snapshot: Snapshot
    world: World
    pipeline: Pipeline


def enter(
    desk: Desk,
    ledger: Ledger,
    run: Run,
    *,
    snapshot: Snapshot,
    markets: Mapping[MarketId, Market],
    tokens: Collection[TokenId],
    limits: Limits,
    stop_on_refusal: bool = False,
    approved: Mapping[OrderId, Price] | None = None,
    names: Mapping[str, MarketId] | None = None,
    permits: Permits | None = None,
) -> Passage:
    """Read the books, keep what was read, and stand at the corridor's door.

    `names` are those by which the markets were asked for, `permits` what the venue lets us do.
    """
    desk.show("reading books")
    books = gather.books_of(desk.market_data, tokens, markets)
    world = see(markets.values(), books)
    ledger.observe(
        RunInputs(books=books, markets=markets, names=_untold(names or {}, markets)), desk.archive.payloads()
    )
    memory = LiquidityMemory(snapshot.taken)
    memory.observe_all(books.values(), markets)
    pipeline = Pipeline(
        run=run,
        world=world,
        snapshot=snapshot,
        ledger=ledger,
        executor=desk.executor(world, memory, run.now, snapshot),
        limits=limits,
        stop_on_refusal=stop_on_refusal,
        approved=approved,
        sell_from=desk.sell_from,
        permits=permits,
    )
    return Passage(run=run, ledger=ledger, snapshot=snapshot, world=world, pipeline=pipeline)


def _untold(names: Mapping[str, MarketId], markets: Mapping[MarketId, Market]) -> dict[str, MarketId]:
    """The names that nobody can read off the markets themselves, such as an id in another spelling."""
    return {name: found for name, found in names.items() if name not in (found, markets[found].slug)}


def note_consequences(
    passage: Passage, outcome: Outcome, *, rules: Mapping[TokenId, RuleSet]
) -> Sequence[FillBounds]:
    """Keep what follows from the pass: fill bounds, and the exit rules that filled orders carry.

    `rules` are those in force by now. Returned are the bounds that changed, of orders of earlier runs.
    """
    snapshot, mode = passage.snapshot, passage.run.mode
    moved = {order.order_id: order for order in outcome.settled}
    world = passage.world
    there = [order for order in snapshot.open_orders if not _gone_before(moved.get(order.order_id), world)]
    changed = bounds.watch(snapshot.bounds, before=there, moved=moved, books=world.books)
    facts: list[Fact] = [OrderBounds(mode=mode, bounds=found) for found in changed]
    for order in outcome.orders:
        book = world.books.get(order.intent.token_id)
        # What the venue fills is a fact: only what rests on paper might have been filled otherwise.
        rests = order.status is OrderStatus.OPEN and order.sending_at is None
        if rests and order.order_id not in snapshot.known and book is not None:
            facts.append(OrderBounds(mode=mode, bounds=bounds.at_rest(order, book)))
    traded = bringing(outcome.settled, before=snapshot.open_orders)
    facts.extend(adopted([*traded, *outcome.orders], rules, mode=mode))
    if facts:
        passage.ledger.note(facts)
    return changed


def _gone_before(moved: Order | None, world: World) -> bool:
    """Whether an order of an earlier run had ended before its token's book became what it is now."""
    if moved is None or moved.code != GAME_STARTED:
        return False
    start = world.markets[moved.intent.market_id].game_starts_at
    book = world.books.get(moved.intent.token_id)
    return start is not None and book is not None and book.changed_at_ms >= start.timestamp() * 1000


def positions_after(
    run: Run, snapshot: Snapshot, fills: Sequence[Mapping[OrderId, Sequence[Execution]]]
) -> dict[TokenId, Position]:
    """What is held of each token once these fills are booked, in their order."""
    booked: dict[TokenId, list[Execution]] = {}
    for told in fills:
        for name, executions in told.items():
            if name not in snapshot.known:
                for execution in executions:
                    booked.setdefault(execution.token_id, []).append(execution)
    after = dict(snapshot.positions)
    for token, executions in booked.items():
        nothing = Position(mode=run.mode, market_id=executions[0].market_id, token_id=token)
        start = after.get(token, nothing)
        after[token] = fold(start, executions)
    return dict(sorted(after.items()))


def opening_entries(desk: Desk, run: Run) -> list[LedgerEntry]:
    """What the wallet started with: a deposit at first use, the same one for ever after."""
    return [
        LedgerEntry(
            key=key(desk.mode.value, "opening"),
            mode=desk.mode,
            kind=EntryKind.DEPOSIT,
            cash=desk.opening_cash,
            at=run.now,
            note="opening cash",
        )
    ]


def finished(desk: Desk, run: Run) -> datetime:
    """Now; never before the start, though the machine's clock may have been set back since."""
    return max(desk.clock.now(), run.started_at)


def timing(run: Run, end: datetime, *, world: World) -> dict[str, Any]:
    """What of a run depends on the wall clock, JSON-ready."""
    oldest = min((book.received_at for book in world.books.values()), default=None)
    quiet = [
        run.now - datetime.fromtimestamp(book.changed_at_ms / 1000, tz=run.now.tzinfo)
        for book in world.books.values()
        if book.changed_at_ms
    ]
    return {
        "startedAt": run.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "durationMs": (end - run.started_at) // timedelta(milliseconds=1),
        "oldestBookAgeMs": None if oldest is None else max((end - oldest) // timedelta(milliseconds=1), 0),
        "longestQuietSeconds": max((span // timedelta(seconds=1) for span in quiet), default=None),
        "attempt": run.attempt,
        "runId": run.run_id,
    }
