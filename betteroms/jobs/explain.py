"""One order's whole story: what was asked, what it saw, why it was allowed or refused, what became of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final, Protocol

from betteroms.domain.book import Book, Level
from betteroms.domain.execution import Execution
from betteroms.domain.external import SOURCE
from betteroms.domain.fees import ASSUMED, FeeSchedule, fee
from betteroms.domain.ids import BookId, RunId
from betteroms.domain.market import Market
from betteroms.domain.money import half_to_text, to_text
from betteroms.domain.order import Order, OrderStatus, reserved_cash, reserved_shares
from betteroms.domain.risk.exposure import worst_fee, worst_notional
from betteroms.domain.rounding import Shaped
from betteroms.domain.terms import Liquidity, Side
from betteroms.jobs import aftermath, told
from betteroms.jobs.lookup import the_order
from betteroms.records import EventRecord, OrderRecord, Records, RunDetail, Settled

LEVELS_SHOWN: Final = 5


class Reader(Protocol):
    """Reads kept payloads as they were read when they came."""

    def book(self, body: bytes, *, received_at: datetime, recorded: bool) -> Book: ...

    def market(self, body: bytes, *, recorded: bool) -> Market: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the order's run read of its market and token; None where it was not kept."""

    entry: Mapping[str, Any] | None
    book: Book | None
    market: Market | None


def explain(records: Records, prefix: str, reader: Reader) -> dict[str, Any]:
    """The story of the order whose id begins so.

    Raises:
        NotFound, Ambiguous: see `lookup.the_order`.
    """
    record = the_order(records, prefix)
    order, run = record.order, records.run(record.order.run_id)
    seen = _seen(records, reader, order, run)
    events = records.events(order.order_id)
    during = aftermath.passes(records, order, events)
    filled = aftermath.fills(events, during)
    executions = records.executions(order.order_id)
    settled = records.settled(order.order_id) if order.external_order_id is not None else {}
    return {
        "order": told.order(record),
        "run": told.run(run.record),
        "asWritten": _as_written(records, order, run),
        "asUnderstood": told.wished(order),
        "book": _book(seen),
        "verdict": _verdict(record, seen),
        "events": [_event(event, during, executions) for event in events],
        "executions": [
            {
                **told.execution(execution),
                "feeRule": _fee_rule(execution, _schedule(order, seen)),
                **filled.get(execution.number, {"runId": None, "bookId": None}),
                "settlement": _settlement(settled.get(execution.external_execution_id or "")),
            }
            for execution in executions
        ],
        "laterBooks": [
            {"runId": later.record.run_id, "kind": later.record.kind, **_book_told(entry, book)}
            for later, entry, book in aftermath.later_books(records, reader, order, filled)
        ],
        "ending": aftermath.ending(order, events, during),
        "exit": aftermath.exit_of(records, order),
        "bounds": aftermath.bounds_of(records, order),
        "reserves": {"cash": to_text(reserved_cash(order)), "shares": to_text(reserved_shares(order))},
        "expiresAt": told.maybe_instant(order.expires_at),
        "exitRules": told.exit_rules(order.intent.exit_rules),
        "standingRules": aftermath.standing(records, order),
    }


def _seen(records: Records, reader: Reader, order: Order, run: RunDetail) -> _Seen:
    inputs = run.inputs or {}
    entry = inputs.get("books", {}).get(order.intent.token_id)
    row_id = inputs.get("markets", {}).get(order.intent.market_id)
    recorded = bool(entry and entry["recorded"])
    row = records.payload(BookId(row_id)) if row_id else None
    return _Seen(
        entry=entry,
        book=aftermath.kept_book(records, reader, entry, order.intent.token_id) if entry else None,
        market=None if row is None else reader.market(row, recorded=recorded),
    )


def _as_written(records: Records, order: Order, run: RunDetail) -> Any:
    """The instruction as its file had it; None where it came from no plan or the plan was not kept."""
    line = order.intent.line
    if line is None or run.plan_payload_id is None:
        return None
    body = records.payload(run.plan_payload_id)
    if body is None:
        return None
    plan = json.loads(body.decode("utf-8-sig"), parse_float=str)
    return plan["tradeInstructions"][line]


def _book(seen: _Seen) -> dict[str, Any] | None:
    return None if seen.book is None or seen.entry is None else _book_told(seen.entry, seen.book)


def _book_told(entry: Mapping[str, Any], book: Book) -> dict[str, Any]:
    """A book's best levels, with what the inputs of the run that read it say of it."""
    doubled = book.mid_doubled
    return {
        "bookId": book.book_id,
        "receivedAt": told.instant(book.received_at),
        "hashCheck": entry["hashCheck"],
        "recorded": entry["recorded"],
        "mirrored": entry["mirrored"],
        "bids": [_level(level) for level in book.bids[:LEVELS_SHOWN]],
        "asks": [_level(level) for level in book.asks[:LEVELS_SHOWN]],
        "bidLevels": len(book.bids),
        "askLevels": len(book.asks),
        "mid": None if doubled is None else half_to_text(doubled),
    }


