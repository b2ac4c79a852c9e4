"""Fields that are right alone and wrong together, each with its exact words."""

from typing import Any

import pytest

from tests.sources.writing import a_plan, a_sale, an_instruction, instruction_problems, problems, read

TOKEN = "7132104567925221259462638553270691275033272857194253228963137931"
NEEDS_LIFE = "0.timeInForce: GTD needs cancelAfterSec or goodForSeconds"
LIFE = {"goodForSeconds": 600}


def a_market_order(**changed: Any) -> dict[str, Any]:
    return an_instruction(**{"type": "MARKET", "price": ...} | changed)


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (an_instruction(price=...), "0.price: is missing; a LIMIT instruction needs it"),
        (an_instruction(type="LIMIT", price=...), "0.price: is missing; a LIMIT instruction needs it"),
        (
            a_market_order(price=0.5),
            "0.price: 0.5 is given, but a MARKET instruction has none; priceCeil or priceFloor bounds it",
        ),
        (
            a_market_order(timeInForce="GTC"),
            "0.timeInForce: GTC is given, but a MARKET instruction is FAK or FOK",
        ),
        (
            a_market_order(timeInForce="GTT"),
            "0.timeInForce: GTD is given, but a MARKET instruction is FAK or FOK",
        ),
        (a_market_order(postOnly=True), "0.postOnly: is true, but FAK only takes"),
        (a_market_order(cancelAfterSec=600), "0.cancelAfterSec: is given, but FAK never rests"),
        (a_market_order(goodForSeconds=600), "0.goodForSeconds: is given, but FAK never rests"),
        (an_instruction(timeInForce="FOK", postOnly=True), "0.postOnly: is true, but FOK only takes"),
        (an_instruction(timeInForce="IOC", postOnly=True), "0.postOnly: is true, but FAK only takes"),
        (
            an_instruction(timeInForce="FOK", cancelAfterSec=600),
            "0.cancelAfterSec: is given, but FOK never rests",
        ),
        (
            an_instruction(timeInForce="FAK", goodForSeconds=600),
            "0.goodForSeconds: is given, but FAK never rests",
        ),
        (an_instruction(timeInForce="GTD"), NEEDS_LIFE),
        (
            an_instruction(timeInForce="GTD", cancelAfterSec=119),
            "0.cancelAfterSec: 119 is below 120, the least for GTD",
        ),
        (
            an_instruction(timeInForce="GTD", goodForSeconds=119),
            "0.goodForSeconds: 119 is below 120, the least for GTD",
        ),
        (
            an_instruction(timeInForce="GTD", cancelAfterSec=60, goodForSeconds=600),
            "0.cancelAfterSec: 60 is below 120, the least for GTD",
        ),
        (a_sale(sizeUnit="USDC"), "0.sizeUnit: USDC is given, but a SELL is in SHARES"),
        (a_sale(priceCeil=0.5), "0.priceCeil: is given, but it guards a BUY; a SELL has priceFloor"),
        (
            an_instruction(priceFloor=0.5),
            "0.priceFloor: is given, but it guards a SELL; a BUY has priceCeil",
        ),
        (an_instruction(outcome=...), "0.outcome: is missing; only a token id as marketId goes without it"),
        (
            an_instruction(outcome=..., marketId="253591"),
            "0.outcome: is missing; only a token id as marketId goes without it",
        ),
        (
            an_instruction(outcome=..., marketId="9" * 20),
            "0.outcome: is missing; only a token id as marketId goes without it",
        ),
        (
            an_instruction(outcome=..., marketId="٣" * 21),
            "0.outcome: is missing; only a token id as marketId goes without it",
        ),
        (
            an_instruction(stopPrice=0.6, takeProfitPrice=0.6),
            "0.stopPrice: stopPrice 0.6 is not below takeProfitPrice 0.6",
        ),
        (
            a_sale(stopPrice="0.70", takeProfitPrice=0.6),
            "0.stopPrice: stopPrice 0.7 is not below takeProfitPrice 0.6",
        ),
    ],
)
def test_an_instruction_that_contradicts_itself_is_refused(item: dict[str, Any], problem: str) -> None:
    assert instruction_problems(item) == [problem]


