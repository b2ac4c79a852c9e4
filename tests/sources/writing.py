"""Plans as a person would write them, and what is said of those that are wrong."""

import json
import re
from typing import Any

from betteroms.domain.errors import PlanInvalid
from betteroms.sources.plan import Plan, read_plan

NAME = "x.json"


def an_instruction(**changed: Any) -> dict[str, Any]:
    """A plain BUY; a key that is changed to `...` is left out."""
    fields = {"marketId": "will-x-happen", "outcome": "YES", "side": "BUY", "price": 0.42, "size": 500}
    return {key: value for key, value in (fields | changed).items() if value is not ...}


def a_sale(**changed: Any) -> dict[str, Any]:
    return an_instruction(**{"side": "SELL", "size": 20} | changed)


def a_plan(*instructions: Any, **changed: Any) -> dict[str, Any]:
    """A plan of these instructions, or of one plain BUY; a key that is changed to `...` is left out."""
    fields = {
        "planId": "2026-11-20-dip",
        "mode": "paper",
        "tradeInstructions": list(instructions or [an_instruction()]),
    }
    return {key: value for key, value in (fields | changed).items() if value is not ...}


def read(document: Any) -> Plan:
    """The document, written as JSON and read as a plan."""
    return read_plan(json.dumps(document).encode(), NAME)


def problems(document: Any) -> list[str]:
    """What is wrong with the document, each complaint without the name of the file."""
    return problems_of_text(json.dumps(document).encode())


def problems_of_text(text: bytes) -> list[str]:
    found: tuple[str, ...] = ()
    try:
        read_plan(text, NAME)
    except PlanInvalid as fault:
        found = fault.problems
    assert all(problem.startswith(NAME) for problem in found)
    return [problem.removeprefix(NAME).removeprefix(" ") for problem in found]


def instruction_problems(*instructions: Any, **changed: Any) -> list[str]:
    """What is wrong with these instructions, `0.price: …` for `tradeInstructions[0].price: …`."""
    found = problems(a_plan(*instructions, **changed))
    return [re.sub(r"^tradeInstructions\[(\d+)\]", r"\1", problem) for problem in found]
