"""Whether an answer has the form of a sample: the same names in the same order, the same kinds of values."""

from typing import Any


def shape(value: Any) -> Any:
    """Objects by their names in order, lists by their first item, the rest by kind."""
    if isinstance(value, dict):
        return [(name, shape(part)) for name, part in value.items()]
    if isinstance(value, list):
        return ["list", *(shape(part) for part in value[:1])]
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"
