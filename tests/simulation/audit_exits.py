"""The auditor's look at exit rules: each attempt made one order, one at a time, and none was forgotten."""

import json
from collections.abc import Iterator, Mapping, Sequence
from uuid import NAMESPACE_DNS, uuid5

from tests.simulation.audit_books import books_of
from tests.simulation.audit_endings import rows_of
from tests.simulation.audit_money import accounts
from tests.simulation.audit_tables import PAPER_LIKE, Row, Tables, Window, micros

_IDS = uuid5(NAMESPACE_DNS, "betteroms")
SOURCE = "rule"
LEAVING = ("rule_triggered", "exit_attempted")
"""What is told of rules while a position is being left; its end is told by the position."""


def exit_orders(tables: Tables) -> list[Row]:
    """Orders that exit rules asked for, in the order in which they were made."""
    found = [order for order in tables.orders if order["source"] == SOURCE]
    return sorted(found, key=lambda order: tables.events_of(order["order_id"])[0]["sequence"])


def check_exits(tables: Tables) -> Iterator[str]:
    """Each exit order is attempt n of a rule that was triggered; there is one for each n up to the last."""
    attempts: dict[str, list[int]] = {}
    for order in exit_orders(tables):
        name = f"exit order {order['order_id']}"
        key = json.loads(order["intent_key"])
        if len(key) != 5 or key[:2] != [order["mode"], SOURCE]:
            yield f"{name}: its key is {order['intent_key']}"
            continue
        _, _, rule, cause, attempt = key
        attempts.setdefault(rule, []).append(attempt)
        if order["order_id"] != str(uuid5(_IDS, order["intent_key"])):
            yield f"{name}: its id does not follow from its key"
        terms = (order["side"], order["order_type"], order["time_in_force"], order["wished_unit"])
        if terms != ("SELL", "MARKET", "FAK", "SHARES") or order["plan_id"] is not None:
            yield f"{name}: is {terms} of plan {order['plan_id']}"
        if not _asked_for(tables, order, rule, cause, attempt):
            yield f"{name}: no rule {rule} asked for attempt {attempt} because of {cause}"
    for rule, numbers in attempts.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"rule {rule}: its attempts are numbered {sorted(numbers)}"
    yield from _one_at_a_time(tables)
    for row in tables.rules:
        yield from _wrong_rule(tables, row, attempts.get(row["rule_id"], []))


def _asked_for(tables: Tables, order: Row, rule: str, cause: str, attempt: int) -> bool:
    """Whether the pass that made the order wrote down that this rule made so many attempts by now."""
    return any(
        event["event_type"] in LEAVING
        and event["entity_id"] == order["token_id"]
        and event["run_id"] == order["run_id"]
        and event["event_data"]["ruleId"] == rule
        and event["event_data"]["cause"] == cause
        and event["event_data"]["attempts"] == attempt
        for event in tables.rule_events
    )


def _one_at_a_time(tables: Tables) -> Iterator[str]:
    """At no time were two exit orders of one token alive."""
    last: dict[tuple[str, str], int] = {}
    spans = sorted((since, until, order) for since, until, order in _spans(tables))
    for since, until, order in spans:
        key = (order[0], order[1])
        if since < last.get(key, 0):
            yield f"token {order[1]}: two exit orders were alive at sequence {since}"
        last[key] = max(until, last.get(key, 0))


def _spans(tables: Tables) -> Iterator[tuple[int, int, tuple[str, str]]]:
    for since, until, order in tables.lives:
        if order["source"] == SOURCE:
            yield since, until, (order["mode"], order["token_id"])


def _wrong_rule(tables: Tables, row: Row, attempts: Sequence[int]) -> Iterator[str]:
    """The rules as they stand are as they were last told of."""
    name = f"rules of token {row['token_id']}"
    told = [e for e in tables.rule_events if e["entity_id"] == row["token_id"] and e["mode"] == row["mode"]]
    if not told or told[-1]["event_type"] == "rule_removed":
        yield f"{name}: nothing says that they are in force"
        return
    last, data = told[-1], told[-1]["event_data"]
    if (data["ruleId"], data["attempts"]) != (row["rule_id"], row["attempts"]):
        yield f"{name}: are told of otherwise than they stand"
    told_cause = data["cause"] if last["event_type"] in LEAVING else None
    if row["trigger_cause"] not in (None, told_cause):
        yield f"{name}: triggered by {row['trigger_cause']}, last told of as {last['event_type']}"
    if row["attempts"] != len(attempts):
        yield f"{name}: {row['attempts']} attempts, {len(attempts)} orders"
    if row["origin"] == "order" and row["order_id"] not in tables.order:
        yield f"{name}: the order that set them does not exist"


def check_persistence(tables: Tables) -> Iterator[str]:
    """Once triggered, every pass makes an attempt while there is something to sell and somebody to buy it."""
    passes = [w for w in tables.windows if w.run["mode"] in PAPER_LIKE and w.run["kind"] == "maintain"]
    sold = {(order["run_id"], order["token_id"]) for order in exit_orders(tables)}
    for window, account in zip(passes, accounts(tables, (w.first for w in passes)), strict=True):
        latched = _latched(tables, window)
        if not latched:
            continue
        books, rows = books_of(tables, window), rows_of(tables, window)
        for token, market in latched.items():
            held = account.held.get((window.run["mode"], token))
            row, book = rows.get(market), books.get(token)
            if held is None or row is None or book is None or not _can_be_sold(row, held.size):
                continue
            if book.bids and not book.crossed and (window.run["run_id"], token) not in sold:
                yield (
                    f"maintain at {window.run['now']:%d %H:%M}: {held.size} of token {token} are to be left, "
                    "somebody bids, and no attempt was made"
                )


def _latched(tables: Tables, window: Window) -> Mapping[str, str]:
    """The tokens whose position was to be left when the pass began, with their markets.

    That holds until the position is gone, or so small that nobody would buy it: it may have been forgotten.
    """
    latest: dict[str, Row] = {}
    for event in tables.rule_events:
        if event["mode"] == window.run["mode"] and event["sequence"] < window.first:
            latest[event["entity_id"]] = event
    leaving = {token: _began(tables, e) for token, e in latest.items() if e["event_type"] in LEAVING}
    held: dict[str, int] = {}
    for move in tables.moves:
        token = move["token_id"]
        if move["mode"] == window.run["mode"] and token in leaving and move["sequence"] < window.first:
            bought = move.get("side") != "SELL"
            held[token] = held.get(token, 0) + (move["size"] if bought else -move["size"])
            least = tables.market_of[token]["minimum_size"] or 0
            if move["sequence"] > leaving[token] and held[token] < least:
                leaving.pop(token)
    return {token: tables.market_of[token]["market_id"] for token in leaving}


def _began(tables: Tables, event: Row) -> int:
    """Where the pass began that wrote this down."""
    starts = [e for e in tables.events_of_run[event["run_id"]] if e["event_type"] == "run_started"]
    return max(int(e["sequence"]) for e in starts if e["sequence"] < event["sequence"])


def _can_be_sold(row: Mapping[str, object], held: int) -> bool:
    if row.get("closed") is True or row.get("acceptingOrders") is not True:
        return False
    return held // 10_000 * 10_000 >= micros(str(row["orderMinSize"]))
