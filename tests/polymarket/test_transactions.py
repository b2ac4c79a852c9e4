"""An own wallet's transactions when the node is deaf, slow, wrong or dear; over a socket each time."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from betteroms.adapters.polymarket.approvals import TRADING, WalletChain
from betteroms.adapters.polymarket.node import Node, NodeRefused
from betteroms.adapters.polymarket.transactions import FEE_MAX, GWEI, OwnTransactions
from betteroms.domain.approval import UNLIMITED, Standing
from betteroms.domain.errors import TransactionFailed, TransactionPending, VenueUnreachable
from betteroms.domain.secret import Secret
from betteroms.jobs.allowances import carry_out, survey
from betteroms.sandbox.chain.chain import POL
from betteroms.sandbox.world import World
from tests.sandbox.running import QUICK, Venue, sandbox_venue
from tests.sandbox.stage import trader

OWNER = trader("sender", "eoa")
KEY = Secret(OWNER.private_key)
SLOW = replace(QUICK, mined_after_ms=600_000, confirmed_after_ms=600_000)
Change = Callable[[dict[str, Any]], httpx.Response | None]


def prepare(world: World) -> None:
    world.members.know(OWNER.signer)
    world.chain.fund(OWNER.wallet, pol=POL)


@pytest.fixture
def venue() -> Iterator[Venue]:
    with sandbox_venue(prepare, options=replace(QUICK, rate_limited=False)) as running:
        yield running


class Between(httpx.BaseTransport):
    """Passes questions on over a socket, but for those that `change` answers itself or loses."""

    def __init__(self, change: Change, *, lost: frozenset[str] = frozenset()) -> None:
        self._real = httpx.HTTPTransport(verify=False)
        self._change = change
        self._lost = lost

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.read())
        changed = self._change(asked)
        if changed is not None:
            return changed
        answer = self._real.handle_request(request)
        answer.read()
        if asked["method"] in self._lost:
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    def close(self) -> None:
        self._real.close()


def answered(result: Any) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": result})


def no_change(_: dict[str, Any]) -> None:
    return None


OPENED: list[httpx.Client] = []
"""Clients of the running test, closed after it."""


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def node(venue: Venue, change: Change = no_change, *, lost: frozenset[str] = frozenset()) -> Node:
    client = httpx.Client(transport=Between(change, lost=lost))
    OPENED.append(client)
    return Node(Secret(f"{venue.url}/rpc"), client=client, sleep=lambda _: None)


def sender(found: Node, *, wait_seconds: float = 10) -> OwnTransactions:
    return OwnTransactions(found, KEY, wait_seconds=wait_seconds)


def wished(found: Node) -> list[Standing]:
    return survey(WalletChain(found, OWNER.wallet), TRADING[:2], dollars=UNLIMITED)


def approve(found: Node, *, wait_seconds: float = 10) -> list[str]:
    """Let two contracts move dollars; what was told of."""
    told: list[str] = []
    chain = WalletChain(found, OWNER.wallet)
    carry_out(chain, sender(found, wait_seconds=wait_seconds), wished(found), said=told.append)
    return told


def sent(venue: Venue) -> int:
    assert venue.world is not None
    return venue.world.chain.next_nonce(OWNER.wallet.lower(), pending=True)


def test_the_prices_are_named_in_every_transaction(venue: Venue) -> None:
    assert approve(node(venue)) == [each.reason for each in TRADING[:2]]
    assert venue.world is not None
    records = venue.world.chain.mined.records
    assert [record.nonce for record in records] == [0, 1]
    assert {(record.kind, record.tip, record.gas_price) for record in records} == {(2, 30 * GWEI, 40 * GWEI)}


def test_an_answer_that_is_lost_is_no_second_transaction(venue: Venue) -> None:
    approve(node(venue, lost=frozenset({"eth_sendRawTransaction"})))
    assert sent(venue) == 2


def test_what_is_on_its_way_is_waited_for_and_nothing_is_sent_beside_it() -> None:
    with sandbox_venue(prepare, options=SLOW) as venue:
        with pytest.raises(TransactionPending, match="is not carried out yet"):
            approve(node(venue), wait_seconds=0.3)
        for _ in range(2):
            with pytest.raises(TransactionPending, match="an earlier transaction of 0x"):
                approve(node(venue), wait_seconds=0.3)
        assert sent(venue) == 1


def test_what_never_arrived_is_not_known_to_have_failed(venue: Venue) -> None:
    def deaf(asked: dict[str, Any]) -> httpx.Response | None:
        return httpx.Response(502) if asked["method"] == "eth_sendRawTransaction" else None

    with pytest.raises(TransactionPending, match=r"0x[0-9a-f]{64} is not carried out yet"):
        approve(node(venue, deaf), wait_seconds=0.3)
    assert sent(venue) == 0
    approve(node(venue))
    assert sent(venue) == 2


def test_a_node_that_has_it_already_is_no_fault(venue: Venue) -> None:
    def twice(asked: dict[str, Any]) -> httpx.Response | None:
        if asked["method"] == "eth_sendRawTransaction":
            httpx.post(f"{venue.url}/rpc", json=asked, verify=False)
        return None

    approve(node(venue, twice))
    assert sent(venue) == 2


def test_what_the_node_refuses_is_told_in_its_words(venue: Venue) -> None:
    def refuse(asked: dict[str, Any]) -> httpx.Response | None:
        error = {"code": -32000, "message": "txpool is full\x1b[2J"}
        if asked["method"] != "eth_sendRawTransaction":
            return None
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "error": error})

    with pytest.raises(TransactionFailed, match="two outcomes: txpool is full"):
        approve(node(venue, refuse))


def test_a_transaction_that_was_reverted_is_a_failure(venue: Venue) -> None:
    def reverted(asked: dict[str, Any]) -> httpx.Response | None:
        return answered({"status": "0x0"}) if asked["method"] == "eth_getTransactionReceipt" else None

    with pytest.raises(TransactionFailed, match="was reverted"):
        approve(node(venue, reverted))


def test_a_transaction_without_its_effect_is_a_failure(venue: Venue) -> None:
    def blind(asked: dict[str, Any]) -> httpx.Response | None:
        return answered("0x0") if asked["method"] == "eth_call" else None

    with pytest.raises(TransactionFailed, match="carried out, and yet not as wanted"):
        approve(node(venue, blind))


def test_another_chain_is_refused_before_anything_is_signed(venue: Venue) -> None:
    def elsewhere(asked: dict[str, Any]) -> httpx.Response | None:
        return answered("0x1") if asked["method"] == "eth_chainId" else None

    with pytest.raises(VenueUnreachable, match="is of chain 1, not of Polygon"):
        approve(node(venue, elsewhere))
    assert sent(venue) == 0


def test_gas_that_is_too_dear_is_waited_for(venue: Venue) -> None:
    def dear(asked: dict[str, Any]) -> httpx.Response | None:
        found = {"baseFeePerGas": hex(FEE_MAX)}
        return answered(found) if asked["method"] == "eth_getBlockByNumber" else None

    with pytest.raises(TransactionFailed, match="gwei now, above 3000: wait"):
        approve(node(venue, dear))
    assert sent(venue) == 0


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"jsonrpc": "2.0"}),
        httpx.Response(500),
        answered("soon"),
    ],
)
def test_an_answer_that_is_none_is_a_fault_without_the_nodes_url(
    answer: httpx.Response, venue: Venue
) -> None:
    with pytest.raises(VenueUnreachable) as fault:
        node(venue, lambda _: answer).number("eth_chainId")
    assert str(fault.value).startswith("the chain's node (BETTEROMS_RPC_URL): ")
    assert "127.0.0.1" not in str(fault.value)


def test_a_question_is_asked_again_and_a_refusal_is_not(venue: Venue) -> None:
    asked: list[str] = []

    def late(question: dict[str, Any]) -> httpx.Response | None:
        asked.append(question["method"])
        return httpx.Response(503) if len(asked) < 3 else None

    assert node(venue, late).number("eth_chainId") == 137
    assert len(asked) == 3
    with pytest.raises(NodeRefused, match="does not exist"):
        node(venue).ask("eth_nothing")
