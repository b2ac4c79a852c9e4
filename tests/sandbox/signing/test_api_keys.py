"""API keys, and how a client shows that it holds one."""

import json
from typing import Any, Final
from uuid import UUID

import pytest
from eth_account import Account
from polymarket._internal.actions.auth import build_l1_auth_headers
from polymarket._internal.hmac import build_hmac_signature
from polymarket._internal.l1_auth import sign_api_key_auth
from starlette.datastructures import Headers

from betteroms.sandbox.accounts import CLOCK_SKEW_MAX_MS, ApiKey, Members
from betteroms.sandbox.model import Refused
from betteroms.sandbox.signing import Wallet, WalletKind, wallets_of
from betteroms.sandbox.signing.credentials import keyed, request_signature
from tests.sandbox.signing.vectors import address_of_key
from tests.vectors import generated

KEY: Final = "0x" + "42" * 32
SIGNER: Final = address_of_key(KEY)
HEADERS: Final = generated("auth_headers_generated") or {"l1": [], "l2": []}
OTHER: Final = "0x" + "11" * 20
NOW_MS: Final = 1_790_000_000_500
NOW_S: Final = NOW_MS // 1000
BODY: Final = b'{"orderID":"0x12"}'


def attested(*, timestamp: int = NOW_S, nonce: int = 0, chain_id: int = 137) -> dict[str, str]:
    signature = sign_api_key_auth(Account.from_key(KEY), chain_id=chain_id, timestamp=timestamp, nonce=nonce)
    return build_l1_auth_headers(signature)


def shown(key: ApiKey, *, timestamp: int = NOW_S, body: bytes = BODY) -> dict[str, str]:
    return {
        "POLY_ADDRESS": Account.from_key(KEY).address,
        "POLY_API_KEY": key.key,
        "POLY_PASSPHRASE": key.passphrase,
        "POLY_TIMESTAMP": str(timestamp),
        "POLY_SIGNATURE": build_hmac_signature(
            secret=key.secret, timestamp=timestamp, method="DELETE", path="/order", body=body.decode()
        ),
    }


def l2(members: Members, headers: dict[str, str], **changes: Any) -> ApiKey:
    request: dict[str, Any] = {"method": "DELETE", "path": "/order", "body": BODY, "now_ms": NOW_MS} | changes
    return members.check_l2(Headers(headers), **request)


def refused_l2(members: Members, headers: dict[str, str], **changes: Any) -> None:
    with pytest.raises(Refused) as refused:
        l2(members, headers, **changes)
    assert (refused.value.text, refused.value.status) == ("Unauthorized/Invalid api key", 401)


