"""Every row of the tables in `scenarios/` holds, through the real corridor."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from betteroms.domain.book import Book, mirror
from betteroms.domain.execution import Execution
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import OrderId, TokenId
from betteroms.domain.money import Price, Size, Usdc, to_micros
from betteroms.domain.order import Order
from betteroms.domain.terms import Liquidity
from betteroms.executors.paper import PaperSettings
from tests.domain.examples import BOOK_MS, NO, NOW, YES, a_market
from tests.fills.corridor import Corridor, shown
from tests.fills.tables import Fill, Row, Scenario, Step, load_tables

SCENARIOS = load_tables(Path(__file__).parent / "scenarios")
DEFAULTS = {
    "tick": Decimal("0.01"),
    "min": Decimal(5),
    "fee": Decimal(0),
    "exponent": Decimal(1),
    "fraction": Decimal(1),
    "slippage": Decimal(0),
    "cash": Decimal(10_000),
    "yes": Decimal(0),
    "no": Decimal(0),
}
HOUR = 3_600


class Play:
    """A scenario being played: one account, one market, the orders placed so far."""

    def __init__(self, scenario: Scenario) -> None:
        settings = DEFAULTS | scenario.settings
        self.market = a_market(
            tick_size=Price(to_micros(settings["tick"])),
            minimum_size=Size(to_micros(settings["min"])),
            fees=FeeSchedule(rate=to_micros(settings["fee"]), exponent=int(settings["exponent"])),
        )
        self.corridor = Corridor(
            [self.market],
            cash=Usdc(to_micros(settings["cash"])),
            held={YES: Size(to_micros(settings["yes"])), NO: Size(to_micros(settings["no"]))},
            settings=PaperSettings(
                liquidity_fraction=to_micros(settings["fraction"]), slippage_ticks=int(settings["slippage"])
            ),
        )
        self.elapsed = 0
        self.newest_ms = BOOK_MS
        self.placed: list[OrderId] = []

    def step(self, step: Step) -> None:
        """One run: play its rows, and hold every order that moved against them."""
        self.elapsed += int(step.news.get("after", HOUR))
        now = NOW + timedelta(seconds=self.elapsed)
        market = replace(self.market, closed="closed" in step.news)
        self.corridor.markets[market.market_id] = market
        new = [row for row in step.rows if row.instruction is not None]
        before = {name: self.corridor.order(name) for name in self.placed}
        outcome = self.corridor.run(
            [{"marketId": market.slug, **(row.instruction or {})} for row in new],
            books=self._books(step),
            now=now,
        )
        told: set[OrderId] = set()
        for row, order in zip(new, outcome.orders, strict=True):
            self.placed.append(order.order_id)
            told.add(order.order_id)
            check(row, order, outcome.executions.get(order.order_id, ()), Liquidity.TAKER)
        for row in step.rows:
            if row.again is not None:
                name = self.placed[row.again - 1]
                told.add(name)
                fills = outcome.settled_executions.get(name, ())
                check(row, self.corridor.order(name), fills, Liquidity.MAKER)
        for name in set(before) - told:
            assert self.corridor.order(name) == before[name], "an order moved that no row speaks of"

    def _books(self, step: Step) -> dict[TokenId, Book]:
        if "older" in step.news:
            stamp = self.newest_ms - 1
        elif "unchanged" in step.news:
            stamp = self.newest_ms
        else:
            stamp = self.newest_ms = BOOK_MS + self.elapsed * 1000
        now = NOW + timedelta(seconds=self.elapsed)
        yes, no = (
            shown(
                self.market,
                index,
                bids=step.levels.get(f"{prefix}bids", ()),
                asks=step.levels.get(f"{prefix}asks", ()),
                stamp_ms=stamp,
                received_at=now,
            )
            for index, prefix in enumerate(("", "no "))
        )
        own = any(side.startswith("no ") for side in step.levels)
        return {YES: yes, NO: no if own else mirror(yes, NO)}


def check(row: Row, order: Order, fills: Sequence[Execution], liquidity: Liquidity) -> None:
    """Hold what became of an order against its row."""
    status, _, code = row.ends.partition(" ")
    assert order.status.value.lower() == status, f"{row.place}: {order.code}: {order.reason}"
    assert (order.code or "") == code or not code, row.place
    expected = [as_execution(fill) for fill in row.fills]
    assert [(fill.size, fill.price, fill.cash, fill.fee) for fill in fills] == expected, row.place
    assert {fill.liquidity for fill in fills} <= {liquidity}, row.place


def as_execution(fill: Fill) -> tuple[int, int, int, int]:
    return (to_micros(fill.size), to_micros(fill.price), to_micros(fill.cash), to_micros(fill.fee))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_holds(scenario: Scenario) -> None:
    play = Play(scenario)
    for step in scenario.steps:
        play.step(step)


def test_bought_at_two_prices_is_held_at_their_average() -> None:
    (scenario,) = (scenario for scenario in SCENARIOS if scenario.name == "two orders, two levels")
    play = Play(scenario)
    play.step(scenario.steps[0])
    (position,) = (held for held in play.corridor.ledger.positions() if held.token_id == YES)
    assert position.size == to_micros(150)
    assert position.cost_basis == to_micros(65)  # 0.4333… each
    assert (position.realised, position.fees) == (0, 0)


def test_the_tables_are_all_there() -> None:
    assert len(SCENARIOS) > 150
    rows = [row for scenario in SCENARIOS for step in scenario.steps for row in step.rows]
    assert {row.ends.partition(" ")[0] for row in rows} == {
        "open",
        "filled",
        "canceled",
        "expired",
        "rejected",
        "denied",
    }
