"""Each field of a plan: what it takes, and the exact words for what it does not."""

from typing import Any

import pytest

from betteroms.domain.money import MICROS
from betteroms.domain.terms import Mode, OrderType, Side, TimeInForce
from betteroms.sources.plan_fields import OnRefusal, SizeUnit
from tests.sources.writing import a_plan, a_sale, an_instruction, instruction_problems, problems, read

OFF_PRICE = "is not between 0 and 1"
OFF_LOSS = "is not between 0 and 100"
OFF_GAIN = "is not above 0 and at most 1000000"
OFF_AMOUNT = "is not above 0 and at most 1000000000"
OFF_HOURS = "is not above 0 and at most 87600"
OFF_SECONDS = "is not a whole number from 1 to 315360000"
OFF_MINUTES = "is not a whole number from 1 to 5256000"
OFF_COUNT = "is not a whole number from 1 to 1000000"
OFF_TICKS = "is not a whole number from 0 to 1000"
OFF_TIME = "is not GTC, GTD (or GTT), FOK or FAK (or IOC)"

PRICES = ("price", "priceCeil", "stopPrice", "takeProfitPrice")
LOSSES = ("stopLossPct", "trailingStopPct")
SECONDS = ("goodForSeconds", "cancelAfterSec", "exitBeforeCloseSec")
TICKS = ("slippageTicksBuy", "slippageTicksSell")
NUMBERS = (
    *((key, OFF_PRICE, ("0", "1", "1.2", "-0.5", "2e3")) for key in PRICES),
    *((key, OFF_LOSS, ("0", "100", "-3", "100.5")) for key in LOSSES),
    ("takeProfitPct", OFF_GAIN, ("0", "-1", "1000000.000001")),
    ("size", OFF_AMOUNT, ("0", "-5", "1000000000.000001", "1e29")),
    ("maxHoldHours", OFF_HOURS, ("0", "-1", "87600.5")),
    *((key, OFF_SECONDS, ("0", "-1", "1.5", "315360001")) for key in SECONDS),
    ("coolDownMinutes", OFF_MINUTES, ("0", "0.5", "5256001")),
    ("maxDailyTrades", OFF_COUNT, ("0", "2.25", "1000001")),
    *((key, OFF_TICKS, ("-1", "0.5", "1001")) for key in TICKS),
)


def shown(value: str) -> str:
    return "2000" if value == "2e3" else f"1{'0' * 29}" if value == "1e29" else value


@pytest.mark.parametrize(
    ("key", "value", "rule"), [(key, value, rule) for key, rule, values in NUMBERS for value in values]
)
def test_a_number_out_of_bounds_is_refused_as_a_number_and_in_quotes(key: str, value: str, rule: str) -> None:
    assert instruction_problems(an_instruction(**{key: value})) == [f'0.{key}: "{value}" {rule}']
    bare = float(value) if set(value) & set(".e") else int(value)
    assert instruction_problems(an_instruction(**{key: bare})) == [f"0.{key}: {shown(value)} {rule}"]


@pytest.mark.parametrize("key", [key for key, _, _ in NUMBERS])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        (True, "true is not a number"),
        (None, "null is not a number"),
        ([1], "a list is not a number"),
        ({"a": 1}, "an object is not a number"),
        ("", '"" is not a number'),
        ("half", '"half" is not a number'),
        (" 0.5", '" 0.5" is not a number'),
        ("+1", '"+1" is not a number'),
        (".5", '".5" is not a number'),
        ("1.", '"1." is not a number'),
        ("007", '"007" is not a number'),
        ("1_0", '"1_0" is not a number'),
        ("٣", '"٣" is not a number'),
        ("NaN", '"NaN" is not a number'),
        ("1\n", r'"1\n" is not a number'),
        ("0.1234567", "0.1234567 has more than six decimals"),
        (0.1234567, "0.1234567 has more than six decimals"),
        ("1" * 70, f"{'1' * 59}… has more than 64 characters"),
    ],
)
def test_what_is_no_exact_number_is_refused(key: str, value: Any, what: str) -> None:
    assert instruction_problems(an_instruction(**{key: value})) == [f"0.{key}: {what}"]


