"""The JSON Schema of a trade plan, for editors: rendered from the models, and kept in `schemas/`."""

import json
from typing import Any, Final

from betteroms.sources.plan_model import Plan

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BY_TYPE: Final[dict[str, Any]] = {
    "allOf": [
        {
            "if": {"properties": {"type": {"const": "MARKET"}}, "required": ["type"]},
            "then": {"properties": {"price": False}},
            "else": {"required": ["price"]},
        },
        {
            "if": {"properties": {"side": {"const": "SELL"}}},
            "then": {"properties": {"sizeUnit": {"const": "SHARES"}, "priceCeil": False}},
            "else": {"properties": {"priceFloor": False}},
        },
    ]
}
"""The contradictions that an editor can point at while one types."""


def schema() -> dict[str, Any]:
    """The schema, as data. What it lets pass may still contradict itself; what it refuses is invalid."""
    made = _untitled(Plan.model_json_schema(by_alias=True))
    made["$defs"]["Instruction"] |= _BY_TYPE
    return {"$schema": _DIALECT, "title": "BetterOMS trade plan, version 1", **made}


def schema_text() -> str:
    """What `schemas/trade-plan-v1.schema.json` holds."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _untitled(node: Any) -> Any:
    """Without the titles that are made up from the names of fields: they say nothing twice."""
    if isinstance(node, dict):
        return {key: _untitled(value) for key, value in node.items() if key != "title"}
    return [_untitled(value) for value in node] if isinstance(node, list) else node
