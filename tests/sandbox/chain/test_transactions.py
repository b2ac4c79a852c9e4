"""Signed transactions: which the node takes, and what becomes of them."""

from typing import Any

import pytest
from eth_account import Account

from betteroms.sandbox import addresses
from betteroms.sandbox.bank import UNLIMITED
from betteroms.sandbox.chain.chain import BASE_FEE, GAS_PRICE, GWEI, POL
from betteroms.sandbox.chain.frames import APPROVAL, APPROVAL_FOR_ALL, TRANSFER
from betteroms.sandbox.chain.transactions import BadTransaction, decode_transaction
from tests.sandbox.chain.scene import (
    ACCOUNT,
    OTHER,
    SIGNER,
    data_of,
    error,
    later,
    new_world,
    result,
    signed_raw,
    unchanged,
)

APPROVE = data_of("approve(address,uint256)", addresses.EXCHANGE, UNLIMITED)
EIP_1559: dict[str, Any] = {"gasPrice": None, "maxFeePerGas": 90 * GWEI, "maxPriorityFeePerGas": 30 * GWEI}
EIP_2930: dict[str, Any] = {"accessList": [{"address": addresses.PUSD, "storageKeys": ["0x" + "00" * 32]}]}
FORMS = {"legacy": {}, "2930": EIP_2930, "1559": EIP_1559}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_of_transaction_is_read_as_it_was_signed(form: dict[str, Any]) -> None:
    raw = bytes.fromhex(signed_raw(addresses.PUSD, APPROVE, nonce=3, value=0, **form)[2:])
    read = decode_transaction(raw)
    assert read.sender == ACCOUNT
    assert (read.to, read.nonce, read.gas, read.data) == (addresses.PUSD, 3, 200_000, APPROVE)
    assert "0x" + SIGNER.sign_transaction(_as_told(form)).hash.hex() == read.hash


def _as_told(form: dict[str, Any]) -> dict[str, Any]:
    from betteroms.sandbox.hashing import checksum

    fields = {
        "to": checksum(addresses.PUSD),
        "data": APPROVE,
        "value": 0,
        "gas": 200_000,
        "gasPrice": GAS_PRICE,
        "nonce": 3,
        "chainId": 137,
        **form,
    }
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_approval_is_mined_after_a_moment_and_holds_from_then_on(form: dict[str, Any]) -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE, **form))
    assert result(world, "eth_getTransactionReceipt", sent) is None
    assert result(world, "eth_getTransactionByHash", sent)["blockNumber"] is None
    assert world.bank.allowance(ACCOUNT, addresses.EXCHANGE) == 0

    later(world)

    receipt = result(world, "eth_getTransactionReceipt", sent)
    assert receipt["status"] == "0x1"
    assert receipt["logs"][0]["topics"][0] == APPROVAL
    assert world.bank.allowance(ACCOUNT, addresses.EXCHANGE) == UNLIMITED
    assert result(world, "eth_getTransactionByHash", sent)["blockNumber"] == receipt["blockNumber"]
    assert result(world, "eth_getTransactionCount", ACCOUNT, "latest") == "0x1"


def test_gas_is_paid_for_at_the_price_that_was_offered() -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE))
    later(world)
    used = int(result(world, "eth_getTransactionReceipt", sent)["gasUsed"], 16)
    assert int(result(world, "eth_getBalance", ACCOUNT, "latest"), 16) == 10 * POL - used * GAS_PRICE


def test_a_dynamic_fee_pays_the_base_fee_and_the_tip() -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE, **EIP_1559))
    later(world)
    receipt = result(world, "eth_getTransactionReceipt", sent)
    assert int(receipt["effectiveGasPrice"], 16) == BASE_FEE + 30 * GWEI


def test_what_reverts_is_mined_as_failed_and_costs_all_the_same() -> None:
    world = new_world()
    pull = data_of("transferFrom(address,address,uint256)", OTHER, ACCOUNT, 5)
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, pull))
    later(world)
    receipt = result(world, "eth_getTransactionReceipt", sent)
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])
    assert world.chain.coins.native[ACCOUNT] < 10 * POL
    assert world.chain.next_nonce(ACCOUNT, pending=False) == 1


def test_too_little_gas_fails_and_all_of_it_is_used() -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE, gas=30_000))
    later(world)
    receipt = result(world, "eth_getTransactionReceipt", sent)
    assert (receipt["status"], receipt["gasUsed"]) == ("0x0", hex(30_000))
    assert world.bank.allowance(ACCOUNT, addresses.EXCHANGE) == 0


def test_transactions_of_one_account_are_mined_in_the_order_of_their_nonces() -> None:
    world = new_world()
    for nonce, amount in enumerate((1, 2, 3)):
        data = data_of("approve(address,uint256)", OTHER, amount)
        result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, data, nonce=nonce))
    assert result(world, "eth_getTransactionCount", ACCOUNT, "pending") == "0x3"
    assert result(world, "eth_getTransactionCount", ACCOUNT, "latest") == "0x0"
    later(world)
    assert world.bank.allowance(ACCOUNT, OTHER) == 3


