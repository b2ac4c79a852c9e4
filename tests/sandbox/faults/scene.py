"""A venue behind a real socket, somebody who trades there, and rules for what goes wrong."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from coincurve import PrivateKey

from betteroms.domain.terms import Side
from betteroms.sandbox.clock import HandClock
from betteroms.sandbox.faults.chooser import Faults
from betteroms.sandbox.http.app import create_app
from betteroms.sandbox.http.serve import serving
from betteroms.sandbox.model import Market
from betteroms.sandbox.signing.credentials import attestation_digest
from betteroms.sandbox.signing.recovery import address_of
from betteroms.sandbox.transcript import Transcript
from betteroms.sandbox.venue import Venue
from betteroms.sandbox.world import Options, World
from tests.sandbox.http.member import Body, Member, compact
from tests.sandbox.stage import PLAIN, stage

START_MS: Final = 1_795_177_659_210
PATIENCE_S: Final = 5.0


@dataclass(kw_only=True)
class Scene:
    """`client` sees only what comes over the wire; `world` is for what is looked up beforehand.

    Ada has 1,000 dollars and 500 full sets.
    """

    world: World
    venue: Venue
    client: httpx.Client
    ada: Member = field(init=False)

    def __post_init__(self) -> None:
        self.ada = Member(self.world, "ada").fund("1000", {PLAIN.token_ids[0]: "500"})

    @property
    def market(self) -> Market:
        return self.world.exchange.markets[PLAIN.condition_id]

    def rules(self, *rows: dict[str, Any], seed: int = 0) -> None:
        answer = self.client.post("/sandbox/faults", json={"seed": seed, "rules": list(rows)})
        assert answer.status_code == 200, answer.text

    def hits(self) -> list[int]:
        return [row["hits"] for row in self.client.get("/sandbox/faults").json()["rules"]]

    def advance(self, seconds: float) -> None:
        answer = self.client.post("/sandbox/clock", json={"advance": round(seconds * 1000)})
        assert answer.status_code == 200, answer.text

    def audit(self) -> dict[str, Any]:
        told: dict[str, Any] = self.client.get("/sandbox/audit").json()
        assert [each for each in told["invariants"] if not each["holds"]] == []
        return told

    def buy(self, price: str = "0.41", size: str = "10", **more: Any) -> Body:
        """An order that rests; at 0.45 it takes."""
        return self.ada.order(self.market, Side.BUY, price, size, **more)

    def id_of(self, body: Body) -> str:
        return self.ada.id_of(body, self.market)

    def ask(self, method: str, path: str, body: Any = None, *, timeout: float = PATIENCE_S) -> httpx.Response:
        """A signed request; the query may stand in the path."""
        content = b"" if body is None else compact(body)
        headers = self.ada.headers(method, path.partition("?")[0], content)
        return self.client.request(method, path, content=content, headers=headers, timeout=timeout)

    def post(self, body: Body | Sequence[Body], *, timeout: float = PATIENCE_S) -> httpx.Response:
        if isinstance(body, dict):
            return self.ask("POST", "/order", body, timeout=timeout)
        return self.ask("POST", "/orders", list(body), timeout=timeout)

    def order(self, order_id: str) -> httpx.Response:
        return self.ask("GET", f"/data/order/{order_id}")

    def exists(self, order_id: str) -> bool:
        """Whether the venue has it, whatever it tells."""
        return order_id in [row["id"] for row in self.audit()["orders"]]


def attest(key: PrivateKey, nonce: int, seconds: int) -> dict[str, str]:
    """Headers by which a wallet asks for its API key (VENUE 2.7)."""
    address = address_of(key.public_key)
    digest = attestation_digest(address=address, timestamp=str(seconds), nonce=nonce)
    made = key.sign_recoverable(digest, hasher=None)
    return {
        "POLY_ADDRESS": address,
        "POLY_SIGNATURE": "0x" + (made[:64] + bytes([made[64] + 27])).hex(),
        "POLY_TIMESTAMP": str(seconds),
        "POLY_NONCE": str(nonce),
    }


@contextmanager
def scene(
    *, options: Options | None = None, faults: Faults | None = None, transcript: bool = False
) -> Iterator[Scene]:
    clock = HandClock(START_MS)
    world = World(options or Options(), clock)
    stage(world)
    app = create_app(world, faults=faults, transcript=Transcript(clock) if transcript else None)
    made = Scene(world=world, venue=app.venue, client=httpx.Client(timeout=PATIENCE_S))
    with serving(app, world) as port, made.client as client:
        client.base_url = f"http://127.0.0.1:{port}"
        yield made
