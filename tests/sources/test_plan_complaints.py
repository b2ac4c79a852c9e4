"""Every problem of a plan at once, by place, and no more lines than a person can read."""

import pytest

from betteroms.domain.errors import PlanInvalid
from betteroms.sources.plan import INSTRUCTIONS_MAX, PROBLEMS_SHOWN_MAX, read_plan
from tests.sources.writing import a_plan, a_sale, an_instruction, instruction_problems, problems

NEEDS_LIFE = "1.timeInForce: GTD needs cancelAfterSec or goodForSeconds"


def test_everything_that_is_wrong_is_told_at_once_by_place() -> None:
    lines = [
        an_instruction(price=1.2, size="x"),
        an_instruction(timeInForce="GTD"),
        "not an instruction",
        a_sale(sizeUnit="USDC", price=7),
        *[an_instruction() for _ in range(6)],
        an_instruction(side="HOLD"),
    ]
    found = problems(a_plan(*lines, mode="demo", defaults={"stopPrice": 2}, limits={"maxOrders": 1}))
    assert found == [
        "defaults.stopPrice: 2 is not between 0 and 1",
        "limits.maxOrders: is an unknown key; did you mean maxOrdersPerRun?",
        'mode: "demo" is not paper, shadow or live',
        "tradeInstructions[0].price: 1.2 is not between 0 and 1",
        'tradeInstructions[0].size: "x" is not a number',
        "tradeInstructions[1].timeInForce: GTD needs cancelAfterSec or goodForSeconds",
        'tradeInstructions[2]: "not an instruction" is not an object',
        "tradeInstructions[3].price: 7 is not between 0 and 1",
        "tradeInstructions[3].sizeUnit: USDC is given, but a SELL is in SHARES",
        'tradeInstructions[10].side: "HOLD" is not BUY or SELL',
    ]


def test_the_file_is_named_on_every_line() -> None:
    with pytest.raises(PlanInvalid) as raised:
        read_plan(b'{"mode": "paper", "tradeInstructions": [{}]}', "plans/x.json")
    assert raised.value.problems == (
        "plans/x.json planId: is missing",
        "plans/x.json tradeInstructions[0].marketId: is missing",
        "plans/x.json tradeInstructions[0].side: is missing",
        "plans/x.json tradeInstructions[0].size: is missing",
    )
    assert str(raised.value) == "\n".join(raised.value.problems)


def test_a_name_that_cannot_be_printed_is_escaped() -> None:
    with pytest.raises(PlanInvalid) as raised:
        read_plan(b"[]", "a\x1b\udc80.json")
    assert raised.value.problems == (r"a\x1b\udc80.json: a list is not an object",)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"size": ...}, ["size: is missing"]),
        ({"price": "?"}, ['price: "?" is not a number']),
        ({"outcome": 1}, ["outcome: 1 is not text"]),
        ({"outcome": ..., "marketId": ""}, ["marketId: is empty"]),
        (
            {"timeInForce": "GTD", "cancelAfterSec": 0.5},
            ["cancelAfterSec: 0.5 is not a whole number from 1 to 315360000"],
        ),
        ({"timeInForce": "FOK", "type": "?", "postOnly": True}, ['type: "?" is not LIMIT or MARKET']),
        (
            {"timeInForce": "?", "cancelAfterSec": 5},
            ['timeInForce: "?" is not GTC, GTD (or GTT), FOK or FAK (or IOC)'],
        ),
        ({"side": "?", "priceFloor": 0.5}, ['side: "?" is not BUY or SELL']),
        ({"postOnly": 1, "timeInForce": "FOK"}, ["postOnly: 1 is not true or false"]),
        (
            {"prize": 1, "price": ...},
            [
                "price: is missing; a LIMIT instruction needs it",
                "prize: is an unknown key; did you mean price?",
            ],
        ),
    ],
)
def test_nothing_is_blamed_on_a_field_that_could_not_be_read(
    wrong: dict[str, object], found: list[str]
) -> None:
    assert instruction_problems(an_instruction(**wrong)) == [f"0.{problem}" for problem in found]


