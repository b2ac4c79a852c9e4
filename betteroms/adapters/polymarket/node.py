"""A node of the chain, asked by JSON-RPC.

Its URL often holds a key, so no message of ours repeats any of it, nor passes on a fault that might.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from betteroms.adapters.exact_json import NotJson, decode
from betteroms.adapters.polymarket.typed_data import CHAIN_ID
from betteroms.domain.errors import BetterOmsError, VenueUnreachable
from betteroms.domain.secret import Secret

ATTEMPTS: Final = 4
PAUSE_SECONDS: Final = 0.25
"""Before the second attempt; each further one waits twice as long."""
NODE: Final = "the chain's node (BETTEROMS_RPC_URL)"
WORDS_MAX: Final = 200


class NodeRefused(BetterOmsError):
    """The node understood the question and said no, in its own words; never told to users as it is."""


class Node:
    """Asks a node; questions that only read are asked again where that may help."""

    def __init__(
        self, url: Secret, *, client: httpx.Client, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = url
        self._client = client
        self._sleep = sleep
        self._asked = 0

    def ask(self, method: str, *params: object) -> Any:
        """The answer to a question that changes nothing.

        Raises:
            NodeRefused: it said no.
            VenueUnreachable: no usable answer.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                return self.tell(method, *params)
            except VenueUnreachable:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt gives or raises")

    def tell(self, method: str, *params: object) -> Any:
        """The same, asked once: for what must not go twice.

        Raises:
            NodeRefused: it said no.
            VenueUnreachable: no usable answer; what was sent may have arrived.
        """
        self._asked += 1
        body = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": list(params)}
        try:
            response = self._client.post(self._url.reveal(), json=body)
        except httpx.HTTPError as fault:
            raise VenueUnreachable(f"{NODE}: no answer ({type(fault).__name__})") from None
        if response.status_code != httpx.codes.OK:
            raise VenueUnreachable(f"{NODE}: answered {response.status_code}")
        try:
            answer = decode(response.text)
        except NotJson:
            raise VenueUnreachable(f"{NODE}: the answer is not JSON") from None
        if not isinstance(answer, dict) or not ({"result", "error"} & answer.keys()):
            raise VenueUnreachable(f"{NODE}: the answer is none of JSON-RPC")
        if answer.get("error") is not None:
            error = answer["error"]
            words = error.get("message") if isinstance(error, dict) else error
            raise NodeRefused(_printable(str(words)))
        return answer["result"]

    def number(self, method: str, *params: object) -> int:
        """An answer that is a number in hex. Raises as `ask`."""
        answer = self.ask(method, *params)
        try:
            return int(str(answer), 16)
        except ValueError:
            raise VenueUnreachable(f"{NODE}: {method} answered no number") from None

    def read(self, contract: str, data: bytes) -> int:
        """What a contract's function gives, where that is one number, flag or address. Raises as `ask`."""
        return self.number("eth_call", {"to": contract, "data": f"0x{data.hex()}"}, "latest")

    def check_chain(self) -> None:
        """Raises VenueUnreachable where it is another chain's node: a signature is good on one only."""
        chain = self.number("eth_chainId")
        if chain != CHAIN_ID:
            raise VenueUnreachable(f"{NODE} is of chain {chain}, not of Polygon ({CHAIN_ID})")


def _printable(words: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in words)[:WORDS_MAX]
