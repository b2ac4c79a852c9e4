"""API keys: made with a signature of the wallet's key (L1), kept and ended with themselves (L2).

Source: VENUE 2.7.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from betteroms.sandbox.accounts import ApiKey
from betteroms.sandbox.http import payloads
from betteroms.sandbox.http.asking import body_of, headers_of, member_of, world_of
from betteroms.sandbox.model import Refused


async def create_key(request: Request) -> Response:
    world = world_of(request)
    address, nonce = world.members.check_l1(headers_of(request), world.now())
    return JSONResponse(_credentials(world.members.create_key(address, nonce)))


async def derive_key(request: Request) -> Response:
    world = world_of(request)
    address, nonce = world.members.check_l1(headers_of(request), world.now())
    return JSONResponse(_credentials(world.members.derive_key(address, nonce)))


async def keys(request: Request) -> Response:
    return await _list_keys(request, readonly=False)


async def delete_key(request: Request) -> Response:
    """The key that asks, and no other."""
    key = member_of(request, await body_of(request), trading=True)
    world_of(request).members.delete(key.key)
    return JSONResponse("OK")


async def create_readonly_key(request: Request) -> Response:
    key = member_of(request, await body_of(request), trading=True)
    made = world_of(request).members.create_readonly_key(key.address)
    return JSONResponse({"apiKey": made.key})


async def readonly_keys(request: Request) -> Response:
    return await _list_keys(request, readonly=True)


async def delete_readonly_key(request: Request) -> Response:
    body = await body_of(request)
    asked = payloads.document(body)
    key = member_of(request, body, trading=True)
    members = world_of(request).members
    named = asked.get("key") if isinstance(asked, dict) else None
    if named not in [each.key for each in members.keys_of(key.address, readonly=True)]:
        raise Refused("api key not found", status=404)
    members.delete(str(named))
    return JSONResponse("OK")


async def _list_keys(request: Request, *, readonly: bool) -> Response:
    key = member_of(request, await body_of(request))
    found = world_of(request).members.keys_of(key.address, readonly=readonly)
    return JSONResponse({"readonlyApiKeys" if readonly else "apiKeys": [each.key for each in found]})


def _credentials(key: ApiKey) -> dict[str, str]:
    return {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}


routes: Final = [
    Route("/auth/api-key", create_key, methods=["POST"]),
    Route("/auth/api-key", delete_key, methods=["DELETE"]),
    Route("/auth/derive-api-key", derive_key),
    Route("/auth/api-keys", keys),
    Route("/auth/readonly-api-key", create_readonly_key, methods=["POST"]),
    Route("/auth/readonly-api-key", delete_readonly_key, methods=["DELETE"]),
    Route("/auth/readonly-api-keys", readonly_keys),
]