@pytest.mark.parametrize(
    ("key", "value", "read_as"),
    [
        ("price", 0.42, 420_000),
        ("price", "0.420", 420_000),
        ("price", "0.000001", 1),
        ("price", 0.999999, 999_999),
        ("price", "4.2e-1", 420_000),
        ("price", "0.42000000000000", 420_000),
        ("size", 500, 500 * MICROS),
        ("size", "1000000000", 1_000_000_000 * MICROS),
        ("size", 0.000001, 1),
        ("size", "1e3", 1_000 * MICROS),
        ("stopLossPct", 99.999999, 99_999_999),
        ("trailingStopPct", 0.5, 500_000),
        ("takeProfitPct", 1_000_000, 1_000_000 * MICROS),
        ("maxHoldHours", 1.5, 1_500_000),
        ("goodForSeconds", 10_800, 10_800),
        ("goodForSeconds", 10_800.0, 10_800),
        ("cancelAfterSec", "7200", 7_200),
        ("exitBeforeCloseSec", 315_360_000, 315_360_000),
        ("coolDownMinutes", "1e2", 100),
        ("maxDailyTrades", 1, 1),
        ("slippageTicksBuy", 0, 0),
        ("slippageTicksSell", 1_000, 1_000),
    ],
)
def test_numbers_are_read_exactly_however_they_are_written(key: str, value: Any, read_as: int) -> None:
    item: dict[str, Any] = {**read(a_plan(an_instruction(**{key: value}))).instructions[0]}
    assert item[key] == read_as


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("marketId", "", "is empty"),
        ("marketId", 253591, "253591 is not text"),
        ("marketId", None, "null is not text"),
        ("marketId", "will x", '"will x" holds a space or a control character'),
        ("marketId", "m\x7f", r'"m\x7f" holds a space or a control character'),
        ("marketId", "m" * 256, "has 256 characters; the most is 255"),
        ("outcome", "", "is empty"),
        ("outcome", True, "true is not text"),
        ("outcome", "Up\nDown", r'"Up\nDown" holds a control character'),
        ("outcome", "o" * 1_256, "has 1,256 characters; the most is 255"),
        ("side", "buy", '"buy" is not BUY or SELL'),
        ("side", 1, "1 is not BUY or SELL"),
        ("side", ["BUY"], "a list is not BUY or SELL"),
        ("type", "Limit", '"Limit" is not LIMIT or MARKET'),
        ("sizeUnit", "USD", '"USD" is not USDC or SHARES'),
        ("timeInForce", "gtc", f'"gtc" {OFF_TIME}'),
        ("timeInForce", "DAY", f'"DAY" {OFF_TIME}'),
        ("timeInForce", 5, f"5 {OFF_TIME}"),
        ("timeInForce", {}, f"an object {OFF_TIME}"),
        ("postOnly", "true", '"true" is not true or false'),
        ("postOnly", 1, "1 is not true or false"),
        ("postOnly", None, "null is not true or false"),
        ("ref", "", '"" is not 1 to 64 of the characters A-Z a-z 0-9 _ . -'),
        ("ref", "a b", '"a b" is not 1 to 64 of the characters A-Z a-z 0-9 _ . -'),
        ("ref", "é", '"é" is not 1 to 64 of the characters A-Z a-z 0-9 _ . -'),
        ("ref", "r\n", r'"r\n" is not 1 to 64 of the characters A-Z a-z 0-9 _ . -'),
        ("ref", "r" * 65, f'"{"r" * 59}…" is not 1 to 64 of the characters A-Z a-z 0-9 _ . -'),
        ("ref", 7, "7 is not text"),
        ("notes", 7.5, "7.5 is not text"),
        ("notes", "n" * 2_001, "has 2,001 characters; the most is 2,000"),
        ("notes", "\0", r'"\u0000" holds a control character other than tab and line end'),
        ("notes", "\x1b[2J", r'"\u001b[2J" holds a control character other than tab and line end'),
    ],
)
def test_text_that_does_not_fit_is_refused(key: str, value: Any, what: str) -> None:
    assert instruction_problems(an_instruction(**{key: value})) == [f"0.{key}: {what}"]


