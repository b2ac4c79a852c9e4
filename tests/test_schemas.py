"""The schemas in `schemas/` are fresh, and an editor that uses them agrees with what reads plans."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.sources.plan import schema, schema_text
from betteroms.sources.plan_model import Defaults, Instruction, PlanLimits
from tests.sources.json_schema import fits
from tests.sources.writing import a_plan, a_sale, an_instruction, problems

ROOT: Final = Path(__file__).parent.parent
SCHEMA: Final = schema()
CONTRADICTION: Final = re.compile(r"needs cancelAfterSec|is true, but|least for GTD|is not below|never rests")
"""What only the reader sees: the schema leaves out whatever depends on the defaults."""


def allowed(document: Any) -> bool:
    return fits(document, SCHEMA, SCHEMA)


def test_the_schema_in_the_repository_is_the_one_the_models_give() -> None:
    written = (ROOT / "schemas" / "trade-plan-v1.schema.json").read_text(encoding="utf-8")
    assert written == schema_text(), "stale: run scripts/schemas"


def test_the_schema_is_plain_json_that_ends_with_its_line() -> None:
    assert json.loads(schema_text()) == SCHEMA
    assert schema_text().endswith("}\n")


@pytest.mark.parametrize("path", sorted((ROOT / "plans").glob("*.json")), ids=lambda path: path.name)
def test_the_example_plans_fit_the_schema(path: Path) -> None:
    document = json.loads(path.read_bytes())
    assert allowed(document)
    assert problems(document) == []


def test_every_field_says_what_it_is_for() -> None:
    for name, part in {"plan": SCHEMA, **SCHEMA["$defs"]}.items():
        for key, field in part.get("properties", {}).items():
            assert field.get("description"), f"{name}.{key}"


@pytest.mark.parametrize(
    "document",
    [
        a_plan(an_instruction(type="MARKET")),
        a_plan(an_instruction(price=...)),
        a_plan(an_instruction(type="LIMIT", price=...)),
        a_plan(an_instruction(priceFloor=0.5)),
        a_plan(a_sale(priceCeil=0.5)),
        a_plan(a_sale(sizeUnit="USDC")),
        a_plan(an_instruction(side=...)),
        a_plan(an_instruction(size=...)),
        a_plan(an_instruction(marketId=...)),
        a_plan(mode=...),
        a_plan(planId=...),
        a_plan(planId="{day}"),
        a_plan(tradeInstructions=...),
        a_plan(unknown=1),
        a_plan(defaults={"price": 0.5}),
        a_plan(limits={"maxOrders": 5}),
        a_plan(7),
        [],
    ],
)
def test_what_an_editor_can_see_is_refused_by_schema_and_reader(document: Any) -> None:
    assert not allowed(document)
    assert problems(document)


@pytest.mark.parametrize(
    "document",
    [
        a_plan(),
        a_plan(an_instruction(type="MARKET", price=...), a_sale(sizeUnit="SHARES", priceFloor=0.5)),
        a_plan(planId="{date}-{hour}{minute}", **{"$schema": "x"}),
        a_plan(a_sale(type="MARKET", price=..., slippageTicksSell=0)),
        a_plan(tradeInstructions=[]),
    ],
)
def test_what_is_right_is_taken_by_schema_and_reader(document: Any) -> None:
    assert allowed(document)
    assert problems(document) == []


NUMBERS: Final = (
    0,
    1,
    2,
    0.5,
    1.0,
    1.5,
    99,
    100,
    120,
    1_000,
    1_001,
    10**6,
    10**6 + 1,
    10**9,
    10**9 + 1,
    10**30,
    -1,
)
WORDS: Final = (
    *("BUY", "SELL", "buy", "USDC", "SHARES", "LIMIT", "MARKET", "GTC", "GTD", "GTT", "FOK", "FAK", "IOC"),
    *("paper", "live", "continue", "stop", "YES", "x", "", "é", "a b", "a\n", "tab\there", "\0", "\x85"),
    *("+1", "1.", "{date}", "{date", "a.b-C_9", "r" * 65, "n" * 256, "n" * 2_001),
)
VALUES: Final[tuple[Any, ...]] = (None, True, False, [], {}, *NUMBERS, *WORDS)
PLACES: Final = [
    *(("tradeInstructions", key) for key in Instruction.__annotations__),
    *(("defaults", key) for key in Defaults.__annotations__),
    *(("limits", key) for key in PlanLimits.__annotations__),
    *(("", key) for key in SCHEMA["properties"]),
]


@pytest.mark.parametrize(("where", "key"), PLACES)
def test_schema_and_reader_agree_on_every_field(where: str, key: str) -> None:
    """The reader refuses what the schema refuses; what it refuses besides is a contradiction."""
    for value in VALUES:
        if where == "tradeInstructions":
            item = a_sale() if key == "priceFloor" else an_instruction()
            document = a_plan(item | {key: value}, defaults={"goodForSeconds": 600})
        else:
            document = a_plan(**({where: {key: value}} if where else {key: value}))
        found = problems(document)
        assert allowed(document) == all(CONTRADICTION.search(problem) for problem in found), (value, found)
