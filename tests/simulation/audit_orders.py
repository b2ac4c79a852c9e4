"""The auditor's look at orders: each wish of a plan became one of them, and each lived as it may."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from tests.simulation.audit_tables import PAPER_LIKE, Row, Tables, micros

RECORDED = "order_recorded"
"""Of an order that leaves the process it is told that it was written down; what never left begins anew."""
FIRST_EVENTS = {"order_placed", "order_denied", "order_rejected", "order_unconfirmed", RECORDED}
NEXT = {
    ("NEW", RECORDED): "NEW",
    ("NEW", "order_sending"): "NEW",
    ("UNCONFIRMED", "order_sending"): "UNCONFIRMED",
    ("NEW", "order_cancel_requested"): "NEW",
    ("NEW", "order_denied"): "DENIED",
    ("NEW", "order_rejected"): "REJECTED",
    ("NEW", "order_unconfirmed"): "UNCONFIRMED",
    ("NEW", "order_placed"): "OPEN",
    ("UNCONFIRMED", "order_unconfirmed"): "UNCONFIRMED",
    ("UNCONFIRMED", "order_placed"): "OPEN",
    ("UNCONFIRMED", "order_rejected"): "REJECTED",
    ("UNCONFIRMED", "order_cancel_requested"): "UNCONFIRMED",
    ("OPEN", "order_filled"): "OPEN",
    ("OPEN", "order_cancel_requested"): "OPEN",
    ("OPEN", "order_canceled"): "CANCELED",
    ("OPEN", "order_expired"): "EXPIRED",
    ("OPEN", "order_reversed"): "OPEN",
    ("OPEN", "order_progressed"): "OPEN",
}
LATE_EVENTS = {"order_filled", "order_cancel_requested", "order_reversed", "order_progressed"}
"""What may still reach an order that is over, without changing its status."""
OVER = {"FILLED", "CANCELED", "EXPIRED", "REJECTED"}
_IDS = uuid5(NAMESPACE_DNS, "betteroms")


@dataclass(frozen=True, kw_only=True)
class Life:
    """Where a list of events leads."""

    status: str
    code: str | None
    placed: Row | None
    problem: str | None = None


def life(events: Sequence[Row], code: str | None = None) -> Life:
    """Follow the events of one order through our own table of transitions; `code` is what it begins with."""
    status, placed = "NEW", None
    for event in events:
        kind, data = event["event_type"], event["event_data"]
        moved = NEXT.get((status, kind))
        if moved is None and status in OVER and kind in LATE_EVENTS:
            moved = status
        if moved is None:
            return Life(status=status, code=code, placed=placed, problem=f"{status} cannot meet {kind}")
        status = moved
        if kind == "order_filled" and data.get("complete") and status == "OPEN":
            status = "FILLED"
        if kind in ("order_denied", "order_rejected", "order_canceled"):
            code = data.get("code")
        if kind == "order_placed":
            placed = event
    return Life(status=status, code=code, placed=placed)


def check_lives(tables: Tables) -> Iterator[str]:
    """Every order's status follows from its events, and every event belongs to an order and to a run."""
    for order in tables.orders:
        name, events = order["order_id"], tables.events_of(order["order_id"])
        # An order that was placed elsewhere has its code from the beginning.
        lived = life(events, "EXTERNAL" if order["source"] == "external" else None)
        if lived.problem:
            yield f"order {name}: {lived.problem}"
        elif lived.status != order["status"]:
            yield f"order {name}: is {order['status']}, its events say {lived.status}"
        if events and events[0]["event_type"] not in FIRST_EVENTS:
            yield f"order {name}: its life begins with {events[0]['event_type']}"
        if not events and order["mode"] in PAPER_LIKE:
            yield f"order {name}: nothing says what became of it"
        if order["code"] != lived.code:
            yield f"order {name}: has code {order['code']}, its events say {lived.code}"
        if order["placed_at"] != (lived.placed["at"] if lived.placed else None):
            yield f"order {name}: placed_at is not when it was placed"
    for event in tables.audit:
        if event["entity_type"] != "order":
            continue
        if event["entity_id"] not in tables.order:
            yield f"event {event['sequence']}: {event['event_type']} of an order that does not exist"
    yield from _outside_runs(tables)


