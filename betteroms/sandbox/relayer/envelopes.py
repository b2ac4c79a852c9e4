"""What clients hand to the relayer, read and checked: whose wallet, which calls, and who signed for it.

Source: VENUE 8, shapes/relayer_submit_wallet_batch.json.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from betteroms.sandbox.accounts import Members
from betteroms.sandbox.addresses import (
    CHAIN_ID,
    DEPOSIT_WALLET_FACTORY,
    PROXY_FACTORY,
    RELAY_HUB,
    SAFE_FACTORY,
    SAFE_MULTISEND,
)
from betteroms.sandbox.chain import Call
from betteroms.sandbox.hashing import keccak
from betteroms.sandbox.model import Refused
from betteroms.sandbox.relayer.fields import Fields
from betteroms.sandbox.relayer.packed_calls import multisend_calls, proxy_calls
from betteroms.sandbox.signing import BadSignature, Malformed, Wallet, WalletKind
from betteroms.sandbox.signing.recovery import signature_bytes, signer_of
from betteroms.sandbox.signing.relayed import (
    batch_digest,
    batch_signer,
    proxy_digest,
    proxy_signer,
    safe_digest,
    safe_signer,
)
from betteroms.sandbox.signing.typed_data import address_word, digest, number, text_word
from betteroms.sandbox.signing.wallets import deposit_wallet, safe_wallet

CALLS_MAX: Final = 100
METADATA_MAX: Final = 500
WALLET: Final = "WALLET"
WALLET_CREATE: Final = "WALLET-CREATE"
SAFE: Final = "SAFE"
SAFE_CREATE: Final = "SAFE-CREATE"
PROXY: Final = "PROXY"
BAD_SIGNATURE: Final = "invalid signature"
_UNKNOWN_WALLET: Final = "wallet not found"
_DELEGATED: Final = 1
_CREATE_SEPARATOR: Final = keccak(
    keccak(b"EIP712Domain(string name,uint256 chainId,address verifyingContract)")
    + text_word("Polymarket Contract Proxy Factory")
    + number(CHAIN_ID)
    + address_word(SAFE_FACTORY)
)
_CREATE_TYPE: Final = keccak(b"CreateProxy(address paymentToken,uint256 payment,address paymentReceiver)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A wish the relayer may carry out. `wallet` acts (or is made, where there are no `calls`).

    `nonce` is None where none is asked for; `counter` is whose nonces it is one of. `deadline_s` is the last
    second at which the wallet takes it.
    """

    kind: str
    sender: str
    wallet: str
    calls: tuple[Call, ...] = ()
    counter: str = ""
    nonce: int | None = None
    deadline_s: int | None = None

    @property
    def makes_wallet(self) -> bool:
        return self.kind in (WALLET_CREATE, SAFE_CREATE)


