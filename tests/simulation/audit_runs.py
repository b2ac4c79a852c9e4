"""The auditor's look at runs: their rows, their place in the sequence, and what their summaries claim."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from tests.simulation.audit_books import Shown, books_of
from tests.simulation.audit_money import Account, accounts
from tests.simulation.audit_orders import life
from tests.simulation.audit_tables import MICROS, Row, Tables, Window, micros

LAST_EVENT = {
    "running": "run_started",
    "completed": "run_completed",
    "failed": "run_failed",
    "abandoned": "run_abandoned",
}


REPEATED = ("run", "poll", "cancel")


def check_runs(tables: Tables) -> Iterator[str]:
    """One row for each plan and mode, whose status and attempt are those its events tell."""
    seen: set[tuple[str, str]] = set()
    for run in tables.runs:
        name = f"run {run['plan_id']} ({run['mode']})"
        if run["kind"] == "trade":
            if (run["mode"], run["plan_id"]) in seen:
                yield f"{name}: is there twice"
            seen.add((run["mode"], run["plan_id"]))
        kinds = [event["event_type"] for event in tables.events_of_run.get(run["run_id"], [])]
        if kinds.count("run_started") != run["attempt"]:
            yield f"{name}: attempt {run['attempt']}, started {kinds.count('run_started')} times"
        if not kinds or kinds[-1] != LAST_EVENT[run["status"]]:
            yield f"{name}: is {run['status']}, its events end with {kinds[-1:]}"
        # A scheduled run that had failures is completed, and may be repeated; some are done twice a minute.
        if kinds.count("run_completed") > (run["attempt"] if run["kind"] in REPEATED else 1):
            yield f"{name}: was completed {kinds.count('run_completed')} times"
        if (run["status"] in ("failed", "abandoned")) != (run["error_message"] is not None):
            yield f"{name}: is {run['status']} with error {run['error_message']}"
        if (run["completed_at"] is None) != (run["status"] == "running"):
            yield f"{name}: is {run['status']}, completed at {run['completed_at']}"
        if run["completed_at"] is not None and run["completed_at"] < run["started_at"]:
            yield f"{name}: ended before it began"


def check_sweeps(tables: Tables) -> Iterator[str]:
    """What says that it runs does so still: whoever came later would have seen that it was interrupted."""
    starts = [e for e in tables.audit if e["entity_type"] == "run" and e["event_type"] == "run_started"]
    kinds = {run["run_id"]: run["kind"] for run in tables.runs}
    for run in tables.runs:
        if run["status"] != "running":
            continue
        own = tables.events_of_run[run["run_id"]][-1]["sequence"]
        # A pass that is later than a scheduled run may be a part of it.
        sweepers = ("run",) if run["kind"] == "run" else ("run", "maintain")
        if any(e["sequence"] > own and kinds.get(e["entity_id"]) in sweepers for e in starts):
            yield f"{run['kind']} {run['plan_id'] or run['now']}: says that it runs, and others came later"


def check_sequence(tables: Tables) -> Iterator[str]:
    """Nothing in history has the same place as anything else, and the counter is past all of it."""
    places = [row["sequence"] for rows in (tables.executions, tables.entries, tables.audit) for row in rows]
    if len(places) != len(set(places)):
        yield f"{len(places) - len(set(places))} places in the sequence are taken twice"
    if places and max(places) > tables.last_sequence:
        yield f"the sequence is at {tables.last_sequence}, history goes to {max(places)}"
    ends = 0
    for window in sorted(tables.windows, key=lambda window: window.first):
        if window.first < ends:
            yield f"run {window.run['plan_id']}: began before the run before it ended"
        ends = window.last
    for fill in tables.executions:
        if fill["mode"] != "live" and not any(w.holds(fill["sequence"]) for w in tables.windows):
            yield f"execution {fill['order_id']}/{fill['number']}: outside of every completed run"


def check_modes(tables: Tables) -> Iterator[str]:
    """Paper and live never add up: every row is of its run's mode."""
    runs = {run["run_id"]: run for run in tables.runs}
    for order in tables.orders:
        run = runs.get(order["run_id"])
        if run is not None and run["mode"] != order["mode"]:
            yield f"order {order['order_id']}: is {order['mode']}, its run {run['mode']}"
    for event in tables.audit:
        if event["entity_type"] == "order":
            owner = tables.order.get(event["entity_id"])
            if owner is not None and owner["mode"] != event["mode"]:
                yield f"event {event['sequence']}: is {event['mode']}, its order {owner['mode']}"
            if owner is not None and owner["run_id"] != event["run_id"]:
                yield f"event {event['sequence']}: names another run than its order"
        elif event["run_id"] is not None and event["run_id"] not in runs:
            yield f"event {event['sequence']}: its run does not exist"


def check_summaries(tables: Tables) -> Iterator[str]:
    """What a run printed is what the tables hold of it."""
    states = accounts(tables, (window.last for window in tables.windows))
    for window, account in zip(tables.windows, states, strict=True):
        if window.run["kind"] != "trade" or window.run["mode"] == "live":
            continue
        name = f"run {window.run['plan_id']}: summary"
        told = (window.run["summary_json"] or {}).get("result")
        if not isinstance(told, dict):
            yield f"{name} is missing"
            continue
        head = {"planId": window.run["plan_id"], "mode": window.run["mode"], "status": "completed"}
        for field, value in head.items():
            if told.get(field) != value:
                yield f"{name}: {field} is {told.get(field)}, the row says {value}"
        for problem in _wrong_summary(tables, window, told, account):
            yield f"{name}: {problem}"


