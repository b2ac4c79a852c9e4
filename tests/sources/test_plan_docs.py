"""What `docs/plans.md` says of the format is so."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from betteroms.sources import plan_fields, plan_text
from betteroms.sources.plan import INSTRUCTIONS_MAX, PROBLEMS_SHOWN_MAX, schema
from tests.sources.writing import a_plan, problems

DOCS: Final = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")
BLOCKS: Final = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
PARTS: Final = {"plan": schema(), **schema()["$defs"]}


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_is_a_plan_or_an_instruction(block: dict[str, Any]) -> None:
    assert problems(block if "planId" in block else a_plan(block)) == []


@pytest.mark.parametrize(
    "key", sorted({key for part in PARTS.values() for key in part.get("properties", ())})
)
def test_every_key_has_its_row(key: str) -> None:
    assert re.search(rf"^\| `{re.escape(key)}` \|", DOCS, re.MULTILINE)


def test_no_row_is_about_a_key_that_does_not_exist() -> None:
    rows = re.findall(r"^\| `([$A-Za-z]+)` \|", DOCS, re.MULTILINE)
    known = {key for part in PARTS.values() for key in part.get("properties", ())}
    assert set(rows) - known <= {"FOK", "GTC"}


@pytest.mark.parametrize(
    "bound",
    [
        INSTRUCTIONS_MAX,
        PROBLEMS_SHOWN_MAX,
        plan_fields.NAME_LENGTH_MAX,
        plan_fields.NOTES_LENGTH_MAX,
        plan_fields.AMOUNT_MAX // 10**6,
        plan_fields.PERCENT_MAX // 10**6,
        plan_fields.HOURS_MAX,
        plan_fields.HOURS_MAX * 60,
        plan_fields.HOURS_MAX * 3600,
        plan_fields.COUNT_MAX,
        plan_fields.TICKS_MAX,
        plan_text.PLAN_BYTES_MAX,
        plan_text.DEPTH_MAX,
        plan_text.KEYS_MAX,
    ],
)
def test_every_bound_is_stated(bound: int) -> None:
    assert re.search(rf"\b{bound:,}\b", DOCS)
