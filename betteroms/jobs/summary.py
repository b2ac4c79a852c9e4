"""What a run came to, as JSON: `result` follows from the plan, the books and the state alone.

Nothing in `result` depends on the wall clock, so the same run recomputed gives the same bytes; what does
is in `timing`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.ids import TokenId
from betteroms.domain.market import Market
from betteroms.domain.money import cost, half_to_text, to_text
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.position import Position, mark, market_value
from betteroms.domain.terms import Dollars, Shares, Side
from betteroms.jobs.passage import positions_after
from betteroms.pipeline import Outcome, World
from betteroms.ports import Run, Snapshot

SCHEMA_VERSION = 1
VENUES = "VENUE_"
"""How codes begin for which the venue does not take an order, whatever its book is."""


def result(
    run: Run,
    outcome: Outcome,
    *,
    world: World,
    snapshot: Snapshot,
    names: Sequence[str],
    warnings: Sequence[str],
    status: str = "completed",
) -> dict[str, Any]:
    """The run's outcome; `names` are the marketIds as the plan wrote them, line by line."""
    instructions = [
        instruction(order, outcome.executions.get(order.order_id, ()), world.books, names)
        for order in outcome.orders
    ]
    return {
        "planId": run.plan_id,
        "mode": run.mode.value,
        "status": status,
        "instructions": instructions,
        "settled": [
            settled(order, outcome.settled_executions.get(order.order_id, ())) for order in outcome.settled
        ],
        "totals": totals(outcome, world.books),
        "refused": refused(outcome.orders),
        "markets": markets(run, outcome, world, snapshot),
        "books": books(world.books),
        "warnings": list(warnings),
    }


def books(seen: Mapping[TokenId, Book]) -> list[dict[str, Any]]:
    """The books that a run decided on, by content."""
    return [
        {
            "tokenId": token,
            "bookId": book.book_id,
            "hashCheck": book.hash_check.value,
            "recorded": book.recorded,
            "mirrored": book.mirrored,
        }
        for token, book in seen.items()
    ]


def instruction(
    order: Order, executions: Sequence[Execution], seen: Mapping[TokenId, Book], names: Sequence[str]
) -> dict[str, Any]:
    """What became of one wish; `names` are the marketIds as the plan wrote them, by line."""
    intent, amount = order.intent, order.amount
    line = intent.line
    told: dict[str, Any] = {
        "line": line,
        "ref": intent.ref,
        "marketId": names[line] if line is not None and line < len(names) else intent.market_id,
        "tokenId": intent.token_id,
        "outcome": intent.outcome,
        "side": intent.side.value,
        "orderId": order.order_id,
        "status": order.status.value,
        "code": order.code,
        "reason": order.reason or None,
        "limitPrice": None if order.limit_price is None else to_text(order.limit_price),
        "size": to_text(amount.size) if isinstance(amount, Shares) else None,
        "dollars": to_text(amount.usdc) if isinstance(amount, Dollars) else None,
        "filledSize": to_text(order.filled_size),
        "executions": [fill(execution) for execution in executions],
    }
    book = seen.get(intent.token_id)
    if executions and book is not None and book.mid_doubled is not None:
        told["slippage"] = to_text(_slippage(executions, book.mid_doubled))
    if order.adjustments:
        told["adjustments"] = [str(adjustment) for adjustment in order.adjustments]
    if order.exempt:
        told["exempt"] = "EXEMPT_REDUCING"
    if intent.notes is not None:
        told["notes"] = intent.notes
    return told


def fill(execution: Execution) -> dict[str, str]:
    return {
        "price": to_text(execution.price),
        "size": to_text(execution.size),
        "fee": to_text(execution.fee),
        "liquidity": execution.liquidity.value,
    }


def settled(order: Order, executions: Sequence[Execution]) -> dict[str, Any]:
    """What became of an order of an earlier run."""
    return {
        "orderId": order.order_id,
        "marketId": order.intent.market_id,
        "tokenId": order.intent.token_id,
        "side": order.intent.side.value,
        "status": order.status.value,
        "code": order.code,
        "filledSize": to_text(order.filled_size),
        "executions": [fill(execution) for execution in executions],
    }


