"""Runs of the corridor taken apart: what a job hands over, piece by piece."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from betteroms.adapters.memory import MemoryLedger
from betteroms.domain.book import Book
from betteroms.domain.ids import OrderId, TokenId, order_id, run_id
from betteroms.domain.intent import Cancel, Intent
from betteroms.domain.liquidity import LiquidityMemory
from betteroms.domain.market import Market
from betteroms.domain.money import Price, Size, Usdc
from betteroms.domain.order import Denial
from betteroms.domain.position import EntryKind, LedgerEntry, Position
from betteroms.domain.risk import Account, Limits
from betteroms.domain.risk.permits import Permits
from betteroms.domain.terms import Mode, SellFrom
from betteroms.executors.paper import PaperExecutor, PaperSettings
from betteroms.pipeline import Outcome, Pipeline, World, see
from betteroms.ports import Executor, Run, RunInputs, Snapshot
from tests.domain.examples import BOOK_MS, NOW, YES, a_book, a_market, usdc

MakeExecutor = Callable[[World, LiquidityMemory, datetime], Executor]


def a_run(name: str = "a-plan", *, now: datetime = NOW) -> Run:
    """A paper run of a plan; its attempt is the ledger's to say."""
    return Run(
        run_id=run_id(Mode.PAPER, "trade", name),
        kind="trade",
        mode=Mode.PAPER,
        plan_id=name,
        plan_file=None,
        content_hash="c0ffee",
        now=now,
        scheduled_at=now,
        started_at=now,
        engine_version="0",
        settings={},
    )


def a_ledger(*, cash: str = "1000", held: Mapping[TokenId, Size] | None = None) -> MemoryLedger:
    """A ledger with cash and shares to begin with."""
    shares = dict(held or {})
    market = a_market()
    return MemoryLedger.seeded(
        Snapshot(
            mode=Mode.PAPER,
            account=Account(cash=usdc(cash), held=shares, reserved_shares={}),
            positions={
                token: Position(mode=Mode.PAPER, market_id=market.market_id, token_id=token, size=amount)
                for token, amount in shares.items()
            },
            open_orders=[],
            taken=[],
            known={},
            executions={},
        )
    )


def a_new_ledger(*, cash: str) -> MemoryLedger:
    """A ledger that knows all of its past: cash was paid in, and nothing else happened."""
    ledger = MemoryLedger()
    paid_in = LedgerEntry(key="opening", mode=Mode.PAPER, kind=EntryKind.DEPOSIT, cash=usdc(cash), at=NOW)
    ledger.close_run(ledger.open_run(a_run("opening"), [paid_in]), {}, completed_at=NOW)
    return ledger


def on_paper(world: World, memory: LiquidityMemory, now: datetime) -> Executor:
    """The paper executor, as it is wired."""
    return PaperExecutor(
        markets=world.markets,
        books=world.books,
        rules={token: rules for token, rules in world.rules.items() if not isinstance(rules, Denial)},
        memory=memory,
        settings=PaperSettings(),
        now=now,
    )


class Attempt:
    """One run that has been opened and has seen its books."""

    def __init__(
        self,
        ledger: MemoryLedger,
        *,
        book: Book | None = None,
        asking: Collection[OrderId] = (),
        name: str = "a-plan",
        now: datetime = NOW,
        market: Market | None = None,
        executor: MakeExecutor = on_paper,
        limits: Limits | None = None,
        stop_on_refusal: bool = False,
        approved: Mapping[OrderId, Price] | None = None,
        past: bool = False,
        sell_from: SellFrom = SellFrom.MINED,
        permits: Permits | None = None,
    ) -> None:
        known = a_market() if market is None else market
        books = {} if book is None else {book.token_id: book}
        self.ledger = ledger
        self.run = ledger.open_run(a_run(name, now=now))
        self.snapshot = ledger.snapshot(
            Mode.PAPER, markets=[known.market_id], orders=list(asking), at=now if past else None
        )
        self.world = see([known], books)
        ledger.observe(RunInputs(books=books, markets={known.market_id: known}), [])
        memory = LiquidityMemory(self.snapshot.taken)
        memory.observe_all(books.values(), {known.market_id: known})
        self.pipeline = Pipeline(
            run=self.run,
            world=self.world,
            snapshot=self.snapshot,
            ledger=ledger,
            executor=executor(self.world, memory, now),
            limits=Limits() if limits is None else limits,
            stop_on_refusal=stop_on_refusal,
            approved=approved,
            sell_from=sell_from,
            permits=permits,
        )

    def carry_out(self, wishes: Iterable[Intent | Cancel]) -> Outcome:
        """Settle, run and close, as a job does."""
        self.pipeline.settle()
        outcome = self.pipeline.run(wishes)
        self.ledger.close_run(self.run, {}, completed_at=self.run.now)
        return outcome


def names(wishes: Sequence[Intent]) -> list[OrderId]:
    """The ids of the orders that these wishes become."""
    return [order_id(wish.key) for wish in wishes]


def later_book(*, minutes: int = 60, bids: str = "", asks: str = "") -> Book:
    """A newer book of the first outcome."""
    return replace(a_book(token_id=YES, bids=bids, asks=asks), changed_at_ms=BOOK_MS + 60_000 * minutes)


def dollars_left(ledger: MemoryLedger) -> tuple[Usdc, Usdc]:
    """Cash, and what of it is reserved."""
    account = ledger.snapshot(Mode.PAPER, markets=[a_market().market_id], orders=[]).account
    return account.cash, account.reserved_cash