def _outside_runs(tables: Tables) -> Iterator[str]:
    """On paper an order moves only inside a run that was completed, and at that run's time."""
    windows = iter(tables.windows)
    window = next(windows, None)
    for event in tables.audit:
        if event["entity_type"] != "order" or event["mode"] not in PAPER_LIKE:
            continue
        while window is not None and event["sequence"] > window.last:
            window = next(windows, None)
        if window is None or not window.holds(event["sequence"]):
            yield f"event {event['sequence']}: {event['event_type']} outside of every completed run"
        elif event["at"] != window.run["now"]:
            yield f"event {event['sequence']}: is not at its run's time"


def check_plans(tables: Tables) -> Iterator[str]:
    """Each instruction of a completed run has one order, each order an instruction, and they agree."""
    by_run: dict[str, list[Row]] = {}
    for order in tables.orders:
        by_run.setdefault(order["run_id"], []).append(order)
    runs = {run["run_id"]: run for run in tables.runs}
    for run_id, orders in by_run.items():
        run = runs.get(run_id)
        if run is None:
            yield f"run {run_id}: has orders and no row"
        elif run["status"] != "completed" and run["mode"] in PAPER_LIKE:
            yield f"run {run_id}: is {run['status']} and has {len(orders)} orders"
    for run in tables.runs:
        if run["status"] == "completed" and run["kind"] == "trade":
            yield from _check_plan(tables, run, by_run.get(run["run_id"], []))


def _check_plan(tables: Tables, run: Row, orders: Sequence[Row]) -> Iterator[str]:
    name, plan = run["plan_id"], tables.document(run["plan_payload_id"])
    if not isinstance(plan, dict) or not isinstance(plan.get("tradeInstructions"), list):
        yield f"run {name}: its plan is not kept"
        return
    if _resolved(plan["planId"], run) != name:
        yield f"run {name}: its plan calls itself {plan['planId']}"
    instructions = plan["tradeInstructions"]
    of_line: dict[int | None, list[Row]] = {}
    for order in orders:
        of_line.setdefault(order["line"], []).append(order)
    for line, found in of_line.items():
        if line is None or not 0 <= line < len(instructions):
            yield f"run {name}: {len(found)} orders belong to no instruction (line {line})"
    for line, instruction in enumerate(instructions):
        found = of_line.get(line, [])
        if len(found) != 1:
            yield f"run {name}: instruction {line} has {len(found)} orders"
            continue
        if found[0]["token_id"] != _token(tables, instruction):
            yield f"run {name}: instruction {line}: trades token {found[0]['token_id']}"
        for problem in _disagreements(run, plan.get("defaults", {}), line, instruction, found[0]):
            yield f"run {name}: instruction {line}: {problem}"


def _resolved(plan_id: str, run: Row) -> str:
    at = run["scheduled_at"]
    for braces, value in (("{date}", f"{at:%Y-%m-%d}"), ("{hour}", f"{at:%H}"), ("{minute}", f"{at:%M}")):
        plan_id = plan_id.replace(braces, value)
    return plan_id


def _token(tables: Tables, instruction: Row) -> str | None:
    """The token that an instruction names, by the registry."""
    name, outcome = str(instruction["marketId"]), str(instruction.get("outcome", "")).casefold()
    for market in tables.markets:
        tokens = [known["tokenId"] for known in market["outcomes"]]
        if name in tokens:
            return name
        if name in (market["slug"], market["gamma_id"]) or name.lower() == market["market_id"]:
            labels = [known["label"].casefold() for known in market["outcomes"]]
            index = labels.index(outcome) if outcome in labels else ["yes", "no"].index(outcome)
            return str(tokens[index])
    return None