@pytest.mark.parametrize(
    ("item", "defaults", "found"),
    [
        (an_instruction(), {"timeInForce": "GTD"}, [NEEDS_LIFE]),
        (an_instruction(cancelAfterSec=120), {"timeInForce": "GTD"}, []),
        (an_instruction(), {"timeInForce": "GTD", "goodForSeconds": 120}, []),
        (
            an_instruction(timeInForce="GTD"),
            {"goodForSeconds": 60},
            ["defaults.goodForSeconds: 60 is below 120, the least for GTD"],
        ),
        (an_instruction(timeInForce="GTD", goodForSeconds=300), {"goodForSeconds": 60}, []),
        (an_instruction(timeInForce="GTC"), {"goodForSeconds": 60}, []),
        (an_instruction(timeInForce="GTC"), {"timeInForce": "GTD"}, []),
        (an_instruction(timeInForce="FOK"), LIFE, []),
        (an_instruction(timeInForce="FAK"), LIFE, []),
        (an_instruction(), LIFE | {"timeInForce": "FOK"}, []),
        (
            an_instruction(postOnly=True, cancelAfterSec=600),
            {"timeInForce": "FOK"},
            ["0.cancelAfterSec: is given, but FOK never rests", "0.postOnly: is true, but FOK only takes"],
        ),
        (an_instruction(postOnly=False), {"timeInForce": "FOK"}, []),
        (a_market_order(), {"timeInForce": "GTC"}, []),
        (a_market_order(), LIFE | {"timeInForce": "GTD"}, []),
        (a_market_order(), {"timeInForce": "GTD"}, []),
        (a_market_order(timeInForce="FOK"), LIFE, []),
        (a_market_order(timeInForce="IOC"), LIFE, []),
        (
            an_instruction(stopPrice=0.6),
            {"takeProfitPrice": 0.5},
            ["0.stopPrice: stopPrice 0.6 is not below takeProfitPrice 0.5"],
        ),
        (
            an_instruction(takeProfitPrice=0.3),
            {"stopPrice": 0.5},
            ["0.takeProfitPrice: stopPrice 0.5 is not below takeProfitPrice 0.3"],
        ),
        (a_sale(stopPrice=0.6), {"takeProfitPrice": 0.5}, []),
        (
            an_instruction(),
            {"stopPrice": 0.5, "takeProfitPrice": 0.4},
            ["defaults.stopPrice: stopPrice 0.5 is not below takeProfitPrice 0.4"],
        ),
        (an_instruction(), {"stopPrice": 0.5}, []),
    ],
)
def test_an_instruction_is_judged_with_the_defaults_it_takes(
    item: dict[str, Any], defaults: dict[str, Any], found: list[str]
) -> None:
    assert instruction_problems(item, defaults=defaults) == found


@pytest.mark.parametrize(
    "item",
    [
        an_instruction(outcome=..., marketId=TOKEN),
        an_instruction(outcome=..., marketId="9" * 21),
        an_instruction(marketId="0x" + "5f" * 32, notes="by condition id"),
        an_instruction(price=0.5, priceCeil=0.4),
        a_sale(priceFloor=0.55, timeInForce="GTD", cancelAfterSec=7_200),
        a_sale(sizeUnit="SHARES", stopLossPct=10),
        an_instruction(postOnly=True, timeInForce="GTD", goodForSeconds=600),
        an_instruction(stopPrice=0.2, takeProfitPrice=0.8),
        a_market_order(priceCeil=0.5, slippageTicksBuy=0),
        an_instruction(slippageTicksSell=3),
    ],
)
def test_what_does_not_contradict_itself_is_taken(item: dict[str, Any]) -> None:
    assert instruction_problems(item) == []


def test_two_lines_cannot_have_one_ref() -> None:
    lines = [an_instruction(ref=ref) for ref in ("a", "b", "a", "A", "a")]
    assert instruction_problems(*lines, an_instruction(), an_instruction()) == [
        '2.ref: "a" is already the ref of tradeInstructions[0]',
        '4.ref: "a" is already the ref of tradeInstructions[0]',
    ]


def test_a_default_life_that_is_too_short_is_told_once() -> None:
    lines = [an_instruction(timeInForce="GTD") for _ in range(3)]
    assert problems(a_plan(*lines, defaults={"goodForSeconds": 60})) == [
        "defaults.goodForSeconds: 60 is below 120, the least for GTD"
    ]


def test_a_plan_of_plain_lines_is_judged_by_its_defaults_too() -> None:
    found = instruction_problems(an_instruction(), an_instruction(notes="x"), defaults={"timeInForce": "GTD"})
    assert found == [NEEDS_LIFE, NEEDS_LIFE.replace("0.", "1.")]
    assert read(a_plan(defaults={"timeInForce": "FOK"})).instructions