def refused_l1(headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        Members(seed=0).check_l1(Headers(headers), NOW_MS)
    assert (refused.value.text, refused.value.status) == ("Invalid L1 Request headers", 401)


@pytest.fixture
def members() -> Members:
    return Members(seed=7)


@pytest.fixture
def key(members: Members) -> ApiKey:
    return members.create_key(SIGNER, 0)


def test_a_key_follows_from_seed_account_and_nonce() -> None:
    first, again = Members(seed=7).create_key(SIGNER, 0), Members(seed=7).create_key(SIGNER.upper(), 0)
    assert first == again
    others = {
        Members(seed=8).create_key(SIGNER, 0).secret,
        Members(seed=7).create_key(SIGNER, 1).secret,
        Members(seed=7).create_key(OTHER, 0).secret,
    }
    assert len(others | {first.secret}) == 4
    assert str(UUID(first.key)) == first.key


def test_a_nonce_makes_a_key_once_and_finds_it_ever_after(members: Members, key: ApiKey) -> None:
    with pytest.raises(Refused) as refused:
        members.create_key(Account.from_key(KEY).address, 0)
    assert (refused.value.text, refused.value.status) == ("Could not create api key", 400)
    assert members.derive_key(Account.from_key(KEY).address, 0) is key
    assert members.keys_of(SIGNER) == [key]


def test_a_key_that_was_never_made_or_was_deleted_is_not_found(members: Members, key: ApiKey) -> None:
    members.delete(key.key)
    for nonce in (0, 1):
        with pytest.raises(Refused) as refused:
            members.derive_key(SIGNER, nonce)
        assert (refused.value.text, refused.value.status) == ("Could not derive api key!", 400)
    refused_l2(members, shown(key))


def test_the_wallets_of_whoever_makes_a_key_are_known(members: Members, key: ApiKey) -> None:
    assert {wallet.address for wallet in wallets_of(SIGNER)} == set(members.wallets)


def test_a_wallet_proves_itself(members: Members) -> None:
    assert members.check_l1(Headers(attested(nonce=3)), NOW_MS) == (SIGNER, 3)


@pytest.mark.parametrize("row", HEADERS["l1"], ids=lambda row: str(row["timestamp"]))
def test_known_attestations_are_good_on_their_own_chain(members: Members, row: dict[str, Any]) -> None:
    headers = {
        "POLY_ADDRESS": row["address"],
        "POLY_NONCE": str(row["nonce"]),
        "POLY_SIGNATURE": row["signature"],
        "POLY_TIMESTAMP": str(row["timestamp"]),
    }
    try:
        proven = members.check_l1(Headers(headers), row["timestamp"] * 1000)
    except Refused:
        assert row["chainId"] != 137
    else:
        assert (proven, row["chainId"]) == ((row["address"].lower(), row["nonce"]), 137)


@pytest.mark.parametrize("name", ["POLY_ADDRESS", "POLY_NONCE", "POLY_SIGNATURE", "POLY_TIMESTAMP"])
def test_an_attestation_is_whole_and_says_what_was_signed(name: str) -> None:
    headers = attested()
    refused_l1({key: value for key, value in headers.items() if key != name})
    for other in ("", "1", "-1", "x", "²", OTHER, "0x" + "11" * 65, "9" * 79):
        refused_l1(headers | {name: other})


def test_an_attestation_is_of_this_chain_and_of_now() -> None:
    refused_l1(attested(chain_id=80002))
    late = CLOCK_SKEW_MAX_MS // 1000 + 1
    refused_l1(attested(timestamp=NOW_S - late))
    refused_l1(attested(timestamp=NOW_S + late))


def test_a_request_shows_its_key(members: Members, key: ApiKey) -> None:
    for _ in range(2):
        assert l2(members, shown(key)) is key
        assert l2(members, shown(key, body=b""), body=b"") is key


@pytest.mark.parametrize(
    "name", ["POLY_ADDRESS", "POLY_API_KEY", "POLY_PASSPHRASE", "POLY_TIMESTAMP", "POLY_SIGNATURE"]
)
def test_a_request_with_a_header_less_or_another_is_refused(members: Members, key: ApiKey, name: str) -> None:
    stranger = members.create_key(OTHER, 0)
    headers = shown(key)
    others = shown(stranger) | {"POLY_ADDRESS": OTHER, "POLY_TIMESTAMP": str(NOW_S + 1)}
    refused_l2(members, {key: value for key, value in headers.items() if key != name})
    for other in (others[name], "", "x", "é", headers[name] + "A"):
        refused_l2(members, headers | {name: other})


@pytest.mark.parametrize("change", [{"method": "POST"}, {"path": "/orders"}, {"body": BODY + b" "}])
def test_a_request_is_the_one_that_was_signed(members: Members, key: ApiKey, change: dict[str, Any]) -> None:
    refused_l2(members, shown(key), **change)


def test_the_clocks_may_differ_a_little(members: Members, key: ApiKey) -> None:
    within = CLOCK_SKEW_MAX_MS // 1000 - 1
    for timestamp in (NOW_S - within, NOW_S + within):
        assert l2(members, shown(key, timestamp=timestamp)) is key
    for timestamp in (NOW_S - within - 2, NOW_S + within + 3):
        refused_l2(members, shown(key, timestamp=timestamp))


@pytest.mark.parametrize("row", HEADERS["l2"], ids=lambda row: str(row["timestamp"]))
def test_known_requests_have_their_known_signatures(row: dict[str, Any]) -> None:
    signature = request_signature(
        keyed(row["secret"]),
        timestamp=str(row["timestamp"]),
        method=row["method"],
        path=row["requestPath"],
        body=(row["body"] or "").encode(),
    )
    assert signature == row["signature"]


def test_a_read_only_key_reads_and_does_not_trade(members: Members, key: ApiKey) -> None:
    reader = members.create_readonly_key(SIGNER)
    headers = {"POLY_ADDRESS": SIGNER, "POLY_READONLY_API_KEY": reader.key}
    assert l2(members, headers) is reader
    refused_l2(members, headers, trading=True)
    refused_l2(members, headers | {"POLY_ADDRESS": OTHER})
    refused_l2(members, headers | {"POLY_READONLY_API_KEY": key.key})
    assert members.keys_of(SIGNER) == [key]
    assert members.keys_of(SIGNER, readonly=True) == [reader]
    members.delete(reader.key)
    refused_l2(members, headers)
    assert members.create_readonly_key(SIGNER) != reader


def test_read_only_keys_have_an_end(members: Members) -> None:
    for _ in range(100):
        members.create_readonly_key(SIGNER)
    with pytest.raises(Refused):
        members.create_readonly_key(SIGNER)


def test_members_come_back_from_a_file_as_they_were(members: Members, key: ApiKey) -> None:
    reader = members.create_readonly_key(SIGNER)
    members.delete(members.create_key(SIGNER, 1).key)
    members.register(Wallet(address=OTHER, kind=WalletKind.DEPOSIT, owner=SIGNER))
    members.authorize_session_key(OTHER, "0x" + "22" * 20, NOW_S)
    members.admitted.add(SIGNER)
    members.banned.add(OTHER)
    members.closed_only.update({OTHER, key.key})
    again = Members(seed=7)
    again.restore(json.loads(json.dumps(members.dump())))
    assert again.dump() == members.dump()
    assert again.wallets == members.wallets
    assert l2(again, shown(key)) == key
    assert again.derive_key(SIGNER, 0) == key
    with pytest.raises(Refused):
        again.create_key(SIGNER, 1)
    assert again.keys_of(SIGNER, readonly=True) == [reader]
    assert again.create_readonly_key(SIGNER) == members.create_readonly_key(SIGNER)