def test_text_may_be_of_any_language_and_notes_of_several_lines() -> None:
    notes = "première ligne\r\n\tзаметка\n" + "n" * 1_970
    plan = read(a_plan(an_instruction(notes=notes, outcome="São Paulo", marketId="m" * 255, ref="a.B_9-")))
    assert plan.instructions[0]["notes"] == notes
    assert plan.instructions[0]["outcome"] == "São Paulo"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("GTC", "GTC"), ("GTD", "GTD"), ("GTT", "GTD"), ("FOK", "FOK"), ("FAK", "FAK"), ("IOC", "FAK")],
)
def test_each_time_in_force_is_known_by_its_names(written: str, meant: str) -> None:
    plan = read(a_plan(an_instruction(timeInForce=written), defaults={"goodForSeconds": 600}))
    assert plan.instructions[0]["timeInForce"] is TimeInForce(meant)
    assert read(a_plan(defaults={"timeInForce": "IOC"})).defaults == {"timeInForce": TimeInForce.FAK}


def test_words_become_the_words_of_the_trade() -> None:
    item = read(a_plan(a_sale(type="MARKET", price=..., sizeUnit="SHARES", postOnly=False))).instructions[0]
    assert item["side"] is Side.SELL
    assert item["type"] is OrderType.MARKET
    assert item["sizeUnit"] is SizeUnit.SHARES
    assert item["postOnly"] is False


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"planId": ...}, "planId: is missing"),
        ({"planId": ""}, 'planId: "" is not 1 to 255 printable characters'),
        ({"planId": "p" * 256}, f'planId: "{"p" * 59}…" is not 1 to 255 printable characters'),
        ({"planId": "p" * 249 + "{date}"}, f'planId: "{"p" * 59}…" is not 1 to 255 printable characters'),
        ({"planId": "a\tb"}, r'planId: "a\tb" is not 1 to 255 printable characters'),
        ({"planId": 20261120}, "planId: 20261120 is not text"),
        ({"planId": "a-{day}"}, 'planId: "a-{day}" holds other braces than {date}, {hour} and {minute}'),
        ({"planId": "a-{Date}"}, 'planId: "a-{Date}" holds other braces than {date}, {hour} and {minute}'),
        ({"planId": "{{date}}"}, 'planId: "{{date}}" holds other braces than {date}, {hour} and {minute}'),
        ({"planId": "a}"}, 'planId: "a}" holds other braces than {date}, {hour} and {minute}'),
        ({"mode": ...}, "mode: is missing"),
        ({"mode": "PAPER"}, 'mode: "PAPER" is not paper, shadow or live'),
        ({"mode": True}, "mode: true is not paper, shadow or live"),
        ({"priority": -1}, "priority: -1 is not a whole number from 0 to 1000000"),
        ({"priority": 1.5}, "priority: 1.5 is not a whole number from 0 to 1000000"),
        ({"active": "yes"}, 'active: "yes" is not true or false'),
        ({"onRefusal": "halt"}, 'onRefusal: "halt" is not continue or stop'),
        ({"notes": ["a"]}, "notes: a list is not text"),
        ({"$schema": 1}, "$schema: 1 is not text"),
        ({"tradeInstructions": ...}, "tradeInstructions: is missing"),
        ({"tradeInstructions": {}}, "tradeInstructions: an object is not a list"),
        ({"tradeInstructions": 1.5}, "tradeInstructions: 1.5 is not a list"),
        ({"tradeInstructions": "[]"}, 'tradeInstructions: "[]" is not a list'),
        ({"tradeInstructions": [7]}, "tradeInstructions[0]: 7 is not an object"),
        ({"tradeInstructions": [[]]}, "tradeInstructions[0]: a list is not an object"),
        ({"defaults": []}, "defaults: a list is not an object"),
        ({"defaults": None}, "defaults: null is not an object"),
        ({"defaults": {"price": 0.5}}, "defaults.price: is an unknown key; did you mean stopPrice?"),
        ({"defaults": {"cancelAfterSec": 500}}, "defaults.cancelAfterSec: is an unknown key"),
        ({"defaults": {"maxNotionalUSD": 0}}, f"defaults.maxNotionalUSD: 0 {OFF_AMOUNT}"),
        ({"defaults": {"maxOrders": 0}}, f"defaults.maxOrders: 0 {OFF_COUNT}"),
        ({"defaults": {"stopLossPct": 100}}, f"defaults.stopLossPct: 100 {OFF_LOSS}"),
        ({"limits": "none"}, 'limits: "none" is not an object'),
        ({"limits": {"maxOrderNotionalUSD": -1}}, f"limits.maxOrderNotionalUSD: -1 {OFF_AMOUNT}"),
        ({"limits": {"maxRunNotionalUSD": "x"}}, 'limits.maxRunNotionalUSD: "x" is not a number'),
        ({"limits": {"maxOrdersPerRun": 1.5}}, f"limits.maxOrdersPerRun: 1.5 {OFF_COUNT}"),
        ({"limits": {"leverage": 5}}, "limits.leverage: is an unknown key"),
        ({"plan_id": "a"}, "plan_id: is an unknown key; did you mean planId?"),
        ({"instructions": []}, "instructions: is an unknown key; did you mean tradeInstructions?"),
    ],
)
def test_fields_of_the_plan_that_do_not_fit_are_refused(changed: dict[str, Any], problem: str) -> None:
    assert problems(a_plan(**changed)) == [problem]


