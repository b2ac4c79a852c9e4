"""A JSON-RPC node at /rpc: what clients ask to approve, convert, and watch fills.

The chain has no past states here: every block named in a call means the newest.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from betteroms.sandbox.addresses import CHAIN_ID
from betteroms.sandbox.chain import answers, requests
from betteroms.sandbox.chain.abi import Revert
from betteroms.sandbox.chain.blocks import number_of_block
from betteroms.sandbox.chain.chain import BASE_FEE, GAS_PRICE, TIP, Chain
from betteroms.sandbox.chain.requests import RpcError, argument
from betteroms.sandbox.chain.transactions import BadTransaction
from betteroms.sandbox.http.asking import body_of, world_of

BATCH_MAX: Final = 1_000
HISTORY_MAX: Final = 1_024
CLIENT: Final = "betteroms-sandbox/1"


class Node:
    """Answers one request, at one moment; from then on nothing more goes into the newest block."""

    def __init__(self, chain: Chain, now_ms: int) -> None:
        self._chain = chain
        chain.blocks.shut()
        self._newest = chain.blocks.newest(now_ms)

    def answer(self, request: object) -> dict[str, Any] | None:
        """One answer; None to a notification, which wants none."""
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _failed(None, RpcError(requests.INVALID_REQUEST, "invalid request"))
        try:
            answer = {"result": self._result(request["method"], request.get("params"))}
        except RpcError as e:
            answer = {"error": e.answer()}
        return {"jsonrpc": "2.0", "id": request["id"], **answer} if "id" in request else None

    def _result(self, method: str, params: object) -> Any:
        answering = METHODS.get(method)
        if answering is None:
            raise RpcError(requests.METHOD_NOT_FOUND, f"the method {method} does not exist/is not available")
        if params is None:
            params = []
        if not isinstance(params, list):
            raise RpcError(requests.INVALID_PARAMS, "non-array args")
        try:
            return answering(self, params)
        except Revert as e:
            raise requests.reverted(e) from None
        except BadTransaction as e:
            raise RpcError(requests.SERVER_ERROR, str(e)) from None

    def block_number(self, _: Sequence[Any]) -> str:
        return hex(self._newest)

    def block_by_number(self, params: Sequence[Any]) -> dict[str, Any] | None:
        number = requests.block_number(argument(params, 0), self._newest)
        return self._block(number, params)

    def block_by_hash(self, params: Sequence[Any]) -> dict[str, Any] | None:
        return self._block(number_of_block(requests.word(argument(params, 0))), params)

    def call(self, params: Sequence[Any]) -> str:
        asked = requests.call(argument(params, 0))
        return "0x" + self._chain.call(asked).hex()

    def estimate_gas(self, params: Sequence[Any]) -> str:
        return hex(self._chain.estimate(requests.call(argument(params, 0))))

    def balance(self, params: Sequence[Any]) -> str:
        return hex(self._chain.coins.native.get(requests.address(argument(params, 0)), 0))

    def code(self, params: Sequence[Any]) -> str:
        return self._chain.contracts.code(requests.address(argument(params, 0)))

    def transaction_count(self, params: Sequence[Any]) -> str:
        pending = argument(params, 1, "latest") == "pending"
        return hex(self._chain.next_nonce(requests.address(argument(params, 0)), pending=pending))

    def fee_history(self, params: Sequence[Any]) -> dict[str, Any]:
        asked = argument(params, 0)
        count = max(asked, 0) if isinstance(asked, int) else requests.quantity(asked)
        last = min(requests.block_number(argument(params, 1, "latest"), self._newest), self._newest)
        count = min(count, last + 1, HISTORY_MAX)
        percentiles = argument(params, 2, [])
        if not isinstance(percentiles, list):
            raise RpcError(requests.INVALID_PARAMS, "invalid argument 2: a list of percentiles is wanted")
        return {
            "oldestBlock": hex(last - count + 1),
            "baseFeePerGas": [hex(BASE_FEE)] * (count + 1),
            "gasUsedRatio": [0.5] * count,
            "reward": [[hex(TIP)] * len(percentiles)] * count,
        }

    def send_raw_transaction(self, params: Sequence[Any]) -> str:
        return self._chain.send(requests.data(argument(params, 0)))

    def receipt(self, params: Sequence[Any]) -> dict[str, Any] | None:
        return answers.receipt(self._chain, requests.word(argument(params, 0)))

    def transaction(self, params: Sequence[Any]) -> dict[str, Any] | None:
        return answers.transaction(self._chain, requests.word(argument(params, 0)))

    def logs(self, params: Sequence[Any]) -> list[dict[str, Any]]:
        return answers.logs(self._chain, requests.log_filter(argument(params, 0), self._newest))

    def _block(self, number: int | None, params: Sequence[Any]) -> dict[str, Any] | None:
        if number is None or number > self._newest:
            return None
        return answers.block(self._chain, number, full=argument(params, 1, False) is True)


METHODS: Final[dict[str, Callable[[Node, Sequence[Any]], Any]]] = {
    "eth_accounts": lambda *_: [],
    "eth_blockNumber": Node.block_number,
    "eth_call": Node.call,
    "eth_chainId": lambda *_: hex(CHAIN_ID),
    "eth_estimateGas": Node.estimate_gas,
    "eth_feeHistory": Node.fee_history,
    "eth_gasPrice": lambda *_: hex(GAS_PRICE),
    "eth_getBalance": Node.balance,
    "eth_getBlockByHash": Node.block_by_hash,
    "eth_getBlockByNumber": Node.block_by_number,
    "eth_getCode": Node.code,
    "eth_getLogs": Node.logs,
    "eth_getTransactionByHash": Node.transaction,
    "eth_getTransactionCount": Node.transaction_count,
    "eth_getTransactionReceipt": Node.receipt,
    "eth_maxPriorityFeePerGas": lambda *_: hex(TIP),
    "eth_sendRawTransaction": Node.send_raw_transaction,
    "eth_syncing": lambda *_: False,
    "net_listening": lambda *_: True,
    "net_version": lambda *_: str(CHAIN_ID),
    "web3_clientVersion": lambda *_: CLIENT,
}


async def handle(request: Request) -> Response:
    body = await body_of(request)
    world = world_of(request)
    node = Node(world.chain, world.now())
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return _json(_failed(None, RpcError(requests.PARSE_ERROR, "parse error")))
    if not isinstance(asked, list):
        told = node.answer(asked)
        return _json(told) if told is not None else Response(status_code=200)
    if not 0 < len(asked) <= BATCH_MAX:
        text = "batch too large" if asked else "empty batch"
        return _json(_failed(None, RpcError(requests.INVALID_REQUEST, text)))
    answered = [told for one in asked if (told := node.answer(one)) is not None]
    return _json(answered) if answered else Response(status_code=200)


routes = [Route("/rpc", handle, methods=["POST"]), Route("/rpc/", handle, methods=["POST"])]


def _failed(request_id: object, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "error": error.answer()}


def _json(value: object) -> Response:
    return Response(json.dumps(value), media_type="application/json")
