"""As much of JSON Schema (2020-12) as our schemas use, so that they can be tried without a library."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: _numeric(value),
    "integer": lambda value: _numeric(value) and value == int(value),
}
ANNOTATIONS: Final = {"$defs", "$schema", "title", "description", "default"}


def fits(value: Any, schema: Any, root: Mapping[str, Any]) -> bool:
    """Whether the value is valid by the schema; a keyword that is not known here is a KeyError."""
    if isinstance(schema, bool):
        return schema
    return all(
        CHECKS[keyword](value, wanted, schema, root)
        for keyword, wanted in schema.items()
        if keyword not in ANNOTATIONS
    )


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(value: Any, wanted: Any, *_: Any) -> bool:
    return any(TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _properties(value: Any, wanted: Any, schema: Any, root: Any) -> bool:
    return not isinstance(value, dict) or all(
        fits(value[key], part, root) for key, part in wanted.items() if key in value
    )


def _additional(value: Any, wanted: Any, schema: Any, root: Any) -> bool:
    assert wanted is False
    return not isinstance(value, dict) or value.keys() <= schema["properties"].keys()


def _items(value: Any, wanted: Any, schema: Any, root: Any) -> bool:
    return not isinstance(value, list) or all(fits(item, wanted, root) for item in value)


def _if(value: Any, wanted: Any, schema: Any, root: Any) -> bool:
    return fits(value, schema["then" if fits(value, wanted, root) else "else"], root)


def _pattern(value: Any, wanted: Any, *_: Any) -> bool:
    # In JavaScript, whose patterns these are, `$` is the very end.
    return not isinstance(value, str) or re.search(wanted.removesuffix("$") + r"\Z", value) is not None


CHECKS: Final[Mapping[str, Callable[[Any, Any, Any, Any], bool]]] = {
    "$ref": lambda value, wanted, _, root: fits(value, root["$defs"][wanted.rsplit("/", 1)[1]], root),
    "allOf": lambda value, wanted, _, root: all(fits(value, part, root) for part in wanted),
    "if": _if,
    "then": lambda *_: True,
    "else": lambda *_: True,
    "type": _type,
    "enum": lambda value, wanted, *_: value in wanted,
    "const": lambda value, wanted, *_: value == wanted,
    "properties": _properties,
    "additionalProperties": _additional,
    "required": lambda value, wanted, *_: not isinstance(value, dict) or value.keys() >= set(wanted),
    "items": _items,
    "maxItems": lambda value, wanted, *_: not isinstance(value, list) or len(value) <= wanted,
    "pattern": _pattern,
    "minLength": lambda value, wanted, *_: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda value, wanted, *_: not isinstance(value, str) or len(value) <= wanted,
    "minimum": lambda value, wanted, *_: not _numeric(value) or value >= wanted,
    "maximum": lambda value, wanted, *_: not _numeric(value) or value <= wanted,
    "exclusiveMinimum": lambda value, wanted, *_: not _numeric(value) or value > wanted,
    "exclusiveMaximum": lambda value, wanted, *_: not _numeric(value) or value < wanted,
}