def test_pol_is_sent_to_accounts_and_not_to_contracts() -> None:
    world = new_world()
    result(world, "eth_sendRawTransaction", signed_raw(OTHER, value=POL))
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE, value=POL, nonce=1))
    later(world)
    assert result(world, "eth_getBalance", OTHER) == hex(POL)
    assert result(world, "eth_getTransactionReceipt", sent)["status"] == "0x0"


def test_operators_and_transfers_are_logged() -> None:
    world = new_world()
    allow = data_of("setApprovalForAll(address,bool)", addresses.EXCHANGE, True)
    pay = data_of("transfer(address,uint256)", OTHER, 5)
    sent = [
        result(world, "eth_sendRawTransaction", signed_raw(to, data, nonce=nonce))
        for nonce, (to, data) in enumerate([(addresses.CONDITIONAL_TOKENS, allow), (addresses.PUSD, pay)])
    ]
    later(world)
    logs = [result(world, "eth_getTransactionReceipt", one)["logs"][0] for one in sent]
    assert [log["topics"][0] for log in logs] == [APPROVAL_FOR_ALL, TRANSFER]
    assert int(logs[1]["data"], 16) == 5


def test_the_same_bytes_are_known_already_waiting_or_mined() -> None:
    world = new_world()
    raw = signed_raw(addresses.PUSD, APPROVE)
    result(world, "eth_sendRawTransaction", raw)
    assert error(world, "eth_sendRawTransaction", raw)["message"] == "already known"
    later(world)
    assert error(world, "eth_sendRawTransaction", raw)["message"] == "already known"


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "used nonce": ({"nonce": 0}, "nonce too low: next nonce 1, tx nonce 0"),
    "nonce left out": ({"nonce": 2}, "nonce too high: next nonce 1, tx nonce 2"),
    "another chain": ({"nonce": 1, "chainId": 1}, "invalid chain id for signer: have 1 want 137"),
    "no price": ({"nonce": 1, "gasPrice": 0}, "transaction underpriced"),
    "no gas": ({"nonce": 1, "gas": 20_000}, "intrinsic gas too low"),
    "too much gas": ({"nonce": 1, "gas": 50_000_000}, "exceeds block gas limit"),
    "no money": ({"nonce": 1, "value": 11 * POL}, "insufficient funds for gas * price + value"),
}


@pytest.mark.parametrize(("changes", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_transaction_is_refused_in_the_words_of_nodes(changes: dict[str, Any], words: str) -> None:
    world = new_world()
    result(world, "eth_sendRawTransaction", signed_raw(OTHER))
    later(world)
    with unchanged(world):
        told = error(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, APPROVE, **changes))
    assert told["code"] == -32000
    assert words in told["message"]


def test_another_transaction_does_not_take_the_place_of_a_waiting_one() -> None:
    world = new_world()
    result(world, "eth_sendRawTransaction", signed_raw(OTHER))
    told = error(world, "eth_sendRawTransaction", signed_raw(OTHER, value=1))
    assert told["message"] == "replacement transaction underpriced"


def test_money_promised_to_waiting_transactions_is_not_there_twice() -> None:
    world = new_world()
    result(world, "eth_sendRawTransaction", signed_raw(OTHER, value=6 * POL))
    told = error(world, "eth_sendRawTransaction", signed_raw(OTHER, value=6 * POL, nonce=1))
    assert "insufficient funds" in told["message"]


def test_an_unprotected_transaction_is_refused() -> None:
    raw = signed_raw(OTHER, chainId=None)
    with pytest.raises(BadTransaction, match="replay-protected"):
        decode_transaction(bytes.fromhex(raw[2:]))


def test_a_contract_is_not_made() -> None:
    raw = Account.from_key("0x" + "5a" * 32).sign_transaction(
        {"data": b"\x00", "value": 0, "gas": 10**6, "gasPrice": 1, "nonce": 0, "chainId": 137}
    )
    with pytest.raises(BadTransaction, match="contract creation"):
        decode_transaction(raw.raw_transaction)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_no_flipped_bit_is_taken_for_the_account(form: dict[str, Any]) -> None:
    raw = bytes.fromhex(signed_raw(addresses.PUSD, APPROVE, **form)[2:])
    for at in range(len(raw)):
        for bit in (0, 7):
            flipped = bytearray(raw)
            flipped[at] ^= 1 << bit
            try:
                read = decode_transaction(bytes(flipped))
            except BadTransaction:
                continue
            assert read.sender != ACCOUNT


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\x02", b"\xc0", b"\x03\xc0", b"\xf8", b"hello"])
def test_what_is_no_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(BadTransaction):
        decode_transaction(raw)
