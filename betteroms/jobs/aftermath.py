"""What became of an order after it was placed: fills in later runs, its end, what it might have filled."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from betteroms.domain.book import Book, mirror
from betteroms.domain.ids import BookId, OrderId, RunId, TokenId
from betteroms.domain.intent import ExitRules
from betteroms.domain.money import to_text
from betteroms.domain.order import Order, OrderStatus
from betteroms.domain.rule import Cause
from betteroms.jobs import rules as ruling
from betteroms.jobs import told
from betteroms.records import EventRecord, Records, RunDetail
from betteroms.sources.rules import SOURCE

ENDINGS: Final[Mapping[str, str]] = {
    "FAK_NO_MATCH": "nothing could be had at its limit, and FAK does not rest",
    "FAK_REMAINDER": "what could not be had at once was cancelled: FAK does not rest",
    "FOK_NOT_FILLED": "it could not be filled whole, and FOK is all or nothing",
    "POST_ONLY_WOULD_CROSS": "it would have traded at once, and post-only refuses that",
    "CANCEL_AFTER": "its time was over",
    "MARKET_RESOLVED": "its market was resolved",
    "MARKET_CLOSED": "its market closed",
    "GAME_STARTED": "the game began, and the venue cleared the book of what was placed before",
    "OPERATOR_CANCEL": "the operator cancelled it",
    "CANCELED_AT_VENUE": "it ended at the venue, and nobody here had asked for that",
    "NEVER_ARRIVED": "nobody answered, and it was looked for in vain for ten minutes",
}
"""The codes of ends that are not refusals of ours, in words."""
EXITS: Final[Mapping[str, str]] = {
    Cause.STOP_LOSS: "the stop-loss was triggered",
    Cause.TAKE_PROFIT: "the take-profit was triggered",
    Cause.TRAILING_STOP: "the trailing stop was triggered",
    Cause.HOLD_MAX: "the position had been held for long enough",
    Cause.BEFORE_CLOSE: "the market was about to end",
}
"""Why an exit made other orders end, whose code is that cause behind `EXIT_`."""
EXPIRED: Final = "it expired: its time was over"
_ENDS: Final = ("order_canceled", "order_expired", "order_rejected")


class BookReader(Protocol):
    """Reads kept books as they were read when they came."""

    def book(self, body: bytes, *, received_at: datetime, recorded: bool) -> Book: ...


def as_seen(book: Book, token_id: TokenId) -> Book:
    """The complement's book was kept where only that one was read."""
    return book if book.token_id == token_id else mirror(book, token_id)


def kept_book(
    records: Records, reader: BookReader, entry: Mapping[str, Any], token_id: TokenId
) -> Book | None:
    """The book that a run's inputs name; None where it is not kept any more."""
    body = records.payload(BookId(entry["id"]))
    if body is None:
        return None
    received_at = datetime.fromisoformat(entry["receivedAt"])
    return as_seen(reader.book(body, received_at=received_at, recorded=entry["recorded"]), token_id)


def passes(records: Records, order: Order, events: Sequence[EventRecord]) -> dict[int, RunId]:
    """The run in which each event happened, by the event's sequence."""
    found = ((event.sequence, records.run_of(order.mode, event)) for event in events)
    return {sequence: run for sequence, run in found if run is not None}


def fills(events: Sequence[EventRecord], during: Mapping[int, RunId]) -> dict[int, dict[str, Any]]:
    """For each execution, by number: the run that filled it and the book that it met."""
    return {
        number: {"runId": during.get(event.sequence), "bookId": event.data["book"]}
        for event in events
        if event.event_type == "order_filled"
        for number, *_ in event.data["executions"]
    }


def later_books(
    records: Records,
    reader: BookReader,
    order: Order,
    filled: Mapping[int, Mapping[str, Any]],
) -> list[tuple[RunDetail, Mapping[str, Any], Book]]:
    """The books of later runs that filled the order, each with its run and what the inputs say of it."""
    found: list[tuple[RunDetail, Mapping[str, Any], Book]] = []
    runs = dict.fromkeys(fill["runId"] for fill in filled.values())
    for name in runs:
        if name is None or name == order.run_id:
            continue
        run = records.run(name)
        entry = (run.inputs or {}).get("books", {}).get(order.intent.token_id)
        book = None if entry is None else kept_book(records, reader, entry, order.intent.token_id)
        if entry is not None and book is not None:
            found.append((run, entry, book))
    return found


def ending(order: Order, events: Sequence[EventRecord], during: Mapping[int, RunId]) -> dict[str, Any] | None:
    """How the order ended without being filled, in words; None where it did not, or where we refused it."""
    last = next((event for event in reversed(events) if event.event_type in _ENDS), None)
    if last is None:
        return None
    return {
        "code": order.code,
        "words": EXPIRED if order.status is OrderStatus.EXPIRED else _words(order.code or ""),
        "at": told.instant(last.at),
        "runId": during.get(last.sequence),
    }


def _words(code: str) -> str | None:
    cause = EXITS.get(code.removeprefix("EXIT_"))
    return ENDINGS.get(code) if cause is None else f"it made way for an exit: {cause}"


def exit_of(records: Records, order: Order) -> dict[str, Any] | None:
    """Which rules an exit order comes from, why they asked for it, and the how-manieth attempt it is."""
    if order.intent.source != SOURCE:
        return None
    _, _, rule_id, cause, attempt = json.loads(order.intent.key)
    rows = [
        event
        for event in records.rule_events(order.mode, order.intent.token_id)
        if event.data.get("ruleId") == rule_id
    ]
    begun = next((event for event in rows if event.event_type == "rule_set"), None)
    triggered = [event for event in rows if event.event_type == "rule_triggered"]
    by_now = [event for event in triggered if event.data["attempts"] <= attempt]
    trigger = by_now[-1] if by_now else None
    data = {} if begun is None else begun.data
    _, _, detail = (order.intent.notes or "").partition(": ")
    return {
        "ruleId": rule_id,
        "origin": data.get("origin"),
        "setBy": data.get("orderId"),
        "setAt": None if begun is None else told.instant(begun.at),
        "rules": told.exit_rules(ExitRules(**data["rules"])) if "rules" in data else {},
        "cause": cause,
        "detail": detail,
        "triggeredAt": None if trigger is None else told.instant(trigger.at),
        "attempt": attempt,
        "attempts": max([attempt, *(event.data["attempts"] for event in rows)]),
        "replaces": order.intent.replaces,
    }


def bounds_of(records: Records, order: Order) -> dict[str, str] | None:
    """What a resting order filled, and what it might have at worst and at best; None if it never rested."""
    found = records.bounds(OrderId(order.order_id))
    if found is None:
        return None
    return {
        "atOnce": to_text(found.at_once),
        "ahead": to_text(found.ahead),
        "pessimistic": to_text(found.pessimistic),
        "base": to_text(order.filled_size),
        "optimistic": to_text(found.optimistic),
    }


def standing(records: Records, order: Order) -> list[dict[str, Any]]:
    """The exit rules in force for the order's token, as `rules list` tells them."""
    rows = ruling.listed(records, order.mode)
    return [row for row in rows if row["tokenId"] == order.intent.token_id]
