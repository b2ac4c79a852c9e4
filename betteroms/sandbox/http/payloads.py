"""Orders as they are posted: what their JSON must be before anything else is asked about them.

Source: VENUE 2.3.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from betteroms.domain.terms import Side, TimeInForce
from betteroms.sandbox.http.refusals import INVALID_PAYLOAD
from betteroms.sandbox.model import Refused, SignedOrder
from betteroms.sandbox.signing import is_first_version

ORDERS_MAX: Final = 15
"""In one POST /orders."""
CANCELS_MAX: Final = 3000
"""In one DELETE /orders: what the SDK sends at most (VENUE 3.2)."""
DIGITS_MAX: Final = 78
"""Of 2^256."""
SIGNATURE_LENGTH_MAX: Final = 8192
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_BYTES32: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_SIDES: Final = {side.value: side for side in Side}
_TIMES_IN_FORCE: Final = {kind.value: kind for kind in TimeInForce}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One order and what comes with it unsigned. `signed` is None for the dead first version."""

    signed: SignedOrder | None
    owner: str
    time_in_force: TimeInForce
    post_only: bool
    defer: bool


def order(body: bytes) -> Posted:
    """The body of POST /order.

    Raises:
        Refused: "Invalid order payload".
    """
    return posted(document(body))


def orders(body: bytes) -> list[Posted]:
    """The body of POST /orders, however long it is.

    Raises:
        Refused: "Invalid order payload", for one leg as for all.
    """
    listed = document(body)
    if not isinstance(listed, list) or not listed:
        raise Refused(INVALID_PAYLOAD)
    return [posted(each) for each in listed]


def document(body: bytes) -> Any:
    """JSON of any kind.

    Raises:
        Refused: it is not JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(INVALID_PAYLOAD) from None


def is_order_id(value: object) -> bool:
    return isinstance(value, str) and _BYTES32.fullmatch(value) is not None


def posted(value: Any) -> Posted:
    try:
        fields = value["order"]
        owner, order_type = value["owner"], value["orderType"]
        post_only, defer = value.get("postOnly", False), value.get("deferExec", False)
        told = isinstance(owner, str) and isinstance(post_only, bool) and isinstance(defer, bool)
        if not told or not isinstance(fields, dict):
            raise Refused(INVALID_PAYLOAD)
        return Posted(
            signed=None if is_first_version(fields) else _signed(fields),
            owner=owner,
            time_in_force=_TIMES_IN_FORCE[order_type],
            post_only=post_only,
            defer=defer,
        )
    except (KeyError, TypeError, AttributeError):
        raise Refused(INVALID_PAYLOAD) from None


def _signed(fields: dict[str, Any]) -> SignedOrder:
    """Raises KeyError or TypeError for what is missing or of another kind."""
    salt, kind = fields["salt"], fields["signatureType"]
    if type(salt) is not int or salt < 0 or type(kind) is not int or not 0 <= kind <= 3:
        raise Refused(INVALID_PAYLOAD)
    return SignedOrder(
        salt=salt,
        maker=_like(_ADDRESS, fields["maker"]),
        signer=_like(_ADDRESS, fields["signer"]),
        token_id=str(_digits(fields["tokenId"])),
        maker_amount=_digits(fields["makerAmount"]),
        taker_amount=_digits(fields["takerAmount"]),
        side=_SIDES[fields["side"]],
        signature_type=kind,
        timestamp=_digits(fields["timestamp"]),
        metadata=_like(_BYTES32, fields["metadata"]),
        builder=_like(_BYTES32, fields["builder"]),
        signature=_signature(fields["signature"]),
        expiration=_digits(fields.get("expiration", "0")),
    )


def _digits(text: Any) -> int:
    """A whole number, written in a string."""
    if not (type(text) is str and len(text) <= DIGITS_MAX and text.isascii() and text.isdigit()):
        raise Refused(INVALID_PAYLOAD)
    return int(text)


def _like(pattern: re.Pattern[str], text: Any) -> str:
    if type(text) is not str or pattern.fullmatch(text) is None:
        raise Refused(INVALID_PAYLOAD)
    return text


def _signature(text: Any) -> str:
    """Any hexadecimal: whether it is a good one is asked later."""
    if type(text) is not str or len(text) > SIGNATURE_LENGTH_MAX or not text.startswith("0x"):
        raise Refused(INVALID_PAYLOAD)
    return text
