"""A match on the chain is what the exchange contract made of it, to the last millionth."""

from typing import Any, Final

import pytest

from betteroms.domain.terms import Side
from betteroms.sandbox.addresses import EXCHANGE
from betteroms.sandbox.exchange.settlement import (
    ChainEvent,
    FeeCharged,
    Leg,
    OrderFilled,
    OrdersMatched,
    settle,
)
from tests.vectors import vector

MATCHES: Final[list[dict[str, Any]]] = vector("matches_on_chain")["data"]
by_name = pytest.mark.parametrize("match", MATCHES, ids=lambda match: match["name"])


def _leg(order: dict[str, Any], order_id: str, fee: int) -> Leg:
    return Leg(
        order_id=order_id,
        wallet=order["maker"].lower(),
        token_id=order["tokenId"],
        side=(Side.BUY, Side.SELL)[order["side"]],
        maker_amount=int(order["makerAmount"]),
        taker_amount=int(order["takerAmount"]),
        fee=fee,
    )


def _settled(match: dict[str, Any]) -> Any:
    hashes = [event["orderHash"] for event in match["events"] if event["event"] == "OrderFilled"]
    makers = [
        (_leg(order, order_id, fee), fill)
        for order, order_id, fee, fill in zip(
            match["makers"], hashes[:-1], match["makerFees"], match["makerFills"], strict=True
        )
    ]
    return settle(_leg(match["taker"], hashes[-1], match["takerFee"]), makers)


@by_name
def test_everybody_has_what_the_contract_gave_and_took(match: dict[str, Any]) -> None:
    people = {name: address.lower() for name, address in match["people"].items()}
    tokens = {"pusd": None, **match["tokens"]}
    expected = {
        (people[name], tokens[what]): amount
        for name, deltas in match["delta"].items()
        for what, amount in deltas.items()
        if amount
    }
    assert _settled(match).deltas == expected


@by_name
def test_the_events_are_the_contracts_in_its_order(match: dict[str, Any]) -> None:
    assert [_told(event) for event in _settled(match).events] == [
        {key: event[key] for key in event if key not in ("builder", "metadata")} for event in match["events"]
    ]


def _told(event: ChainEvent) -> dict[str, Any]:
    if isinstance(event, FeeCharged):
        return {"event": "FeeCharged", "receiver": event.receiver, "amount": event.amount}
    leg = event.leg
    filled = {
        "side": 0 if leg.side is Side.BUY else 1,
        "tokenId": leg.token_id,
        "makerAmountFilled": event.making,
        "takerAmountFilled": event.taking,
    }
    if isinstance(event, OrdersMatched):
        return {
            "event": "OrdersMatched",
            "takerOrderHash": leg.order_id,
            "takerOrderMaker": leg.wallet,
            **filled,
        }
    assert isinstance(event, OrderFilled)
    return {
        "event": "OrderFilled",
        "orderHash": leg.order_id,
        "maker": leg.wallet,
        "taker": event.taker or EXCHANGE,
        **filled,
        "fee": leg.fee,
    }


def test_a_mint_takes_the_rest_of_each_dollar_from_the_taker() -> None:
    maker = Leg("m", "bob", "no", Side.BUY, maker_amount=45_000_000, taker_amount=100_000_000)
    taker = Leg("t", "ann", "yes", Side.BUY, maker_amount=60_000_000, taker_amount=100_000_000, fee=5)
    settled = settle(taker, [(maker, 22_500_000)])
    assert settled.minted == 50_000_000
    assert settled.deltas == {
        ("bob", None): -22_500_000,
        ("bob", "no"): 50_000_000,
        ("ann", None): -27_500_005,
        ("ann", "yes"): 50_000_000,
        ("0x43660c9af7997a0384c9faf16b952b592106a77e", None): 5,
    }


def test_a_trade_with_oneself_costs_the_fee() -> None:
    sells = Leg(order_id="m", wallet="ann", token_id="yes", side=Side.SELL, maker_amount=100, taker_amount=50)
    buys = Leg(
        order_id="t", wallet="ann", token_id="yes", side=Side.BUY, maker_amount=50, taker_amount=100, fee=1
    )
    deltas = settle(buys, [(sells, 100)]).deltas
    assert deltas == {("ann", None): -1, ("0x43660c9af7997a0384c9faf16b952b592106a77e", None): 1}