def _level(level: Level) -> dict[str, str]:
    return {"price": to_text(level.price), "size": to_text(level.size)}


def _verdict(record: OrderRecord, seen: _Seen) -> dict[str, Any]:
    """What the risk module said; for a BUY it allowed, the most that it may cost."""
    order = record.order
    verdict: dict[str, Any] = {
        # Of what was placed elsewhere nobody here said anything.
        "allowed": None if order.intent.source == SOURCE else order.status is not OrderStatus.DENIED,
        "code": order.code if order.status is OrderStatus.DENIED else None,
        "detail": (order.reason or None) if order.status is OrderStatus.DENIED else None,
        "exempt": "EXEMPT_REDUCING" if order.exempt else None,
        "worstNotional": None,
        "worstFee": None,
        "need": None,
    }
    sized = order.amount is not None and order.limit_price is not None
    if not verdict["allowed"] or not sized or order.intent.side is not Side.BUY or seen.market is None:
        return verdict
    assert order.amount is not None
    assert order.limit_price is not None
    shaped = Shaped(amount=order.amount, limit_price=order.limit_price)
    notional = worst_notional(shaped)
    charged = worst_fee(shaped, seen.market, seen.book.best_ask if seen.book else None)
    return {
        **verdict,
        "worstNotional": to_text(notional),
        "worstFee": to_text(charged),
        "need": to_text(notional + charged),
    }


def _settlement(found: Settled | None) -> dict[str, Any] | None:
    """How far a fill has come on the chain; None where it is none of the venue's."""
    return None if found is None else {"state": found.state.value, "transaction": found.transaction_hash}


def _event(
    event: EventRecord, during: Mapping[int, RunId], executions: Sequence[Execution]
) -> dict[str, Any]:
    return {
        "sequence": event.sequence,
        "at": told.instant(event.at),
        "event": event.event_type,
        "actor": event.actor,
        "runId": event.run_id,
        "inRun": during.get(event.sequence),
        "data": _data(event, executions),
    }


def _data(event: EventRecord, executions: Sequence[Execution]) -> dict[str, Any]:
    """An event's payload; audit rows keep a fill's numbers as millionths, people read dollars."""
    data = dict(event.data)
    if event.event_type == "order_reversed":
        data["executions"] = [
            {"number": e.number, "price": to_text(e.price), "size": to_text(e.size), "fee": to_text(e.fee)}
            for e in executions
            if e.number in data["executions"]
        ]
    if event.event_type == "order_filled":
        data["executions"] = [
            {"number": number, "price": to_text(price), "size": to_text(size), "fee": to_text(charged)}
            for number, price, size, charged in data["executions"]
        ]
        data["taken"] = [{"price": to_text(price), "size": to_text(size)} for price, size in data["taken"]]
    return data


def _schedule(order: Order, seen: _Seen) -> FeeSchedule | None:
    """What the run took the market to charge; None where that is not known any more."""
    if seen.market is not None:
        return seen.market.fees
    assumed = any(adjustment.code == "FEES_ASSUMED" for adjustment in order.adjustments)
    return ASSUMED if assumed else None


def _fee_rule(execution: Execution, schedule: FeeSchedule | None) -> str:
    """How the fee came about, in numbers that can be checked by hand."""
    if execution.size < 0:
        return "given back with the fill that failed"
    if execution.liquidity is Liquidity.MAKER:
        return "makers pay none"
    if schedule is None:
        return "the market's row was not kept"
    if schedule.rate == 0:
        return "this market charges none"
    size = abs(execution.size)
    product = _product(schedule, price=execution.price, size=size)
    power = f"^{schedule.exponent}" if schedule.exponent != 1 else ""
    price = to_text(execution.price)
    rule = (
        f"{to_text(size)} x {to_text(schedule.rate)} x ({price} x (1 - {price})){power} = {product}, "
        "floored at five decimals"
    )
    computed = fee(schedule, price=execution.price, size=execution.size, liquidity=execution.liquidity)
    if computed != execution.fee:
        return f"{rule}; but {to_text(execution.fee)} was charged"
    if execution.fee == 10 and Decimal(product) < Decimal("0.00001"):
        return f"{rule}, at least 0.00001"
    return f"{rule}; the rate was assumed" if schedule.assumed else rule


def _product(schedule: FeeSchedule, *, price: int, size: int) -> str:
    """The formula's exact value, before it is floored."""
    with localcontext() as context:
        context.prec = 60
        one = Decimal(1_000_000)
        p, shares, rate = Decimal(price) / one, Decimal(size) / one, Decimal(schedule.rate) / one
        value = shares * rate * (p * (1 - p)) ** schedule.exponent
        return f"{value.normalize():f}"
