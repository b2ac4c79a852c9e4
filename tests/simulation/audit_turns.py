"""The auditor's look at resting orders: whose turn it was, and what their fills might have been."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.audit_books import Shown, books_of
from tests.simulation.audit_endings import game_start, rows_of
from tests.simulation.audit_tables import MICROS, PAPER_LIKE, Row, Tables, Window

Turn = tuple[int, object, int, str]


def turn(order: Row) -> Turn:
    """Better prices first, then older orders; two on either outcome that want the same compete."""
    price = order["limit_price"]
    better = -price if order["side"] == "BUY" else price - MICROS
    return (better, order["placed_at"], order["line"] or 0, order["order_id"])


def check_turns(tables: Tables) -> Iterator[str]:
    """Nobody was filled before, or instead of, an order of ours whose turn it was."""
    for window in tables.windows:
        if window.run["mode"] not in PAPER_LIKE:
            continue
        fills: dict[tuple[str, bool], list[Row]] = {}
        books: Mapping[str, Shown] | None = None
        for event in tables.events_in(window):
            order = tables.order.get(event["entity_id"])
            if event["event_type"] != "order_filled" or order is None or not _rested(order, window):
                continue
            books = books or books_of(tables, window)
            if order["token_id"] in books:
                fills.setdefault(_queue(order, books), []).append(order)
        waiting: dict[tuple[str, bool], list[Row]] = {}
        for order in tables.open_at(window.run["mode"], window.last) if books else ():
            if books and order["token_id"] in books and _rested(order, window):
                waiting.setdefault(_queue(order, books), []).append(order)
        for queue, filled in fills.items():
            yield from _wrong_turns(window, filled, waiting.get(queue, []), books or {})


def _rested(order: Row, window: Window) -> bool:
    """Whether the order was there before the run."""
    return bool(order["run_id"] != window.run["run_id"])


def _queue(order: Row, books: Mapping[str, Shown]) -> tuple[str, bool]:
    """Orders wait in one queue where they want the same side of the same liquidity."""
    book = books[order["token_id"]]
    return book.payload_id, (order["side"] == "BUY") == (book.index == 0)


def _wrong_turns(
    window: Window, filled: list[Row], waiting: list[Row], books: Mapping[str, Shown]
) -> Iterator[str]:
    turns = [turn(order) for order in filled]
    if turns != sorted(turns):
        yield f"run at {window.run['now']:%d %H:%M}: resting orders were filled out of turn"
    last = max(filled, key=turn)
    for order in waiting:
        # What is left of the last to be filled waits rightly; whoever came before it should have had it all.
        if turn(order) < turn(last) and not _beyond(order, books[order["token_id"]]):
            yield f"order {order['order_id']}: still waits though {last['order_id']}, behind it, was filled"


def _beyond(order: Row, book: Shown) -> bool:
    """Whether this book cannot fill the order any more."""
    return order["expires_at"] is not None and book.stamp >= order["expires_at"].timestamp() * 1000


@dataclass(kw_only=True)
class Bounds:
    """Shares that would be filled at worst and at best."""

    at_once: int
    ahead: int
    pessimistic: int
    optimistic: int


def check_bounds(tables: Tables) -> Iterator[str]:
    """How resting orders might have filled, from the books that runs saw, is what the table holds."""
    made: dict[str, Bounds] = {}
    for window in tables.windows:
        if window.run["mode"] not in PAPER_LIKE:
            continue
        books = books_of(tables, window)
        rows = rows_of(tables, window)
        before = tables.open_at(window.run["mode"], window.first)
        for order in before:
            bounds, row = made.get(order["order_id"]), rows.get(order["market_id"])
            if bounds is not None and row is not None:
                book = books.get(order["token_id"])
                if book is not None and _of_the_game(window, order, row, book):
                    book = None
                _watch(tables, window, order, bounds, book)
        for order in tables.open_at(window.run["mode"], window.last):
            if order["run_id"] == window.run["run_id"]:
                made[order["order_id"]] = _at_rest(tables, window, order, books[order["token_id"]])
    stored = {row["order_id"]: row for row in tables.bounds}
    for name in sorted(made.keys() | stored.keys()):
        yield from _wrong_bounds(tables, name, made.get(name), stored.get(name))


def _of_the_game(window: Window, order: Row, row: Mapping[str, Any], book: Shown) -> bool:
    """Whether the venue had cleared the order away when this book came to be."""
    start = game_start(row)
    if start is None or not order["placed_at"] < start <= window.run["now"]:
        return False
    return book.stamp >= start.timestamp() * 1000


def _filled(tables: Tables, order: Row, sequence: int) -> int:
    return sum(fill["size"] for fill in tables.fills_of(order["order_id"]) if fill["sequence"] < sequence)


def _at_rest(tables: Tables, window: Window, order: Row, book: Shown) -> Bounds:
    own = book.bids if order["side"] == "BUY" else book.asks
    ahead = sum(size for key, size in own.items() if book.own(key) == order["limit_price"])
    filled = _filled(tables, order, window.last)
    return Bounds(at_once=filled, ahead=ahead, pessimistic=filled, optimistic=filled)


def _watch(tables: Tables, window: Window, order: Row, bounds: Bounds, book: Shown | None) -> None:
    """Let the order meet a book under both other assumptions (DECISIONS 4.4)."""
    limit, buying = order["limit_price"], order["side"] == "BUY"
    filled, whole = _filled(tables, order, window.last), order["amount"]
    if book is not None and not book.crossed and not _beyond_time(window, order, book):
        opposite = {book.own(key): size for key, size in (book.asks if buying else book.bids).items()}
        through = sum(size for p, size in opposite.items() if (p < limit if buying else p > limit))
        possible = min(bounds.at_once + through - bounds.ahead, whole)
        bounds.pessimistic = max(bounds.pessimistic, min(possible, filled))
        prices = [min(opposite) if buying else max(opposite)] if opposite else []
        if book.last_trade is not None and book.stamp > order["placed_at"].timestamp() * 1000:
            prices.append(book.last_trade)
        if any(p <= limit if buying else p >= limit for p in prices):
            bounds.optimistic = whole
    bounds.optimistic = max(bounds.optimistic, filled)


def _beyond_time(window: Window, order: Row, book: Shown) -> bool:
    over = order["expires_at"]
    return over is not None and (window.run["now"] >= over or _beyond(order, book))


def _wrong_bounds(tables: Tables, name: str, made: Bounds | None, row: Row | None) -> Iterator[str]:
    if row is None or made is None:
        yield f"bounds of {name}: the table holds {row and 'some'}, the books make {made}"
        return
    filled, amount = tables.order[name]["filled_size"], tables.order[name]["amount"]
    if not row["at_once"] <= row["pessimistic"] <= filled <= row["optimistic"] <= amount:
        yield f"bounds of {name}: {row['pessimistic']} <= {filled} <= {row['optimistic']} does not hold"
    if row["mode"] != tables.order[name]["mode"]:
        yield f"bounds of {name}: are {row['mode']}"
    for field in ("at_once", "ahead", "pessimistic", "optimistic"):
        if row[field] != getattr(made, field):
            yield f"bounds of {name}: {field} is {row[field]}, the books make {getattr(made, field)}"
