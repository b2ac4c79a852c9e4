"""A JSON object's fields, each read as what it has to be."""

from collections.abc import Mapping
from typing import Any

from betteroms.sandbox.model import Refused
from betteroms.sandbox.signing.typed_data import account

DIGITS_MAX = 78


class Fields:
    """Every reading of a field that is missing or something else is refused with 400 and the field's name."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise Refused("invalid request: an object is wanted")
        self._fields: Mapping[str, Any] = value

    def text(self, name: str, default: str | None = None) -> str:
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise Refused(f"invalid request: {name}")
        return value

    def address(self, name: str) -> str:
        """In lower case.

        Raises:
            Malformed: not an address.
        """
        value = self.text(name)
        account(value)
        return value.lower()

    def number(self, name: str, default: str | None = None) -> int:
        """A whole number in decimal digits, as text."""
        value = self.text(name, default)
        if not (value.isascii() and value.isdigit() and len(value) <= DIGITS_MAX):
            raise Refused(f"invalid request: {name}")
        return int(value)

    def data(self, name: str) -> bytes:
        """Bytes in hex; "0x" is none."""
        value = self.text(name)
        try:
            return bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            raise Refused(f"invalid request: {name}") from None

    def inner(self, name: str) -> "Fields":
        return Fields(self._fields.get(name))

    def listed(self, name: str) -> list["Fields"]:
        values = self._fields.get(name)
        if not isinstance(values, list):
            raise Refused(f"invalid request: {name}")
        return [Fields(value) for value in values]
