"""The corridor and the slow reference agree on every fill, end and remembered level."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from betteroms.domain.book import Book
from betteroms.domain.execution import Execution
from betteroms.domain.fees import FeeSchedule
from betteroms.domain.ids import MarketId, OrderId, TokenId
from betteroms.domain.market import Market, Outcome
from betteroms.domain.money import MICROS, Price, Size, Usdc, to_micros
from betteroms.domain.order import Order
from betteroms.domain.terms import Mode
from betteroms.executors.paper import PaperSettings
from tests.domain.examples import NO, YES, a_market
from tests.fills import reference
from tests.fills.corridor import Corridor, shown
from tests.fills.worlds import worlds

PLENTY = 10**15
TOKENS = {
    "rain": (YES, NO),
    "snow": (
        TokenId("90000000000000000000000000000000000000000000000000000000000000000000000000007"),
        TokenId("10000000000000000000000000000000000000000000000000000000000000000000000000003"),
    ),
}
NAMES = {MarketId("0x" + byte * 32): name for byte, name in (("5f", "rain"), ("a0", "snow"))}


def market(name: str, rules: dict[str, Any]) -> Market:
    (market_id,) = (market_id for market_id, known in NAMES.items() if known == name)
    return replace(
        a_market(),
        market_id=market_id,
        slug=name,
        outcomes=tuple(
            Outcome(token_id=token, label=label)
            for token, label in zip(TOKENS[name], ("Yes", "No"), strict=True)
        ),
        tick_size=Price(to_micros(rules["tick"])),
        minimum_size=Size(to_micros(rules["minimum"])),
        fees=FeeSchedule(rate=to_micros(rules["rate"]), exponent=rules["exponent"]),
    )


def in_fractions(world: dict[str, Any], run: dict[str, Any]) -> tuple[dict[str, Any], dict[Any, Any]]:
    """A run's markets and books as the reference wants them."""
    numbers = ("tick", "minimum", "rate")
    markets = {
        name: {number: Fraction(rules[number]) for number in numbers}
        | {"exponent": rules["exponent"], "closed": name in run["closed"]}
        for name, rules in world["markets"].items()
    }
    books = {
        (name, outcome): {
            "stamp": book["stamp"],
            "token": TOKENS[name][outcome],
            **{
                side: [(Fraction(price), Fraction(size)) for price, size in book[side]]
                for side in ("bids", "asks")
            },
        }
        for (name, outcome), book in run["books"].items()
    }
    return markets, books


def ours(order: Order, fills: Sequence[Execution]) -> dict[str, Any]:
    """What became of an order of the corridor, in the reference's words."""
    return {
        "status": order.status.value,
        "code": order.code,
        "fills": [
            {
                "price": Fraction(fill.price, MICROS),
                "size": Fraction(fill.size, MICROS),
                "cash": Fraction(fill.cash, MICROS),
                "fee": Fraction(fill.fee, MICROS),
                "liquidity": fill.liquidity.value,
            }
            for fill in fills
        ],
    }


def theirs(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: result[name] for name in ("status", "code", "fills")} for result in results]


def corridor_of(world: dict[str, Any], markets: Collection[Market]) -> Corridor:
    """A rich account over the world's markets."""
    return Corridor(
        markets,
        cash=Usdc(PLENTY),
        held={outcome.token_id: Size(PLENTY) for known in markets for outcome in known.outcomes},
        settings=PaperSettings(
            liquidity_fraction=to_micros(world["fraction"]), slippage_ticks=world["slippage"]
        ),
    )


def books_of(run: dict[str, Any], markets: Mapping[str, Market]) -> dict[TokenId, Book]:
    """What a run sees."""
    return {
        TOKENS[name][index]: shown(
            markets[name],
            index,
            bids=book["bids"],
            asks=book["asks"],
            stamp_ms=book["stamp"],
            received_at=datetime.fromtimestamp(run["now"], tz=UTC),
        )
        for (name, index), book in run["books"].items()
    }


