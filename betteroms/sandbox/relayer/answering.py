"""The relayer over HTTP, under /relayer.

Source: VENUE 8.
"""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from betteroms.sandbox.http.asking import body_of, world_of
from betteroms.sandbox.model import Refused
from betteroms.sandbox.relayer.envelopes import PROXY, SAFE, SAFE_CREATE, WALLET, WALLET_CREATE
from betteroms.sandbox.relayer.keys import PREFIX, check
from betteroms.sandbox.relayer.relayer import Job
from betteroms.sandbox.signing import Malformed
from betteroms.sandbox.signing.typed_data import account

KINDS: Final = (WALLET, WALLET_CREATE, SAFE, SAFE_CREATE, PROXY)


async def deployed(request: Request) -> JSONResponse:
    world = world_of(request)
    world.now()
    return JSONResponse({"deployed": world.chain.wallets.deployed(_address(request))})


async def submit(request: Request) -> JSONResponse:
    world = world_of(request)
    body = await body_of(request)
    _check_key(request, body)
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("invalid request: no JSON") from None
    job = world.relayer.submit(asked)
    return JSONResponse({"transactionID": job.id, "transactionHash": job.hash, "state": job.state})


async def parameters(request: Request) -> JSONResponse:
    """The nonce to sign with next."""
    _check_key(request, b"")
    address = _address(request)
    return JSONResponse({"address": address, "nonce": _nonce(request, address)})


async def relay_payload(request: Request) -> JSONResponse:
    """The relay to name in a proxy wallet's envelope, and its nonce."""
    world = world_of(request)
    return JSONResponse({"address": world.relayer.relay, "nonce": _nonce(request, _address(request))})


async def transaction(request: Request) -> JSONResponse:
    world = world_of(request)
    _check_key(request, b"")
    return JSONResponse(_told(world.relayer.job(request.path_params["transaction_id"])))


routes = [
    Route(f"{PREFIX}/deployed", deployed),
    Route(f"{PREFIX}/submit", submit, methods=["POST"]),
    Route(f"{PREFIX}/relay-payload", relay_payload),
    Route(f"{PREFIX}/v1/account/transactions/params", parameters),
    Route(f"{PREFIX}/v1/account/transactions/{{transaction_id}}", transaction),
]


def _check_key(request: Request, body: bytes) -> None:
    world = world_of(request)
    check(
        world.name,
        request.headers,
        method=request.method,
        path=request.url.path,
        body=body,
        now_ms=world.now(),
    )


def _address(request: Request) -> str:
    address = request.query_params.get("address", "")
    try:
        account(address)
    except Malformed:
        raise Refused("invalid address") from None
    return address.lower()


def _nonce(request: Request, address: str) -> str:
    kind = request.query_params.get("type", "")
    if kind not in KINDS:
        raise Refused("invalid transaction type")
    return str(world_of(request).relayer.nonce(address, kind))


def _told(job: Job) -> dict[str, Any]:
    envelope = job.envelope
    return {
        "transaction_id": job.id,
        "transaction_hash": job.hash,
        "state": job.state,
        "type": envelope.kind,
        "from": envelope.sender,
        "wallet_address": envelope.wallet,
        "nonce": "" if envelope.nonce is None else str(envelope.nonce),
        "error_msg": job.error or None,
        "created_at": job.created_ms // 1000,
        "updated_at": job.updated_ms // 1000,
    }
