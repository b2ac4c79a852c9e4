"""Several calls packed into the data of one, as Safes and proxy wallets do it."""

from typing import Any, Final

from betteroms.sandbox.chain import Call
from betteroms.sandbox.chain.abi import SELECTOR, Revert, decode, selector
from betteroms.sandbox.model import Refused

_MULTISEND: Final = selector("multiSend(bytes)")
_PROXY: Final = selector("proxy((uint8,address,uint256,bytes)[])")
_HEAD: Final = 85
"""Operation (1), target (20), value (32), length of the data (32)."""
_CALL: Final = 0
_PROXY_CALL: Final = 1


def multisend_calls(safe: str, data: bytes) -> tuple[Call, ...]:
    """Raises:
    Refused: not the data of a multisend, or it delegates.
    """
    (packed,) = _unpacked(_MULTISEND, ["bytes"], data)
    calls = []
    while packed:
        size = int.from_bytes(packed[53:_HEAD], "big")
        if len(packed) < _HEAD + size or packed[0] != _CALL:
            raise Refused("invalid multisend data")
        calls.append(
            Call(
                sender=safe,
                to="0x" + packed[1:21].hex(),
                value=int.from_bytes(packed[21:53], "big"),
                data=bytes(packed[_HEAD : _HEAD + size]),
            )
        )
        packed = packed[_HEAD + size :]
    return tuple(calls)


def proxy_calls(proxy: str, data: bytes) -> tuple[Call, ...]:
    """Raises:
    Refused: not the data of a proxy factory's call, or it delegates.
    """
    (rows,) = _unpacked(_PROXY, ["(uint8,address,uint256,bytes)[]"], data)
    if any(kind != _PROXY_CALL for kind, _, _, _ in rows):
        raise Refused("invalid proxy data")
    return tuple(Call(sender=proxy, to=to, value=value, data=inner) for _, to, value, inner in rows)


def _unpacked(wanted: bytes, types: list[str], data: bytes) -> tuple[Any, ...]:
    if data[:SELECTOR] != wanted:
        raise Refused("invalid transaction data")
    try:
        return decode(types, data[SELECTOR:])
    except Revert:
        raise Refused("invalid transaction data") from None
