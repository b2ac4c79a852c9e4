"""API keys over HTTP: made, found again, listed, ended; and requests whose signature does not fit."""

from collections.abc import Mapping

import pytest
from coincurve import PrivateKey

from betteroms.sandbox.signing.credentials import attestation_digest
from betteroms.sandbox.signing.recovery import address_of
from tests.sandbox.http.conftest import Front
from tests.sandbox.http.member import Member

PRIVATE = PrivateKey(b"\x07" * 32)
ADDRESS = address_of(PRIVATE.public_key)


def attested(front: Front, nonce: int = 0, *, skew_s: int = 0) -> dict[str, str]:
    stamp = str(front.clock.now_ms() // 1000 + skew_s)
    digest = attestation_digest(address=ADDRESS, timestamp=stamp, nonce=nonce)
    made = PRIVATE.sign_recoverable(digest, hasher=None)
    return {
        "POLY_ADDRESS": ADDRESS,
        "POLY_TIMESTAMP": stamp,
        "POLY_NONCE": str(nonce),
        "POLY_SIGNATURE": "0x" + (made[:64] + bytes([made[64] + 27])).hex(),
    }


def make(front: Front, headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    told = front.client.post("/auth/api-key", headers=dict(headers))
    return told.status_code, told.json()


def test_a_key_is_made_once_and_found_again(front: Front) -> None:
    status, made = make(front, attested(front))
    assert (status, list(made)) == (200, ["apiKey", "secret", "passphrase"])
    assert make(front, attested(front))[0] == 400
    assert front.client.get("/auth/derive-api-key", headers=attested(front)).json() == made
    assert make(front, attested(front, 1))[1] != made


def test_a_key_that_was_never_made_is_not_found(front: Front) -> None:
    assert front.client.get("/auth/derive-api-key", headers=attested(front)).status_code == 400


@pytest.mark.parametrize("name", ["POLY_ADDRESS", "POLY_TIMESTAMP", "POLY_NONCE", "POLY_SIGNATURE"])
def test_a_wallets_signature_stands_for_each_part(front: Front, name: str) -> None:
    headers = attested(front)
    headers[name] = headers[name][:-1] + ("1" if headers[name][-1] != "1" else "2")
    assert make(front, headers) == (401, {"error": "Invalid L1 Request headers"})
    del headers[name]
    assert make(front, headers) == (401, {"error": "Invalid L1 Request headers"})


def test_a_clock_that_is_off_is_refused(front: Front) -> None:
    assert make(front, attested(front, skew_s=-3600))[0] == 401


def test_keys_are_listed_and_end_with_their_own_word(front: Front, member: Member) -> None:
    assert front.get("/auth/api-keys", member) == {"apiKeys": [member.key.key]}
    assert front.ask("DELETE", "/auth/api-key", member).json() == "OK"
    assert front.ask("GET", "/auth/api-keys", member).status_code == 401


def test_a_read_only_key_reads_and_does_not_trade(front: Front, member: Member) -> None:
    made = front.ask("POST", "/auth/readonly-api-key", member).json()["apiKey"]
    assert front.get("/auth/readonly-api-keys", member) == {"readonlyApiKeys": [made]}
    shown = {"POLY_ADDRESS": member.address, "POLY_READONLY_API_KEY": made}
    assert front.client.get("/data/orders", headers=shown).status_code == 200
    assert front.client.request("DELETE", "/cancel-all", headers=shown).status_code == 401
    assert front.ask("DELETE", "/auth/readonly-api-key", member, {"key": made}).json() == "OK"
    assert front.client.get("/data/orders", headers=shown).status_code == 401
    assert front.ask("DELETE", "/auth/readonly-api-key", member, {"key": made}).status_code == 404


def test_the_signature_of_a_request_stands_for_its_bytes(front: Front, member: Member) -> None:
    order_id = b'{"orderID":"0x' + b"33" * 32 + b'"}'
    headers = member.headers("DELETE", "/order", order_id)
    sent = front.client.request("DELETE", "/order", content=order_id, headers=headers)
    assert sent.status_code == 200
    spaced = front.client.request("DELETE", "/order", content=order_id + b" ", headers=headers)
    assert spaced.json() == {"error": "Unauthorized/Invalid api key"}