def _disagreements(run: Row, defaults: Row, line: int, instruction: Row, order: Row) -> Iterator[str]:
    ref = instruction.get("ref")
    named: list[str | int] = ["line", line] if ref is None else ["ref", ref]
    key = json.dumps([run["mode"], "plan", run["plan_id"], *named], ensure_ascii=False, separators=(",", ":"))
    if order["intent_key"] != key:
        yield f"its key is {order['intent_key']}"
    if order["order_id"] != str(uuid5(_IDS, key)):
        yield "its order id does not follow from its key"
    unit = instruction.get("sizeUnit", "USDC" if instruction["side"] == "BUY" else "SHARES")
    kind = instruction.get("type", "LIMIT")
    time: Any = instruction.get("timeInForce", defaults.get("timeInForce", "GTC"))
    time = {"GTT": "GTD", "IOC": "FAK"}.get(time, time)
    if kind == "MARKET" and time != "FOK":
        time = "FAK"
    lifetime: Any = instruction.get(
        "cancelAfterSec", instruction.get("goodForSeconds", defaults.get("goodForSeconds"))
    )
    wished = {
        "mode": run["mode"],
        "plan_id": run["plan_id"],
        "ref": ref,
        "side": instruction["side"],
        "order_type": kind,
        "time_in_force": time,
        "post_only": instruction.get("postOnly", False),
        "wished_unit": "DOLLARS" if unit == "USDC" else "SHARES",
        "wished_amount": _exactly(instruction["size"]),
        "wished_price": _exactly(instruction.get("price")),
        "price_ceil": _exactly(instruction.get("priceCeil")),
        "price_floor": _exactly(instruction.get("priceFloor")),
        "notes": instruction.get("notes"),
    }
    if time in ("GTC", "GTD"):
        wished["cancel_after"] = None if lifetime is None else int(lifetime)
    for field, value in wished.items():
        if order[field] != value:
            yield f"{field} is {order[field]}, the plan says {value}"


def _exactly(value: str | int | Decimal | None) -> int | None:
    return None if value is None else micros(value)


def check_ends(tables: Tables) -> Iterator[str]:
    """Each order ended, or rests, as its time in force and its amount allow."""
    for order in tables.orders:
        if order["status"] == "DENIED":
            if order["fills"] or order["filled_size"] or order["placed_at"]:
                yield f"order {order['order_id']}: was denied and yet carried out"
            continue
        for problem in _impossible(order):
            yield f"order {order['order_id']}: {problem}"


def _impossible(order: Row) -> Iterator[str]:
    status, time, filled = order["status"], order["time_in_force"], order["filled_size"]
    late = status == "REJECTED" and order["mode"] not in PAPER_LIKE  # written off, and it had arrived
    if status in ("REJECTED", "NEW", "UNCONFIRMED") and filled and not late:
        yield f"is {status} and filled"
    if order["mode"] not in PAPER_LIKE:
        return
    if time in ("FOK", "FAK") and status == "OPEN":
        yield f"{time} and still open"
    if time == "FOK" and status == "CANCELED" and filled:
        yield "all or nothing, and canceled with a part"
    if order["amount_unit"] == "SHARES":
        if filled > order["amount"]:
            yield f"filled {filled} of {order['amount']} shares"
        if (filled == order["amount"]) != (status == "FILLED"):
            yield f"is {status} with {filled} of {order['amount']} shares"
        return
    if order["filled_cash"] > order["amount"]:
        yield f"spent {order['filled_cash']} of {order['amount']} dollars"
    if status == "FILLED" and order["amount"] - order["filled_cash"] > 2 * order["fills"]:
        yield f"is FILLED with {order['amount'] - order['filled_cash']} dollars unspent"
