"""An order's story as one page."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from betteroms.cli import render

if TYPE_CHECKING:
    from rich.console import RenderableType

EVENT_WORDS: Final = {"canceled": "cancelled"}
"""What people read where the code of an event is spelled otherwise."""


def show_story(story: Mapping[str, Any]) -> None:
    """Print what `jobs.explain` found."""
    order = story["order"]
    render.show(
        *facts(order),
        render.section("As written", _written(story)),
        render.section("Rounded and assumed", order["adjustments"]),
        render.section("The exit it is", exit_order(story["exit"])),
        *_book("The book it saw", story["book"]),
        render.section("Risk", _verdict(story)),
        render.section("What happened", [_event(event, order["runId"]) for event in story["events"]]),
        render.section("Why it ended", _ending(story["ending"])),
        *fills(story["executions"]),
        render.section("Settlement on the chain", _settlements(story["executions"])),
        *(part for later in story["laterBooks"] for part in _book(_later(later), later)),
        render.section("How it might have filled", bounds(story["bounds"])),
        render.section("Still reserved", _reserves(story["reserves"])),
        render.section("Exit rules", [f"{name} {value}" for name, value in story["exitRules"].items()]),
        render.section("Exit rules in force for this outcome", _standing(story)),
    )


def _later(book: Mapping[str, Any]) -> str:
    return f"Filled by {book['kind']} {book['runId'][:8]}"


def exit_order(found: Mapping[str, Any] | None) -> list[str]:
    """Which rules an exit order comes from, and why it was made."""
    if found is None:
        return []
    who = f"order {found['setBy'][:8]}" if found["setBy"] else f"the {found['origin'] or 'operator'}"
    rules = ", ".join(f"{name} {value}" for name, value in found["rules"].items())
    since = f" since {render.moment(found['triggeredAt'])}" if found["triggeredAt"] else ""
    return [
        f"{found['cause']}{since}: {found['detail']}",
        f"rules {found['ruleId'][:8]}, set by {who}: {rules}",
        f"attempt {found['attempt']} of {found['attempts']} so far",
        *([f"in the place of order {found['replaces'][:8]}"] if found["replaces"] else []),
    ]


def _ending(ending: Mapping[str, Any] | None) -> list[str]:
    if ending is None:
        return []
    run = f", in run {ending['runId'][:8]}" if ending["runId"] else ""
    code = ending["code"] or "EXPIRED"
    return [f"{code}: {ending['words']}{run}" if ending["words"] else f"{code}{run}"]


def bounds(found: Mapping[str, str] | None) -> list[str]:
    """The three answers about a resting order (docs/fill-model.md)."""
    if found is None:
        return []
    shares = {name: render.number(value) for name, value in found.items()}
    if len({found[name] for name in ("base", "pessimistic", "optimistic")}) == 1:
        return [f"as it did, at worst and at best; {shares['ahead']} shares were ahead of it"]
    return [
        f"{shares['base']} shares are booked, {shares['atOnce']} of them at once",
        f"at worst {shares['pessimistic']}: only what was displayed through its limit, after the "
        f"{shares['ahead']} ahead of it",
        f"at best {shares['optimistic']}: whole at the first touch of its limit",
    ]


def _standing(story: Mapping[str, Any]) -> list[str]:
    told = []
    for row in story["standingRules"]:
        rules = ", ".join(f"{name} {value}" for name, value in row["rules"].items())
        mine = row["orderId"] == story["order"]["orderId"]
        who = "this order" if mine else f"order {row['orderId'][:8]}" if row["orderId"] else "the operator"
        told.append(f"{rules}; set by {who}; {row['state']}")
        if row["trigger"] is not None:
            trigger = row["trigger"]
            told.append(f"{trigger['cause']} since {render.moment(trigger['at'])}: {trigger['detail']}")
    return told


def facts(order: Mapping[str, Any]) -> list[str]:
    """What there is to say of any order, a line each."""
    price = f" @ {render.number(order['limitPrice'])}" if order["limitPrice"] else ""
    asks = "" if order["size"] is None and order["dollars"] is None else f" {_amount(order)}"
    terms = [order["type"], order["timeInForce"], *(["post-only"] if order["postOnly"] else [])]
    line = f"line {order['line']}" + (f" ({order['ref']})" if order["ref"] else "")
    found = {
        "order": order["orderId"],
        "what": f"{order['side']} {order['outcome']}{asks}{price}, {' '.join(terms)}",
        "market": order["marketId"],
        "condition": order["conditionId"],
        "token": order["tokenId"],
        "plan": f"{order['planId']}, {line}" if order["planId"] else None,
        "mode": order["mode"],
        "venue id": order["externalOrderId"],
        "status": _status(order),
        "filled": _filled(order),
        "placed" if order["placedAt"] else "created": render.moment(order["placedAt"] or order["createdAt"]),
        "expires": render.moment(order["expiresAt"]) if order["expiresAt"] else None,
        "notes": order["notes"],
    }
    return [f"{name:<10} {value}" for name, value in found.items() if value]


def _amount(order: Mapping[str, Any]) -> str:
    if order["dollars"] is not None:
        return f"for {render.dollars(order['dollars'])}"
    return f"{render.number(order['size'])} shares"


def _status(order: Mapping[str, Any]) -> str:
    word = str(render.status(order))
    if not order["code"]:
        return word
    return f"{word}, {order['code']}" + (f": {order['reason']}" if order["reason"] else "")


def _filled(order: Mapping[str, Any]) -> str | None:
    if order["filledSize"] == "0":
        return None
    return (
        f"{render.number(order['filledSize'])} shares for {render.dollars(order['filledCash'])}, "
        f"{render.number(order['averagePrice'])} each"
    )


def _written(story: Mapping[str, Any]) -> list[str]:
    written = story["asWritten"]
    if written is None and story["order"]["source"] == "external":
        return ["nothing: it was placed elsewhere, and the venue told of it"]
    if written is None:
        return ["an exit rule asked for it" if story["exit"] else "the plan was not kept"]
    return [
        f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in written.items()
    ]


def _book(heading: str, book: Mapping[str, Any] | None) -> Sequence["RenderableType | None"]:
    """The best levels, asks beside bids, as the run saw them."""
    if book is None:
        return [render.section(heading, ["none was kept"])]
    heads = render.columns(">bid size", ">bid", ">ask", ">ask size")
    rows = [
        [
            render.number(bid["size"]) if bid else "",
            render.number(bid["price"]) if bid else "",
            render.number(ask["price"]) if ask else "",
            render.number(ask["size"]) if ask else "",
        ]
        for bid, ask in zip_longest(book["bids"], book["asks"])
    ]
    marks = [
        *(["recorded"] if book["recorded"] else []),
        *(["mirrored"] if book["mirrored"] else []),
    ]
    kept = ", ".join([f"hash {book['hashCheck']}", *marks])
    sides = f"{render.counted(book['bidLevels'], 'bid')}, {render.counted(book['askLevels'], 'ask')}"
    levels = f"{sides} in all; mid {render.number(book['mid'])}"
    return [
        f"\n{heading}, read {render.moment(book['receivedAt'])} ({kept})\n",
        render.table(heads, rows, indent=2) if rows else "  empty",
        f"  {levels}; kept as {book['bookId'][:12]}",
        "  mirrored: made from the book of the other outcome" if book["mirrored"] else None,
    ]


def _verdict(story: Mapping[str, Any]) -> list[str]:
    verdict = story["verdict"]
    if verdict["allowed"] is None:
        return ["it was not placed from here, so nobody here judged it"]
    if not verdict["allowed"]:
        detail = f": {verdict['detail']}" if verdict["detail"] else ""
        return [f"refused, {verdict['code']}{detail}"]
    told = ["allowed"]
    if verdict["exempt"]:
        told = [f"allowed, {verdict['exempt']}: it only reduces risk, so the caps did not apply"]
    if verdict["need"] is not None:
        told.append(
            f"at its worst it costs {render.dollars(verdict['worstNotional'])} "
            f"and {render.dollars(verdict['worstFee'])} of fees; {render.dollars(verdict['need'])} were free"
        )
    return told


def _event(event: Mapping[str, Any], own_run: str) -> str:
    code = event["event"].removeprefix("order_")
    words = EVENT_WORDS.get(code, code.replace("_", " "))
    later = f", in run {event['inRun'][:8]}" if event["inRun"] not in (None, own_run) else ""
    return f"{render.moment(event['at'])}  {words}{_details(event['data'])}{later}"


def _details(data: Mapping[str, Any]) -> str:
    if "executions" in data:
        taken = [f"{render.number(e['size'])} @ {e['price']}" for e in data["executions"] if "price" in e]
        book = f", from book {data['book'][:12]}" if data.get("book") else ""
        return f" {'; '.join(taken)}{book}"
    told = [str(value) for value in data.values() if value]
    return f" {': '.join(told)}" if told else ""


def fills(executions: Sequence[Mapping[str, Any]]) -> list["RenderableType | None"]:
    """Each fill, and how its fee came about where that is known."""
    if not executions:
        return []
    heads = render.columns(">#", "at", ">price", ">size", ">cash", ">fee", "liquidity")
    rows = [
        [
            str(fill["number"]),
            render.moment(fill["at"]),
            render.number(fill["price"]),
            render.number(fill["size"]),
            render.number(fill["cash"]),
            render.number(fill["fee"]),
            fill["liquidity"].lower(),
        ]
        for fill in executions
    ]
    rules = [f"{fill['number']}  {fill['feeRule']}" for fill in executions if "feeRule" in fill]
    return [
        "\nFills\n",
        render.table(heads, rows, indent=2),
        render.section("Fees: shares x rate x (price x (1 - price))", rules),
    ]


def _settlements(executions: Sequence[Mapping[str, Any]]) -> list[str]:
    told = []
    for fill in executions:
        found = fill["settlement"]
        if found is not None:
            transaction = f", transaction {found['transaction']}" if found["transaction"] else ""
            told.append(f"{fill['number']}  {found['state'].lower()}{transaction}")
    return told


def _reserves(reserves: Mapping[str, str]) -> list[str]:
    told = []
    if reserves["cash"] != "0":
        told.append(f"{render.dollars(reserves['cash'])} of cash")
    if reserves["shares"] != "0":
        told.append(f"{render.number(reserves['shares'])} shares")
    return told
