"""What a request, a streamed message or a trade is about, for the rules that want only some of them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from betteroms.sandbox.model import Order, Trade

HashOf = Callable[[Mapping[str, Any]], str | None]
"""Takes an order as it was posted (the whole leg) and finds its id; None where it has none."""

_ORDER_PATHS: Final = ("/data/order/", "/order/")
_QUERY: Final[Mapping[str, str]] = {
    "id": "id",
    "token_id": "token",
    "asset_id": "token",
    "market": "market",
    "condition": "market",
    "side": "side",
    "maker_address": "maker",
    "user": "maker",
    "address": "maker",
}
_BODY: Final[Mapping[str, str]] = {
    "orderID": "order",
    "market": "market",
    "asset_id": "token",
    "token_id": "token",
    "side": "side",
    "owner": "owner",
}
_SIGNED: Final[Mapping[str, str]] = {"tokenId": "token", "signer": "signer", "maker": "maker", "side": "side"}
_MESSAGE: Final[Mapping[str, str]] = {
    "event_type": "event_type",
    "id": "id",
    "asset_id": "token",
    "market": "market",
    "owner": "owner",
    "side": "side",
    "maker_address": "maker",
    "taker_order_id": "order",
    "order_id": "order",
}


class Found:
    """Values by name, in lower case."""

    def __init__(self) -> None:
        self._values: dict[str, set[str]] = {}

    def put(self, name: str, value: Any) -> None:
        if isinstance(value, str | int) and value != "":
            self._values.setdefault(name, set()).add(str(value).lower())

    def put_all(self, fields: Mapping[str, Any], names: Mapping[str, str]) -> None:
        for field, name in names.items():
            self.put(name, fields.get(field))

    def values(self, name: str) -> frozenset[str]:
        return frozenset(self._values.get(name, ()))


class Request:
    """A request; what it is about is looked up only when a rule wants to know."""

    def __init__(self, scope: Mapping[str, Any], body: bytes, hash_of: HashOf) -> None:
        self._scope = scope
        self._body = body
        self._hash_of = hash_of
        self._found: Found | None = None

    @property
    def document(self) -> Any:
        """The body's JSON; None where there is none."""
        try:
            return json.loads(self._body)
        except ValueError:
            return None

    @property
    def legs(self) -> list[Mapping[str, Any]]:
        """The orders that are posted, each with what is around its signed part."""
        document = self.document
        rows = document if isinstance(document, list) else [document]
        return [row for row in rows if isinstance(row, dict) and isinstance(row.get("order"), dict)]

    def values(self, name: str) -> frozenset[str]:
        if self._found is None:
            self._found = self._look()
        return self._found.values(name)

    def _look(self) -> Found:
        found = Found()
        path: str = self._scope["path"]
        for prefix in _ORDER_PATHS:
            if path.startswith(prefix):
                found.put("order", path.removeprefix(prefix))
        for field, value in parse_qsl(self._scope["query_string"].decode("latin-1")):
            found.put(_QUERY.get(field, ""), value)
            if field == "id":
                found.put("order", value)
        for header, name in ((b"poly_address", "signer"), (b"poly_api_key", "owner")):
            for key, content in self._scope["headers"]:
                if key == header:
                    found.put(name, content.decode("latin-1"))
        document = self.document
        for row in document if isinstance(document, list) else [document]:
            if isinstance(row, str):
                found.put("order", row)
            elif isinstance(row, dict):
                found.put_all(row, _BODY)
        for leg in self.legs:
            found.put_all(leg["order"], _SIGNED)
            found.put("order", self._hash_of(leg))
        return found


def message(content: Any) -> Found:
    """A frame of a WebSocket channel: an object or a list of them."""
    found = Found()
    for row in content if isinstance(content, list) else [content]:
        found.put_all(row, _MESSAGE)
        if row.get("event_type") == "order":
            found.put("order", row.get("id"))
        for inner in (*row.get("maker_orders", ()), *row.get("price_changes", ())):
            found.put_all(inner, _MESSAGE)
    return found


def trade(made: Trade) -> Found:
    """A trade: all orders in it, their makers and tokens."""
    found = Found()
    for each in (made.taker, *(fill.order for fill in made.fills)):
        _put_order(found, each)
    found.put("id", made.number)
    return found


def order(placed: Order) -> Found:
    """An order that the venue has."""
    found = Found()
    _put_order(found, placed)
    return found


def _put_order(found: Found, placed: Order) -> None:
    found.put("order", placed.id)
    found.put("maker", placed.maker)
    found.put("signer", placed.signer)
    found.put("owner", placed.owner)
    found.put("token", placed.token_id)
    found.put("market", placed.market.condition_id)
    found.put("side", placed.side.value)
