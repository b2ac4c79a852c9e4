"""JSON read and written without losing a digit: fractions are `Decimal`, never a binary float."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False)


class NotJson(ValueError):
    """Text that is no JSON document; the message says where, or why."""


def decode(text: str) -> Any:
    """Read one document.

    Raises:
        NotJson: it is no JSON, is cut off, holds NaN or Infinity, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except NotJson:
        raise
    except json.JSONDecodeError as wrong:
        cut = wrong.pos >= len(text.rstrip()) or wrong.msg.startswith("Unterminated string")
        words = "it ends in the middle (truncated JSON)" if cut else f"not JSON: {wrong}"
        raise NotJson(words if text.strip() else "it is empty") from None
    except RecursionError:
        raise NotJson("not usable JSON: nested too deeply") from None
    except (ValueError, ArithmeticError):
        raise NotJson("not usable JSON: it holds an absurdly long number") from None


def _refuse(constant: str) -> Any:
    raise NotJson(f"not JSON: {constant} is no number")


def encode(value: Any) -> bytes:
    """Write a document compactly, keys in their own order, characters beyond ASCII escaped.

    What `decode` read comes out with the same values; only white space and the spelling of exponents
    (`1e-7` as `1E-7`) can differ.
    """
    try:
        return _ENCODER.encode(value).encode()
    except TypeError:
        # The standard encoder is three times as fast, and has no way to write a Decimal as a number.
        return _text(value).encode()


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_ENCODER.encode(key)}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(_text, value)) + "]"
    return _ENCODER.encode(value)