@pytest.mark.parametrize(
    ("document", "said"), [([], "a list"), ("plan", '"plan"'), (5, "5"), (None, "null"), (True, "true")]
)
def test_what_is_no_object_is_no_plan(document: Any, said: str) -> None:
    assert problems(document) == [f": {said} is not an object"]


def test_a_plan_says_what_was_written_and_the_rest_is_as_documented() -> None:
    plan = read(a_plan())
    assert (plan.plan_id, plan.mode, plan.priority, plan.active) == ("2026-11-20-dip", Mode.PAPER, 100, True)
    assert (plan.on_refusal, plan.notes) == (OnRefusal.CONTINUE, "")
    assert (dict(plan.defaults), dict(plan.limits)) == ({}, {})
    assert plan.instructions == (
        {
            "marketId": "will-x-happen",
            "outcome": "YES",
            "side": Side.BUY,
            "price": 420_000,
            "size": 500 * MICROS,
        },
    )
    assert plan.name == "x.json"


def test_every_field_of_the_plan_is_read() -> None:
    written = a_plan(
        **{"$schema": "../schemas/trade-plan-v1.schema.json"},
        priority="7",
        active=False,
        onRefusal="stop",
        notes="mine",
        mode="shadow",
        limits={"maxOrderNotionalUSD": 1, "maxRunNotionalUSD": "2.5", "maxOrdersPerRun": 3},
        defaults={"maxNotionalUSD": 2000, "maxOrders": 50},
    )
    plan = read(written)
    assert (plan.mode, plan.priority, plan.active, plan.notes) == (Mode.SHADOW, 7, False, "mine")
    assert plan.on_refusal is OnRefusal.STOP
    assert plan.limits == {
        "maxOrderNotionalUSD": MICROS,
        "maxRunNotionalUSD": 2_500_000,
        "maxOrdersPerRun": 3,
    }
    assert plan.defaults == {"maxNotionalUSD": 2_000 * MICROS, "maxOrders": 50}


def test_a_plan_may_have_nothing_to_do() -> None:
    assert read(a_plan(tradeInstructions=[])).instructions == ()


def test_a_plan_cannot_be_changed() -> None:
    plan = read(a_plan())
    with pytest.raises(ValueError, match="frozen"):
        setattr(plan, "priority", 1)  # noqa: B010