def _slippage(executions: Iterable[Execution], mid_doubled: int) -> int:
    """Millionths of a dollar paid over, or received under, the mid; rounded against us."""
    worse = sum(
        (2 * execution.price - mid_doubled) * execution.size * (1 if execution.side is Side.BUY else -1)
        for execution in executions
    )
    return -(-worse // 2_000_000)


def totals(outcome: Outcome, seen: Mapping[TokenId, Book]) -> dict[str, Any]:
    """The sums over the wishes of a run."""
    counts = dict.fromkeys(OrderStatus, 0)
    partly = placed = notional = fees = slippage = tied_up = 0
    for order in outcome.orders:
        counts[order.status] += 1
        placed += order.placed_at is not None
        partly += order.filled_size > 0 and order.status is not OrderStatus.FILLED
        tied_up += _worst_cost(order)
        executions = outcome.executions.get(order.order_id, ())
        if executions:
            notional += order.filled_cash
            fees += sum(execution.fee for execution in executions)
            book = seen.get(order.intent.token_id)
            if book is not None and book.mid_doubled is not None:
                slippage += _slippage(executions, book.mid_doubled)
    # Nobody ever fails to answer on paper, whose totals stay as they always were.
    unknown = counts[OrderStatus.UNCONFIRMED] + counts[OrderStatus.NEW]
    return {
        **({"unconfirmed": unknown} if unknown else {}),
        "placed": placed,
        "filled": counts[OrderStatus.FILLED],
        "partlyFilled": partly,
        "resting": counts[OrderStatus.OPEN],
        "canceled": counts[OrderStatus.CANCELED],
        "rejected": counts[OrderStatus.REJECTED],
        "denied": counts[OrderStatus.DENIED],
        "notional": to_text(notional),
        "fees": to_text(fees),
        "slippage": to_text(slippage),
        "tiedUp": to_text(tied_up),
    }


def not_taken(told: Mapping[str, Any]) -> int:
    """How many orders of a result we refused, or the venue.

    What its book alone decides is none of that: a post-only order that would cross, say.
    """
    by_the_venue: list[int] = [n for code, n in told["refused"].items() if code.startswith(VENUES)]
    return sum(by_the_venue, int(told["totals"]["denied"]))


def _worst_cost(order: Order) -> int:
    """What an opening order that was taken on may cost at its limit, fee apart; 0 for every other."""
    refused = order.status in (OrderStatus.DENIED, OrderStatus.REJECTED)
    if refused or order.intent.side is not Side.BUY or order.amount is None or order.limit_price is None:
        return 0
    if isinstance(order.amount, Dollars):
        return order.amount.usdc
    return cost(order.limit_price, order.amount.size)


def refused(orders: Iterable[Order]) -> dict[str, int]:
    """How many instructions each code refused, by us or by the venue's rules."""
    codes: dict[str, int] = {}
    for order in orders:
        if order.status in (OrderStatus.DENIED, OrderStatus.REJECTED) and order.code:
            codes[order.code] = codes.get(order.code, 0) + 1
    return dict(sorted(codes.items()))


def markets(run: Run, outcome: Outcome, world: World, snapshot: Snapshot) -> list[dict[str, Any]]:
    rows = []
    fills = (outcome.settled_executions, outcome.executions)
    for token, position in positions_after(run, snapshot, fills).items():
        market = world.markets[position.market_id]
        rows.append(_market(market, token, position, world.books.get(token)))
    return sorted(rows, key=lambda row: (row["marketId"], row["tokenId"]))


def _market(market: Market, token: TokenId, position: Position, book: Book | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "marketId": market.name,
        "tokenId": token,
        "outcome": market.outcomes[market.outcome_index(token)].label,
        "size": to_text(position.size),
        "costBasis": to_text(position.cost_basis),
        "realised": to_text(position.realised),
        "fees": to_text(position.fees),
        "unrealised": None,
        "mark": None,
        "markFlag": None,
    }
    if book is not None:
        marked = mark(best_bid=book.best_bid, best_ask=book.best_ask)
        row["unrealised"] = to_text(market_value(marked, position.size) - position.cost_basis)
        row["mark"] = half_to_text(marked.doubled)
        row["markFlag"] = marked.flag
    return row
