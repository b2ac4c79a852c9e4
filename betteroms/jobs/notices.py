"""What is worth telling the operator, who is not looking, in words that fit a phone.

Out of what a run came to; whether a kind of notice is wanted, the settings say.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from betteroms.ports.journal import Notifier

LINES_MAX: Final = 6
LINE_LENGTH_MAX: Final = 120
TITLE_LENGTH_MAX: Final = 80
TRIPS: Final = re.compile(r"DRAWDOWN|DAILY_LOSS|DAY_LOSS")
"""How the codes begin that mean: nothing more is opened, today or until somebody looks."""
REFUSED: Final = frozenset({"DENIED", "REJECTED"})
UNCONFIRMED: Final = "UNCONFIRMED"


class Kind(StrEnum):
    """What a notice is about."""

    FILLS = "fills"
    REFUSALS = "refusals"
    FAILURES = "failures"
    TRIPS = "trips"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One short message; `severity` is info, success, warning or failure."""

    kind: Kind
    title: str
    body: str
    severity: str


def of_result(result: Mapping[str, Any], *, name: str | None = None) -> list[Notice]:
    """Every notice that a run gives rise to; `result` is as `jobs.summary` made it.

    `name` is what the run is called; else its planId. A run that did nothing is no news.
    """
    called = name or result.get("planId") or "maintain"
    orders = [*result.get("settled", ()), *result.get("instructions", ())]
    filled = [order for order in orders if _fills(order)]
    undone = [order for order in orders if _undone(order)]
    # Those that stopped at a tripped switch are one thing that happened, not many refusals.
    tripped = [order for order in orders if _is_refused(order) and TRIPS.match(order["code"] or "")]
    refused = [order for order in orders if _is_refused(order) and not TRIPS.match(order["code"] or "")]
    found = []
    if tripped:
        found.append(of_trip(str(tripped[0]["code"]), _reason(tripped[0]), name=called, orders=len(tripped)))
    if undone:
        title = f"{called}: fills of {_count(len(undone), 'order')} failed on the chain"
        found.append(_notice(Kind.FAILURES, title, _lines(undone, _taken_back), "failure"))
    if filled:
        title = f"{called}: {_count(len(filled), 'order')} filled"
        found.append(_notice(Kind.FILLS, title, _lines(filled, _fill), "success"))
    if refused:
        title = f"{called}: {_count(len(refused), 'order')} refused"
        found.append(_notice(Kind.REFUSALS, title, _lines(refused, _refusal), "warning"))
    if orders or result.get("settlements"):
        odd = refused or tripped or any(order["status"] == UNCONFIRMED for order in orders)
        severity = "warning" if odd else "info"
        found.append(_notice(Kind.DIGEST, _title(called, result), _digest(result), severity))
    return found


def of_failure(name: str, error: str) -> Notice:
    """A run that failed, or that could not begin."""
    return _notice(
        Kind.FAILURES,
        f"{name}: failed",
        _lines(error.splitlines(), str) or ["no reason was given"],
        "failure",
    )


def of_trip(code: str, reason: str, *, name: str, orders: int = 0) -> Notice:
    """A limit on losses was reached: nothing more is opened."""
    held = f"; {_count(orders, 'order')} held back" if orders else ""
    lines = [f"{code}: {reason}".rstrip(": "), "betteroms risk show tells more"]
    return _notice(Kind.TRIPS, f"{name}: trading stopped{held}", lines, "failure")


def tell(notifier: Notifier, found: Sequence[Notice], *, wanted: Collection[str]) -> None:
    """Send those notices that somebody wants; the gravest first."""
    for severity in ("failure", "warning", "success", "info"):
        for notice in found:
            if notice.severity == severity and notice.kind.value in wanted:
                notifier.tell(notice.title, notice.body, severity=notice.severity)


def _notice(kind: Kind, title: str, lines: Sequence[str], severity: str) -> Notice:
    body = "\n".join(_cut(line, LINE_LENGTH_MAX) for line in lines)
    return Notice(kind=kind, title=_cut(title, TITLE_LENGTH_MAX), body=body, severity=severity)


