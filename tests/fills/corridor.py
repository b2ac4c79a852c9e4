"""Real runs over made-up markets: plans as text, the real pipeline, the paper executor, a ledger in dicts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from betteroms.adapters.memory import MemoryLedger
from betteroms.adapters.polymarket.parse import parse_book
from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId, order_id, run_id
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import Size, Usdc, to_text
from betteroms.domain.order import Denial, Order
from betteroms.domain.position import Position
from betteroms.domain.risk import Account, Limits
from betteroms.domain.terms import Mode
from betteroms.executors.paper import PaperExecutor, PaperSettings
from betteroms.pipeline import Outcome, Pipeline, see
from betteroms.ports import Run, RunInputs, Snapshot
from betteroms.sources.plan import intents, read_plan


def shown(
    market: Market,
    outcome_index: int,
    *,
    bids: Sequence[tuple[str, str]],
    asks: Sequence[tuple[str, str]],
    stamp_ms: int,
    received_at: datetime,
) -> Book:
    """A book as it is read from the venue's own bytes; levels (price, size) in whatever order they come."""
    raw = {
        "market": market.market_id,
        "asset_id": market.outcomes[outcome_index].token_id,
        "timestamp": str(stamp_ms),
        "bids": [{"price": price, "size": size} for price, size in bids],
        "asks": [{"price": price, "size": size} for price, size in asks],
        "min_order_size": to_text(market.minimum_size or 0),
        "tick_size": to_text(market.tick_size or 0),
    }
    return parse_book(raw, received_at=received_at, recorded=False)


class Corridor:
    """One account on paper, from run to run."""

    def __init__(
        self,
        markets: Iterable[Market],
        *,
        cash: Usdc,
        held: Mapping[TokenId, Size] | None = None,
        settings: PaperSettings | None = None,
    ) -> None:
        self.markets: dict[MarketId, Market] = {market.market_id: market for market in markets}
        self._settings = PaperSettings() if settings is None else settings
        owners = {o.token_id: m.market_id for m in self.markets.values() for o in m.outcomes}
        positions = {
            token: Position(mode=Mode.PAPER, market_id=owners[token], token_id=token, size=size)
            for token, size in (held or {}).items()
        }
        self.ledger = MemoryLedger.seeded(
            Snapshot(
                mode=Mode.PAPER,
                account=Account(cash=cash, held=dict(held or {}), reserved_shares={}),
                positions=positions,
                open_orders=[],
                taken=[],
                known={},
                executions={},
            )
        )
        self._runs = 0

    def run(
        self,
        instructions: Sequence[Mapping[str, Any]],
        *,
        books: Mapping[TokenId, Book],
        now: datetime,
        limits: Limits | None = None,
    ) -> Outcome:
        """Carry a plan of these instructions out over these books, as a trade run does."""
        self._runs += 1
        plan_id = f"plan-{self._runs}"
        document = {
            "planId": plan_id,
            "mode": "paper",
            "tradeInstructions": [dict(instruction) for instruction in instructions],
        }
        plan = read_plan(json.dumps(document).encode(), "a scenario")
        run = self.ledger.open_run(_run(plan_id, now))
        named = {market.slug or "": market for market in self.markets.values()}
        wishes = intents(plan, plan_id=plan.plan_id, mode=Mode.PAPER, markets=named)
        snapshot = self.ledger.snapshot(
            Mode.PAPER, markets=list(self.markets), orders=[order_id(wish.key) for wish in wishes]
        )
        world = see(self.markets.values(), books)
        self.ledger.observe(RunInputs(books=books, markets=self.markets), [])
        memory = LiquidityMemory(snapshot.taken)
        memory.observe_all(books.values(), self.markets)
        executor = PaperExecutor(
            markets=world.markets,
            books=world.books,
            rules={token: r for token, r in world.rules.items() if not isinstance(r, Denial)},
            memory=memory,
            settings=self._settings,
            now=now,
        )
        pipeline = Pipeline(
            run=run,
            world=world,
            snapshot=snapshot,
            ledger=self.ledger,
            executor=executor,
            limits=Limits() if limits is None else limits,
        )
        pipeline.settle()
        outcome = pipeline.run(wishes)
        self.ledger.close_run(run, {}, completed_at=now)
        # What the executor counted as taken while it worked is what the ledger booked from the events.
        assert self.ledger.taken()[Mode.PAPER] == memory.rows()
        return outcome

    def order(self, name: OrderId) -> Order:
        """An order as the ledger has it now."""
        (found,) = (order for order in self.ledger.orders() if order.order_id == name)
        return found

    def executions(self, name: OrderId) -> list[Execution]:
        """All fills of an order, in their order."""
        return [fill for fill in self.ledger.executions() if fill.order_id == name]


def _run(plan_id: str, now: datetime) -> Run:
    return Run(
        run_id=run_id(Mode.PAPER, "trade", plan_id),
        kind="trade",
        mode=Mode.PAPER,
        plan_id=plan_id,
        plan_file=None,
        content_hash=None,
        now=now,
        scheduled_at=now,
        started_at=now,
        engine_version="0",
        settings={},
    )