def _wrong_summary(
    tables: Tables, window: Window, told: Mapping[str, Any], account: Account
) -> Iterator[str]:
    orders = sorted(
        (order for order in tables.orders if order["run_id"] == window.run["run_id"]),
        key=lambda order: order["line"],
    )
    views = [_View(tables, window, order) for order in orders]
    lines = told["instructions"]
    if [line["line"] for line in lines] != list(range(len(orders))):
        yield f"tells of {len(lines)} instructions, there are {len(orders)} orders"
        return
    for line, view in zip(lines, views, strict=True):
        for field, value in view.told().items():
            if line.get(field) != value:
                yield f"line {line['line']}: {field} is {line.get(field)}, the tables say {value}"
    books = books_of(tables, window)
    for field, number in _totals(views, books).items():
        if micros(told["totals"][field]) != number:
            yield f"totals: {field} is {told['totals'][field]}, the tables say {number} millionths"
    refused: dict[str, int] = {}
    for view in views:
        if view.status in ("DENIED", "REJECTED"):
            refused[view.code or ""] = refused.get(view.code or "", 0) + 1
    if told["refused"] != refused:
        yield f"refused is {told['refused']}, the tables say {refused}"
    yield from _wrong_settled(tables, window, told["settled"], {order["order_id"] for order in orders})
    yield from _wrong_positions(tables, window, told["markets"], account)


class _View:
    """An order as it was when the run ended: a later run may have moved it since."""

    def __init__(self, tables: Tables, window: Window, order: Row) -> None:
        lived = life([e for e in tables.events_of(order["order_id"]) if e["sequence"] < window.last])
        self.order, self.status, self.code = order, lived.status, lived.code
        self.placed = lived.placed is not None
        self.fills = [f for f in tables.fills_of(order["order_id"]) if f["sequence"] < window.last]
        self.filled = sum(fill["size"] for fill in self.fills)

    def told(self) -> dict[str, Any]:
        order = self.order
        shares = order["amount_unit"] == "SHARES"
        return {
            "orderId": order["order_id"],
            "tokenId": order["token_id"],
            "side": order["side"],
            "status": self.status,
            "code": self.code,
            "filledSize": _text(self.filled),
            "limitPrice": None if order["limit_price"] is None else _text(order["limit_price"]),
            "size": _text(order["amount"]) if shares else None,
            "dollars": _text(order["amount"]) if order["amount_unit"] == "DOLLARS" else None,
            "executions": _executions(self.fills),
        }


def _text(value: int) -> str:
    whole, rest = divmod(value, MICROS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


def _executions(fills: Sequence[Row]) -> list[dict[str, str]]:
    return [
        {
            "price": _text(fill["price"]),
            "size": _text(fill["size"]),
            "fee": _text(fill["fee"]),
            "liquidity": fill["liquidity"],
        }
        for fill in fills
    ]


def _totals(views: Sequence[_View], books: Mapping[str, Shown]) -> dict[str, int]:
    statuses = [view.status for view in views]
    fills = [fill for view in views for fill in view.fills]
    return {
        "placed": MICROS * sum(view.placed for view in views),
        "filled": MICROS * statuses.count("FILLED"),
        "partlyFilled": MICROS * sum(view.filled > 0 and view.status != "FILLED" for view in views),
        "resting": MICROS * statuses.count("OPEN"),
        "canceled": MICROS * statuses.count("CANCELED"),
        "rejected": MICROS * statuses.count("REJECTED"),
        "denied": MICROS * statuses.count("DENIED"),
        "notional": sum(abs(fill["cash"]) for fill in fills),
        "fees": sum(fill["fee"] for fill in fills),
        "slippage": sum(_slippage(view, books.get(view.order["token_id"])) for view in views),
    }


def _slippage(view: _View, book: Shown | None) -> int:
    """What the order's fills cost against the mid, rounded up once for the order."""
    if book is None or not book.bids or not book.asks:
        return 0
    mid = Fraction(max(map(book.own, book.bids)) + min(map(book.own, book.asks)), 2)
    sign = 1 if view.order["side"] == "BUY" else -1
    return ceil(
        sum(((fill["price"] - mid) * fill["size"] * sign for fill in view.fills), Fraction()) / MICROS
    )


def _wrong_settled(
    tables: Tables, window: Window, told: Sequence[Mapping[str, Any]], own: set[str]
) -> Iterator[str]:
    moved = {
        event["entity_id"] for event in tables.events_in(window) if event["entity_type"] == "order"
    } - own
    if {line["orderId"] for line in told} != moved or len(told) != len(moved):
        yield f"tells of {len(told)} settled orders, {len(moved)} moved"
        return
    for line in told:
        view = _View(tables, window, tables.order[line["orderId"]])
        here = [fill for fill in view.fills if window.holds(fill["sequence"])]
        facts = {"status": view.status, "filledSize": _text(view.filled), "executions": _executions(here)}
        for field, value in facts.items():
            if line[field] != value:
                yield f"settled {line['orderId']}: {field} is {line[field]}, the tables say {value}"


def _wrong_positions(
    tables: Tables, window: Window, told: Sequence[Mapping[str, Any]], account: Account
) -> Iterator[str]:
    mode = window.run["mode"]
    for row in told:
        position = account.held.get((mode, row["tokenId"]))
        if position is None:
            yield f"tells of token {row['tokenId']}, which was never traded"
            continue
        for field, value in (
            ("size", position.size),
            ("costBasis", position.cost_basis),
            ("realised", position.realised),
            ("fees", position.fees),
        ):
            if micros(row[field]) != value:
                yield f"token {row['tokenId']}: {field} is {row[field]}, executions make {value} millionths"
    moved = {
        tables.order[event["entity_id"]]["token_id"]
        for event in tables.events_in(window)
        if event["event_type"] == "order_filled" and event["entity_id"] in tables.order
    }
    for token in moved - {row["tokenId"] for row in told}:
        yield f"does not tell of token {token}"