def _lines(things: Sequence[Any], tell_of: Callable[[Any], str]) -> list[str]:
    """A line for each of the first, and how many more there are: nobody reads ten thousand on a phone."""
    shown = [tell_of(thing) for thing in things[:LINES_MAX]]
    if len(things) > LINES_MAX:
        shown.append(f"… and {len(things) - LINES_MAX:,} more")
    return shown


def _is_refused(order: Mapping[str, Any]) -> bool:
    return order["status"] in REFUSED


def _fills(order: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """What it took; a fill that failed on the chain is taken back by a row of less than nothing."""
    return [each for each in order["executions"] if Decimal(each["size"]) > 0]


def _undone(order: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return [each for each in order["executions"] if Decimal(each["size"]) < 0]


def _taken_back(order: Mapping[str, Any]) -> str:
    size = -sum((Decimal(each["size"]) for each in _undone(order)), Decimal())
    return f"{_what(order)}: {size.normalize():,f} shares taken back"


def _fill(order: Mapping[str, Any]) -> str:
    fills = _fills(order)
    size = sum((Decimal(each["size"]) for each in fills), Decimal())
    cash = sum((Decimal(each["size"]) * Decimal(each["price"]) for each in fills), Decimal())
    fee = sum((Decimal(each["fee"]) for each in fills), Decimal())
    average = (cash / size).quantize(Decimal("0.0001")).normalize()
    fees = f", fee {_dollars(fee)}" if fee else ""
    return f"{_what(order)}: {size.normalize():,f} at {average:f} = {_dollars(cash)}{fees}"


def _refusal(order: Mapping[str, Any]) -> str:
    reason = _reason(order)
    return f"{_what(order)}: {order['code']}{f' ({reason})' if reason else ''}"


def _reason(order: Mapping[str, Any]) -> str:
    return order.get("reason") or ""


def _what(order: Mapping[str, Any]) -> str:
    market = order["marketId"]
    return " ".join(word for word in (order["side"], order.get("outcome"), _cut(market, 50)) if word)


def _title(called: str, result: Mapping[str, Any]) -> str:
    totals = result.get("totals", {})
    words = (
        ("filled", "filled"),
        ("resting", "resting"),
        ("canceled", "cancelled"),
        ("refused", "refused"),
        ("unconfirmed", "unconfirmed"),
    )
    counts = {**totals, "refused": totals.get("denied", 0) + totals.get("rejected", 0)}
    said = [f"{counts[name]:,} {word}" for name, word in words if counts.get(name)]
    other = "orders moved" if result.get("settled") or result.get("instructions") else "positions settled"
    return f"{called} ({result.get('mode', 'paper')}): {', '.join(said) or other}"


def _digest(result: Mapping[str, Any]) -> list[str]:
    totals = result.get("totals", {})
    lines = []
    if "notional" in totals:
        notional, fees = (_dollars(Decimal(totals[name])) for name in ("notional", "fees"))
        lines.append(f"traded {notional}, fees {fees}")
    ended = result.get("settlements", ())
    if ended:
        paid = sum((Decimal(each["cash"]) for each in ended), Decimal())
        lines.append(f"{_count(len(ended), 'position')} settled for {_dollars(paid)}")
    settled = result.get("settled", ())
    if settled:
        lines.append(f"{_count(len(settled), 'earlier order')} moved")
    held = [row for row in result.get("markets", ()) if row["size"] != "0"]
    if held:
        cost = sum((Decimal(row["costBasis"]) for row in held), Decimal())
        gain = sum((Decimal(row["unrealised"] or 0) for row in held), Decimal())
        lines.append(f"held there: cost {_dollars(cost)}, unrealised {_dollars(gain)}")
    refused = ", ".join(f"{code} {count}" for code, count in result.get("refused", {}).items())
    return [*lines, *([f"refused: {refused}"] if refused else [])] or ["nothing was traded"]


def _dollars(amount: Decimal) -> str:
    cents = amount.quantize(Decimal("0.01"))
    return f"{'-' if cents < 0 else ''}${abs(cents):,f}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
