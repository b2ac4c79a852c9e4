"""Too fast for the venue: nothing was placed, so the same bytes wait and go again, and not for ever."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from polymarket.errors import RateLimitError

from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.member import BUSY_TRIES, Member
from betteroms.adapters.polymarket.signing import OrderSigner
from betteroms.domain.secret import Secret
from betteroms.domain.wallet import SignatureType
from betteroms.ports.trading import Signed, Verdict
from tests.domain.examples import a_market, an_intent, an_order, price

WALLET = "0x" + "33" * 20
SIGNER = OrderSigner(Secret("0x" + "11" * 32), wallet=WALLET, signature_type=SignatureType.DEPOSIT)
BUCKET_OF_CANCELS = 120
"""The venue's, Standard tier (VENUE 7): what costs more than it holds is never let through."""


class Client:
    """Says 429 so many times, with this Retry-After, and takes what comes then."""

    def __init__(self, refusals: int = 0, retry_after: float | None = None) -> None:
        self.left = refusals
        self.retry_after = retry_after
        self.posted: list[list[Any]] = []
        self.canceled: list[int] = []

    def post_order(self, order: Any) -> Any:
        return self.post_orders([order])[0]

    def post_orders(self, orders: Sequence[Any]) -> list[Any]:
        self.posted.append(list(orders))
        if self.left:
            self.left -= 1
            raise RateLimitError("rate limited", retry_after=self.retry_after)
        return [SimpleNamespace(ok=True, order_id="0x01", status="live", taking_amount=0) for _ in orders]

    def cancel_orders(self, *, order_ids: Sequence[str]) -> Any:
        self.canceled.append(len(order_ids))
        return SimpleNamespace(canceled=list(order_ids), not_canceled={})


def member(client: Client, naps: list[float]) -> Member:
    without_end: Any = Limiter(per_second=1e9, burst=10**9)
    return Member(
        client,  # type: ignore[arg-type]
        api_key="",
        wallet=WALLET,
        ask_order=lambda _: None,
        orders=without_end,
        cancels=without_end,
        sleep=naps.append,
    )


def signed(count: int) -> list[Signed]:
    orders = [an_order(replace(an_intent(), line=number)) for number in range(count)]
    return [SIGNER.sign(order, a_market(), tick=price("0.01")) for order in orders]


@pytest.mark.parametrize("count", [1, 15])
@pytest.mark.parametrize(("says", "waits"), [(None, 1.0), (3.0, 3.0), (600.0, 10.0)])
def test_the_same_bytes_go_again_after_the_time_the_venue_asks_for(
    count: int, says: float | None, waits: float
) -> None:
    client = Client(refusals=1, retry_after=says)
    naps: list[float] = []
    answers = member(client, naps).post(signed(count))
    assert [answer.verdict for answer in answers] == [Verdict.LANDED] * count
    assert naps == [waits]
    assert client.posted[0] == client.posted[1]
    assert len(client.posted[0]) == count


def test_a_venue_that_stays_busy_turns_the_orders_away() -> None:
    client = Client(refusals=BUSY_TRIES)
    naps: list[float] = []
    answers = member(client, naps).post(signed(2))
    assert [(answer.verdict, answer.code) for answer in answers] == [
        (Verdict.TURNED_AWAY, "VENUE_BUSY"),
        (Verdict.TURNED_AWAY, "VENUE_BUSY"),
    ]
    assert (len(client.posted), len(naps)) == (BUSY_TRIES, BUSY_TRIES - 1)


def test_cancels_go_in_requests_that_the_venue_can_let_through() -> None:
    client = Client()
    assert member(client, []).cancel([f"0x{number:02x}" for number in range(250)]) == {}
    assert sum(client.canceled) == 250
    assert max(client.canceled) <= BUCKET_OF_CANCELS