class Reader:
    """Reads envelopes for one venue. `relay` is the account that its relayer sends from."""

    def __init__(self, members: Members, relay: str) -> None:
        self._members = members
        self._relay = relay
        self._reading: dict[str, Callable[[Fields, str, int], Envelope]] = {
            WALLET: self._batch,
            WALLET_CREATE: self._wallet_creation,
            SAFE: self._safe,
            SAFE_CREATE: self._safe_creation,
            PROXY: self._proxy,
        }

    def read(self, body: object, now_ms: int) -> Envelope:
        """The envelope, once it is whole and signed by somebody who may.

        Raises:
            Refused: 400, in which respect it is not.
        """
        fields = Fields(body)
        reading = self._reading.get(fields.text("type"))
        if reading is None:
            raise Refused("invalid transaction type")
        if len(fields.text("metadata", "")) > METADATA_MAX:
            raise Refused(f"metadata must be at most {METADATA_MAX} characters")
        try:
            sender = fields.address("from")
            self._members.know(sender)
            envelope = reading(fields, sender, now_ms)
        except Malformed as e:
            raise Refused(f"invalid transaction: {e}") from e
        except BadSignature as e:
            raise Refused(BAD_SIGNATURE) from e
        if len(envelope.calls) > CALLS_MAX:
            raise Refused(f"too many calls: {len(envelope.calls)}, max allowed: {CALLS_MAX}")
        return envelope

    def _batch(self, fields: Fields, sender: str, now_ms: int) -> Envelope:
        _check_target(fields, DEPOSIT_WALLET_FACTORY)
        params = fields.inner("depositWalletParams")
        wallet = self._wallet(params.address("depositWallet"), WalletKind.DEPOSIT)
        calls = tuple(
            Call(
                sender=wallet.address,
                to=call.address("target"),
                value=call.number("value"),
                data=call.data("data"),
            )
            for call in params.listed("calls")
        )
        if not calls:
            raise Refused("a batch needs at least one call")
        nonce, deadline_s = fields.number("nonce"), params.number("deadline")
        signed = batch_digest(
            wallet=wallet.address,
            nonce=nonce,
            deadline=deadline_s,
            calls=((call.to, call.value, call.data) for call in calls),
        )
        signer = batch_signer(signed, signature_bytes(fields.text("signature")))
        if signer != sender or not wallet.may_sign(signer, now_ms=now_ms):
            raise Refused(BAD_SIGNATURE)
        return Envelope(
            kind=WALLET,
            sender=sender,
            wallet=wallet.address,
            calls=calls,
            counter=wallet.address,
            nonce=nonce,
            deadline_s=deadline_s,
        )

    def _wallet_creation(self, fields: Fields, sender: str, _: int) -> Envelope:
        _check_target(fields, DEPOSIT_WALLET_FACTORY)
        return Envelope(kind=WALLET_CREATE, sender=sender, wallet=deposit_wallet(sender))

    def _safe(self, fields: Fields, sender: str, _: int) -> Envelope:
        safe = self._wallet(fields.address("proxyWallet"), WalletKind.SAFE).address
        to, data = fields.address("to"), fields.data("data")
        value, nonce = fields.number("value", "0"), fields.number("nonce")
        params = fields.inner("signatureParams")
        operation = params.number("operation")
        signed = safe_digest(safe=safe, to=to, value=value, data=data, operation=operation, nonce=nonce)
        signer = safe_signer(signed, signature_bytes(fields.text("signature")))
        if signer != sender or signer != self._members.wallets[safe].owner:
            raise Refused(BAD_SIGNATURE)
        calls: tuple[Call, ...] = (Call(sender=safe, to=to, value=value, data=data),)
        if operation == _DELEGATED and to == SAFE_MULTISEND:
            calls = multisend_calls(safe, data)
        elif operation:
            raise Refused("invalid operation")
        return Envelope(kind=SAFE, sender=sender, wallet=safe, calls=calls, counter=safe, nonce=nonce)

    def _safe_creation(self, fields: Fields, sender: str, _: int) -> Envelope:
        _check_target(fields, SAFE_FACTORY)
        params = fields.inner("signatureParams")
        signed = digest(
            _CREATE_SEPARATOR,
            keccak(
                _CREATE_TYPE
                + address_word(params.address("paymentToken"))
                + number(params.number("payment"))
                + address_word(params.address("paymentReceiver"))
            ),
        )
        if signer_of(signed, signature_bytes(fields.text("signature"))) != sender:
            raise Refused(BAD_SIGNATURE)
        return Envelope(kind=SAFE_CREATE, sender=sender, wallet=safe_wallet(sender))

    def _proxy(self, fields: Fields, sender: str, _: int) -> Envelope:
        _check_target(fields, PROXY_FACTORY)
        proxy = self._wallet(fields.address("proxyWallet"), WalletKind.PROXY)
        data, nonce = fields.data("data"), fields.number("nonce")
        params = fields.inner("signatureParams")
        if params.address("relay") != self._relay or params.address("relayHub") != RELAY_HUB:
            raise Refused("invalid relay")
        signed = proxy_digest(
            owner=sender,
            to=PROXY_FACTORY,
            data=data,
            relayer_fee=params.number("relayerFee"),
            gas_price=params.number("gasPrice"),
            gas_limit=params.number("gasLimit"),
            nonce=nonce,
            relay_hub=RELAY_HUB,
            relay=self._relay,
        )
        signer = proxy_signer(signed, signature_bytes(fields.text("signature")))
        if signer != sender or signer != proxy.owner:
            raise Refused(BAD_SIGNATURE)
        return Envelope(
            kind=PROXY,
            sender=sender,
            wallet=proxy.address,
            calls=proxy_calls(proxy.address, data),
            counter=sender,
            nonce=nonce,
        )

    def _wallet(self, address: str, kind: WalletKind) -> Wallet:
        wallet = self._members.wallets.get(address)
        if wallet is None or wallet.kind is not kind:
            raise Refused(_UNKNOWN_WALLET)
        return wallet


def _check_target(fields: Fields, factory: str) -> None:
    if fields.address("to") != factory:
        raise Refused("invalid target")