def compare(world: dict[str, Any]) -> Counter[str]:
    """Play a world both ways and compare after each run; counts what happened in it."""
    markets = {name: market(name, rules) for name, rules in world["markets"].items()}
    corridor = corridor_of(world, [*markets.values()])
    state = reference.nothing()
    resting: list[OrderId] = []
    seen: Counter[str] = Counter()
    for run in world["runs"]:
        now = datetime.fromtimestamp(run["now"], tz=UTC)
        for name, known in markets.items():
            corridor.markets[known.market_id] = replace(known, closed=name in run["closed"])
        outcome = corridor.run(
            run["plan"],
            books=books_of(run, markets),
            now=now,
        )
        expected, settled = reference.run(
            state,
            *in_fractions(world, run),
            run["plan"],
            now=run["now"],
            fraction=Fraction(world["fraction"]),
            slippage_ticks=world["slippage"],
        )
        assert [
            ours(order, outcome.executions.get(order.order_id, ())) for order in outcome.orders
        ] == theirs(expected)
        assert [
            ours(corridor.order(name), outcome.settled_executions.get(name, ())) for name in resting
        ] == theirs(settled)
        assert remembered(corridor) == {
            (name, price): size
            for name, memory in state["memory"].items()
            for price, size in memory["taken"].items()
        }
        resting = [name for name in resting if corridor.order(name).status == "OPEN"]
        resting += [order.order_id for order in outcome.orders if order.status == "OPEN"]
        seen.update(f"{result['status']} {result['code'] or ''}".strip() for result in expected + settled)
        seen.update(fill["liquidity"] for result in expected + settled for fill in result["fills"])
    return seen


def remembered(corridor: Corridor) -> dict[tuple[str, Fraction], Fraction]:
    return {
        (NAMES[row.market_id], Fraction(row.price, MICROS)): Fraction(row.size, MICROS)
        for row in corridor.ledger.taken()[Mode.PAPER]
    }


@settings(max_examples=200)
@given(worlds())
def test_the_corridor_agrees_with_the_reference(world: dict[str, Any]) -> None:
    compare(world)


@pytest.mark.soak
@settings(max_examples=5_000)
@given(worlds(runs=5, lines=12))
def test_the_corridor_agrees_with_the_reference_for_a_long_time(world: dict[str, Any]) -> None:
    compare(world)


def test_random_worlds_see_every_way_an_order_can_go() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=150)
    @given(worlds())
    def watch(world: dict[str, Any]) -> None:
        seen.update(compare(world))

    watch()
    assert set(seen) >= {
        "MAKER",
        "TAKER",
        "OPEN",
        "FILLED",
        "EXPIRED",
        "CANCELED CANCEL_AFTER",
        "CANCELED FAK_REMAINDER",
        "CANCELED FAK_NO_MATCH",
        "CANCELED FOK_NOT_FILLED",
        "REJECTED POST_ONLY_WOULD_CROSS",
        "DENIED AMOUNT_PRECISION",
        "DENIED BELOW_MINIMUM_NOTIONAL",
        "DENIED BELOW_MINIMUM_SIZE",
        "DENIED BOOK_CROSSED",
        "DENIED DUPLICATE_INSTRUCTION",
        "DENIED MARKET_CLOSED",
        "DENIED MID_UNKNOWN",
        "DENIED NO_BOOK",
        "DENIED NO_LIQUIDITY",
        "DENIED PRICE_ABOVE_CEIL",
        "DENIED PRICE_BELOW_FLOOR",
        "DENIED PRICE_OFF_RANGE",
        "DENIED SELF_CROSS",
    }, sorted(seen.items())


def test_the_reference_shares_nothing_with_the_product() -> None:
    assert "betteroms" not in Path(reference.__file__).read_text(encoding="utf-8")