@pytest.mark.parametrize(
    ("defaults", "found"),
    [
        (
            {"timeInForce": "?"},
            ['defaults.timeInForce: "?" is not GTC, GTD (or GTT), FOK or FAK (or IOC)', NEEDS_LIFE],
        ),
        (
            {"goodForSeconds": 0},
            ["defaults.goodForSeconds: 0 is not a whole number from 1 to 315360000"],
        ),
        ("?", ['defaults: "?" is not an object']),
    ],
)
def test_nothing_is_blamed_on_a_default_that_could_not_be_read(defaults: object, found: list[str]) -> None:
    lines = [an_instruction(cancelAfterSec=600), an_instruction(timeInForce="GTD")]
    assert instruction_problems(*lines, defaults=defaults) == found


def test_defaults_that_are_right_count_beside_those_that_are_not() -> None:
    found = instruction_problems(
        an_instruction(postOnly=True), defaults={"timeInForce": "FOK", "stopPrice": 5}
    )
    assert found == [
        "defaults.stopPrice: 5 is not between 0 and 1",
        "0.postOnly: is true, but FOK only takes",
    ]


def test_a_repeated_ref_is_told_beside_other_problems() -> None:
    found = instruction_problems(an_instruction(ref="a", price=9), an_instruction(ref="a"))
    assert found == [
        "0.price: 9 is not between 0 and 1",
        '1.ref: "a" is already the ref of tradeInstructions[0]',
    ]


def test_past_a_number_the_problems_are_counted() -> None:
    found = problems(a_plan(*[an_instruction(price=2) for _ in range(PROBLEMS_SHOWN_MAX + 3_141)]))
    assert len(found) == PROBLEMS_SHOWN_MAX + 1
    assert found[-2:] == ["tradeInstructions[199].price: 2 is not between 0 and 1", ": and 3,141 more"]
    found = problems(a_plan(*[an_instruction(price=2) for _ in range(PROBLEMS_SHOWN_MAX)]))
    assert found[-1] == "tradeInstructions[199].price: 2 is not between 0 and 1"


def test_more_instructions_than_a_plan_may_have_are_refused_as_such() -> None:
    lines = [an_instruction(price=2)] + [{}] * INSTRUCTIONS_MAX
    assert problems(a_plan(tradeInstructions=lines, mode="?")) == [
        'mode: "?" is not paper, shadow or live',
        "tradeInstructions: has 100,001 instructions; the most is 100,000",
    ]
    lines = [an_instruction()] * (INSTRUCTIONS_MAX + 1)
    assert problems(a_plan(tradeInstructions=lines)) == [
        "tradeInstructions: has 100,001 instructions; the most is 100,000"
    ]


def test_an_unknown_key_is_answered_with_the_likeliest_known_one() -> None:
    wrong = {"Price": 1, "stoploss": 1, "market_id": 1, "qqq": 1, "time_in_force": 1, "k" * 500: 1}
    assert instruction_problems(an_instruction(**wrong)) == [
        "0.Price: is an unknown key; did you mean price?",
        f'0["{"k" * 59}…"]: is an unknown key',
        "0.market_id: is an unknown key; did you mean marketId?",
        "0.qqq: is an unknown key",
        "0.stoploss: is an unknown key; did you mean stopLossPct?",
        "0.time_in_force: is an unknown key; did you mean timeInForce?",
    ]


def test_likeness_is_looked_for_only_as_often_as_it_can_be_shown() -> None:
    lines = [an_instruction(**{f"pric{line}": 1}) for line in range(PROBLEMS_SHOWN_MAX + 50)]
    found = problems(a_plan(*lines))
    assert "tradeInstructions[9].pric9: is an unknown key; did you mean price?" in found
    assert found[-1] == ": and 50 more"


def test_the_same_unknown_key_is_told_of_at_each_of_its_places() -> None:
    assert problems(a_plan(an_instruction(prise=1), an_instruction(prise=1))) == [
        f"tradeInstructions[{line}].prise: is an unknown key; did you mean price?" for line in (0, 1)
    ]


@pytest.mark.parametrize(
    ("key", "step"),
    [
        ("a.b", '["a.b"]'),
        ("", '[""]'),
        ("a b", '["a b"]'),
        ("3", '["3"]'),
        ('"', r'["\""]'),
        ("é", '["é"]'),
        ("\u202e", r'["\u202e"]'),
        ("_a$", '["_a$"]'),
        ("$a_1", ".$a_1"),
    ],
)
def test_a_path_shows_odd_keys_so_that_they_can_be_found(key: str, step: str) -> None:
    assert problems(a_plan(defaults={key: 1})) == [f"defaults{step}: is an unknown key"]
