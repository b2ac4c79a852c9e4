"""Makers of what ledgers and executors are told: numbered markets, runs, the orders of a run, their fills."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import MarketId, OrderId, TokenId, content_id, order_id, plan_key, run_id
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import Size, Usdc
from betteroms.domain.order import Accepted, Filled, Order, OrderStatus, TakenLevel
from betteroms.domain.position import EntryKind, LedgerEntry
from betteroms.domain.terms import Amount, Mode, Side, TimeInForce
from betteroms.ports import Ledger, Payload, PayloadKind, Run, RunInputs, Snapshot
from tests.domain.examples import a_book, a_market, an_execution, an_intent, an_order, levels, shares, usdc

NOON = datetime(2026, 11, 20, 12, 0, 5, 123_456, tzinfo=UTC)
"""When most runs start: not on a whole second, since some columns would cut the rest off."""
SUMMARY: Mapping[str, Any] = {"result": {"totals": {"placed": 1}}, "timing": {"durationMs": 214}}


def market(number: int) -> Market:
    """One of many markets; its token ids are as long as token ids get."""
    first = 2**256 - 2 * number
    return a_market(
        market_id=MarketId(f"0x{number:064x}"),
        outcomes=tuple(
            Outcome(token_id=TokenId(str(first - index)), label=label)
            for index, label in enumerate(("Yes", "No"), start=1)
        ),
        slug=f"market-{number}",
        gamma_id=str(number),
    )


MARKETS = (market(1), market(2))
RAIN, SNOW = MARKETS


def token(of: Market, outcome_index: int = 0) -> TokenId:
    return of.outcomes[outcome_index].token_id


def book(
    of: Market = RAIN, *, outcome_index: int = 0, bids: str = "", asks: str = "", changed_at_ms: int = 1
) -> Book:
    """A book of one outcome; sides are written best first, as `"0.50x100 0.52x50"`."""
    token_id = token(of, outcome_index)
    return a_book(
        bids=bids, asks=asks, market_id=of.market_id, token_id=token_id, changed_at_ms=changed_at_ms
    )


def inputs(*books: Book, markets: Sequence[Market] = MARKETS) -> RunInputs:
    return RunInputs(books={book.token_id: book for book in books}, markets={m.market_id: m for m in markets})


def payload(body: bytes = b"{}", *, kind: PayloadKind = PayloadKind.BOOK, subject: str = "x") -> Payload:
    return Payload(payload_id=content_id(body), kind=kind, subject=subject, body=body)


def a_run(
    plan_id: str | None = "june", *, mode: Mode = Mode.PAPER, at: datetime = NOON, **changed: Any
) -> Run:
    """A run of a plan that opens at `at`; without a plan, of `maintain`."""
    kind = "trade" if plan_id is not None else "maintain"
    fields: dict[str, Any] = {
        "run_id": run_id(mode, kind, plan_id or at.isoformat()),
        "kind": kind,
        "mode": mode,
        "plan_id": plan_id,
        "plan_file": None if plan_id is None else f"plans/{plan_id}.json",
        "content_hash": None if plan_id is None else content_id(plan_id.encode()),
        "now": at,
        "scheduled_at": at.replace(second=0, microsecond=0),
        "started_at": at,
        "engine_version": "0.1.0",
        "settings": {"paperCash": "10000"},
    }
    return Run(**fields | changed)


def a_deposit(cash: str = "1000", *, mode: Mode = Mode.PAPER, key: str = "opening") -> LedgerEntry:
    return LedgerEntry(key=f"{mode}/{key}", mode=mode, kind=EntryKind.DEPOSIT, cash=usdc(cash), at=NOON)


def whole_snapshot(ledger: Ledger, mode: Mode = Mode.PAPER, *, orders: Sequence[OrderId] = ()) -> Snapshot:
    """The snapshot over all numbered markets."""
    return ledger.snapshot(mode, markets=[m.market_id for m in MARKETS], orders=orders)


def begin(ledger: Ledger, run: Run, *entries: LedgerEntry) -> Run:
    """Open a run as every job does: the row first, then the one look at the ledger's state."""
    opened = ledger.open_run(run, entries or [a_deposit(mode=run.mode)])
    whole_snapshot(ledger, run.mode)
    return opened


def finish(ledger: Ledger, run: Run) -> None:
    ledger.close_run(run, SUMMARY, completed_at=run.now + timedelta(seconds=1))


def give_up(ledger: Ledger, run: Run, error: str = "the venue is silent") -> None:
    ledger.fail_run(run, error, completed_at=run.now + timedelta(seconds=1))


def order_of(
    run: Run,
    *,
    line: int = 0,
    on: Market = RAIN,
    outcome_index: int = 0,
    side: Side = Side.BUY,
    amount: Amount | None = None,
    at: str = "0.50",
    tif: TimeInForce = TimeInForce.GTC,
    **changed: Any,
) -> Order:
    """A NEW order of a run: a BUY of 100 shares at 0.50 unless told otherwise."""
    plan_id = run.plan_id or run.run_id
    intent = an_intent(
        side=side,
        amount=amount or shares("100"),
        at=at,
        tif=tif,
        line=line,
        outcome_index=outcome_index,
        key=plan_key(run.mode, plan_id, line=line, ref=None),
        plan_id=plan_id,
        market_id=on.market_id,
        token_id=token(on, outcome_index),
    )
    fields: dict[str, Any] = {
        "order_id": order_id(intent.key),
        "mode": run.mode,
        "run_id": run.run_id,
        "created_at": run.now,
        "status": OrderStatus.NEW,
    }
    return an_order(intent, **fields | changed)


def accepted(order: Order, at: datetime | None = None) -> Accepted:
    return Accepted(order_id=order.order_id, at=at or order.created_at)


def fill(order: Order, size: str, at: str, *, number: int = 1, fee: str = "0", **changed: Any) -> Execution:
    """One fill of an order: `size` shares at the price `at`."""
    fields: dict[str, Any] = {
        "mode": order.mode,
        "market_id": order.intent.market_id,
        "token_id": order.intent.token_id,
        "executed_at": order.created_at,
    }
    return an_execution(
        side=order.intent.side,
        at=at,
        filled=size,
        fee=fee,
        number=number,
        order=order.order_id,
        **fields | changed,
    )


def filled(order: Order, *executions: Execution, taken: str = "", complete: bool = False) -> Filled:
    """One act of matching; `taken` is what it took from which levels, as `"0.50x100"`."""
    return Filled(
        order_id=order.order_id,
        at=order.created_at,
        market_id=order.intent.market_id,
        executions=executions,
        taken=tuple(TakenLevel(price=level.price, size=level.size) for level in levels(taken)),
        book_id=content_id(b"a book") if taken else None,
        complete=complete,
    )


def opposite(execution: Execution, *, number: int) -> Execution:
    """The execution that takes another one back."""
    return replace(
        execution,
        number=number,
        size=Size(-execution.size),
        cash=Usdc(-execution.cash),
        fee=Usdc(-execution.fee),
        external_execution_id=None,
    )
