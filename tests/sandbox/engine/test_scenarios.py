"""Every scenario of the tables goes as they say."""

from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.domain.money import to_micros, to_text
from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.exchange import Placement
from betteroms.sandbox.model import Kind, MakerFill, Order, Refused
from tests.sandbox.engine.hall import Hall
from tests.sandbox.engine.tables import ORDER, Scenario, Step, scenarios

DIRECTORY: Final = Path(__file__).parent / "scenarios"
PEOPLE: Final = ("ann", "bob", "cat", "dan")
SETTINGS: Final = {"tick": "tick", "min": "minimum_size", "fee": "fee_rate"}
WHOLE: Final = {"exponent": "fee_exponent", "delay": "seconds_delay"}
SIGNS: Final = {Kind.COMPLEMENTARY: "", Kind.MINT: "+", Kind.MERGE: "-"}
ALL: Final = [scenario for path in sorted(DIRECTORY.glob("*.txt")) for scenario in scenarios(path)]


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_it_goes_as_the_table_says(scenario: Scenario) -> None:
    changes: dict[str, Any] = {}
    for key, value in scenario.settings.items():
        if key in SETTINGS:
            changes[SETTINGS[key]] = to_micros(value)
        else:
            changes[WHOLE[key]] = int(value)
    hall = Hall(**changes)
    for person in PEOPLE:
        hall.fund(person)
    orders: list[Order] = []
    for step in scenario.steps:
        answer, fills = _done(hall, orders, step)
        assert (step.place, answer, fills) == (step.place, step.answer, step.makers)
        if step.book:
            assert (step.place, _book(hall)) == (step.place, step.book)


def _done(hall: Hall, orders: list[Order], step: Step) -> tuple[str, str]:
    found = ORDER.fullmatch(step.does)
    if found is None:
        return _happened(hall, orders, step), ""
    kind = found["kind"]
    rests = kind in (None, "post-only")
    side = Side.BUY if found["side"] == "buys" else Side.SELL
    try:
        placement = hall.place(
            found["who"],
            side,
            found["size"].removeprefix("$"),
            found["price"],
            outcome=1 if found["no"] else 0,
            time_in_force=TimeInForce.GTC if rests else TimeInForce(kind.upper()),
            post_only=kind == "post-only",
        )
    except Refused as refused:
        return _refusal(refused.text, step.answer), ""
    orders.append(placement.order)
    fills = [fill for trade in placement.trades for fill in trade.fills]
    return _answer(placement), " ".join(_fill(hall, fill) for fill in fills)


def _refusal(text: str, expected: str) -> str:
    """As much of it as is expected, if it opens so; the order's id left out."""
    words = text.split()
    if words[:1] == ["order"] and words[1].startswith("0x"):
        words = words[2:]
    said = f"no: {' '.join(words)}"
    return expected if expected and said.startswith(expected) else said


def _answer(placement: Placement) -> str:
    if placement.status != "matched":
        return placement.status
    return f"{to_text(placement.making)} for {to_text(placement.taking)}"


def _fill(hall: Hall, fill: MakerFill) -> str:
    name = next(person for person in PEOPLE if hall.wallet(person) == fill.order.maker)
    return f"{name} {to_text(fill.shares)}={to_text(fill.dollars)}{SIGNS[fill.kind]}"


def _happened(hall: Hall, orders: list[Order], step: Step) -> str:
    match step.does.split():
        case ["cancel", number]:
            return hall.exchange.cancel(orders[int(number) - 1], hall.now_ms) or "done"
        case ["wait", seconds]:
            hall.wait(float(seconds))
        case ["tick", tick]:
            hall.exchange.set_tick(hall.market, to_micros(tick), hall.now_ms)
        case ["close"]:
            hall.exchange.close(hall.market, hall.now_ms)
        case ["resolve", price]:
            paid = to_micros(price)
            hall.exchange.resolve(hall.market, (paid, to_micros("1") - paid), hall.now_ms)
        case ["game", "starts"]:
            hall.exchange.start_game(hall.market, hall.now_ms)
        case ["status", number]:
            order = orders[int(number) - 1]
            return f"{order.status} {to_text(order.matched)}"
        case _:
            pytest.fail(f"{step.place}: {step.does}")
    return ""


def _book(hall: Hall) -> str:
    book = hall.exchange.book(hall.market)
    sides = [
        " ".join(f"{to_text(price)}x{to_text(size)}" for price, size in side)
        for side in (book.bids, book.asks)
    ]
    return " / ".join(sides).strip()
