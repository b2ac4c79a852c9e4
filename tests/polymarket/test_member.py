"""The venue as a member has it: posts that came too fast, many cancels, trades told without dollars."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polymarket.errors import RateLimitError

from betteroms.adapters.polymarket.limiter import Limiter
from betteroms.adapters.polymarket.member import BUSY_TRIES, Member
from betteroms.adapters.polymarket.signing import OrderSigner
from betteroms.domain.money import MICROS
from betteroms.domain.secret import Secret
from betteroms.domain.terms import Side
from betteroms.domain.wallet import SignatureType
from betteroms.ports.trading import Signed, Verdict
from betteroms.sandbox.exchange.settlement import Leg, Part, Settlement, settle
from tests.domain.examples import MARKET_ID, NO, NOW, YES, a_market, an_intent, an_order, price

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


MAKER_PRICES = st.integers(1, 99).map(lambda cents: cents * 10_000)


@given(
    buys=st.booleans(),
    makers=st.lists(
        st.tuples(st.booleans(), MAKER_PRICES, st.integers(1, 50_000_000)), min_size=1, max_size=4
    ),
)
def test_the_dollars_of_every_part_in_a_trade_are_those_of_the_chain(
    buys: bool, makers: list[tuple[bool, int, int]]
) -> None:
    """Beside the sandbox's settlement, which gives every match that is known from the chain."""
    taker_side = Side.BUY if buys else Side.SELL
    settled = settle(
        Leg("taker", "0xt", YES, taker_side, 1, 1),
        [_maker(number, taker_side, *maker) for number, maker in enumerate(makers)],
    )
    trade, parts = _trade(taker_side, settled), settled.parts
    told = list(member(Client(), [])._fills_of(trade))
    taken = [fill for fill in told if fill.external_order_id == "taker"]
    assert sum(fill.dollars for fill in taken) == _dollars(parts[-1])
    assert sum(fill.size for fill in taken) == _shares(parts[-1])
    resting = {fill.external_order_id: (fill.size, fill.dollars) for fill in told if fill not in taken}
    assert resting == {part.leg.order_id: (_shares(part), _dollars(part)) for part in parts[:-1]}


def _maker(number: int, taker: Side, own: bool, price: int, filled: int) -> tuple[Leg, int]:
    """A resting order for a hundred shares, and how much of what it gives is filled."""
    side = (Side.SELL if taker is Side.BUY else Side.BUY) if own else taker
    shares, dollars = 100_000_000, 100 * price
    amounts = (dollars, shares) if side is Side.BUY else (shares, dollars)
    gives = min(filled, dollars) if side is Side.BUY else filled
    return Leg(f"maker {number}", WALLET, YES if own else NO, side, *amounts), gives


def _trade(taker: Side, settled: Settlement) -> Any:
    """The trade as the venue tells it: shares and prices, and no dollars."""
    *makers, taken = settled.parts
    return SimpleNamespace(
        id="trade",
        status="MATCHED",
        condition_id=MARKET_ID,
        matched_at=NOW,
        transaction_hash=None,
        trader_side="TAKER",
        taker_order_id="taker",
        owner="",
        asset_id=YES,
        side=taker.value,
        price=Decimal("0.5"),
        size=Decimal(_shares(taken)) / MICROS,
        maker_orders=[
            SimpleNamespace(
                order_id=part.leg.order_id,
                owner="",
                maker_address=WALLET,
                asset_id=part.leg.token_id,
                side=part.leg.side.value,
                price=Decimal(_price(part.leg)) / MICROS,
                matched_amount=Decimal(_shares(part)) / MICROS,
            )
            for part in makers
        ],
    )


def _price(leg: Leg) -> int:
    dollars = leg.maker_amount if leg.side is Side.BUY else leg.taker_amount
    return dollars // 100


def _shares(part: Part) -> int:
    return part.taking if part.leg.side is Side.BUY else part.making


def _dollars(part: Part) -> int:
    return part.making if part.leg.side is Side.BUY else part.taking
