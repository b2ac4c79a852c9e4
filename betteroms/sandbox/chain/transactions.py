"""Transactions as accounts sign and send them: the older form, the one with an access list, and EIP-1559."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from betteroms.sandbox.addresses import CHAIN_ID
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.signing.recovery import BadSignature, signer_of

LEGACY: Final = 0
ACCESS_LIST: Final = 1
DYNAMIC_FEE: Final = 2
_FIELDS: Final = {LEGACY: 9, ACCESS_LIST: 11, DYNAMIC_FEE: 12}
_UINT64: Final = 1 << 64


class BadTransaction(Exception):
    """The node does not take the transaction, in the words that nodes have for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """What was sent. Prices in wei per gas: `gas_price` is the most that is paid, `tip` what goes on top."""

    hash: str
    kind: int
    sender: str
    to: str
    nonce: int
    gas: int
    gas_price: int
    tip: int
    value: int
    data: bytes
    signature: tuple[int, int, int]


def decode_transaction(raw: bytes) -> SignedTransaction:
    """Raises:
    BadTransaction: not a transaction, for another chain, signed by nobody, or one that makes a contract.
    """
    kind = raw[0] if raw and raw[0] in (ACCESS_LIST, DYNAMIC_FEE) else LEGACY
    fields = _decoded(raw[1:] if kind else raw)
    if len(fields) != _FIELDS[kind]:
        raise BadTransaction("rlp: wrong number of elements for a transaction")
    if not all(isinstance(field, bytes) for field in [*fields[:-4], *fields[-3:]]):
        raise BadTransaction("rlp: expected input string or byte")
    if kind == LEGACY:
        nonce, gas_price, gas, to, value, data = fields[:6]
        chain_id, v = _chain_and_parity(_number(fields[6]))
        tip = gas_price
        signed = _encoded([*fields[:6], _bytes(chain_id), b"", b""])
    else:
        chain_id, v = _number(fields[0]), _number(fields[-3]) + 27
        prices = fields[2:4] if kind == DYNAMIC_FEE else [fields[2], fields[2]]
        tip, gas_price = prices
        nonce = fields[1]
        gas, to, value, data = fields[-8:-4]
        signed = bytes([kind]) + _encoded(fields[:-3])
    if chain_id != CHAIN_ID:
        raise BadTransaction(f"invalid chain id for signer: have {chain_id} want {CHAIN_ID}")
    if len(to) != 20:
        raise BadTransaction("contract creation is not possible here")
    transaction = SignedTransaction(
        hash="0x" + keccak(raw).hex(),
        kind=kind,
        sender=_sender(keccak(signed), v, fields[-2], fields[-1]),
        to="0x" + to.hex(),
        nonce=_number(nonce),
        gas=_number(gas),
        gas_price=_number(gas_price),
        tip=_number(tip),
        value=_number(value),
        data=data,
        signature=(v - 27, _number(fields[-2]), _number(fields[-1])),
    )
    if transaction.nonce >= _UINT64 or transaction.gas >= _UINT64:
        raise BadTransaction("rlp: input string too long for uint64")
    if transaction.tip > transaction.gas_price:
        raise BadTransaction("max priority fee per gas higher than max fee per gas")
    return transaction


def _chain_and_parity(v: int) -> tuple[int, int]:
    """The older form hides the chain in `v` (EIP-155)."""
    if v in (27, 28):
        raise BadTransaction("only replay-protected (EIP-155) transactions allowed over RPC")
    return (v - 35) // 2, 27 + (v - 35) % 2


def _sender(digest: bytes, v: int, r: bytes, s: bytes) -> str:
    if v not in (27, 28) or len(r) > 32 or len(s) > 32:
        raise BadTransaction("invalid transaction v, r, s values")
    try:
        return signer_of(digest, r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes([v]))
    except BadSignature:
        raise BadTransaction("invalid transaction v, r, s values") from None


def _number(field: bytes) -> int:
    if len(field) > 32:
        raise BadTransaction("rlp: input string too long for uint256")
    if field[:1] == b"\0":
        raise BadTransaction("rlp: non-canonical integer (leading zero bytes)")
    return int.from_bytes(field, "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big") if number > 0 else b""


def _decoded(raw: bytes) -> list[Any]:
    import rlp  # type: ignore[import-untyped]  # half a second to import, and a venue may never need it

    try:
        fields = rlp.decode(raw)
    except rlp.exceptions.RLPException as e:
        raise BadTransaction(f"rlp: {e}") from None
    if not isinstance(fields, list):
        raise BadTransaction("rlp: expected input list for a transaction")
    return fields


def _encoded(fields: Sequence[Any]) -> bytes:
    import rlp

    return bytes(rlp.encode(list(fields)))
