"""What clients sign for the relayer is found to be signed by them."""

from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from polymarket._internal.actions.relayer.calls import TransactionCall
from polymarket._internal.actions.relayer.signing.deposit_wallet import sign_deposit_wallet_batch
from polymarket._internal.actions.relayer.signing.proxy import (
    build_proxy_transaction_hash,
    sign_proxy_message,
)
from polymarket._internal.actions.relayer.signing.safe import sign_safe_transaction
from polymarket._internal.wallet import wrap_deposit_wallet_session_signer_signature
from polymarket.types import EvmAddress, HexString

from betteroms.sandbox.addresses import CHAIN_ID, RELAY_HUB
from betteroms.sandbox.hashing import checksum
from betteroms.sandbox.signing import BadSignature
from betteroms.sandbox.signing.envelopes import unwrapped, wrapped
from betteroms.sandbox.signing.recovery import signature_bytes
from betteroms.sandbox.signing.relayed import (
    batch_digest,
    batch_signer,
    proxy_digest,
    proxy_signer,
    safe_digest,
    safe_signer,
)
from tests.sandbox.signing.vectors import address_of_key
from tests.vectors import vector

KEY = "0x" + "42" * 32
SIGNER = address_of_key(KEY)
CLIENT = Account.from_key(KEY)

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
amounts = st.integers(0, 2**256 - 1)
payloads = st.binary(max_size=200)
calls = st.tuples(addresses, amounts, payloads)


def evm(address: str) -> EvmAddress:
    return EvmAddress(checksum(address))


def test_the_batch_that_a_deposit_wallet_carried_out() -> None:
    wallet: dict[str, Any] = vector("deposit_wallet")["data"]
    batch = wallet["batch"]
    digest = batch_digest(
        wallet=wallet["wallet"],
        nonce=batch["nonce"],
        deadline=batch["deadline"],
        calls=[(call["target"], call["value"], bytes.fromhex(call["data"][2:])) for call in batch["calls"]],
    )
    assert "0x" + digest.hex() == batch["digest"]
    assert batch_signer(digest, signature_bytes(batch["signature"])) == address_of_key(wallet["owner_key"])


@given(wallet=addresses, nonce=amounts, deadline=amounts, calls=st.lists(calls, max_size=4))
def test_batches_as_the_client_signs_them(
    wallet: str, nonce: int, deadline: int, calls: list[tuple[str, int, bytes]]
) -> None:
    signature = sign_deposit_wallet_batch(
        CLIENT,
        wallet=evm(wallet),
        calls=[
            TransactionCall(to=evm(to), value=value, data=HexString("0x" + data.hex()))
            for to, value, data in calls
        ],
        nonce=str(nonce),
        deadline=str(deadline),
        chain_id=CHAIN_ID,
    )
    digest = batch_digest(wallet=wallet, nonce=nonce, deadline=deadline, calls=calls)
    assert batch_signer(digest, signature_bytes(signature)) == SIGNER


@given(safe=addresses, to=addresses, value=amounts, data=payloads, operation=st.integers(0, 1), nonce=amounts)
def test_safe_transactions_as_the_client_signs_them(
    safe: str, to: str, value: int, data: bytes, operation: int, nonce: int
) -> None:
    signature = sign_safe_transaction(
        CLIENT,
        safe_address=evm(safe),
        to=evm(to),
        data=HexString("0x" + data.hex()),
        value=value,
        operation=operation,
        nonce=str(nonce),
        chain_id=CHAIN_ID,
    )
    digest = safe_digest(safe=safe, to=to, value=value, data=data, operation=operation, nonce=nonce)
    assert safe_signer(digest, signature_bytes(signature)) == SIGNER


def test_a_safe_transaction_may_be_signed_without_being_made_a_message() -> None:
    digest = safe_digest(safe=SIGNER, to=SIGNER, value=0, data=b"", operation=0, nonce=0)
    assert safe_signer(digest, bytes(Account.unsafe_sign_hash(digest, KEY).signature)) == SIGNER


@given(to=addresses, data=payloads, fee=amounts, nonce=amounts, relay=addresses)
def test_proxy_calls_as_the_client_signs_them(to: str, data: bytes, fee: int, nonce: int, relay: str) -> None:
    theirs = build_proxy_transaction_hash(
        from_address=evm(SIGNER),
        to=evm(to),
        data=HexString("0x" + data.hex()),
        relayer_fee=str(fee),
        gas_price="0",
        gas_limit="10000000",
        nonce=str(nonce),
        relay_hub=evm(RELAY_HUB),
        relay=evm(relay),
    )
    ours = proxy_digest(
        owner=SIGNER,
        to=to,
        data=data,
        relayer_fee=fee,
        gas_price=0,
        gas_limit=10_000_000,
        nonce=nonce,
        relay_hub=RELAY_HUB,
        relay=relay,
    )
    assert "0x" + ours.hex() == theirs
    assert proxy_signer(ours, signature_bytes(sign_proxy_message(CLIENT, theirs))) == SIGNER


@given(address=addresses, signature=st.binary(min_size=1, max_size=400))
def test_envelopes_of_session_keys_are_the_clients(address: str, signature: bytes) -> None:
    theirs = wrap_deposit_wallet_session_signer_signature(evm(address), HexString("0x" + signature.hex()))
    assert wrapped(address, signature) == signature_bytes(theirs)
    assert unwrapped(wrapped(address, signature)) == (address, signature)


@given(signature=st.binary(max_size=300))
def test_whatever_bears_the_mark_and_is_no_envelope_is_refused(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        unwrapped(signature + bytes.fromhex("6492" * 16))


def test_an_envelope_that_names_another_key_is_refused() -> None:
    digest = batch_digest(wallet=SIGNER, nonce=0, deadline=0, calls=())
    signature = bytes(Account.unsafe_sign_hash(digest, KEY).signature)
    assert batch_signer(digest, wrapped(SIGNER, signature)) == SIGNER
    with pytest.raises(BadSignature):
        batch_signer(digest, wrapped("0x" + "11" * 20, signature))
