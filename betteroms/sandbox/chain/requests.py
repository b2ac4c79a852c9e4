"""What JSON-RPC requests ask for, read strictly: quantities, addresses, calls and filters of logs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.chain.blocks import number_of_block
from betteroms.sandbox.chain.frames import Call, Log
from betteroms.sandbox.chain.tokens import ZERO_ADDRESS

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
SERVER_ERROR: Final = -32000
REVERTED: Final = 3

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_WORD: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_BYTES: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")


class RpcError(Exception):
    """The node's error answer."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def answer(self) -> dict[str, Any]:
        told = {"code": self.code, "message": self.message}
        return told if self.data is None else {**told, "data": self.data}


def reverted(revert: Revert) -> RpcError:
    text = f"execution reverted: {revert.text}" if revert.text else "execution reverted"
    return RpcError(REVERTED, text, "0x" + revert.data.hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which logs are asked for. Empty `addresses` are all; an empty set in `topics` is any topic there."""

    first: int
    last: int
    addresses: frozenset[str]
    topics: tuple[frozenset[str], ...]

    def at(self, position: int) -> frozenset[str]:
        """The topics wanted there; none for any."""
        return self.topics[position] if position < len(self.topics) else frozenset()

    def takes(self, log: Log) -> bool:
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        return all(
            not wanted or topic in wanted for wanted, topic in zip(self.topics, log.topics, strict=False)
        )


def argument(params: Sequence[Any], at: int, default: Any = None) -> Any:
    """The parameter there.

    Raises:
        RpcError: it is missing and there is no default.
    """
    if len(params) > at and params[at] is not None:
        return params[at]
    if default is None:
        raise RpcError(INVALID_PARAMS, f"missing value for required argument {at}")
    return default


def address(value: object) -> str:
    """Raises:
    RpcError: not an address. So it is with the others here.
    """
    return _matched(_ADDRESS, value, "an address").lower()


def word(value: object) -> str:
    return _matched(_WORD, value, "32 bytes in hex").lower()


def data(value: object) -> bytes:
    return bytes.fromhex(_matched(_BYTES, value, "bytes in hex")[2:])


def quantity(value: object) -> int:
    return int(_matched(_QUANTITY, value, "a quantity in hex"), 16)


def block_number(value: object, newest: int) -> int:
    """A block by number or by one of its names; one in the future is not refused."""
    if value in ("latest", "pending", "safe", "finalized"):
        return newest
    return 0 if value == "earliest" else quantity(value)


def call(value: object) -> Call:
    fields = _object(value)
    if fields.get("to") is None:
        raise RpcError(SERVER_ERROR, "contract creation is not possible here")
    return Call(
        sender=address(fields["from"]) if fields.get("from") is not None else ZERO_ADDRESS,
        to=address(fields["to"]),
        data=data(fields.get("input") or fields.get("data") or "0x"),
        value=quantity(fields.get("value") or "0x0"),
    )


def log_filter(value: object, newest: int) -> LogFilter:
    fields = _object(value)
    if fields.get("blockHash") is not None:
        number = number_of_block(word(fields["blockHash"]))
        if number is None or number > newest:
            raise RpcError(SERVER_ERROR, "unknown block")
        first = last = number
    else:
        first = block_number(fields.get("fromBlock") or "latest", newest)
        last = min(block_number(fields.get("toBlock") or "latest", newest), newest)
    # a poller that goes on from the block after the newest finds nothing yet, and did nothing wrong
    if last < first <= newest:
        raise RpcError(INVALID_PARAMS, "invalid block range params")
    topics = fields.get("topics") or []
    if not isinstance(topics, list) or len(topics) > 4:
        raise RpcError(INVALID_PARAMS, "invalid argument 0: topics must be a list of up to four")
    return LogFilter(
        first=first,
        last=last,
        addresses=frozenset(address(one) for one in _listed(fields.get("address"))),
        topics=tuple(frozenset(word(one) for one in _listed(wanted)) for wanted in topics),
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise RpcError(INVALID_PARAMS, "invalid argument 0: json: expected an object")
    return value


def _matched(pattern: re.Pattern[str], value: object, what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RpcError(INVALID_PARAMS, f"invalid argument: {str(value)[:80]!r} is not {what}")
    return value
