"""The node's answers in general: its shapes, its errors, and its blocks."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from betteroms.sandbox import addresses
from betteroms.sandbox.chain.rpc import routes
from betteroms.sandbox.world import World
from tests.sandbox.chain.scene import (
    ACCOUNT,
    OTHER,
    STARTS_MS,
    data_of,
    error,
    later,
    new_world,
    result,
    signed_raw,
)

BALANCE = {"to": addresses.PUSD, "data": "0x" + data_of("balanceOf(address)", ACCOUNT).hex()}


def posted(world: World, body: Any) -> Any:
    """What the node answers over HTTP, to JSON or to the text itself."""
    app = Starlette(routes=routes)
    app.state.world = world
    content = body if isinstance(body, str) else json.dumps(body)

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://venue") as client:
            return await client.post("/rpc", content=content)

    answer = asyncio.run(post())
    assert answer.status_code == 200
    return answer.json() if answer.content else None


def asking(method: str, *params: Any, number: int = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def test_it_says_which_chain_it_is() -> None:
    world = new_world()
    assert result(world, "eth_chainId") == "0x89"
    assert result(world, "net_version") == "137"


def test_a_batch_is_answered_one_by_one() -> None:
    wanted = [asking("eth_chainId", number=5), asking("eth_nothing", number=6), asking("eth_call", BALANCE)]
    first, second, third = posted(new_world(), wanted)
    assert first == {"jsonrpc": "2.0", "id": 5, "result": "0x89"}
    assert (second["id"], second["error"]["code"]) == (6, -32601)
    assert int(third["result"], 16) == 1_000_000_000


def test_a_notification_is_not_answered() -> None:
    assert posted(new_world(), {"jsonrpc": "2.0", "method": "eth_chainId"}) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", -32700),
        ("[]", -32600),
        ("3", -32600),
        ('{"id": 1}', -32600),
        ('{"id": 1, "method": "eth_nothing"}', -32601),
        ('{"id": 1, "method": "eth_getBalance", "params": {"a": 1}}', -32602),
        ('{"id": 1, "method": "eth_getBalance", "params": []}', -32602),
        ('{"id": 1, "method": "eth_getBalance", "params": ["0x12"]}', -32602),
        ('{"id": 1, "method": "eth_getTransactionReceipt", "params": ["0x12"]}', -32602),
        ('{"id": 1, "method": "eth_sendRawTransaction", "params": ["zz"]}', -32602),
        ('{"id": 1, "method": "eth_getBlockByNumber", "params": ["newest"]}', -32602),
        ('{"id": 1, "method": "eth_getLogs", "params": [{"topics": 5}]}', -32602),
        ('{"id": 1, "method": "eth_feeHistory", "params": ["0x2", "latest", 7]}', -32602),
        ('{"id": 1, "method": "eth_call", "params": [{"to": 5}]}', -32602),
        ('{"id": 1, "method": "eth_call", "params": [{"data": "0x"}]}', -32000),
    ],
)
def test_what_cannot_be_answered_is_an_error_of_its_kind(body: str, code: int) -> None:
    assert posted(new_world(), body)["error"]["code"] == code


def test_a_batch_has_a_limit() -> None:
    told = posted(new_world(), [asking("eth_chainId")] * 1_001)
    assert told["error"]["message"] == "batch too large"


def test_a_revert_is_error_3_with_its_words_and_their_bytes() -> None:
    world = new_world()
    call = {"to": addresses.PUSD, "data": "0x" + data_of("transfer(address,uint256)", OTHER, 1).hex()}
    for method in ("eth_call", "eth_estimateGas"):
        told = error(world, method, call)
        assert told["code"] == 3
        assert told["message"] == "execution reverted: ERC20: transfer amount exceeds balance"
        assert told["data"].startswith("0x08c379a0")


def test_gas_is_estimated_as_it_is_used() -> None:
    world = new_world()
    data = data_of("approve(address,uint256)", OTHER, 1)
    estimate = result(
        world, "eth_estimateGas", {"from": ACCOUNT, "to": addresses.PUSD, "data": "0x" + data.hex()}
    )
    sent = result(world, "eth_sendRawTransaction", signed_raw(addresses.PUSD, data, gas=int(estimate, 16)))
    later(world)
    receipt = result(world, "eth_getTransactionReceipt", sent)
    assert (receipt["status"], receipt["gasUsed"]) == ("0x1", estimate)


def test_blocks_go_on_with_time_and_hang_together() -> None:
    world = new_world()
    first = result(world, "eth_getBlockByNumber", "latest", False)
    assert int(first["timestamp"], 16) == STARTS_MS // 1000
    later(world, 10_000)
    newest = int(result(world, "eth_blockNumber"), 16)
    assert newest == int(first["number"], 16) + 5
    second = result(world, "eth_getBlockByNumber", hex(newest), False)
    before = result(world, "eth_getBlockByNumber", hex(newest - 1), False)
    assert second["parentHash"] == before["hash"]
    assert result(world, "eth_getBlockByHash", second["hash"], False) == second
    assert result(world, "eth_getBlockByNumber", hex(newest + 1), False) is None


def test_a_block_lists_what_was_mined_in_it() -> None:
    world = new_world()
    sent = result(world, "eth_sendRawTransaction", signed_raw(OTHER, value=5))
    later(world)
    receipt = result(world, "eth_getTransactionReceipt", sent)
    short = result(world, "eth_getBlockByNumber", receipt["blockNumber"], False)
    full = result(world, "eth_getBlockByNumber", receipt["blockNumber"], True)
    assert short["transactions"] == [sent]
    assert full["transactions"] == [result(world, "eth_getTransactionByHash", sent)]
    assert short["gasUsed"] == receipt["gasUsed"]


def test_nothing_goes_into_a_block_that_somebody_has_seen() -> None:
    world = new_world(mined_after_ms=0)
    blocks = []
    for nonce in range(3):
        sent = result(world, "eth_sendRawTransaction", signed_raw(OTHER, nonce=nonce))
        world.now()
        seen = int(result(world, "eth_blockNumber"), 16)
        block = int(result(world, "eth_getTransactionReceipt", sent)["blockNumber"], 16)
        assert block == seen
        blocks.append(block)
    assert sorted(set(blocks)) == blocks


def test_fees_of_the_past_are_told() -> None:
    told = result(new_world(), "eth_feeHistory", "0x3", "latest", [10, 90])
    assert [len(told[name]) for name in ("baseFeePerGas", "gasUsedRatio", "reward")] == [4, 3, 3]
    assert len(told["reward"][0]) == 2


def test_what_was_never_sent_is_not_there() -> None:
    world = new_world()
    nothing = "0x" + "ab" * 32
    assert result(world, "eth_getTransactionReceipt", nothing) is None
    assert result(world, "eth_getTransactionByHash", nothing) is None
